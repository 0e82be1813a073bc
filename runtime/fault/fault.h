// SPDX-License-Identifier: MIT
// Panics, fatal errors and tracebacks: what the rest of the runtime calls.
#ifndef RUNTIME_FAULT_FAULT_H
#define RUNTIME_FAULT_FAULT_H

#include "runtime/base/base.h"

#include <signal.h>

struct g;
struct m;

// Set once the process is dying; every door of the scheduler looks at it (gort__freeze_check).
extern gort__hidden uint32_t gort__freezing;

// Stops the calling M for good.
_Noreturn gort__hidden void gort__freeze_stop(void);

static inline void gort__freeze_check(void)
{
	if (gort__unlikely(gort__load(&gort__freezing)))
		gort__freeze_stop();
}

// A defect of the runtime itself: "fatal error: msg", freeze, every stack, exit 2. Any stack, any
// lock held.
_Noreturn gort__hidden void gort__throw(const char *msg);
// The same for a mistake of the program that cannot be a panic.
_Noreturn gort__hidden void gort__fatal(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
// "all goroutines are asleep - deadlock!"; called by the scheduler on a system stack.
_Noreturn gort__hidden void gort__fatal_deadlock(void);

// Called once by gort_main before any other thread is made: handlers of SIGSEGV, SIGBUS, SIGFPE,
// freeze.
gort__hidden void gort__fault_init(void);

// The calling goroutine's entry has returned with g->defers not empty: runs them. On its own stack.
gort__hidden void gort__defers_run(struct g *g);
// Takes the newest gort_defer(fn, arg) of the calling goroutine's scope back.
gort__hidden void gort__defer_drop(void (*fn)(void *), void *arg);
// gort_exit: runs the deferred functions of every scope, innermost first.
gort__hidden void gort__defers_exit(struct g *g);

// Prints both stacks of a lock order violation as far as they are known, then throws.
_Noreturn gort__hidden void gort__fault_lock_order(const char *held, const char *taken);

#endif
