// SPDX-License-Identifier: MIT
// The end of a conversation, and of what is done in it.
#include "debugger/front/dap/dap.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

// The program may see to its end; who wants more disconnects.
struct dc_error *dap_terminate(struct dc_session *session, void *arg)
{
	struct request *request = arg;

	if (!kill(request->dap->pid, SIGTERM))
		return dap_go(session, request);
	request_complain(request, "process %d cannot be asked to end: %s", request->dap->pid,
			 strerror(errno));
	return NULL;
}

// What we launched ends with us unless told otherwise, what we attached to does not.
struct dc_error *dap_disconnect(struct request *request)
{
	struct dap *dap = request->dap;
	bool ends = argument_flag(request, request->arguments, "terminateDebuggee",
				  dap->is_launch && !dap->outlives);
	bool suspends = argument_flag(request, request->arguments, "suspendDebuggee", false);

	if (request->complaint)
		return NULL;
	dap->leave = ends ? LEAVE_ENDED : suspends ? LEAVE_STOPPED : LEAVE_RUNNING;
	dap->outlives = !ends;
	dap->farewell = request;
	request->is_taken = true;
	dap->ending = true;
	return NULL;
}

void dap_leave(struct dap *dap)
{
	if (dap->session && dap->leave == LEAVE_ENDED)
		dc_error_destroy(dc_kill(dap->session));
	bool stops = dap->session && !dap->has_ended && dap->leave == LEAVE_STOPPED;

	dap_let_go(dap);
	if (stops)
		kill(dap->pid, SIGSTOP);
	if (dap->outlives)
		launch_release(&dap->launched);
	else
		launch_kill(&dap->launched);
	launch_deinit(&dap->launched);
}

// By the request's number, or by the progress that is told of it. One that has ended, or never was,
// is no matter.
struct dc_error *dap_cancel(struct request *request)
{
	int64_t seq = argument_integer(request, request->arguments, "requestId", false, -1);
	const char *progress = argument_text(request, request->arguments, "progressId", false);

	if (progress && sscanf(progress, "call-%" SCNi64, &seq) != 1)
		seq = -1;
	for (struct request *each = request->dap->under_way; each && !request->complaint;
	     each = each->next) {
		if (each->seq == seq && !each->is_ours)
			dap_undo_one(each);
	}
	// It is answered so in its turn.
	for (struct request *each = request->dap->held; each && !request->complaint;
	     each = each->next) {
		if (each->seq == seq)
			request_complain(each, "cancelled");
	}
	return NULL;
}
