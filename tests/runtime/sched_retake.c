// SPDX-License-Identifier: MIT
// Goroutines that compute or block in libc without a word never hold the others up.
#include "runtime/gort.h"
#include "tests/runtime/tap.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static atomic_int stop, count, inside;

static void call_free(void *arg)
{
	(void)arg;
	atomic_fetch_add(&inside, 1);
	while (!atomic_load_explicit(&stop, memory_order_relaxed))
		;
	atomic_fetch_add(&count, 1);
}

static void raw_read(void *arg)
{
	char c;

	atomic_fetch_add(&inside, 1);
	if (read(*(int *)arg, &c, 1) == 1)
		atomic_fetch_add(&count, 1);
}

static void worker(void *arg)
{
	(void)arg;
	for (int i = 0; i < 100; i++)
		gort_yield();
	atomic_fetch_add(&count, 1);
}

static void bump(void *arg)
{
	(*(long *)arg)++;
}

static int open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	if (!dir)
		abort();
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void main_fn(void *arg)
{
	enum { READERS = 150 };
	int procs = gort_gomaxprocs(0);
	int fds[2];
	struct gort_stats s;

	(void)arg;
	// Twice as many as there are Ps, and then more work.
	for (int i = 0; i < 2 * procs; i++)
		gort_go(call_free, NULL);
	for (int i = 0; i < 100; i++)
		gort_go(worker, NULL);
	while (atomic_load(&count) < 100)
		gort_yield();
	check(true, "call-free loops on every P stall nobody");
	int64_t t = gort_now();
	gort_gomaxprocs(procs + 1);
	gort_gomaxprocs(procs);
	printf("# two world stops among loops took %ld us\n", (long)(gort_now() - t) / 1000);
	check(gort_gomaxprocs(0) == procs, "the world stops among call-free loops");
	atomic_store(&stop, 1);
	while (atomic_load(&count) < 100 + 2 * procs)
		gort_yield();
	check(true, "retaken goroutines come back");
	gort_stats(&s);
	check(s.retakes > 0, "retakes are counted");

	atomic_store(&count, 0);
	if (pipe(fds))
		abort();
	atomic_store(&inside, 0);
	int descriptors = open_descriptors();
	for (int i = 0; i < READERS; i++)
		gort_go(raw_read, fds);
	for (int i = 0; i < 100; i++)
		gort_go(worker, NULL);
	while (atomic_load(&count) < 100 || atomic_load(&inside) < READERS)
		gort_yield();
	check(true, "raw blocking reads on every P stall nobody");
	int more = open_descriptors() - descriptors;
	printf("# %d blocked threads cost %d descriptors\n", READERS, more);
	check(more <= 64, "blocked threads cost few descriptors");
	for (int i = 0; i < READERS; i++)
		if (write(fds[1], "x", 1) != 1)
			abort();
	while (atomic_load(&count) < 100 + READERS)
		gort_yield();
	check(true, "readers come back");

	long n = 0;
	for (int i = 0; i < 1000; i++)
		gort_blocking(bump, &n);
	check(n == 1000, "gort_blocking runs its function");
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	return gort_main(main_fn, NULL) ? 1 : finish();
}
