// SPDX-License-Identifier: MIT
// What the instructions of Go's runtime name: pieces of its functions as compilers have written them,
// and pieces that name several variables, or none.
#include "debugger/arch/x86_64/go_code.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { CODE = 0x1000, DATA = 0x9000 };

struct text {
	unsigned char bytes[256];
	size_t n;
};

static void put(struct text *text, const void *bytes, size_t n)
{
	memcpy(text->bytes + text->n, bytes, n);
	text->n += n;
}

// Three bytes of an instruction, or two and what is behind the distance.
static void name(struct text *text, const char *opcode, size_t n, uint64_t variable)
{
	int32_t distance = (int32_t)(variable - (CODE + text->n + 7));

	put(text, opcode, n);
	put(text, &distance, sizeof(distance));
	if (n == 2)
		put(text, "\1", 1);
}
#define LOAD(text, variable)	name(text, "\x48\x8b\x0d", 3, variable)
#define ADDRESS(text, variable) name(text, "\x48\x8d\x05", 3, variable)
#define SET(text, variable)	name(text, "\xc6\x05", 2, variable)

static void test_hook(void **state)
{
	(void)state;
	for (int has_nothing = 0; has_nothing < 2; has_nothing++) {
		struct text text = { .n = 0 };

		LOAD(&text, DATA + 64);
		put(&text, "\x83\xf8\x05\x75\x4d", 5);
		name(&text, "\x48\x8b\x15", 3, DATA);
		if (has_nothing)
			put(&text, "\x66\x90", 2);
		put(&text, "\x48\x85\xd2\x74\x3a", 5);
		assert_int_equal(go_code_hook(text.bytes, text.n, CODE), DATA);
		for (size_t n = 0; n < text.n - 2; n++)
			assert_int_equal(go_code_hook(text.bytes, n, CODE), 0);
	}
}

static void test_sweep(void **state)
{
	struct text text = { .n = 0 };

	(void)state;
	ADDRESS(&text, DATA);
	put(&text, "\xe8\0\0\0\0", 5);
	assert_int_equal(go_code_sweep(text.bytes, text.n, CODE), 0);
	SET(&text, DATA + 16);
	ADDRESS(&text, DATA + 64);
	assert_int_equal(go_code_sweep(text.bytes, text.n, CODE), DATA);
	SET(&text, DATA + 64 + 16);
	assert_int_equal(go_code_sweep(text.bytes, text.n, CODE), 0);
}

static void test_slice(void **state)
{
	struct text text = { .n = 0 };

	(void)state;
	LOAD(&text, DATA + 8);
	LOAD(&text, DATA);
	assert_int_equal(go_code_slice(text.bytes, text.n, CODE), 0);
	LOAD(&text, DATA + 16);
	LOAD(&text, DATA + 64);
	assert_int_equal(go_code_slice(text.bytes, text.n, CODE), DATA);
}

static void test_list(void **state)
{
	struct text text = { .n = 0 };

	(void)state;
	LOAD(&text, DATA);
	ADDRESS(&text, DATA + 64);
	assert_int_equal(go_code_list(text.bytes, text.n, CODE), 0);
	ADDRESS(&text, DATA);
	assert_int_equal(go_code_list(text.bytes, text.n, CODE), DATA);
	LOAD(&text, DATA + 64);
	assert_int_equal(go_code_list(text.bytes, text.n, CODE), 0);
}

static void test_texts(void **state)
{
	struct text text = { .n = 0 };

	(void)state;
	ADDRESS(&text, DATA + 64);
	put(&text, "\xbb\x13\0\0\0\xc3", 6);
	assert_int_equal(go_code_texts(text.bytes, text.n, CODE), 0);
	ADDRESS(&text, DATA);
	put(&text, "\x48\x8b\x04\x0a", 4);
	assert_int_equal(go_code_texts(text.bytes, text.n, CODE), DATA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hook),  cmocka_unit_test(test_sweep),
		cmocka_unit_test(test_slice), cmocka_unit_test(test_list),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
