// SPDX-License-Identifier: MIT
// The stack of a goroutine that no thread runs, while it waits.
#ifndef DEBUGGER_STACK_GOROUTINES_PARKED_H
#define DEBUGGER_STACK_GOROUTINES_PARKED_H

#include "debugger/stack/goroutines/goroutines.h"
#include "debugger/stack/unwind.h"

// frames: UNWIND_MAX. *why: NULL, or why there is no stack: it woke meanwhile, or may at any moment.
struct dc_error *parked_walk(struct process *process, struct unwind *unwind,
			     const struct debugcall_descriptor *d, const struct goroutine *g,
			     struct unwound *frames, size_t *n, bool *complete,
			     const char **why) DC_CHECK;

#endif
