// SPDX-License-Identifier: MIT
// What the shell does about signals that threads are sent: stop there, say so, let them have it.
#ifndef DEBUGGER_FRONT_SHELL_SIGNALS_H
#define DEBUGGER_FRONT_SHELL_SIGNALS_H

#include "debugger/debugcall.h"

struct shell;

struct signals { // bit signo-1
	uint64_t stop, print, pass;
	uint64_t told; // what a person has said about it stays
};

void signals_init(struct signals *signals);
// A process has come: what is typed at the terminal of a launched one is for the debugger.
void signals_expect(struct shell *shell);
uint64_t signals_that_stop(const struct shell *shell); // for any of the three
// A thread that stands at a signal goes on, where it is to; say: how it is told.
bool signals_pass_by(struct shell *shell, const struct dc_stop *stop,
		     void (*say)(struct shell *, const struct dc_stop *));
// One that stops here is not to have its signal later.
void signals_drop(struct shell *shell, const struct dc_stop *stop);
// "INT", "SIGINT", "2"; 0: there is none of that name.
int signal_number(const char *text);

#endif
