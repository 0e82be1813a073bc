// SPDX-License-Identifier: MIT
// What happened in the target, for those who look for a fault in debugcall: a ring of events that
// is kept in memory while a thread is held and written when it is back.
#ifndef DEBUGGER_BASE_TRACE_H
#define DEBUGGER_BASE_TRACE_H

#include "debugger/base/error.h"

#define TRACE_AREAS(X)                                             \
	X(TARGET, "target") /* stops and resumptions of threads */ \
	X(INJECT, "inject") /* what hosts and callees do */        \
	X(SYMBOLS, "symbols") /* files that are read, and how long */

enum trace_area {
#define X(name, text) TRACE_##name,
	TRACE_AREAS(X)
#undef X
};

extern unsigned trace_wanted; // one bit for each area; the process's

static inline bool trace_on(enum trace_area area)
{
	return __atomic_load_n(&trace_wanted, __ATOMIC_RELAXED) >> area & 1;
}

// areas: "target,inject", "all", or NULL for what the environment's DC_TRACE says. They stay wanted
// from then on. Code USAGE: there is no such area.
struct dc_error *trace_want(const char *areas) DC_CHECK;

// Puts an event into the ring: no memory is allocated or first touched, no system call is made.
// what is a literal. tid 0 and pc 0 are none; name, of a file for instance, may be NULL: its
// beginning is copied.
void trace_put(enum trace_area area, const char *what, pid_t tid, int64_t status, uint64_t pc,
	       const char *name);
static inline void trace(enum trace_area area, const char *what, pid_t tid, int64_t status,
			 uint64_t pc)
{
	if (trace_on(area))
		trace_put(area, what, tid, status, pc, NULL);
}
static inline void trace_named(enum trace_area area, const char *what, int64_t status,
			       const char *name)
{
	if (trace_on(area))
		trace_put(area, what, 0, status, 0, name);
}

// Writes what has not been written to stderr: never while a thread is held.
void trace_write(void);

#endif
