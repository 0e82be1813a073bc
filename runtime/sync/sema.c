// SPDX-License-Identifier: MIT
// The counting semaphore: what is released goes to those who wait, in their order, before it
// counts.
#include "runtime/gort.h"
#include "runtime/sync/waiter.h"

enum { WAITERS = 1 }; // lowest bit; the count is above it

struct sema {
	uint64_t state;
	struct waiter *queue;
};

_Static_assert(sizeof(struct sema) <= sizeof(gort_sema), "gort_sema is too small");

// With WAITERS set there is nothing to take: it would have gone to them.
static bool try(struct sema *sem)
{
	uint64_t s = gort__load(&sem->state);

	while (s >= 2 && !(s & WAITERS))
		if (gort__cas(&sem->state, &s, s - 2))
			return true;
	return false;
}

static gort__cold int acquire_slow(struct sema *sem, struct g *g, struct patience patience)
{
	struct lock *l = gort__waiter_lock(sem);
	struct waiter w;
	uint64_t s;
	int ret;

	gort__solo_lock(l);
	s = gort__load(&sem->state);
	for (;;) {
		bool go = s >= 2 && !(s & WAITERS);
		if (!gort__cas(&sem->state, &s, go ? s - 2 : s | WAITERS))
			continue;
		if (go) {
			gort__solo_unlock(l);
			return 0;
		}
		break;
	}
	ret = gort__waiter_begin_with(&w, g, patience);
	if (!ret) {
		gort__queue_push(&sem->queue, &w);
		ret = gort__waiter_park(&w, l, patience.deadline, WAIT_SEMA);
		if (!ret)
			return 0;
		gort__solo_lock(l);
		gort__queue_remove(&sem->queue, &w);
	}
	if (!sem->queue)
		__atomic_and_fetch(&sem->state, ~(uint64_t)WAITERS, __ATOMIC_RELAXED);
	gort__solo_unlock(l);
	return ret;
}

static inline int acquire(gort_sema *sema, struct patience patience, const char *who)
{
	struct sema *sem = (struct sema *)sema;
	struct g *g = gort__quick();
	int ret;

	if (g && (patience.always || !gort__cancelled(g)) && try(sem))
		return 0;
	g = gort__enter(who);
	if (!patience.always && gort__cancelled(g))
		ret = -ECANCELED;
	else
		ret = acquire_slow(sem, g, patience);
	gort__leave();
	return ret;
}

void gort_sema_acquire(gort_sema *s)
{
	acquire(s, GORT__ALWAYS, __func__);
}

int gort_sema_acquire_cancellable(gort_sema *s)
{
	return acquire(s, GORT__UNTIL(GORT_FOREVER), __func__);
}

int gort_sema_acquire_until(gort_sema *s, int64_t deadline)
{
	return acquire(s, GORT__UNTIL(deadline), __func__);
}

int gort_sema_tryacquire(gort_sema *s)
{
	if (!gort__quick()) {
		gort__enter(__func__);
		gort__leave();
	}
	return try((struct sema *)s) ? 0 : -EBUSY;
}

void gort_sema_release(gort_sema *sema, uint32_t n)
{
	struct sema *sem = (struct sema *)sema;
	struct lock *l = gort__waiter_lock(sem);
	struct glist ready = { 0 };
	struct waiter *w;
	uint64_t s;

	gort__enter(__func__);
	s = gort__load(&sem->state);
	while (!(s & WAITERS))
		if (gort__cas(&sem->state, &s, s + (uint64_t)n * 2))
			goto out;
	gort__solo_lock(l);
	while (n && (w = gort__queue_claim(&sem->queue))) {
		gort__glist_push(&ready, w->g);
		n--;
	}
	bool waiters = sem->queue != NULL;
	s = gort__load(&sem->state);
	// The last touch: whoever got the last one may free it.
	while (!gort__cas(&sem->state, &s,
			  ((s & ~(uint64_t)WAITERS) + (uint64_t)n * 2) | (waiters ? WAITERS : 0)))
		;
	gort__solo_unlock(l);
	gort__ready_list(&ready);
out:
	gort__leave();
}
