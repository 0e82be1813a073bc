// SPDX-License-Identifier: MIT
// One counting thread per processor and a main thread that sleeps in a read: shows which threads
// stop.
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 2 };
struct counter {
	volatile uint64_t count;
	volatile int64_t longest_gap_ns;
	volatile uint64_t reset;
} __attribute__((aligned(64))) counters[THREADS];

int64_t counter_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void *count(void *arg)
{
	struct counter *c = arg;
	int64_t last = counter_now();

	for (;;) {
		int64_t t = counter_now();

		if (c->reset) {
			c->longest_gap_ns = 0;
			c->reset = 0;
		} else if (t - last > c->longest_gap_ns) {
			c->longest_gap_ns = t - last;
		}
		last = t;
		c->count++;
	}
	return NULL;
}

// Returns once every other thread has counted on: it would never return if they were stopped.
int others_count(void)
{
	for (int i = 0; i < THREADS; i++) {
		uint64_t then = counters[i].count;

		while (counters[i].count < then + 1000)
			;
	}
	return THREADS;
}

int main(void)
{
	pthread_t thread;
	char c;

	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread, NULL, count, &counters[i]);
	printf("ready\n");
	fflush(stdout);
	while (read(0, &c, 1) == 1)
		;
	return 0;
}
