// SPDX-License-Identifier: MIT
// The functions that tests call inside a victim: each ends, or does not end, in a way of its own.
#ifndef TESTS_TARGETS_CALLEES_H
#define TESTS_TARGETS_CALLEES_H

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int add(int a, int b)
{
	return a + b;
}

double scale(double x, float y)
{
	return x * y;
}

// ---- crashes ------------------------------------------------------------------------------------

static volatile int zero;

int crash_segv(int a)
{
	return a + *(volatile int *)(uintptr_t)(zero + 0x10);
}

int crash_segv_deep(int a)
{
	return a > 0 ? 1 + crash_segv_deep(a - 1) : crash_segv(a);
}

int crash_fpe(int a)
{
	return a / zero;
}

int crash_ill(void)
{
	__asm__ volatile("ud2");
	return 0;
}

int crash_abort(void)
{
	abort();
}

int crash_trap(void)
{
	__asm__ volatile("int3");
	return 0;
}

// Not a tail call, and the array is used after the call, so that each level takes a page.
int crash_overflow(int a)
{
	volatile char page[4096];

	page[0] = (char)a;
	return crash_overflow(a + 1) + page[0];
}

// ---- ends ---------------------------------------------------------------------------------------

sigjmp_buf way_out;
void leave(void)
{
	siglongjmp(way_out, 1);
}

void end_thread(void)
{
	pthread_exit(NULL);
}

void end_process(int code)
{
	exit(code);
}

int become_true(void)
{
	return execl("/bin/sleep", "sleep", "600", (char *)NULL);
}

// The child's pid; the child must not go on in the caller's loop.
int have_child(void)
{
	return fork();
}

// ---- never ends ---------------------------------------------------------------------------------

void loop_forever(void)
{
	for (;;)
		__asm__ volatile("");
}

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
void lock_twice(void)
{
	pthread_mutex_lock(&held);
	pthread_mutex_lock(&held);
}

long read_forever(void)
{
	static int fds[2];
	char c;

	if (!fds[1] && pipe(fds))
		return -1;
	return read(fds[0], &c, 1);
}

int sleep_long(int seconds)
{
	return (int)sleep((unsigned)seconds);
}

// ---- signals ------------------------------------------------------------------------------------

int raise_usr1(void)
{
	return raise(SIGUSR1);
}

#endif
