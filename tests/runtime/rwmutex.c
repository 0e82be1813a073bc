// SPDX-License-Identifier: MIT
// The readers-writer lock: who shares, who excludes, order, deadlines, cancelling, bad use.
#include "tests/runtime/sync.h"

static gort_rwmutex rw;
static gort_wg wg;

struct want {
	int (*lock)(gort_rwmutex *, int64_t);
	void (*unlock)(gort_rwmutex *);
	int64_t deadline;
	int ret;
	atomic_bool in, leave, done;
};

static void want(void *arg)
{
	struct want *w = arg;

	w->ret = w->lock(&rw, w->deadline);
	if (!w->ret) {
		atomic_store(&w->in, true);
		until(w->leave);
		w->unlock(&rw);
	}
	atomic_store(&w->done, true);
}

#define READ(until_)                                                                \
	{                                                                           \
		.lock = gort_rwmutex_rdlock_until, .unlock = gort_rwmutex_rdunlock, \
		.deadline = (until_)                                                \
	}
#define WRITE(until_)                                                           \
	{                                                                       \
		.lock = gort_rwmutex_lock_until, .unlock = gort_rwmutex_unlock, \
		.deadline = (until_)                                            \
	}

static void leave(struct want *w)
{
	atomic_store(&w->leave, true);
	until(w->done);
}

static void readers_share(void)
{
	struct want a = READ(GORT_FOREVER), b = READ(GORT_FOREVER);

	gort_go(want, &a);
	gort_go(want, &b);
	until(a.in && b.in);
	expect_eq(gort_rwmutex_tryrdlock(&rw), 0);
	expect_eq(gort_rwmutex_trylock(&rw), -EBUSY);
	expect_eq(gort_rwmutex_lock_until(&rw, 0), -ETIMEDOUT);
	gort_rwmutex_rdunlock(&rw);
	leave(&a);
	leave(&b);
	expect_eq(gort_rwmutex_trylock(&rw), 0);
	expect_eq(gort_rwmutex_tryrdlock(&rw), -EBUSY);
	expect_eq(gort_rwmutex_rdlock_until(&rw, gort_now() + MS), -ETIMEDOUT);
	gort_rwmutex_unlock(&rw);
}

static void a_waiting_writer_holds_readers_back(void)
{
	struct want w = WRITE(GORT_FOREVER), r1 = READ(GORT_FOREVER), r2 = READ(GORT_FOREVER);

	gort_rwmutex_rdlock(&rw);
	until_in(gort_go(want, &w), "rwmutex write");
	expect_eq(gort_rwmutex_tryrdlock(&rw), -EBUSY);
	until_in(gort_go(want, &r1), "rwmutex read");
	until_in(gort_go(want, &r2), "rwmutex read");
	gort_rwmutex_rdunlock(&rw);
	until(w.in);
	expect(!r1.in && !r2.in);
	leave(&w);
	until(r1.in && r2.in);
	leave(&r1);
	leave(&r2);
}

static void one_that_gives_up_lets_others_in(void)
{
	struct want w = WRITE(GORT_FOREVER), t = WRITE(gort_now() + 5 * MS), r = READ(GORT_FOREVER);

	gort_rwmutex_rdlock(&rw);
	uint64_t id = gort_go(want, &w);
	until_in(id, "rwmutex write");
	until_in(gort_go(want, &r), "rwmutex read");
	gort_cancel(id);
	until(r.in && w.done);
	expect_eq(w.ret, -ECANCELED);
	leave(&r);
	gort_go(want, &t);
	until(t.done);
	expect_eq(t.ret, -ETIMEDOUT);
	expect_eq(gort_rwmutex_tryrdlock(&rw), 0);
	gort_rwmutex_rdunlock(&rw);
	gort_rwmutex_rdunlock(&rw);
	gort_cancel(gort_id());
	expect_eq(gort_rwmutex_lock_cancellable(&rw), -ECANCELED);
	expect_eq(gort_rwmutex_rdlock_cancellable(&rw), -ECANCELED);
	gort_cancel_clear();
	expect_eq(gort_rwmutex_trylock(&rw), 0);
	gort_rwmutex_unlock(&rw);
}

static atomic_long readers, writers;

static void mixed(void *arg)
{
	long seed = (long)arg;

	for (long i = 0; i < 4000; i++) {
		int64_t deadline = (i + seed) % 5 ? GORT_FOREVER : gort_now() + i % 20 * 1000;
		if ((i + seed) % 4) {
			int ret = gort_rwmutex_rdlock_until(&rw, deadline);
			if (!ret) {
				atomic_fetch_add(&readers, 1);
				expect(writers == 0);
				if (i % 3 == 0)
					gort_yield();
				atomic_fetch_sub(&readers, 1);
				gort_rwmutex_rdunlock(&rw);
			} else {
				expect_eq(ret, -ETIMEDOUT);
			}
		} else {
			int ret = gort_rwmutex_lock_until(&rw, deadline);
			if (!ret) {
				expect(atomic_fetch_add(&writers, 1) == 0 && readers == 0);
				if (i % 3 == 0)
					gort_yield();
				atomic_fetch_sub(&writers, 1);
				gort_rwmutex_unlock(&rw);
			} else {
				expect_eq(ret, -ETIMEDOUT);
			}
		}
	}
	gort_wg_done(&wg);
}

static void excludes_under_stress(void)
{
	gort_wg_add(&wg, 8);
	for (long i = 0; i < 8; i++)
		gort_go(mixed, (void *)i);
	gort_wg_wait(&wg);
	expect_eq(gort_rwmutex_trylock(&rw), 0);
	gort_rwmutex_unlock(&rw);
}

static void unlock_as_reader(void)
{
	gort_rwmutex_lock(&rw);
	gort_rwmutex_rdunlock(&rw);
}

static void unlock_as_writer(void)
{
	gort_rwmutex_rdlock(&rw);
	gort_rwmutex_unlock(&rw);
}

static const struct test tests[] = {
	TEST("readers share, writers exclude", readers_share),
	TEST("a waiting writer holds new readers back", a_waiting_writer_holds_readers_back),
	TEST("one that gives up lets others in", one_that_gives_up_lets_others_in),
	TEST("it excludes under stress", excludes_under_stress),
	DEATH("a writer cannot unlock as a reader", unlock_as_reader, "is not locked so"),
	DEATH("a reader cannot unlock as a writer", unlock_as_writer, "is not locked so"),
};

SYNC_MAIN(tests)
