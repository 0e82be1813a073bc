// SPDX-License-Identifier: MIT
// libdebugcall as a program uses it: debugcall.h and nothing else.
#include "debugger/debugcall.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct target {
	pid_t pid;
	int to, from;
};

static struct target start(void)
{
	char path[4096], byte;
	int in[2], out[2];
	struct target target;

	snprintf(path, sizeof(path), "%s/tests/targets/plain", getenv("B") ?: "build/release");
	assert_int_equal(pipe(in) | pipe(out), 0);
	target = (struct target){ fork(), in[1], out[0] };
	if (!target.pid) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		close(in[1]);
		execl(path, path, "threads", NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	do {
		assert_int_equal(read(target.from, &byte, 1), 1);
	} while (byte != '\n');
	return target;
}

static void end(struct target *target)
{
	int status;

	kill(target->pid, SIGKILL);
	close(target->to);
	close(target->from);
	// Nobody else may have reaped our child.
	assert_int_equal(waitpid(target->pid, &status, 0), target->pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

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
		fail_msg("%s", err->message);
	return session;
}

static void expect(struct dc_session *session, const char *expr, const char *value)
{
	struct dc_result result;
	struct dc_error *err = dc_evaluate(session, expr, &result);

	if (err)
		fail_msg("%s: %s", expr, err->message);
	assert_string_equal(result.value ? result.value : "(void)", value);
	dc_result_deinit(&result);
}

static void expect_code(struct dc_session *session, const char *expr, enum dc_code code)
{
	struct dc_result result;
	struct dc_error *err = dc_evaluate(session, expr, &result);

	assert_non_null(err);
	assert_string_equal(dc_code_name(err->code), dc_code_name(code));
	dc_error_destroy(err);
}

static void detach(struct dc_session *session)
{
	struct dc_departure departure;

	assert_null(dc_detach(session, &departure));
}

static const int64_t no_timeout = 0, one_second = 1000000000;

static void evaluates(void **state)
{
	struct target target = start();
	struct dc_session *session = open_session(&target, one_second);

	(void)state;
	expect(session, "add(1, 2)", "3");
	expect(session, "make_pair($1, 0.5)", "{a = 3, b = 0.5}");
	expect(session, "nothing()", "(void)");
	expect_code(session, "add(1", DC_SYNTAX);
	expect_code(session, "crash()", DC_CRASHED);
	// A frame that is asked for when the thread is held already.
	expect(session, "$2.a + depth", "4");
	detach(session);
	// The next attach is a new one, the results stay.
	expect(session, "add($1, $3)", "7");
	dc_close(session);
	end(&target);
}

static void calls_with_arguments(void **state)
{
	struct target target = start();
	struct dc_session *session = open_session(&target, one_second);
	struct dc_argument numbers[] = { { .kind = DC_INTEGER, .integer = -40 },
					 { .kind = DC_UNSIGNED, .number = 2 } };
	struct dc_argument real = { .kind = DC_DOUBLE, .real = -0.1 };
	struct dc_argument text = { .kind = DC_STRING, .string = "a\"\\\n?\x01\xff" };
	struct dc_result result;

	(void)state;
	assert_null(dc_call(session, "add", numbers, 2, &result));
	assert_string_equal(result.value, "-38");
	assert_string_equal(result.type, "int");
	assert_int_equal(result.thread, target.pid);
	dc_result_deinit(&result);
	assert_null(dc_call(session, "half", &real, 1, &result));
	assert_string_equal(result.value, "-0.050000000000000003");
	dc_result_deinit(&result);
	assert_null(dc_call(session, "set_word", &text, 1, &result));
	dc_result_deinit(&result);
	expect(session,
	       "word[0] == 97 && word[1] == 34 && word[2] == 92 && word[3] == 10 && "
	       "word[4] == 63 && word[5] == 1 && (unsigned char) word[6] == 255 && word[7] == 0",
	       "1");

	struct dc_error *err = dc_call(session, "add", numbers, 1, &result);
	assert_non_null(err);
	dc_error_destroy(err);
	dc_close(session);
	end(&target);
}

static void lists(void **state)
{
	static const char *const exprs[] = { "note()", "crash()", "note()" };
	static const char *const wrong[] = { "note()", "nosuch()" };
	struct target target = start();
	struct dc_session *session = open_session(&target, one_second);
	struct dc_outcome outcomes[4];
	struct dc_departure departure;
	size_t n;

	(void)state;
	assert_null(dc_evaluate_list(session, exprs, 3, "add($1, 41)", outcomes, &n, &departure));
	assert_int_equal(n, 3);
	assert_string_equal(outcomes[0].result.value, "1");
	assert_int_equal(outcomes[1].err->code, DC_CRASHED);
	assert_int_equal(outcomes[1].err->signo, SIGSEGV);
	assert_string_equal(outcomes[2].expr, "add($1, 41)");
	assert_string_equal(outcomes[2].result.value, "42");
	assert_int_equal(departure.thread, target.pid);
	assert_true(departure.pause_ns > 0);
	dc_result_deinit(&outcomes[0].result);
	dc_error_destroy(outcomes[1].err);
	dc_result_deinit(&outcomes[2].result);

	assert_null(dc_evaluate_list(session, wrong, 2, "note()", outcomes, &n, &departure));
	assert_int_equal(n, 1);
	assert_string_equal(outcomes[0].expr, "nosuch()");
	dc_error_destroy(outcomes[0].err);
	assert_int_equal(departure.pause_ns, 0);
	expect(session, "notes", "1");
	dc_close(session);
	end(&target);
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

static void cancels_from_another_thread(void **state)
{
	struct target target = start();
	struct dc_session *sessions[2] = { open_session(&target, no_timeout),
					   open_session(&target, no_timeout) };
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, cancel_when_called, sessions), 0);
	expect_code(sessions[0], "spin()", DC_CANCELLED);
	assert_int_equal(pthread_join(thread, NULL), 0);
	// Only the operation that ran was cancelled.
	expect(sessions[0], "add(2, 2)", "4");
	dc_close(sessions[0]);
	dc_close(sessions[1]);
	end(&target);
}

static void leaves_other_children_alone(void **state)
{
	struct target target = start();
	pid_t other = fork();
	int status;

	(void)state;
	if (!other)
		_exit(7);
	struct dc_session *session = open_session(&target, one_second);
	expect(session, "add(1, 1)", "2");
	dc_close(session);
	assert_int_equal(waitpid(other, &status, 0), other);
	assert_int_equal(WEXITSTATUS(status), 7);
	end(&target);
}

static void closes_while_borrowed(void **state)
{
	struct target target = start();
	struct dc_session *session = open_session(&target, one_second);
	char byte;

	(void)state;
	assert_null(dc_attach(session));
	dc_close(session);
	assert_int_equal(write(target.to, "y", 1), 1);
	assert_int_equal(read(target.from, &byte, 1), 1);
	assert_int_equal(byte, 'y');
	end(&target);
	dc_close(NULL);
	dc_error_destroy(NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(evaluates),
		cmocka_unit_test(calls_with_arguments),
		cmocka_unit_test(lists),
		cmocka_unit_test(cancels_from_another_thread),
		cmocka_unit_test(leaves_other_children_alone),
		cmocka_unit_test(closes_while_borrowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
