// SPDX-License-Identifier: MIT
// Types that need no debug information: basic ones by every spelling, derived ones, and their
// names.
#include "debugger/symbols/type.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static int start(void **state)
{
	*state = types_create();
	return *state ? 0 : -1;
}

static int stop(void **state)
{
	types_destroy(*state);
	return 0;
}

static void spelled(const struct type *type, const char *name, const char *want)
{
	char *text = type_spell(type, name);

	assert_non_null(text);
	assert_string_equal(text, want);
	free(text);
}

static void test_spellings(void **state)
{
	static const struct {
		const char *spelling, *name;
		enum type_kind kind;
		uint64_t size;
		bool is_signed;
	} want[] = {
		{ "int", "int", TYPE_INT, 4, true },
		{ "signed", "int", TYPE_INT, 4, true },
		{ "unsigned", "unsigned int", TYPE_INT, 4, false },
		{ "long unsigned int", "unsigned long", TYPE_INT, 8, false },
		{ "int long unsigned long", "unsigned long long", TYPE_INT, 8, false },
		{ "long long", "long long", TYPE_INT, 8, true },
		{ "short int", "short", TYPE_INT, 2, true },
		{ "unsigned short", "unsigned short", TYPE_INT, 2, false },
		{ "char", "char", TYPE_INT, 1, true },
		{ "  char   signed ", "signed char", TYPE_INT, 1, true },
		{ "unsigned char", "unsigned char", TYPE_INT, 1, false },
		{ "__int128", "__int128", TYPE_INT, 16, true },
		{ "__int128 unsigned", "unsigned __int128", TYPE_INT, 16, false },
		{ "_Bool", "_Bool", TYPE_BOOL, 1, false },
		{ "bool", "bool", TYPE_BOOL, 1, false },
		{ "float", "float", TYPE_FLOAT, 4, true },
		{ "double long", "long double", TYPE_FLOAT, 16, true },
		{ "_Float16", "_Float16", TYPE_FLOAT, 2, true },
		{ "__float128", "__float128", TYPE_FLOAT, 16, true },
		{ "_Complex float", "complex float", TYPE_COMPLEX, 8, true },
		{ "complex double", "complex double", TYPE_COMPLEX, 16, true },
		{ "long _Complex double", "complex long double", TYPE_COMPLEX, 32, true },
		{ "void", "void", TYPE_VOID, 0, false },
	};

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		const struct type *type = types_basic(*state, want[i].spelling);

		assert_non_null(type);
		assert_string_equal(type->name, want[i].name);
		assert_int_equal(type->kind, want[i].kind);
		assert_int_equal(type->size, want[i].size);
		if (type->kind == TYPE_INT)
			assert_int_equal(type->is_signed, want[i].is_signed);
		assert_ptr_equal(type, types_basic(*state, want[i].name));
	}
}

static void test_no_spellings(void **state)
{
	static const char *const wrong[] = {
		"",
		" ",
		"long long long",
		"short long",
		"unsigned signed",
		"char int",
		"float int",
		"unsigned float",
		"double double",
		"int int",
		"_Bool int",
		"_Complex int",
		"struct",
		"foo",
		"int*",
		"long char",
		"unsigned float",
		"_Complex",
		"short double x",
		"__int128 long",
	};

	// GNU C: alone, it is a complex double.
	assert_string_equal(types_basic(*state, "_Complex")->name, "complex double");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (strcmp(wrong[i], "_Complex") != 0)
			assert_null(types_basic(*state, wrong[i]));
	}
}

static void test_derived(void **state)
{
	const struct type *character = types_basic(*state, "char");
	const struct type *integer = types_basic(*state, "int");
	const struct type *text = types_pointer(*state,
						types_qualified(*state, character, true, false));
	struct type_param params[] = { { .name = "a", .type = integer }, { .type = text } };
	const struct type *function = types_function(*state, integer, params, 2, false, true);
	const struct type *variadic = types_function(*state, text, params, 1, true, true);
	const struct type *unknown = types_function(*state, integer, NULL, 0, false, false);
	const struct type *empty = types_function(*state, integer, NULL, 0, false, true);

	spelled(text, "s", "const char *s");
	spelled(types_qualified(*state, text, true, false), NULL, "const char * const");
	spelled(types_array(*state, character, 4), NULL, "char [4]");
	spelled(types_array(*state, types_array(*state, integer, 3), 2), "m", "int m[2][3]");
	spelled(types_array(*state, integer, UINT64_MAX), "tail", "int tail[]");
	spelled(types_pointer(*state, types_array(*state, integer, 5)), NULL, "int (*)[5]");
	spelled(function, "f", "int f(int, const char *)");
	spelled(types_pointer(*state, function), NULL, "int (*)(int, const char *)");
	spelled(types_pointer(*state, variadic), "p", "const char *(*p)(int, ...)");
	spelled(unknown, "k", "int k()");
	spelled(empty, "e", "int e(void)");
	spelled(types_array(*state, types_pointer(*state, empty), 2), "table",
		"int (*table[2])(void)");
	spelled(types_pointer(*state, types_pointer(*state, integer)), NULL, "int **");

	assert_ptr_equal(types_pointer(*state, integer), types_pointer(*state, integer));
	assert_int_equal(types_array(*state, integer, 3)->size, 12);
	assert_int_equal(types_array(*state, integer, UINT64_MAX)->size, 0);
	assert_int_equal(types_array(*state, integer, UINT64_MAX / 2)->size, 0);
	assert_int_equal(types_vector(*state, integer, 4)->size, 16);
	assert_int_equal(types_vector(*state, integer, 4)->align, 16);
	assert_int_equal(type_align(types_array(*state, types_basic(*state, "long"), 2)), 8);
}

static void test_equality(void **state)
{
	const struct type *integer = types_basic(*state, "int");
	const struct type *pointer = types_pointer(*state, integer);
	const struct type *constant = types_qualified(*state, integer, true, false);
	struct type_param one[] = { { .name = "a", .type = integer } },
			  other[] = { { .name = "b", .type = pointer } };
	const struct type *f = types_function(*state, integer, one, 1, false, true);
	const struct type *g = types_function(*state, integer, one, 1, false, true);
	const struct type *h = types_function(*state, integer, other, 1, false, true);
	const struct type *old = types_function(*state, integer, NULL, 0, false, false);

	assert_true(type_equal(integer, constant));
	assert_false(type_equal(integer, types_basic(*state, "unsigned")));
	assert_false(type_equal(types_basic(*state, "long"), types_basic(*state, "long long")));
	assert_false(type_equal(types_basic(*state, "char"), types_basic(*state, "signed char")));
	assert_true(type_equal(pointer, types_pointer(*state, constant)));
	assert_false(type_equal(pointer, types_pointer(*state, types_basic(*state, "char"))));
	assert_true(type_equal(types_array(*state, integer, 3),
			       types_array(*state, integer, UINT64_MAX)));
	assert_false(type_equal(types_array(*state, integer, 3), types_array(*state, integer, 4)));
	assert_true(type_equal(f, g));
	assert_false(type_equal(f, h));
	assert_true(type_equal(f, old));
	assert_ptr_equal(type_strip(constant), constant);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_spellings, start, stop),
		cmocka_unit_test_setup_teardown(test_no_spellings, start, stop),
		cmocka_unit_test_setup_teardown(test_derived, start, stop),
		cmocka_unit_test_setup_teardown(test_equality, start, stop),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
