// SPDX-License-Identifier: MIT
// The wait group: waits, reuse, deadlines, cancelling, freeing by the waiter, counts below zero.
#include "tests/runtime/sync.h"

static void done(void *wg)
{
	gort_wg_done(wg);
}

static void waits_for_zero(void)
{
	gort_wg wg = { 0 };

	expect_eq(gort_wg_wait(&wg), 0);
	for (int round = 1; round < 20; round++) {
		gort_wg_add(&wg, round);
		expect_eq(gort_wg_wait_until(&wg, 0), -ETIMEDOUT);
		for (int i = 0; i < round; i++)
			gort_go(done, &wg);
		expect_eq(gort_wg_wait(&wg), 0);
		expect_eq(gort_wg_wait_until(&wg, 0), 0);
	}
}

struct waiter {
	gort_wg *wg;
	int ret;
	int64_t deadline;
	atomic_bool done;
};

static void waiter(void *arg)
{
	struct waiter *w = arg;

	w->ret = gort_wg_wait_until(w->wg, w->deadline);
	atomic_store(&w->done, true);
}

static void many_waiters(void)
{
	gort_wg wg = { 0 };
	struct waiter w[5];

	gort_wg_add(&wg, 2);
	for (int i = 0; i < 5; i++) {
		w[i] = (struct waiter){ .wg = &wg, .deadline = GORT_FOREVER };
		uint64_t id = gort_go(waiter, &w[i]);
		until_in(id, "wait group");
		if (i == 2) {
			gort_cancel(id);
			until(w[i].done);
			expect_eq(w[i].ret, -ECANCELED);
		}
	}
	int64_t t = gort_now() + MS;
	expect_eq(gort_wg_wait_until(&wg, t), -ETIMEDOUT);
	expect(gort_now() >= t);
	gort_wg_add(&wg, 3);
	gort_wg_add(&wg, -4);
	expect(!w[0].done && !w[4].done);
	gort_wg_done(&wg);
	for (int i = 0; i < 5; i++) {
		until(w[i].done);
		expect_eq(w[i].ret, i == 2 ? -ECANCELED : 0);
	}
	gort_cancel(gort_id());
	expect_eq(gort_wg_wait(&wg), -ECANCELED);
	gort_cancel_clear();
}

// The waiter frees the group while whoever counted it to zero may not have returned yet.
static void the_waiter_frees(void)
{
	for (int i = 0; i < 3000; i++) {
		gort_wg *wg = calloc(1, sizeof(*wg));
		gort_wg_add(wg, 3);
		for (int k = 0; k < 3; k++)
			gort_go(done, wg);
		expect_eq(gort_wg_wait(wg), 0);
		memset(wg, 0xee, sizeof(*wg));
		free(wg);
	}
}

static void below_zero(void *arg)
{
	gort_wg_add(arg, -2);
}

static void negative_panics(void)
{
	gort_wg wg = { 0 };
	struct gort_panic p;

	gort_wg_add(&wg, 1);
	expect(gort_try(below_zero, &wg, &p) == 1 && strstr(p.msg, "wait group"));
	gort_wg_done(&wg);
	expect_eq(gort_wg_wait(&wg), 0);
}

static const struct test tests[] = {
	TEST("waits until zero, again and again", waits_for_zero),
	TEST("many waiters, deadlines, cancels", many_waiters),
	TEST("the waiter may free it", the_waiter_frees),
	TEST("a count below zero panics", negative_panics),
};

SYNC_MAIN(tests)
