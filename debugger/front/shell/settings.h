// SPDX-License-Identifier: MIT
// What set changes and show tells: one table.
#ifndef DEBUGGER_FRONT_SHELL_SETTINGS_H
#define DEBUGGER_FRONT_SHELL_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

struct shell;

struct logging {
	char *file; // NULL: a usual name
	bool overwrites, redirects;
};

struct settings {
	char *prompt;
	bool stops_all; // what stops one thread stops all
	const char *locking; // "off", "step", "on": whether others then run with one that goes on
	const char *fork_mode; // "parent", "child": whom the shell goes on with
	const char *exec_mode, *detach; // "same", "on": as it always is here
	bool confirm, keeps_going, paginates, echoes;
	bool no_history; // lines are not kept
	bool no_patch; // no breakpoint is patched into the code
	unsigned history_size, list_size, width, height; // width, height 0: the terminal's
	// set substitute-path: source files that begin with from are found under to.
	char *from, *to;
	char *directory; // where source files are looked for, too; NULL: nowhere
};

bool settings_init(struct settings *settings); // false: no memory
void settings_deinit(struct settings *settings);

// The i-th setting's name, for lists and completion; NULL: there are no more.
const char *setting_name(size_t i);
// Whether the word begins one; *length: of its name in the text.
bool setting_is(const char *text, size_t *length);
int setting_set(struct shell *shell, const char *text);
int setting_show(struct shell *shell, const char *name); // NULL: all

#endif
