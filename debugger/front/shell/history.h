// SPDX-License-Identifier: MIT
// The file of lines that were given before: ours alone to read, each line in it once.
#ifndef DEBUGGER_FRONT_SHELL_HISTORY_H
#define DEBUGGER_FRONT_SHELL_HISTORY_H

#include <stddef.h>

// Reads it into readline's list, at most max lines. Without a home there is none.
void history_begin(unsigned max);
void history_keep(const char *line); // in the list and the file
void history_end(void);

#endif
