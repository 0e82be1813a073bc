// SPDX-License-Identifier: MIT
// Receives SIGUSR1, and says how often, and what the last one came with, for each line on stdin. Some
// lines have it do more before: "call", "fork", "spawn".
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
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

static int called;

static int make(int spawns)
{
	char *const argv[] = { "true", NULL };
	pid_t pid;
	int status;

	if (spawns) {
		if (posix_spawnp(&pid, "true", NULL, NULL, argv, NULL))
			return -1;
	} else {
		pid = fork();
		if (!pid)
			_exit(twice(2) == 4 ? 0 : 1);
	}
	return waitpid(pid, &status, 0) == pid && !status ? pid : -1;
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
		if (!strncmp(line, "call", 4))
			called = getppid();
		else if (!strncmp(line, "fork", 4))
			called = make(0);
		else if (!strncmp(line, "spawn", 5))
			called = make(1);
		printf("%d %d %d %d %d\n", received, code, value, sender, called);
		fflush(stdout);
	}
	return 0;
}
