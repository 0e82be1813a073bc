// SPDX-License-Identifier: MIT
// A target's address space: its mappings, the room on its threads' stacks, runtimes that live in
// it.
#ifndef DEBUGGER_INJECT_SELECT_ADDRESS_SPACE_H
#define DEBUGGER_INJECT_SELECT_ADDRESS_SPACE_H

#include "debugger/arch/x86_64/registers.h"
#include "debugger/target/thread_stack.h"

// What is known of a target before any stop.
struct address_space {
	struct process *process;
	struct maps maps;
	uint64_t stack_limit; // RLIMIT_STACK
	struct thread_stack noted; // of the thread that is tried, read before it is stopped
	bool handles_faults; // a runtime that lives by SIGSEGV is mapped
	// Code of such a runtime itself, as against the code that it makes, in which a fault is its
	// end.
	uint64_t fatal_start, fatal_end;
};
struct dc_error *address_space_read(struct process *process, struct address_space *ret) DC_CHECK;
void address_space_deinit(struct address_space *space);

// The thread's own stack, of which the part below its stack pointer may be used; unknown when the
// stack pointer is somewhere else.
struct thread_stack address_space_stack(const struct address_space *space,
					const struct user_regs_struct *regs);

#endif
