// SPDX-License-Identifier: MIT
// What the scheduler is given by the floors above it: declared here, defined there. It knows
// nothing else of them.
#ifndef RUNTIME_SCHED_GIVEN_H
#define RUNTIME_SCHED_GIVEN_H

#include "runtime/base/base.h"

struct g;
struct glist;
struct p;

// ---- sync/timer.c -------------------------------------------------------------------------------

// Called once per P before its first use.
gort__hidden void gort__timers_init(struct p *p);

// Runs what is due on p (any P: idle ones are helped by thieves): callbacks ready goroutines or
// make some. Called by the scheduler on a system stack with a P of its own. Returns p->timers.when
// after.
gort__hidden int64_t gort__timers_check(struct p *p, int64_t now);

// Moves all timers of a P that goes away. The world is stopped.
gort__hidden void gort__timers_move(struct p *from, struct p *to);

// ---- sync/netpoll.c -----------------------------------------------------------------------------

// True once a descriptor was registered; gort__netpoll is not called before.
extern gort__hidden uint32_t gort__netpoll_on;
// Goroutines that wait for a descriptor. The scheduler polls only when this is not 0, and a
// deadlock is not reported then.
extern gort__hidden uint32_t gort__netpoll_waiters;

// Appends goroutines whose descriptors became ready (claimed, still WAITING: the scheduler makes
// them runnable) and returns how many. delay in ns: 0 polls, < 0 waits for ever. On a system stack,
// perhaps without a P.
gort__hidden int gort__netpoll(int64_t delay, struct glist *ready);

// Makes a gort__netpoll that waits return soon. Any thread; async-signal-safe.
gort__hidden void gort__netpoll_break(void);

// ---- fault/ -------------------------------------------------------------------------------------

// Called once by gort_main before any other thread is made: handlers of SIGSEGV, SIGBUS, SIGFPE,
// freeze.
gort__hidden void gort__fault_init(void);

// The calling goroutine's entry has returned with g->defers not empty: runs them. On its own stack.
gort__hidden void gort__defers_run(struct g *g);
// Takes the newest gort_defer(fn, arg) of the calling goroutine's scope back.
gort__hidden void gort__defer_drop(void (*fn)(void *), void *arg);
// The argument of the newest gort_defer(fn, …) in it.
gort__hidden void *gort__defer_newest(void (*fn)(void *));
// gort_exit: runs the deferred functions of every scope, innermost first.
gort__hidden void gort__defers_exit(struct g *g);

// ---- host/host.c --------------------------------------------------------------------------------

// A goroutine with G_DEBUGCALL ends, in whatever way; inside the runtime.
_Noreturn gort__hidden void gort__debugcall_end(struct g *g);

// The id of a parked goroutine that a debugger waits for; it writes here. 0: none.
extern gort__hidden uint64_t gort__debugcall_wanted;
// The calling goroutine has just come out of a park: if it is wanted, it waits a moment for the
// debugger.
gort__hidden void gort__debugcall_attend(void);
// The calling goroutine, which is about to enter the runtime, was met by a debugger when it could
// not be entered: it waits a moment. Inside the runtime after.
gort__hidden void gort__debugcall_stand(void);

#endif
