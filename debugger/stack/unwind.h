// SPDX-License-Identifier: MIT
// Frames of a thread, by libunwind over a snapshot: registers and a copy of the stack, so that a
// thread is stopped only for the copy and never for the walk.
#ifndef DEBUGGER_STACK_UNWIND_H
#define DEBUGGER_STACK_UNWIND_H

#include "debugger/stack/frame_registers.h"
#include "debugger/symbols/symbols.h"

struct snapshot {
	struct user_regs_struct regs;
	uint32_t unknown; // a bit for each register by DWARF number that regs does not hold
	uint64_t stack_start; // address of stack[0], below the red zone
	unsigned char *stack; // malloc'd; NULL: memory is read from the live target
	size_t stack_size;
};

// Memory outside the snapshot is read from the target as it is at that moment.
struct unwind;
struct dc_error *unwind_create(struct process *process, struct symbols *symbols,
			       struct unwind **ret) DC_CHECK;
void unwind_destroy(struct unwind *unwind);

enum { UNWIND_MAX = 256 };
// frames[0] is the interrupted place; a caller's pc is its return address minus one when it is
// looked up. *complete: the walk reached the thread's first frame. Signal frames are marked.
struct unwound {
	struct symbols_frame frame;
	bool is_signal_frame;
	bool is_guess; // the next frame was found by the frame pointer alone
};
struct dc_error *unwind_walk(struct unwind *unwind, const struct snapshot *snapshot,
			     struct unwound *frames, size_t max, size_t *n,
			     bool *complete) DC_CHECK;
// Of the last walk: why it is not complete, and whether it has read of the live target what may have
// changed since.
const char *unwind_why_incomplete(const struct unwind *unwind);
bool unwind_strayed(const struct unwind *unwind);
// A walk, described; malloc'd array for dc_error.frames. Best effort: never fails, may be short.
struct dc_frame *unwind_describe(struct unwind *unwind, const struct snapshot *snapshot, size_t *n);

#endif
