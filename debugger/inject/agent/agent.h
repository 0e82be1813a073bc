// SPDX-License-Identifier: MIT
// The host that libdebugcall-agent brings into a process: calls go through its mailbox to a thread of
// its own, and no thread of the program is stopped.
#ifndef DEBUGGER_INJECT_AGENT_AGENT_H
#define DEBUGGER_INJECT_AGENT_AGENT_H

#include "debugger/inject/agent/post.h"
#include "debugger/inject/host.h"
#include "debugger/inject/thrown.h"

struct agent {
	struct post post;
	struct loan *loan; // for its options alone
	struct symbols *symbols; // with unwind, for reports
	struct unwind *unwind;
	pid_t thread; // that makes the calls when it polls, as the target sees it; 0: the agent's own
	int64_t wait_ns; // for it
	struct throwing throwing; // what the program's C++ runtime has
	uint64_t thrown; // an exception that left the callee and is to be ended; 0: none
	uint64_t room, room_used; // for what is made in the target: MAILBOX_DATA bytes; 0: none yet
	int64_t compared_ns; // when the rights were last compared; 0: never

	// The request that is under way.
	struct request *request;
	uint32_t asked; // calls of the last question
	uint32_t seen; // of these, that have returned
	int64_t deadline; // of the call that is under way; 0: none
	int64_t cancelled_ns; // when the host was asked where the callee is; 0: it was not
	struct dc_error *outcome;
};
extern const struct host agent_host;

// The callee was stopped by the host: may it be undone where it is? The error is the request's
// outcome either way.
bool agent_judge(struct agent *agent);
// What became of it, once the host has answered; NULL: it returned.
struct dc_error *agent_outcome(struct agent *agent) DC_CHECK;
// DEADLINE or CANCELLED.
struct dc_error *agent_overdue(const struct agent *agent) DC_CHECK;

#endif
