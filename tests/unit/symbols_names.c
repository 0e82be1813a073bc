// SPDX-License-Identifier: MIT
// Names that mean more than one thing or none: told apart by the frame, or refused with the reason.
#include "debugger/symbols/symbols.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

struct target {
	pid_t pid;
	struct process *process;
	struct symbols *symbols;
};

static int start(void **state)
{
	static struct target target;
	const char *build = getenv("B");
	char path[4096], line[8];
	int out[2];

	snprintf(path, sizeof(path), "%s/tests/targets/symbols_twins",
		 build ? build : "build/release");
	if (pipe(out))
		return -1;
	target.pid = fork();
	if (!target.pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(out[1], STDOUT_FILENO);
		execl(path, path, NULL);
		_exit(127);
	}
	close(out[1]);

	bool ready = read(out[0], line, 6) == 6;

	close(out[0]);
	if (!ready)
		return -1;
	assert_null(process_open(target.pid, &target.process));
	assert_null(symbols_load(target.process, &target.symbols));
	*state = &target;
	return 0;
}

static int stop(void **state)
{
	struct target *target = *state;

	symbols_destroy(target->symbols);
	process_close(target->process);
	kill(target->pid, SIGKILL);
	waitpid(target->pid, NULL, 0);
	return 0;
}

static struct symbols_frame frame_in(struct target *target, const char *function)
{
	struct function found;

	assert_null(symbols_lookup_function(target->symbols, NULL, function, &found));
	return (struct symbols_frame){ .pc = found.addr + 1, .cfa = 4096 };
}

static void fails_with(struct dc_error *err, enum dc_code code, const char *message)
{
	assert_non_null(err);
	assert_int_equal(err->code, code);
	assert_non_null(strstr(err->message, message));
	dc_error_destroy(err);
}

static void test_same_static_names(void **state)
{
	struct target *target = *state;
	struct symbols_frame here = frame_in(target, "main"),
			     there = frame_in(target, "call_other");
	struct function function, other;
	struct variable variable, another;
	struct dc_error *err = symbols_lookup_function(target->symbols, NULL, "twin", &function);

	assert_non_null(err);
	assert_non_null(strstr(err->notes, "symbols_twins.c"));
	assert_non_null(strstr(err->notes, "symbols_twin.c"));
	fails_with(err, DC_VALUE, "ambiguous");
	fails_with(symbols_lookup_variable(target->symbols, NULL, "twin_variable", &variable),
		   DC_VALUE, "ambiguous");

	assert_null(symbols_lookup_function(target->symbols, &here, "twin", &function));
	assert_null(symbols_lookup_function(target->symbols, &there, "twin", &other));
	assert_int_not_equal(function.addr, other.addr);
	assert_null(symbols_lookup_variable(target->symbols, &here, "twin_variable", &variable));
	assert_null(symbols_lookup_variable(target->symbols, &there, "twin_variable", &another));
	assert_int_equal(variable.place, VARIABLE_MEMORY);
	assert_int_not_equal(variable.addr, another.addr);
}

static void test_inlined(void **state)
{
	struct target *target = *state;
	struct function function;

	fails_with(symbols_lookup_function(target->symbols, NULL, "inlined", &function), DC_VALUE,
		   "inlined everywhere");
}

static void test_ifunc(void **state)
{
	struct target *target = *state;
	struct function chosen, wide;

	assert_null(symbols_lookup_function(target->symbols, NULL, "chosen", &chosen));
	assert_null(symbols_lookup_function(target->symbols, NULL, "wide", &wide));
	assert_true(chosen.is_ifunc);
	assert_int_equal(symbols_bound_ifunc(target->symbols, &chosen), wide.addr);
	symbols_function_type(target->symbols, &chosen);
	assert_non_null(chosen.type);
	assert_true(type_equal(chosen.type, wide.type));

	// The library's: bound before main() where something refers to it, and never to its
	// resolver.
	struct function strlen_function;

	assert_null(symbols_lookup_function(target->symbols, NULL, "strlen", &strlen_function));
	if (strlen_function.is_ifunc)
		assert_int_not_equal(symbols_bound_ifunc(target->symbols, &strlen_function),
				     strlen_function.addr);
}

// A name that is a library's export leads to the definition, not to the program's PLT.
static void test_imported(void **state)
{
	struct target *target = *state;
	struct function function;

	assert_null(symbols_lookup_function(target->symbols, NULL, "pause", &function));
	assert_non_null(strstr(function.module->name, "libc"));
	assert_true(function.size > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_static_names),
		cmocka_unit_test(test_inlined),
		cmocka_unit_test(test_ifunc),
		cmocka_unit_test(test_imported),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, start, stop);
}
