// SPDX-License-Identifier: MIT
// Damaged files: bytes of a mapped library's file are changed at random, and everything that reads
// it must come back with an answer or an error. timeout: 300 s
#include "debugger/symbols/symbols.h"

#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

enum { ROUNDS = 250, CAMPAIGN_ROUNDS = 20000 };

struct victim {
	pid_t pid;
	int fd;
	char path[64];
	unsigned char *bytes; // of the file, undamaged
	size_t size;
	struct process *process;
	uint64_t seed;
};

static uint64_t next_random(struct victim *victim)
{
	victim->seed ^= victim->seed << 13;
	victim->seed ^= victim->seed >> 7;
	victim->seed ^= victim->seed << 17;
	return victim->seed;
}

static void copy_library(struct victim *victim, const char *flavour)
{
	const char *build = getenv("B");
	char source[4096];
	struct stat st;

	snprintf(source, sizeof(source), "%s/tests/targets/symbols_library-%s.so",
		 build ? build : "build/release", flavour);

	int fd = open(source, O_RDONLY);

	assert_true(fd >= 0 && !fstat(fd, &st));
	victim->size = (size_t)st.st_size;
	victim->bytes = malloc(victim->size);
	assert_int_equal(read(fd, victim->bytes, victim->size), victim->size);
	close(fd);
	strcpy(victim->path, "/tmp/symbols_damage.XXXXXX");
	victim->fd = mkstemp(victim->path);
	assert_true(victim->fd >= 0);
	assert_int_equal(pwrite(victim->fd, victim->bytes, victim->size, 0), victim->size);
}

static void start(struct victim *victim, const char *flavour)
{
	const char *build = getenv("B");
	char host[4096], line[8];
	int out[2];

	memset(victim, 0, sizeof(*victim));
	victim->seed = 0x9e3779b97f4a7c15u;
	copy_library(victim, flavour);
	snprintf(host, sizeof(host), "%s/tests/targets/symbols_host",
		 build ? build : "build/release");
	assert_int_equal(pipe(out), 0);
	victim->pid = fork();
	if (!victim->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(out[1], STDOUT_FILENO);
		execl(host, host, victim->path, NULL);
		_exit(127);
	}
	close(out[1]);
	assert_int_equal(read(out[0], line, 6), 6);
	close(out[0]);
	// It is mapped: from here on it needs no name, and a run that is cut short leaves none
	// behind.
	unlink(victim->path);
	assert_null(process_open(victim->pid, &victim->process));
}

static void stop(struct victim *victim)
{
	process_close(victim->process);
	kill(victim->pid, SIGKILL);
	waitpid(victim->pid, NULL, 0);
	close(victim->fd);
	free(victim->bytes);
}

// ---- asking for everything ----

static void drop(struct dc_error *err)
{
	dc_error_destroy(err);
}

static void walk_type(const struct type *type, int depth)
{
	const struct type_member *members;
	const struct type_param *params;
	const struct type_enumerator *values;
	size_t n;

	for (; type && depth < 6; type = type->target, depth++) {
		free(type_spell(type, "name"));
		type_align(type);
		type_strip(type);
		assert_true(type_equal(type, type));

		struct dc_error *err = type_members(type, &members, &n);

		for (size_t i = 0; !err && i < n && i < 100; i++)
			walk_type(members[i].type, depth + 1);
		drop(err);
		err = type_params(type, &params, &n);
		for (size_t i = 0; !err && i < n && i < 100; i++)
			walk_type(params[i].type, depth + 1);
		drop(err);
		drop(type_enumerators(type, &values, &n));
	}
}

static bool see(const struct function *function, void *arg)
{
	if (function->type)
		walk_type(function->type, 0);
	return ++*(int *)arg < 500;
}

static bool pick(const struct module *module, const char *name, void *arg)
{
	(void)arg;
	return module->name && (!name || name[0] != '_');
}

static void ask_everything(struct victim *victim)
{
	static const char *const names[] = { "library_function",
					     "library_variable",
					     "library_constant",
					     "library_tls",
					     "library_inline",
					     "local",
					     "block",
					     "LIBRARY_B",
					     "library_struct",
					     "library_alias",
					     "nowhere_to_be_found" };
	struct symbols *symbols;
	struct dc_error *err = symbols_load(victim->process, &symbols);

	if (err) {
		drop(err);
		return;
	}

	const struct module *const *modules;
	size_t n = symbols_modules(symbols, &modules);
	struct symbols_frame frame = { .cfa = 0x7000, .valid = 0x1ffff };

	for (size_t i = 0; i < n; i++) {
		if (!strncmp(modules[i]->name, "symbols_damage", 14))
			frame.pc = modules[i]->start + 0x1000 + next_random(victim) % 0x200;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct function function;
		struct variable variable;
		const struct type *type;
		int64_t value;
		uint64_t addr;

		for (int with_frame = 0; with_frame < 2; with_frame++) {
			struct symbols_frame *at = with_frame ? &frame : NULL;

			err = symbols_lookup_function(symbols, at, names[i], &function);
			if (!err) {
				symbols_function_type(symbols, &function);
				walk_type(function.type, 0);
				symbols_bound_ifunc(symbols, &function);
				symbols_describe(symbols, function.addr + 3);
				frame.pc = function.addr + 30;
			}
			drop(err);
			err = symbols_lookup_variable(symbols, at, names[i], &variable);
			if (!err) {
				walk_type(variable.type, 0);
				if (variable.place == VARIABLE_TLS)
					drop(symbols_tls_address(symbols, &variable, 0x1000,
								 &addr));
			}
			drop(err);
			err = symbols_lookup_type(symbols, at, i & 1 ? "struct" : NULL, names[i],
						  &type);
			if (!err)
				walk_type(symbols_complete(symbols, type), 0);
			drop(err);
			drop(symbols_lookup_enumerator(symbols, at, names[i], &type, &value));
		}
		symbols_suggest(symbols, names[i]);
	}

	struct range *ranges;
	int seen = 0;

	if (!symbols_ranges(symbols, pick, NULL, &ranges, &n))
		free(ranges);
	drop(symbols_each_function(symbols, see, &seen));
	for (int i = 0; i < 20; i++)
		symbols_describe(symbols, frame.pc + (uint64_t)i * 7);
	symbols_destroy(symbols);
}

// ---- the damage ----

static void find_section(const struct victim *victim, const char *name, size_t *start, size_t *size)
{
	Elf64_Ehdr header;
	Elf64_Shdr strings, section;

	memcpy(&header, victim->bytes, sizeof(header));
	memcpy(&strings, victim->bytes + header.e_shoff + header.e_shstrndx * sizeof(strings),
	       sizeof(strings));
	for (int i = 0; i < header.e_shnum; i++) {
		memcpy(&section, victim->bytes + header.e_shoff + (size_t)i * sizeof(section),
		       sizeof(section));
		if (!strcmp((char *)victim->bytes + strings.sh_offset + section.sh_name, name)) {
			*start = section.sh_offset;
			*size = section.sh_size;
			return;
		}
	}
	*start = 0;
	*size = victim->size;
}

static void damage(struct victim *victim, int round)
{
	static const char *const sections[] = {
		".debug_info",	   ".debug_abbrev",   ".debug_str",    ".debug_line",
		".debug_aranges",  ".symtab",	      ".strtab",       ".shstrtab",
		".debug_rnglists", ".debug_loclists", "the whole file"
	};
	unsigned char *bytes = malloc(victim->size);
	size_t start, size;

	assert_non_null(bytes);
	memcpy(bytes, victim->bytes, victim->size);
	find_section(victim, sections[(size_t)round % (sizeof(sections) / sizeof(sections[0]))],
		     &start, &size);
	for (uint64_t n = 1 + next_random(victim) % 8; n; n--) {
		static const unsigned char telling[] = { 0, 1, 0x7f, 0x80, 0xff };
		uint64_t what = next_random(victim);

		bytes[start + what % size] = what >> 60 & 1 ? telling[(what >> 50) % 5]
							    : (unsigned char)(what >> 40);
	}
	assert_int_equal(pwrite(victim->fd, bytes, victim->size, 0), victim->size);
	free(bytes);
}

static void damage_and_ask(const char *flavour)
{
	struct victim victim;
	int rounds = getenv("DC_CAMPAIGN") ? CAMPAIGN_ROUNDS : ROUNDS;

	start(&victim, flavour);
	ask_everything(&victim);
	for (int round = 0; round < rounds; round++) {
		// Rounds follow from the first seed; a crash or a hang is met again by running
		// again.
		if (round % 50 == 0)
			print_message("# %s: round %d, seed 0x%lx\n", flavour, round, victim.seed);
		// No look takes anywhere near this long; an endless one is the failure meant.
		alarm(60);
		damage(&victim, round);
		ask_everything(&victim);
	}
	alarm(0);
	assert_true(process_alive(victim.process));
	stop(&victim);
}

static void test_damaged_dwarf5(void **state)
{
	(void)state;
	damage_and_ask("dwarf5");
}

static void test_damaged_dwarf4(void **state)
{
	(void)state;
	damage_and_ask("dwarf4");
}

static void test_damaged_compressed(void **state)
{
	(void)state;
	damage_and_ask("compressed");
}

// Cut short at every eighth of its length, and to nothing.
static void test_truncated(void **state)
{
	struct victim victim;

	(void)state;
	start(&victim, "dwarf5");
	for (size_t part = 0; part < 32; part++) {
		assert_int_equal(pwrite(victim.fd, victim.bytes, victim.size, 0), victim.size);
		assert_int_equal(ftruncate(victim.fd, (off_t)(victim.size * part / 32)), 0);
		ask_everything(&victim);
	}
	assert_true(process_alive(victim.process));
	stop(&victim);
}

// All of .debug_info is noise: the module says so, and its symbol table still serves.
static void test_noise(void **state)
{
	struct victim victim;
	struct symbols *symbols;
	struct function function;
	struct variable variable;
	const struct module *const *modules;
	size_t start_at, size, problems = 0;

	(void)state;
	start(&victim, "dwarf5");
	find_section(&victim, ".debug_info", &start_at, &size);
	for (size_t i = 0; i < size; i++)
		victim.bytes[start_at + i] = (unsigned char)next_random(&victim);
	assert_int_equal(pwrite(victim.fd, victim.bytes, victim.size, 0), victim.size);
	assert_null(symbols_load(victim.process, &symbols));
	assert_null(symbols_lookup_function(symbols, NULL, "library_function", &function));
	assert_null(function.type);
	assert_null(symbols_lookup_variable(symbols, NULL, "library_variable", &variable));
	assert_null(variable.type);
	// The damage is known from the first look on, and said from the next.
	drop(symbols_lookup_variable(symbols, NULL, "nowhere_to_be_found", &variable));
	for (size_t i = 0, n = symbols_modules(symbols, &modules); i < n; i++)
		problems += modules[i]->problem != NULL;
	assert_int_equal(problems, 1);
	symbols_destroy(symbols);
	stop(&victim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damaged_dwarf5),
		cmocka_unit_test(test_damaged_dwarf4),
		cmocka_unit_test(test_damaged_compressed),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_noise),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
