// SPDX-License-Identifier: MIT
// valgrind: one thread runs at a time there, and what is measured is who waits for whom
// gort_park and gort_ready, and what a wake-up costs beside many threads.
#include "runtime/gort.h"
#include "tests/runtime/tap.h"

#include <stdatomic.h>
#include <stdlib.h>

enum {
	ROUNDS = 6400,
	SENDERS = 3,
	MESSAGES = 30000,
	THREADS = 600,
	BATCH = 200,
	BATCHES = 60,
};

// ---- a permit that is there already -------------------------------------------------------------

static atomic_long others, over;

static void other(void *arg)
{
	(void)arg;
	while (!over) {
		others++;
		gort_yield();
	}
	over++;
}

static void permits(void)
{
	struct gort_stats before, after;

	gort_gomaxprocs(1);
	gort_stats(&before);
	for (int i = 0; i < ROUNDS; i++) {
		gort_ready(gort_id());
		gort_park();
	}
	gort_stats(&after);
	check(after.switches - before.switches < ROUNDS / 10,
	      "a park that was readied before costs no switch");

	gort_go(other, NULL);
	for (int i = 0; i < ROUNDS; i++) {
		gort_ready(gort_id());
		gort_park();
	}
	check(others > ROUNDS / 100, "yet others of its processor run meanwhile");
	over = 1;
	while (over < 2)
		gort_yield();
}

// ---- many senders, one that parks ---------------------------------------------------------------

static atomic_long sent[SENDERS], taken[SENDERS];
static uint64_t actor;

// The next is sent when the last was taken: one that is not seen stops them all.
static void sender(void *arg)
{
	long n = (long)arg;

	for (long i = 1; i <= MESSAGES; i++) {
		sent[n] = i;
		gort_ready(actor);
		while (taken[n] < i)
			gort_yield();
	}
}

static void receiver(void *arg)
{
	bool all = false;

	(void)arg;
	while (!all) {
		gort_park();
		all = true;
		for (int n = 0; n < SENDERS; n++) {
			taken[n] = atomic_load(&sent[n]);
			all &= taken[n] == MESSAGES;
		}
	}
	over = 1;
}

static void messages(void)
{
	gort_gomaxprocs(4);
	over = 0;
	actor = gort_go(receiver, NULL);
	for (long n = 0; n < SENDERS; n++)
		gort_go(sender, (void *)n);
	while (!over)
		gort_yield();
	check(true, "a park sees what was written before each ready");
}

// ---- who waits for the one that parks -----------------------------------------------------------

static gort_chan *ping, *gate;

static void answer(void *arg)
{
	long v;
	struct gort_case c = { .chan = ping, .op = GORT_RECV, .elem = &v };

	(void)arg;
	do
		gort_select(&c, 1, GORT_FOREVER);
	while (v >= 0);
	over++;
}

// The quickest of many batches: whatever else runs here makes some slower.
static int64_t wakes(void)
{
	int64_t best = INT64_MAX;

	over = 0;
	gort_go(answer, NULL);
	for (int b = 0; b < BATCHES; b++) {
		int64_t start = gort_now(), time;
		for (long i = 0; i < BATCH; i++)
			gort_send(ping, &i);
		time = gort_now() - start;
		if (time < best)
			best = time;
	}
	gort_send(ping, &(long){ -1 });
	while (!over)
		gort_yield();
	return best;
}

static void holder(void *arg)
{
	(void)arg;
	gort_lock_os_thread();
	over++;
	gort_recv(gate, NULL);
	over++;
}

static void threads(void)
{
	int64_t before, after;

	gort_gomaxprocs(2);
	ping = gort_chan_make(sizeof(long), 0);
	gate = gort_chan_make(0, 0);
	before = wakes();
	over = 0;
	for (int i = 0; i < THREADS; i++)
		gort_go(holder, NULL);
	while (over < THREADS)
		gort_yield();
	gort_close(gate);
	while (over < 2 * THREADS)
		gort_yield();
	after = wakes();
	printf("# %ld ns a wake, %ld after %d threads\n", before / BATCH, after / BATCH, THREADS);
	check(after < 2 * before, "a wake costs what it cost, however many threads there were");
}

static void main_fn(void *arg)
{
	(void)arg;
	permits();
	messages();
	threads();
}

int main(void)
{
#ifdef __SANITIZE_THREAD__
	printf("1..0 # SKIP TSan makes so many threads slow\n");
	return 0;
#endif
	return gort_main(main_fn, NULL) ? 1 : finish();
}
