// SPDX-License-Identifier: MIT
// A goroutine that waits in the queue of a channel or a lock. The waiter lives in the waiting
// function's frame; the queue is one pointer, so that an all-zero object has an empty one.
#ifndef RUNTIME_SYNC_WAITER_H
#define RUNTIME_SYNC_WAITER_H

#include "runtime/sched/sched.h"
#include "runtime/sync/solo.h"
#include "runtime/sync/timer.h"

struct waiter {
	struct waiter *next, *prev; // circular; next is NULL when in no queue
	struct g *g;
	void *elem; // channels: where the peer copies from or to
	uint32_t ticket;
	uint32_t tag; // for the owner of the queue
	bool settle; // parks after the queue's lock was dropped: who claims it must settle first
};

static inline void gort__queue_push(struct waiter **q, struct waiter *w)
{
	struct waiter *first = *q;

	if (!first) {
		w->next = w->prev = w;
		gort__store(q, w);
		return;
	}
	w->next = first;
	w->prev = first->prev;
	first->prev->next = w;
	first->prev = w;
}

static inline void gort__queue_push_front(struct waiter **q, struct waiter *w)
{
	gort__queue_push(q, w);
	gort__store(q, w);
}

// Does nothing when w is in no queue: whoever claimed it took it out.
static inline void gort__queue_remove(struct waiter **q, struct waiter *w)
{
	if (!w->next)
		return;
	if (w->next == w) {
		gort__store(q, NULL);
	} else {
		w->next->prev = w->prev;
		w->prev->next = w->next;
		if (*q == w)
			gort__store(q, w->next);
	}
	w->next = NULL;
}

// Takes out the first waiter whose wait nobody has ended yet, and ends it: the caller must wake it.
// Those that timed out or were cancelled are dropped on the way; they are going to look for
// themselves.
static inline struct waiter *gort__queue_claim(struct waiter **q)
{
	struct waiter *w;

	while ((w = *q)) {
		gort__queue_remove(q, w);
		if (gort__likely(gort__solo_claim(w->g, w->ticket)))
			return w;
	}
	return NULL;
}

// Makes the goroutine of a claimed waiter runnable; *w is gone after.
static inline void gort__waiter_wake(struct waiter *w, bool next)
{
	struct g *g = w->g;

	if (w->settle)
		gort__solo_settle(g);
	gort__ready(g, next);
}

// Begins a wait of g with w. 0: it may be queued, and gort__waiter_park must follow. -ECANCELED or
// -ETIMEDOUT: it ended before it began.
gort__hidden int gort__waiter_begin(struct waiter *w, struct g *g, int64_t deadline);
// The same for a wait that nothing but a peer ends.
gort__hidden void gort__waiter_begin_always(struct waiter *w, struct g *g);

// How long a lock is waited for.
struct patience {
	int64_t deadline;
	bool always; // not cancelled either
};

#define GORT__ALWAYS	      ((struct patience){ GORT_FOREVER, true })
#define GORT__UNTIL(deadline) ((struct patience){ (deadline), false })

static inline int gort__waiter_begin_with(struct waiter *w, struct g *g, struct patience patience)
{
	if (!patience.always)
		return gort__waiter_begin(w, g, patience.deadline);
	gort__waiter_begin_always(w, g);
	return 0;
}

// Parks the goroutine of w and releases l (NULL: none). Returns what the claimer left: 0, or
// another's -errno, or -ECANCELED or -ETIMEDOUT: then w may still be in its queue.
gort__hidden int gort__waiter_park(struct waiter *w, struct lock *l, int64_t deadline,
				   enum wait_reason why);
// The same with any callback that always parks.
gort__hidden int gort__waiter_park_with(struct waiter *w, gort__unlockf *unlockf, void *arg,
					int64_t deadline, enum wait_reason why);

// The lock of an object's queue: one of a fixed set, by the object's address. It is no part of the
// object, which the one who gets it next may free while its last owner is still unlocking.
gort__hidden struct lock *gort__waiter_lock(const void *object);

// The calling goroutine, if a call may go on without entering the runtime: no P is missing, nothing
// is wrong. Else NULL, and gort__enter says what.
static inline struct g *gort__quick(void)
{
	struct m *m = gort__self();

	return gort__likely(m != NULL) && gort__likely(!gort__load(&m->retake)) ? m->curg : NULL;
}

#endif
