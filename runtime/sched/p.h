// SPDX-License-Identifier: MIT
// A P: the right to run goroutines, with a run queue, timers and free stacks of its own.
#ifndef RUNTIME_SCHED_P_H
#define RUNTIME_SCHED_P_H

#include "runtime/base/base.h"
#include "runtime/base/lock.h"
#include "runtime/sched/g.h"
#include "runtime/sched/stack.h"

struct m;
struct timer_entry;

enum p_status {
	P_IDLE, // on sched.pidle, or in the hands of who took it off
	P_RUNNING, // its M schedules or runs goroutines
	P_STOPPED, // the world is stopped
	P_DEAD, // beyond gomaxprocs
};

enum {
	P_MAX = 256,
	P_RUNQ = 1024, // a power of two
	P_STREAK = 64, // goroutines taken from runnext while others wait in the ring
};

// A P's timers, a 4-ary heap that its owner and thieves run; owned by sync/timer.c.
struct timers {
	struct lock lock; // RANK_TIMERS
	int64_t when; // earliest deadline, INT64_MAX for none; read without the lock
	struct timer_entry *heap;
	uint32_t n, cap;
};

struct p {
	// What thieves write.
	uint32_t runq_head; // by CAS
	struct g *runnext; // by CAS, late

	// The owner's, which others only read.
	__attribute__((aligned(64))) uint32_t runq_tail;
	uint32_t schedtick; // goroutines given this P; sysmon looks on
	uint32_t status; // enum p_status
	uint32_t id;
	struct m *m; // NULL when idle
	uint32_t next_streak;
	uint64_t
		made; // goroutines made here, and ended here: only the sums over all Ps mean anything
	uint64_t ended;
	uint64_t steals;
	struct glist free[STACK_CLASSES]; // dead goroutines with their stacks

	uint32_t turn; // enum stack_turn
	struct g *old[STACK_CLASSES]; // of free: not used since the last turn
	struct g *shed[STACK_CLASSES]; // nor since the one before: sysmon's, once it is DONE

	struct p *link; // sched.pidle
	uint32_t sysmon_tick; // sysmon's view
	int64_t sysmon_when;
	struct timers timers;
	void *sync_cache; // owned by sync/
	struct g *runq[P_RUNQ];
} __attribute__((aligned(64)));

#endif
