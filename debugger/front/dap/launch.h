// SPDX-License-Identifier: MIT
// A program that we start: a process between it and us is its parent, tells how it ended, and ends
// with us, and it with that one.
#ifndef DEBUGGER_FRONT_DAP_LAUNCH_H
#define DEBUGGER_FRONT_DAP_LAUNCH_H

#include <stdbool.h>
#include <sys/types.h>

struct launch_options {
	const char *program; // looked for in PATH without a slash
	char **argv, **envp; // envp: NULL is ours
	const char *cwd; // NULL: ours
	bool outlives; // it runs on when we end
};

struct launched {
	pid_t pid; // 0: none
	pid_t parent;
	int go; // the program is not run before a byte is written
	int failure; // an errno comes when it could not be run, else the end
	int report; // its status comes, as of waitpid()
	int out, err; // what it writes
};

// 0, or an errno.
int launch_prepare(const struct launch_options *options, struct launched *ret);
// It is run now, which whoever traces it sees.
void launch_go(struct launched *launched);
// Why it was not run: an errno; 0: it was. Waits until it is known.
int launch_failure(struct launched *launched);
void launch_kill(struct launched *launched); // nothing when there is none
void launch_deinit(struct launched *launched); // of what is left open

#endif
