// SPDX-License-Identifier: MIT
// A program that ignores the signals of faults, as every Perl does with one of them. A line on
// standard input asks for what it has set for each. usage: ignoring [threads]
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const int signals[] = { SIGFPE, SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGSYS };
enum { NR = sizeof(signals) / sizeof(*signals) };
volatile int beats;

// The kernel's structure; the C library's hides a part of it.
struct action {
	unsigned long handler, flags, restorer, mask;
};

int add(int a, int b)
{
	return a + b;
}

int divide(int a, int b)
{
	return a / b;
}

int segv(void)
{
	return *(volatile int *)16;
}

int ill(void)
{
	__asm__ volatile("ud2");
	return 0;
}

int overflow(int n)
{
	volatile char room[4096];

	room[0] = (char)n;
	return n ? overflow(n + 1) + room[0] : 0;
}

// Only sent, it does nothing here.
int send_fpe(void)
{
	return raise(SIGFPE);
}

int give_up(void)
{
	abort();
}

// A callee may handle what the program ignores.
static void handler(int signo)
{
	(void)signo;
	_exit(9);
}

int handle(void)
{
	signal(SIGFPE, handler);
	return (int)(signal(SIGFPE, SIG_IGN) == handler);
}

static void *work(void *arg)
{
	for (;;)
		beats++;
	return arg;
}

int main(int argc, char *argv[])
{
	char line[16];
	pthread_t thread;

	for (int i = 0; i < NR; i++) {
		struct action action = { (unsigned long)SIG_IGN, 0, 0, 0 };

		if (signals[i] == SIGSEGV) {
			action.flags = SA_RESTART | SA_NODEFER;
			action.mask = 1 << (SIGUSR1 - 1);
		}
		if (syscall(SYS_rt_sigaction, signals[i], &action, NULL, 8))
			return 1;
	}
	if (argc > 1 && !strcmp(argv[1], "threads"))
		pthread_create(&thread, NULL, work, NULL);
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, line, sizeof(line)) > 0) {
		for (int i = 0; i < NR; i++) {
			struct action action;

			syscall(SYS_rt_sigaction, signals[i], NULL, &action, 8);
			printf("%s%lx/%lx/%lx", i ? " " : "", action.handler, action.flags,
			       action.mask);
		}
		puts("");
		fflush(stdout);
	}
	return 0;
}
