// SPDX-License-Identifier: MIT
// valgrind: it has no room for so many stacks
// One million goroutines: all park, all are counted, all end, and a second million uses the same
// stacks.
#include "runtime/gort.h"
#include "tests/runtime/tap.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { MILLION = 1000000, NEED_KIB = 7 << 20 };

static gort_chan *gate;
static atomic_long here, gone;

static void waits(void *arg)
{
	long mark = (long)arg;

	atomic_fetch_add(&here, 1);
	gort_recv(gate, NULL);
	// What was on its stack is still there.
	atomic_fetch_add(&gone, mark == (long)arg);
}

static void round_of(const char *all_park, const char *all_end)
{
	struct gort_stack most;
	struct gort_stats s;
	long made = 0;

	atomic_store(&here, 0);
	atomic_store(&gone, 0);
	gate = gort_chan_make(0, 0);
	for (long i = 0; i < MILLION; i++)
		made += gort_go(waits, (void *)i) != 0;
	while (atomic_load(&here) < made)
		gort_yield();
	do {
		gort_yield();
		gort_profile(&most, 1);
	} while (most.count < (uint64_t)made);
	gort_stats(&s);
	check(made == MILLION && s.goroutines == MILLION + 1, all_park);
	gort_close(gate);
	while (atomic_load(&gone) < made)
		gort_yield();
	do {
		gort_yield();
		gort_stats(&s);
	} while (s.goroutines > 1);
	check(true, all_end);
	gort_chan_release(gate);
}

static void main_fn(void *arg)
{
	struct gort_stats before, after;

	(void)arg;
	round_of("a million park", "and end");
	gort_stats(&before);
	round_of("a second million park", "and end as well");
	gort_stats(&after);
	// But for the few thousand free ones that each P keeps for itself.
	check(after.stack_bytes < before.stack_bytes + before.stack_bytes / 64,
	      "on the stacks of the first");
}

static long available_kib(void)
{
	char line[256];
	FILE *f = fopen("/proc/meminfo", "re");
	long kib = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %ld", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib;
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip("a million goroutines", "the sanitizers keep more about each than there is room for");
	return finish();
#endif
	if (available_kib() < NEED_KIB) {
		skip("a million goroutines", "needs 7 GB of memory");
		return finish();
	}
	return gort_main(main_fn, NULL) ? 1 : finish();
}
