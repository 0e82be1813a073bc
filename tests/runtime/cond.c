// SPDX-License-Identifier: MIT
// The condition variable: order of signals, broadcast, deadlines and cancels lock the mutex again,
// nothing gets lost.
#include "tests/runtime/sync.h"

static gort_mutex m;
static gort_cond c;
static gort_wg wg;

struct waiter {
	int ret;
	int64_t deadline;
	int order;
	bool owned;
	atomic_bool done;
};

static int turn;

static void waiter(void *arg)
{
	struct waiter *w = arg;

	gort_mutex_lock(&m);
	w->ret = gort_cond_wait_until(&c, &m, w->deadline);
	w->order = turn++;
	w->owned = gort_mutex_trylock(&m) == -EBUSY;
	gort_mutex_unlock(&m);
	atomic_store(&w->done, true);
}

static void signals_in_order(void)
{
	struct waiter w[4];

	turn = 0;
	for (int i = 0; i < 4; i++) {
		w[i] = (struct waiter){ .deadline = GORT_FOREVER };
		until_in(gort_go(waiter, &w[i]), "cond");
	}
	for (int i = 0; i < 2; i++) {
		gort_cond_signal(&c);
		until(w[i].done);
		expect(w[i].ret == 0 && w[i].order == i && w[i].owned);
	}
	expect(!w[2].done && !w[3].done);
	gort_cond_broadcast(&c);
	until(w[2].done && w[3].done);
	// Nobody waits: a signal is not remembered.
	gort_cond_signal(&c);
	gort_cond_broadcast(&c);
	gort_mutex_lock(&m);
	expect_eq(gort_cond_wait_until(&c, &m, gort_now() + MS), -ETIMEDOUT);
	expect_eq(gort_cond_wait_until(&c, &m, 0), -ETIMEDOUT);
	expect_eq(gort_mutex_trylock(&m), -EBUSY);
	gort_mutex_unlock(&m);
}

static void cancel_locks_again(void)
{
	struct waiter w = { .deadline = GORT_FOREVER };
	uint64_t id = gort_go(waiter, &w);

	until_in(id, "cond");
	// It must wait for the mutex before it may return, cancelled or not.
	gort_mutex_lock(&m);
	gort_cancel(id);
	until_in(id, "mutex");
	gort_cancel(id);
	until_in(id, "mutex");
	expect(!w.done);
	gort_mutex_unlock(&m);
	until(w.done);
	expect(w.ret == -ECANCELED && w.owned);
	gort_cancel(gort_id());
	expect_eq(gort_mutex_trylock(&m), 0);
	expect_eq(gort_cond_wait(&c, &m), -ECANCELED);
	expect_eq(gort_mutex_trylock(&m), -EBUSY);
	gort_mutex_unlock(&m);
	gort_cancel_clear();
}

// A bounded queue whose both sides also time out.
static long stored, put_n, got_n;
static gort_cond not_full, not_empty;

enum { ROOM = 3, EACH = 5000 };

static void put(void *arg)
{
	for (long i = 0; i < EACH; i++) {
		gort_mutex_lock(&m);
		while (stored == ROOM)
			gort_cond_wait_until(&not_full, &m,
					     i % 3 ? GORT_FOREVER : gort_now() + i % 9 * 1000);
		stored++;
		put_n++;
		gort_cond_signal(&not_empty);
		gort_mutex_unlock(&m);
	}
	(void)arg;
	gort_wg_done(&wg);
}

static void get(void *arg)
{
	for (long i = 0; i < EACH; i++) {
		gort_mutex_lock(&m);
		while (stored == 0)
			gort_cond_wait_until(&not_empty, &m,
					     i % 4 ? GORT_FOREVER : gort_now() + i % 7 * 1000);
		stored--;
		got_n++;
		gort_cond_signal(&not_full);
		gort_mutex_unlock(&m);
	}
	(void)arg;
	gort_wg_done(&wg);
}

// A signal that a timeout swallowed would hang this. But one can only be swallowed if a wait that
// got it says so: who times out in the wait looks at the condition himself.
static void no_signal_is_lost(void)
{
	stored = put_n = got_n = 0;
	gort_wg_add(&wg, 6);
	for (int i = 0; i < 3; i++) {
		gort_go(put, NULL);
		gort_go(get, NULL);
	}
	gort_wg_wait(&wg);
	expect_eq(stored, 0);
	expect_eq(put_n, 3 * EACH);
	expect_eq(got_n, 3 * EACH);
}

static void wait_without_lock(void)
{
	gort_cond_wait(&c, &m);
}

static const struct test tests[] = {
	TEST("signals wake in order, broadcast the rest", signals_in_order),
	TEST("a cancelled wait locks the mutex first", cancel_locks_again),
	TEST("no signal is lost", no_signal_is_lost),
	DEATH("waiting without the mutex is fatal", wait_without_lock,
	      "unlock of an unlocked mutex"),
};

SYNC_MAIN(tests)
