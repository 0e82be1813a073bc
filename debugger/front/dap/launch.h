// SPDX-License-Identifier: MIT
// A program that we start: a process between it and us, its keeper, is its parent, begins it when it
// is told, tells how it ended, and ends it when we end. In a terminal of the client's the keeper is
// begun there, and comes to us.
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
	int link; // to the keeper
	int out, err; // what it writes; -1: somebody else reads it
	int listener; // where the keeper is to come; -1: it has, or is ours
	char folder[32]; // the listener's
};

void launched_init(struct launched *launched);
// 0, or an errno.
int launch_prepare(const struct launch_options *options, struct launched *ret);
// The same of a keeper that a terminal is to begin, by "debugcall dap --keep ADDRESS …".
int launch_listen(struct launched *ret, char address[64]);
int launch_accept(struct launched *launched); // waits until it has come
int launch_keep(const char *address, const struct launch_options *options); // is that keeper

// It is run now, which whoever traces it sees. 0: it is; else an errno. Waits until it is known.
int launch_go(struct launched *launched);
// Of the link when it is readable. False: it tells nothing yet; -1: nobody knows any more.
bool launch_ended(struct launched *launched, int *status);
void launch_release(struct launched *launched); // it runs on when we end
void launch_kill(struct launched *launched); // nothing when there is none
void launch_deinit(struct launched *launched); // of what is left open

#endif
