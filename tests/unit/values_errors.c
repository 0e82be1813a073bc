// SPDX-License-Identifier: MIT
// Bad input: each mistake has its code, its place and a sentence; nothing is run and nothing
// crashes.
#include "tests/unit/values_target.h"

struct mistake {
	const char *text;
	enum dc_code code;
	ssize_t column; // -1: any
	const char *part;
};

static void fail_all(const struct mistake *list, size_t n)
{
	size_t calls = target.calls;

	for (size_t i = 0; i < n; i++)
		fails_with(list[i].text, list[i].code, list[i].column, list[i].part);
	assert_int_equal(calls, target.calls);
}
#define FAIL_ALL(list) fail_all(list, sizeof(list) / sizeof(list[0]))

static void test_syntax(void **state)
{
	static const struct mistake list[] = {
		{ "", DC_SYNTAX, 0, "end of the expression" },
		{ "   ", DC_SYNTAX, 3, "end of the expression" },
		{ "1 +", DC_SYNTAX, 3, "end of the expression" },
		{ "(1", DC_SYNTAX, 2, "expected )" },
		{ "1)", DC_SYNTAX, 1, "found ')'" },
		{ "1 2", DC_SYNTAX, 2, "found '2'" },
		{ "add(1,", DC_SYNTAX, 6, "end of the expression" },
		{ "add(1 2)", DC_SYNTAX, 6, "found '2'" },
		{ "array[1", DC_SYNTAX, 7, "expected ]" },
		{ "{1, 2", DC_SYNTAX, 5, "expected }" },
		{ "1 ? 2", DC_SYNTAX, 5, "expected :" },
		{ "s.", DC_SYNTAX, 2, "a member's name" },
		{ "s.1", DC_SYNTAX, 1, "" },
		{ "gi = ", DC_SYNTAX, 5, "" },
		{ "\"abc", DC_SYNTAX, 0, "closing \"" },
		{ "1 + 'a", DC_SYNTAX, 4, "closing '" },
		{ "''", DC_SYNTAX, 0, "no character" },
		{ "'ab'", DC_SYNTAX, 0, "more than one character" },
		{ "'\\q'", DC_SYNTAX, 1, "unknown escape" },
		{ "'\\x'", DC_SYNTAX, 1, "hexadecimal" },
		{ "'\\400'", DC_SYNTAX, 1, "too large" },
		{ "\"ab\\xfff\"", DC_SYNTAX, 3, "too large" },
		{ "\"\\ud800\"", DC_SYNTAX, 1, "no character" },
		{ "L\"a\" u\"b\"", DC_SYNTAX, 5, "joined" },
		{ "08", DC_SYNTAX, 0, "'08' is not a number" },
		{ "0x", DC_SYNTAX, 0, "not a number" },
		{ "0b2", DC_SYNTAX, 0, "not a number" },
		{ "1 + 12ab", DC_SYNTAX, 4, "'12ab' is not a number" },
		{ "1.2.3", DC_SYNTAX, 0, "not a number" },
		{ "1e", DC_SYNTAX, 0, "not a number" },
		{ "1lul", DC_SYNTAX, 0, "not a number" },
		{ "18446744073709551616", DC_SYNTAX, 0, "too large" },
		{ "9223372036854775808", DC_SYNTAX, 0, "suffix u" },
		{ "1 # 2", DC_SYNTAX, 2, "'#' has no meaning" },
		{ "a ` b", DC_SYNTAX, 2, "" },
		{ "(int", DC_SYNTAX, 4, "expected )" },
		{ "(int int)1", DC_SYNTAX, 1, "'int int' is not a type" },
		{ "(struct)1", DC_SYNTAX, 7, "a tag" },
		{ "(int (*)(int)1", DC_SYNTAX, -1, "" },
		{ "sizeof", DC_SYNTAX, 6, "" },
		{ "sizeof()", DC_SYNTAX, 7, "" },
		{ "(struct point){.=1}", DC_SYNTAX, 16, "" },
		{ "(struct point){.a 1}", DC_SYNTAX, 18, "expected =" },
		{ "$1000000000000", DC_SYNTAX, 0, "too large" },
	};

	(void)state;
	FAIL_ALL(list);
}

static void test_names(void **state)
{
	static const struct mistake list[] = {
		{ "nosuchname", DC_NAME, 0, "nosuchname" },
		{ "1 + variadix(1)", DC_NAME, 4, "variadic" },
		{ "add(1, nosuchname)", DC_NAME, 7, "nosuchname" },
		{ "s.nosuch", DC_NAME, 1, "'struct point'" },
		{ "ps->nosuch", DC_NAME, 2, "nosuch" },
		{ "(struct nosuch *)0", DC_NAME, 8, "no struct named 'nosuch'" },
		{ "(nosuch)5", DC_NAME, 1, "no type named" },
		{ "(struct point){.nosuch = 1}", DC_NAME, -1, "nosuch" },
		{ "$99", DC_NAME, 0, "$99" },
		{ "bump::nosuch", DC_NAME, 0, "" },
		{ "0 && nosuchname", DC_NAME, 5, "" }, // not run, but no C
	};

	(void)state;
	FAIL_ALL(list);
}

static void test_types(void **state)
{
	static const struct mistake list[] = {
		{ "array++", DC_TYPE, -1, "++" },
		{ "--array", DC_TYPE, -1, "--" },
		{ "s + 1", DC_TYPE, 2, "'+' is not defined for 'struct point' and 'int'" },
		{ "s == s", DC_TYPE, 2, "" },
		{ "-s", DC_TYPE, 0, "" },
		{ "!s", DC_TYPE, 0, "" },
		{ "gp + gp", DC_TYPE, 3, "" },
		{ "gp * 2", DC_TYPE, 3, "" },
		{ "gp - gpp + 1.5", DC_TYPE, -1, "" },
		{ "gp - gs", DC_TYPE, 3, "" },
		{ "1.5 % 2", DC_TYPE, 4, "" },
		{ "1.5 << 1", DC_TYPE, 4, "" },
		{ "~1.5", DC_TYPE, 0, "" },
		{ "cf < cd", DC_TYPE, 3, "" },
		{ "gi[1]", DC_TYPE, -1, "cannot index" },
		{ "*gi", DC_TYPE, 0, "not a pointer" },
		{ "*gv", DC_TYPE, 0, "void" },
		{ "gi.a", DC_TYPE, 2, "not a struct" },
		{ "gnever->x", DC_TYPE, 6, "incomplete" },
		{ "sizeof *gnever", DC_TYPE, 0, "incomplete" },
		{ "gnever + 1", DC_TYPE, 7, "" },
		{ "sizeof bf.a", DC_TYPE, 0, "bit-field" },
		{ "&bf.a", DC_TYPE, 0, "bit-field" },
		{ "&1", DC_TYPE, 0, "no address" },
		{ "&add(1, 2)", DC_TYPE, 0, "no address" },
		{ "1 = 2", DC_TYPE, 0, "left side" },
		{ "add = 2", DC_TYPE, -1, "" },
		{ "gi + 1 = 2", DC_TYPE, -1, "left side" },
		{ "s = 1", DC_TYPE, 2, "cannot convert" },
		{ "$rax = s", DC_TYPE, 5, "cannot convert" },
		{ "s = bf", DC_TYPE, 2, "cannot convert" },
		{ "gd = gp", DC_TYPE, 3, "cannot convert" },
		{ "gp = 1.5", DC_TYPE, 3, "cannot convert" },
		{ "(struct point)1", DC_TYPE, 0, "cannot cast" },
		{ "(int)s", DC_TYPE, 0, "cannot cast" },
		{ "(float)gp", DC_TYPE, 0, "cannot cast" },
		{ "(int *)1.5", DC_TYPE, 0, "cannot cast" },
		{ "(ints)1", DC_TYPE, 0, "sizes differ" },
		{ "(char[3])ca", DC_TYPE, 0, "sizes differ" },
		{ "(int(void))1", DC_TYPE, 0, "cannot cast" },
		{ "1 ? s : 1", DC_TYPE, 2, "?:" },
		{ "add(1)", DC_TYPE, 0, "too few arguments in call of 'add': 2 wanted, 1 given" },
		{ "add(1, 2, 3)", DC_TYPE, 0, "too many arguments" },
		{ "add()", DC_TYPE, 0, "too few" },
		{ "variadic()", DC_TYPE, 0, "too few" },
		{ "zero(1)", DC_TYPE, 0, "too many" },
		{ "add(s, 1)", DC_TYPE, 4, "argument 1 of 'add'" },
		{ "add(1, gd + s)", DC_TYPE, 10, "" },
		{ "scale(gp, 1)", DC_TYPE, 6, "argument 1 of 'scale'" },
		{ "at(s)", DC_TYPE, 3, "argument 1 of 'at'" },
		{ "gi(1)", DC_TYPE, 0, "cannot be called" },
		{ "3()", DC_TYPE, 0, "cannot be called" },
		{ "nothing() + 1", DC_TYPE, 0, "void" },
		{ "add(nothing(), 1)", DC_TYPE, -1, "void" },
		{ "1 + nothing()", DC_TYPE, 4, "void" },
		{ "gi = nothing()", DC_TYPE, -1, "void" },
		{ "array[nothing()]", DC_TYPE, 6, "void" },
		{ "{1, s}", DC_TYPE, 0, "elements of one array" },
		{ "(int[2]){1, 2, 3}", DC_TYPE, -1, "more values" },
		{ "(int){1, 2}", DC_TYPE, -1, "one value" },
		{ "(char[2]){\"abc\"}", DC_TYPE, -1, "longer" },
		{ "(struct point){[1] = 2}", DC_TYPE, -1, "designator" },
		{ "(int[gi]){1}", DC_TYPE, 5, "constant" },
		{ "(void[2]){1}", DC_TYPE, -1, "" },
		{ "(int(*)[2](int))0", DC_TYPE, -1, "" },
		{ "(int (*)(void, int))0", DC_TYPE, -1, "void" },
	};

	(void)state;
	FAIL_ALL(list);
}

static void test_values(void **state)
{
	static const struct mistake list[] = {
		{ "1 / 0", DC_VALUE, 2, "division by zero" },
		{ "1 % 0", DC_VALUE, 2, "division by zero" },
		{ "gi / (gi - gi)", DC_VALUE, 3, "division by zero" },
		{ "(-2147483647 - 1) / -1", DC_VALUE, -1, "does not fit" },
		{ "(int)1e10", DC_VALUE, 0, "does not fit in 'int'" },
		{ "(unsigned char)-1.0", DC_VALUE, 0, "does not fit" },
		{ "(long)(0.0 / 0)", DC_VALUE, 0, "does not fit" },
		{ "*gbad", DC_VALUE, 0, "0x10" },
		{ "gbad[1]", DC_VALUE, 4, "0x14" },
		{ "((struct point *)0)->b", DC_VALUE, -1, "0x8" },
		{ "*gbad = 1", DC_VALUE, -1, "0x10" },
		{ "{1, 2}[5]", DC_VALUE, 6, "no element 5" },
		{ "gi @ 0", DC_VALUE, 3, "positive" },
		{ "(int[-1]){1}", DC_VALUE, -1, "-1 elements" },
	};

	(void)state;
	FAIL_ALL(list);
}

static void test_refused(void **state)
{
	static const struct mistake list[] = {
		// In the test's own program, assembled without debug information.
		{ "untyped(1)", DC_REFUSED, 0,
		  "'untyped' has unknown return type; cast the call to its declared return type" },
		{ "1 + untyped(1)", DC_REFUSED, 4, "unknown return type" },
		{ "untyped_data", DC_REFUSED, 0,
		  "'untyped_data' has unknown type; cast it to its declared type" },
		{ "untyped_data + 1", DC_REFUSED, 0, "unknown type" },
		{ "untyped_data = 1", DC_REFUSED, 0, "unknown type" },
		{ "sizeof untyped_data", DC_REFUSED, 0, "unknown type" },
	};

	(void)state;
	FAIL_ALL(list);
}

__asm__(".text\n"
	".globl untyped\n.type untyped, @function\n"
	"untyped: lea 1(%rdi), %eax\n cvtsi2ss %eax, %xmm0\n ret\n"
	".size untyped, . - untyped\n"
	".data\n.globl untyped_data\n.type untyped_data, @object\n.size untyped_data, 4\n"
	"untyped_data: .long 77\n"
	".text\n");

static void test_without_debug_information(void **state)
{
	(void)state;
	evaluates_to("(int)untyped(4)", "5");
	evaluates_to("(float)untyped(4)", "5");
	evaluates_to("((int (*)(long))untyped)(4)", "5");
	evaluates_to("(float)untyped(4) + 1", "6");
	evaluates_to("(int)untyped_data", "77");
	evaluates_to("*(int *)&untyped_data", "77");
	evaluates_to("*(short *)&untyped_data", "77");
}

static void fails_raw(const char *text, size_t length, ssize_t column, const char *part)
{
	const char *phase;
	_cleanup_free_ char *printed = NULL;
	struct dc_error *err = evaluate_text(text, length, &phase, &printed);

	assert_non_null(err);
	assert_int_equal(err->code, DC_SYNTAX);
	assert_non_null(strstr(err->message, part));
	if (column >= 0)
		assert_int_equal(err->column, column);
	dc_error_destroy(err);
}

static void test_bytes(void **state)
{
	(void)state;
	fails_raw("1 + \0 2", 7, 4, "NUL");
	fails_raw("1 + \xff", 5, 4, "UTF-8");
	fails_raw("\"a\xc3\"", 4, 2, "UTF-8");
	fails_raw("\"\xed\xa0\x80\"", 5, 1, "UTF-8"); // a surrogate
	fails_raw("\"\xc0\x80\"", 4, 1, "UTF-8"); // an overlong NUL
	fails_raw("'\xe2\x82", 3, 1, "UTF-8");
	fails_raw("\"\\", 2, 0, "closing");
}

// n times unit, once middle, n times end.
static char *nested(const char *unit, const char *middle, const char *end, size_t n)
{
	size_t size = n * (strlen(unit) + strlen(end)) + strlen(middle) + 1;
	char *text = malloc(size), *at = text;

	assert_non_null(text);
	for (size_t i = 0; i < n; i++)
		at = stpcpy(at, unit);
	at = stpcpy(at, middle);
	for (size_t i = 0; i < n; i++)
		at = stpcpy(at, end);
	return text;
}

static void test_depth(void **state)
{
	static const char *const shapes[][3] = {
		{ "(", "1", ")" },
		{ "-", "1", "" },
		{ "!", "1", "" },
		{ "*", "gp", "" },
		{ "&", "gi", "" },
		{ "(int)", "1", "" },
		{ "add(1, ", "1", ")" },
		{ "{", "1", "}" },
		{ "1 ? ", "1", " : 1" },
		{ "1 ? 1 : ", "1", "" },
		{ "gi = ", "1", "" },
		{ "", "array", "[0]" },
		{ "", "list.next", "->next" },
		{ "", "add", "()" },
		{ "sizeof ", "1", "" },
		{ "(int ", "1", "" },
		{ "1 && ", "1", "" },
		{ "", "1", " || 1" },
		{ "1 + (", "1", ")" },
		{ "array[", "0", "]" },
		{ "(int[", "1", "]){1}" },
		{ "++", "gi", "" },
		{ "", "gi", "++" },
		{ "(struct point){", "1", "}" },
		{ "{int}", "gp", "" },
		{ "__real__ ", "cf", "" },
	};
	const char *phase;

	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		_cleanup_free_ char *text = nested(shapes[i][0], shapes[i][1], shapes[i][2],
						   100000);
		_cleanup_free_ char *printed = NULL;
		struct dc_error *err = evaluate_text(text, strlen(text), &phase, &printed);

		if (!err)
			fail_msg("%.20s… was accepted", text);
		assert_int_equal(err->code, DC_SYNTAX);
		dc_error_destroy(err);
	}

	static const char *const declarators[][2] = { { "*", "" },   { "(*", ")(void)" },
						      { "(", ")" },  { "(*", ")[2]" },
						      { "", "[1]" }, { "(", "" } };

	for (size_t i = 0; i < sizeof(declarators) / sizeof(declarators[0]); i++) {
		_cleanup_free_ char *type = NULL;
		_cleanup_free_ char *declarator = nested(declarators[i][0], "", declarators[i][1],
							 100000);

		assert_true(asprintf(&type, "(int %s)0", declarator) > 0);
		fails_raw(type, strlen(type), -1, "");
	}
}

// A megabyte that is not deep is an expression like any other.
static void test_length(void **state)
{
	_cleanup_free_ char *sum = nested("1 + ", "1", "", 250000);
	_cleanup_free_ char *commas = nested("1, ", "2", "", 333333);
	_cleanup_free_ char *list = NULL, *items = nested("1,", "1", "", 500000);
	_cleanup_free_ char *text = NULL, *letters = nested("abcd", "", "", 250000);
	_cleanup_free_ char *arguments = NULL;

	(void)state;
	evaluates_to(sum, "250001");
	evaluates_to(commas, "2");
	assert_true(asprintf(&list, "sizeof(int[]){%s}", items) > 0);
	evaluates_to(list, "2000004");
	assert_true(asprintf(&text, "sizeof \"%s\"", letters) > 0);
	evaluates_to(text, "1000001");
	assert_true(asprintf(&arguments, "add(%s)", items) > 0);
	fails_with(arguments, DC_TYPE, 0, "too many arguments");

	_cleanup_free_ char *spaces = nested(" ", "7", "", 1000000);

	evaluates_to(spaces, "7");

	_cleanup_free_ char *huge = nested(" ", "7", "", 5000000);

	fails_raw(huge, strlen(huge), -1, "too long");

	_cleanup_free_ char *name = nested("a", "", "", 1000000);

	fails_with(name, DC_NAME, 0, "no symbol");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syntax),	cmocka_unit_test(test_names),
		cmocka_unit_test(test_types),	cmocka_unit_test(test_values),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_without_debug_information),
		cmocka_unit_test(test_bytes),	cmocka_unit_test(test_depth),
		cmocka_unit_test(test_length),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, target_start, target_end);
}
