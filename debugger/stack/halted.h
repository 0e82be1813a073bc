// SPDX-License-Identifier: MIT
// The snapshot of a thread that is stopped for it: microseconds, but some waits end by it.
#ifndef DEBUGGER_STACK_HALTED_H
#define DEBUGGER_STACK_HALTED_H

#include "debugger/stack/unwind.h"
#include "debugger/target/tracer.h"

// *taken false: it has ended, or could not be stopped there. ret->stack is malloc'd.
struct dc_error *halted_snapshot(struct tracer *tracer, struct process *process, pid_t tid,
				 struct snapshot *ret, bool *taken) DC_CHECK;

#endif
