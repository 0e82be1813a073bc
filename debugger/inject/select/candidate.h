// SPDX-License-Identifier: MIT
// Which thread to borrow: those whose work is least disturbed come first. Stops nothing.
#ifndef DEBUGGER_INJECT_SELECT_CANDIDATE_H
#define DEBUGGER_INJECT_SELECT_CANDIDATE_H

#include "debugger/target/maps.h"
#include "debugger/target/process.h"

// What is known of a target before any stop.
struct ground {
	struct maps maps;
	uint64_t stack_limit; // RLIMIT_STACK
	bool handles_faults; // a runtime that lives by SIGSEGV is mapped
	// Code of such a runtime itself, as against the code that it makes, in which a fault is its
	// end.
	uint64_t fatal_start, fatal_end;
};
struct dc_error *ground_survey(struct process *process, struct ground *ret) DC_CHECK;
void ground_deinit(struct ground *ground);

// The part of a thread's own stack that may be used below sp: [low, high). An own stack is [stack],
// or the mapping that holds the thread's control block too; low 0: sp is somewhere else.
struct room {
	uint64_t low, high;
};
struct room ground_room(const struct ground *ground, uint64_t sp, uint64_t fs_base);

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
