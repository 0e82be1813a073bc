// SPDX-License-Identifier: MIT
// | header | names | a unit's files | file names | steps of values | functions, their descriptions |
// A value that belongs to code is told by how much it changes, and behind how many bytes.
#include "debugger/symbols/elf/pclntab.h"

#include <string.h>

enum {
	MAGIC_12 = 0xfffffffb,
	MAGIC_116 = 0xfffffffa,
	MAGIC_118 = 0xfffffff0,
	MAGIC_120 = 0xfffffff1,
	HEADER = 72,
	ENTRY = 8, // of the list of functions: where one begins, where it is described
	DESCRIPTION = 44,
	FUNCTIONS_MAX = 1 << 24,
};

static uint32_t half(const struct pclntab *table, uint64_t at)
{
	uint32_t value;

	memcpy(&value, table->bytes + at, sizeof(value));
	return value;
}

static uint64_t word(const unsigned char *bytes, size_t at)
{
	uint64_t value;

	memcpy(&value, bytes + at, sizeof(value));
	return value;
}

bool pclntab_begins(const void *bytes, size_t size)
{
	static const unsigned char one_and_eight[] = { 0, 0, 1, 8 };
	uint32_t magic;

	if (size < 8 || memcmp((const char *)bytes + 4, one_and_eight, 4) != 0)
		return false;
	memcpy(&magic, bytes, sizeof(magic));
	return magic == MAGIC_12 || magic == MAGIC_116 || magic == MAGIC_118 || magic == MAGIC_120;
}

const char *pclntab_open(const void *bytes, size_t size, struct pclntab *ret)
{
	const unsigned char *head = bytes;
	struct pclntab table = { .bytes = head, .size = size };
	uint32_t magic;

	*ret = (struct pclntab){ 0 };
	if (!pclntab_begins(bytes, size))
		return "its table of functions is of no version that is known";
	memcpy(&magic, bytes, sizeof(magic));
	if (magic == MAGIC_12 || magic == MAGIC_116)
		return "its table of functions is of Go 1.17 or older";
	if (size < HEADER)
		return "its table of functions is cut short";
	table.is_120 = magic == MAGIC_120;
	table.n = word(head, 8);
	table.text = word(head, PCLNTAB_TEXT);
	table.names = word(head, 32);
	table.units = word(head, 40);
	table.files = word(head, 48);
	table.values = word(head, 56);
	table.functions = word(head, 64);
	if (table.n > FUNCTIONS_MAX || table.names > table.units || table.units > table.files ||
	    table.files > table.values || table.values > table.functions ||
	    table.functions > size || size - table.functions < table.n * ENTRY + 4)
		return "its table of functions is cut short or damaged";
	*ret = table;
	return NULL;
}

// NULL: it does not end within the part.
static const char *text_at(const struct pclntab *table, uint64_t start, uint64_t end, uint64_t at)
{
	if (at >= end - start || !memchr(table->bytes + start + at, '\0', end - start - at))
		return NULL;
	return (const char *)table->bytes + start + at;
}

bool pclntab_get(const struct pclntab *table, uint64_t i, struct pclntab_function *ret)
{
	uint64_t entry = table->functions + i * ENTRY, room = table->size - table->functions;
	uint32_t at;

	if (i >= table->n)
		return false;
	*ret = (struct pclntab_function){ .start = table->text + half(table, entry),
					  .end = table->text + half(table, entry + ENTRY) };
	at = half(table, entry + 4);
	if (at > room || room - at < DESCRIPTION || ret->end < ret->start)
		return false;
	ret->at = table->functions + at;
	ret->name_at = half(table, ret->at + 4);
	ret->frame = half(table, ret->at + 8);
	ret->name = text_at(table, table->names, table->units, ret->name_at);
	return ret->name;
}

bool pclntab_at(const struct pclntab *table, uint64_t addr, struct pclntab_function *ret)
{
	uint64_t low = 0, high = table->n;

	if (addr < table->text)
		return false;
	// The last one that begins no later.
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;

		if (table->text + half(table, table->functions + middle * ENTRY) <= addr)
			low = middle;
		else
			high = middle;
	}
	return pclntab_get(table, low, ret) && addr >= ret->start && addr < ret->end;
}

static bool varint(const struct pclntab *table, uint64_t *at, uint32_t *ret)
{
	*ret = 0;
	for (unsigned shift = 0; shift < 35; shift += 7) {
		unsigned char byte;

		if (*at >= table->functions)
			return false;
		byte = table->bytes[(*at)++];
		*ret |= (uint32_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

// The steps that begin so far into the values' part; -1: there is none.
static int32_t value_at(const struct pclntab *table, const struct pclntab_function *function,
			uint32_t steps, uint64_t addr)
{
	uint64_t at = table->values + steps, pc = function->start;
	int32_t value = -1;

	if (!steps)
		return -1;
	for (bool first = true; pc <= addr; first = false) {
		uint32_t change, bytes;

		if (!varint(table, &at, &change) || (!change && !first) ||
		    !varint(table, &at, &bytes))
			return -1;
		value = (int32_t)((uint32_t)value +
				  ((change >> 1) ^ (uint32_t) - (int32_t)(change & 1)));
		pc += bytes;
	}
	return value;
}

const char *pclntab_file(const struct pclntab *table, const struct pclntab_function *function,
			 uint64_t addr)
{
	int32_t file = value_at(table, function, half(table, function->at + 20), addr);
	uint64_t unit = half(table, function->at + 32);
	uint64_t at = table->units + 4 * (unit + (uint64_t)file);

	if (file < 0 || at + 4 > table->files || half(table, at) == UINT32_MAX)
		return NULL;
	return text_at(table, table->files, table->values, half(table, at));
}

int pclntab_line(const struct pclntab *table, const struct pclntab_function *function,
		 uint64_t addr)
{
	int32_t line = value_at(table, function, half(table, function->at + 24), addr);

	return line > 0 ? line : 0;
}

int32_t pclntab_depth(const struct pclntab *table, const struct pclntab_function *function,
		      uint64_t addr)
{
	return value_at(table, function, half(table, function->at + 16), addr);
}
