// SPDX-License-Identifier: MIT
// Address ranges of chosen code symbols, sorted and merged, for tables that are looked at while a
// thread is stopped. Sizes come from the symbols; a symbol without one ends where the next begins.
#include "debugger/symbols/set.h"

#include <stdlib.h>

struct growing {
	struct range *ranges;
	size_t n, room;
};

static bool add(struct growing *growing, uint64_t start, uint64_t end, const char *what)
{
	if (start >= end)
		return true;
	if (growing->n == growing->room) {
		size_t room = growing->room ? growing->room * 2 : 64;
		struct range *ranges = realloc(growing->ranges, room * sizeof(*ranges));

		if (!ranges)
			return false;
		growing->ranges = ranges;
		growing->room = room;
	}
	growing->ranges[growing->n++] = (struct range){ start, end, what };
	return true;
}

static int compare(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

// Where an unsized label's code ends: at the next symbol, or with its section.
static uint64_t label_end(const struct symtab *table, const struct image *image, uint64_t value)
{
	uint64_t end = UINT64_MAX;
	struct symbol symbol;

	for (size_t i = 1; i < table->n; i++) {
		if (symtab_get(table, image, i, &symbol) && symbol.class == SYMBOL_CODE &&
		    symbol.value > value && symbol.value < end)
			end = symbol.value;
	}
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(image->elf, scn));) {
		GElf_Shdr header;

		if (gelf_getshdr(scn, &header) && value >= header.sh_addr &&
		    value - header.sh_addr < header.sh_size && header.sh_flags & SHF_ALLOC &&
		    header.sh_addr + header.sh_size < end)
			end = header.sh_addr + header.sh_size;
	}
	return end == UINT64_MAX ? value : end;
}

static bool add_module(struct growing *growing, struct symbols *symbols, struct loaded *loaded,
		       bool (*pick)(const struct module *, const char *name, void *), void *arg)
{
	module_need_tables(loaded);

	const struct symtab *table = loaded->symtab.n ? &loaded->symtab : &loaded->dynsym;
	uint64_t bias = loaded->module.bias;
	struct symbol symbol;

	for (size_t i = 1; i < table->n; i++) {
		if (!symtab_get(table, loaded->image, i, &symbol) || symbol.class != SYMBOL_CODE)
			continue;

		const char *name = symbols_plain_name(symbols, symbol.name);

		if (!name)
			return false;
		if (!pick(&loaded->module, name, arg))
			continue;

		uint64_t end = symbol.size ? symbol.value + symbol.size
					   : label_end(table, loaded->image, symbol.value);

		if (!add(growing, bias + symbol.value, bias + end, name))
			return false;
	}
	return true;
}

struct dc_error *symbols_ranges(struct symbols *symbols,
				bool (*pick)(const struct module *, const char *name, void *),
				void *arg, struct range **ret, size_t *n)
{
	struct growing growing = { 0 };

	for (struct loaded *loaded = symbols->list; loaded; loaded = loaded->next) {
		if (loaded->seen && loaded->image && pick(&loaded->module, NULL, arg) &&
		    !add_module(&growing, symbols, loaded, pick, arg)) {
			free(growing.ranges);
			return &dc_out_of_memory;
		}
	}
	if (growing.n)
		qsort(growing.ranges, growing.n, sizeof(*growing.ranges), compare);

	size_t merged = 0;

	for (size_t i = 0; i < growing.n; i++) {
		struct range *last = merged ? &growing.ranges[merged - 1] : NULL;

		// Aliases overlap; neighbours stay apart, so that each keeps its name.
		if (last && growing.ranges[i].start < last->end) {
			if (growing.ranges[i].end > last->end)
				last->end = growing.ranges[i].end;
			continue;
		}
		growing.ranges[merged++] = growing.ranges[i];
	}
	*ret = growing.ranges;
	*n = merged;
	return NULL;
}
