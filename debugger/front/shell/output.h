// SPDX-License-Identifier: MIT
// Where what the shell says goes: to the terminal page by page, into a file too, to a command.
#ifndef DEBUGGER_FRONT_SHELL_OUTPUT_H
#define DEBUGGER_FRONT_SHELL_OUTPUT_H

#include "debugger/front/shell/shell.h"

// Between the two all that is written to stdout goes by here.
void output_begin(struct shell *shell);
void output_end(void);
// A person has given a line: pages begin anew, and what was unwanted is of the past.
void output_begin_command(void);

// "on", "off", "file NAME", "overwrite on", "redirect on", as gdb's set logging has them.
int output_set_logging(struct shell *shell, const char *text);

#endif
