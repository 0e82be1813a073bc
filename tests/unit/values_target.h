// SPDX-License-Identifier: MIT
// A target for the tests of values/: a forked copy of the test gives the symbols; memory and calls
// are the test's own, so that nothing needs to be traced.
#ifndef TESTS_UNIT_VALUES_TARGET_H
#define TESTS_UNIT_VALUES_TARGET_H

#include "debugger/base/cleanup.h"
#include "debugger/lang/expression.h"
#include "tests/unit/values_program.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

static struct {
	pid_t pid;
	struct process *process;
	struct symbols *symbols;
	struct environment environment;
	size_t literals, calls;
} target;

static struct dc_error *move(uint64_t addr, void *buf, size_t n, bool write)
{
	struct iovec local = { buf, n }, remote = { (void *)(uintptr_t)addr, n };
	ssize_t done = write ? process_vm_writev(getpid(), &local, 1, &remote, 1, 0)
			     : process_vm_readv(getpid(), &local, 1, &remote, 1, 0);

	return done == (ssize_t)n ? NULL
				  : error_make(DC_VALUE, "cannot access memory at address 0x%lx",
					       (unsigned long)addr);
}

static struct dc_error *read_memory(void *arg, uint64_t addr, void *buf, size_t n)
{
	(void)arg;
	return move(addr, buf, n, false);
}

static struct dc_error *write_memory(void *arg, uint64_t addr, const void *buf, size_t n)
{
	(void)arg;
	return move(addr, (void *)buf, n, true);
}

static struct dc_error *literal(void *arg, const void *from, size_t n, uint64_t *addr)
{
	(void)arg;
	assert_true(target.literals + n < sizeof(pool));
	*addr = (uintptr_t)pool + target.literals;
	memcpy(pool + target.literals, from, n);
	target.literals += (n + 15) & ~15ul;
	return NULL;
}

// Integer and floating arguments travel in registers of their own, so one shape fits all calls.
static struct dc_error *call(void *arg, const struct typed_call *call, struct value *ret)
{
	typedef long integer(long, long, long, long, long, long, double, double, double, double);
	typedef double real(long, long, long, long, long, long, double, double, double, double);
	typedef float single(long, long, long, long, long, long, double, double, double, double);
	long i[6] = { 0 }, result;
	double d[4] = { 0 };
	size_t nr_i = 0, nr_d = 0;
	const struct type *type = type_strip(call->type->target);

	(void)arg;
	target.calls++;
	for (size_t n = 0; n < call->nr_args; n++) {
		const struct type *plain = type_strip(call->args[n].type);

		assert_non_null(call->args[n].bytes);
		if (plain->kind == TYPE_FLOAT)
			memcpy(&d[nr_d++], call->args[n].bytes, plain->size);
		else
			memcpy(&i[nr_i++], call->args[n].bytes, plain->size);
		if (plain->kind == TYPE_INT && plain->is_signed && plain->size < 8)
			i[nr_i - 1] = (long)((unsigned long)i[nr_i - 1]
					     << (64 - 8 * plain->size)) >>
				      (64 - 8 * plain->size);
	}
	*ret = (struct value){ .type = call->type->target };
	if (type->kind == TYPE_FLOAT && type->size == 4) {
		float f = ((single *)call->addr)(i[0], i[1], i[2], i[3], i[4], i[5], d[0], d[1],
						 d[2], d[3]);
		return value_set(ret, &f, 4);
	}
	if (type->kind == TYPE_FLOAT) {
		double f = ((real *)call->addr)(i[0], i[1], i[2], i[3], i[4], i[5], d[0], d[1],
						d[2], d[3]);
		return value_set(ret, &f, 8);
	}
	result = ((integer *)call->addr)(i[0], i[1], i[2], i[3], i[4], i[5], d[0], d[1], d[2],
					 d[3]);
	return type->kind == TYPE_VOID ? NULL : value_set(ret, &result, type->size);
}

static const struct type *register_type(void *arg, const char *name, struct types *types)
{
	(void)arg, (void)name;
	return types_basic(types, "long");
}

static uint64_t rax = 42;

static struct dc_error *read_register(void *arg, const char *name, struct types *types,
				      struct value *ret)
{
	*ret = (struct value){ .type = register_type(arg, name, types) };
	return value_set(ret, &rax, 8);
}

static struct dc_error *write_register(void *arg, const char *name, const struct value *value)
{
	(void)arg, (void)name;
	memcpy(&rax, value->bytes, 8);
	return NULL;
}

static struct dc_error *frame(void *arg, struct symbols_frame *ret)
{
	(void)arg;
	*ret = (struct symbols_frame){ 0 };
	return NULL;
}

static uint64_t fs_base(void *arg)
{
	(void)arg;
	return 0;
}

static struct dc_error *resolve_ifunc(void *arg, const struct function *function, uint64_t *addr)
{
	uint64_t (*resolver)(void) = (uint64_t(*)(void))(uintptr_t)function->addr;

	(void)arg;
	*addr = resolver();
	return NULL;
}

static const struct caller caller = { .call = call,
				      .literal = literal,
				      .read = read_memory,
				      .write = write_memory,
				      .read_register = read_register,
				      .write_register = write_register,
				      .register_type = register_type,
				      .frame = frame,
				      .fs_base = fs_base,
				      .resolve_ifunc = resolve_ifunc };

static void no_error(struct dc_error *err)
{
	if (err)
		fail_msg("%s", err->message);
}

static int target_start(void **state)
{
	(void)state;
	for (int i = 0; i < 250; i++)
		counting[i] = i;
	memset(ck, 'a', 201);
	target.pid = fork();
	if (target.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	no_error(process_open(target.pid, &target.process));
	no_error(symbols_load(target.process, &target.symbols));
	target.environment = (struct environment){ .symbols = target.symbols,
						   .caller = &caller,
						   .variables = variables_create() };
	return 0;
}

static int target_end(void **state)
{
	(void)state;
	variables_destroy(target.environment.variables);
	symbols_destroy(target.symbols);
	process_close(target.process);
	kill(target.pid, SIGKILL);
	waitpid(target.pid, NULL, 0);
	return 0;
}

// Parsed, checked, run, remembered and printed, as a session does it. *phase tells how far it came.
static inline struct dc_error *evaluate_text(const char *text, size_t length, const char **phase,
					     char **printed)
{
	struct expression *expression = NULL;
	struct value value = { 0 };
	unsigned number;
	struct dc_error *err;

	*printed = NULL;
	*phase = "parse";
	err = expression_parse(&target.environment, NULL, text, length, &expression);
	if (!err) {
		size_t calls = target.calls;

		*phase = "check";
		err = expression_check(&target.environment, expression, NULL);
		assert_int_equal(calls, target.calls);
	}
	if (!err) {
		*phase = "run";
		err = expression_evaluate(&target.environment, expression, &value);
	}
	if (!err)
		err = value_print(expression_language(expression), &target.environment, &value,
				  expression_format(expression), printed);
	if (!err)
		err = variables_remember(target.environment.variables, &value, &number);
	value_deinit(&value);
	expression_destroy(expression);
	return err;
}

static inline void evaluates_to(const char *text, const char *wanted)
{
	const char *phase;
	_cleanup_free_ char *printed = NULL;
	struct dc_error *err = evaluate_text(text, strlen(text), &phase, &printed);

	if (err)
		fail_msg("%s: %s: %s", text, phase, err->message);
	if (!wanted != !printed || (wanted && strcmp(wanted, printed) != 0))
		fail_msg("%s\n   is     %s\n   wanted %s", text, printed ? printed : "(void)",
			 wanted ? wanted : "(void)");
}

// column -1: any.
static inline void fails_with(const char *text, enum dc_code code, ssize_t column, const char *part)
{
	const char *phase;
	_cleanup_free_ char *printed = NULL;
	struct dc_error *err = evaluate_text(text, strlen(text), &phase, &printed);

	if (!err)
		fail_msg("%s: no error, but %s", text, printed ? printed : "(void)");
	if (err->code != code || (column >= 0 && err->column != column) ||
	    (!strstr(err->message, part) && !(err->notes && strstr(err->notes, part))))
		fail_msg("%s: %s at %zd: %s (%s)", text, dc_code_name(err->code), err->column,
			 err->message, err->notes ? err->notes : "");
	dc_error_destroy(err);
}

struct expectation {
	const char *text, *value;
};

#endif
