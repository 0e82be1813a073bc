// SPDX-License-Identifier: MIT
// Instructions that the target has mapped already and that a borrowed thread can be pointed at, so
// that none of its text is changed.
#ifndef DEBUGGER_TARGET_GADGETS_H
#define DEBUGGER_TARGET_GADGETS_H

#include "debugger/target/maps.h"

enum { GADGET_HOME_WORDS = 3 };
struct gadgets {
	uint64_t syscall; // syscall; [pops;] ret
	unsigned pops; // words that are popped between the two
	// What the stack must hold, lowest address first, for a return to end in rt_sigreturn with
	// the stack pointer right behind these words: a restorer, or pop %rax; ret, 15, syscall.
	uint64_t home[GADGET_HOME_WORDS];
	unsigned nr_home;
};
// REFUSED when the target's text has none.
struct dc_error *gadgets_find(struct process *process, const struct maps *maps,
			      struct gadgets *ret) DC_CHECK;

#endif
