// SPDX-License-Identifier: MIT
// The known name that is nearest to a misspelt one, by the edits that lead from one to the other.
#include "debugger/symbols/set.h"

#include <stdlib.h>
#include <string.h>

// Longer names are not typed by hand; the limit keeps the table on the stack.
enum { MAX_NAME = 64 };

struct nearest {
	const char *name;
	size_t length;
	unsigned int limit; // a third of the length, at least one, at most three
	unsigned int distance;
	const char *best;
};

// Insertions, deletions, changes and swaps of neighbours; more than limit is all the same.
static unsigned int distance(const char *a, size_t n, const char *b, size_t m, unsigned int limit)
{
	unsigned int rows[3][MAX_NAME + 1];
	unsigned int *before = rows[0], *last = rows[1], *row = rows[2];

	for (size_t j = 0; j <= m; j++)
		last[j] = (unsigned int)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned int least = row[0] = (unsigned int)i;

		for (size_t j = 1; j <= m; j++) {
			unsigned int d = last[j - 1] + (a[i - 1] != b[j - 1]);

			if (last[j] + 1 < d)
				d = last[j] + 1;
			if (row[j - 1] + 1 < d)
				d = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < d)
				d = before[j - 2] + 1;
			row[j] = d;
			if (d < least)
				least = d;
		}
		if (least > limit)
			return limit + 1;

		unsigned int *free_row = before;

		before = last;
		last = row;
		row = free_row;
	}
	return last[m];
}

static void consider(struct nearest *nearest, const char *name)
{
	size_t length = strcspn(name, "@");

	// A mistyped name keeps its length, more or less; that settles most of them.
	if (length > MAX_NAME || length + nearest->limit < nearest->length ||
	    nearest->length + nearest->limit < length || memchr(name, '.', length))
		return;

	unsigned int limit = nearest->best ? nearest->distance - 1 : nearest->limit;
	unsigned int d = distance(nearest->name, nearest->length, name, length, limit);

	if (d && d <= limit) {
		nearest->distance = d;
		nearest->best = name;
	}
}

static bool consider_die(Dwarf_Die *die, Dwarf_Die *parent, void *arg)
{
	struct nearest *nearest = arg;

	(void)parent;
	consider(nearest, dwarf_diename(die));
	return !nearest->best || nearest->distance > 1;
}

static void consider_table(struct nearest *nearest, const struct symtab *table,
			   const struct image *image)
{
	struct symbol symbol;

	for (size_t i = 1; i < table->n && (!nearest->best || nearest->distance > 1); i++) {
		if (symtab_get(table, image, i, &symbol))
			consider(nearest, symbol.name);
	}
}

const char *symbols_nearest(struct symbols *symbols, const char *name)
{
	struct nearest nearest = { .name = name, .length = strlen(name) };

	// What is near to one or two letters is anything.
	if (nearest.length < 3 || nearest.length > MAX_NAME)
		return NULL;
	nearest.limit = nearest.length < 6 ? 1 : nearest.length < 12 ? 2 : 3;
	for (struct loaded *loaded = symbols->list; loaded; loaded = loaded->next) {
		if (!loaded->seen || !loaded->image || (nearest.best && !loaded->is_program))
			continue;
		module_need_tables(loaded);

		// A library's debug file is not opened for a suggestion, the program's is.
		const struct symtab *debug = loaded->is_program ? module_debug_symtab(loaded)
								: NULL;
		struct dwarf_info *info = loaded->is_program || !loaded->dwarf_is_separate
						  ? loaded->info
						  : NULL;

		if (debug)
			consider_table(&nearest, debug, loaded->debug_image);
		else
			consider_table(&nearest,
				       loaded->symtab.n ? &loaded->symtab : &loaded->dynsym,
				       loaded->image);
		if (info) {
			struct dc_error *err = dwarf_each(info,
							  DWARF_VARIABLE | DWARF_TYPEDEF |
								  DWARF_STRUCT | DWARF_UNION |
								  DWARF_ENUM | DWARF_ENUMERATOR,
							  consider_die, &nearest);

			dc_error_destroy(err);
		}
	}
	return nearest.best ? symbols_plain_name(symbols, nearest.best) : NULL;
}
