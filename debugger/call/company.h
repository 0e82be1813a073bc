// SPDX-License-Identifier: MIT
// The other threads of a target, all stopped while one is borrowed: --all-stop.
#ifndef DEBUGGER_CALL_COMPANY_H
#define DEBUGGER_CALL_COMPANY_H

#include "debugger/target/tracer.h"

struct companion {
	pid_t tid;
	int signo; // a signal it was stopped with, delivered when it goes on
};
struct company {
	struct tracer *tracer; // NULL: nobody was stopped
	struct process *process;
	struct companion *companions;
	size_t n, room;
};
// Stops every thread except the held one, those that are created meanwhile too. REFUSED when one
// cannot be stopped; what was stopped is let go of by company_release().
struct dc_error *company_stop(struct company *company, struct tracer *tracer,
			      struct process *process, pid_t except) DC_CHECK;
struct dc_error *company_release(struct company *company) DC_CHECK;
void company_deinit(struct company *company);

#endif
