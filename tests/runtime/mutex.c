// SPDX-License-Identifier: MIT
// The mutex: exclusion, try, deadlines, cancelling, no starvation, freeing by its last owner, bad
// use.
#include "tests/runtime/sync.h"

#include <pthread.h>

static gort_mutex m;
static gort_wg wg;
static long plain;

static void adder(void *arg)
{
	for (long i = 0; i < (long)arg; i++) {
		if (i % 2)
			gort_mutex_lock(&m);
		else
			expect_eq(gort_mutex_lock_cancellable(&m), 0);
		long was = plain;
		if (i % 16 == 0)
			gort_yield();
		plain = was + 1;
		gort_mutex_unlock(&m);
	}
	gort_wg_done(&wg);
}

static void excludes(void)
{
	plain = 0;
	gort_wg_add(&wg, 8);
	for (int i = 0; i < 8; i++)
		gort_go(adder, (void *)10000);
	gort_wg_wait(&wg);
	expect_eq(plain, 80000);
	expect_eq(gort_mutex_trylock(&m), 0);
	gort_mutex_unlock(&m);
}

static void try_and_deadlines(void)
{
	int64_t t;

	gort_mutex_lock(&m);
	expect_eq(gort_mutex_trylock(&m), -EBUSY);
	expect_eq(gort_mutex_lock_until(&m, 0), -ETIMEDOUT);
	t = gort_now() + 2 * MS;
	expect_eq(gort_mutex_lock_until(&m, t), -ETIMEDOUT);
	expect(gort_now() >= t);
	gort_mutex_unlock(&m);
	// A free one is had at any deadline.
	expect_eq(gort_mutex_lock_until(&m, 0), 0);
	gort_mutex_unlock(&m);
}

struct locker {
	int ret;
	int64_t deadline;
	atomic_bool done;
};

static void locker(void *arg)
{
	struct locker *l = arg;

	l->ret = gort_mutex_lock_until(&m, l->deadline);
	if (!l->ret)
		gort_mutex_unlock(&m);
	atomic_store(&l->done, true);
}

static void cancel_ends_waits(void)
{
	struct locker a = { .deadline = GORT_FOREVER }, b = { .deadline = GORT_FOREVER };

	gort_mutex_lock(&m);
	uint64_t first = gort_go(locker, &a);
	until_in(first, "mutex");
	uint64_t second = gort_go(locker, &b);
	until_in(second, "mutex");
	expect_eq(gort_cancel(first), 0);
	until(a.done);
	expect_eq(a.ret, -ECANCELED);
	expect(!b.done);
	gort_mutex_unlock(&m);
	until(b.done);
	expect_eq(b.ret, 0);
	gort_cancel(gort_id());
	expect_eq(gort_mutex_lock_cancellable(&m), -ECANCELED);
	expect_eq(gort_mutex_lock_until(&m, 0), -ECANCELED);
	expect_eq(gort_mutex_trylock(&m), 0);
	gort_mutex_unlock(&m);
	gort_cancel_clear();
}

// One goroutine holds the lock nearly always and lets the others run only while it does. Without
// hand-over they would never find it free.
static atomic_bool stop;

static void hog(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop)) {
		gort_mutex_lock(&m);
		gort_yield();
		gort_mutex_unlock(&m);
	}
	gort_wg_done(&wg);
}

static void nobody_starves(void)
{
	stop = false;
	gort_wg_add(&wg, 1);
	gort_go(hog, NULL);
	for (int i = 0; i < 20; i++) {
		gort_mutex_lock(&m);
		gort_mutex_unlock(&m);
		gort_yield();
	}
	stop = true;
	gort_wg_wait(&wg);
}

// The owner that gets it last frees it while the one before may still be unlocking.
struct counted {
	gort_mutex m;
	int refs;
};

static void drop(void *arg)
{
	struct counted *c = arg;
	bool last;

	gort_mutex_lock(&c->m);
	last = --c->refs == 0;
	gort_mutex_unlock(&c->m);
	if (last) {
		memset(c, 0xee, sizeof(*c));
		free(c);
	}
	gort_wg_done(&wg);
}

static void the_last_owner_frees(void)
{
	for (int i = 0; i < 3000; i++) {
		struct counted *c = calloc(1, sizeof(*c));
		c->refs = 4;
		gort_wg_add(&wg, 4);
		for (int k = 0; k < 4; k++)
			gort_go(drop, c);
		gort_wg_wait(&wg);
	}
}

static atomic_long owners;

static void ender_race(void *arg)
{
	for (long i = 0; i < (long)arg; i++) {
		int ret = gort_mutex_lock_until(&m, gort_now() + i % 50 * 1000);
		if (!ret) {
			expect(atomic_fetch_add(&owners, 1) == 0);
			if (i % 4 == 0)
				gort_yield();
			atomic_fetch_sub(&owners, 1);
			gort_mutex_unlock(&m);
		} else if (ret == -ECANCELED) {
			gort_cancel_clear();
		} else {
			expect_eq(ret, -ETIMEDOUT);
		}
	}
	gort_wg_done(&wg);
}

static void enders_race(void)
{
	uint64_t ids[6];

	gort_wg_add(&wg, 6);
	for (int i = 0; i < 6; i++)
		ids[i] = gort_go(ender_race, (void *)3000);
	for (int i = 0; i < 1000; i++) {
		gort_cancel(ids[i % 6]);
		gort_yield();
	}
	gort_wg_wait(&wg);
	expect_eq(gort_mutex_trylock(&m), 0);
	gort_mutex_unlock(&m);
}

static void unlock_unlocked(void)
{
	gort_mutex_unlock(&m);
}

static void *thread(void *arg)
{
	gort_mutex_lock(arg);
	return NULL;
}

static void foreign_thread(void)
{
	pthread_t t;

	pthread_create(&t, NULL, thread, &m);
	pthread_join(t, NULL);
}

static const struct test tests[] = {
	TEST("it excludes", excludes),
	TEST("try and deadlines", try_and_deadlines),
	TEST("cancel ends waits", cancel_ends_waits),
	TEST("nobody starves", nobody_starves),
	TEST("the last owner frees it", the_last_owner_frees),
	TEST("deadlines, cancels and owners race", enders_race),
	DEATH("unlocking an unlocked mutex is fatal", unlock_unlocked,
	      "unlock of an unlocked mutex"),
	DEATH("a thread without a goroutine is told so", foreign_thread,
	      "gort_mutex_lock: called on a thread that has no goroutine"),
};

SYNC_MAIN(tests)
