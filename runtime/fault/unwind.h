// SPDX-License-Identifier: MIT
// Walks a stack by .eh_frame from any register set: the caller's own, a parked goroutine's, a
// signal's. Allocates nothing, takes no lock, opens nothing; reads stack memory only inside the
// bounds it was given.
#ifndef RUNTIME_FAULT_UNWIND_H
#define RUNTIME_FAULT_UNWIND_H

#include "runtime/base/base.h"

struct g;
struct switch_frame;

// DWARF's numbers.
enum unwind_reg {
	UNWIND_RAX,
	UNWIND_RDX,
	UNWIND_RCX,
	UNWIND_RBX,
	UNWIND_RSI,
	UNWIND_RDI,
	UNWIND_RBP,
	UNWIND_RSP,
	UNWIND_R8,
	UNWIND_R12 = 12,
	UNWIND_R15 = 15,
	UNWIND_PC,
	UNWIND_REGS,
};

struct unwind_regs {
	uint64_t reg[UNWIND_REGS];
	uint32_t known; // one bit per register
};

struct unwind_range {
	uintptr_t lo, hi;
};

// How to undo one frame, as decoded for one PC. Offsets are from the CFA, in bytes.
struct unwind_row {
	uint64_t pc; // 0: not used
	int32_t cfa;
	int16_t saved[UNWIND_REGS]; // UNWIND_SAME: not saved here
	uint8_t cfa_reg;
	bool signal; // the caller's PC is the instruction itself
	bool last; // nothing called this one
};

enum { UNWIND_SAME = INT16_MAX };

struct unwind {
	struct unwind_regs regs; // of the present frame
	bool exact; // its PC is where it stands, not where it returns to
	struct unwind_range stack[2]; // where memory may be read
	struct unwind_row *rows; // remembered between walks, or NULL
	unsigned nrows; // a power of two
};

// The caller's registers, at the place of this line.
#define gort__unwind_here(regs)                                                 \
	__asm__ volatile("movq %%rbx, 24(%0)\n\t"                               \
			 "movq %%rbp, 48(%0)\n\t"                               \
			 "movq %%rsp, 56(%0)\n\t"                               \
			 "movq %%r12, 96(%0)\n\t"                               \
			 "movq %%r13, 104(%0)\n\t"                              \
			 "movq %%r14, 112(%0)\n\t"                              \
			 "movq %%r15, 120(%0)\n\t"                              \
			 "leaq 0(%%rip), %%rcx\n\t"                             \
			 "movq %%rcx, 128(%0)\n\t"                              \
			 "movl $0x1f0c8, 136(%0)" /* known: those saved here */ \
			 :                                                      \
			 : "r"(regs)                                            \
			 : "rcx", "memory")

// From a signal's ucontext_t.
gort__hidden void gort__unwind_context(struct unwind_regs *regs, const void *ucontext);
// From what a parked goroutine left.
gort__hidden void gort__unwind_switch(struct unwind_regs *regs, const struct switch_frame *f);

// Goes to the caller's frame. False at the bottom, or where the way is lost.
gort__hidden bool gort__unwind_step(struct unwind *u);

// Where the function that holds pc begins, by its frame information; 0: unknown.
gort__hidden uint64_t gort__unwind_entry(uint64_t pc);

// The address by which to look the present frame up: within the call for a return address.
static inline uint64_t gort__unwind_lookup(const struct unwind *u)
{
	return u->regs.reg[UNWIND_PC] - !u->exact;
}

#endif
