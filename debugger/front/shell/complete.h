// SPDX-License-Identifier: MIT
// What a line may go on with. Nothing is run for it, and no thread stopped.
#ifndef DEBUGGER_FRONT_SHELL_COMPLETE_H
#define DEBUGGER_FRONT_SHELL_COMPLETE_H

#include "debugger/front/shell/line.h"

void complete_for(struct shell *shell); // whose lines are completed; NULL: nobody's
line_completer complete_line;
line_breaker complete_breaks;
// Whole lines that the text may become.
void complete_text(const char *text, void (*add)(const char *line, void *arg), void *arg);

#endif
