// SPDX-License-Identifier: MIT
// Goroutine-local storage.
#ifndef RUNTIME_SCHED_LOCAL_H
#define RUNTIME_SCHED_LOCAL_H

struct g;

// Runs the destructors of an ending goroutine's values, on its own stack, between enter and leave.
void gort__locals_end(struct g *g);

#endif
