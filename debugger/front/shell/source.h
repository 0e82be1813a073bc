// SPDX-License-Identifier: MIT
// Where a shell's lines come from: a person, a file, an option, the body of a definition.
#ifndef DEBUGGER_FRONT_SHELL_SOURCE_H
#define DEBUGGER_FRONT_SHELL_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct shell;

struct lines {
	char **text;
	int *number; // in their file
	size_t n;
};
bool lines_add(struct lines *lines, const char *text, int number); // false: no memory
void lines_deinit(struct lines *lines);

struct source {
	const char *name; // in messages: "file:line"; NULL: nobody needs to be told
	int line; // of what was read last
	bool is_terminal; // a person's
	FILE *file; // or
	const char *text; // one line, or
	const struct lines *lines;
	size_t next; // of text, lines
};

enum source_state {
	SOURCE_LINE, // *ret is the next line, malloc'd
	SOURCE_END,
	SOURCE_INTERRUPTED, // at the terminal: the line, or the block, is given up
	SOURCE_BAD, // it cannot be read, or is no text: *ret says why, malloc'd; or NULL
};
enum source_state source_next(struct shell *shell, struct source *source, bool in_block,
			      char **ret);

// The lines up to the end of a block, which is left out; blocks in it are kept whole. otherwise:
// those behind else; NULL: there is none. Says what is wrong.
int source_block(struct shell *shell, const char *what, struct lines *ret, struct lines *otherwise);

#endif
