// SPDX-License-Identifier: MIT
// The other threads of a target, all stopped while one is borrowed: --all-stop.
#ifndef DEBUGGER_INJECT_ALL_STOP_H
#define DEBUGGER_INJECT_ALL_STOP_H

#include "debugger/target/tracer.h"

struct companion {
	pid_t tid;
	int signo; // a signal it was stopped with, delivered when it goes on
};
struct all_stop {
	struct tracer *tracer; // NULL: nobody was stopped
	struct process *process;
	struct companion *companions;
	size_t n, room;
};
// Stops every thread except the held one, those that are created meanwhile too. REFUSED when one
// cannot be stopped; what was stopped is let go of by all_stop_release().
struct dc_error *all_stop_stop(struct all_stop *company, struct tracer *tracer,
			       struct process *process, pid_t except) DC_CHECK;
struct dc_error *all_stop_release(struct all_stop *company) DC_CHECK;
void all_stop_deinit(struct all_stop *company);

#endif
