// SPDX-License-Identifier: MIT
// A new process goes from the tracer that it was born to, to another: let go of by the one, it sleeps
// before the first instruction of its own until the other takes it. Where nobody comes, because both
// are dead or have changed their minds, it goes on by itself after a while, as it would have.
#ifndef DEBUGGER_TARGET_HANDOVER_H
#define DEBUGGER_TARGET_HANDOVER_H

#include "debugger/target/tracee.h"

// The only thread of the process stands in an interrupt's stop of this tracer's, and is in no table.
// Whatever comes of it the process is let go of. An error: it has run on, and why it does not sleep.
struct dc_error *handover_leave(struct tracer *tracer, struct process *process, pid_t tid) DC_CHECK;
// The thread stands in an interrupt's stop. *ret: it slept so, and has its own registers back.
struct dc_error *handover_take(struct tracee *tracee, bool *ret) DC_CHECK;

#endif
