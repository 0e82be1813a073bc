// SPDX-License-Identifier: MIT
// Which thread to borrow: those whose work is least disturbed come first. Stops nothing.
#ifndef DEBUGGER_INJECT_SELECT_CANDIDATE_H
#define DEBUGGER_INJECT_SELECT_CANDIDATE_H

#include "debugger/target/process.h"

enum rank {
	RANK_RESTARTS, // asleep in a system call that goes on unseen
	RANK_RUNS,
	RANK_TIMED, // asleep in a wait that a way home without us may end with EINTR
	RANK_EINTR, // asleep in a wait that a stop ends with EINTR
	RANK_NOT_NOW, // cannot be stopped: reason
};
struct candidate {
	struct thread_info info;
	pid_t tid;
	int64_t awake_at; // when it was seen, if that was not in a wait that a stop ends; else 0
	enum rank rank;
	char reason[96];
};
struct candidates {
	struct candidate *candidate; // the best first
	size_t n;
};
// By what is known of the thread.
struct candidate candidate_judge(const struct process *process, pid_t tid,
				 const struct thread_info *info);
// thread: only that one; 0: all.
struct dc_error *candidates_read(struct process *process, pid_t thread,
				 struct candidates *ret) DC_CHECK;
void candidates_deinit(struct candidates *candidates);

#endif
