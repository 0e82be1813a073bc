// SPDX-License-Identifier: MIT
// Stopping every M wherever it is, for good, or for the moment it takes to read its registers.
#ifndef RUNTIME_FAULT_FREEZE_H
#define RUNTIME_FAULT_FREEZE_H

#include "runtime/fault/unwind.h"

struct g;
struct m;

gort__hidden void gort__freeze_init(void);

// The process is dying: stops everybody else, or with dontfreezetheworld lets those stop that come
// to a door. Waits for them a bounded time.
gort__hidden void gort__freeze_world(void);

// Where m stopped; NULL when it did not.
gort__hidden const struct unwind_regs *gort__frozen_at(const struct m *m);

// The registers of the goroutine g that runs on m, without stopping it: false when m sleeps in the
// kernel (a signal would end its wait), does not answer or runs something else by now. One caller
// at a time.
gort__hidden bool gort__sample(struct m *m, const struct g *g, struct unwind_regs *regs);

#endif
