// SPDX-License-Identifier: MIT
// The readers-writer lock: first come first served, with all readers that stand together let in
// together. What is freed is handed over, so a waiting writer holds back new readers and nobody
// starves.
#include "runtime/gort.h"
#include "runtime/sync/waiter.h"

enum {
	WRITER = 1,
	WAITING = 2, // the queue is not empty: everything goes through its lock
	READER = 4, // and multiples
};

struct rwmutex {
	uint32_t state;
	struct waiter *queue; // tag: the right wanted, READER or WRITER
};

_Static_assert(sizeof(struct rwmutex) <= sizeof(gort_rwmutex), "gort_rwmutex is too small");

static bool may(uint32_t s, uint32_t right)
{
	return right == READER ? !(s & (WRITER | WAITING)) : s == 0;
}

static bool try(struct rwmutex *rw, uint32_t right)
{
	uint32_t s = gort__load(&rw->state);

	while (may(s, right))
		if (gort__cas(&rw->state, &s, s + right))
			return true;
	return false;
}

// With the queue's lock and WAITING set: lets in who can go, in order. The state is written once,
// last: whoever was let in may free rw when everybody has left.
static void let_in(struct rwmutex *rw, struct glist *ready)
{
	uint32_t s = gort__load(&rw->state) & ~(uint32_t)WAITING;
	struct waiter *w;

	while ((w = rw->queue) && (w->tag == READER ? !(s & WRITER) : s == 0)) {
		gort__queue_remove(&rw->queue, w);
		if (!gort__solo_claim(w->g, w->ticket))
			continue;
		s += w->tag;
		gort__glist_push(ready, w->g);
	}
	gort__store_release(&rw->state, s | (rw->queue ? WAITING : 0));
}

static gort__cold int lock_slow(struct rwmutex *rw, struct g *g, uint32_t right,
				struct patience patience)
{
	struct lock *l = gort__waiter_lock(rw);
	struct glist ready = { 0 };
	struct waiter w = { .tag = right };
	uint32_t s;
	int ret;

	gort__solo_lock(l);
	s = gort__load(&rw->state);
	for (;;) {
		bool go = may(s, right);
		if (!gort__cas(&rw->state, &s, go ? s + right : s | WAITING))
			continue;
		if (go) {
			gort__solo_unlock(l);
			return 0;
		}
		break;
	}
	ret = gort__waiter_begin_with(&w, g, patience);
	if (!ret) {
		gort__queue_push(&rw->queue, &w);
		ret = gort__waiter_park(&w, l, patience.deadline,
					right == READER ? WAIT_RWMUTEX_READ : WAIT_RWMUTEX_WRITE);
		if (!ret)
			return 0;
		gort__solo_lock(l);
		gort__queue_remove(&rw->queue, &w);
	}
	// Those behind may be able to go without us in front.
	if (gort__load(&rw->state) & WAITING)
		let_in(rw, &ready);
	gort__solo_unlock(l);
	gort__ready_list(&ready);
	return ret;
}

static void unlock(struct rwmutex *rw, uint32_t right, const char *who)
{
	struct lock *l = gort__waiter_lock(rw);
	struct glist ready = { 0 };
	uint32_t s = gort__load(&rw->state);

	for (;;) {
		if (right == WRITER ? !(s & WRITER) : s < READER)
			gort__fatal("%s: the rwmutex is not locked so", who);
		if (s & WAITING)
			break;
		if (gort__cas(&rw->state, &s, s - right))
			return;
	}
	// While WAITING is set nobody changes the state without this lock, except that it may have
	// been cleared.
	gort__solo_lock(l);
	if (__atomic_sub_fetch(&rw->state, right, __ATOMIC_ACQ_REL) & WAITING)
		let_in(rw, &ready);
	gort__solo_unlock(l);
	gort__ready_list(&ready);
}

// ---- public -------------------------------------------------------------------------------------

static inline int lock(gort_rwmutex *rwmutex, uint32_t right, struct patience patience,
		       const char *who)
{
	struct rwmutex *rw = (struct rwmutex *)rwmutex;
	struct g *g = gort__quick();
	int ret = 0;

	if (g && (patience.always || !gort__cancelled(g)) && try(rw, right))
		return 0;
	g = gort__enter(who);
	if (!patience.always && gort__cancelled(g))
		ret = -ECANCELED;
	else
		ret = lock_slow(rw, g, right, patience);
	gort__leave();
	return ret;
}

static inline int trylock(gort_rwmutex *rwmutex, uint32_t right, const char *who)
{
	if (!gort__quick()) {
		gort__enter(who);
		gort__leave();
	}
	return try((struct rwmutex *)rwmutex, right) ? 0 : -EBUSY;
}

void gort_rwmutex_rdlock(gort_rwmutex *rw)
{
	lock(rw, READER, GORT__ALWAYS, __func__);
}

int gort_rwmutex_rdlock_cancellable(gort_rwmutex *rw)
{
	return lock(rw, READER, GORT__UNTIL(GORT_FOREVER), __func__);
}

int gort_rwmutex_tryrdlock(gort_rwmutex *rw)
{
	return trylock(rw, READER, __func__);
}

int gort_rwmutex_rdlock_until(gort_rwmutex *rw, int64_t deadline)
{
	return lock(rw, READER, GORT__UNTIL(deadline), __func__);
}

void gort_rwmutex_rdunlock(gort_rwmutex *rw)
{
	gort__enter(__func__);
	unlock((struct rwmutex *)rw, READER, __func__);
	gort__leave();
}

void gort_rwmutex_lock(gort_rwmutex *rw)
{
	lock(rw, WRITER, GORT__ALWAYS, __func__);
}

int gort_rwmutex_lock_cancellable(gort_rwmutex *rw)
{
	return lock(rw, WRITER, GORT__UNTIL(GORT_FOREVER), __func__);
}

int gort_rwmutex_trylock(gort_rwmutex *rw)
{
	return trylock(rw, WRITER, __func__);
}

int gort_rwmutex_lock_until(gort_rwmutex *rw, int64_t deadline)
{
	return lock(rw, WRITER, GORT__UNTIL(deadline), __func__);
}

void gort_rwmutex_unlock(gort_rwmutex *rw)
{
	gort__enter(__func__);
	unlock((struct rwmutex *)rw, WRITER, __func__);
	gort__leave();
}
