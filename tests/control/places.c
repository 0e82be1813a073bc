// SPDX-License-Identifier: MIT
// More breakpoints than a processor has: each is met as often as threads come by, before its
// instruction, which then runs once; and nobody is harmed.
#include "debugger/debugcall.h"
#include "tests/harness/test.h"

#include <poll.h>

// Where a uprobe may be, and how often a round comes by.
static const struct place {
	const char *name;
	int times;
} probed[] = {
	{ "by_mov", 3 },   { "by_add", 1 },    { "by_push", 1 },   { "by_data", 1 },
	{ "by_lea", 1 },   { "by_test", 1 },   { "by_jump", 1 },   { "by_call", 1 },
	{ "by_endbr", 1 }, { "by_branch", 1 }, { "by_vector", 1 }, { "by_push_data", 1 },
};
// And where none may.
static const char *const others[] = { "by_flags", "by_syscall", "by_store", "by_lock",
				      "by_wide_nop" };
enum { PROBED = sizeof(probed) / sizeof(*probed), OTHERS = 5, SLOTS = 3 };

static void good(struct dc_error *err, const char *what)
{
	if (err)
		fail("%s: %s (%s)", what, err->message, dc_state_text(err->state));
}

static struct dc_session *control(const struct target *target)
{
	struct dc_options options;
	struct dc_session *session;

	dc_options_init(&options);
	options.pid = target->pid;
	good(dc_open(&options, &session), "open");
	good(dc_control(session, NULL), "control");
	expect(dc_event_fd(session) >= 0); // what happens from now on is told
	return session;
}

static unsigned set(struct dc_session *session, const char *place)
{
	const struct dc_breakpoint_options options = { .place = place };
	unsigned number;
	struct dc_error *err = dc_breakpoint_set(session, &options, &number);

	if (err && err->code == DC_REFUSED && !strstr(err->notes ?: "", "no uprobe can be at"))
		skip("the kernel gives us no uprobes here: %s", err->notes);
	good(err, place);
	return number;
}

static void ask(const struct target *target, const char *what)
{
	expect(write(target->to, what, strlen(what)) == (ssize_t)strlen(what));
}

static unsigned long answer(const struct target *target)
{
	unsigned long rounds, faults, signals;
	char line[128];
	ssize_t n = read(target->from, line, sizeof(line) - 1);

	expect(n > 0);
	line[n] = '\0';
	equal(sscanf(line, "%lu %lu %lu", &rounds, &faults, &signals), 3);
	equal((int64_t)faults, 0);
	equal((int64_t)signals, 0);
	return rounds;
}

static unsigned long answer_again(const struct target *target)
{
	ask(target, "\n");
	return answer(target);
}

static bool has_answered(const struct target *target)
{
	struct pollfd fd = { .fd = target->from, .events = POLLIN };

	return poll(&fd, 1, 0) == 1;
}

struct counted {
	unsigned number;
	struct dc_breakpoint is;
	uint64_t pc;
};

static bool take(const struct dc_breakpoint *breakpoint, void *arg)
{
	struct counted *counted = arg;

	if (breakpoint->number != counted->number)
		return true;
	counted->is = *breakpoint;
	counted->pc = breakpoint->locations[0].at.pc;
	return false;
}

static struct counted look(struct dc_session *session, unsigned number)
{
	struct counted counted = { .number = number };

	good(dc_breakpoints(session, take, &counted), "breakpoints");
	return counted;
}

// Every stop is at its place, until the target has made its rounds.
static void go_by_all(const struct target *target, struct dc_session *session)
{
	while (!has_answered(target)) {
		struct dc_event event;

		if (!dc_wait_event(session, 10 * 1000 * 1000, &event))
			continue;
		equal(event.kind == DC_EVENT_TARGET_ENDED, false);
		if (event.kind != DC_EVENT_STOPPED)
			continue;
		equal(event.stop.reason, DC_STOP_BREAKPOINT);
		equal(event.stop.frame.pc, look(session, event.stop.breakpoint).pc);
		good(dc_continue(session, event.stop.thread), "continue");
	}
}

static struct dc_error *refusal(struct dc_session *session, const char *place)
{
	const struct dc_breakpoint_options options = { .place = place };
	unsigned number;
	struct dc_error *err = dc_breakpoint_set(session, &options, &number);

	expect(err && err->code == DC_REFUSED);
	return err;
}

// All that can be set is, and four threads come by five times.
static void come_by_all(bool patches)
{
	enum { THREADS = 4, ROUNDS = 5 };
	struct target target = target_start("milestones", "4");
	struct dc_session *session = control(&target);
	unsigned numbers[PROBED], left[OTHERS];
	int nr_left = patches ? OTHERS : SLOTS;

	dc_allow_patches(session, patches);
	// Those that could have a uprobe leave the processor's breakpoints to those that cannot.
	for (int i = 0; i < PROBED; i++)
		numbers[i] = set(session, probed[i].name);
	for (int i = 0; i < nr_left; i++)
		left[i] = set(session, others[i]);
	for (int i = nr_left; i < OTHERS; i++) {
		struct dc_error *err = refusal(session, others[i]);

		expect(err->wants_patch);
		contains(err->notes, "no uprobe can be at");
		dc_error_destroy(err);
	}
	for (int i = 0; i < PROBED; i++)
		equal(look(session, numbers[i]).is.armed_by, DC_ARMED_BY_UPROBE);
	for (int i = 0; i < nr_left; i++)
		equal(look(session, left[i]).is.armed_by,
		      i < SLOTS ? DC_ARMED_BY_HARDWARE : DC_ARMED_BY_PATCH);
	ask(&target, "5\n");
	go_by_all(&target, session);
	equal((int64_t)answer(&target), THREADS * ROUNDS);
	for (int i = 0; i < PROBED; i++)
		equal((int64_t)look(session, numbers[i]).is.hits,
		      probed[i].times * THREADS * ROUNDS);
	for (int i = 0; i < nr_left; i++)
		equal((int64_t)look(session, left[i]).is.hits, THREADS * ROUNDS);
	ask(&target, "0\n");
	answer(&target);
	// While they come by.
	dc_close(session);
	for (unsigned long before = answer_again(&target); answer_again(&target) < before + 100;)
		;
	target_end(&target);
}

TEST("many places, each met as often as four threads come by")
{
	come_by_all(false);
}

TEST("places that can only be patched, each met as often")
{
	come_by_all(true);
}

TEST("what no thread can be led over is not patched")
{
	struct target target = target_start("milestones", "1");
	struct dc_session *session = control(&target);
	struct dc_error *err;

	dc_allow_patches(session, true);
	set(session, "by_store");
	set(session, "by_lock");
	set(session, "by_flags");
	err = refusal(session, "by_syscall");
	contains(err->notes, "no int3 can be at");
	dc_error_destroy(err);
	dc_close(session);
	target_end(&target);
}

TEST("a child that comes by goes on, with and after its parent's debugger")
{
	struct target target = target_start("milestones", "1");
	struct dc_session *session = control(&target);

	dc_allow_patches(session, true);
	for (int i = 0; i < PROBED; i++)
		set(session, probed[i].name);
	for (int i = 0; i < OTHERS; i++)
		set(session, others[i]);
	ask(&target, "fork\n");
	go_by_all(&target, session);
	answer(&target);
	dc_close(session);
	ask(&target, "fork\n");
	answer(&target);
	target_end(&target);
}

TEST("the instructions of a place read as they are, and are not written")
{
	static const unsigned char push[] = { 0xff, 0x35 }; // global(%rip)
	struct target target = target_start("milestones", "1");
	struct dc_session *session = control(&target);
	unsigned char code[sizeof(push)];
	struct counted last = { 0 };
	size_t got;

	for (int i = 0; i < PROBED; i++)
		last = look(session, set(session, probed[i].name));
	equal(last.is.armed_by, DC_ARMED_BY_UPROBE);
	good(dc_read_memory(session, last.pc, code, sizeof(code), &got), "read");
	expect(!memcmp(code, push, sizeof(push)));
	struct dc_error *err = dc_write_memory(session, last.pc, push, sizeof(push));

	expect(err && err->code == DC_REFUSED);
	dc_error_destroy(err);
	good(dc_breakpoint_delete(session, last.number), "delete");
	good(dc_write_memory(session, last.pc, push, sizeof(push)), "write");
	dc_close(session);
	target_end(&target);
}

static struct dc_stop next_stop(struct dc_session *session)
{
	static const int64_t limit = 60 * INT64_C(1000000000);
	struct dc_event event;

	do {
		if (!dc_wait_event(session, limit, &event))
			fail("nothing happens");
	} while (event.kind == DC_EVENT_RAN_ON);
	equal(event.kind, DC_EVENT_STOPPED);
	return event.stop;
}

static struct dc_error *evaluate(struct dc_session *session, pid_t thread, const char *text,
				 bool may_pend, int64_t *ret)
{
	const struct dc_scope scope = { .thread = thread };
	struct dc_expression *expression;
	struct dc_call_options options;
	struct dc_result result;

	dc_call_options_init(&options);
	options.may_pend = may_pend;
	good(dc_parse(session, text, &scope, &expression), text);

	struct dc_error *err = dc_evaluate(session, expression, &options, &result);

	dc_expression_destroy(expression);
	if (err)
		return err;
	expect(result.value->bytes && result.value->type.size == sizeof(*ret));
	memcpy(ret, result.value->bytes, sizeof(*ret));
	dc_result_deinit(&result);
	return NULL;
}

// With all of the processor's breakpoints taken by places that only those can be on.
static unsigned set_probed(struct dc_session *session, const char *place)
{
	unsigned number;

	for (int i = 0; i < SLOTS; i++)
		set(session, others[i]);
	number = set(session, place);
	equal(look(session, number).is.armed_by, DC_ARMED_BY_UPROBE);
	return number;
}

TEST("callees come by a uprobe, and are let go by, or stand there")
{
	struct target target = target_start("milestones", "1");
	struct dc_session *session = control(&target);
	unsigned number = set_probed(session, "by_push");
	int64_t value;

	for (int i = 0; i < 10; i++) {
		struct dc_error *err;
		struct dc_stop stop;
		struct dc_event event;

		good(evaluate(session, 0, "by_push(7)", false, &value), "passed over");
		equal(value, 7);
		err = evaluate(session, 0, "by_push(8)", true, &value);
		expect(err && err->code == DC_PENDING);
		dc_error_destroy(err);
		stop = next_stop(session);
		equal(stop.breakpoint, number);
		equal(stop.frame.pc, look(session, number).pc);
		good(evaluate(session, stop.thread, "(long)$rdi", false, &value), "$rdi");
		equal(value, 8);
		good(dc_continue(session, stop.thread), "continue");
		do
			expect(dc_wait_event(session, 60 * INT64_C(1000000000), &event));
		while (event.kind == DC_EVENT_RAN_ON);
		equal(event.kind, DC_EVENT_RETURNED);
		expect(!event.failure);
	}
	equal((int64_t)look(session, number).is.hits, 10);
	dc_close(session);
	ask(&target, "100\n");
	answer(&target);
	target_end(&target);
}

TEST("instructions are stepped from a uprobe, to one, and by it")
{
	struct target target = target_start("milestones", "1");
	struct dc_session *session = control(&target);
	unsigned number = set_probed(session, "by_jump"), next = set(session, "by_mov");
	struct dc_step_options step = { .how = DC_STEP_INSTRUCTION };
	struct dc_stop stop;

	equal(look(session, next).is.armed_by, DC_ARMED_BY_UPROBE);
	ask(&target, "5\n");
	for (int i = 0; i < 5;) {
		stop = next_stop(session);
		if (stop.breakpoint == number) {
			step.thread = stop.thread;
			good(dc_step(session, &step), "step");
			stop = next_stop(session); // the jump has led to the other place
			equal(stop.frame.pc, look(session, next).pc);
			equal(stop.breakpoint, next);
			good(dc_step(session, &step), "step");
			stop = next_stop(session);
			equal(stop.reason, DC_STOP_STEP);
			equal(stop.frame.pc, look(session, next).pc + 3);
			i++;
		}
		good(dc_continue(session, stop.thread), "continue");
	}
	go_by_all(&target, session);
	equal((int64_t)answer(&target), 5);
	equal((int64_t)look(session, number).is.hits, 5);
	equal((int64_t)look(session, next).is.hits, 15);
	dc_close(session);
	target_end(&target);
}
