// SPDX-License-Identifier: MIT
// A line about what takes long, for a person at a terminal; it is gone when anything else is said.
#ifndef DEBUGGER_FRONT_SHELL_PROGRESS_H
#define DEBUGGER_FRONT_SHELL_PROGRESS_H

#include <stdbool.h>

void progress_allow(bool is_allowed); // there is a person
// From half a second on it is told that this goes on; what: copied. The two need not be paired.
void progress_begin(const char *what);
void progress_end(void);
// Around what else is written to the terminal: the line makes way, and does not come back within.
void progress_hide(void);
void progress_show(bool at_line_begin);

#endif
