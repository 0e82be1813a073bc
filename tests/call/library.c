// SPDX-License-Identifier: MIT
// libdebugcall as a program uses it: debugcall.h and nothing else.
#include "debugger/debugcall.h"
#include "tests/harness/test.h"

#include <pthread.h>

static struct dc_session *open_session(const struct target *target, int64_t timeout_ns)
{
	struct dc_options options;
	struct dc_session *session;

	dc_options_init(&options);
	options.pid = options.thread = target->pid;
	options.timeout_ns = timeout_ns;
	options.wait_ns = 60 * INT64_C(1000000000);
	struct dc_error *err = dc_open(&options, &session);
	if (err)
		fail("%s", err->message);
	return session;
}

static void gives(struct dc_session *session, const char *expr, const char *value)
{
	struct dc_result result;
	struct dc_error *err = dc_evaluate(session, expr, &result);

	if (err)
		fail("%s: %s", expr, err->message);
	equal(result.value ? result.value : "(void)", value);
	dc_result_deinit(&result);
}

static void refuses(struct dc_session *session, const char *expr, enum dc_code code)
{
	struct dc_result result;
	struct dc_error *err = dc_evaluate(session, expr, &result);

	expect(err);
	equal(dc_code_name(err->code), dc_code_name(code));
	dc_error_destroy(err);
}

static void detach(struct dc_session *session)
{
	struct dc_departure departure;

	expect(!dc_detach(session, &departure));
}

static const int64_t no_timeout = 0, one_second = 1000000000;

TEST("evaluates expressions")
{
	struct target target = target_start("plain", "threads");
	struct dc_session *session = open_session(&target, one_second);

	gives(session, "add(1, 2)", "3");
	gives(session, "make_pair($1, 0.5)", "{a = 3, b = 0.5}");
	gives(session, "nothing()", "(void)");
	refuses(session, "add(1", DC_SYNTAX);
	refuses(session, "crash()", DC_CRASHED);
	// A frame that is asked for when the thread is held already.
	gives(session, "$2.a + depth", "4");
	detach(session);
	// The next attach is a new one, the results stay.
	gives(session, "add($1, $3)", "7");
	dc_close(session);
	target_end(&target);
}

TEST("calls with a program's own arguments")
{
	struct target target = target_start("plain", "threads");
	struct dc_session *session = open_session(&target, one_second);
	struct dc_argument numbers[] = { { .kind = DC_INTEGER, .integer = -40 },
					 { .kind = DC_UNSIGNED, .number = 2 } };
	struct dc_argument real = { .kind = DC_DOUBLE, .real = -0.1 };
	struct dc_argument text = { .kind = DC_STRING, .string = "a\"\\\n?\x01\xff" };
	struct dc_result result;

	expect(!dc_call(session, "add", numbers, 2, &result));
	equal(result.value, "-38");
	equal(result.type, "int");
	equal(result.thread, target.pid);
	dc_result_deinit(&result);
	expect(!dc_call(session, "half", &real, 1, &result));
	equal(result.value, "-0.050000000000000003");
	dc_result_deinit(&result);
	expect(!dc_call(session, "set_word", &text, 1, &result));
	dc_result_deinit(&result);
	gives(session,
	      "word[0] == 97 && word[1] == 34 && word[2] == 92 && word[3] == 10 && "
	      "word[4] == 63 && word[5] == 1 && (unsigned char) word[6] == 255 && word[7] == 0",
	      "1");

	struct dc_error *err = dc_call(session, "add", numbers, 1, &result);
	expect(err);
	dc_error_destroy(err);
	dc_close(session);
	target_end(&target);
}

TEST("lists end at the first failure")
{
	static const char *const exprs[] = { "note()", "crash()", "note()" };
	static const char *const wrong[] = { "note()", "nosuch()" };
	struct target target = target_start("plain", "threads");
	struct dc_session *session = open_session(&target, one_second);
	struct dc_outcome outcomes[4];
	struct dc_departure departure;
	size_t n;

	expect(!dc_evaluate_list(session, exprs, 3, "add($1, 41)", outcomes, &n, &departure));
	equal(n, 3);
	equal(outcomes[0].result.value, "1");
	equal(outcomes[1].err->code, DC_CRASHED);
	equal(outcomes[1].err->signo, SIGSEGV);
	equal(outcomes[2].expr, "add($1, 41)");
	equal(outcomes[2].result.value, "42");
	equal(departure.thread, target.pid);
	expect(departure.pause_ns > 0);
	dc_result_deinit(&outcomes[0].result);
	dc_error_destroy(outcomes[1].err);
	dc_result_deinit(&outcomes[2].result);

	expect(!dc_evaluate_list(session, wrong, 2, "note()", outcomes, &n, &departure));
	equal(n, 1);
	equal(outcomes[0].expr, "nosuch()");
	dc_error_destroy(outcomes[0].err);
	equal(departure.pause_ns, 0);
	gives(session, "notes", "1");
	dc_close(session);
	target_end(&target);
}

static void *cancel_when_called(void *arg)
{
	struct dc_session **sessions = arg;
	struct dc_result result = { 0 };
	uint64_t before = 0, now = 0;

	// Another session sees it count, because looking stops nothing.
	do {
		struct dc_error *err = dc_evaluate(sessions[1], "spins", &result);

		if (err)
			break;
		now = strtoull(result.value, NULL, 10);
		dc_result_deinit(&result);
	} while (now == before);
	dc_cancel(sessions[0]);
	return NULL;
}

TEST("an operation is cancelled from another thread")
{
	struct target target = target_start("plain", "threads");
	struct dc_session *sessions[2] = { open_session(&target, no_timeout),
					   open_session(&target, no_timeout) };
	pthread_t thread;

	equal(pthread_create(&thread, NULL, cancel_when_called, sessions), 0);
	refuses(sessions[0], "spin()", DC_CANCELLED);
	equal(pthread_join(thread, NULL), 0);
	// Only the operation that ran was cancelled.
	gives(sessions[0], "add(2, 2)", "4");
	dc_close(sessions[0]);
	dc_close(sessions[1]);
	target_end(&target);
}

TEST("other children of the process are left alone")
{
	struct target target = target_start("plain", "threads");
	pid_t other = fork();
	int status;

	if (!other)
		_exit(7);
	struct dc_session *session = open_session(&target, one_second);
	gives(session, "add(1, 1)", "2");
	dc_close(session);
	equal(waitpid(other, &status, 0), other);
	equal(WEXITSTATUS(status), 7);
	target_end(&target);
}

TEST("a session is closed while a thread is borrowed")
{
	struct target target = target_start("plain", "threads");
	struct dc_session *session = open_session(&target, one_second);
	char byte;

	expect(!dc_attach(session));
	dc_close(session);
	equal(write(target.to, "y", 1), 1);
	equal(read(target.from, &byte, 1), 1);
	equal(byte, 'y');
	target_end(&target);
	dc_close(NULL);
	dc_error_destroy(NULL);
}
