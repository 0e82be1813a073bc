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

static bool unlock(struct g *g, void *lock)
{
	(void)g;
	gort__solo_unlock(lock);
	return true;
}

struct timed {
	struct lock *lock;
	int64_t when;
};

// Wakes who must know of the timer only when the lock is free: it may come to starting a thread.
static bool unlock_and_tell(struct g *g, void *arg)
{
	struct timed timed = *(struct timed *)arg;

	(void)g;
	if (timed.lock)
		gort__solo_unlock(timed.lock);
	gort__wake_for_timer(timed.when);
	return true;
}

static gort__cold int park_until(struct waiter *w, struct lock *l, int64_t deadline,
				 enum wait_reason why)
{
	struct timer timer = {
		.kind = TIMER_WAIT,
		.when = deadline,
		.g = w->g,
		.ticket = w->ticket,
	};

	if (gort__timer_add(&timer)) {
		struct timed timed = { l, deadline };
		gort__park(unlock_and_tell, &timed, why);
	} else {
		gort__park(l ? unlock : NULL, l, why);
	}
	gort__timer_remove(&timer);
	return w->g->wake_result;
}

int gort__waiter_park(struct waiter *w, struct lock *l, int64_t deadline, enum wait_reason why)
{
	if (gort__unlikely(deadline != GORT_FOREVER))
		return park_until(w, l, deadline, why);
	gort__park(l ? unlock : NULL, l, why);
	return w->g->wake_result;
}
