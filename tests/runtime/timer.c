// SPDX-License-Identifier: MIT
// valgrind: thousands of guarded stacks are more mappings than it can count
// Sleeping and timers: never early, results of stop and reset, periods, timers stopped while
// firing, many at once.
#include "tests/runtime/sync.h"

static gort_wg wg;

static void sleeps_long_enough(void)
{
	static const int64_t spans[] = { 1, 1000, 100000, MS, 3 * MS };

	for (size_t i = 0; i < sizeof(spans) / sizeof(*spans); i++) {
		int64_t t = gort_now();
		expect_eq(gort_sleep(spans[i]), 0);
		expect(gort_now() - t >= spans[i]);
	}
	expect_eq(gort_sleep(0), 0);
	expect_eq(gort_sleep(-1), 0);
	expect_eq(gort_sleep(INT64_MIN), 0);
}

struct sleeper {
	int64_t ns;
	int ret;
	atomic_bool done;
};

static void sleeper(void *arg)
{
	struct sleeper *s = arg;

	s->ret = gort_sleep(s->ns);
	atomic_store(&s->done, true);
}

static void cancel_wakes_sleepers(void)
{
	static const int64_t spans[] = { 3600 * 1000 * MS, INT64_MAX };

	for (int i = 0; i < 2; i++) {
		struct sleeper s = { .ns = spans[i] };
		uint64_t id = gort_go(sleeper, &s);
		until_in(id, "sleep");
		expect_eq(gort_cancel(id), 0);
		until(s.done);
		expect_eq(s.ret, -ECANCELED);
	}
	gort_cancel(gort_id());
	expect_eq(gort_sleep(MS), -ECANCELED);
	expect_eq(gort_sleep(0), -ECANCELED);
	gort_cancel_clear();
}

static atomic_long fired;

static void fire(void *arg)
{
	atomic_fetch_add(&fired, (long)arg);
}

static void start_stop_reset(void)
{
	gort_timer t = { 0 };
	const int64_t far = gort_now() + 3600 * 1000 * MS;

	fired = 0;
	expect_eq(gort_timer_stop(&t), 0);
	expect_eq(gort_timer_reset(&t, far), -EINVAL);
	expect_eq(gort_timer_start(&t, far, 0, NULL, NULL), -EINVAL);
	expect_eq(gort_timer_start(&t, far, -1, fire, NULL), -EINVAL);
	expect_eq(gort_timer_start(&t, far, 0, fire, (void *)1), 0);
	expect_eq(gort_timer_start(&t, far, 0, fire, (void *)1), -EBUSY);
	expect_eq(gort_timer_stop(&t), 1);
	expect_eq(gort_timer_stop(&t), 0);
	expect_eq(gort_timer_reset(&t, far), 0);
	expect_eq(gort_timer_reset(&t, gort_now()), 1);
	until(fired == 1);
	expect_eq(gort_timer_stop(&t), 0);
	expect_eq(gort_timer_reset(&t, 0), 0);
	until(fired == 2);
	expect_eq(gort_timer_start(&t, gort_now() + MS, 0, fire, (void *)1), 0);
	until(fired == 3);
	expect_eq(gort_timer_start(&t, INT64_MIN, 0, fire, (void *)1), 0);
	until(fired == 4);
	expect_eq(gort_timer_start(&t, GORT_FOREVER, 0, fire, (void *)1), 0);
	expect_eq(gort_timer_stop(&t), 1);
}

static void periods(void)
{
	gort_timer t = { 0 };

	fired = 0;
	expect_eq(gort_timer_start(&t, gort_now(), MS / 10, fire, (void *)1), 0);
	until(fired >= 5);
	expect_eq(gort_timer_stop(&t), 1);
	// The first is as far in the past as can be: the next is still in the future.
	fired = 0;
	expect_eq(gort_timer_start(&t, INT64_MIN, 3600 * 1000 * MS, fire, (void *)1), 0);
	until(fired == 1);
	expect_eq(gort_timer_stop(&t), 1);
	expect_eq(gort_timer_start(&t, 0, INT64_MAX, fire, (void *)1), 0);
	until(fired == 2);
	expect_eq(gort_timer_stop(&t), 1);
}

static void after_sends_the_time(void)
{
	int64_t t = gort_now(), when = 0;
	gort_chan *c = gort_after(2 * MS);

	expect(c && gort_cap(c) == 1);
	expect_eq(gort_recv(c, &when), 0);
	expect(when - t >= 2 * MS && when <= gort_now());
	gort_chan_release(c);
	// Nobody waits for these.
	gort_chan_release(gort_after(0));
	gort_chan_release(gort_after(MS));
	gort_chan_release(gort_after(INT64_MAX));
	c = gort_after(-1);
	expect_eq(gort_recv(c, &when), 0);
	gort_chan_release(c);
}

// Timers are started, stopped, reset and fire all at once, from everywhere. A stop that says 1 took
// one firing away.
enum { TIMERS = 50, TURNS = 4000 };

static gort_timer timers[TIMERS];
static gort_mutex guard[TIMERS];
static bool pending[TIMERS];
static atomic_long expected;

static void racer(void *arg)
{
	uint32_t x = (uint32_t)(uintptr_t)arg * 2654435761u + 1;

	for (int i = 0; i < TURNS; i++) {
		x = x * 1664525 + 1013904223;
		int k = (int)(x >> 8) % TIMERS;
		int64_t when = gort_now() + (x >> 20) % 64 * 1000;
		gort_mutex_lock(&guard[k]);
		switch (x >> 28 & 3) {
		case 0:
		case 1:
			if (gort_timer_start(&timers[k], when, 0, fire, (void *)1) == 0)
				atomic_fetch_add(&expected, 1);
			pending[k] = true;
			break;
		case 2:
			if (gort_timer_stop(&timers[k]) == 1)
				atomic_fetch_sub(&expected, 1);
			break;
		default:
			if (pending[k] && gort_timer_reset(&timers[k], when) == 0)
				atomic_fetch_add(&expected, 1);
		}
		gort_mutex_unlock(&guard[k]);
		if (i % 8 == 0)
			gort_yield();
	}
	gort_wg_done(&wg);
}

static void race(void)
{
	memset(timers, 0, sizeof(timers));
	memset(pending, 0, sizeof(pending));
	fired = expected = 0;
	gort_wg_add(&wg, 8);
	for (long i = 1; i <= 8; i++)
		gort_go(racer, (void *)i);
	gort_wg_wait(&wg);
	for (int k = 0; k < TIMERS; k++)
		if (gort_timer_stop(&timers[k]) == 1)
			atomic_fetch_sub(&expected, 1);
	until(fired >= expected);
	expect_eq(fired, expected);
}

static atomic_long early, woken;

static void one_of_many(void *arg)
{
	int64_t when = gort_now() + (int64_t)(intptr_t)arg;

	if (gort_sleep((int64_t)(intptr_t)arg) == 0 && gort_now() >= when)
		atomic_fetch_add(&woken, 1);
	else
		atomic_fetch_add(&early, 1);
	gort_wg_done(&wg);
}

static void many_sleepers(void)
{
#ifdef UNDER_SANITIZER
	const int n = 2000; // TSan knows 8,000 fibers at once
#else
	const int n = 20000;
#endif

	early = woken = 0;
	gort_wg_add(&wg, n);
	for (int i = 0; i < n; i++)
		gort_go(one_of_many, (void *)(intptr_t)(1 + (int64_t)i * 7919 % 100000 * 500));
	gort_wg_wait(&wg);
	expect_eq(early, 0);
	expect_eq(woken, n);
}

static void shrink_while_sleeping(void)
{
	int was = gort_gomaxprocs(0);

	early = woken = 0;
	gort_wg_add(&wg, 200);
	for (int i = 0; i < 200; i++) {
		gort_go(one_of_many, (void *)(intptr_t)(10 * MS + i * 1000));
		if (i % 20 == 0)
			gort_yield();
	}
	for (int i = 0; i < 20; i++) {
		gort_gomaxprocs(1 + i * 3 % 5);
		gort_yield();
	}
	gort_wg_wait(&wg);
	gort_gomaxprocs(was);
	expect_eq(early, 0);
	expect_eq(woken, 200);
}

// ---- beside goroutines that compute ---------------------------------------------------------------

enum { COMPUTERS = 16, SLEEPS = 5, TURNS_MAX = 4 * SLEEPS * COMPUTERS };

static atomic_bool computes;
static atomic_int computing;
static uint64_t taken_before;

static uint64_t turns_taken(void)
{
	struct gort_stats stats;

	gort_stats(&stats);
	return stats.retakes - taken_before;
}

// Until it is told to end, or nobody is there to tell it.
static void compute(void *arg)
{
	enum { LOOK_EVERY = 1 << 20 };

	(void)arg;
	atomic_fetch_add(&computing, 1);
	for (uint64_t i = 0; atomic_load_explicit(&computes, memory_order_relaxed); i++)
		if (i % LOOK_EVERY == 0 && turns_taken() > TURNS_MAX)
			break;
	atomic_fetch_sub(&computing, 1);
}

// They are paused in the midst of it, and pass the Ps around among themselves; somebody looks at the
// timers all the same. It is counted how often a P is taken meanwhile: a busy machine changes nothing
// of that.
static void timers_beside_computers(void)
{
	taken_before = 0;
	taken_before = turns_taken();
	atomic_store(&computes, true);
	for (int i = 0; i < COMPUTERS; i++)
		gort_go(compute, NULL);
	until(atomic_load(&computing) == COMPUTERS || turns_taken() > TURNS_MAX);
	for (int i = 0; i < SLEEPS; i++)
		expect_eq(gort_sleep(MS / 2), 0);
	expect(turns_taken() <= TURNS_MAX);
	atomic_store(&computes, false);
	until(!atomic_load(&computing));
}

static const struct test tests[] = {
	TEST("timers beside goroutines that compute", timers_beside_computers),
	TEST("a sleep is long enough", sleeps_long_enough),
	TEST("cancel wakes sleepers", cancel_wakes_sleepers),
	TEST("start, stop and reset", start_stop_reset),
	TEST("periods", periods),
	TEST("gort_after sends the time", after_sends_the_time),
	TEST("timers race", race),
	TEST("thousands of sleepers", many_sleepers),
	TEST("timers survive fewer Ps", shrink_while_sleeping),
};

SYNC_MAIN(tests)
