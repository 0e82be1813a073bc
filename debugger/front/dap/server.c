// SPDX-License-Identifier: MIT
// The loop of a conversation: requests are taken as they come, work on the session is begun and
// left, answers go out when it has ended. The loop itself never waits for the target.
#include "debugger/front/dap/dap.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// A thread that sleeps where nothing wakes it is waited for so long; what does not end when it is
// undone, so long: our own end undoes it, too.
static const int64_t PROGRESS_NS = 500000000, PAUSE_NS = 2000000000, LEAVE_NS = 10000000000;

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

// ---- Stops of all threads ----

void dap_await_pause(struct dap *dap, pid_t thread, const char *reason)
{
	dap->pause = PAUSE_ASKED;
	dap->pause_thread = thread;
	dap->pause_reason = reason;
	dap->pause_until_ns = 0;
}

static void tell_pause(struct dap *dap)
{
	dap->pause = PAUSE_TOLD;
	dap_event(dap, "stopped",
		  json_pack("{ss si sb}", "reason", dap->pause_reason, "threadId",
			    dap->pause_thread, "allThreadsStopped", 1));
}

// Now its threads are on their way to stand, unless they all stood: then none will be told of.
static void pause_was_asked(const struct request *request, const struct dc_error *err)
{
	struct dap *dap = request->dap;

	if (dap->pause != PAUSE_ASKED)
		return;
	if (err || request->complaint)
		dap->pause = PAUSE_NONE;
	else if (request->all_stood)
		tell_pause(dap);
	else
		dap->pause_until_ns = now_ns() + PAUSE_NS;
}

// ---- Work under way ----

static json_t *progress_id(const struct request *request)
{
	return json_sprintf("call-%" PRIi64, request->seq);
}

static void tell_progress(struct dap *dap)
{
	int64_t now = now_ns();

	for (struct request *request = dap->under_way; request; request = request->next) {
		if (request->progress_told || request->is_ours ||
		    now - request->begun_ns < PROGRESS_NS)
			continue;
		request->progress_told = true;
		if (!dap->knows_progress)
			continue;
		const char *expression = json_string_value(
			json_object_get(request->arguments, "expression"));

		dap_event(dap, "progressStart",
			  json_pack("{so* ss sI sb so*}", "progressId", progress_id(request),
				    "title", "debugcall", "requestId", (json_int_t)request->seq,
				    "cancellable", 1, "message",
				    json_text(expression ?: request->command)));
	}
}

// The sooner of a wait in milliseconds, -1: for ever, and the time until.
static int sooner(int wait, int64_t until)
{
	int64_t left = until - now_ns();
	int64_t ms = left > 0 ? left / 1000000 + 1 : 0;

	return wait < 0 || ms < wait ? (int)ms : wait;
}

// Milliseconds until something is to be told or done; -1: nothing is.
static int patience(const struct dap *dap)
{
	int wait = -1;

	for (const struct request *request = dap->under_way; request; request = request->next) {
		if (!request->progress_told && !request->is_ours)
			wait = sooner(wait, request->begun_ns + PROGRESS_NS);
	}
	if (dap->pause == PAUSE_ASKED && dap->pause_until_ns)
		wait = sooner(wait, dap->pause_until_ns);
	if (dap->nr_newborn)
		wait = sooner(wait, dap->tell_newborn_ns);
	return dap->ending ? sooner(wait, dap->leave_ns) : wait;
}

static void append(struct request **list, struct request *request)
{
	while (*list)
		list = &(*list)->next;
	*list = request;
}

static void take_out(struct request *request)
{
	struct dap *dap = request->dap;
	struct request **at = &dap->under_way;

	while (*at != request)
		at = &(*at)->next;
	*at = request->next;
	request->next = NULL;
	if (request->progress_told && dap->knows_progress)
		dap_event(dap, "progressEnd",
			  json_pack("{so*}", "progressId", progress_id(request)));
}

static void finish(struct request *request)
{
	struct dc_error *err = dc_operation_finish(request->operation, NULL);

	take_out(request);
	if (request->job == dap_pause)
		pause_was_asked(request, err);
	dap_answer(request, err);
}

void dap_undo_one(struct request *request)
{
	struct dap *dap = request->dap;

	if (request->operation) {
		dc_operation_cancel(request->operation);
		return;
	}
	opening_cancel(dap->opening);
	// It may wait for the program.
	launch_kill(&dap->launched);
}

// The last first: none of those that wait is to begin because the one before it has ended.
static void undo(struct request *request, bool whole)
{
	if (!request)
		return;
	undo(request->next, whole);
	if (whole || (!request->is_ours && request->handler->calls))
		dap_undo_one(request);
}

void dap_undo(struct dap *dap, bool whole)
{
	undo(dap->under_way, whole);
}

static void begin(struct request *request, struct dc_error *(*job)(struct dc_session *, void *))
{
	struct dap *dap = request->dap;
	struct dc_error *err = dc_start(dap->session, job, request, &request->operation);

	if (err) {
		dap_answer(request, err);
		return;
	}
	request->job = job;
	request->begun_ns = now_ns();
	append(&dap->under_way, request);
}

void dap_begin(struct dap *dap, struct dc_error *(*job)(struct dc_session *, void *), pid_t thread,
	       const char *reason)
{
	struct request *request = dap->ending || !dap->session ? NULL : calloc(1, sizeof(*request));

	if (!request)
		return;
	request->dap = dap;
	request->is_ours = true;
	request->thread = thread;
	request->reason = reason;
	request->command = "";
	begin(request, job);
}

// ---- The target ----

void dap_open(struct request *request, const struct opening_steps *steps)
{
	struct dap *dap = request->dap;

	if (!dap->references)
		dap->references = references_create();
	if (!dap->watched)
		dap->watched = json_object();
	dap->opening = dap->references && dap->watched ? opening_start(request, steps) : NULL;
	if (!dap->opening) {
		request_complain(request, "out of memory");
		if (request->is_taken)
			dap_answer(request, NULL);
		return;
	}
	dap->opener = request;
	request->is_taken = true;
	request->begun_ns = now_ns();
	append(&dap->under_way, request);
}

void dap_let_go(struct dap *dap)
{
	dap_forget_console(dap);
	dap_close_names(dap);
	if (dap->references)
		dap_forget(dap);
	dc_close(dap->session);
	dap->session = NULL;
	dap->event_fd = -1;
	dap->pause = PAUSE_NONE;
	dap->nr_newborn = 0;
}

static void take_target(struct dap *dap)
{
	struct request *request = dap->opener;
	struct dc_error *err = opening_finish(dap->opening, &dap->session);
	bool is_again = dap->configured;

	dap->opening = NULL;
	dap->opener = NULL;
	take_out(request);
	if (dap->session) {
		dap->event_fd = dc_event_fd(dap->session);
	} else {
		launch_kill(&dap->launched);
		launch_deinit(&dap->launched);
	}
	if (dap->terminal_problem && request->complaint) {
		free(request->complaint);
		request->complaint = dap->terminal_problem;
		dap->terminal_problem = NULL;
	}
	dap->terminal_seq = 0;
	dap_answer(request, err);
	if (is_again && dap->session)
		dap_set_off(dap);
	else if (is_again)
		dap_event(dap, "terminated", NULL);
}

// What the client says of the terminal, or of a child. That a terminal has begun is not that the
// program has.
static void take_response(struct dap *dap, const json_t *message)
{
	const char *why = json_string_value(json_object_get(message, "message"));

	dap_child_answered(dap, message);
	if (!dap->terminal_seq || json_is_true(json_object_get(message, "success")) ||
	    json_integer_value(json_object_get(message, "request_seq")) != dap->terminal_seq)
		return;
	free(dap->terminal_problem);
	if (asprintf(&dap->terminal_problem, "the client begins no terminal: %s", why ?: "") < 0)
		dap->terminal_problem = NULL;
	launch_kill(&dap->launched);
}

// ---- Stops ----

// A thread that sleeps where nothing wakes it does not stand; the others are told of by themselves.
static void give_up_pause(struct dap *dap)
{
	if (dap->pause != PAUSE_ASKED || !dap->pause_until_ns || now_ns() < dap->pause_until_ns)
		return;
	dap->pause = PAUSE_NONE;
	dap_begin(dap, dap_tell_standing, 0, dap->pause_reason);
}

static void take_stop(struct dap *dap, const struct dc_stop *stop)
{
	bool is_pause = stop->reason == DC_STOP_INTERRUPTED;

	if (dap->pause == PAUSE_ASKED && stop->all_stand)
		tell_pause(dap);
	// What stopped it is the pause that is, or is to be, told.
	if (!is_pause || dap->pause == PAUSE_NONE)
		dap_begin(dap, dap_stopped, stop->thread, is_pause ? dap->pause_reason : NULL);
}

static void take_events(struct dap *dap)
{
	struct dc_event event;

	while (dap->session && dc_next_event(dap->session, &event)) {
		struct request *request = dap->under_way;

		switch (event.kind) {
		case DC_EVENT_ENDED:
			while (request && request->operation != event.operation)
				request = request->next;
			if (request)
				finish(request);
			break;
		case DC_EVENT_STOPPED: take_stop(dap, &event.stop); break;
		case DC_EVENT_CHILD: dap_ask_for_session(dap, event.child); break;
		case DC_EVENT_RAN_ON:
			if (dap->pause == PAUSE_TOLD)
				dap->pause = PAUSE_NONE;
			break;
		case DC_EVENT_TARGET_ENDED:
			dap->has_ended = true;
			// How it ended is told by its keeper.
			if (dap->launched.pid)
				break;
			dap_output(dap, "important", "the target ended\n");
			dap_event(dap, "terminated", NULL);
			break;
		case DC_EVENT_TARGET_EXECED:
			dap_output(dap, "important", "the target became another program\n");
			break;
		case DC_EVENT_BREAKPOINT:
			dap_begin(dap, dap_breakpoint_found, (pid_t)event.breakpoint, NULL);
			break;
		case DC_EVENT_THREAD_BEGAN: dap_thread_begins(dap, event.thread, now_ns()); break;
		case DC_EVENT_THREAD_ENDED: dap_thread_ends(dap, event.thread); break;
		case DC_EVENT_MODULES: dap_begin(dap, dap_modules_changed, 0, NULL); break;
		default: break;
		}
	}
}

// ---- Requests ----

static const struct handler *find_handler(const char *command)
{
	for (size_t i = 0; i < nr_handlers; i++) {
		if (!strcmp(handlers[i].command, command))
			return &handlers[i];
	}
	return NULL;
}

static bool may_run(struct request *request)
{
	struct dap *dap = request->dap;

	if (!request->handler)
		request_complain(request, "unknown request '%.100s'", request->command);
	else if (request->handler->wants >= WANTS_INITIALIZED && !dap->initialized)
		request_complain(request, "'initialize' comes first");
	else if (request->handler->wants == WANTS_TARGET && !dap->session)
		request_complain(request, "no process yet: 'attach' comes first");
	return !request->complaint;
}

static void run(struct request *request)
{
	struct dap *dap = request->dap;
	struct dc_error *err = NULL;

	if (!may_run(request)) {
		dap_answer(request, NULL);
		return;
	}
	if (request->handler->undoes)
		dap_undo(dap, false);
	if (request->handler->now)
		err = request->handler->now(request);
	if (request->is_taken)
		return;
	// A row with both: the first may leave the rest to the second.
	if (err || request->complaint || request->body || !request->handler->job)
		dap_answer(request, err);
	else
		begin(request, request->handler->job);
}

// While the target is opened, what is not about that waits.
static bool is_to_wait(const struct request *request)
{
	const struct dap *dap = request->dap;

	return (dap->opener || dap->restart) && request->handler && !request->handler->is_urgent;
}

static void take_held(struct dap *dap)
{
	struct request *request;

	while (!dap->ending && (request = dap->held) && !is_to_wait(request)) {
		dap->held = request->next;
		request->next = NULL;
		run(request);
	}
}

static void take_request(struct dap *dap, json_t *message)
{
	json_t *arguments = json_object_get(message, "arguments");
	struct request *request;

	if (!json_is_string(json_object_get(message, "command")) ||
	    !json_is_integer(json_object_get(message, "seq"))) {
		dap_refuse(dap, message, "a request has a 'seq' and a 'command'");
		return;
	}
	if (arguments && !json_is_object(arguments) && !json_is_null(arguments)) {
		dap_refuse(dap, message, "'arguments' is to be an object");
		return;
	}
	request = calloc(1, sizeof(*request));
	if (!request) {
		dap_refuse(dap, message, "out of memory");
		return;
	}
	request->dap = dap;
	request->message = json_incref(message);
	request->command = json_string_value(json_object_get(message, "command"));
	request->seq = json_integer_value(json_object_get(message, "seq"));
	request->arguments = json_is_object(arguments) ? json_incref(arguments) : json_object();
	request->handler = find_handler(request->command);
	if (is_to_wait(request))
		append(&dap->held, request);
	else
		run(request);
}

static void take_message(struct dap *dap, struct message *message)
{
	const char *type;

	switch (message->kind) {
	case MESSAGE_JSON:
		type = json_string_value(json_object_get(message->json, "type"));
		if (type && !strcmp(type, "request"))
			take_request(dap, message->json);
		else if (type && !strcmp(type, "response"))
			take_response(dap, message->json);
		else
			dap_refuse(dap, message->json, "a message has the type 'request'");
		break;
	case MESSAGE_BAD: dap_refuse(dap, NULL, message->complaint); break;
	case MESSAGE_BROKEN:
		fprintf(stderr, "error: %s\n", message->complaint);
		dap->status = dc_code_status(DC_USAGE);
		dap->ending = true;
		break;
	case MESSAGE_END: dap->ending = true; break;
	}
	message_destroy(message);
}

// ---- What we launched ----

// What it has written; false: there is no more now.
static bool take_output(struct dap *dap, int *fd, const char *category)
{
	char text[4097];
	ssize_t n = *fd >= 0 ? read(*fd, text, sizeof(text) - 1) : 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		if (*fd >= 0)
			close(*fd);
		*fd = -1;
		return false;
	}
	// A text ends at a zero, which a program may write all the same.
	for (ssize_t i = 0; i < n; i++)
		text[i] = text[i] ?: ' ';
	text[n] = '\0';
	dap_output(dap, category, text);
	return true;
}

static void take_end(struct dap *dap)
{
	int status;

	if (!launch_ended(&dap->launched, &status))
		return;
	while (take_output(dap, &dap->launched.out, "stdout") ||
	       take_output(dap, &dap->launched.err, "stderr"))
		;
	if (status >= 0)
		dap_event(dap, "exited",
			  json_pack("{si}", "exitCode",
				    WIFEXITED(status) ? WEXITSTATUS(status)
						      : 128 + WTERMSIG(status)));
	dap_event(dap, "terminated", NULL);
}

// ---- The loop ----

static void begin_end(struct dap *dap)
{
	struct request *request;

	dap->leave_ns = now_ns() + LEAVE_NS;
	dap_undo(dap, true);
	while ((request = dap->held ?: dap->restart)) {
		if (request == dap->held)
			dap->held = request->next;
		else
			dap->restart = NULL;
		request_complain(request, "cancelled");
		dap_answer(request, NULL);
	}
}

// What does not end, our own end undoes: nobody waits for it any longer.
static void leave_at_once(struct dap *dap)
{
	fputs("error: what was under way does not end; it is undone by our end\n", stderr);
	if (!dap->outlives)
		launch_kill(&dap->launched);
	_exit(1);
}

static void look_after(struct dap *dap)
{
	if (dap->opening && poll(&(struct pollfd){ opening_fd(dap->opening), POLLIN, 0 }, 1, 0) > 0)
		take_target(dap);
	take_events(dap);
	if (dap->restart && !dap->under_way)
		dap_begin_again(dap);
	take_held(dap);
	if (dap->ending && !dap->leave_ns)
		begin_end(dap);
	if (dap->ending && now_ns() > dap->leave_ns)
		leave_at_once(dap);
	if (dap->nr_newborn && now_ns() > dap->tell_newborn_ns)
		dap_tell_newborn(dap);
	tell_progress(dap);
	give_up_pause(dap);
}

static void loop(struct dap *dap)
{
	while (!dap->ending || dap->under_way) {
		// A keeper tells whoever opens before the loop.
		const struct launched *launched = &dap->launched;
		bool runs = launched->pid && !dap->opening;
		struct pollfd polls[] = {
			{ dap->ending ? -1 : wire_fd(dap->wire), POLLIN, 0 },
			{ dap->session ? dap->event_fd : -1, POLLIN, 0 },
			{ runs ? launched->out : -1, POLLIN, 0 },
			{ runs ? launched->err : -1, POLLIN, 0 },
			{ runs ? launched->link : -1, POLLIN, 0 },
			{ dap->opening ? opening_fd(dap->opening) : -1, POLLIN, 0 },
		};
		struct message *message;

		if (poll(polls, 6, patience(dap)) < 0 && errno != EINTR)
			break;
		if (polls[2].revents)
			take_output(dap, &dap->launched.out, "stdout");
		if (polls[3].revents)
			take_output(dap, &dap->launched.err, "stderr");
		if (polls[4].revents)
			take_end(dap);
		while (!dap->ending && (message = wire_next(dap->wire)))
			take_message(dap, message);
		look_after(dap);
	}
}

int dap_serve(int in, int out, FILE *log, const char *token)
{
	struct dap dap = {
		.event_fd = -1, .token = token, .repl_calls = true, .stops_at_faults = true
	};

	launched_init(&dap.launched);
	dap.wire = wire_open(in, out, log);
	if (!dap.wire) {
		fputs("error: cannot begin to listen\n", stderr);
		return 1;
	}
	loop(&dap);
	dap_leave(&dap);
	if (dap.farewell)
		dap_answer(dap.farewell, NULL);
	breakpoints_clear(&dap.breakpoints);
	references_destroy(dap.references);
	dap_close_names(&dap);
	json_decref(dap.modules);
	json_decref(dap.watched);
	json_decref(dap.source_map);
	json_decref(dap.configuration);
	json_decref(dap.children);
	free(dap.terminal_problem);
	wire_close(dap.wire);
	return dap.status;
}
