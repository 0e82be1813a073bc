// SPDX-License-Identifier: MIT
// Mutexes for callers inside the runtime: what a cond needs of them.
#ifndef RUNTIME_SYNC_MUTEX_H
#define RUNTIME_SYNC_MUTEX_H

#include "runtime/gort.h"
#include "runtime/sched/sched.h"

// Between enter and leave. The lock cannot be cancelled and has no deadline.
gort__hidden void gort__mutex_lock(gort_mutex *m, struct g *g);
gort__hidden void gort__mutex_unlock(gort_mutex *m);

#endif
