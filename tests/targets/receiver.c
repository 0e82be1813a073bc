// SPDX-License-Identifier: MIT
// Receives SIGUSR1, and says how often, and what the last one came with, for each line on stdin.
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static volatile int received, code, value, sender;
volatile int stop;

static void receive(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	code = info->si_code;
	value = info->si_value.sival_int;
	sender = info->si_pid;
	received++;
}

int twice(int n)
{
	return 2 * n;
}

int spin(void)
{
	while (!stop)
		;
	return 1;
}

int main(void)
{
	const struct sigaction action = { .sa_sigaction = receive,
					  .sa_flags = SA_SIGINFO | SA_RESTART };
	char line[64];

	sigaction(SIGUSR1, &action, NULL);
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		printf("%d %d %d %d\n", received, code, value, sender);
		fflush(stdout);
	}
	return 0;
}
