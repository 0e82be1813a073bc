// SPDX-License-Identifier: MIT
// The semaphore: counting, order, deadlines, cancelling.
#include "tests/runtime/sync.h"

static gort_sema s;
static gort_wg wg;

static void counts(void)
{
	expect_eq(gort_sema_tryacquire(&s), -EBUSY);
	expect_eq(gort_sema_acquire_until(&s, 0), -ETIMEDOUT);
	gort_sema_release(&s, 3);
	for (int i = 0; i < 3; i++)
		gort_sema_acquire(&s);
	expect_eq(gort_sema_tryacquire(&s), -EBUSY);
	gort_sema_release(&s, UINT32_MAX);
	gort_sema_release(&s, 0);
	expect_eq(gort_sema_tryacquire(&s), 0);
	memset(&s, 0, sizeof(s));
}

struct waiter {
	int ret;
	atomic_bool done;
};

static void waiter(void *arg)
{
	struct waiter *w = arg;

	w->ret = gort_sema_acquire_cancellable(&s);
	atomic_store(&w->done, true);
}

static void first_come_first_served(void)
{
	struct waiter w[5] = { 0 };
	uint64_t ids[5];

	for (int i = 0; i < 5; i++) {
		ids[i] = gort_go(waiter, &w[i]);
		until_in(ids[i], "semaphore");
	}
	gort_sema_release(&s, 1);
	// It is not for who comes now.
	expect_eq(gort_sema_tryacquire(&s), -EBUSY);
	until(w[0].done);
	gort_cancel(ids[1]);
	until(w[1].done);
	expect_eq(w[1].ret, -ECANCELED);
	gort_sema_release(&s, 2);
	until(w[2].done && w[3].done);
	expect(!w[4].done);
	gort_sema_release(&s, 2);
	until(w[4].done);
	expect_eq(gort_sema_acquire_until(&s, 0), 0);
	expect_eq(gort_sema_tryacquire(&s), -EBUSY);
	gort_cancel(gort_id());
	expect_eq(gort_sema_acquire_cancellable(&s), -ECANCELED);
	gort_cancel_clear();
}

static atomic_long inside;

static void user(void *arg)
{
	for (long i = 0; i < (long)arg; i++) {
		int ret = gort_sema_acquire_until(&s,
						  i % 3 ? GORT_FOREVER : gort_now() + i % 9 * 1000);
		if (ret) {
			expect_eq(ret, -ETIMEDOUT);
			continue;
		}
		expect(atomic_fetch_add(&inside, 1) < 3);
		if (i % 4 == 0)
			gort_yield();
		atomic_fetch_sub(&inside, 1);
		gort_sema_release(&s, 1);
	}
	gort_wg_done(&wg);
}

static void bounds(void)
{
	gort_sema_release(&s, 3);
	gort_wg_add(&wg, 8);
	for (int i = 0; i < 8; i++)
		gort_go(user, (void *)4000);
	gort_wg_wait(&wg);
	for (int i = 0; i < 3; i++)
		expect_eq(gort_sema_tryacquire(&s), 0);
	expect_eq(gort_sema_tryacquire(&s), -EBUSY);
}

static const struct test tests[] = {
	TEST("it counts", counts),
	TEST("first come, first served", first_come_first_served),
	TEST("it bounds how many are inside", bounds),
};

SYNC_MAIN(tests)
