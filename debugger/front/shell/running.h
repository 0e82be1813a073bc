// SPDX-License-Identifier: MIT
// Stops of threads, as the shell tells them and goes on from them.
#ifndef DEBUGGER_FRONT_SHELL_RUNNING_H
#define DEBUGGER_FRONT_SHELL_RUNNING_H

#include "debugger/front/shell/shell.h"

struct breakpoint_script {
	unsigned number;
	struct lines lines;
	struct breakpoint_script *next;
};

// The process is under control from here on.
struct dc_error *shell_control(struct shell *shell) DC_CHECK;
// From here on the thread is meant, and the frame where it stands.
void shell_choose(struct shell *shell, pid_t tid);
// All that stand run, up to the next stop.
int shell_go_on(struct shell *shell);
// Events that came while a line was edited.
void shell_tell_events(void *shell);
// What is to be done at the breakpoint that a thread has just stopped at, and at those that follow.
int shell_run_scripts(struct shell *shell);
void shell_forget_scripts(struct shell *shell);

#endif
