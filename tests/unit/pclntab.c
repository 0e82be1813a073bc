// SPDX-License-Identifier: MIT
// Go's table of functions: one made by hand as the linker lays it out, then cut short at every byte
// and damaged in every one: what is not there is said so, and nothing beyond it is touched.
#include "debugger/symbols/elf/pclntab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum {
	NAMES = 72,
	UNITS = 104,
	FILES = 112,
	VALUES = 144,
	FUNCTIONS = 160,
	SIZE = 288,
	TEXT = 0x401000,
};

static void put32(unsigned char *to, uint32_t value)
{
	memcpy(to, &value, sizeof(value));
}

static void put64(unsigned char *to, uint64_t value)
{
	memcpy(to, &value, sizeof(value));
}

// main.f at 0x10, of 0x20 bytes, lines 7 and 9; main.g behind it, of assembler.
static void make(unsigned char *to, uint32_t magic)
{
	static const unsigned char steps[] = {
		0, // no steps begin at 0
		2,  0x20, 0, // file 0
		16, 0x10, 4, 0x10, 0, // line 7, then 9
		4,  0x10, 0, // file 1
		8,  0x10, 0, // line 3
	};
	static const uint32_t functions[][9] = {
		{ 0x10, 1, 24, 0, 0, 1, 4, 0, 0 },
		{ 0x30, 8, 0, 0, 0, 9, 12, 0, 0 },
	};

	memset(to, 0, SIZE);
	put32(to, magic);
	to[6] = 1;
	to[7] = 8;
	put64(to + 8, 2);
	put64(to + 16, 2);
	put64(to + 24, TEXT);
	put64(to + 32, NAMES);
	put64(to + 40, UNITS);
	put64(to + 48, FILES);
	put64(to + 56, VALUES);
	put64(to + 64, FUNCTIONS);
	memcpy(to + NAMES, "\0main.f\0main.g", 15);
	put32(to + UNITS, 0);
	put32(to + UNITS + 4, 9);
	memcpy(to + FILES, "/src/f.go\0/src/g.s", 19);
	put32(to + UNITS + 4, 10);
	memcpy(to + VALUES, steps, sizeof(steps));
	put32(to + FUNCTIONS, 0x10);
	put32(to + FUNCTIONS + 4, 24);
	put32(to + FUNCTIONS + 8, 0x30);
	put32(to + FUNCTIONS + 12, 24 + 48);
	put32(to + FUNCTIONS + 16, 0x40);
	for (size_t i = 0; i < 2; i++)
		memcpy(to + FUNCTIONS + 24 + 48 * i, functions[i], sizeof(functions[i]));
}

static void test_whole(void **state)
{
	unsigned char bytes[SIZE];
	struct pclntab table;
	struct pclntab_function f;

	(void)state;
	for (int is_120 = 0; is_120 < 2; is_120++) {
		make(bytes, is_120 ? 0xfffffff1 : 0xfffffff0);
		assert_null(pclntab_open(bytes, SIZE, &table));
		assert_int_equal(table.is_120, is_120);
		assert_int_equal(table.n, 2);
		assert_true(pclntab_at(&table, TEXT + 0x2f, &f));
		assert_string_equal(f.name, "main.f");
		assert_int_equal(f.start, TEXT + 0x10);
		assert_int_equal(f.end, TEXT + 0x30);
		assert_int_equal(f.frame, 24);
		assert_int_equal(pclntab_line(&table, &f, TEXT + 0x10), 7);
		assert_int_equal(pclntab_line(&table, &f, TEXT + 0x20), 9);
		assert_string_equal(pclntab_file(&table, &f, TEXT + 0x20), "/src/f.go");
		assert_true(pclntab_get(&table, 1, &f));
		assert_string_equal(f.name, "main.g");
		assert_int_equal(pclntab_line(&table, &f, TEXT + 0x30), 3);
		assert_string_equal(pclntab_file(&table, &f, TEXT + 0x30), "/src/g.s");
		assert_false(pclntab_get(&table, 2, &f));
		assert_false(pclntab_at(&table, TEXT + 0xf, &f));
		assert_false(pclntab_at(&table, TEXT + 0x40, &f));
		assert_false(pclntab_at(&table, TEXT - 1, &f));
	}
}

static void test_versions(void **state)
{
	unsigned char bytes[SIZE];
	struct pclntab table;

	(void)state;
	make(bytes, 0xfffffffb);
	assert_string_equal(pclntab_open(bytes, SIZE, &table),
			    "its table of functions is of Go 1.17 or older");
	make(bytes, 0xfffffffa);
	assert_string_equal(pclntab_open(bytes, SIZE, &table),
			    "its table of functions is of Go 1.17 or older");
	make(bytes, 0xfffffff2);
	assert_string_equal(pclntab_open(bytes, SIZE, &table),
			    "its table of functions is of no version that is known");
	assert_int_equal(table.n, 0);
}

// All that can be asked of it.
static unsigned read_all(const unsigned char *bytes, size_t size)
{
	struct pclntab table;
	struct pclntab_function f;
	unsigned n = 0;

	if (pclntab_open(bytes, size, &table))
		return 0;
	for (uint64_t i = 0; i < table.n && i < 16; i++) {
		if (!pclntab_get(&table, i, &f))
			continue;
		n += strlen(f.name) > 0;
		for (uint64_t addr = f.start; addr < f.end && addr < f.start + 64; addr += 8) {
			const char *file = pclntab_file(&table, &f, addr);

			n += file && strlen(file) == 1000;
			n += (unsigned)(pclntab_line(&table, &f, addr) < 0);
		}
	}
	for (uint64_t addr = TEXT; addr < TEXT + 0x50; addr += 4)
		pclntab_at(&table, addr, &f);
	return n;
}

static void test_short(void **state)
{
	unsigned char bytes[SIZE];

	(void)state;
	make(bytes, 0xfffffff1);
	assert_int_equal(read_all(bytes, SIZE), 2);
	for (size_t size = 0; size < SIZE; size++) {
		// Of just that size, so that a checker sees what is read behind it.
		unsigned char *copy = malloc(size ?: 1);

		assert_non_null(copy);
		memcpy(copy, bytes, size);
		assert_true(read_all(copy, size) <= 2);
		free(copy);
	}
}

static void test_damaged(void **state)
{
	static const unsigned char with[] = { 0, 1, 0x7f, 0x80, 0xff };
	unsigned char *copy = malloc(SIZE);

	(void)state;
	assert_non_null(copy);
	for (size_t at = 0; at < SIZE; at++)
		for (size_t i = 0; i < sizeof(with); i++) {
			make(copy, 0xfffffff0);
			copy[at] = with[i];
			read_all(copy, SIZE);
			if (at + 3 < SIZE) {
				memset(copy + at, with[i], 4);
				read_all(copy, SIZE);
			}
		}
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
