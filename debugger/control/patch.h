// SPDX-License-Identifier: MIT
// Breakpoints that are written into the program's code, where the kernel has none for us: the only
// ones that do not leave with us, and kill who comes by afterwards. On the tracer thread.
#ifndef DEBUGGER_CONTROL_PATCH_H
#define DEBUGGER_CONTROL_PATCH_H

#include "debugger/control/control.h"

// REFUSED, with the reason, where the instruction is none that a thread can be led over.
struct dc_error *patch_arm(struct control *control, const struct location *location) DC_CHECK;
void patch_disarm(struct control *control, const struct location *location);
// All code is as it was, from now on; and again not. As often as it was lifted.
void patch_lift(struct control *control, bool lifts);
// Before control ends: whoever has come by one has an event that tells so.
void patch_lift_for_good(struct control *control);
// The thread's trap is of a breakpoint that is there, or was when it came by: it is put before the
// instruction, and *pc says so.
bool patch_claims(struct thread *thread, const struct event *event, uint64_t *pc);
// From where the thread stands it runs the one instruction, and no other thread runs meanwhile.
struct dc_error *patch_step_over(struct thread *thread) DC_CHECK;
// A child that stands at its beginning, and has a copy of the code, has it as it was.
void patch_spare_child(const struct control *control, pid_t pid);

#endif
