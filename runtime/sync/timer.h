// SPDX-License-Identifier: MIT
// Timers, per P. What the scheduler needs to know of them.
#ifndef RUNTIME_SYNC_TIMER_H
#define RUNTIME_SYNC_TIMER_H

#include "runtime/base/base.h"
#include "runtime/base/lock.h"

struct p;
struct timer;

struct timers {
	struct lock lock; // RANK_TIMERS
	int64_t when; // earliest deadline, INT64_MAX for none; read without the lock
	struct timer_entry *heap;
	uint32_t n, cap;
};

// Called once per P before its first use.
gort__hidden void gort__timers_init(struct p *p);

// Runs what is due on p (any P: idle ones are helped by thieves): callbacks ready goroutines or make some. Called
// by the scheduler on a system stack with a P of its own. Returns p->timers.when after.
gort__hidden int64_t gort__timers_check(struct p *p, int64_t now);

// Moves all timers of a P that goes away. The world is stopped.
gort__hidden void gort__timers_move(struct p *from, struct p *to);

#endif
