// SPDX-License-Identifier: MIT
// What a debug call costs where no debugger has to be woken: a goroutine that injects calls into
// itself, and the floor, five signals that a thread sends to itself. Prints both in ns, medians of
// alternating batches, and the handshakes of one call.
#include "tests/runtime/inject.h"

#include <stdio.h>

static struct injection injection;

enum { BATCHES = 51, ROUNDS = 1000, SIGNALS = 5 };

static int add(int a, int b)
{
	return a + b;
}

// Not libc's: that is no safe point.
static void send(int signo)
{
	long ret = SYS_tgkill;

	__asm__ volatile("syscall"
			 : "+a"(ret)
			 : "D"((long)getpid()), "S"((long)injection.tid), "d"((long)signo)
			 : "rcx", "r11", "memory");
}

static void ignore(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)info, (void)context;
}

static double signals(void)
{
	int64_t start = gort_now();

	for (int i = 0; i < ROUNDS * SIGNALS; i++)
		send(SIGUSR2);
	return (double)(gort_now() - start) / ROUNDS;
}

static double calls(void)
{
	int64_t start = gort_now();

	for (int i = 0; i < ROUNDS; i++) {
		memset(&injection.client, 0, sizeof(injection.client));
		injection.handshakes = 0;
		send(SIGUSR1);
		if (injection.client.outcome != CLIENT_GOT_RETURNED || injection.rax != 42)
			abort();
	}
	return (double)(gort_now() - start) / ROUNDS;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(void *arg)
{
	struct sigaction action = { .sa_sigaction = ignore, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	double call[BATCHES], floor[BATCHES];

	(void)arg;
	inject_init();
	sigaction(SIGUSR2, &action, NULL);
	gort_lock_os_thread();
	prepare_in(&injection, add);
	standing = &injection;
	injection.general[0] = 19;
	injection.general[1] = 23;
	injection.tid = (int)syscall(SYS_gettid);
	for (int i = 0; i < BATCHES; i++) {
		call[i] = calls();
		floor[i] = signals();
	}
	qsort(call, BATCHES, sizeof(*call), ascending);
	qsort(floor, BATCHES, sizeof(*floor), ascending);
	printf("%.0f %.0f %d\n", call[BATCHES / 2], floor[BATCHES / 2], injection.handshakes);
}

int main(void)
{
	return gort_main(measure, NULL);
}
