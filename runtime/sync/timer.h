// SPDX-License-Identifier: MIT
// A timer, as sync/ uses it. The scheduler's view of them is in sched/p.h and sched/given.h.
#ifndef RUNTIME_SYNC_TIMER_H
#define RUNTIME_SYNC_TIMER_H

#include "runtime/base/base.h"

struct g;
struct timers;

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

// Puts a timer that is in no heap into this P's. True: it became the earliest, so
// gort__wake_for_timer is due once no lock is held. Once it has fired or gort__timer_remove has
// returned, nobody looks at *t.
gort__hidden bool gort__timer_add(struct timer *t);

// Takes a timer out of its heap. True when it was in one.
gort__hidden bool gort__timer_remove(struct timer *t);

#endif
