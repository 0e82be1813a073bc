// SPDX-License-Identifier: MIT
// Every thread of the runtime at one barrier. Ms run user code while the world is stopped; those that
// may do so are gathered in a signal handler, and the others are asleep until the world starts, or
// never run any.
#ifndef RUNTIME_SCHED_GATHER_H
#define RUNTIME_SCHED_GATHER_H

#include "runtime/base/base.h"

struct m;

// All of it with the world stopped, on a system stack, with gort__threads_lock.

// Gathers all Ms but the caller's. One that does not come, because it has the signal blocked or
// cannot run: with strict, -EBUSY, and *tid is its thread; else it is left out.
gort__hidden int gort__gather(const struct m *self, bool strict, int *tid);
// How many threads the runtime has, the caller's included.
gort__hidden uint32_t gort__gathered(void);
// run(m) on every M but the caller's: on those gathered, on those asleep, and on the runtime's own.
gort__hidden void gort__gather_run(void (*run)(struct m *));
// All go on with what they were doing.
gort__hidden void gort__gather_release(void);

// m, which sleeps without a P, was told NOTE_CALL: runs, and is asleep again.
gort__hidden void gort__gather_asleep(struct m *m);

gort__hidden void gort__gather_init(void);

#endif
