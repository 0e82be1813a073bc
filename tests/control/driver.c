// SPDX-License-Identifier: MIT
// A debugger that does one thing to a process without end, to be killed while it does:
//
//   driver PID step|next|stepi|watch|break|all|call|places      call: whose callee stands at a breakpoint;
//                                                              places: of milestones, more than hardware has
#include "debugger/debugcall.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void good(struct dc_error *err)
{
	if (!err)
		return;
	fprintf(stderr, "%s\n", err->message);
	exit(1);
}

static struct dc_stop next_stop(struct dc_session *session)
{
	struct dc_event event = { 0 };

	while (event.kind != DC_EVENT_STOPPED) {
		if (!dc_wait_event(session, -1, &event))
			exit(2);
		if (event.kind == DC_EVENT_TARGET_ENDED)
			exit(3);
	}
	return event.stop;
}

static void await_return(struct dc_session *session)
{
	struct dc_event event = { 0 };

	while (event.kind != DC_EVENT_RETURNED) {
		if (!dc_wait_event(session, -1, &event) || event.kind == DC_EVENT_TARGET_ENDED)
			exit(3);
	}
	if (event.failure) {
		fprintf(stderr, "%s\n", event.failure);
		exit(5);
	}
}

static void say_at_work(void)
{
	puts("at work");
	fflush(stdout);
}

static pid_t next_child(struct dc_session *session)
{
	struct dc_event event = { 0 };

	while (event.kind != DC_EVENT_CHILD) {
		if (!dc_wait_event(session, -1, &event) || event.kind == DC_EVENT_TARGET_ENDED)
			exit(3);
	}
	return event.child;
}

// Until it has ended.
static void see_through(struct dc_session *session)
{
	struct dc_event event = { 0 };

	good(dc_continue(session, 0));
	while (event.kind != DC_EVENT_TARGET_ENDED && dc_wait_event(session, -1, &event)) {
		if (event.kind == DC_EVENT_STOPPED)
			good(dc_continue(session, 0));
	}
}

static void see_child(pid_t pid)
{
	const struct dc_breakpoint_options place = { .place = "born", .pending = true };
	struct dc_control_options control;
	struct dc_options options;
	struct dc_session *session;
	unsigned number;

	dc_options_init(&options);
	options.pid = pid;
	dc_control_options_init(&control);
	control.is_child = true;
	good(dc_open(&options, &session));
	good(dc_control(session, &control));
	if (dc_event_fd(session) < 0)
		exit(2);
	good(dc_breakpoint_set(session, &place, &number));
	see_through(session);
	dc_close(session);
}

static int children(struct dc_session *session, bool follows)
{
	const struct dc_breakpoint_options place = { .place = "born" };
	struct dc_control_options control;
	unsigned number;

	dc_control_options_init(&control);
	control.children = follows ? DC_CHILDREN_FIRST : DC_CHILDREN_ALL;
	if (follows)
		good(dc_breakpoint_set(session, &place, &number));
	say_at_work();
	good(dc_control(session, &control));
	while (!follows)
		see_child(next_child(session));
	good(dc_follow(session, next_child(session)));
	see_through(session);
	pause();
	return 0;
}

static int call(struct dc_session *session)
{
	struct dc_expression *expression;
	struct dc_call_options options;

	dc_call_options_init(&options);
	options.may_pend = true;
	good(dc_parse(session, "triple(triple(1))", NULL, &expression));
	for (bool first = true;; first = false) {
		struct dc_result result;
		struct dc_error *err = dc_evaluate(session, expression, &options, &result);

		if (!err || err->code != DC_PENDING)
			return 4;
		dc_error_destroy(err);
		good(dc_continue(session, next_stop(session).thread));
		if (first)
			say_at_work();
		good(dc_continue(session, next_stop(session).thread));
		await_return(session);
	}
}

static void set_places(struct dc_session *session)
{
	// The last three need the processor's; to the others uprobes stand in for it.
	static const char *const all[] = { "by_push",  "by_data",  "by_jump", "by_call",
					   "by_endbr", "by_store", "by_lock", "by_flags" };

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		const struct dc_breakpoint_options options = { .place = all[i] };
		unsigned number;

		good(dc_breakpoint_set(session, &options, &number));
	}
}

int main(int argc, char *argv[])
{
	const char *what = argc > 2 ? argv[2] : "";
	struct dc_options options;
	struct dc_control_options control;
	struct dc_session *session;
	bool steps = !strcmp(what, "step") || !strcmp(what, "next") || !strcmp(what, "stepi");
	const struct dc_breakpoint_options place = { .place = strcmp(what, "call") ? "serve"
										   : "triple",
						     .temporary = steps };
	const struct dc_breakpoint_options object = { .kind = DC_WATCH, .place = "watched" };
	unsigned number;

	if (argc != 3)
		return 2;
	dc_options_init(&options);
	options.pid = atoi(argv[1]);
	good(dc_open(&options, &session));
	dc_control_options_init(&control);
	control.stop_all = !strcmp(what, "all");
	good(dc_control(session, &control));
	if (dc_event_fd(session) < 0)
		return 2;
	if (!strcmp(what, "places"))
		set_places(session);
	else if (!strcmp(what, "children") || !strcmp(what, "follow"))
		return children(session, *what == 'f');
	else
		good(dc_breakpoint_set(session, !strcmp(what, "watch") ? &object : &place,
				       &number));
	if (!strcmp(what, "call"))
		return call(session);
	for (unsigned long n = 0;; n++) {
		struct dc_stop stop = next_stop(session);
		const struct dc_step_options step = {
			.thread = stop.thread,
			.how = !strcmp(what, "step")   ? DC_STEP_INTO
			       : !strcmp(what, "next") ? DC_STEP_OVER
						       : DC_STEP_INSTRUCTION,
		};

		if (stop.reason == DC_STOP_SIGNAL) {
			fprintf(stderr, "stray signal %d at 0x%lx after %lu stops\n", stop.signo,
				(unsigned long)stop.frame.pc, n);
			return 4;
		}
		if (!n)
			say_at_work();
		good(steps ? dc_step(session, &step) : dc_continue(session, 0));
	}
}
