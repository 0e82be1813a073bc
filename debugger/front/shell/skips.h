// SPDX-License-Identifier: MIT
// Functions and files that step does not stay in.
#ifndef DEBUGGER_FRONT_SHELL_SKIPS_H
#define DEBUGGER_FRONT_SHELL_SKIPS_H

#include "debugger/debugcall.h"

struct shell;

struct skip {
	unsigned number;
	char *function, *file; // patterns; NULL: any
	bool is_disabled;
	struct skip *next;
};

// Steps into functions that are under way, one after the other, so that each end is looked at.
struct stepping {
	pid_t thread; // 0: none are
	unsigned long left; // to go, with the one under way
	bool leaves; // a function that is skipped
	bool alone; // the others stand meanwhile
};

// The step that has ended is not the end: another one is under way. *err: it cannot be.
bool skips_go_on(struct shell *shell, const struct dc_stop *stop, struct dc_error **err);
void skips_deinit(struct shell *shell);

#endif
