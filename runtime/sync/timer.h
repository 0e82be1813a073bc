// SPDX-License-Identifier: MIT
// Timers, per P: a 4-ary heap that its owner and thieves run. What the scheduler and sync/ need of
// them.
#ifndef RUNTIME_SYNC_TIMER_H
#define RUNTIME_SYNC_TIMER_H

#include "runtime/base/base.h"
#include "runtime/base/lock.h"

struct g;
struct p;
struct timer;
struct timer_entry;

struct timers {
	struct lock lock; // RANK_TIMERS
	int64_t when; // earliest deadline, INT64_MAX for none; read without the lock
	struct timer_entry *heap;
	uint32_t n, cap;
};

enum timer_kind {
	TIMER_WAIT, // ends the wait (g, ticket) with -ETIMEDOUT
	TIMER_CALL, // runs fn(arg) on a system stack with a P; it must not park
	TIMER_SPAWN, // starts a goroutine with fn(arg)
};

struct timer {
	struct timers *owner; // whose heap it is or was in; NULL before the first start
	uint32_t at; // index in the heap plus 1, 0 when in none
	uint8_t kind; // enum timer_kind
	int64_t when;
	int64_t period; // 0: fires once
	union {
		struct {
			void (*fn)(void *);
			void *arg;
			void *pc; // who started it
		};
		struct {
			struct g *g;
			uint32_t ticket;
		};
	};
};

// Called once per P before its first use.
gort__hidden void gort__timers_init(struct p *p);

// Runs what is due on p (any P: idle ones are helped by thieves): callbacks ready goroutines or
// make some. Called by the scheduler on a system stack with a P of its own. Returns p->timers.when
// after.
gort__hidden int64_t gort__timers_check(struct p *p, int64_t now);

// Moves all timers of a P that goes away. The world is stopped.
gort__hidden void gort__timers_move(struct p *from, struct p *to);

// Puts a timer that is in no heap into this P's. True: it became the earliest, so
// gort__wake_for_timer is due once no lock is held. Once it has fired or gort__timer_remove has
// returned, nobody looks at *t.
gort__hidden bool gort__timer_add(struct timer *t);

// Takes a timer out of its heap. True when it was in one.
gort__hidden bool gort__timer_remove(struct timer *t);

#endif
