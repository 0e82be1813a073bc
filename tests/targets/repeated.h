// SPDX-License-Identifier: MIT
// Functions of the victim that are called many times in a row: what each counts or leaves behind
// tells the calls apart.
#ifndef TESTS_TARGETS_REPEATED_H
#define TESTS_TARGETS_REPEATED_H

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

volatile long counted, reaped, reaped_badly;

long count(void)
{
	return ++counted;
}

// Changes all that it was given, and says how much of it was not as it should be.
int spoil_arguments(volatile int a, volatile int b, volatile int c, volatile int d, volatile int e,
		    volatile int f, volatile int g, volatile int h, volatile double x,
		    volatile double y)
{
	int wrong = (a != 1) + (b != 2) + (c != 3) + (d != 4) + (e != 5) + (f != 6) + (g != 7) +
		    (h != 8) + (x != 1.5) + (y != 2.5);

	a = b = c = d = e = f = g = h = -1;
	x = y = -1;
	// Beyond the callee's own frame: its stack arguments, which are its own too.
	void **arguments = (void **)__builtin_frame_address(0) + 2;

	__asm__ volatile("" : "+r"(arguments));
	arguments[0] = arguments[1] = (void *)-1L;
	__asm__ volatile("std\nfldz\nfldz\nfldz" ::: "memory");
	__asm__ volatile("fldcw %0" ::"m"((const unsigned short){ 0x037f }));
	__asm__ volatile("cld");
	return wrong;
}

int block_all(void)
{
	sigset_t all, before;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	return sigismember(&before, SIGURG);
}

struct block {
	long word[5];
};
struct block make_block(long a)
{
	return (struct block){ { a, a + 1, a + 2, a + 3, a + 4 } };
}

long double long_half(int a)
{
	return (long double)a / 2;
}

static void pass(long ms)
{
	struct timespec start, t;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do
		clock_gettime(CLOCK_MONOTONIC, &t);
	while ((t.tv_sec - start.tv_sec) * 1000 + (t.tv_nsec - start.tv_nsec) / 1000000 < ms);
}

// The n-th call takes 100 ms.
void long_at(long n)
{
	if (++counted == n)
		pass(101);
}

// Longer than a slice.
void long_always(void)
{
	pass(21);
}

int count_child(void)
{
	counted++;
	return fork();
}

// How many children are left.
int reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		reaped++;
		reaped_badly += status != 0;
	}
	return pid == 0;
}

void crash_at(long n)
{
	if (++counted == n)
		__builtin_trap();
}

void loop_at(long n)
{
	if (++counted == n)
		for (;;)
			__asm__ volatile("");
}

void sleep_at(long n)
{
	if (++counted == n)
		sleep(1000);
}

#endif
