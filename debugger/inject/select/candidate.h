// SPDX-License-Identifier: MIT
// Which thread to borrow: those whose work is least disturbed come first. Stops nothing.
#ifndef DEBUGGER_INJECT_SELECT_CANDIDATE_H
#define DEBUGGER_INJECT_SELECT_CANDIDATE_H

#include "debugger/target/maps.h"
#include "debugger/arch/x86_64/registers.h"
#include "debugger/target/process.h"
#include "debugger/target/thread_stack.h"

// What is known of a target before any stop.
struct ground {
	struct maps maps;
	struct process *process;
	uint64_t stack_limit; // RLIMIT_STACK
	struct thread_stack noted; // of the thread that is tried, read before it is stopped
	bool handles_faults; // a runtime that lives by SIGSEGV is mapped
	// Code of such a runtime itself, as against the code that it makes, in which a fault is its
	// end.
	uint64_t fatal_start, fatal_end;
};
struct dc_error *ground_survey(struct process *process, struct ground *ret) DC_CHECK;
void ground_deinit(struct ground *ground);

// The thread's own stack, of which the part below its stack pointer may be used; unknown when the
// stack pointer is somewhere else.
struct thread_stack ground_stack(const struct ground *ground, const struct user_regs_struct *regs);

enum rank {
	RANK_RESTARTS, // asleep in a system call that goes on unseen
	RANK_RUNS,
	RANK_TIMED, // asleep in a wait that a stop may end with EINTR
	RANK_NOT_NOW, // cannot be stopped: reason
};
struct candidate {
	struct thread_info info;
	pid_t tid;
	enum rank rank;
	char reason[96];
};
struct candidates {
	struct candidate *candidate; // the best first
	size_t n;
};
// thread: only that one; 0: all.
struct dc_error *candidates_read(struct process *process, pid_t thread,
				 struct candidates *ret) DC_CHECK;
void candidates_deinit(struct candidates *candidates);

#endif
