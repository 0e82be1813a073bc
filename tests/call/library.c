// SPDX-License-Identifier: MIT
// libdebugcall as a program uses it: debugcall.h and nothing else.
#include "debugger/debugcall.h"
#include "tests/harness/test.h"

#include <dirent.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>

static struct dc_session *open_session(const struct target *target)
{
	struct dc_options options;
	struct dc_session *session;

	dc_options_init(&options);
	options.pid = target->pid;
	struct dc_error *err = dc_open(&options, &session);
	if (err)
		fail("%s", err->message);
	return session;
}

static const int64_t one_second = 1000000000;

// The main thread, for as long as it takes.
static struct dc_scope main_of(const struct target *target)
{
	return (struct dc_scope){ .thread = target->pid };
}

static struct dc_call_options patient(int64_t timeout_ns)
{
	struct dc_call_options options;

	dc_call_options_init(&options);
	options.timeout_ns = timeout_ns;
	options.wait_ns = 60 * one_second;
	return options;
}

static void good(struct dc_error *err, const char *what)
{
	if (err)
		fail("%s: %s", what, err->message);
}

static struct dc_expression *parse(struct dc_session *session, const char *text,
				   const struct dc_scope *scope)
{
	struct dc_expression *expression;

	good(dc_parse(session, text, scope, &expression), text);
	return expression;
}

static struct dc_value *evaluate(struct dc_session *session, struct dc_expression *expression)
{
	const struct dc_call_options options = patient(one_second);
	struct dc_result result;

	good(dc_evaluate(session, expression, &options, &result), dc_expression_text(expression));
	return result.value;
}

static void has_text(const struct dc_value *value, char format, const char *wanted)
{
	char *text;

	good(dc_value_text(value, format, &text), wanted);
	equal(text ? text : "(void)", wanted);
	free(text);
}

static void gives_again(struct dc_session *session, struct dc_expression *expression,
			const char *wanted)
{
	struct dc_value *value = evaluate(session, expression);

	has_text(value, 0, wanted);
	dc_value_destroy(value);
}

static void gives_in(struct dc_session *session, const struct dc_scope *scope, const char *text,
		     const char *wanted)
{
	struct dc_expression *expression = parse(session, text, scope);

	gives_again(session, expression, wanted);
	dc_expression_destroy(expression);
}

static void gives(struct dc_session *session, const struct target *target, const char *text,
		  const char *wanted)
{
	const struct dc_scope scope = main_of(target);

	gives_in(session, &scope, text, wanted);
}

static void refuses(struct dc_error *err, enum dc_code code)
{
	expect(err);
	equal(dc_code_name(err->code), dc_code_name(code));
	dc_error_destroy(err);
}

static struct dc_error *try(struct dc_session *session, const struct target *target,
			    const char *text, int64_t timeout_ns)
{
	const struct dc_scope scope = main_of(target);
	const struct dc_call_options options = patient(timeout_ns);
	struct dc_expression *expression;
	struct dc_result result = { 0 };
	struct dc_error *err = dc_parse(session, text, &scope, &expression);

	if (err)
		return err;
	err = dc_evaluate(session, expression, &options, &result);
	dc_result_deinit(&result);
	dc_expression_destroy(expression);
	return err;
}

static void attach(struct dc_session *session, const struct target *target)
{
	const struct dc_scope scope = main_of(target);
	const struct dc_call_options options = patient(one_second);

	good(dc_attach(session, &scope, &options), "attach");
}

static void detach(struct dc_session *session)
{
	struct dc_departure departure;

	expect(!dc_detach(session, &departure));
}

static pid_t tracer_of(pid_t tid)
{
	char path[64], line[256];
	pid_t tracer = -1;

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	FILE *file = fopen(path, "r");
	expect(file);
	while (fgets(line, sizeof(line), file))
		sscanf(line, "TracerPid: %d", &tracer);
	fclose(file);
	return tracer;
}

TEST("evaluates expressions")
{
	struct target target = target_start("plain", "threads");
	struct dc_session *session = open_session(&target);

	attach(session, &target);
	gives(session, &target, "add(1, 2)", "3");
	gives(session, &target, "make_pair($1, 0.5)", "{a = 3, b = 0.5}");
	gives(session, &target, "nothing()", "(void)");
	refuses(try(session, &target, "add(1", one_second), DC_SYNTAX);
	refuses(try(session, &target, "crash()", one_second), DC_CRASHED);
	// A frame that is asked for when the thread is held already.
	gives(session, &target, "$2.a + depth", "4");
	expect(tracer_of(target.pid) != 0);
	detach(session);
	// The next attach is a new one, the results stay.
	gives(session, &target, "add($1, $3)", "7");
	// Without an attach an evaluation leaves nobody stopped.
	equal(tracer_of(target.pid), 0);
	dc_close(session);
	target_end(&target);
}

TEST("prints an expression in one step")
{
	struct target target = target_start("plain", "threads");
	struct dc_session *session = open_session(&target);
	char *text;

	good(dc_print(session, "pairs[1]", &text), "pairs[1]");
	equal(text, "{a = 3, b = 4.5}");
	free(text);
	good(dc_print(session, "(void)0", &text), "(void)0");
	expect(!text);
	dc_close(session);
	target_end(&target);
}

TEST("an expression is a handle that is evaluated again")
{
	struct target target = target_start("plain", "threads");
	struct dc_session *session = open_session(&target);
	const struct dc_scope scope = main_of(&target);
	struct dc_expression *count = parse(session, "note()", &scope),
			     *local = parse(session, "local + notes", &scope);

	gives_again(session, count, "1");
	gives_again(session, local, "101");
	gives_again(session, count, "2");
	gives_again(session, local, "102");
	dc_expression_destroy(local);
	dc_expression_destroy(count);
	dc_close(session);
	target_end(&target);
}

// A page of code that a thread is in, or other threads: the scope says which, in one session.
TEST("a session serves many frames and threads")
{
	struct target target = target_start("plain", "threads");
	struct dc_session *session = open_session(&target);
	const struct dc_scope inner = { .thread = target.pid, .frame = "1" },
			      outer = { .thread = target.pid, .frame = "3" },
			      named = { .thread = target.pid, .frame = "main" },
			      nobody = { .thread = 1 };
	struct dc_expression *in = parse(session, "depth * 10", &inner),
			     *out = parse(session, "depth * 10", &outer),
			     *top = parse(session, "argc", &named), *wrong;

	gives_again(session, out, "30");
	gives_again(session, in, "10");
	gives_again(session, top, "2");
	gives_again(session, out, "30");
	attach(session, &target);
	gives_again(session, in, "10");
	gives_again(session, out, "30");
	detach(session);
	refuses(dc_parse(session, "1", &nobody, &wrong), DC_ATTACH);
	dc_expression_destroy(top);
	dc_expression_destroy(out);
	dc_expression_destroy(in);
	dc_close(session);
	target_end(&target);
}

TEST("an expression tells its effects before it is evaluated")
{
	static const struct {
		const char *text;
		struct dc_effects effects;
	} rows[] = {
		{ "pairs[0].a + 1", { 0 } },
		{ "sizeof(note())", { 0 } },
		{ "notes = 3", { .writes = true } },
		{ "pairs[0].a++", { .writes = true } },
		{ "depth", { .stops = true } },
		{ "$rax", { .stops = true } },
		{ "(long) note()", { .calls = true, .is_call = true, .stops = true } },
		{ "note() + 1", { .calls = true, .stops = true } },
		{ "$x = 1", { 0 } },
	};
	struct target target = target_start("plain", "threads");
	struct dc_session *session = open_session(&target);
	const struct dc_scope scope = main_of(&target);
	struct dc_call_options options = patient(one_second);
	struct dc_result result;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct dc_expression *expression = parse(session, rows[i].text, &scope);
		struct dc_effects effects = dc_expression_effects(expression);

		if (memcmp(&effects, &rows[i].effects, sizeof(effects)) != 0)
			fail("%s: calls %d, is a call %d, writes %d, stops %d", rows[i].text,
			     effects.calls, effects.is_call, effects.writes, effects.stops);
		dc_expression_destroy(expression);
	}
	options.no_call = true;
	struct dc_expression *call = parse(session, "note()", &scope);
	refuses(dc_evaluate(session, call, &options, &result), DC_REFUSED);
	dc_expression_destroy(call);
	gives(session, &target, "notes", "0");
	dc_close(session);
	target_end(&target);
}

static struct dc_value *child(const struct dc_value *value, uint64_t at)
{
	struct dc_value *ret;
	size_t n;

	good(dc_value_children(value, at, 1, &ret, &n), "a child");
	equal(n, 1);
	return ret;
}

// The name, the expression and the text of a child; the expression gives that text too.
static void has_child(struct dc_session *session, const struct dc_value *value, uint64_t at,
		      const char *name, const char *expression, const char *text)
{
	struct dc_value *part = child(value, at);

	equal(part->name, name);
	equal(part->expression ? part->expression : "(none)", expression);
	has_text(part, 0, text);
	if (part->expression && part->state == DC_VALUE_OK)
		gives_in(session, NULL, part->expression, text);
	dc_value_destroy(part);
}

TEST("values have types, places and children")
{
	struct target target = target_start("plain", "threads");
	struct dc_session *session = open_session(&target);
	struct dc_expression *expression = parse(session, "parts", NULL);
	struct dc_value *parts = evaluate(session, expression), *part, *deeper;

	dc_expression_destroy(expression);
	equal(parts->state, DC_VALUE_OK);
	equal(parts->lvalue, DC_LVALUE_MEMORY);
	equal(parts->type.name, "struct parts");
	equal(parts->type.kind, DC_TYPE_STRUCT);
	equal(parts->nr_children, 6);
	equal(parts->expression, "parts");
	has_child(session, parts, 0, "low", "parts.low", "5");
	has_child(session, parts, 1, "high", "parts.high", "-2");
	has_child(session, parts, 2, "<anonymous union>", "(none)",
		  "{number = 1094861636, letters = \"DCBA\"}");

	part = child(parts, 1);
	equal(part->lvalue, DC_LVALUE_BIT_FIELD);
	equal(part->bit_size, 5);
	expect(part->type.is_signed);
	equal(*(const int *)part->bytes, -2);
	has_text(part, 'x', "0xfffffffe");
	dc_value_destroy(part);

	part = child(parts, 2);
	has_child(session, part, 0, "number", "parts.number", "1094861636");
	dc_value_destroy(part);

	// What a pointer to a struct points to, which is read now.
	part = child(parts, 3);
	equal(part->nr_children, 2);
	has_child(session, part, 1, "b", "parts.pair->b", "4.5");
	dc_value_destroy(part);
	part = child(parts, 4);
	deeper = child(part, 0);
	equal(deeper->state, DC_VALUE_UNREADABLE);
	equal(deeper->reason, "cannot access memory at address 0x10");
	has_text(deeper, 0, "<error: cannot access memory at address 0x10>");
	dc_value_destroy(deeper);
	dc_value_destroy(part);
	// The same as a whole expression is an error, which says so too.
	struct dc_error *err = try(session, &target, "*parts.nowhere", one_second);
	expect(err);
	equal(err->value, DC_VALUE_UNREADABLE);
	dc_error_destroy(err);

	part = child(parts, 5);
	equal(part->nr_children, 2);
	has_child(session, part, 1, "[1]", "parts.rows[1]", "{4, 5, 6}");
	deeper = child(part, 1);
	has_child(session, deeper, 2, "[2]", "parts.rows[1][2]", "6");
	dc_value_destroy(deeper);
	dc_value_destroy(part);
	dc_value_destroy(parts);
	dc_close(session);
	target_end(&target);
}

TEST("classes have their bases and members as children")
{
	struct target target = target_start("cxx-gcc");
	struct dc_session *session = open_session(&target);
	struct dc_expression *square = parse(session, "ns::square", NULL),
			     *solid = parse(session, "ns::as_solid", NULL),
			     *shape = parse(session, "ns::as_shape", NULL),
			     *number = parse(session, "reference", NULL);
	struct dc_value *value = evaluate(session, square), *base;

	equal(value->nr_children, 3);
	has_child(session, value, 2, "side", "ns::square.side", "6");
	base = child(value, 1);
	equal(base->name, "ns::Solid");
	equal(base->expression, "*(ns::Solid *) &ns::square");
	has_child(session, base, base->nr_children - 1, "weight",
		  "(*(ns::Solid *) &ns::square).weight", "70");
	dc_value_destroy(base);
	dc_value_destroy(value);

	value = evaluate(session, solid);
	has_child(session, value, value->nr_children - 1, "weight", "ns::as_solid->weight", "70");
	dc_value_destroy(value);
	value = evaluate(session, shape);
	equal(value->type.kind, DC_TYPE_REFERENCE);
	has_child(session, value, value->nr_children - 1, "id", "ns::as_shape.id", "1");
	dc_value_destroy(value);
	value = evaluate(session, number);
	equal(value->nr_children, 0);
	dc_value_destroy(value);
	dc_expression_destroy(number);
	dc_expression_destroy(shape);
	dc_expression_destroy(solid);
	dc_expression_destroy(square);
	dc_close(session);
	target_end(&target);
}

TEST("a register is an object")
{
	struct target target = target_start("plain", "threads");
	struct dc_session *session = open_session(&target);
	const struct dc_scope scope = main_of(&target);
	struct dc_expression *register_ = parse(session, "$rax", &scope);
	struct dc_value *value = evaluate(session, register_);

	equal(value->lvalue, DC_LVALUE_REGISTER);
	equal(value->register_name, "rax");
	equal(value->expression, "$rax");
	dc_value_destroy(value);
	dc_expression_destroy(register_);
	dc_close(session);
	target_end(&target);
}

// A thread that runs is not stopped for who only wants to look.
TEST("nobody is stopped for who only looks")
{
	struct target target = target_start("plain", "threads");
	struct dc_session *session = open_session(&target);
	const struct dc_call_options options = patient(one_second);
	struct dc_scope scope = { .no_stop = true };
	struct dc_expression *expression;
	struct dc_result result;
	struct dc_event event;
	struct dirent *entry;

	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/task", target.pid);
	DIR *tasks = opendir(path);
	expect(tasks);
	while ((entry = readdir(tasks)))
		if (atoi(entry->d_name) > target.pid)
			scope.thread = atoi(entry->d_name);
	closedir(tasks);
	expect(scope.thread != 0);

	expect(dc_event_fd(session) >= 0);
	// Where it is may be seen without a stop, and then its names are known.
	struct dc_error *err = dc_parse(session, "arg == 0", &scope, &expression);
	if (err) {
		refuses(err, DC_NAME);
	} else {
		refuses(dc_evaluate(session, expression, &options, &result), DC_REFUSED);
		dc_expression_destroy(expression);
	}
	gives_in(session, &scope, "ticks == 0", "0");
	expression = parse(session, "$rip", &scope);
	expect(dc_expression_effects(expression).stops);
	refuses(dc_evaluate(session, expression, &options, &result), DC_REFUSED);
	expect(!dc_next_event(session, &event));
	dc_expression_destroy(expression);
	scope.no_stop = false;
	gives_in(session, &scope, "arg == 0", "1");
	dc_close(session);
	target_end(&target);
}

// Names for what a call returned go by its number: the call is not made again.
TEST("parts of results are named by their number")
{
	struct target target = target_start("plain", "threads");
	struct dc_session *session = open_session(&target);
	struct dc_expression *expression = parse(session, "make_pair(note(), 1.5)", NULL),
			     *formatted = parse(session, "/x parts.rows", NULL);
	struct dc_value *value = evaluate(session, expression), *shown, *part;

	equal(value->number, 1);
	equal(value->lvalue, DC_LVALUE_NONE);
	equal(value->expression, "$1");
	has_child(session, value, 0, "a", "$1.a", "1");
	has_child(session, value, 1, "b", "$1.b", "1.5");
	gives(session, &target, "notes", "1");
	dc_value_destroy(value);

	shown = evaluate(session, formatted);
	part = child(shown, 1);
	equal(shown->expression, "parts.rows");
	equal(part->expression, "(parts.rows)[1]");
	has_text(part, 0, "{0x4, 0x5, 0x6}");
	has_text(part, 'd', "{4, 5, 6}");
	dc_value_destroy(part);
	dc_value_destroy(shown);
	dc_expression_destroy(formatted);
	dc_expression_destroy(expression);
	dc_close(session);
	target_end(&target);
}

// A snapshot keeps what was read; what is read later says that the program has run.
TEST("a snapshot keeps what was read")
{
	struct target target = target_start("plain", "threads");
	struct dc_session *session = open_session(&target);
	const struct dc_scope scope = main_of(&target);
	struct dc_expression *word = parse(session, "&word[0]", &scope),
			     *array = parse(session, "parts.pair", &scope);
	struct dc_value *text, *pair, *part;
	char *printed;

	attach(session, &target);
	text = evaluate(session, word);
	pair = evaluate(session, array);
	part = child(pair, 0);
	expect(!part->has_run);
	dc_value_destroy(part);
	good(try(session, &target, "set_word(\"after\")", one_second), "set_word");
	part = child(pair, 0);
	expect(part->has_run);
	dc_value_destroy(part);
	detach(session);
	// The text was read with the pointer.
	good(dc_value_text(text, 0, &printed), "text");
	expect(strstr(printed, "\"before\""));
	free(printed);
	gives(session, &target, "word", "\"after\", '\\000' <repeats 26 times>");
	dc_value_destroy(text);
	dc_value_destroy(pair);
	dc_expression_destroy(array);
	dc_expression_destroy(word);
	dc_close(session);
	target_end(&target);
}

TEST("calls with a program's own arguments")
{
	struct target target = target_start("plain", "threads");
	struct dc_session *session = open_session(&target);
	const struct dc_scope scope = main_of(&target);
	const struct dc_call_options options = patient(one_second);
	struct dc_argument numbers[] = { { .kind = DC_INTEGER, .integer = -40 },
					 { .kind = DC_UNSIGNED, .number = 2 } };
	struct dc_argument real = { .kind = DC_DOUBLE, .real = -0.1 };
	struct dc_argument text = { .kind = DC_STRING, .string = "a\"\\\n?\x01\xff" };
	struct dc_result result;

	good(dc_call(session, "add", numbers, 2, &scope, &options, &result), "add");
	has_text(result.value, 0, "-38");
	equal(result.value->type.name, "int");
	equal(result.thread, target.pid);
	expect(!result.chosen);
	equal(result.host, "bare");
	expect(result.pause_ns > 0);
	dc_result_deinit(&result);
	good(dc_call(session, "half", &real, 1, &scope, &options, &result), "half");
	has_text(result.value, 0, "-0.050000000000000003");
	dc_result_deinit(&result);
	// No number has to be written down for it.
	real.real = -HUGE_VAL;
	good(dc_call(session, "half", &real, 1, &scope, &options, &result), "half");
	has_text(result.value, 0, "-inf");
	dc_result_deinit(&result);
	good(dc_call(session, "set_word", &text, 1, &scope, &options, &result), "set_word");
	dc_result_deinit(&result);
	gives(session, &target,
	      "word[0] == 97 && word[1] == 34 && word[2] == 92 && word[3] == 10 && "
	      "word[4] == 63 && word[5] == 1 && (unsigned char) word[6] == 255 && word[7] == 0",
	      "1");

	refuses(dc_call(session, "add", numbers, 1, &scope, &options, &result), DC_TYPE);
	refuses(dc_call(session, "nosuch", numbers, 1, &scope, &options, &result), DC_NAME);
	refuses(dc_call(session, "notes", numbers, 1, &scope, &options, &result), DC_TYPE);
	dc_close(session);
	target_end(&target);
}

TEST("lists end at the first failure")
{
	struct target target = target_start("plain", "threads");
	struct dc_session *session = open_session(&target);
	const struct dc_scope scope = main_of(&target);
	struct dc_call_options options = patient(one_second);
	struct dc_expression *note = parse(session, "note()", &scope),
			     *crash = parse(session, "crash()", &scope),
			     *last = parse(session, "add($1, 41)", &scope);
	struct dc_expression *const exprs[] = { note, crash, note };
	struct dc_outcome outcomes[4];
	struct dc_departure departure;
	size_t n;

	good(dc_evaluate_list(session, exprs, 3, last, &options, outcomes, &n, &departure), "list");
	equal(n, 3);
	has_text(outcomes[0].result.value, 0, "1");
	equal(outcomes[1].err->code, DC_CRASHED);
	equal(outcomes[1].err->signo, SIGSEGV);
	expect(outcomes[2].expression == last);
	has_text(outcomes[2].result.value, 0, "42");
	equal(departure.thread, target.pid);
	expect(departure.pause_ns > 0);
	dc_result_deinit(&outcomes[0].result);
	dc_error_destroy(outcomes[1].err);
	dc_result_deinit(&outcomes[2].result);

	options.no_call = true;
	good(dc_evaluate_list(session, exprs, 3, NULL, &options, outcomes, &n, &departure), "list");
	equal(n, 1);
	expect(outcomes[0].expression == note);
	refuses(outcomes[0].err, DC_REFUSED);
	equal(departure.pause_ns, 0);
	gives(session, &target, "notes", "1");
	dc_expression_destroy(note);
	dc_expression_destroy(crash);
	dc_expression_destroy(last);
	dc_close(session);
	target_end(&target);
}

TEST("a call is repeated")
{
	struct target target = target_start("plain", "threads");
	struct dc_session *session = open_session(&target);
	const struct dc_call_options options = patient(one_second);
	struct dc_expression *note = parse(session, "note()", NULL),
			     *sum = parse(session, "1 + 1", NULL);
	struct dc_result result;
	struct dc_rate rate;

	good(dc_repeat(session, note, 50, &options, &result, &rate), "repeat");
	has_text(result.value, 0, "50");
	equal(rate.calls, 50);
	expect(rate.median_us > 0 && rate.p99_us >= rate.median_us);
	dc_result_deinit(&result);
	refuses(dc_repeat(session, sum, 2, &options, &result, &rate), DC_USAGE);
	dc_expression_destroy(sum);
	dc_expression_destroy(note);
	dc_close(session);
	target_end(&target);
}

// Until the callee of the session is at work. Another session sees it count, because looking stops
// nothing.
static void await_spin(struct dc_session *other)
{
	uint64_t before = 0, now = 0;
	char *text;

	do {
		good(dc_print(other, "spins", &text), "spins");
		before = now;
		now = strtoull(text, NULL, 10);
		free(text);
	} while (now == before || !before);
}

static void *cancel_when_called(void *arg)
{
	struct dc_session **sessions = arg;

	await_spin(sessions[1]);
	dc_cancel(sessions[0]);
	return NULL;
}

TEST("an operation is cancelled from another thread")
{
	struct target target = target_start("plain", "threads");
	struct dc_session *sessions[2] = { open_session(&target), open_session(&target) };
	pthread_t thread;

	equal(pthread_create(&thread, NULL, cancel_when_called, sessions), 0);
	refuses(try(sessions[0], &target, "spin()", 0), DC_CANCELLED);
	equal(pthread_join(thread, NULL), 0);
	// Only the operation that ran was cancelled.
	gives(sessions[0], &target, "add(2, 2)", "4");
	dc_close(sessions[0]);
	dc_close(sessions[1]);
	target_end(&target);
}

static struct dc_operation *begin(struct dc_session *session, struct dc_expression *expression)
{
	const struct dc_call_options options = patient(0);
	struct dc_operation *operation;

	good(dc_start_evaluate(session, expression, &options, &operation), "start");
	return operation;
}

TEST("operations are left, waited for and cancelled one by one")
{
	struct target target = target_start("plain", "threads");
	struct dc_session *session = open_session(&target), *other = open_session(&target);
	const struct dc_scope scope = main_of(&target);
	const struct dc_call_options options = patient(one_second);
	struct dc_expression *spin = parse(session, "spin()", &scope),
			     *note = parse(session, "note()", &scope);
	struct dc_argument two = { .kind = DC_INTEGER, .integer = 2 }, both[] = { two, two };
	struct dc_operation *first, *second, *third, *fourth;
	struct dc_result result;

	first = begin(session, spin);
	second = begin(session, note);
	third = begin(session, note);
	good(dc_start_call(session, "add", both, 2, &scope, &options, &fourth), "start a call");
	// The handle may go before its operations have begun.
	dc_expression_destroy(note);
	dc_expression_destroy(spin);
	await_spin(other);
	expect(!dc_operation_wait(first, 0));
	expect(!dc_operation_wait(second, 1000));
	// One that waits, then the one that runs: the others are not cancelled.
	dc_operation_cancel(second);
	expect(dc_operation_wait(second, 0));
	refuses(dc_operation_finish(second, &result), DC_CANCELLED);
	dc_operation_cancel(first);
	refuses(dc_operation_finish(first, &result), DC_CANCELLED);
	good(dc_operation_finish(third, &result), "third");
	has_text(result.value, 0, "1");
	dc_result_deinit(&result);
	expect(dc_operation_wait(fourth, -1));
	// One that has ended is not cancelled, and nor is the next for it.
	dc_operation_cancel(fourth);
	good(dc_operation_finish(fourth, &result), "fourth");
	has_text(result.value, 0, "4");
	dc_result_deinit(&result);
	gives(session, &target, "add(2, 3)", "5");
	dc_close(other);
	dc_close(session);
	target_end(&target);
}

struct job {
	const struct target *target;
	pthread_t thread;
	char *text;
};

static struct dc_error *two_steps(struct dc_session *session, void *arg)
{
	struct job *job = arg;
	struct dc_error *err = dc_print(session, "$before = notes", &job->text);

	free(job->text);
	job->thread = pthread_self();
	return err ? err : dc_print(session, "note() - $before", &job->text);
}

static bool next_event(struct dc_session *session, struct dc_event *ret)
{
	struct pollfd poll_fd = { .fd = dc_event_fd(session), .events = POLLIN };

	while (!dc_next_event(session, ret))
		equal(poll(&poll_fd, 1, 60000), 1);
	return true;
}

TEST("events are told")
{
	struct target target = target_start("plain", "threads");
	struct dc_session *session = open_session(&target);
	struct dc_operation *operation;
	struct dc_event event;
	struct job job = { .target = &target };

	expect(dc_event_fd(session) >= 0);
	expect(!dc_next_event(session, &event));
	attach(session, &target);
	expect(next_event(session, &event));
	equal(event.kind, DC_EVENT_STOPPED);
	equal(event.stop.reason, DC_STOP_ATTACHED);
	equal(event.stop.thread, target.pid);
	equal(event.stop.frame.function, "read");
	detach(session);
	expect(next_event(session, &event));
	equal(event.kind, DC_EVENT_RAN_ON);
	equal(event.thread, target.pid);
	expect(event.pause_ns > 0);

	good(dc_start(session, two_steps, &job, &operation), "start");
	do {
		expect(next_event(session, &event));
	} while (event.kind == DC_EVENT_RAN_ON);
	equal(event.kind, DC_EVENT_ENDED);
	expect(event.operation == operation);
	expect(dc_operation_wait(operation, 0));
	good(dc_operation_finish(operation, NULL), "two steps");
	equal(job.text, "1");
	expect(!pthread_equal(job.thread, pthread_self()));
	free(job.text);

	kill(target.pid, SIGKILL);
	expect(next_event(session, &event));
	equal(event.kind, DC_EVENT_TARGET_ENDED);
	// It is told once.
	expect(!dc_next_event(session, &event));
	dc_close(session);
	target_end(&target);
}

TEST("it is told when the target becomes another program")
{
	struct target target = target_start("plain", "threads");
	struct dc_session *session = open_session(&target);
	struct dc_event event;

	expect(dc_event_fd(session) >= 0);
	refuses(try(session, &target, "(int) execl(\"/bin/cat\", \"cat\", 0)", one_second),
		DC_TARGET_EXECED);
	do {
		expect(next_event(session, &event));
	} while (event.kind == DC_EVENT_RAN_ON);
	equal(event.kind, DC_EVENT_TARGET_EXECED);
	dc_close(session);
	target_end(&target);
}

struct caller {
	struct dc_session *session;
	int sum;
};

static void *call_often(void *arg)
{
	struct caller *caller = arg;
	char *text;

	for (int i = 0; i < 20; i++) {
		struct dc_error *err = dc_print(caller->session, "note()", &text);

		if (err)
			break;
		caller->sum += (int)strtol(text, NULL, 10);
		free(text);
	}
	return NULL;
}

TEST("a session may be used from any thread")
{
	struct target target = target_start("plain", "threads");
	struct dc_session *session = open_session(&target);
	struct caller callers[3] = { { session, 0 }, { session, 0 }, { session, 0 } };
	pthread_t threads[3];
	int sum = 0;

	for (int i = 0; i < 3; i++)
		equal(pthread_create(&threads[i], NULL, call_often, &callers[i]), 0);
	for (int i = 0; i < 3; i++) {
		equal(pthread_join(threads[i], NULL), 0);
		sum += callers[i].sum;
	}
	// 1 to 60, each once.
	equal(sum, 60 * 61 / 2);
	dc_close(session);
	target_end(&target);
}

TEST("other children of the process are left alone")
{
	struct target target = target_start("plain", "threads");
	pid_t other = fork();
	int status;

	if (!other)
		_exit(7);
	struct dc_session *session = open_session(&target);
	gives(session, &target, "add(1, 1)", "2");
	dc_close(session);
	equal(waitpid(other, &status, 0), other);
	equal(WEXITSTATUS(status), 7);
	target_end(&target);
}

TEST("a session is closed while a thread is borrowed")
{
	struct target target = target_start("plain", "threads");
	struct dc_session *session = open_session(&target);
	char byte;

	attach(session, &target);
	dc_close(session);
	equal(write(target.to, "y", 1), 1);
	equal(read(target.from, &byte, 1), 1);
	equal(byte, 'y');
	target_end(&target);
	dc_close(NULL);
	dc_error_destroy(NULL);
}
