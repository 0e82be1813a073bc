// SPDX-License-Identifier: MIT
// Once: the first caller runs, the others wait for it. A panic counts as done and goes on in the
// first caller.
#include "runtime/gort.h"
#include "runtime/sched/given.h"
#include "runtime/sched/exceptions.h"
#include "runtime/sync/waiter.h"

enum once_state { ONCE_NEW, ONCE_RUNNING, ONCE_DONE };

struct once {
	uint32_t state; // enum once_state
	struct waiter *queue;
};

_Static_assert(sizeof(struct once) <= sizeof(gort_once), "gort_once is too small");

static void finish(void *arg)
{
	struct once *o = arg;
	struct lock *l = gort__waiter_lock(o);
	struct glist ready = { 0 };
	struct waiter *w;

	gort__enter("gort_once_do");
	gort__solo_lock(l);
	while ((w = gort__queue_claim(&o->queue)))
		gort__glist_push(&ready, w->g);
	gort__store_release(&o->state, ONCE_DONE);
	gort__solo_unlock(l);
	gort__ready_list(&ready);
	gort__leave();
}

static void wait(struct once *o, struct g *g)
{
	struct lock *l = gort__waiter_lock(o);
	struct waiter w;

	gort__solo_lock(l);
	if (gort__load_acquire(&o->state) == ONCE_DONE) {
		gort__solo_unlock(l);
		return;
	}
	gort__waiter_begin_always(&w, g);
	gort__queue_push(&o->queue, &w);
	gort__waiter_park(&w, l, GORT_FOREVER, WAIT_ONCE);
}

static void end(struct once *o)
{
	gort__defer_drop(finish, o);
	finish(o);
}

// An exception goes on after it. Those deeper in the stack have ended, so the newest is ours.
GORT__LEFT(once)
{
	if (actions & _UA_CLEANUP_PHASE)
		end(gort__defer_newest(finish));
	return _URC_CONTINUE_UNWIND;
}

void gort_once_do(gort_once *once, void (*fn)(void *), void *arg)
{
	struct once *o = (struct once *)once;
	uint32_t state = ONCE_NEW;
	struct g *g;
	bool first;

	if (gort__likely(gort__load_acquire(&o->state) == ONCE_DONE))
		return;
	// For a panic or an exit; what fn defers belongs to the caller's scope. Before anybody may
	// wait for us, because there may be no memory for it.
	gort_defer(finish, o);
	g = gort__enter(__func__);
	first = gort__cas(&o->state, &state, ONCE_RUNNING);
	if (!first)
		wait(o, g);
	gort__leave();
	if (first) {
		gort__call_once(fn, arg);
		end(o);
	} else {
		gort__defer_drop(finish, o);
	}
}
