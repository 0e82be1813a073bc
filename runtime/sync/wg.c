// SPDX-License-Identifier: MIT
// The wait group: one word that counts, and a queue of those who wait for zero.
#include "runtime/gort.h"
#include "runtime/sync/waiter.h"

enum { WAITERS = 1 }; // lowest bit; the count is above it

struct wg {
	int64_t state;
	struct waiter *queue;
};

_Static_assert(sizeof(struct wg) <= sizeof(gort_wg), "gort_wg is too small");

enum added { ADDED, ADD_NEGATIVE, ADD_WAKES };

// Adds if nobody has to be woken for it.
static enum added try_add(struct wg *wg, int64_t n)
{
	int64_t s = gort__load(&wg->state), to;

	do {
		if (__builtin_add_overflow(s >> 1, n, &to) || to < 0 || to > INT64_MAX >> 1)
			return ADD_NEGATIVE;
		if (to == 0 && s & WAITERS)
			return ADD_WAKES;
	} while (!gort__cas(&wg->state, &s, to * 2 | (s & WAITERS)));
	return ADDED;
}

static gort__cold enum added add_slow(struct wg *wg, int64_t n)
{
	struct lock *l = gort__waiter_lock(wg);
	struct waiter *all, *w;
	struct glist ready = { 0 };
	enum added ret;
	int64_t s;

	gort__solo_lock(l);
	ret = try_add(wg, n);
	if (ret == ADD_WAKES) {
		// Zero is the last touch, for whoever sees it may free wg: so the queue is taken
		// out before.
		all = wg->queue;
		gort__store(&wg->queue, NULL);
		s = gort__load(&wg->state);
		while ((s >> 1) + n == 0)
			if (gort__cas(&wg->state, &s, 0))
				break;
		if ((s >> 1) + n == 0) {
			while ((w = gort__queue_claim(&all)))
				gort__glist_push(&ready, w->g);
			ret = ADDED;
		} else {
			// Somebody added meanwhile.
			gort__store(&wg->queue, all);
			ret = try_add(wg, n);
		}
	}
	gort__solo_unlock(l);
	gort__ready_list(&ready);
	return ret;
}

void gort_wg_add(gort_wg *group, int64_t n)
{
	struct wg *wg = (struct wg *)group;
	enum added ret;

	if (gort__quick() && gort__likely(try_add(wg, n) == ADDED))
		return;
	gort__enter(__func__);
	do {
		ret = add_slow(wg, n);
	} while (ret == ADD_WAKES);
	gort__leave();
	if (ret == ADD_NEGATIVE)
		gort_panic("wait group count out of range");
}

void gort_wg_done(gort_wg *group)
{
	gort_wg_add(group, -1);
}

static int wait_slow(struct wg *wg, struct g *g, int64_t deadline)
{
	struct lock *l = gort__waiter_lock(wg);
	struct waiter w;
	int64_t s;
	int ret;

	gort__solo_lock(l);
	s = gort__load_acquire(&wg->state);
	do {
		if (s >> 1 == 0) {
			gort__solo_unlock(l);
			return 0;
		}
	} while (!gort__cas(&wg->state, &s, s | WAITERS));
	ret = gort__waiter_begin(&w, g, deadline);
	if (!ret) {
		gort__queue_push(&wg->queue, &w);
		ret = gort__waiter_park(&w, l, deadline, WAIT_WG);
		if (!ret)
			return 0;
		gort__solo_lock(l);
		gort__queue_remove(&wg->queue, &w);
	}
	if (!wg->queue)
		__atomic_and_fetch(&wg->state, ~(int64_t)WAITERS, __ATOMIC_RELAXED);
	gort__solo_unlock(l);
	return ret;
}

static int wait(gort_wg *group, int64_t deadline, const char *who)
{
	struct wg *wg = (struct wg *)group;
	struct g *g = gort__enter(who);
	int ret = 0;

	if (gort__cancelled(g))
		ret = -ECANCELED;
	else if (gort__load_acquire(&wg->state) >> 1 != 0)
		ret = wait_slow(wg, g, deadline);
	gort__leave();
	return ret;
}

int gort_wg_wait(gort_wg *wg)
{
	return wait(wg, GORT_FOREVER, __func__);
}

int gort_wg_wait_until(gort_wg *wg, int64_t deadline)
{
	return wait(wg, deadline, __func__);
}
