// SPDX-License-Identifier: MIT
// Where a thread's next instruction leads, told from its registers and memory before it runs: a
// breakpoint there is a step, with no trap flag that would outlive us.
#ifndef DEBUGGER_ARCH_X86_64_SUCCESSOR_H
#define DEBUGGER_ARCH_X86_64_SUCCESSOR_H

#include "debugger/base/error.h"

#include <sys/user.h>

struct decoder;
// read: the thread's memory, as many bytes as are readable.
struct dc_error *decoder_create(size_t (*read)(void *arg, uint64_t addr, void *buf, size_t n),
				void *arg, struct decoder **ret) DC_CHECK;
void decoder_destroy(struct decoder *decoder); // NULL is fine

struct successor {
	uint64_t addr; // of the instruction that runs next
	uint64_t behind; // of the one that follows in memory: where a call comes back to
	bool is_call, is_return;
};
// REFUSED: nobody can tell (the code cannot be read, or leaves for the kernel in a way of its own).
struct dc_error *successor_of(struct decoder *decoder, const struct user_regs_struct *regs,
			      struct successor *ret) DC_CHECK;

#endif
