// SPDX-License-Identifier: MIT
// Go's assignment of arguments to registers and stack, against the examples of its specification
// and what follows from its rules.
#include "debugger/arch/x86_64/go_abi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct go_abi_value integers(unsigned n, unsigned size)
{
	struct go_abi_value value = { .size = (uint64_t)n * size, .align = size };

	for (unsigned i = 0; i < n && i < GO_ABI_SCALARS; i++)
		value.scalar[value.nr_scalars++] = (struct go_abi_scalar){
			.offset = (uint64_t)i * size, .size = (uint8_t)size
		};
	return value;
}

static struct go_abi_value floats(unsigned n, unsigned size)
{
	struct go_abi_value value = integers(n, size);

	for (unsigned i = 0; i < n; i++)
		value.scalar[i].is_float = true;
	return value;
}

static struct go_abi_value in_memory(uint64_t size, uint32_t align)
{
	return (struct go_abi_value){ .size = size, .align = align, .in_memory = true };
}

// func f(a1 uint8, a2 [2]uintptr, a3 uint8) (r1 struct { x uintptr; y [2]uintptr }, r2 string)
static void test_example(void **state)
{
	struct go_abi_value args[] = { integers(1, 1), in_memory(16, 8), integers(1, 1) };
	struct go_abi_value results[] = { in_memory(24, 8), integers(2, 8) };

	(void)state;
	assert_int_equal(go_abi_assign(args, 3, results, 2), 48);
	assert_true(args[0].in_registers && args[0].general == 0);
	assert_true(!args[1].in_registers && args[1].stack == 0);
	assert_true(args[2].in_registers && args[2].general == 1);
	assert_true(!results[0].in_registers && results[0].stack == 16);
	assert_true(results[1].in_registers && results[1].general == 0);
}

// What does not fit goes to the stack whole, and what is smaller still finds a register behind it.
static void test_full(void **state)
{
	struct go_abi_value args[] = { integers(8, 8), integers(2, 8), integers(1, 4),
				       integers(1, 1) };

	(void)state;
	// Stack: the second and the fourth; then the spill space of the first and the third.
	assert_int_equal(go_abi_assign(args, 4, NULL, 0), 24 + 64 + 8);
	assert_true(args[0].in_registers && args[0].general == 0);
	assert_true(!args[1].in_registers && args[1].stack == 0);
	assert_true(args[2].in_registers && args[2].general == 8);
	assert_true(!args[3].in_registers && args[3].stack == 16);
}

static void test_floats(void **state)
{
	struct go_abi_value args[17];

	(void)state;
	for (unsigned i = 0; i < 17; i++)
		args[i] = i == 3 ? integers(1, 8) : floats(1, 8);
	go_abi_assign(args, 17, NULL, 0);
	assert_true(args[3].in_registers && args[3].general == 0);
	assert_true(args[2].floats == 2 && args[4].floats == 3);
	assert_true(args[15].in_registers && args[15].floats == 14);
	assert_true(!args[16].in_registers && args[16].stack == 0);
}

// Arguments of no size are nowhere and take nothing.
static void test_empty(void **state)
{
	struct go_abi_value args[] = { in_memory(0, 8), integers(1, 8), { .align = 1 } };
	struct go_abi_value results[] = { { .align = 1 } };

	(void)state;
	assert_int_equal(go_abi_assign(args, 3, results, 1), 8);
	assert_true(args[1].in_registers && args[1].general == 0);
	assert_int_equal(go_abi_assign(NULL, 0, NULL, 0), 0);
}

// What is put is what is found; registers are filled with no more than the value has.
static void test_round_trip(void **state)
{
	struct go_abi_value args[] = { integers(3, 2), floats(1, 4), in_memory(24, 8) };
	unsigned char stack[256] = { 0 }, bytes[3][24], back[24];
	struct go_abi_entry entry = { .stack = stack };
	struct go_abi_exit exit = { .stack = stack, .stack_size = sizeof(stack) };

	(void)state;
	for (size_t i = 0; i < 3; i++)
		for (size_t k = 0; k < sizeof(back); k++)
			bytes[i][k] = (unsigned char)(i * 37 + k * 5 + 1);
	memset(entry.general, 0xff, sizeof(entry.general));
	entry.stack_size = go_abi_assign(args, 3, NULL, 0);
	for (size_t i = 0; i < 3; i++)
		go_abi_put(&args[i], bytes[i], &entry);
	assert_int_equal(entry.general[0] >> 16, 0);
	assert_int_equal(entry.general[2], bytes[0][4] | bytes[0][5] << 8);
	assert_int_equal(entry.floats[0] >> 32, 0);
	memcpy(exit.general, entry.general, sizeof(exit.general));
	memcpy(exit.floats, entry.floats, sizeof(exit.floats));
	for (size_t i = 0; i < 3; i++) {
		memset(back, 0, sizeof(back));
		go_abi_get(&args[i], &exit, back);
		assert_memory_equal(back, bytes[i], args[i].size);
	}
	// A callee that left less of its stack than was asked for.
	exit.stack_size = 8;
	memset(back, 0, sizeof(back));
	go_abi_get(&args[2], &exit, back);
	assert_int_equal(back[0], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_example),	   cmocka_unit_test(test_full),
		cmocka_unit_test(test_floats),	   cmocka_unit_test(test_empty),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
