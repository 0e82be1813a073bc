// SPDX-License-Identifier: MIT
// The condition variable. A waiter is queued before it unlocks the mutex, so no signal is lost.
#include "runtime/sync/mutex.h"
#include "runtime/sync/waiter.h"

struct cond {
	struct waiter *queue;
};

_Static_assert(sizeof(struct cond) <= sizeof(gort_cond), "gort_cond is too small");

static int wait(struct cond *c, gort_mutex *m, int64_t deadline, const char *who)
{
	struct g *g = gort__enter(who);
	struct lock *l = gort__waiter_lock(c);
	struct waiter w;
	int ret = gort__waiter_begin(&w, g, deadline);

	if (!ret) {
		w.settle = true;
		gort__solo_lock(l);
		gort__queue_push(&c->queue, &w);
		gort__solo_unlock(l);
		gort__mutex_unlock(m);
		ret = gort__waiter_park(&w, NULL, deadline, WAIT_COND);
		if (ret) {
			gort__solo_lock(l);
			gort__queue_remove(&c->queue, &w);
			gort__solo_unlock(l);
		}
	} else {
		// The others get the mutex all the same: the caller may look again and again until
		// they change something.
		gort__mutex_unlock(m);
		gort__yield();
	}
	gort__mutex_lock(m, g);
	gort__leave();
	return ret;
}

int gort_cond_wait(gort_cond *cond, gort_mutex *m)
{
	return wait((struct cond *)cond, m, GORT_FOREVER, __func__);
}

int gort_cond_wait_until(gort_cond *cond, gort_mutex *m, int64_t deadline)
{
	return wait((struct cond *)cond, m, deadline, __func__);
}

void gort_cond_signal(gort_cond *cond)
{
	struct cond *c = (struct cond *)cond;
	struct lock *l = gort__waiter_lock(c);
	struct waiter *w = NULL;

	gort__enter(__func__);
	// A waiter that this look misses had not unlocked the mutex yet.
	if (gort__load(&c->queue)) {
		gort__solo_lock(l);
		w = gort__queue_claim(&c->queue);
		gort__solo_unlock(l);
	}
	if (w)
		gort__waiter_wake(w, true);
	gort__leave();
}

void gort_cond_broadcast(gort_cond *cond)
{
	struct cond *c = (struct cond *)cond;
	struct lock *l = gort__waiter_lock(c);
	struct glist ready = { 0 };
	struct waiter *w;

	gort__enter(__func__);
	if (gort__load(&c->queue)) {
		gort__solo_lock(l);
		while ((w = gort__queue_claim(&c->queue)))
			gort__glist_push(&ready, w->g);
		gort__solo_unlock(l);
	}
	for (struct g *g = ready.head; g; g = g->next)
		gort__solo_settle(g);
	gort__ready_list(&ready);
	gort__leave();
}
