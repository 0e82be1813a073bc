// SPDX-License-Identifier: MIT
// Steps from a frame to its caller's that the instructions prove, for code without tables and for
// frames whose tables need a register that is not known.
#ifndef DEBUGGER_STACK_PROOF_H
#define DEBUGGER_STACK_PROOF_H

#include "debugger/stack/frame_registers.h"
#include "debugger/stack/view.h"
#include "debugger/symbols/symbols.h"

// Restorers end in `mov $15, %eax or %rax; syscall`. They are entered by a return, so RSP points to
// the signal frame's ucontext. Way-home frames look the same.
bool proof_is_restorer(struct view *view, uint64_t pc);
// What a return address says of itself: a call stands before it, or it is a restorer, which nothing
// calls.
bool proof_is_return(struct view *view, uint64_t back);
// Code without tables: true, and registers are the caller's.
bool proof_step(struct view *view, struct symbols *symbols, struct frame_registers *registers);
// What RBP must be where pc is reached from start, a function's entry, at this depth of the stack,
// and the CFA that belongs to it.
bool proof_frame_pointer(struct view *view, uint64_t start, const struct frame_registers *registers,
			 uint64_t *rbp, uint64_t *cfa);

#endif
