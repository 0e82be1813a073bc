// SPDX-License-Identifier: MIT
// dc_call_many(): rows of arguments, on the bare host and through an agent.
#include "debugger/debugcall.h"
#include "tests/harness/test.h"

enum { ROWS = 10000 };

static void good(struct dc_error *err)
{
	if (err)
		fail(err->message);
}

static struct dc_session *open_session(const struct target *target)
{
	struct dc_session *session;
	struct dc_options options;

	dc_options_init(&options);
	options.pid = target->pid;
	good(dc_open(&options, &session));
	return session;
}

static struct target start(bool has_agent)
{
	struct target target;

	if (has_agent)
		setenv("LD_PRELOAD", built("libdebugcall-agent.so"), 1);
	target = target_start("plain");
	unsetenv("LD_PRELOAD");
	return target;
}

static void adds(bool has_agent, size_t rows)
{
	struct target target = start(has_agent);
	struct dc_session *session = open_session(&target);
	struct dc_argument *args = calloc(2 * rows, sizeof(*args));
	struct dc_answer *answers = calloc(rows, sizeof(*answers));
	uint64_t done;

	for (size_t i = 0; i < rows; i++) {
		args[2 * i] = (struct dc_argument){ .kind = DC_INTEGER, .integer = -(int64_t)i };
		args[2 * i + 1] = (struct dc_argument){ .kind = DC_DOUBLE, .real = 3.9 };
	}
	good(dc_call_many(session, "add", args, 2, rows, NULL, NULL, answers, &done));
	equal(done, rows);
	for (size_t i = 0; i < rows; i++) {
		equal(answers[i].kind, DC_INTEGER);
		equal(answers[i].integer, 3 - (int64_t)i);
		expect(answers[i].nanoseconds >= 0);
	}
	for (size_t i = 0; i < rows; i++)
		args[i] = (struct dc_argument){ .kind = DC_INTEGER, .integer = (int64_t)i };
	good(dc_call_many(session, "half", args, 1, rows, NULL, NULL, answers, &done));
	equal(done, rows);
	for (size_t i = 0; i < rows; i++) {
		equal(answers[i].kind, DC_DOUBLE);
		expect(answers[i].real == (double)i / 2);
	}
	good(dc_call_many(session, "note", NULL, 0, rows, NULL, NULL, answers, &done));
	equal(done, rows);
	for (size_t i = 0; i < rows; i++)
		equal(answers[i].integer, (int64_t)i + 1);
	free(answers);
	free(args);
	dc_close(session);
	target_end(&target);
}

TEST("rows through an agent, in their order")
{
	adds(true, ROWS);
}

TEST("rows on the bare host")
{
	adds(false, 200);
}

TEST("the first row that fails ends them")
{
	for (int has_agent = 0; has_agent < 2; has_agent++) {
		struct target target = start(has_agent);
		struct dc_session *session = open_session(&target);
		struct dc_argument args[200];
		struct dc_answer answers[100];
		struct dc_error *err;
		uint64_t done;

		for (int i = 0; i < 100; i++) {
			args[2 * i] = (struct dc_argument){ .kind = DC_INTEGER, .integer = 100 };
			args[2 * i + 1] = (struct dc_argument){ .kind = DC_INTEGER,
								.integer = 70 - i };
		}
		err = dc_call_many(session, "divide", args, 2, 100, NULL, NULL, answers, &done);
		expect(err);
		equal(err->code, DC_CRASHED);
		equal(err->signo, SIGFPE);
		equal(err->state, DC_STATE_RUNNING);
		equal(done, 70);
		equal(answers[69].integer, 100);
		dc_error_destroy(err);
		dc_close(session);
		target_end(&target);
	}
}

static void refused(struct dc_session *session, const char *function, struct dc_argument arg,
		    enum dc_code code)
{
	struct dc_argument args[] = { { .kind = DC_INTEGER }, arg };
	struct dc_answer answers[2];
	uint64_t done;
	struct dc_error *err = dc_call_many(session, function, args, 1, 2, NULL, NULL, answers,
					    &done);

	expect(err);
	equal(err->code, code);
	equal(done, 0);
	dc_error_destroy(err);
}

TEST("what is no number in a register is refused")
{
	struct target target = start(true);
	struct dc_session *session = open_session(&target);

	refused(session, "is_even", (struct dc_argument){ .kind = DC_STRING, .string = "a" },
		DC_USAGE);
	refused(session, "is_even", (struct dc_argument){ .kind = DC_DOUBLE, .real = 1e30 },
		DC_VALUE);
	refused(session, "nosuch", (struct dc_argument){ .kind = DC_INTEGER }, DC_NAME);
	refused(session, "set_word", (struct dc_argument){ .kind = DC_DOUBLE, .real = 1 }, DC_TYPE);
	dc_close(session);
	target_end(&target);
}
