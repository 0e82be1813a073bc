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

// As the settings say; the process need not be under control.
void shell_control_options(const struct shell *shell, struct dc_control_options *ret);
// The process is under control from here on.
struct dc_error *shell_control(struct shell *shell) DC_CHECK;
// From here on the thread is meant, and the frame where it stands.
void shell_choose(struct shell *shell, pid_t tid);
// The chosen thread if it stands, else any that does; 0: none stands.
pid_t shell_standing(struct shell *shell);
// A thread goes on, 0: all that stand; shell_wait_for_stop() follows.
struct dc_error *shell_resume(struct shell *shell, pid_t thread) DC_CHECK;
// The next stop, of one thread (0: of any): others that stop meanwhile are told, and stand.
int shell_wait_for_stop(struct shell *shell, pid_t only);
// All threads stand, for as long as something is done that wants them so; then those that ran go on.
struct standstill {
	bool was_controlled;
	pid_t *tid; // that ran
	size_t n;
};
struct dc_error *shell_stand_still(struct shell *shell, struct standstill *ret) DC_CHECK;
struct dc_error *shell_move_on(struct shell *shell, struct standstill *still) DC_CHECK;
// All that stand run, up to the next stop.
int shell_go_on(struct shell *shell);
// A call that was pending is over.
void shell_say_returned_call(struct shell *shell, const struct dc_event *event);
// Events that came while a line was edited.
void shell_tell_events(void *shell);
// What is to be done at the breakpoint that a thread has just stopped at, and at those that follow.
int shell_run_scripts(struct shell *shell);
void shell_forget_scripts(struct shell *shell);

#endif
