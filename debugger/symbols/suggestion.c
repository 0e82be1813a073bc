// SPDX-License-Identifier: MIT
// The known name that is nearest to a misspelt one, by the edits that lead from one to the other.
#include "debugger/symbols/set.h"

#include <stdlib.h>
#include <string.h>

// Longer names are not typed by hand; the limit keeps the table on the stack.
enum { MAX_NAME = 64 };

struct suggestion {
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

static void consider(struct suggestion *suggestion, const char *name)
{
	size_t length = strcspn(name, "@");

	// A mistyped name keeps its length, more or less; that settles most of them.
	if (length > MAX_NAME || length + suggestion->limit < suggestion->length ||
	    suggestion->length + suggestion->limit < length ||
	    (memchr(name, '.', length) && !strchr(suggestion->name, '.')))
		return;

	unsigned int limit = suggestion->best ? suggestion->distance - 1 : suggestion->limit;
	unsigned int d = distance(suggestion->name, suggestion->length, name, length, limit);

	if (d && d <= limit) {
		suggestion->distance = d;
		suggestion->best = name;
	}
}

static bool consider_die(Dwarf_Die *die, Dwarf_Die *parent, void *arg)
{
	struct suggestion *suggestion = arg;

	(void)parent;
	consider(suggestion, dwarf_diename(die));
	return !suggestion->best || suggestion->distance > 1;
}

static void consider_table(struct suggestion *suggestion, const struct symtab *table,
			   const struct image *image)
{
	struct symbol symbol;

	for (size_t i = 1; i < table->n && (!suggestion->best || suggestion->distance > 1); i++) {
		if (symtab_get(table, image, i, &symbol))
			consider(suggestion, symbol.name);
	}
}

const char *symbols_suggest(struct symbols *symbols, const char *name)
{
	struct suggestion suggestion = { .name = name, .length = strlen(name) };

	// What is near to one or two letters is anything.
	if (suggestion.length < 3 || suggestion.length > MAX_NAME)
		return NULL;
	suggestion.limit = suggestion.length < 6 ? 1 : suggestion.length < 12 ? 2 : 3;
	for (struct loaded *loaded = symbols->list; loaded; loaded = loaded->next) {
		if (!loaded->seen || !loaded->image || (suggestion.best && !loaded->is_program))
			continue;
		module_need_tables(loaded);

		// A library's debug file is not opened for a suggestion, the program's is.
		const struct symtab *debug = loaded->is_program ? module_debug_symtab(loaded)
								: NULL;
		struct units *info = loaded->is_program || !loaded->dwarf_is_separate ? loaded->info
										      : NULL;

		if (debug)
			consider_table(&suggestion, debug, loaded->debug_image);
		else
			consider_table(&suggestion,
				       loaded->symtab.n ? &loaded->symtab : &loaded->dynsym,
				       loaded->image);
		if (info) {
			struct dc_error *err = units_each(info,
							  WANT_VARIABLE | WANT_TYPEDEF |
								  WANT_STRUCT | WANT_UNION |
								  WANT_ENUM | WANT_ENUMERATOR,
							  consider_die, &suggestion);

			dc_error_destroy(err);
		}
	}
	return suggestion.best ? symbols_plain_name(symbols, suggestion.best) : NULL;
}
