// SPDX-License-Identifier: MIT
// What a channel is, for those who send and receive inside the runtime: chan.c, select.c, timers,
// signals.
#ifndef RUNTIME_SYNC_CHAN_H
#define RUNTIME_SYNC_CHAN_H

#include "runtime/gort.h"
#include "runtime/sync/waiter.h"

enum {
	CHAN_LIVE = 0x6c616e68,
	CHAN_RELEASED = 0x65657266,
};

struct gort_chan {
	// Written by every use: one cache line.
	struct lock lock; // RANK_CHAN
	uint32_t closed;
	uint32_t turn; // the P that uses it at present, by number plus 1
	uint64_t since; // when that turn began, by the time stamp counter
	size_t n; // buffered
	size_t first; // index of the oldest
	struct waiter *receivers, *senders;
	// Hardly ever written.
	size_t cap __attribute__((aligned(64)));
	uint32_t elem; // bytes of one
	uint32_t refs;
	uint32_t magic;
	void (*drop)(struct gort_chan *); // once released; NULL: it was made by gort_chan_make
	struct gort_chan *link; // debug builds: released channels are kept a while
	char buf[] __attribute__((aligned(16)));
};

// In memory of the caller's, which drop gets back.
gort__hidden void gort__chan_init(struct gort_chan *c, uint32_t elem, size_t cap,
				  void (*drop)(struct gort_chan *));

// With c->lock: sends or receives if that is possible at once. 0, -EPIPE, or -EAGAIN. *peer is the
// waiter that was served by it, to be woken once the lock is free, or unchanged.
gort__hidden int gort__chan_send(struct gort_chan *c, const void *elem, struct waiter **peer);
gort__hidden int gort__chan_recv(struct gort_chan *c, void *elem, struct waiter **peer);

// The whole of it, for callers inside the runtime that hold a P and must not park.
gort__hidden int gort__chan_trysend(struct gort_chan *c, const void *elem);

_Noreturn gort__hidden void gort__chan_dead(const struct gort_chan *c, const char *who);

static inline void gort__chan_check(const struct gort_chan *c, const char *who)
{
#ifdef GORT_DEBUG
	if (gort__load(&c->magic) != CHAN_LIVE)
		gort__chan_dead(c, who);
#else
	(void)c;
	(void)who;
#endif
}

#endif
