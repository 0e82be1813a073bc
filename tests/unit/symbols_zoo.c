// SPDX-License-Identifier: MIT
// The symbol reader against one program built in many ways: every name, type, layout and place that
// it reads is compared with what the compiler wrote into the program itself. Promise 11: nothing
// stops.
#include "debugger/symbols/symbols.h"
#include "debugger/target/memory.h"
#include "tests/targets/symbols_zoo.h"

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

#define VARIANTS(X)      \
	X(plain)         \
	X(dwarf2)        \
	X(dwarf4)        \
	X(compressed)    \
	X(nopie)         \
	X(static)        \
	X(staticpie)     \
	X(typeunits)     \
	X(splitdwarf)    \
	X(debuglink)     \
	X(debuglink_crc) \
	X(sections)      \
	X(clang)         \
	X(clang4)        \
	X(lld)           \
	X(gold)          \
	X(musl)          \
	X(muslstatic)

struct target {
	const char *variant;
	pid_t pid;
	struct process *process;
	struct symbols *symbols;
};

static void succeeds(struct dc_error *err)
{
	if (err)
		print_error("%s: %s\n", dc_code_name(err->code), err->message);
	assert_null(err);
}

static void fails(struct dc_error *err, enum dc_code code)
{
	assert_non_null(err);
	assert_int_equal(err->code, code);
	dc_error_destroy(err);
}

static void path_of(const char *variant, char *path, size_t size)
{
	const char *build = getenv("B");

	snprintf(path, size, "%s/tests/targets/symbols_zoo-%s", build ? build : "build/release",
		 variant);
}

static bool is_built(const char *variant)
{
	char path[4096];

	path_of(variant, path, sizeof(path));
	return !access(path, X_OK);
}

static int start(void **state)
{
	struct target *target = *state;
	char path[4096], line[16] = "";
	int out[2];

	if (!is_built(target->variant))
		return 0;
	path_of(target->variant, path, sizeof(path));
	if (pipe(out))
		return -1;
	target->pid = fork();
	if (!target->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(out[1], STDOUT_FILENO);
		close(out[0]);
		close(out[1]);
		execl(path, path, NULL);
		_exit(127);
	}
	close(out[1]);

	ssize_t n = read(out[0], line, sizeof(line) - 1);

	close(out[0]);
	if (n <= 0 || strcmp(line, "ready\n"))
		return -1;
	succeeds(process_open(target->pid, &target->process));
	succeeds(symbols_load(target->process, &target->symbols));
	return 0;
}

static int stop(void **state)
{
	struct target *target = *state;

	symbols_destroy(target->symbols);
	process_close(target->process);
	if (target->pid > 0) {
		kill(target->pid, SIGKILL);
		waitpid(target->pid, NULL, 0);
	}
	return 0;
}

static struct target *running(void **state)
{
	struct target *target = *state;

	if (!target->pid) {
		print_message("%s: its compiler or linker is not installed here\n",
			      target->variant);
		skip();
	}
	return target;
}

// ---- small readers ----

static uint64_t address_of(struct target *target, const char *name)
{
	struct variable variable;

	succeeds(symbols_lookup_variable(target->symbols, NULL, name, &variable));
	assert_int_equal(variable.place, VARIABLE_MEMORY);
	return variable.addr;
}

static void read_all(struct target *target, uint64_t addr, void *buf, size_t n)
{
	succeeds(memory_read(target->process, addr, buf, n));
}

static struct here here_of(struct target *target)
{
	struct here here;

	read_all(target, address_of(target, "here"), &here, sizeof(here));
	return here;
}

static const struct type *type_named(struct target *target, const char *spelling)
{
	const char *space = strchr(spelling, ' ');
	char tag[16] = "";
	const struct type *type;

	if (space)
		snprintf(tag, sizeof(tag), "%.*s", (int)(space - spelling), spelling);
	succeeds(symbols_lookup_type(target->symbols, NULL, space ? tag : NULL,
				     space ? space + 1 : spelling, &type));
	return type;
}

static const struct type_member *member_named(const struct type *type, const char *name)
{
	const struct type_member *members;
	size_t n;

	succeeds(type_members(type_strip(type), &members, &n));
	for (size_t i = 0; i < n; i++) {
		if (members[i].name && !strcmp(members[i].name, name))
			return &members[i];
	}
	fail_msg("no member %s", name);
	return NULL;
}

static void spelled(const struct type *type, const char *name, const char *want)
{
	char *text = type_spell(type, name);

	assert_non_null(text);
	assert_string_equal(text, want);
	free(text);
}

// ---- tests ----

static void test_functions(void **state)
{
	struct target *target = running(state);
	static const struct {
		const char *name, *prototype;
	} want[] = {
		{ "add", "int add(int, int)" },
		{ "hidden_helper", "int hidden_helper(struct point, const char *)" },
		{ "old_style", "int old_style(int, float)" },
		{ "variadic", "int variadic(const char *, ...)" },
		{ "make_point", "struct point make_point(int, double)" },
		{ "mix", "complex float mix(complex double, __int128, unsigned char)" },
		{ "nothing", "void nothing(void)" },
		{ "main", "int main(void)" },
	};

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		struct function function;

		succeeds(symbols_lookup_function(target->symbols, NULL, want[i].name, &function));
		assert_non_null(function.type);
		spelled(function.type, function.name, want[i].prototype);
		assert_null(function.no_call);
		assert_false(function.is_ifunc);
		assert_int_equal(function.is_global, strcmp(want[i].name, "hidden_helper") != 0);
		assert_int_equal(function.type->is_prototyped,
				 strcmp(want[i].name, "old_style") != 0);
		assert_int_equal(function.type->compiler,
				 strstr("clang clang4 lld", target->variant) ? COMPILER_CLANG
									     : COMPILER_GCC);

		const char *name;
		uint64_t offset;

		assert_true(symbols_name_of(target->symbols, function.addr + 1, &name, &offset));
		assert_string_equal(name, want[i].name);
		assert_int_equal(offset, 1);

		struct dc_frame frame = symbols_describe(target->symbols, function.addr + 1);

		assert_string_equal(frame.function, want[i].name);
		assert_non_null(frame.file);
		assert_non_null(strstr(frame.file, "symbols_zoo.c"));
		assert_true(frame.line > 0);
	}

	// The address is the function's: a pointer to it that the program made says the same.
	struct function add;
	uint64_t chosen;

	succeeds(symbols_lookup_function(target->symbols, NULL, "add", &add));
	read_all(target, address_of(target, "chosen"), &chosen, sizeof(chosen));
	assert_int_equal(add.addr, chosen);
}

static void test_layouts(void **state)
{
	struct target *target = running(state);
	unsigned int n;

	read_all(target, address_of(target, "nr_layouts"), &n, sizeof(n));
	assert_in_range(n, 20, 100);
	for (unsigned int i = 0; i < n; i++) {
		struct layout layout;

		read_all(target, address_of(target, "layouts") + i * sizeof(layout), &layout,
			 sizeof(layout));

		const struct type_member *member = member_named(type_named(target, layout.type),
								layout.member);

		assert_int_equal(member->offset, layout.offset);
		assert_int_equal(member->bit_size, 0);
		assert_int_equal(type_strip(member->type)->size, layout.size);
	}

	read_all(target, address_of(target, "nr_extents"), &n, sizeof(n));
	assert_in_range(n, 10, 100);
	for (unsigned int i = 0; i < n; i++) {
		struct extent extent;

		read_all(target, address_of(target, "extents") + i * sizeof(extent), &extent,
			 sizeof(extent));

		const struct type *type = type_named(target, extent.type);

		assert_int_equal(type_strip(type)->size, extent.size);
		// DWARF before version 5 has no word for an alignment that was asked for.
		if (strcmp(target->variant, "dwarf2") || strcmp(extent.type, "struct holder"))
			assert_int_equal(type_align(type), extent.align);
	}
	assert_true(type_align(type_named(target, "struct packed")) == 1);

	const struct type_member *members;
	size_t nr;
	const struct type *point = type_named(target, "struct point");

	succeeds(type_members(point, &members, &nr));
	assert_false(type_align_is_guessed(point));
	assert_int_equal(nr, 2);
}

// The program holds structs with all bits of one field set: exactly those bits must be the field's.
static void check_bits(struct target *target, const char *type_name, const char *variable,
		       const char *field)
{
	const struct type *type = type_named(target, type_name);
	const struct type_member *member = member_named(type, field);
	unsigned char bytes[64] = { 0 };

	assert_true(type->size <= sizeof(bytes));
	read_all(target, address_of(target, variable), bytes, type->size);
	assert_true(member->bit_size > 0);
	for (uint64_t bit = 0; bit < type->size * 8; bit++) {
		uint64_t first = member->offset * 8 + member->bit_offset;
		bool inside = bit >= first && bit < first + member->bit_size;

		assert_int_equal(bytes[bit / 8] >> bit % 8 & 1, inside);
	}
	assert_true(member->offset + (member->bit_offset + member->bit_size + 7) / 8 <= type->size);
}

static void test_bit_fields(void **state)
{
	struct target *target = running(state);

	check_bits(target, "struct bits", "all_ones_a", "a");
	check_bits(target, "struct bits", "all_ones_b", "b");
	check_bits(target, "struct bits", "all_ones_c", "c");
	check_bits(target, "struct bits", "all_ones_e", "e");
	check_bits(target, "struct bits", "all_ones_f", "f");
	check_bits(target, "struct bits", "all_ones_g", "g");
	check_bits(target, "struct packed", "packed_x", "x");
	check_bits(target, "struct packed", "packed_y", "y");
}

static void test_types(void **state)
{
	struct target *target = running(state);
	const struct type *node = type_strip(type_named(target, "struct node"));
	const struct type *visit = member_named(node, "visit")->type;
	const struct type *hidden = member_named(node, "hidden")->type;
	const struct type *named = member_named(node, "named")->type;
	const struct type_member *members;
	size_t n;

	spelled(node, NULL, "struct node");
	spelled(member_named(node, "next")->type, "next", "struct node *next");
	spelled(visit, "visit", "int (*visit)(struct node *, const char *, ...)");
	spelled(member_named(node, "matrix")->type, "matrix", "int matrix[2][3]");
	spelled(member_named(node, "tail")->type, "tail", "int tail[]");
	assert_int_equal(member_named(node, "tail")->type->count, UINT64_MAX);
	assert_ptr_equal(member_named(node, "next")->type->target, node);
	assert_true(hidden->target->is_incomplete);
	assert_ptr_equal(symbols_complete(target->symbols, hidden->target), hidden->target);
	succeeds(type_members(node, &members, &n));
	assert_int_equal(n, 7);
	assert_null(members[5].name);
	assert_int_equal(members[5].type->kind, TYPE_STRUCT);
	succeeds(type_members(named, &members, &n));
	assert_int_equal(n, 2);
	assert_int_equal(members[1].type->kind, TYPE_UNION);

	const struct type *holder = type_strip(type_named(target, "struct holder"));

	assert_int_equal(member_named(holder, "ld")->type->format, FLOAT_X87);
	// clang does not say what a complex number of 32 bytes is made of: then it is not known.
	assert_int_equal(member_named(holder, "cld")->type->kind,
			 strstr("clang clang4 lld", target->variant) ? TYPE_OPAQUE : TYPE_COMPLEX);
	assert_int_equal(member_named(holder, "cd")->type->kind, TYPE_COMPLEX);
	assert_int_equal(member_named(holder, "cd")->type->target->format, FLOAT_64);
	assert_int_equal(member_named(holder, "wide")->type->kind, TYPE_INT);
	assert_int_equal(member_named(holder, "flag")->type->kind, TYPE_BOOL);
	assert_int_equal(type_strip(member_named(holder, "vector")->type)->kind, TYPE_VECTOR);
	assert_int_equal(type_strip(member_named(holder, "vector")->type)->count, 4);
	spelled(member_named(holder, "text")->type, NULL, "const volatile char *");
	spelled(member_named(holder, "color")->type, NULL, "enum color");
	assert_false(member_named(holder, "color")->type->is_signed);

	const struct type *binary = type_named(target, "binary");

	assert_int_equal(binary->kind, TYPE_TYPEDEF);
	spelled(binary, NULL, "binary");
	spelled(type_strip(binary), NULL, "int (*)(int, int)");
	fails(symbols_lookup_type(target->symbols, NULL, "struct", "no_such", &binary), DC_NAME);
	fails(symbols_lookup_type(target->symbols, NULL, NULL, "add", &binary), DC_NAME);
}

static void test_enumerators(void **state)
{
	struct target *target = running(state);
	static const struct {
		const char *name, *type;
		int64_t value;
		bool is_signed;
	} want[] = {
		{ "RED", "enum color", 0, false },
		{ "BLUE", "enum color", 6, false },
		{ "DARK", "enum tone", -3, true },
		{ "VERY_WIDE", "enum wide", 0x123456789abc, false },
	};

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		const struct type *type;
		const struct type_enumerator *list;
		int64_t value;
		size_t n, found = 0;

		succeeds(symbols_lookup_enumerator(target->symbols, NULL, want[i].name, &type,
						   &value));
		assert_int_equal(value, want[i].value);
		assert_int_equal(type->is_signed, want[i].is_signed);
		spelled(type, NULL, want[i].type);
		succeeds(type_enumerators(type, &list, &n));
		for (size_t at = 0; at < n; at++)
			found += !strcmp(list[at].name, want[i].name) && list[at].value == value;
		assert_int_equal(found, 1);
	}
}

static void test_variables(void **state)
{
	struct target *target = running(state);
	static const struct {
		const char *name, *declaration;
	} want[] = {
		{ "global", "int global" },
		{ "file_static", "int file_static" },
		{ "text", "const char * const text" },
		{ "points", "struct point points[2]" },
		{ "list", "struct node *list" },
		{ "tangle", "int (*(*tangle)(int (*)(char), const char * const *))[3]" },
		{ "plain", "untagged plain" },
		{ "tone", "enum tone tone" },
		{ "wide", "volatile enum wide wide" },
	};

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		struct variable variable;

		succeeds(symbols_lookup_variable(target->symbols, NULL, want[i].name, &variable));
		assert_int_equal(variable.place, VARIABLE_MEMORY);
		assert_non_null(variable.type);
		spelled(variable.type, variable.name, want[i].declaration);
	}

	struct here here = here_of(target);

	assert_int_equal(address_of(target, "file_static"), (uintptr_t)here.file_static);

	struct variable variable;

	fails(symbols_lookup_variable(target->symbols, NULL, "add", &variable), DC_NAME);
	fails(symbols_lookup_variable(target->symbols, NULL, "no_such", &variable), DC_NAME);
	assert_string_equal(symbols_suggest(target->symbols, "globl"), "global");
	assert_string_equal(symbols_suggest(target->symbols, "make_pont"), "make_point");
	assert_null(symbols_suggest(target->symbols, "qqqqqqqqqqqq"));
}

static void test_locals(void **state)
{
	struct target *target = running(state);
	struct here here = here_of(target);
	struct symbols_frame frame = { .pc = (uintptr_t)here.pc, .cfa = (uintptr_t)here.cfa };

	frame.regs[6] = (uintptr_t)here.rbp;
	frame.valid = 1 << 6;

	const struct {
		const char *name;
		void *addr;
	} want[] = {
		{ "parameter", here.parameter },     { "local", here.local },
		{ "shadowed", here.inner },	     { "counted", here.counted },
		{ "file_static", here.file_static },
	};

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		struct variable variable;

		succeeds(symbols_lookup_variable(target->symbols, &frame, want[i].name, &variable));
		assert_int_equal(variable.place, VARIABLE_MEMORY);
		assert_int_equal(variable.addr, (uintptr_t)want[i].addr);
	}

	const struct type *type;
	int64_t value;

	succeeds(symbols_lookup_enumerator(target->symbols, &frame, "PINK", &type, &value));
	assert_int_equal(value, 40);
	succeeds(symbols_lookup_type(target->symbols, &frame, "enum", "inner_color", &type));

	// Outside of its function the name means nothing.
	fails(symbols_lookup_enumerator(target->symbols, NULL, "PINK", &type, &value), DC_NAME);

	struct variable variable;

	fails(symbols_lookup_variable(target->symbols, NULL, "parameter", &variable), DC_NAME);
}

static void test_thread_locals(void **state)
{
	struct target *target = running(state);
	struct here here = here_of(target);
	const struct {
		const char *name;
		void *addr;
	} want[] = {
		{ "thread_local_int", here.tls_int },
		{ "thread_local_text", here.tls_text },
	};

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		struct variable variable;
		uint64_t addr;

		succeeds(symbols_lookup_variable(target->symbols, NULL, want[i].name, &variable));
		assert_int_equal(variable.place, VARIABLE_TLS);
		succeeds(symbols_tls_address(target->symbols, &variable, (uintptr_t)here.fs_base,
					     &addr));
		assert_int_equal(addr, (uintptr_t)want[i].addr);
	}

	// glibc's errno is a symbol of a library's block, musl's is a macro over a struct.
	struct variable variable;
	struct dc_error *err = symbols_lookup_variable(target->symbols, NULL, "errno", &variable);

	if (!err && variable.place == VARIABLE_TLS) {
		uint64_t addr;

		succeeds(symbols_tls_address(target->symbols, &variable, (uintptr_t)here.fs_base,
					     &addr));
		assert_int_equal(addr, (uintptr_t)here.errno_address);
	}
	dc_error_destroy(err);
}

static bool is_add(const struct module *module, const char *name, void *arg)
{
	(void)module;
	(void)arg;
	return !name || !strcmp(name, "add") || !strcmp(name, "make_point");
}

static void test_ranges(void **state)
{
	struct target *target = running(state);
	struct function function;
	struct range *ranges;
	size_t n, found = 0;

	succeeds(symbols_lookup_function(target->symbols, NULL, "make_point", &function));
	succeeds(symbols_ranges(target->symbols, is_add, NULL, &ranges, &n));
	for (size_t i = 0; i < n; i++) {
		assert_true(ranges[i].start < ranges[i].end);
		assert_true(!i || ranges[i - 1].end <= ranges[i].start);
		if (ranges[i].start == function.addr) {
			assert_int_equal(ranges[i].end - ranges[i].start, function.size);
			assert_string_equal(ranges[i].what, "make_point");
			found++;
		}
	}
	// debuglink: the program's own table is stripped, and the debug file's is not asked for.
	assert_int_equal(found, strncmp(target->variant, "debuglink", 9) != 0);
	free(ranges);
}

static bool count_add(const struct function *function, void *arg)
{
	*(int *)arg += !strcmp(function->name, "add") && function->type;
	return true;
}

static void test_listing(void **state)
{
	struct target *target = running(state);
	int found = 0;

	succeeds(symbols_each_function(target->symbols, count_add, &found));
	assert_int_equal(found, 1);
}

// Looking must not have stopped it, and a second look finds the same modules.
static void test_refresh(void **state)
{
	struct target *target = running(state);
	const struct module *const *modules;
	size_t n = symbols_modules(target->symbols, &modules);
	const struct module *first = modules[0];

	struct function function;

	assert_non_null(strstr(first->name, "symbols_zoo-"));
	// A separate debug file counts once it was needed.
	succeeds(symbols_lookup_function(target->symbols, NULL, "add", &function));
	assert_true(first->has_dwarf);
	for (size_t i = 0; i < n; i++)
		assert_null(modules[i]->problem);
	succeeds(symbols_refresh(target->symbols));
	assert_int_equal(symbols_modules(target->symbols, &modules), n);
	assert_ptr_equal(modules[0], first);
}

#define TESTS(X)         \
	X(functions)     \
	X(layouts)       \
	X(bit_fields)    \
	X(types)         \
	X(enumerators)   \
	X(variables)     \
	X(locals)        \
	X(thread_locals) \
	X(ranges)        \
	X(listing)       \
	X(refresh)

int main(void)
{
	static struct target targets[] = {
#define X(way) { .variant = #way },
		VARIANTS(X)
#undef X
	};
	static const struct {
		const char *name;
		CMUnitTestFunction run;
	} kinds[] = {
#define X(name) { #name, test_##name },
		TESTS(X)
#undef X
	};
	enum {
		NR_TARGETS = sizeof(targets) / sizeof(targets[0]),
		NR_KINDS = sizeof(kinds) / sizeof(kinds[0]),
	};
	static struct CMUnitTest tests[NR_TARGETS * NR_KINDS];
	static struct target states[NR_TARGETS * NR_KINDS];
	static char names[NR_TARGETS * NR_KINDS][64];

	for (size_t i = 0; i < NR_TARGETS * NR_KINDS; i++) {
		states[i] = targets[i / NR_KINDS];
		snprintf(names[i], sizeof(names[i]), "%s of %s", kinds[i % NR_KINDS].name,
			 states[i].variant);
		tests[i] = (struct CMUnitTest){ .name = names[i],
						.test_func = kinds[i % NR_KINDS].run,
						.setup_func = start,
						.teardown_func = stop,
						.initial_state = &states[i] };
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("symbols_zoo", tests, NULL, NULL);
}
