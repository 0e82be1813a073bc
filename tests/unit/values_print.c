// SPDX-License-Identifier: MIT
// Values are printed as gdb prints them: by strings that gdb 13 gave, and live beside the gdb here.
#include "tests/unit/values_target.h"

// What gdb 13.1 printed for the same objects.
static const struct expectation recorded[] = {
	{ "gi", "3" },
	{ "gu", "4000000000" },
	{ "gul", "18446744073709551615" },
	{ "gc", "99 'c'" },
	{ "newline", "10 '\\n'" },
	{ "quote", "39 '\\''" },
	{ "backslash", "92 '\\\\'" },
	{ "escape", "27 '\\033'" },
	{ "nul", "0 '\\000'" },
	{ "gsc", "-1 '\\377'" },
	{ "guc", "200 '\\310'" },
	{ "small", "5 '\\005'" },
	{ "yes", "true" },
	{ "flags3", "{true, false, true}" },
	{ "red", "RED" },
	{ "blue", "BLUE" },
	{ "color9", "9" },
	{ "flag0", "0" },
	{ "flag3", "(FLAG_A | FLAG_B)" },
	{ "flag9", "(FLAG_A | unknown: 0x8)" },
	{ "flag8", "(unknown: 0x8)" },
	{ "minus", "MINUS" },
	{ "sign7", "7" },
	{ "mask13", "13" },
	{ "mask12", "MASK_HIGH" },
	{ "wide_enum", "WIDE" },
	{ "gnull", "0x0" },
	{ "gbad", "(int *) 0x10" },
	{ "gbadtext", "0x10 <error: Cannot access memory at address 0x10>" },
	{ "s", "{a = 1, b = 2.5}" },
	{ "*ps", "{a = 1, b = 2.5}" },
	{ "bf", "{a = 5, b = -3, c = 1099511627775, d = true, e = GREEN}" },
	{ "odd", "{c = 120 'x', wide = 81985529216486895, after = -9}" },
	{ "un", "{i = 65, f = 9.10844002e-44, c = \"A\\000\\000\"}" },
	{ "gnever", "(struct never *) 0x0" },
	{ "*gnever", "<incomplete type>" },
	{ "gnothing", "{<No data fields>}" },
	{ "unnamed", "{k = 4}" },
	{ "array", "{1, 2, 3}" },
	{ "matrix", "{{1, 2, 3}, {4, 5, 6}}" },
	{ "run12", "{5 <repeats 12 times>, 1, 2, 0, 0, 0, 0, 0, 0}" },
	{ "run10", "{1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}" },
	{ "zeros", "{0 <repeats 300 times>}" },
	{ "ca", "\"abc\"" },
	{ "cb", "\"abc\\000\\000\\000\\000\"" },
	{ "cc", "\"abc\"" },
	{ "cz", "\"\\000\\000\\000\\000\\000\\000\\000\"" },
	{ "cm", "\"a\\000b\\000\\000\\000\\000\"" },
	{ "cr", "\"xx\", 'a' <repeats 15 times>, \"y\", 'b' <repeats 16 times>, "
		"\"\\000\\000\\000\\000\\000\"" },
	{ "rows", "{\"abc\", \"de\\000\"}" },
	{ "hexdigit", "\"\\0011\\377a9\"" },
	{ "uca", "\"\\001\\002\\003\\377\"" },
	{ "sca", "\"\\377A\"" },
	{ "wc", "120 L'x'" },
	{ "wa", "L\"abc\"" },
	{ "wbad", "L\"\\xd800\\061\\x12345678\\062\"" },
	{ "c16", "121 u'y'" },
	{ "gf", "1.10000002" },
	{ "gd", "1.1000000000000001" },
	{ "gld", "1.10000000000000000002" },
	{ "third", "0.33333333333333331" },
	{ "hundred", "1e+100" },
	{ "minus_zero", "-0" },
	{ "infinite", "inf" },
	{ "minus_infinite", "-inf" },
	{ "dnan.value", "nan(0x8000000000000)" },
	{ "dnan1.value", "-nan(0x8000000000001)" },
	{ "fnan.value", "nan(0x400005)" },
	{ "dones", "{1 <repeats 12 times>}" },
	{ "cf", "1 + 2i" },
	{ "cd", "1.5 + -2i" },
	{ "cld", "1 + 2i" },
	{ "i128", "-5" },
	{ "u128", "1267650600228229401496703205376" },
	{ "vi", "{1, 2, 3, 4}" },
	{ "vf", "{1, 2, 3.5, 4}" },
	{ "vb", "{65, 66, 0 <repeats 14 times>}" },
	{ "list.v", "7" },
	{ "(void)0", NULL },
	{ "'a'", "97 'a'" },
	{ "\"abc\"", "\"abc\"" },
	{ "L\"abc\"", "L\"abc\"" },
	{ "{1,2}", "{1, 2}" },
	{ "(char)5", "5 '\\005'" },
	{ "(void *)5", "(void *) 0x5" },
	{ "(char *)0", "0x0" },
	{ "(enum flags)5", "(FLAG_A | FLAG_C)" },
	{ "RED", "RED" },
};

static void test_recorded(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(recorded) / sizeof(recorded[0]); i++)
		evaluates_to(recorded[i].text, recorded[i].value);
}

// 200 elements, then dots.
static void test_long(void **state)
{
	char wanted[1200] = "{";

	(void)state;
	for (int i = 0; i < 200; i++)
		sprintf(wanted + strlen(wanted), "%s%d", i ? ", " : "", i);
	evaluates_to("counting", strcat(wanted, "...}"));
	// In a string a run counts with all its characters.
	evaluates_to("ck", "'a' <repeats 201 times>...");
	evaluates_to("&ck[1] - ck, ck[1]@200", "'a' <repeats 200 times>");
}

// Objects whose printed form holds addresses.
static const char *const beside_gdb[] = {
	"gp",
	"gpp",
	"gs",
	"gempty",
	"gconst",
	"names",
	"gus",
	"gu8",
	"gletters",
	"gtext",
	"gv",
	"gcp",
	"glong",
	"grun",
	"gmixed",
	"gutf",
	"gfp",
	"gfps",
	"ps",
	"list",
	"all",
	"nest",
	"ws",
	"w16",
	"w32",
	"points",
	"add",
	"*add",
	"&add",
	"variadic",
	"nothing",
	"old_style",
	"&s",
	"&array",
	"&array[1]",
	"&matrix[1]",
	"array@2",
	"*gs@2",
	"gs[1]@2",
	"&all.in",
	"&all.name",
	"all.name",
	"all.str",
	"all.cb",
	"&gs",
	"gp + 1",
	"gv + 1",
	"ps - 1",
	"&gi == gp",
	"(long)&gi",
	"(long)add",
	"(char *)&gi",
	"(const char *)gs",
	"(unsigned char *)gs",
	"gopen",
	"&gopen.d",
	"&list",
	"gfp == add",
	"matrix[1]@1",
	"*names@3",
	"gs + 1",
	"&gs[1]",
	"ca + 1",
	"*&s",
	"&*gp",
	"(struct node *)&s",
	"ws + 1",
	"rows[1]",
	"&rows",
	"*gpp",
	"**gpp",
	"gi + 1",
	"gc + 1",
	"-gc",
	"gu * 2",
	"gul * 2",
	"gl / 2",
	"gl % 4",
	"-1 < 0u",
	"gsh << 2",
	"gu >> 4",
	"gf * 3",
	"gd * 3",
	"gld * 3",
	"gf + gd",
	"1.0 / 3",
	"cf * cf",
	"cf + 1",
	"vi + vi",
	"vf * 2",
	"u128",
	"7 / -2",
	"-7 % 3",
	"gf == 1.1",
	"1.5f",
	"1e22",
	"123456.789f",
	"1e-5",
	"0x1p4",
	"gfps[0]",
	"&gfps[1]",
	"sizeof(struct all)",
	"(short)70000",
	"(signed char)200",
	"(unsigned char)300",
	"(long double)0.1",
	"(float)0.1",
	"(_Bool)5",
	"\"ab\" \"cd\"",
	"sizeof(\"abc\")",
	"'\\377'",
	"L'x'",
	"bump::calls",
};

// gdb's answers, one per expression, NULL-terminated by an empty one; false when there is no gdb.
static bool ask_gdb(char **answers, size_t n)
{
	char script[] = "/tmp/values_print.XXXXXX", command[128], line[8192];
	int fd = mkstemp(script);
	FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
	size_t i = 0;

	assert_non_null(file);
	for (size_t e = 0; e < n; e++)
		fprintf(file, "echo @\\n\nprint %s\n", beside_gdb[e]);
	fclose(file);
	snprintf(command, sizeof(command), "LC_ALL=C.UTF-8 gdb -nx -batch -p %d -x %s 2>/dev/null",
		 target.pid, script);

	FILE *pipe = popen(command, "r");

	assert_non_null(pipe);
	while (fgets(line, sizeof(line), pipe)) {
		line[strcspn(line, "\n")] = '\0';
		if (strcmp(line, "@") == 0)
			i++;
		else if (i > 0 && i <= n && line[0] == '$' && strstr(line, " = ") &&
			 !answers[i - 1])
			answers[i - 1] = strdup(strstr(line, " = ") + 3);
	}
	pclose(pipe);
	unlink(script);
	return i == n;
}

static void test_beside_gdb(void **state)
{
	enum { N = sizeof(beside_gdb) / sizeof(beside_gdb[0]) };
	char *answers[N] = { NULL };

	(void)state;
	if (!ask_gdb(answers, N)) {
		print_message("# skipped: no gdb here, or it cannot attach\n");
		skip();
	}
	for (size_t i = 0; i < N; i++) {
		if (!answers[i])
			fail_msg("gdb has no value for %s", beside_gdb[i]);
		evaluates_to(beside_gdb[i], answers[i]);
		free(answers[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_beside_gdb),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, target_start, target_end);
}
