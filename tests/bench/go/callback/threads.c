// SPDX-License-Identifier: MIT
// The threads that call back, as in gort_micro.c.
#include <pthread.h>
#include <stdint.h>
#include <time.h>

extern void nothing(void);

static int64_t first[51], later[51];

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static void *foreign(void *arg)
{
	long i = (long)arg;
	int64_t start = now();

	nothing();
	first[i] = now() - start;
	start = now();
	for (int k = 0; k < 1000; k++)
		nothing();
	later[i] = (now() - start) / 1000;
	return 0;
}

void run_threads(void)
{
	for (long i = 0; i < 51; i++) {
		pthread_t t;
		pthread_create(&t, 0, foreign, (void *)i);
		pthread_join(t, 0);
	}
}

int64_t at(int which, int i)
{
	return which ? later[i] : first[i];
}
