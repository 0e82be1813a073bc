// SPDX-License-Identifier: MIT
// Control: when threads are followed at all, what their stops mean, how they go on.
#include "debugger/front/dap/dap.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Of what we launched nobody else waits for an answer.
static bool stops_all(const struct dap *dap)
{
	return dap->call.all_stop || dap->launched.pid;
}

// Only from the first breakpoint or pause on: before that nobody's threads are followed.
struct dc_error *dap_take_control(struct request *request, struct dc_session *session)
{
	const struct dap *dap = request->dap;
	struct dc_control_options options;

	dc_control_options_init(&options);
	options.stop_all = stops_all(dap);
	if (!dap->stops_at_faults)
		options.stop_signals = 0;
	options.children = dap->follows_children ? DC_CHILDREN_ALL : DC_CHILDREN_LEFT;
	options.is_child = dap->is_child;
	return dc_control(session, &options);
}

struct standing {
	bool found;
	struct dc_stop stop; // its texts are these:
	char *problem, *was, *is;
	char *returned; // what the function gave that a step has led out of
};

static void standing_deinit(struct standing *standing)
{
	free(standing->problem);
	free(standing->was);
	free(standing->is);
	free(standing->returned);
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

static bool take_standing(const struct dc_thread *thread, void *arg)
{
	struct standing *standing = arg;

	standing->found = true;
	standing->stop = thread->stop;
	standing->problem = copy(thread->stop.problem);
	standing->was = copy(thread->stop.was);
	standing->is = copy(thread->stop.is);
	return false;
}

// The thread, 0: any, if it stands at this moment; nobody does without control.
static struct dc_error *find_standing(struct dc_session *session, pid_t thread,
				      struct standing *standing)
{
	return dc_is_controlled(session) ? dc_standing(session, thread, take_standing, standing)
					 : NULL;
}

bool dap_stands(struct dc_session *session, pid_t thread)
{
	struct standing standing = { 0 };

	dc_error_destroy(find_standing(session, thread, &standing));
	standing_deinit(&standing);
	return standing.found;
}

unsigned dap_returned(struct dc_session *session, pid_t thread)
{
	struct standing standing = { 0 };

	dc_error_destroy(find_standing(session, thread, &standing));
	standing_deinit(&standing);
	return standing.found && standing.stop.reason == DC_STOP_STEP ? standing.stop.returned : 0;
}

// Nothing is left to stop at, and nobody stands: the process is let go of as it was.
struct dc_error *dap_leave_control(struct request *request, struct dc_session *session)
{
	struct standing standing = { 0 };
	struct dc_error *err;

	if (breakpoints_any(&request->dap->breakpoints) || request->dap->launched.pid ||
	    request->dap->follows_children || !dc_is_controlled(session))
		return NULL;
	err = find_standing(session, 0, &standing);
	standing_deinit(&standing);
	return err || standing.found ? err : dc_uncontrol(session);
}

void dap_forget(struct dap *dap)
{
	references_clear(dap->references);
	json_object_clear(dap->watched);
}

// ---- Stops ----

static const char *const set_reasons[] = {
	[SET_SOURCE] = "breakpoint",
	[SET_FUNCTIONS] = "function breakpoint",
	[SET_INSTRUCTIONS] = "instruction breakpoint",
	[SET_EXCEPTIONS] = "exception",
	[SET_DATA] = "data breakpoint",
};

// SIGSEGV at address 0x10
static void describe_signal(const struct dc_stop *stop, char text[64])
{
	const char *name = sigabbrev_np(stop->signo);

	snprintf(text, 64, "SIG%s", name ?: "?");
	if (stop->signo == SIGSEGV || stop->signo == SIGBUS)
		snprintf(text, 64, "SIG%s at address 0x%jx", name ?: "?", (uintmax_t)stop->addr);
}

static bool is_at_breakpoint(const struct dc_stop *stop)
{
	return stop->breakpoint && stop->reason != DC_STOP_STEP &&
	       stop->reason != DC_STOP_INTERRUPTED;
}

// What is to be known of a stop beside its reason; NULL: nothing.
static json_t *describe_stop(const struct dc_stop *stop, const struct breakpoint *breakpoint,
			     const struct standing *standing)
{
	const char *what = breakpoint
				   ? json_string_value(json_object_get(breakpoint->asked, "dataId"))
				   : NULL;

	// Its number is ours alone.
	what = what && strchr(what, ' ') ? strchr(what, ' ') + 1 : what ?: "the object";
	if (standing && standing->problem)
		return json_text(standing->problem);
	if (standing && standing->returned)
		return json_sprintf("Value returned is $%u = %s", stop->returned,
				    standing->returned);
	if (stop->reason == DC_STOP_SCOPE)
		return json_sprintf("the frame of %s has returned", what);
	if (stop->reason == DC_STOP_FORK || stop->reason == DC_STOP_VFORK)
		return json_sprintf("it has made process %d", stop->child);
	if (stop->reason == DC_STOP_SYSCALL && stop->is_return)
		return json_sprintf("%s gave %jd", stop->syscall_name ?: "a system call",
				    (intmax_t)stop->result);
	if (stop->reason == DC_STOP_SYSCALL)
		return json_sprintf("before %s", stop->syscall_name ?: "a system call");
	if (stop->reason != DC_STOP_WATCHPOINT || !standing)
		return NULL;
	if (!strcmp(standing->was ?: "", standing->is ?: ""))
		return json_sprintf("%s is %s", what, standing->is ?: "");
	return json_sprintf("%s was %s, is %s", what, standing->was ?: "", standing->is ?: "");
}

static void tell_stop(struct request *request, const struct dc_stop *stop,
		      const struct breakpoint *breakpoint, const struct standing *standing)
{
	const char *reason = request->reason ?: "pause";
	json_t *body, *description = describe_stop(stop, breakpoint, standing);
	char signal[64] = "";

	switch (stop->reason) {
	case DC_STOP_BREAKPOINT:
		reason = breakpoint ? set_reasons[breakpoint->set] : "breakpoint";
		break;
	case DC_STOP_WATCHPOINT:
	case DC_STOP_SCOPE: reason = "data breakpoint"; break;
	case DC_STOP_SIGNAL:
		reason = "exception";
		describe_signal(stop, signal);
		break;
	case DC_STOP_STEP: reason = "step"; break;
	case DC_STOP_SYSCALL:
	case DC_STOP_FORK:
	case DC_STOP_VFORK: reason = "exception"; break;
	case DC_STOP_EXEC: reason = request->dap->at_entry ? "entry" : "exec"; break;
	default: break;
	}
	// It was ours, for the step.
	if (is_at_breakpoint(stop) && stop->breakpoint == request->dap->step_target)
		reason = "step";
	body = json_pack("{ss si sb so*}", "reason", reason, "threadId", stop->thread,
			 "allThreadsStopped", stop->all_stand, "description", description);
	if (*signal)
		json_object_set_new(body, "text", json_string(signal));
	if (breakpoint && breakpoint->set == SET_EXCEPTIONS && !*signal)
		json_object_set(body, "text", json_object_get(breakpoint->asked, "filterId"));
	if (description && stop->reason == DC_STOP_WATCHPOINT)
		json_object_set(body, "text", description);
	if (breakpoint)
		json_object_set_new(body, "hitBreakpointIds", json_pack("[i]", breakpoint->id));
	request_tell(request, "stopped", body);
}

// Whether a breakpoint's thread stays, by what only we know of it: hit conditions, log points.
static bool stays(struct request *request, struct dc_session *session,
		  struct breakpoint *breakpoint, pid_t thread)
{
	if (!breakpoint_hit(breakpoint))
		return false;
	if (!breakpoint->log)
		return true;
	char *message = breakpoint_message(request, session, breakpoint, thread);
	json_t *body = json_pack("{ss so*}", "category", "console", "output",
				 json_text(message ?: "out of memory\n"));

	if (breakpoint->file) {
		json_object_set_new(body, "source", dap_source(request->dap, breakpoint->file));
		json_object_set_new(body, "line",
				    json_integer(breakpoint->line - request->dap->lines_from_0));
	}
	request_tell(request, "output", body);
	free(message);
	return false;
}

struct other {
	pid_t than;
	bool found;
};

static bool find_other(const struct dc_thread *thread, void *arg)
{
	struct other *other = arg;

	other->found |= thread->tid != other->than && thread->stop.reason != DC_STOP_INTERRUPTED;
	return !other->found;
}

// Nobody is told of the stop, so whom it stopped goes on too, unless there is another stop.
static struct dc_error *go_on(struct request *request, struct dc_session *session)
{
	struct other other = { .than = request->thread };
	struct dc_error *err;

	if (!stops_all(request->dap))
		return dc_continue(session, request->thread);
	err = dc_standing(session, 0, find_other, &other);
	return err || other.found ? err : dc_continue(session, 0);
}

// It has been met and is gone, or something else has ended the step.
static void forget_step_target(struct dap *dap, struct dc_session *session)
{
	if (dap->step_target)
		dc_error_destroy(dc_breakpoint_delete(session, dap->step_target));
	dap->step_target = 0;
	dap->step_thread = 0;
}

struct dc_error *dap_stopped(struct dc_session *session, void *arg)
{
	struct request *request = arg;
	struct standing standing = { 0 };
	struct dc_error *err = find_standing(session, request->thread, &standing);
	struct breakpoint *breakpoint = NULL;

	if (err)
		return err;
	// It may have been sent on by what was asked before we came to it.
	if (!standing.found)
		return NULL;
	if (standing.stop.returned)
		dc_error_destroy(
			dc_print_result(session, standing.stop.returned, &standing.returned));
	if (is_at_breakpoint(&standing.stop))
		breakpoint = breakpoints_find(&request->dap->breakpoints, standing.stop.breakpoint);
	if (breakpoint && !standing.problem && standing.stop.reason != DC_STOP_SCOPE &&
	    !stays(request, session, breakpoint, request->thread)) {
		err = go_on(request, session);
	} else {
		tell_stop(request, &standing.stop, breakpoint, &standing);
		if (breakpoint && standing.stop.reason == DC_STOP_SCOPE)
			breakpoint_is_gone(request, breakpoint);
		if (request->thread == request->dap->step_thread)
			forget_step_target(request->dap, session);
	}
	standing_deinit(&standing);
	return err;
}

static bool tell_one(const struct dc_thread *thread, void *arg)
{
	tell_stop(arg, &thread->stop, NULL, NULL);
	return true;
}

struct dc_error *dap_tell_standing(struct dc_session *session, void *arg)
{
	return dc_is_controlled(session) ? dc_standing(session, 0, tell_one, arg) : NULL;
}

// ---- Requests ----

struct dc_error *dap_ask_pause(struct request *request)
{
	int64_t thread = argument_integer(request, request->arguments, "threadId", true, 0);

	// A goroutine stands when its thread does, and so do all.
	if (!request->complaint)
		dap_await_pause(request->dap,
				thread > 0 && thread < GOROUTINES ? (pid_t)thread
								  : request->dap->pid,
				"pause");
	return NULL;
}

struct dc_error *dap_pause(struct dc_session *session, void *arg)
{
	struct request *request = arg;
	struct standing standing = { 0 };
	struct dc_error *err = dap_take_control(request, session);

	if (!err)
		err = find_standing(session, 0, &standing);
	standing_deinit(&standing);
	request->all_stood = standing.found && standing.stop.all_stand;
	return err ? err : dc_interrupt(session, 0);
}

struct dc_error *dap_go(struct dc_session *session, void *arg)
{
	struct request *request = arg;

	dap_forget(request->dap);
	request->dap->at_entry = false;
	return dc_is_controlled(session) ? dc_continue(session, 0) : NULL;
}

struct dc_error *dap_continue(struct dc_session *session, void *arg)
{
	struct request *request = arg;
	int64_t thread = argument_integer(request, request->arguments, "threadId", true, 0);
	bool single = argument_flag(request, request->arguments, "singleThread", false);

	request->dap->at_entry = false;
	if (request->complaint)
		return NULL;
	if (!dc_is_controlled(session)) {
		request_complain(request, "the process runs");
		request->message_id = "notStopped";
		return NULL;
	}
	dap_forget(request->dap);

	struct dc_error *err = dc_continue(session, single ? (pid_t)thread : 0);

	request->body = json_pack("{sb}", "allThreadsContinued", !single);
	return err ? err : dap_leave_control(request, session);
}

// ---- Steps ----

struct others {
	pid_t thread; // that steps
	pid_t tids[256]; // that stand beside it
	size_t n;
};

static bool note_other(const struct dc_thread *thread, void *arg)
{
	struct others *others = arg;

	if (thread->tid != others->thread &&
	    others->n < sizeof(others->tids) / sizeof(*others->tids))
		others->tids[others->n++] = thread->tid;
	return true;
}

// A step may wait for what another thread holds; unless only this one is meant, those run on.
static struct dc_error *continue_others(struct request *request, struct dc_session *session,
					pid_t thread)
{
	struct others others = { .thread = thread };
	struct dc_error *err = dc_standing(session, 0, note_other, &others);

	for (size_t i = 0; !err && i < others.n; i++) {
		err = dc_continue(session, others.tids[i]);
		if (!err)
			request_tell(request, "continued",
				     json_pack("{si sb}", "threadId", others.tids[i],
					       "allThreadsContinued", 0));
	}
	return err;
}

// A step over the line meets a breakpoint in what was chosen of its calls.
static struct dc_error *aim(struct request *request, struct dc_session *session, pid_t thread)
{
	struct dap *dap = request->dap;
	uint64_t addr;

	if (!dap_target(request, &addr))
		return NULL;
	forget_step_target(dap, session);
	dap->step_thread = thread;
	return dap_step_to(session, thread, addr, &dap->step_target);
}

static struct dc_error *step(struct request *request, struct dc_session *session, enum dc_step how,
			     enum dc_step by_instruction)
{
	int64_t thread = argument_integer(request, request->arguments, "threadId", true, 0);
	const char *granularity = argument_text(request, request->arguments, "granularity", false);
	bool single = argument_flag(request, request->arguments, "singleThread", false);
	bool is_instruction = granularity && !strcmp(granularity, "instruction");
	const struct dc_step_options options = {
		.thread = (pid_t)thread,
		.how = json_object_get(request->arguments, "targetId") ? DC_STEP_OVER
		       : is_instruction				       ? by_instruction
								       : how,
	};
	struct dc_error *err;

	if (!request->complaint && !dap_stands(session, (pid_t)thread)) {
		request_complain(request, "thread %jd does not stand", (intmax_t)thread);
		request->message_id = "notStopped";
	}
	if (request->complaint)
		return NULL;
	if (how == DC_STEP_INTO && json_object_get(request->arguments, "targetId")) {
		err = aim(request, session, (pid_t)thread);
		if (err || request->complaint)
			return err;
	}
	dap_forget(request->dap);
	err = dc_step(session, &options);
	return err || single ? err : continue_others(request, session, (pid_t)thread);
}

struct dc_error *dap_next(struct dc_session *session, void *arg)
{
	return step(arg, session, DC_STEP_OVER, DC_STEP_INSTRUCTION_OVER);
}

struct dc_error *dap_step_in(struct dc_session *session, void *arg)
{
	return step(arg, session, DC_STEP_INTO, DC_STEP_INSTRUCTION);
}

struct dc_error *dap_step_out(struct dc_session *session, void *arg)
{
	return step(arg, session, DC_STEP_OUT, DC_STEP_OUT);
}

struct dc_error *dap_exception_info(struct dc_session *session, void *arg)
{
	struct request *request = arg;
	int64_t thread = argument_integer(request, request->arguments, "threadId", true, 0);
	struct standing standing = { 0 };
	const struct breakpoint *breakpoint;
	struct dc_error *err;
	const char *name;
	char text[64];

	if (request->complaint)
		return NULL;
	err = find_standing(session, (pid_t)thread, &standing);
	if (err)
		return err;
	breakpoint = standing.found ? breakpoints_find(&request->dap->breakpoints,
						       standing.stop.breakpoint)
				    : NULL;
	if (standing.found && standing.stop.reason == DC_STOP_SIGNAL) {
		name = sigabbrev_np(standing.stop.signo);
		describe_signal(&standing.stop, text);
		request->body = json_pack("{so ss ss}", "exceptionId",
					  json_sprintf("SIG%s", name ?: "?"), "description", text,
					  "breakMode", "always");
	} else if (breakpoint && breakpoint->set == SET_EXCEPTIONS) {
		request->body = json_pack("{sO ss so*}", "exceptionId",
					  json_object_get(breakpoint->asked, "filterId"),
					  "breakMode", "always", "description",
					  describe_stop(&standing.stop, breakpoint, &standing));
	} else {
		request_complain(request, "thread %jd does not stand at an exception",
				 (intmax_t)thread);
	}
	standing_deinit(&standing);
	return NULL;
}
