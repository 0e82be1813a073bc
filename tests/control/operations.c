// SPDX-License-Identifier: MIT
// A process under control, as a shell or an IDE's backend has it: debugcall.h and nothing else.
#include "debugger/debugcall.h"
#include "tests/harness/test.h"

static const int64_t limit = 60 * INT64_C(1000000000);

static void good(struct dc_error *err, const char *what)
{
	if (err)
		fail("%s: %s (%s)", what, err->message, dc_state_text(err->state));
}

static void refused(struct dc_error *err, enum dc_code code)
{
	expect(err);
	equal(dc_code_name(err->code), dc_code_name(code));
	dc_error_destroy(err);
}

static struct dc_session *open_session(const struct target *target)
{
	struct dc_options options;
	struct dc_session *session;

	dc_options_init(&options);
	options.pid = target->pid;
	good(dc_open(&options, &session), "open");
	expect(dc_event_fd(session) >= 0);
	return session;
}

static struct dc_session *control(const struct target *target)
{
	struct dc_session *session = open_session(target);

	good(dc_control(session, NULL), "control");
	return session;
}

static unsigned set(struct dc_session *session, const char *place, const char *condition)
{
	const struct dc_breakpoint_options options = { .place = place, .condition = condition };
	unsigned number;

	good(dc_breakpoint_set(session, &options, &number), place);
	return number;
}

static struct dc_stop next_stop(struct dc_session *session)
{
	struct dc_event event;

	do {
		if (!dc_wait_event(session, limit, &event))
			fail("nothing happens");
	} while (event.kind == DC_EVENT_RAN_ON || event.kind == DC_EVENT_BREAKPOINT ||
		 event.kind >= DC_EVENT_THREAD_BEGAN);
	equal(event.kind, DC_EVENT_STOPPED);
	return event.stop;
}

static int64_t value_at(struct dc_session *session, pid_t thread, const char *frame,
			const char *text)
{
	const struct dc_scope scope = { .thread = thread, .frame = frame };
	struct dc_expression *expression;
	struct dc_result result;
	int64_t value = 0;

	good(dc_parse(session, text, &scope, &expression), text);
	good(dc_evaluate(session, expression, NULL, &result), text);
	expect(result.value->bytes && result.value->type.size <= sizeof(value));
	memcpy(&value, result.value->bytes, result.value->type.size);
	dc_result_deinit(&result);
	dc_expression_destroy(expression);
	return value;
}

// Nothing was changed, nobody is followed, everybody goes on.
static void runs_on(const struct target *target)
{
	char line[128];
	unsigned long beats, faults, signals, before = 0;

	for (int i = 0; i < 2; i++) {
		do {
			ssize_t n;

			expect(write(target->to, "\n", 1) == 1);
			n = read(target->from, line, sizeof(line) - 1);
			expect(n > 0);
			line[n] = '\0';
			equal(sscanf(line, "%lu %lu %lu", &beats, &faults, &signals), 3);
			equal((int64_t)faults, 0);
			equal((int64_t)signals, 0);
		} while (i && beats < before + 100);
		before = beats;
	}
}

static bool count_threads(const struct dc_thread *thread, void *arg)
{
	unsigned *counts = arg;

	counts[thread->stands]++;
	return true;
}

TEST("a thread stops at a breakpoint, evaluates there, and goes on")
{
	struct target target = target_start("comers", "3");
	struct dc_session *session = control(&target);
	unsigned number = set(session, "serve", NULL);

	equal(number, 1);
	for (int i = 0; i < 20; i++) {
		struct dc_stop stop = next_stop(session);

		equal(stop.reason, DC_STOP_BREAKPOINT);
		equal(stop.breakpoint, number);
		equal(stop.frame.function, "serve");
		equal(value_at(session, stop.thread, NULL, "weight"), 7);
		equal(value_at(session, stop.thread, NULL, "triple((int)weight)"), 21);
		// price() is inlined there, and a frame of its own.
		equal(value_at(session, stop.thread, "2", "expected"),
		      value_at(session, stop.thread, "0",
			       "order->number * 3 + order->thread + 21"));
		good(dc_continue(session, stop.thread), "continue");
	}
	good(dc_breakpoint_delete(session, number), "delete");
	good(dc_uncontrol(session), "uncontrol");
	runs_on(&target);
	dc_close(session);
	target_end(&target);
}

static bool take_breakpoint(const struct dc_breakpoint *breakpoint, void *arg)
{
	struct dc_breakpoint *wanted = arg;

	if (breakpoint->number != wanted->number)
		return true;
	*wanted = *breakpoint;
	return false;
}

static struct dc_breakpoint look_at(struct dc_session *session, unsigned number)
{
	struct dc_breakpoint breakpoint = { .number = number };

	good(dc_breakpoints(session, take_breakpoint, &breakpoint), "breakpoints");
	return breakpoint;
}

static int64_t hits_of(struct dc_session *session, unsigned number)
{
	return (int64_t)look_at(session, number).hits;
}

// Of a call: its value, and whether it is said that breakpoints in it were passed over.
static bool tells_of_passing(struct dc_session *session, pid_t thread, const char *text,
			     int64_t expected)
{
	const struct dc_scope scope = { .thread = thread };
	struct dc_expression *expression;
	struct dc_result result;
	int value;
	bool told;

	good(dc_parse(session, text, &scope, &expression), text);
	good(dc_evaluate(session, expression, NULL, &result), text);
	expect(result.value->bytes && result.value->type.size == sizeof(value));
	memcpy(&value, result.value->bytes, sizeof(value));
	equal(value, expected);
	told = result.notes && strstr(result.notes, "passed over");
	dc_result_deinit(&result);
	dc_expression_destroy(expression);
	return told;
}

TEST("a breakpoint within a callee is passed over, which is said once")
{
	struct target target = target_start("comers", "2");
	struct dc_session *session = control(&target);
	unsigned within = set(session, "triple", NULL); // which only calls come by
	unsigned number;
	struct dc_stop stop;

	expect(tells_of_passing(session, 0, "triple(1)", 3));
	number = set(session, "serve", "triple(2) == 6");
	stop = next_stop(session);
	for (int i = 0; i < 20; i++) {
		equal(stop.reason, DC_STOP_BREAKPOINT);
		equal(stop.breakpoint, number);
		expect(!tells_of_passing(session, stop.thread, "triple(3)", 9));
		expect(!tells_of_passing(session, 0, "triple(triple(1))", 9));
		good(dc_continue(session, stop.thread), "continue");
		stop = next_stop(session);
	}
	equal(hits_of(session, within), 0);
	good(dc_breakpoint_delete(session, number), "delete");
	good(dc_continue(session, 0), "continue");
	for (int i = 0; i < 20; i++)
		expect(!tells_of_passing(session, 0, "triple(4)", 12));
	dc_close(session);
	runs_on(&target);
	target_end(&target);
}

TEST("what a callee does to a watched object is no stop of the thread's")
{
	struct target target = target_start("comers", "2");
	struct dc_session *session = control(&target);
	const struct dc_breakpoint_options options = { .kind = DC_WATCH, .place = "watched" };
	struct dc_stop stop;
	unsigned number, watch;

	// Nobody writes it any more, once the thread that did has begun another round.
	value_at(session, 0, NULL, "verbosity = 0");
	number = set(session, "serve", "order->thread == 0");
	stop = next_stop(session);
	good(dc_breakpoint_condition(session, number, NULL), "any thread");
	good(dc_continue(session, stop.thread), "continue");
	good(dc_breakpoint_set(session, &options, &watch), "watch");
	for (int i = 0; i < 20; i++) {
		stop = next_stop(session);
		equal(stop.breakpoint, number);
		expect(tells_of_passing(session, stop.thread, "(note(-5), 1)", 1) == !i);
		good(dc_continue(session, stop.thread), "continue");
	}
	equal(hits_of(session, watch), 0);
	good(dc_breakpoint_delete(session, number), "delete");
	value_at(session, 0, NULL, "verbosity = 3");
	good(dc_continue(session, 0), "continue");
	do {
		stop = next_stop(session); // or told before: it goes on already
		good(dc_continue(session, 0), "continue");
	} while (stop.breakpoint == number);
	equal(stop.reason, DC_STOP_WATCHPOINT);
	equal(stop.breakpoint, watch);
	equal(stop.frame.function, "note");
	dc_close(session);
	runs_on(&target);
	target_end(&target);
}

TEST("the stack of a thread that stands")
{
	struct target target = target_start("comers", "1");
	struct dc_session *session = control(&target);
	struct dc_stack stack;
	struct dc_stop stop;

	set(session, "note", NULL);
	stop = next_stop(session);
	good(dc_frames(session, stop.thread, &stack), "frames");
	expect(stack.complete);
	equal(stack.frames[0].at.function, "note");
	equal(stack.frames[1].at.function, "one_round");
	dc_stack_deinit(&stack);
	refused(dc_frames(session, target.pid, &stack), DC_REFUSED);
	dc_close(session);
	runs_on(&target);
	target_end(&target);
}

TEST("only the thread that hits stops, or all do")
{
	struct target target = target_start("comers", "3");
	struct dc_session *session = control(&target);
	struct dc_control_options options;
	unsigned counts[2] = { 0 };
	struct dc_stop stop;

	set(session, "note", NULL);
	stop = next_stop(session);
	expect(!stop.all_stand);
	good(dc_threads(session, count_threads, counts), "threads");
	equal(counts[1], 1);
	equal(counts[0], 3);
	dc_control_options_init(&options);
	options.stop_all = true;
	good(dc_control(session, &options), "control");
	good(dc_continue(session, 0), "continue");
	stop = next_stop(session);
	expect(stop.all_stand);
	counts[0] = counts[1] = 0;
	good(dc_threads(session, count_threads, counts), "threads");
	equal(counts[1], 4);
	equal(counts[0], 0);
	equal(value_at(session, stop.thread, NULL, "triple(4)"), 12);
	dc_close(session);
	runs_on(&target);
	target_end(&target);
}

TEST("false conditions go on, wrong ones stop, ignored hits are counted")
{
	struct target target = target_start("comers", "2");
	struct dc_session *session = control(&target);
	unsigned number = set(session, "serve", "order->thread == 1 && order->number % 10 == 3");
	struct dc_stop stop = next_stop(session);

	equal(value_at(session, stop.thread, NULL, "order->thread"), 1);
	equal(value_at(session, stop.thread, NULL, "order->number % 10"), 3);
	good(dc_breakpoint_ignore(session, number, 2), "ignore");

	int64_t before = value_at(session, stop.thread, NULL, "order->number");

	good(dc_continue(session, 0), "continue");
	stop = next_stop(session);
	equal(value_at(session, stop.thread, NULL, "order->number"), before + 30);
	good(dc_breakpoint_condition(session, number, "*(int *)0 == 1"), "condition");
	good(dc_continue(session, 0), "continue");
	stop = next_stop(session);
	expect(stop.problem);
	refused(dc_breakpoint_condition(session, number, "nosuch == 1"), DC_NAME);
	dc_close(session);
	runs_on(&target);
	target_end(&target);
}

TEST("a temporary breakpoint is gone after one stop, a disabled one stops nobody")
{
	struct target target = target_start("comers", "1");
	struct dc_session *session = control(&target);
	struct dc_breakpoint_options options = { .place = "serve", .temporary = true };
	struct dc_event event;
	struct dc_stop stop;
	unsigned number;

	good(dc_breakpoint_set(session, &options, &number), "set");
	stop = next_stop(session);
	equal(stop.breakpoint, number);
	refused(dc_breakpoint_delete(session, number), DC_NAME);
	number = set(session, "note", NULL);
	good(dc_breakpoint_enable(session, number, false), "disable");
	good(dc_continue(session, stop.thread), "continue");
	while (dc_wait_event(session, 100 * 1000 * 1000, &event))
		equal(event.kind, DC_EVENT_RAN_ON);
	good(dc_breakpoint_enable(session, number, true), "enable");
	stop = next_stop(session);
	equal(stop.breakpoint, number);
	dc_close(session);
	runs_on(&target);
	target_end(&target);
}

TEST("what runs is interrupted, and goes on")
{
	struct target target = target_start("comers", "2");
	struct dc_session *session = control(&target);
	struct dc_stop stop;

	for (int i = 0; i < 3; i++) {
		unsigned counts[2] = { 0 };

		good(dc_interrupt(session, 0), "interrupt");
		for (int k = 0; k < 3; k++) {
			stop = next_stop(session);
			equal(stop.reason, DC_STOP_INTERRUPTED);
		}
		good(dc_threads(session, count_threads, counts), "threads");
		equal(counts[1], 3);
		refused(dc_continue(session, 1), DC_REFUSED);
		good(dc_continue(session, 0), "continue");
	}
	dc_close(session);
	runs_on(&target);
	target_end(&target);
}

TEST("a signal stops a thread that is to be asked, and is received")
{
	struct target target = target_start("comers", "1", "caught");
	struct dc_session *session = control(&target);
	struct dc_control_options options;
	struct dc_stop stop;

	dc_control_options_init(&options);
	options.stop_signals |= UINT64_C(1) << (SIGWINCH - 1);
	good(dc_control(session, &options), "control");
	kill(target.pid, SIGWINCH);
	stop = next_stop(session);
	equal(stop.reason, DC_STOP_SIGNAL);
	equal(stop.signo, SIGWINCH);
	good(dc_set_signal(session, stop.thread, 0), "drop it");
	good(dc_continue(session, stop.thread), "continue");
	dc_close(session);
	runs_on(&target); // it has not received it
	target_end(&target);
}

struct received {
	int times, code, value, sender, called;
};

static struct received answer_of(const struct target *target)
{
	struct received received;
	char line[128];
	ssize_t n;

	n = read(target->from, line, sizeof(line) - 1);
	expect(n > 0);
	line[n] = '\0';
	equal(sscanf(line, "%d %d %d %d %d", &received.times, &received.code, &received.value,
		     &received.sender, &received.called),
	      5);
	return received;
}

static struct received received_by(const struct target *target)
{
	expect(write(target->to, "\n", 1) == 1);
	return answer_of(target);
}

// As it was sent, and once.
static void receives(const struct target *target, int times, int value)
{
	struct received received;

	until((received = received_by(target)).times >= times);
	equal(received.times, times);
	equal(received.code, SI_QUEUE);
	equal(received.value, value);
	equal(received.sender, getpid());
}

static void send(const struct target *target, int value)
{
	expect(!sigqueue(target->pid, SIGUSR1, (union sigval){ .sival_int = value }));
}

static void stop_at_signals(struct dc_session *session)
{
	struct dc_control_options options;

	dc_control_options_init(&options);
	options.stop_signals |= UINT64_C(1) << (SIGUSR1 - 1);
	good(dc_control(session, &options), "control");
}

static struct dc_stop stop_for_signal(struct dc_session *session)
{
	struct dc_stop stop = next_stop(session);

	equal(stop.reason, DC_STOP_SIGNAL);
	equal(stop.signo, SIGUSR1);
	return stop;
}

TEST("a signal that a thread stands at is received when the debugger is killed")
{
	struct target target = target_start("receiver");

	for (int i = 1; i <= 20; i++) {
		int told[2];
		char byte;

		expect(!pipe(told));
		pid_t debugger = fork();

		if (!debugger) {
			struct dc_session *session;

			prctl(PR_SET_PDEATHSIG, SIGKILL);
			session = open_session(&target);
			stop_at_signals(session);
			expect(write(told[1], "c", 1) == 1);

			pid_t thread = stop_for_signal(session).thread;

			// What else happens meanwhile takes nothing away.
			good(dc_interrupt(session, 0), "interrupt");
			expect(write(told[1], "s", 1) == 1);
			for (;;) {
				value_at(session, 0, NULL, "stop");
				value_at(session, thread, NULL, "$rip != 0");
			}
		}
		expect(read(told[0], &byte, 1) == 1);
		send(&target, 40 + i);
		expect(read(told[0], &byte, 1) == 1);
		usleep(i % 4 * 1000);
		kill(debugger, SIGKILL);
		equal(waitpid(debugger, NULL, 0), debugger);
		receives(&target, i, 40 + i);
		close(told[0]);
		close(told[1]);
	}
	target_end(&target);
}

TEST("a signal is received as it was sent, whatever was called at its stop")
{
	struct target target = target_start("receiver");
	struct dc_session *session = open_session(&target);
	struct dc_call_options options;
	struct dc_scope scope = { 0 };
	struct dc_expression *expression;
	struct dc_result result;

	stop_at_signals(session);
	send(&target, 41);
	scope.thread = stop_for_signal(session).thread;
	for (int i = 0; i < 3; i++)
		equal(value_at(session, scope.thread, NULL, "twice(4)"), 8);
	good(dc_continue(session, 0), "continue");
	receives(&target, 1, 41);

	// One that had to be undone leaves the thread at no signal.
	send(&target, 42);
	scope.thread = stop_for_signal(session).thread;
	dc_call_options_init(&options);
	options.timeout_ns = 20 * 1000 * 1000;
	good(dc_parse(session, "spin()", &scope, &expression), "spin()");
	refused(dc_evaluate(session, expression, &options, &result), DC_DEADLINE);
	dc_expression_destroy(expression);
	good(dc_continue(session, 0), "continue");
	receives(&target, 2, 42);
	dc_close(session);
	target_end(&target);
}

TEST("while one stands at a signal, others stop, and threads are born")
{
	struct target target = target_start("comers", "2", "short");
	struct dc_session *session = open_session(&target);
	pid_t standing;
	unsigned number;

	stop_at_signals(session);
	kill(target.pid, SIGUSR1); // which it would die of
	standing = stop_for_signal(session).thread;
	number = set(session, "serve", NULL);
	for (int i = 0; i < 50; i++) {
		struct dc_stop stop = next_stop(session);

		equal(stop.reason, DC_STOP_BREAKPOINT);
		good(dc_continue(session, stop.thread), "continue");
	}
	good(dc_breakpoint_delete(session, number), "delete");
	good(dc_set_signal(session, standing, 0), "drop it");
	good(dc_continue(session, 0), "continue");
	dc_close(session);
	runs_on(&target);
	target_end(&target);
}

TEST("of hits that a condition is false for the kernel tells none, and misses none that it is true "
     "for")
{
	enum { EVERY = 500 };
	struct target target = target_start("comers", "1");
	struct dc_session *session = control(&target);
	unsigned number = set(session, "serve", "order->number % 500 == 17"), other;
	int64_t last = 0, now;
	struct dc_stop stop;

	if (!look_at(session, number).in_kernel)
		skip("%s", look_at(session, number).why_not_kernel);
	for (int i = 0; i < 10; i++) {
		stop = next_stop(session);
		equal(stop.breakpoint, number);
		now = value_at(session, stop.thread, "0", "order->number");
		equal(now % EVERY, 17);
		if (last)
			equal(now - last, EVERY);
		last = now;
		good(dc_continue(session, 0), "continue");
	}
	// Hits that are ignored are true ones.
	stop = next_stop(session);
	good(dc_breakpoint_ignore(session, number, 3), "ignore");
	equal(hits_of(session, number), 11);
	good(dc_continue(session, 0), "continue");
	stop = next_stop(session);
	equal(value_at(session, stop.thread, "0", "order->number"), last + 5 * EVERY);
	equal(hits_of(session, number), 15);
	last += 5 * EVERY;

	// Another condition, while the thread stands; then one more breakpoint there, which wants all.
	good(dc_breakpoint_condition(session, number, "order->number % 500 == 18"), "condition");
	expect(look_at(session, number).in_kernel);
	good(dc_continue(session, 0), "continue");
	stop = next_stop(session);
	equal(value_at(session, stop.thread, "0", "order->number"), ++last);
	other = set(session, "serve", NULL);
	expect(!look_at(session, number).in_kernel);
	for (int i = 0; i < 5; i++) {
		good(dc_continue(session, 0), "continue");
		stop = next_stop(session);
		equal(stop.breakpoint, other);
		equal(value_at(session, stop.thread, "0", "order->number"), ++last);
	}
	good(dc_breakpoint_delete(session, other), "delete");
	expect(look_at(session, number).in_kernel);
	good(dc_continue(session, 0), "continue");
	stop = next_stop(session);
	equal(value_at(session, stop.thread, "0", "order->number"), last - 5 + EVERY);
	last += EVERY - 5;

	// Two conditions at one place; and none any more.
	other = set(session, "serve", "order->number % 500 == 20");
	expect(look_at(session, number).in_kernel && look_at(session, other).in_kernel);
	good(dc_continue(session, 0), "continue");
	stop = next_stop(session);
	equal(stop.breakpoint, other);
	equal(value_at(session, stop.thread, "0", "order->number"), last + 2);
	good(dc_breakpoint_condition(session, other, NULL), "no condition");
	good(dc_continue(session, 0), "continue");
	stop = next_stop(session);
	equal(value_at(session, stop.thread, "0", "order->number"), last + 3);
	good(dc_uncontrol(session), "uncontrol");
	runs_on(&target);
	dc_close(session);
	target_end(&target);
}

TEST("the target ends under control")
{
	struct target target = target_start("comers", "2");
	struct dc_session *session = control(&target);
	struct dc_event event;

	set(session, "serve", NULL);
	next_stop(session);
	kill(target.pid, SIGKILL);
	do
		expect(dc_wait_event(session, limit, &event));
	while (event.kind != DC_EVENT_TARGET_ENDED);
	dc_close(session);
}

// ---- steps ----------------------------------------------------------------------------------------

static int line_of(const char *mark)
{
	FILE *file = fopen("tests/targets/stepped.c", "re");
	char line[256], wanted[64];
	int number = 1;

	expect(file);
	snprintf(wanted, sizeof(wanted), "// %s\n", mark);
	while (fgets(line, sizeof(line), file) && !strstr(line, wanted))
		number++;
	fclose(file);
	return number;
}

static const char *place_of(const char *mark)
{
	static char place[32];

	snprintf(place, sizeof(place), "stepped.c:%d", line_of(mark));
	return place;
}

static struct dc_stop step(struct dc_session *session, pid_t thread, enum dc_step how)
{
	const struct dc_step_options options = { .thread = thread, .how = how };
	struct dc_stop stop;

	good(dc_step(session, &options), "step");
	stop = next_stop(session);
	if (stop.problem)
		fail("%s", stop.problem);
	equal(stop.thread, thread);
	return stop;
}

static void stands_at(const struct dc_stop *stop, const char *function, const char *mark)
{
	equal(stop->frame.function, function);
	equal(stop->frame.line, line_of(mark));
}

static struct dc_stop stop_at(struct dc_session *session, const char *place)
{
	const struct dc_breakpoint_options options = { .place = place, .temporary = true };
	unsigned number;

	good(dc_breakpoint_set(session, &options, &number), place);
	return next_stop(session);
}

TEST("next goes from line to line, over calls, recursion and loops, and home")
{
	static const char *const marks[] = { "walk 2", "walk 3", "walk 4", "walk 3", "walk 4",
					     "walk 3", "walk 5", "walk 6", "walk 7", "walk 8" };
	struct target target = target_start("stepped");
	struct dc_session *session = control(&target);
	struct dc_stop stop = stop_at(session, "walk");

	stands_at(&stop, "walk", "walk 1");
	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
		stop = step(session, stop.thread, DC_STEP_OVER);
		equal(stop.reason, DC_STOP_STEP);
		stands_at(&stop, "walk", marks[i]);
	}
	step(session, stop.thread, DC_STEP_OVER); // the brace
	stop = step(session, stop.thread, DC_STEP_OVER);
	stands_at(&stop, "main", "main 1");
	dc_close(session);
	target_end(&target);
}

static unsigned long switches_of(pid_t pid)
{
	unsigned long switches = 0, n;
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", pid, pid);
	file = fopen(path, "re");
	expect(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "voluntary_ctxt_switches: %lu", &n) == 1)
			switches = n;
	}
	fclose(file);
	return switches;
}

TEST("a line that loops by itself is run through at one go")
{
	struct target target = target_start("stepped");
	struct dc_session *session = control(&target);

	for (int i = 0; i < 5; i++) {
		struct dc_stop stop = stop_at(session, place_of("walk 6"));
		unsigned long before = switches_of(target.pid);

		// A stop is a switch, and there are 3,000 turns.
		stop = step(session, stop.thread, i % 2 ? DC_STEP_INTO : DC_STEP_OVER);
		stands_at(&stop, "walk", "walk 7");
		expect(switches_of(target.pid) - before < 100);
		good(dc_continue(session, 0), "continue");
	}
	dc_close(session);
	target_end(&target);
}

TEST("where no breakpoint is free a step takes more stops, and comes to the same")
{
	struct target target = target_start("stepped");
	struct dc_session *session = control(&target);
	struct dc_stop stop = stop_at(session, place_of("walk 1"));

	set(session, "half", NULL);
	set(session, "both", NULL);
	set(session, "many", NULL);
	for (int i = 2; i <= 4; i++) {
		static const char *const marks[] = { "walk 2", "walk 3", "walk 4" };

		stop = step(session, stop.thread, DC_STEP_OVER);
		equal(stop.reason, DC_STOP_STEP);
		stands_at(&stop, "walk", marks[i - 2]);
	}
	dc_close(session);
	target_end(&target);
}

TEST("step goes into functions that have lines, and over those that have none")
{
	struct target target = target_start("stepped");
	struct dc_session *session = control(&target);
	struct dc_stop stop = stop_at(session, "walk");

	stop = step(session, stop.thread, DC_STEP_INTO);
	stands_at(&stop, "leaf", "leaf 1");
	equal(value_at(session, stop.thread, NULL, "n"), 3);
	stop = step(session, stop.thread, DC_STEP_INTO);
	stands_at(&stop, "leaf", "leaf 2");
	stop = step(session, stop.thread, DC_STEP_OUT);
	stands_at(&stop, "walk", "walk 1");
	equal(value_at(session, stop.thread, "0", "(int)$rax"), 6);
	good(dc_continue(session, 0), "continue");
	stop = stop_at(session, place_of("walk 5"));
	stop = step(session, stop.thread, DC_STEP_INTO); // strlen, by way of a stub
	stands_at(&stop, "walk", "walk 6");
	dc_close(session);
	target_end(&target);
}

TEST("finish leaves the frame that is named, whatever recursion comes back to")
{
	struct target target = target_start("stepped");
	struct dc_session *session = control(&target);
	const struct dc_breakpoint_options options = { .place = "fib",
						       .condition = "n == 4",
						       .temporary = true };
	struct dc_stack stack;
	struct dc_stop stop;
	unsigned number;

	good(dc_breakpoint_set(session, &options, &number), "fib");
	stop = next_stop(session);
	equal(value_at(session, stop.thread, "0", "n"), 4);
	stop = step(session, stop.thread, DC_STEP_OUT);
	stands_at(&stop, "fib", "fib 3");
	equal(value_at(session, stop.thread, "0", "(int)$rax"), 3);
	equal(value_at(session, stop.thread, "0", "n"), 5);

	const struct dc_step_options outer = { .thread = stop.thread,
					       .how = DC_STEP_OUT,
					       .frame = 2 }; // fib(7)

	good(dc_frames(session, stop.thread, &stack), "frames");
	equal(stack.frames[3].at.function, "walk");
	dc_stack_deinit(&stack);
	good(dc_step(session, &outer), "finish");
	stop = next_stop(session);
	stands_at(&stop, "walk", "walk 2");
	equal(value_at(session, stop.thread, "0", "(int)$rax"), 13);
	dc_close(session);
	target_end(&target);
}

static int64_t member(struct dc_session *session, unsigned result, const char *expression)
{
	char text[64];

	snprintf(text, sizeof(text), expression, result);
	return value_at(session, 0, NULL, text);
}

TEST("finish gives what the function gave, wherever the convention has that")
{
	struct target target = target_start("stepped");
	struct dc_session *session = control(&target);
	struct dc_stop stop = stop_at(session, "fib");

	stop = step(session, stop.thread, DC_STEP_OUT);
	expect(stop.returned);
	equal(member(session, stop.returned, "$%u"),
	      value_at(session, stop.thread, "0", "(int)$rax"));
	good(dc_continue(session, 0), "continue");

	stop = stop_at(session, "half");

	int64_t n = value_at(session, stop.thread, "0", "n");

	stop = step(session, stop.thread, DC_STEP_OUT);
	equal(member(session, stop.returned, "(int)(2 * $%u)"), n);
	good(dc_continue(session, 0), "continue");

	stop = stop_at(session, "both");
	n = value_at(session, stop.thread, "0", "n");
	stop = step(session, stop.thread, DC_STEP_OUT);
	equal(member(session, stop.returned, "$%u.a"), n);
	equal(member(session, stop.returned, "(int)(2 * $%u.b)"), 2 * n + 1);
	good(dc_continue(session, 0), "continue");

	stop = stop_at(session, "many");
	n = value_at(session, stop.thread, "0", "n");
	stop = step(session, stop.thread, DC_STEP_OUT);
	equal(member(session, stop.returned, "(int)$%u.numbers[3]"), n + 3);
	good(dc_continue(session, 0), "continue");

	stop = stop_at(session, "nothing");
	stop = step(session, stop.thread, DC_STEP_OUT);
	equal(stop.reason, DC_STOP_STEP);
	equal(stop.returned, 0);
	dc_close(session);
	target_end(&target);
}

TEST("instructions, one by one")
{
	struct target target = target_start("stepped");
	struct dc_session *session = control(&target);
	struct dc_stop stop = stop_at(session, "fib");
	uint64_t pc = stop.frame.pc;

	for (int i = 0; i < 300; i++) {
		stop = step(session, stop.thread, DC_STEP_INSTRUCTION);
		expect(stop.frame.pc != pc);
		equal(value_at(session, stop.thread, "0", "(long)$rip"), (int64_t)stop.frame.pc);
		pc = stop.frame.pc;
	}

	const struct dc_step_options many = { .thread = stop.thread,
					      .how = DC_STEP_INSTRUCTION_OVER,
					      .count = 50 };

	good(dc_step(session, &many), "nexti 50");
	stop = next_stop(session);
	equal(stop.reason, DC_STOP_STEP);
	dc_close(session);
	target_end(&target);
}

TEST("until does not go back in a loop")
{
	struct target target = target_start("stepped");
	struct dc_session *session = control(&target);
	struct dc_stop stop = stop_at(session, place_of("walk 4"));

	stands_at(&stop, "walk", "walk 4");
	stop = step(session, stop.thread, DC_STEP_OVER);
	stands_at(&stop, "walk", "walk 3");
	stop = step(session, stop.thread, DC_STEP_UNTIL);
	stands_at(&stop, "walk", "walk 5");
	dc_close(session);
	target_end(&target);
}

TEST("a breakpoint within a step ends it")
{
	struct target target = target_start("stepped");
	struct dc_session *session = control(&target);
	struct dc_stop stop = stop_at(session, "walk");
	unsigned number = set(session, "leaf", NULL);

	stop = step(session, stop.thread, DC_STEP_OVER);
	equal(stop.reason, DC_STOP_BREAKPOINT);
	equal(stop.breakpoint, number);
	good(dc_breakpoint_delete(session, number), "delete");
	// A condition that is false does not.
	stop = step(session, stop.thread, DC_STEP_OUT);
	set(session, "fib", "n == 100");
	stop = step(session, stop.thread, DC_STEP_OVER);
	stands_at(&stop, "walk", "walk 2");
	stop = step(session, stop.thread, DC_STEP_OVER);
	equal(stop.reason, DC_STOP_STEP);
	stands_at(&stop, "walk", "walk 3");
	dc_close(session);
	target_end(&target);
}

// ---- watchpoints ----------------------------------------------------------------------------------

static unsigned watch(struct dc_session *session, enum dc_breakpoint_kind kind, const char *what,
		      const struct dc_scope *scope)
{
	const struct dc_breakpoint_options options = { .kind = kind,
						       .place = what,
						       .scope = scope };
	unsigned number;

	good(dc_breakpoint_set(session, &options, &number), what);
	return number;
}

TEST("a watchpoint stops whoever has written another value")
{
	struct target target = target_start("comers", "2");
	struct dc_session *session = control(&target);
	unsigned number = watch(session, DC_WATCH, "watched", NULL);

	for (int i = 0; i < 10; i++) {
		struct dc_stop stop = next_stop(session);

		equal(stop.reason, DC_STOP_WATCHPOINT);
		equal(stop.breakpoint, number);
		equal(stop.frame.function, "note");
		// Before the first it has gone on since the watchpoint was set.
		if (i)
			equal(atol(stop.is), atol(stop.was) + 1);
		equal(value_at(session, stop.thread, NULL, "watched"), atol(stop.is));
		good(dc_continue(session, stop.thread), "continue");
	}
	dc_close(session);
	runs_on(&target);
	target_end(&target);
}

TEST("a watched local goes with its frame")
{
	struct target target = target_start("stepped");
	struct dc_session *session = control(&target);
	struct dc_stop stop = stop_at(session, "leaf");
	const struct dc_scope scope = { .thread = stop.thread, .frame = "0" };
	unsigned number = watch(session, DC_WATCH, "twice", &scope);

	good(dc_continue(session, 0), "continue");
	stop = next_stop(session);
	equal(stop.reason, DC_STOP_WATCHPOINT);
	equal(stop.breakpoint, number);
	equal(stop.is, "6");
	good(dc_continue(session, 0), "continue");
	stop = next_stop(session);
	equal(stop.reason, DC_STOP_SCOPE);
	equal(stop.frame.function, "walk");
	refused(dc_breakpoint_delete(session, number), DC_NAME);
	dc_close(session);
	target_end(&target);
}

TEST("reads alone, and accesses of any kind")
{
	struct target target = target_start("comers", "1");
	struct dc_session *session = control(&target);
	unsigned number = watch(session, DC_WATCH_READ, "verbosity", NULL);
	struct dc_stop stop = next_stop(session);

	equal(stop.reason, DC_STOP_WATCHPOINT);
	equal(stop.was, "3");
	equal(stop.is, "3");
	good(dc_breakpoint_delete(session, number), "delete");
	number = watch(session, DC_WATCH_READ, "watched", NULL); // it is written alone
	watch(session, DC_WATCH_ACCESS, "*(int *)&watched", NULL);
	good(dc_continue(session, 0), "continue");
	stop = next_stop(session);
	equal(stop.breakpoint, number + 1);
	dc_close(session);
	runs_on(&target);
	target_end(&target);
}

TEST("what cannot be watched is refused")
{
	struct target target = target_start("comers", "1");
	struct dc_session *session = control(&target);
	struct dc_breakpoint_options options = { .kind = DC_WATCH, .place = "triple(3)" };
	unsigned number;

	refused(dc_breakpoint_set(session, &options, &number), DC_REFUSED);
	options.place = "*(char (*)[3])&watched";
	refused(dc_breakpoint_set(session, &options, &number), DC_REFUSED);
	options.place = "*(int *)((char *)&watched + 1)";
	refused(dc_breakpoint_set(session, &options, &number), DC_REFUSED);
	dc_close(session);
	runs_on(&target);
	target_end(&target);
}

// ---- libraries and programs -----------------------------------------------------------------------

static struct dc_event next_of(struct dc_session *session, enum dc_event_kind kind)
{
	struct dc_event event;

	do
		expect(dc_wait_event(session, limit, &event));
	while (event.kind != kind);
	return event;
}

TEST("a breakpoint waits for its library")
{
	struct target target = target_start("comers", "0");
	struct dc_session *session = control(&target);
	struct dc_breakpoint_options options = { .place = "lgamma" };
	struct dc_stop stop;
	unsigned number;

	refused(dc_breakpoint_set(session, &options, &number), DC_NAME);
	options.pending = true;
	good(dc_breakpoint_set(session, &options, &number), "lgamma");
	expect(write(target.to, "load\n", 5) == 5);
	equal(next_of(session, DC_EVENT_BREAKPOINT).breakpoint, number);
	stop = next_of(session, DC_EVENT_STOPPED).stop;
	equal(stop.breakpoint, number);
	good(dc_continue(session, 0), "continue");
	dc_close(session);
	target_end(&target);
}

static struct dc_session *launch(const char *const *argv)
{
	struct dc_launch launch;
	struct dc_options options;
	struct dc_session *session;

	dc_launch_init(&launch);
	dc_options_init(&options);
	launch.argv = argv;
	good(dc_launch(&launch, &options, NULL, &session), argv[0]);
	expect(dc_event_fd(session) >= 0);
	return session;
}

static bool take_thread(const struct dc_thread *thread, void *arg)
{
	*(struct dc_thread *)arg = *thread;
	return true;
}

TEST("a program that is launched stands before its first instruction, and ends")
{
	const char *const argv[] = { built("tests/targets/stepped"), NULL };
	struct dc_session *session = launch(argv);
	struct dc_thread thread = { 0 };
	struct dc_stop stop;

	good(dc_threads(session, take_thread, &thread), "threads");
	expect(thread.stands);
	equal(thread.stop.reason, DC_STOP_EXEC);
	good(dc_continue(session, 0), "continue");
	stop = stop_at(session, "walk");
	equal(value_at(session, stop.thread, NULL, "n"), 3);
	equal(value_at(session, stop.thread, NULL, "fib(5)"), 5);
	good(dc_kill(session), "kill");

	int status = next_of(session, DC_EVENT_TARGET_ENDED).status;

	expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	dc_close(session);
}

TEST("main of a program that is launched, and how it exits")
{
	const char *const argv[] = { "/bin/sh", "-c", "exit 7", NULL };
	const char *const none[] = { "/no/such/program", NULL };
	const char *const own[] = { built("tests/targets/stepped"), NULL };
	struct dc_session *session = launch(own);
	struct dc_launch launch_;
	struct dc_options options;
	struct dc_stop stop;

	set(session, "main", NULL);
	good(dc_continue(session, 0), "continue");
	stop = next_stop(session);
	equal(stop.frame.function, "main");
	stop = step(session, stop.thread, DC_STEP_OVER);
	equal(stop.frame.function, "main");
	good(dc_kill(session), "kill");
	dc_close(session);

	session = launch(argv);
	good(dc_continue(session, 0), "continue");
	equal(WEXITSTATUS(next_of(session, DC_EVENT_TARGET_ENDED).status), 7);
	dc_close(session);

	dc_launch_init(&launch_);
	dc_options_init(&options);
	launch_.argv = none;
	refused(dc_launch(&launch_, &options, NULL, &session), DC_ATTACH);
}

TEST("another program has the breakpoints at its own addresses")
{
	struct target target = target_start("comers", "1");
	struct dc_session *session = control(&target);
	unsigned number = set(session, "serve", "weight == 7");
	struct dc_stop stop;

	watch(session, DC_WATCH, "verbosity", NULL);
	next_stop(session);
	good(dc_continue(session, 0), "continue");
	expect(write(target.to, "exec\n", 5) == 5);
	do {
		stop = next_stop(session);
		// Its thread may be gone by now: the one that executes ends all others.
		good(dc_continue(session, 0), "continue");
	} while (stop.reason != DC_STOP_EXEC);
	stop = next_stop(session);
	equal(stop.reason, DC_STOP_BREAKPOINT);
	equal(stop.breakpoint, number);
	equal(value_at(session, stop.thread, NULL, "weight"), 7);
	dc_close(session);
	target_end(&target);
}

// ---- what has no place ----------------------------------------------------------------------------

static unsigned set_catch(struct dc_session *session, enum dc_breakpoint_kind kind,
			  const char *what)
{
	const struct dc_breakpoint_options options = { .kind = kind, .place = what };
	unsigned number;

	good(dc_breakpoint_set(session, &options, &number), what ? what : "catch");
	return number;
}

static void ask(const struct target *target, const char *what)
{
	expect(write(target->to, what, strlen(what)) == (ssize_t)strlen(what));
}

static bool runs_call(struct dc_session *session, pid_t thread)
{
	const struct dc_scope scope = { .thread = thread };
	struct dc_expression *expression;
	struct dc_result result;

	good(dc_parse(session, "twice(4)", &scope, &expression), "twice");

	struct dc_error *err = dc_evaluate(session, expression, NULL, &result);

	dc_expression_destroy(expression);
	if (!err) {
		dc_result_deinit(&result);
		return true;
	}
	refused(err, DC_REFUSED);
	return false;
}

TEST("a system call is caught before it is made, and behind it")
{
	struct target target = target_start("receiver");
	struct dc_session *session = control(&target);
	struct dc_breakpoint_options options = { .kind = DC_CATCH_SYSCALL, .place = "nosuch" };
	unsigned number = set_catch(session, DC_CATCH_SYSCALL, "getppid,getuid");
	struct dc_stop stop;

	for (int i = 0; i < 10; i++) {
		ask(&target, "call\n");
		stop = next_stop(session);
		equal(stop.reason, DC_STOP_SYSCALL);
		equal(stop.breakpoint, number);
		equal(stop.syscall_name, "getppid");
		expect(!stop.is_return);
		expect(value_at(session, stop.thread, NULL, "(long)$rip") ==
		       (int64_t)stop.frame.pc);
		expect(!runs_call(session, stop.thread));
		good(dc_continue(session, 0), "continue");
		stop = next_stop(session);
		equal(stop.syscall_name, "getppid");
		expect(stop.is_return);
		equal(stop.result, getpid());
		expect(runs_call(session, stop.thread));
		good(dc_continue(session, 0), "continue");
		equal(answer_of(&target).called, getpid());
	}
	refused(dc_breakpoint_set(session, &options, &number), DC_NAME);
	good(dc_breakpoint_delete(session, number), "delete");
	ask(&target, "call\n");
	equal(answer_of(&target).called, getpid());
	dc_close(session);
	received_by(&target);
	target_end(&target);
}

TEST("a thread that stands at a system call makes it when the debugger is killed")
{
	struct target target = target_start("receiver");

	for (int i = 1; i <= 20; i++) {
		int told[2];
		char byte;

		expect(!pipe(told));
		pid_t debugger = fork();

		if (!debugger) {
			struct dc_session *session;
			struct dc_stop stop;

			prctl(PR_SET_PDEATHSIG, SIGKILL);
			session = control(&target);
			set_catch(session, DC_CATCH_SYSCALL, "getppid");
			expect(write(told[1], "c", 1) == 1);
			stop = next_stop(session);
			if (i % 2) {
				good(dc_continue(session, 0), "continue");
				stop = next_stop(session);
				expect(runs_call(session, stop.thread));
			}
			expect(write(told[1], "s", 1) == 1);
			pause();
		}
		expect(read(told[0], &byte, 1) == 1);
		ask(&target, "call\n");
		expect(read(told[0], &byte, 1) == 1);
		kill(debugger, SIGKILL);
		equal(waitpid(debugger, NULL, 0), debugger);
		equal(answer_of(&target).called, getpid());
		close(told[0]);
		close(told[1]);
	}
	target_end(&target);
}

TEST("a process that is made is told of, and runs on with nothing armed")
{
	static const struct {
		enum dc_breakpoint_kind kind;
		enum dc_stop_reason reason;
		const char *line;
	} ways[] = { { DC_CATCH_FORK, DC_STOP_FORK, "fork\n" },
		     { DC_CATCH_VFORK, DC_STOP_VFORK, "spawn\n" } };
	struct target target = target_start("receiver");
	struct dc_session *session = control(&target);
	// A child that comes by it would die of it, were it armed there.
	unsigned within = set(session, "twice", NULL);

	for (int i = 0; i < 6; i++) {
		unsigned number = set_catch(session, ways[i % 2].kind, NULL);
		struct dc_stop stop;

		ask(&target, ways[i % 2].line);
		stop = next_stop(session);
		equal(stop.reason, ways[i % 2].reason);
		equal(stop.breakpoint, number);
		good(dc_continue(session, 0), "continue");
		equal(answer_of(&target).called, stop.child);
		// The other one is nobody's.
		ask(&target, ways[!(i % 2)].line);
		expect(answer_of(&target).called > 0);
		good(dc_breakpoint_delete(session, number), "delete");
	}
	equal(hits_of(session, within), 0);
	dc_close(session);
	target_end(&target);
}

TEST("signals, programs and libraries are caught")
{
	struct target target = target_start("receiver");
	struct dc_session *session = control(&target);
	unsigned number = set_catch(session, DC_CATCH_SIGNAL, "USR1");
	struct dc_stop stop;

	send(&target, 43);
	stop = stop_for_signal(session);
	equal(stop.breakpoint, number);
	good(dc_continue(session, 0), "continue");
	receives(&target, 1, 43);
	good(dc_breakpoint_enable(session, number, false), "disable");
	send(&target, 44);
	receives(&target, 2, 44);
	dc_close(session);
	target_end(&target);

	target = target_start("comers", "1");
	session = control(&target);
	number = set_catch(session, DC_CATCH_LOAD, "libm");
	set_catch(session, DC_CATCH_LOAD, "libnosuch");
	ask(&target, "load\n");
	stop = next_stop(session);
	equal(stop.reason, DC_STOP_LOADED);
	equal(stop.breakpoint, number);
	good(dc_continue(session, 0), "continue");
	number = set_catch(session, DC_CATCH_EXEC, NULL);
	ask(&target, "exec\n");
	stop = next_stop(session);
	equal(stop.reason, DC_STOP_EXEC);
	equal(stop.breakpoint, number);
	dc_close(session);
	target_end(&target);
}

TEST("exceptions are caught where they are thrown and where they are caught")
{
	struct target target = target_start("thrower");
	struct dc_session *session = control(&target);
	unsigned thrown = set_catch(session, DC_CATCH_THROW, NULL);
	unsigned caught = set_catch(session, DC_CATCH_CATCH, NULL);

	for (int i = 0; i < 3; i++) {
		struct dc_stack stack;
		struct dc_stop stop;
		char line[16];

		ask(&target, "\n");
		stop = next_stop(session);
		equal(stop.breakpoint, thrown);
		good(dc_frames(session, stop.thread, &stack), "frames");
		contains(stack.frames[1].at.function, "throw_it");
		dc_stack_deinit(&stack);
		good(dc_continue(session, 0), "continue");
		stop = next_stop(session);
		equal(stop.breakpoint, caught);
		good(dc_continue(session, 0), "continue");
		expect(read(target.from, line, sizeof(line)) == 2);
		equal(line[0] - '0', i);
	}
	dc_close(session);
	target_end(&target);
}

// ---- calls that meet breakpoints ------------------------------------------------------------------

static struct dc_error *begin_any_call(struct dc_session *session, pid_t thread, const char *text,
				       bool force)
{
	const struct dc_scope scope = { .thread = thread };
	struct dc_call_options options;
	struct dc_expression *expression;
	struct dc_result result;

	dc_call_options_init(&options);
	options.may_pend = true;
	options.force = force;
	good(dc_parse(session, text, &scope, &expression), text);

	struct dc_error *err = dc_evaluate(session, expression, &options, &result);

	dc_expression_destroy(expression);
	if (!err)
		dc_result_deinit(&result);
	return err;
}

static struct dc_error *begin_call(struct dc_session *session, pid_t thread, const char *text)
{
	return begin_any_call(session, thread, text, false);
}

// The callee stands at the breakpoint.
static struct dc_stop pends(struct dc_session *session, pid_t thread, const char *text,
			    unsigned breakpoint)
{
	struct dc_stop stop;

	refused(begin_call(session, thread, text), DC_PENDING);
	stop = next_stop(session);
	equal(stop.reason, DC_STOP_BREAKPOINT);
	equal(stop.breakpoint, breakpoint);
	equal(stop.frame.function, "triple");
	if (thread)
		equal(stop.thread, thread);
	return stop;
}

static struct dc_event returns(struct dc_session *session)
{
	struct dc_event event;

	do
		expect(dc_wait_event(session, limit, &event));
	while (event.kind == DC_EVENT_RAN_ON);
	equal(event.kind, DC_EVENT_RETURNED);
	return event;
}

static bool take_call(const struct dc_pending_call *call, void *arg)
{
	struct dc_pending_call *calls = arg;

	while (calls->number)
		calls++;
	*calls = *call;
	return true;
}

static unsigned nr_pending(struct dc_session *session)
{
	struct dc_pending_call calls[8] = { 0 };
	unsigned n = 0;

	good(dc_pending_calls(session, take_call, calls), "calls");
	while (calls[n].number)
		n++;
	return n;
}

static bool take_standing(const struct dc_thread *thread, void *arg)
{
	if (thread->stands)
		*(struct dc_stop *)arg = thread->stop;
	return true;
}

static struct dc_stop standing(struct dc_session *session)
{
	struct dc_stop stop = { 0 };

	good(dc_threads(session, take_standing, &stop), "threads");
	return stop;
}

TEST("a call whose callee comes to a breakpoint is pending, and continue gives its value")
{
	struct target target = target_start("comers", "1");
	struct dc_session *session = control(&target);
	unsigned serve = set(session, "serve", NULL), triple = set(session, "triple", "n != 9");

	for (int i = 0; i < 20; i++) {
		struct dc_stop stop = next_stop(session);
		struct dc_event event;
		int64_t number = value_at(session, stop.thread, NULL, "order->number");

		equal(stop.breakpoint, serve);
		// A condition that is false there lets it go on.
		good(begin_call(session, stop.thread, "triple(9)"), "triple");
		stop = pends(session, stop.thread, "triple(5) + 1", triple);
		equal(nr_pending(session), 1);
		equal(value_at(session, stop.thread, "0", "n"), 5);
		equal(value_at(session, stop.thread, "0", "triple(7)"), 21);
		good(dc_continue(session, stop.thread), "continue");
		event = returns(session);
		expect(!event.failure);
		equal(member(session, event.result, "$%u"), 16);
		equal(nr_pending(session), 0);
		stop = standing(session);
		equal(stop.reason, DC_STOP_BREAKPOINT);
		equal(stop.breakpoint, serve);
		equal(stop.frame.function, "serve");
		equal(value_at(session, stop.thread, NULL, "order->number"), number);
		good(dc_continue(session, 0), "continue");
	}
	equal(hits_of(session, triple), 20);
	dc_close(session);
	runs_on(&target);
	target_end(&target);
}

TEST("pending calls are on top of each other, and steps lead through callees")
{
	struct target target = target_start("comers", "1");
	struct dc_session *session = control(&target);
	unsigned serve = set(session, "serve", NULL), triple = set(session, "triple", NULL);
	struct dc_stop stop = next_stop(session);
	struct dc_event event;

	for (int i = 0; i < 5; i++) {
		pid_t thread = stop.thread;
		unsigned outer;

		stop = pends(session, thread, "triple(1)", triple);
		stop = pends(session, thread, "triple(2)", triple);
		equal(nr_pending(session), 2);
		stop = step(session, thread, DC_STEP_INSTRUCTION);
		equal(stop.reason, DC_STOP_STEP);
		equal(stop.frame.function, "triple");
		good(dc_continue(session, thread), "continue");
		event = returns(session);
		equal(member(session, event.result, "$%u"), 6);
		outer = event.call - 1;
		stop = standing(session);
		equal(stop.frame.function, "triple");
		equal(value_at(session, thread, "0", "n"), 1);
		if (i % 2) {
			good(dc_abandon(session, outer), "abandon");
			event = returns(session);
			expect(event.failure);
		} else {
			good(dc_continue(session, thread), "continue");
			event = returns(session);
			equal(member(session, event.result, "$%u"), 3);
		}
		equal(event.call, outer);
		refused(dc_abandon(session, outer), DC_NAME);
		equal(standing(session).breakpoint, serve);
		good(dc_continue(session, thread), "continue");
		stop = next_stop(session);
		equal(stop.breakpoint, serve);
	}
	dc_close(session);
	runs_on(&target);
	target_end(&target);
}

TEST("calls that are pending on threads that ran, when control ends")
{
	for (int i = 0; i < 5; i++) {
		struct target target = target_start("comers", "2");
		struct dc_session *session = control(&target);
		unsigned triple = set(session, "triple", NULL);
		struct dc_stop stop = pends(session, 0, "triple(triple(1))", triple);

		if (i % 2) {
			good(dc_continue(session, stop.thread), "continue");
			stop = next_stop(session);
			equal(stop.breakpoint, triple);
			equal(value_at(session, stop.thread, "0", "n"), 3);
		}
		if (i < 4) {
			dc_close(session);
			runs_on(&target);
			target_end(&target);
		} else {
			// Whoever follows a child of this process takes its end.
			kill(target.pid, SIGKILL);
			dc_close(session);
		}
	}
}

// Its callee sends it a signal, and stands there.
static struct dc_stop pends_at_signal(struct dc_session *session, const struct target *target,
				      int value)
{
	struct dc_stop stop;
	char text[64];

	snprintf(text, sizeof(text), "(int)sigqueue(%d, 10, %d)", target->pid, value);
	// It waits for a line, inside of stdio, which this does not come near.
	refused(begin_any_call(session, 0, text, true), DC_PENDING);
	stop = stop_for_signal(session);
	equal(stop.thread, target->pid);
	equal(nr_pending(session), 1);
	return stop;
}

static int times_of(const struct target *target, int value)
{
	struct received received = received_by(target);

	if (received.times) {
		equal(received.code, SI_QUEUE);
		equal(received.value, value);
		equal(received.sender, target->pid);
	}
	return received.times;
}

TEST("a callee stands at a signal that stops its thread, and receives it, or not, when it goes on")
{
	struct target target = target_start("receiver");
	struct dc_session *session = open_session(&target);
	struct dc_stop stop;
	int told = -1;

	stop_at_signals(session);
	expect(dc_event_fd(session) >= 0);
	for (int i = 1; i <= 20; i++) {
		struct dc_event event;

		stop = pends_at_signal(session, &target, i);
		equal(value_at(session, stop.thread, "0", "twice(4)"), 8);
		if (i % 4 == 0)
			good(dc_set_signal(session, stop.thread, 0), "no signal");
		else
			told = i;
		good(dc_continue(session, stop.thread), "continue");
		event = returns(session);
		expect(!event.failure);
		equal(member(session, event.result, "$%u"), 0);
		equal(nr_pending(session), 0);
		equal(times_of(&target, told), i - i / 4);
	}
	dc_close(session);
	target_end(&target);
}

TEST("a signal that a callee stands at is received, though the call is undone or the debugger "
     "killed")
{
	struct target target = target_start("receiver");

	for (int i = 1; i <= 10; i++) {
		int told[2];
		char byte;

		expect(!pipe(told));
		pid_t debugger = fork();

		if (!debugger) {
			struct dc_session *session;

			prctl(PR_SET_PDEATHSIG, SIGKILL);
			session = open_session(&target);
			stop_at_signals(session);
			expect(dc_event_fd(session) >= 0);
			pends_at_signal(session, &target, i);
			if (i % 2)
				dc_close(session);
			expect(write(told[1], "s", 1) == 1);
			for (;;)
				pause();
		}
		expect(read(told[0], &byte, 1) == 1);
		kill(debugger, SIGKILL);
		equal(waitpid(debugger, NULL, 0), debugger);
		until(times_of(&target, i) >= i);
		equal(times_of(&target, i), i);
		close(told[0]);
		close(told[1]);
	}
	target_end(&target);
}

TEST("a thread in a pending call goes home when the debugger is killed")
{
	struct target target = target_start("comers", "2");

	for (int i = 0; i < 20; i++) {
		int told[2];
		char byte;

		expect(!pipe(told));
		pid_t debugger = fork();

		if (!debugger) {
			struct dc_session *session;
			struct dc_stop stop;
			unsigned triple;

			prctl(PR_SET_PDEATHSIG, SIGKILL);
			session = control(&target);
			if (i % 2) {
				stop = stop_at(session, "serve");
				triple = set(session, "triple", NULL);
			} else {
				triple = set(session, "triple", NULL);
				stop.thread = 0;
			}
			pends(session, stop.thread, "triple(1)", triple);
			expect(write(told[1], "s", 1) == 1);
			for (;;)
				pause();
		}
		expect(read(told[0], &byte, 1) == 1);
		kill(debugger, SIGKILL);
		equal(waitpid(debugger, NULL, 0), debugger);
		close(told[0]);
		close(told[1]);
		runs_on(&target);
	}
	target_end(&target);
}
