// SPDX-License-Identifier: MIT
// Bench target: the main thread watches the clock without pause and publishes the longest gap it saw,
// which is how long somebody kept it from its work. With GAPS_ON_GORT it is the main goroutine of libgort.
//   gaps PAGE [SLEEPERS]      PAGE: three 8-byte words: longest gap ns, reset, thread id
#ifdef GAPS_ON_GORT
#include "runtime/gort.h"
#endif
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int next_value(int a)
{
	return a + 1;
}

// With arguments on the stack.
int sum_of(int a, int b, int c, int d, int e, int f, int g, int h)
{
	return a + b + c + d + e + f + g + h;
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void *sleeper(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void watch(void *arg)
{
	volatile int64_t *page = arg;
	int64_t last = now();

	page[2] = syscall(SYS_gettid);
	for (;;) {
		int64_t t = now();

		if (page[1]) {
			page[0] = 0;
			page[1] = 0;
		} else if (t - last > page[0]) {
			page[0] = t - last;
		}
		last = t;
	}
}

#ifdef GAPS_ON_GORT
static void watch_on_one_thread(void *page)
{
	gort_lock_os_thread();
	watch(page);
}
#endif

int main(int argc, char **argv)
{
	int fd = argc > 1 ? open(argv[1], O_RDWR) : -1;
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (page == MAP_FAILED)
		return 2;
	for (int i = argc > 2 ? atoi(argv[2]) : 0; i > 0; i--) {
		pthread_t thread;

		pthread_create(&thread, NULL, sleeper, NULL);
	}
#ifdef GAPS_ON_GORT
	gort_main(watch_on_one_thread, page);
#else
	watch(page);
#endif
}
