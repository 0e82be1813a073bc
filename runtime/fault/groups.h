// SPDX-License-Identifier: MIT
// Goroutines grouped by where they stand: for gort_profile and for the report of a dying process.
#ifndef RUNTIME_FAULT_GROUPS_H
#define RUNTIME_FAULT_GROUPS_H

#include "runtime/fault/traceback.h"
#include "runtime/gort.h"

// In mappings of its own: who holds the allocator's lock may be waiting for the world.
struct groups {
	struct gort_stack *stacks; // in the order in which they were met
	uint32_t *index; // open hash of their numbers, counted from one; twice as large as room
	uint32_t n, room;
	bool failed; // no memory: some are missing
	bool apart; // those whose stack cannot be had are no group
};

// A gort__trace_visit; arg: the groups.
gort__hidden void gort__groups_add(struct trace *t, const struct g *g,
				   const struct unwind_regs *regs, void *arg);
gort__hidden void gort__groups_drop(struct groups *all);

#endif
