// SPDX-License-Identifier: MIT
// The common half of every wait: tickets, deadlines, cancellation.
#include "runtime/gort.h"
#include "runtime/sync/waiter.h"

int gort__waiter_begin(struct waiter *w, struct g *g, int64_t deadline)
{
	int ret = 0;

	w->next = NULL;
	w->g = g;
	w->settle = false;
	w->ticket = gort__wait_begin(g);
	if (gort__unlikely(gort__cancelled(g)))
		ret = -ECANCELED;
	else if (deadline != GORT_FOREVER && (deadline <= 0 || deadline <= gort_now()))
		ret = -ETIMEDOUT;
	// A canceller that was faster is going to ready us: then we must park.
	if (gort__unlikely(ret) && !gort__wait_claim(g, w->ticket))
		ret = 0;
	return ret;
}

void gort__waiter_begin_always(struct waiter *w, struct g *g)
{
	w->next = NULL;
	w->g = g;
	w->settle = false;
	w->ticket = gort__wait_begin_always(g);
}

struct timed {
	gort__unlockf *unlockf;
	void *arg;
	int64_t when;
};

// Wakes who must know of the timer only when the locks are free: it may come to starting a thread.
static bool unlock_and_tell(struct g *g, void *arg)
{
	struct timed timed = *(struct timed *)arg;

	if (timed.unlockf)
		timed.unlockf(g, timed.arg);
	gort__wake_for_timer(timed.when);
	return true;
}

static gort__cold int park_until(struct waiter *w, gort__unlockf *unlockf, void *arg,
				 int64_t deadline, enum wait_reason why)
{
	struct timer timer = {
		.kind = TIMER_WAIT,
		.when = deadline,
		.g = w->g,
		.ticket = w->ticket,
	};

	if (gort__timer_add(&timer)) {
		struct timed timed = { unlockf, arg, deadline };
		gort__park(unlock_and_tell, &timed, why);
	} else {
		gort__park(unlockf, arg, why);
	}
	gort__timer_remove(&timer);
	return w->g->wake_result;
}

int gort__waiter_park_with(struct waiter *w, gort__unlockf *unlockf, void *arg, int64_t deadline,
			   enum wait_reason why)
{
	if (gort__unlikely(deadline != GORT_FOREVER))
		return park_until(w, unlockf, arg, deadline, why);
	gort__park(unlockf, arg, why);
	return w->g->wake_result;
}

static bool unlock(struct g *g, void *lock)
{
	(void)g;
	gort__solo_unlock(lock);
	return true;
}

int gort__waiter_park(struct waiter *w, struct lock *l, int64_t deadline, enum wait_reason why)
{
	return gort__waiter_park_with(w, l ? unlock : NULL, l, deadline, why);
}

enum { LOCKS = 64 }; // a power of two; 16 Ps seldom meet by chance

static struct {
	struct lock lock;
} __attribute__((aligned(64))) locks[LOCKS] = { [0 ... LOCKS - 1] = { GORT__LOCK_INIT(SEMA) } };

struct lock *gort__waiter_lock(const void *object)
{
	return &locks[((uintptr_t)object >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 58].lock;
}
