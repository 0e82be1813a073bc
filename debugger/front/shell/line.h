// SPDX-License-Identifier: MIT
// A line from a person at a terminal: edited, completed, remembered.
#ifndef DEBUGGER_FRONT_SHELL_LINE_H
#define DEBUGGER_FRONT_SHELL_LINE_H

#include "debugger/front/shell/source.h"

// What the Tab key offers for the word that begins at text[start] and ends with the text; each goes
// to add. *blank: one alone is followed by a blank.
typedef void line_completer(const char *text, size_t start,
			    void (*add)(const char *word, void *list), void *list, bool *blank);
// The characters that such words begin behind, in this line.
typedef const char *line_breaker(const char *text);

void line_begin(line_completer *completer, line_breaker *breaks, unsigned history_size);
void line_end(void);
enum source_state line_read(const char *prompt, char **ret);
// While a line is waited for, this descriptor (-1: none) is, too; told then has what is to be
// written above the line.
void line_watch(int fd, void (*told)(void *), void *arg);

// The lines before, the oldest first; NULL: there are no more.
const char *line_history(size_t i);
// Keeps a line, unless it is the last one again.
void line_remember(const char *line);
// A yes, or the end of the input.
bool line_confirm(const char *question);

#endif
