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

// The ways out of a piece of code, [start, end), that is to be run through at one go: the addresses
// behind them, and the instructions of which only registers tell where they lead.
enum { EXITS_MAX = 4 };
struct exits {
	uint64_t at[EXITS_MAX];
	unsigned n;
	bool has_calls; // which may come by the same addresses in a deeper frame
	bool moves_sp; // the stack pointer does not tell the frames apart
};
// into: calls are ways out. False: there are more, or nobody can tell.
bool exits_of(struct decoder *decoder, uint64_t start, uint64_t end, bool into, struct exits *ret);

#endif
