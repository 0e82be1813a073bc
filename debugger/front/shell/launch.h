// SPDX-License-Identifier: MIT
// A program of the shell's own: begun under control, begun again with its breakpoints, and killed
// when the shell leaves it.
#ifndef DEBUGGER_FRONT_SHELL_LAUNCH_H
#define DEBUGGER_FRONT_SHELL_LAUNCH_H

#include "debugger/front/shell/shell.h"

// It stands before its first instruction, and what was the target before is left.
int shell_launch_begin(struct shell *shell);
// The process is left, and killed unless it has ended; its breakpoints are kept for the next.
void shell_launch_leave(struct shell *shell, bool has_ended);
// A person agrees that the process is killed, or nobody is asked.
bool shell_launch_may_end(struct shell *shell);
// Nothing is kept any more.
void shell_launch_forget(struct shell *shell);
void shell_launch_deinit(struct shell *shell);

#endif
