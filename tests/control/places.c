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
static const char *const others[] = { "by_store", "by_lock", "by_flags", "by_syscall",
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
	return session;
}

static unsigned set(struct dc_session *session, const char *place)
{
	const struct dc_breakpoint_options options = { .place = place };
	unsigned number;
	struct dc_error *err = dc_breakpoint_set(session, &options, &number);

	if (err && err->code == DC_REFUSED && strstr(err->notes ?: "", "BPF"))
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

TEST("many places, each met as often as four threads come by")
{
	enum { THREADS = 4, ROUNDS = 5 };
	struct target target = target_start("milestones", "4");
	struct dc_session *session = control(&target);
	unsigned numbers[PROBED], left[SLOTS];
	unsigned refused = 0;

	// Those that could have a uprobe leave the processor's breakpoints to those that cannot.
	for (int i = 0; i < PROBED; i++)
		numbers[i] = set(session, probed[i].name);
	for (int i = 0; i < SLOTS; i++)
		left[i] = set(session, others[i]);
	for (int i = SLOTS; i < OTHERS; i++) {
		const struct dc_breakpoint_options options = { .place = others[i] };
		unsigned number;
		struct dc_error *err = dc_breakpoint_set(session, &options, &number);

		expect(err && err->code == DC_REFUSED);
		contains(err->notes, "no uprobe can be at");
		dc_error_destroy(err);
		refused++;
	}
	equal((int)refused, OTHERS - SLOTS);
	for (int i = 0; i < PROBED; i++)
		equal(look(session, numbers[i]).is.armed_by, DC_ARMED_BY_UPROBE);
	for (int i = 0; i < SLOTS; i++)
		equal(look(session, left[i]).is.armed_by, DC_ARMED_BY_HARDWARE);
	ask(&target, "5\n");
	go_by_all(&target, session);
	equal((int64_t)answer(&target), THREADS * ROUNDS);
	for (int i = 0; i < PROBED; i++)
		equal((int64_t)look(session, numbers[i]).is.hits,
		      probed[i].times * THREADS * ROUNDS);
	for (int i = 0; i < SLOTS; i++)
		equal((int64_t)look(session, left[i]).is.hits, THREADS * ROUNDS);
	dc_close(session);
	ask(&target, "100\n");
	equal((int64_t)answer(&target), THREADS * (ROUNDS + 100));
	target_end(&target);
}

TEST("a child that comes by goes on, with and after its parent's debugger")
{
	struct target target = target_start("milestones", "1");
	struct dc_session *session = control(&target);

	for (int i = 0; i < PROBED; i++)
		set(session, probed[i].name);
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
