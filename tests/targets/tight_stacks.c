// SPDX-License-Identifier: MIT
// Threads whose stacks touch memory that is somebody else's. It prints each thread's id on a line,
// then "ready"; then "damaged" whenever memory that is nobody's stack, or a thread's own variable,
// has changed.
//
//   tight_stacks given LEFT    a thread on memory that the program gave it, LEFT bytes from its end
//   tight_stacks unguarded     threads without guards, one stack after the other
//   tight_stacks coroutine     a thread on a stack in its own heap
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

enum { FILL = 0x5a, BELOW = 32768, STACK = 16384, THREADS = 6 };

int add(int a, int b)
{
	return a + b;
}

__attribute__((noinline)) int deep(int n)
{
	volatile unsigned char frame[1024];

	memset((void *)frame, 0xee, sizeof(frame));
	return n <= 0 ? frame[5] : deep(n - 1) + frame[7] - 0xee;
}

static __thread volatile int mine = 7;
static unsigned char *region;
static int left;
static int pipes[2];
static int ids[THREADS], nr_ids;

static void complain(void)
{
	puts("damaged");
	fflush(stdout);
}

static void wait_here(void)
{
	char c;

	// Printing would take more stack than there is.
	ids[__atomic_fetch_add(&nr_ids, 1, __ATOMIC_RELAXED)] = (int)syscall(SYS_gettid);
	while (read(pipes[0], &c, 1) == 1) {
		if (mine != 7)
			complain();
		mine = 7;
	}
}

// The callee-saved registers of this recursion keep nothing that matters.
__attribute__((noinline)) static int down(void)
{
	volatile char frame[256];

	frame[0] = 1;
	if ((unsigned char *)__builtin_frame_address(0) - (region + BELOW) > left)
		return down() + frame[0];
	wait_here();
	return 0;
}

static void *given(void *arg)
{
	down();
	return arg;
}

static void *plain(void *arg)
{
	wait_here();
	return arg;
}

static void *coroutine(void *arg)
{
	static ucontext_t own, other;

	getcontext(&other);
	other.uc_stack.ss_sp = region + BELOW;
	other.uc_stack.ss_size = STACK;
	other.uc_link = &own;
	makecontext(&other, wait_here, 0);
	swapcontext(&own, &other);
	return arg;
}

int main(int argc, char *argv[])
{
	pthread_attr_t attr;
	pthread_t thread;
	int threads = 1;

	pthread_attr_init(&attr);
	if (pipe(pipes))
		return 1;
	region = mmap(NULL, BELOW + STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	memset(region, FILL, BELOW);
	if (!strcmp(argv[1], "unguarded"))
		threads = THREADS;
	if (!strcmp(argv[1], "given") && argc > 2) {
		left = atoi(argv[2]);
		pthread_attr_setstack(&attr, region + BELOW, STACK);
		pthread_create(&thread, &attr, given, NULL);
	} else if (!strcmp(argv[1], "coroutine")) {
		pthread_create(&thread, NULL, coroutine, NULL);
	} else {
		pthread_attr_setguardsize(&attr, 0);
		pthread_attr_setstacksize(&attr, 128 * 1024);
		for (int i = 0; i < threads; i++)
			pthread_create(&thread, &attr, plain, NULL);
	}
	while (__atomic_load_n(&nr_ids, __ATOMIC_RELAXED) < threads || !ids[threads - 1])
		usleep(100);
	for (int i = 0; i < threads; i++)
		printf("%d\n", ids[i]);
	puts("ready");
	fflush(stdout);
	for (;;) {
		usleep(2000);
		if (write(pipes[1], "xxxxxxxx", THREADS) < 0)
			return 1;
		for (size_t i = 0; i < BELOW; i++) {
			if (region[i] == FILL)
				continue;
			complain();
			memset(region, FILL, BELOW);
		}
	}
}
