// SPDX-License-Identifier: MIT
// Steps of one thread, by a breakpoint at wherever its next instruction leads, or at a place that it
// is to run to. Only what needs no names is decided here; everything runs on the tracer thread.
#ifndef DEBUGGER_CONTROL_STEP_H
#define DEBUGGER_CONTROL_STEP_H

#include "debugger/control/thread.h"

// From where it stands: the breakpoint is armed, and the thread may go on.
struct dc_error *step_begin(struct thread *thread, const struct step *step) DC_CHECK;
// To a place, in a frame with at least that stack pointer (0: any).
struct dc_error *step_to(struct thread *thread, uint64_t place, uint64_t sp) DC_CHECK;
// Likewise, and then on with the line that is passed, if it is in it.
struct dc_error *step_over_to(struct thread *thread, uint64_t place, uint64_t sp) DC_CHECK;
// The thread is stopped at pc. Did it come to where the step led? *ret false: no, or the step goes
// on by itself from here, and the thread is to go on.
struct dc_error *step_arrive(struct thread *thread, uint64_t pc, bool *ret) DC_CHECK;
void step_end(struct thread *thread);

#endif
