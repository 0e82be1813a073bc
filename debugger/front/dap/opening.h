// SPDX-License-Identifier: MIT
// A target is opened on a thread of its own: that takes time, and before it there is no session
// whose worker could.
#ifndef DEBUGGER_FRONT_DAP_OPENING_H
#define DEBUGGER_FRONT_DAP_OPENING_H

#include "debugger/debugcall.h"

struct request;

struct opening_steps {
	struct dc_error *(*find)(struct request *request, pid_t *pid); // whom
	// What is done with the session before anybody else has it.
	struct dc_error *(*begin)(struct request *request, struct dc_session *session);
};

struct opening;
// request: passed on to the steps, which may complain of it. NULL: no memory, or no thread.
struct opening *opening_start(struct request *request, const struct opening_steps *steps);
int opening_fd(const struct opening *opening); // readable when it has ended
void opening_cancel(struct opening *opening); // it ends early, with a complaint
// Waits for the end, and frees it. *ret NULL: an error, or a complaint.
struct dc_error *opening_finish(struct opening *opening, struct dc_session **ret);

#endif
