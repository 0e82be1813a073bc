// SPDX-License-Identifier: MIT
// The mutex. Whoever comes first takes a free one, woken waiters compete with newcomers; but a
// waiter that has been waiting for a millisecond gets it handed over.
#include "runtime/sync/mutex.h"
#include "runtime/sync/waiter.h"

enum {
	LOCKED = 1,
	WAITERS = 2, // the queue is not empty
	WOKEN = 4, // a waiter was woken and has not looked yet: wake no second one
};

enum {
	STARVING = 1000 * 1000, // ns
	SPINS = 100, // of a pause each, before the first queueing
};

struct mutex {
	uint32_t
		state; // changed by atomic operations only; with WAITERS also under the queue's lock
	struct waiter *queue;
};

struct mutex_waiter {
	struct waiter w;
	int64_t since;
};

_Static_assert(sizeof(struct mutex) <= sizeof(gort_mutex), "gort_mutex is too small");

static bool try(struct mutex *m)
{
	uint32_t s = gort__load(&m->state);

	while (!(s & LOCKED))
		if (gort__cas(&m->state, &s, s | LOCKED))
			return true;
	return false;
}

// The waiter is in the queue no more, or never was.
static void none_left(struct mutex *m)
{
	if (!m->queue)
		__atomic_and_fetch(&m->state, ~(uint32_t)WAITERS, __ATOMIC_RELAXED);
}

// With the queue's lock: takes m, or notes that there are waiters. was_woken: the caller owns the
// WOKEN mark.
static bool take_or_mark(struct mutex *m, bool was_woken)
{
	uint32_t s = gort__load(&m->state), to;

	do {
		to = s & LOCKED ? s | WAITERS : s | LOCKED;
		if (was_woken)
			to &= ~(uint32_t)WOKEN;
	} while (!gort__cas(&m->state, &s, to));
	return !(s & LOCKED);
}

static bool spin(struct mutex *m)
{
	if (gort__load(&sched.nprocs) == 1)
		return false;
	for (int i = 0; i < SPINS; i++) {
		uint32_t s = gort__load(&m->state);
		// Those who wait already come first.
		if (s & WAITERS)
			return false;
		if (!(s & LOCKED) && try(m))
			return true;
		gort__relax();
	}
	return false;
}

static gort__cold int lock_slow(struct mutex *m, struct g *g, struct patience patience)
{
	struct lock *l = gort__waiter_lock(m);
	struct mutex_waiter mw = { .since = 0 };
	bool woken = false;
	int ret = 0;

	if (spin(m))
		return 0;
	for (;;) {
		gort__solo_lock(l);
		if (take_or_mark(m, woken))
			break;
		ret = gort__waiter_begin_with(&mw.w, g, patience);
		if (ret)
			break;
		if (mw.since) {
			gort__queue_push_front(&m->queue, &mw.w);
		} else {
			mw.since = gort_now();
			gort__queue_push(&m->queue, &mw.w);
		}
		g->wake_data = NULL;
		ret = gort__waiter_park(&mw.w, l, patience.deadline, WAIT_MUTEX);
		if (!ret && g->wake_data)
			return 0;
		woken = !ret;
		if (ret) {
			gort__solo_lock(l);
			gort__queue_remove(&m->queue, &mw.w);
			break;
		}
	}
	none_left(m);
	gort__solo_unlock(l);
	return ret;
}

static gort__cold void unlock_slow(struct mutex *m)
{
	struct lock *l = gort__waiter_lock(m);
	uint32_t s = gort__load(&m->state), to;
	struct waiter *w;

	for (;;) {
		if (!(s & LOCKED))
			gort__fatal("unlock of an unlocked mutex");
		if (s & WAITERS && !(s & WOKEN))
			break;
		if (gort__cas(&m->state, &s, s & ~(uint32_t)LOCKED))
			return;
	}
	gort__solo_lock(l);
	w = gort__queue_claim(&m->queue);
	if (w && gort_now() - gort__container_of(w, struct mutex_waiter, w)->since >= STARVING) {
		// It stays locked, by w.
		none_left(m);
		w->g->wake_data = w;
	} else {
		struct waiter *queue = m->queue;
		s = gort__load(&m->state);
		// The last touch of m: whoever locks it next may free it.
		do {
			to = s & ~(uint32_t)(LOCKED | WAITERS);
			to |= (w ? WOKEN : 0) | (queue ? WAITERS : 0);
		} while (!gort__cas(&m->state, &s, to));
	}
	gort__solo_unlock(l);
	if (w)
		gort__waiter_wake(w, true);
}

// ---- inside the runtime -------------------------------------------------------------------------

void gort__mutex_lock(gort_mutex *mutex, struct g *g)
{
	struct mutex *m = (struct mutex *)mutex;

	if (!try(m))
		lock_slow(m, g, GORT__ALWAYS);
}

void gort__mutex_unlock(gort_mutex *mutex)
{
	struct mutex *m = (struct mutex *)mutex;
	uint32_t s = LOCKED;

	if (!gort__cas(&m->state, &s, 0))
		unlock_slow(m);
}

// ---- public -------------------------------------------------------------------------------------

static gort__cold int enter_and_lock(struct mutex *m, struct patience patience, const char *who)
{
	struct g *g = gort__enter(who);
	int ret = 0;

	if (!patience.always && gort__cancelled(g))
		ret = -ECANCELED;
	else if (!try(m))
		ret = lock_slow(m, g, patience);
	gort__leave();
	return ret;
}

// Free is the usual case; it needs no P.
static inline int lock(gort_mutex *mutex, struct patience patience, const char *who)
{
	struct mutex *m = (struct mutex *)mutex;
	struct g *g = gort__quick();
	uint32_t s = 0;

	if (gort__likely(g != NULL) && (patience.always || gort__likely(!gort__cancelled(g))) &&
	    gort__likely(gort__cas(&m->state, &s, LOCKED)))
		return 0;
	return enter_and_lock(m, patience, who);
}

void gort_mutex_lock(gort_mutex *m)
{
	lock(m, GORT__ALWAYS, __func__);
}

int gort_mutex_lock_cancellable(gort_mutex *m)
{
	return lock(m, GORT__UNTIL(GORT_FOREVER), __func__);
}

int gort_mutex_lock_until(gort_mutex *m, int64_t deadline)
{
	return lock(m, GORT__UNTIL(deadline), __func__);
}

int gort_mutex_trylock(gort_mutex *mutex)
{
	if (!gort__quick()) {
		gort__enter(__func__);
		gort__leave();
	}
	return try((struct mutex *)mutex) ? 0 : -EBUSY;
}

void gort_mutex_unlock(gort_mutex *mutex)
{
	struct mutex *m = (struct mutex *)mutex;
	uint32_t s = LOCKED;

	if (gort__quick() && gort__likely(gort__cas(&m->state, &s, 0)))
		return;
	gort__enter(__func__);
	gort__mutex_unlock(mutex);
	gort__leave();
}
