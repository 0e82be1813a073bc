// SPDX-License-Identifier: MIT
// Instructions that a target has mapped already and that a borrowed thread can be pointed at, so
// that none of its text is changed: recognised here as bytes, sought in memory by target/.
#ifndef DEBUGGER_ARCH_X86_64_GADGETS_H
#define DEBUGGER_ARCH_X86_64_GADGETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GADGET_HOME_WORDS = 3, GADGET_POPS = 8, GADGET_SIZE_MAX = 32 };
struct gadgets {
	uint64_t syscall; // syscall; [pops;] ret
	unsigned pops; // words that are popped between the two
	// What the stack must hold, lowest address first, for a return to end in rt_sigreturn with
	// the stack pointer right behind these words: a restorer, or pop %rax; ret, 15, syscall.
	uint64_t home[GADGET_HOME_WORDS];
	unsigned nr_home;
	// Pieces of the last form, kept while no restorer is found.
	uint64_t bare_syscall, pop_rax;
	struct chain_gadgets {
		// Places where pop %rbx; ret is: the second instruction alone is a return behind
		// which an unwinder sees the frame that the first one belongs to.
		uint64_t pop_rbx[GADGET_POPS];
		unsigned nr_pop_rbx;
		struct gadget_store {
			uint64_t addr; // 0: none. mov reg,displacement(%rbx); then words; ret
			int64_t displacement;
			unsigned words; // that it takes off the stack before its return
		} rax, xmm0;
	} chain;
};
// Adds what n bytes of text at addr have. Text is cut so that GADGET_SIZE_MAX bytes overlap.
void gadgets_scan(struct gadgets *gadgets, const unsigned char *text, size_t n, uint64_t addr);
// The best of all is found: looking further is in vain, but for a chain's.
bool gadgets_complete(const struct gadgets *gadgets);
// What a chain needs is there: a restorer, a system call that returns at once, a store of %rax.
bool gadgets_make_chain(const struct gadgets *gadgets);
// After the last text. NULL: all that is needed is there; else what the target lacks.
const char *gadgets_conclude(struct gadgets *gadgets);

#endif
