// SPDX-License-Identifier: MIT
// All functions of the target, with what their debug information says: for listings, not for
// look-ups.
#include "debugger/symbols/mangled.h"

#include <stdlib.h>

struct place {
	uint64_t entry; // as in the file
	Dwarf_Die die;
};

struct places {
	struct place *list;
	size_t n;
	bool failed;
};

static bool collect(Dwarf_Die *die, Dwarf_Die *parent, void *arg)
{
	struct places *places = arg;
	uint64_t entry;

	(void)parent;
	if (die_is_declaration(die) || !die_entry(die, &entry))
		return true;
	if (!(places->n & (places->n - 1))) {
		size_t room = places->n ? places->n * 2 : 64;
		struct place *list = realloc(places->list, room * sizeof(*list));

		if (!list) {
			places->failed = true;
			return false;
		}
		places->list = list;
	}
	places->list[places->n++] = (struct place){ entry, *die };
	return true;
}

static int compare(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return x->entry < y->entry ? -1 : x->entry > y->entry;
}

static Dwarf_Die *die_at(const struct places *places, uint64_t entry)
{
	const struct place key = { .entry = entry };
	struct place *found = places->n
				      ? bsearch(&key, places->list, places->n, sizeof(key), compare)
				      : NULL;

	return found ? &found->die : NULL;
}

static struct dc_error *each_of(struct symbols *symbols, struct loaded *loaded,
				const struct places *places,
				bool (*visit)(const struct function *, void *), void *arg,
				bool *go_on)
{
	// Of a library the exported ones are meant, of the program all.
	const struct symtab *debug = loaded->is_program ? module_debug_symtab(loaded) : NULL;
	const struct symtab *table = debug		? debug
				     : loaded->symtab.n ? &loaded->symtab
							: &loaded->dynsym;
	const struct image *image = debug ? loaded->debug_image : loaded->image;

	for (size_t i = 1; i < table->n && *go_on; i++) {
		struct symbol symbol;
		struct function function;

		if (!symtab_get(table, image, i, &symbol) || symbol.class != SYMBOL_CODE ||
		    symbol.is_old_version)
			continue;

		struct dc_error *err = function_from_symbol(symbols, loaded, &symbol, &function);

		if (err)
			return err;
		function.name = shown_name(symbols, function.name);

		Dwarf_Die *die = die_at(places, symbol.value);

		if (die)
			function_add_type(symbols, die, &function);
		*go_on = visit(&function, arg);
	}
	return NULL;
}

struct dc_error *symbols_each_function(struct symbols *symbols,
				       bool (*visit)(const struct function *, void *), void *arg)
{
	bool go_on = true;

	for (struct loaded *loaded = symbols->list; loaded && go_on; loaded = loaded->next) {
		struct places places = { 0 };

		if (!loaded->seen || !loaded->image)
			continue;
		module_need_tables(loaded);

		struct units *info = module_dwarf(loaded, EFFORT_DEBUG_FILE);
		struct dc_error *err = info ? units_each(info, WANT_FUNCTION, collect, &places)
					    : NULL;

		if (!err && places.failed)
			err = &dc_out_of_memory;
		if (places.n)
			qsort(places.list, places.n, sizeof(*places.list), compare);
		if (!err)
			err = each_of(symbols, loaded, &places, visit, arg, &go_on);
		free(places.list);
		if (err)
			return err;
	}
	return NULL;
}
