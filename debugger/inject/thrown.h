// SPDX-License-Identifier: MIT
// An exception of C++'s that left a callee: where the program's runtime would end the program for
// it, and what it is, by its layout alone.
#ifndef DEBUGGER_INJECT_THROWN_H
#define DEBUGGER_INJECT_THROWN_H

#include "debugger/arch/arch.h"
#include "debugger/symbols/symbols.h"

// Of the runtime that the program has.
struct throwing {
	uint64_t terminate; // std::terminate; 0: there is none, and nothing is thrown
	uint64_t end; // what it calls in the end; 0: not known
	struct function throws[2]; // __cxa_throw, __cxa_rethrow: they end the program by themselves
	uint64_t get_globals, begin_catch, end_catch, forced_unwind;
};
// Reads symbols and the target's memory; nothing needs to be stopped.
void throwing_find(struct symbols *symbols, struct process *process, struct throwing *ret);
// Whether the function may throw, by where it is: libc does not.
bool throwing_may(const struct throwing *throwing, struct symbols *symbols, uint64_t addr);

// The thread stands at std::terminate: the exception for which nobody was found to catch it, as the
// unwinder knows it; 0: it is there for another reason.
uint64_t thrown_exception(const struct throwing *throwing, struct process *process,
			  const struct user_regs_struct *regs);
// "std::runtime_error: text", malloc'd; NULL: out of memory.
char *thrown_text(struct symbols *symbols, struct process *process, uint64_t exception);

#endif
