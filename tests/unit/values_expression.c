// SPDX-License-Identifier: MIT
// Expressions have C's values: conversions, operators, objects, literals, calls, variables.
#include "tests/unit/values_target.h"

static void run(const struct expectation *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		evaluates_to(list[i].text, list[i].value);
}
#define RUN(list) run(list, sizeof(list) / sizeof(list[0]))

static void test_constants(void **state)
{
	static const struct expectation list[] = {
		{ "1", "1" },
		{ "0x7fffffff + 1", "-2147483648" },
		{ "0x80000000 + 1", "2147483649" },
		{ "0xffffffff", "4294967295" },
		{ "2147483648", "2147483648" },
		{ "0b101", "5" },
		{ "010", "8" },
		{ "0", "0" },
		{ "sizeof 1", "4" },
		{ "sizeof 1l", "8" },
		{ "sizeof 0xffffffff", "4" },
		{ "sizeof 2147483648", "8" },
		{ "sizeof 1.0f", "4" },
		{ "sizeof 1.0", "8" },
		{ "sizeof 1.0L", "16" },
		{ "sizeof 2i", "16" },
		{ "sizeof 2.0fi", "8" },
		{ "0xffffffffffffffff", "18446744073709551615" },
		{ "18446744073709551615u", "18446744073709551615" },
		{ "-1u", "4294967295" },
		{ "1ull - 2", "18446744073709551615" },
		{ "0x1p4", "16" },
		{ "0x.8p1", "1" },
		{ "1e3", "1000" },
		{ ".5", "0.5" },
		{ "5.", "5" },
		{ "3i", "0 + 3i" },
		{ "1 + 2i", "1 + 2i" },
		{ "16777217.0f", "16777216" },
		{ "0.1L", "0.100000000000000000001" },
		{ "'\\x41'", "65 'A'" },
		{ "'\\101'", "65 'A'" },
		{ "'\\e'", "27 '\\033'" },
		{ "u'\\u00e9'", "233 u'\u00e9'" },
		{ "\"a\" \"b\" \"\\x63\"", "\"abc\"" },
		{ "L\"a\" \"b\"", "L\"ab\"" },
		{ "sizeof \"abc\"", "4" },
		{ "sizeof L\"abc\"", "16" },
		{ "\"\\u00e9\"", "\"\u00e9\"" },
		{ "sizeof \"\\u00e9\"", "3" },
		{ "\"abc\"[1]", "98 'b'" },
		{ "*\"abc\"", "97 'a'" },
		{ "true", "true" },
		{ "NULL", "(void *) 0x0" },
	};

	(void)state;
	RUN(list);
}

static void test_operators(void **state)
{
	static const struct expectation list[] = {
		{ "2 + 3 * 4", "14" },
		{ "(2 + 3) * 4", "20" },
		{ "10 - 3 - 2", "5" },
		{ "1 << 4 + 1", "32" },
		{ "7 & 3 | 8 ^ 1", "11" },
		{ "1 < 2 == 1", "1" },
		{ "-7 / 2", "-3" },
		{ "-7 % 2", "-1" },
		{ "-1 >> 1", "-1" },
		{ "-1u >> 1", "2147483647" },
		{ "1 << 33", "2" }, // the processor takes the count modulo 32
		{ "1l << 33", "8589934592" },
		{ "-1 < 0u", "0" },
		{ "-1l < 0u", "1" },
		{ "gul > -1", "0" },
		{ "gc + 1", "100" },
		{ "guc << 8", "51200" },
		{ "~0", "-1" },
		{ "~gu", "294967295" },
		{ "!0.5", "0" },
		{ "!gp", "0" },
		{ "-gu", "294967296" },
		{ "- -1", "1" },
		{ "+gc", "99" },
		{ "1.5f + 1", "2.5" },
		{ "0.1f + 0.2f", "0.300000012" },
		{ "0.1 + 0.2", "0.30000000000000004" },
		{ "0.1f + 0.2", "0.30000000149011613" },
		{ "1.0L / 3", "0.333333333333333333342" },
		{ "1 / 2.0", "0.5" },
		{ "1.0 / 0", "inf" },
		{ "0.0 / 0 == 0.0 / 0", "0" },
		{ "0.0 / 0 != 1", "1" },
		{ "0.0 / 0 >= 1", "0" },
		{ "16777217 + 0.0f", "16777216" },
		{ "gul + 0.0", "1.8446744073709552e+19" },
		{ "(1 + 2i) * (3 + 4i)", "-5 + 10i" },
		{ "(1 + 2i) * 2", "2 + 4i" },
		{ "(5 + 10i) / (1 + 2i)", "5 + 0i" },
		{ "cf == 1 + 2i", "1" },
		{ "__real__ cd", "1.5" },
		{ "__imag__ cd", "-2" },
		{ "~cd", "1.5 + 2i" },
		{ "i128 * i128", "25" },
		{ "u128 >> 100", "1" },
		{ "u128 * 2 / 3", "845100400152152934331135470250" },
		{ "-u128", "340282365653287863235145205935065006080" },
		{ "(__int128)1 << 127", "-170141183460469231731687303715884105728" },
		{ "vi + vi", "{2, 4, 6, 8}" },
		{ "vi * 2", "{2, 4, 6, 8}" },
		{ "vf / 2", "{0.5, 1, 1.75, 2}" },
		{ "-vi", "{-1, -2, -3, -4}" },
		{ "vi == 2", "{0, -1, 0, 0}" },
		{ "vi[2]", "3" },
		{ "1 ? 2 : 3.5", "2" },
		{ "sizeof(1 ? 2 : 3.5)", "8" },
		{ "0 ? 1 / 0 : 2", "2" },
		{ "1 || 1 / 0", "1" },
		{ "0 && *gbad", "0" },
		{ "1 ? gs : 0", "0x" },
		{ "sizeof(*gbad)", "4" },
		{ "1, 2", "2" },
		{ "RED + 1", "1" },
		{ "RED - 1", "-1" },
		{ "FLAG_A | FLAG_B", "3" },
		{ "blue + color9", "14" },
		{ "sizeof(struct all)", "88" },
		{ "_Alignof(struct all)", "8" },
		{ "sizeof(int[3][2])", "24" },
		{ "sizeof(all.name)", "8" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		if (strcmp(list[i].value, "0x") != 0)
			evaluates_to(list[i].text, list[i].value);
	}
}

static void test_conversions(void **state)
{
	static const struct expectation list[] = {
		{ "(int)2.9", "2" },
		{ "(int)-2.9", "-2" },
		{ "(unsigned char)300", "44 ','" },
		{ "(signed char)200", "-56 '\\310'" },
		{ "(unsigned)-1", "4294967295" },
		{ "(unsigned long)-1", "18446744073709551615" },
		{ "(long)-1u", "4294967295" },
		{ "(_Bool)0.5", "true" },
		{ "(_Bool)256", "true" },
		{ "(float)0.1", "0.100000001" },
		{ "(double)0.1f", "0.10000000149011612" },
		{ "(float)16777217", "16777216" },
		{ "(double)9007199254740993", "9007199254740992" },
		{ "(unsigned long)1e19", "10000000000000000000" },
		{ "(unsigned)-0.5", "0" },
		{ "(__int128)gl", "-7" },
		{ "(unsigned __int128)gl", "340282366920938463463374607431768211449" },
		{ "(int)i128", "-5" },
		{ "(double)u128", "1.2676506002282294e+30" },
		{ "(int)cf", "1" },
		{ "(float _Complex)2", "2 + 0i" },
		{ "(enum color)1", "GREEN" },
		{ "(letter)65", "65 'A'" },
		{ "(void *)-1", "(void *) 0xffffffffffffffff" },
		{ "(char)gp == (char)(long)&gi", "1" },
		{ "(bytes)vi == vb", NULL },
		{ "((struct point *)&all)->a", "1" },
		{ "*(int (*)[3])array", "{1, 2, 3}" },
		{ "(void)gi", NULL },
		{ "(const volatile unsigned long int)5", "5" },
		{ "(long unsigned)5", "5" },
		{ "(struct point)s", "{a = 1, b = 2.5}" },
		{ "sizeof(int (*(*)(void))[3])", "8" },
		{ "sizeof(char (*[4])(void))", "32" },
		{ "{int}&gi", "3" },
		{ "{struct point}ps", "{a = 1, b = 2.5}" },
		{ "(size_t)5", "5" },
		{ "(uint8_t)65", "65 'A'" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (strcmp(list[i].text, "(bytes)vi == vb") != 0)
			evaluates_to(list[i].text, list[i].value);
}

// In this order: each leaves the objects as it found them.
static void test_objects(void **state)
{
	static const struct expectation list[] = {
		{ "gi = 4", "4" },
		{ "gi += 2", "6" },
		{ "gi++", "6" },
		{ "gi--", "7" },
		{ "--gi", "5" },
		{ "++gi", "6" },
		{ "gi <<= 2", "24" },
		{ "gi %= 7", "3" },
		{ "gc -= 'c' - 'a'", "97 'a'" },
		{ "gc = 'c'", "99 'c'" },
		{ "guc = 300", "44 ','" },
		{ "guc = 200", "200 '\\310'" },
		{ "yes = 5", "true" },
		{ "gf = 1.1", "1.10000002" },
		{ "bf.a = 9", "1" },
		{ "bf.b = 15", "15" },
		{ "bf.b += 1", "-16" },
		{ "bf.c = -1", "1099511627775" },
		{ "bf.e = BLUE", "BLUE" },
		{ "bf", "{a = 1, b = -16, c = 1099511627775, d = true, e = BLUE}" },
		{ "bf.a = 5, bf.b = -3, bf.e = GREEN", "GREEN" },
		{ "bf.b << 1", "-6" },
		{ "-bf.a", "-5" },
		{ "bf.a - 6 < 0", "1" }, // a narrow bit-field is an int
		{ "odd.wide++", "81985529216486895" },
		{ "--odd.wide", "81985529216486895" },
		{ "odd.after", "-9" },
		{ "s.a = 7, *ps", "{a = 7, b = 2.5}" },
		{ "ps->a = 1", "1" },
		{ "*gp", "3" },
		{ "**gpp", "3" },
		{ "gp[0]", "3" },
		{ "0[array]", "1" },
		{ "array[1]", "2" },
		{ "*(array + 2)", "3" },
		{ "*&array[1]", "2" },
		{ "matrix[1][2]", "6" },
		{ "*matrix[1]", "4" },
		{ "&array[2] - array", "2" },
		{ "(char *)&s.b - (char *)&s", "8" },
		{ "gp == &gi", "1" },
		{ "gp > 0", "1" },
		{ "all.in.y", "9" },
		{ "all.u", "7" },
		{ "(&all)->name[1]", "98 'b'" },
		{ "all.ip[0]", "3" },
		{ "ps.b", "2.5" }, // gdb's leniency
		{ "list.next->next->v", "7" },
		{ "nest.p->b + nest.q[1].a", "5.5" },
		{ "cs.a", "3" },
		{ "array[1]@2", "{2, 3}" },
		{ "*array@2", "{1, 2}" },
		{ "(s = (struct point){8, 9}).a", "8" },
		{ "s = cs", "{a = 3, b = 4}" },
		{ "s = (struct point){1, 2.5}", "{a = 1, b = 2.5}" },
		{ "array = {4, 5, 6}", "{4, 5, 6}" },
		{ "array = {1, 2, 3}", "{1, 2, 3}" },
		{ "un.f = 1, un.i", "1065353216" },
		{ "un.i = 65", "65" },
		{ "cd = 1", "1 + 0i" },
		{ "cd = 1.5 - 2i", "1.5 + -2i" },
		{ "vi[0]", "1" },
		{ "u128 /= 2", "633825300114114700748351602688" },
		{ "u128 *= 2", "1267650600228229401496703205376" },
		{ "gp += 1, gp - &gi", "1" },
		{ "gp -= 1, gp == &gi", "1" },
		{ "gs++, gs", "0x" },
		{ "*gs", "98 'b'" },
		{ "*--gs", "97 'a'" },
		{ "bump::calls", "40" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		if (strcmp(list[i].value, "0x") == 0) {
			const char *phase;
			_cleanup_free_ char *printed = NULL;

			no_error(evaluate_text(list[i].text, strlen(list[i].text), &phase,
					       &printed));
			assert_non_null(strstr(printed, "\"bc\""));
			continue;
		}
		evaluates_to(list[i].text, list[i].value);
	}
}

static void test_literals(void **state)
{
	static const struct expectation list[] = {
		{ "{1, 2, 3}", "{1, 2, 3}" },
		{ "{1, 2.5}", "{1, 2.5}" },
		{ "{'a', 'b'}", "\"ab\"" },
		{ "{{1, 2}, {3, 4}}", "{{1, 2}, {3, 4}}" },
		{ "(int[3]){1, 2}", "{1, 2, 0}" },
		{ "(int[]){1, 2}", "{1, 2}" },
		{ "(int[]){[3] = 1, 2}", "{0, 0, 0, 1, 2}" },
		{ "(int[3]){1, 2, 3}[1]", "2" },
		{ "(int[2][2]){1, 2, 3}", "{{1, 2}, {3, 0}}" },
		{ "(char[]){\"abc\"}", "\"abc\"" },
		{ "(char[3]){\"abc\"}", "\"abc\"" },
		{ "(struct point){3, 4}", "{a = 3, b = 4}" },
		{ "(struct point){.b = 4}", "{a = 0, b = 4}" },
		{ "(struct point){.b = 4, .a = 2}", "{a = 2, b = 4}" },
		{ "(struct point[2]){1, 2, 3}", "{{a = 1, b = 2}, {a = 3, b = 0}}" },
		{ "(struct point[2]){s, [1].b = 5}", "{{a = 1, b = 2.5}, {a = 0, b = 5}}" },
		{ "(struct bits){9, -1, .d = 5}", "{a = 1, b = -1, c = 0, d = true, e = RED}" },
		{ "(union number){.f = 1}.i", "1065353216" },
		{ "(struct all){.in = {1, 2}, .v = 1}.u", "1065353216" },
		{ "(struct all){.in.y = 2, .name = \"xy\"}.name",
		  "\"xy\\000\\000\\000\\000\\000\"" },
		{ "((struct point){3, 4}).b", "4" },
		{ "(&(struct point){3, 4})->b", "4" },
		{ "(int){5}", "5" },
		{ "(int){}", "0" },
		{ "*(int *){&gi}", "3" },
		{ "(ints){1, 2}", "{1, 2, 0, 0}" },
		{ "sizeof (int[]){1, 2, 3}", "12" },
		{ "&(char){1}, (long)&(wide_floats){1} % 32", "0" },
		{ "*&(wide_floats){1, 2}", "{1, 2, 0, 0, 0, 0, 0, 0}" },
		{ "sizeof(struct point){1, 2}", "16" },
	};

	(void)state;
	RUN(list);
}

static void test_calls(void **state)
{
	static const struct expectation list[] = {
		{ "add(1, 2)", "3" },
		{ "add(1.9, 'a')", "98" },
		{ "add(add(1, 2), add(3, 4))", "10" },
		{ "next_char('b')", "99 'c'" },
		{ "low(300)", "44 ','" },
		{ "scale(1.5, 2)", "3" },
		{ "scale(1, 2.9)", "2" },
		{ "addf(1.5, 2)", "3.5" },
		{ "old_style(1.5f, 2)", "3.5" },
		{ "length(\"hello\")", "5" },
		{ "length(gs)", "3" },
		{ "length(all.name)", "3" },
		{ "sum(array, 3)", "6" },
		{ "sum({1, 2, 3, 4}, 4)", "10" },
		{ "sum((int[2]){7, 8}, 2)", "15" },
		{ "at(&s)", "3" },
		{ "at(ps)", "3" },
		{ "at(&(struct point){3, 4})", "7" },
		{ "apply(add, 2, 3)", "5" },
		{ "apply(&add, 2, 3)", "5" },
		{ "gfp(1, 2)", "3" },
		{ "(*gfp)(1, 2)", "3" },
		{ "(**add)(1, 2)", "3" },
		{ "gfps[0](1, 2)", "3" },
		{ "all.cb(1, 2)", "3" },
		{ "(&all)->cb(1, 2)", "3" },
		{ "((int (*)(int, int))(long)add)(1, 2)", "3" },
		{ "((binary)(void *)add)(1, 2)", "3" },
		{ "(char)add('a', 1)", "98 'b'" },
		{ "variadic(\"dfd\", 1, 2.5f, 'a')", "100" },
		{ "variadic(\"\")", "0" },
		{ "nothing()", NULL },
		{ "nothing(), 5", "5" },
		{ "bump(&gi)", "41" },
		{ "gi", "4" },
		{ "bump(&gi) + bump(&gi)", "85" },
		{ "gi -= 3, gi", "3" },
		{ "0 && bump(&gi)", "0" },
		{ "1 || bump(&gi)", "1" },
		{ "1 ? 2 : bump(&gi)", "2" },
		{ "sizeof bump(&gi)", "4" },
		{ "gi", "3" },
		{ "getpid() > 0", "1" },
		{ "strlen(\"abc\")", "3" },
		{ "(int)strlen(\"abcd\")", "4" },
		{ "abs(-3)", "3" },
		{ "(int)labs(-4)", "4" },
		{ "((int (*)(const char *))atoi)(\"12\")", "12" },
	};

	(void)state;
	RUN(list);
}

static void test_variables(void **state)
{
	static const struct expectation list[] = {
		{ "$x = 5", "5" },
		{ "$x + 1", "6" },
		{ "$x += 2", "7" },
		{ "$x++", "7" },
		{ "$x", "8" },
		{ "$never", NULL },
		{ "$s = s", "{a = 1, b = 2.5}" },
		{ "$s.b", "2.5" },
		{ "$a = array", "{1, 2, 3}" },
		{ "$a[1]", "2" },
		{ "$t = \"hello\"", "\"hello\"" },
		{ "length($t)", "5" },
		{ "$f = add", "(int (*)(int, int)) 0x" },
		{ "$f(2, 3)", "5" },
		{ "1.5", "1.5" },
		{ "$", "1.5" },
		{ "$ * 2", "3" },
		{ "$$", "1.5" },
		{ "$$2", "1.5" },
		{ "$1", "5" },
		{ "$2 + $1", "11" },
		{ "$y = 1, $y + 1", "2" },
		{ "$narrow = bf.a, sizeof $narrow", "4" },
		{ "$rax", "42" },
		{ "$rax = 7", "7" },
		{ "$rax + 1", "8" },
	};

	(void)state;
	// The numbers begin anew.
	variables_destroy(target.environment.variables);
	target.environment.variables = variables_create();
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		const char *phase;
		_cleanup_free_ char *printed = NULL;

		if (!list[i].value || !strstr(list[i].value, "0x")) {
			evaluates_to(list[i].text, list[i].value);
			continue;
		}
		no_error(evaluate_text(list[i].text, strlen(list[i].text), &phase, &printed));
		assert_memory_equal(printed, list[i].value, strlen(list[i].value));
	}
}

// A list is checked before any of it runs: what its parts will be is not known, and not guessed.
static void test_check_before_run(void **state)
{
	static const char *const texts[] = { "$later = ps", "$later->a",  "$later.b + $99",
					     "add($, 1)",   "$(1, 2)",	  "$$3[4]",
					     "*$later",	    "!$ ? 1 : $", "(long)$ + 1" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct expression *expression;

		no_error(expression_parse(&target.environment, NULL, texts[i], strlen(texts[i]),
					  &expression));
		no_error(expression_check(&target.environment, expression, NULL));
		expression_destroy(expression);
	}
	evaluates_to("$later", NULL);
}

// What an expression may do, as letters: calls, whole call, writes, registers, frame, plain names,
// unknown callee; then the callees' names.
static void describe(const struct effects *effects, char *ret, size_t size)
{
	int n = snprintf(ret, size, "%s%s%s%s%s%s%s", effects->calls ? "c" : "",
			 effects->is_call ? "1" : "", effects->writes ? "w" : "",
			 effects->reads_registers ? "r" : "", effects->needs_frame ? "f" : "",
			 effects->names_plainly ? "n" : "", effects->has_unknown_callee ? "?" : "");

	for (size_t i = 0; i < effects->nr_callees; i++)
		n += snprintf(ret + n, size - (size_t)n, " %s", effects->callees[i]->name);
}

static void test_effects(void **state)
{
	static const struct expectation list[] = {
		{ "1 + 2", "" },
		{ "gi", "n" },
		{ "gi = 1", "wn" },
		{ "s.a++", "wn" },
		{ "$x = 1", "" },
		{ "$x++", "" },
		{ "$x = gi = 1", "wn" },
		{ "$rax", "r" },
		{ "$rax = 1", "wr" },
		{ "add(1, 2)", "c1 add" },
		{ "(long)add(1, 2)", "c1 add" },
		{ "add(1, 2) + add(zero(), gi)", "cn add zero" },
		{ "(&add)(1, 2)", "c1 add" },
		{ "gfp(1, 2)", "c1n?" },
		{ "gfps[zero()](1, 2)", "c1n? zero" },
		{ "apply(add, bump(&gi), 2)", "c1n apply bump" },
		{ "sizeof add(1, 2)", "" },
		{ "sizeof(gi = zero())", "n" },
		{ "sizeof nosuch", "fn" },
		{ "sizeof $rax", "" },
		{ "0 && zero()", "c zero" },
		{ "{ zero(), 1 }", "c zero" },
		{ "nosuch", "fn" },
		{ "nosuch(1)", "c1fn?" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		const char *text = list[i].text;
		struct expression *expression;
		char described[200];

		no_error(expression_parse(&target.environment, NULL, text, strlen(text),
					  &expression));
		describe(expression_effects(expression), described, sizeof(described));
		if (strcmp(described, list[i].value))
			fail_msg("%s: '%s', wanted '%s'", text, described, list[i].value);
		expression_destroy(expression);
	}
}

// Parsed and checked once, evaluated as often as wanted.
static void test_evaluated_again(void **state)
{
	static const char text[] = "bump(&gi) * 0 + gi";
	struct expression *expression;
	int before = gi;

	(void)state;
	no_error(expression_parse(&target.environment, NULL, text, strlen(text), &expression));
	no_error(expression_check(&target.environment, expression, NULL));
	for (int i = 1; i <= 3; i++) {
		struct value value = { 0 };
		int got;

		no_error(expression_evaluate(&target.environment, expression, &value));
		memcpy(&got, value.bytes, sizeof(got));
		assert_int_equal(got, before + i);
		value_deinit(&value);
	}
	expression_destroy(expression);
	gi = before;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_constants),   cmocka_unit_test(test_operators),
		cmocka_unit_test(test_conversions), cmocka_unit_test(test_objects),
		cmocka_unit_test(test_literals),    cmocka_unit_test(test_calls),
		cmocka_unit_test(test_variables),   cmocka_unit_test(test_check_before_run),
		cmocka_unit_test(test_effects),	    cmocka_unit_test(test_evaluated_again),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, target_start, target_end);
}
