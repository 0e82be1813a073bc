// SPDX-License-Identifier: MIT
// All variables and types of the target, and the names that begin in some way: for listings and
// completion.
#include "debugger/symbols/mangled.h"

#include "debugger/symbols/dwarf/units.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

// ---- variables ------------------------------------------------------------------------------------

struct variables_walk {
	struct symbols *symbols;
	struct loaded *loaded;
	bool (*visit)(const struct listed_variable *, void *);
	void *arg;
	uint64_t *addrs; // that have a DIE
	size_t n;
	bool go_on, failed;
};

static bool fixed_address(Dwarf_Die *die, uint64_t *ret)
{
	Dwarf_Attribute attr;
	Dwarf_Op *ops;
	size_t n;

	if (!dwarf_attr_integrate(die, DW_AT_location, &attr) ||
	    dwarf_getlocation(&attr, &ops, &n) || n != 1 || ops[0].atom != DW_OP_addr)
		return false;
	*ret = ops[0].number;
	return true;
}

static bool remember(struct variables_walk *walk, uint64_t addr)
{
	if (!(walk->n & (walk->n - 1))) {
		size_t room = walk->n ? 2 * walk->n : 64;
		uint64_t *addrs = reallocarray(walk->addrs, room, sizeof(*addrs));

		walk->failed = !addrs;
		if (!addrs)
			return false;
		walk->addrs = addrs;
	}
	walk->addrs[walk->n++] = addr;
	return true;
}

static bool see_variable(Dwarf_Die *die, Dwarf_Die *parent, void *arg)
{
	struct variables_walk *walk = arg;
	struct listed_variable listed = { .variable = { .module = &walk->loaded->module } };
	uint64_t addr;

	(void)parent;
	if (die_is_declaration(die))
		return true;
	listed.variable.name = dwarf_diename(die);
	listed.variable.type = type_of_die(walk->symbols->types, die);
	listed.file = dwarf_decl_file(die);
	dwarf_decl_line(die, &listed.line);
	if (fixed_address(die, &addr)) {
		listed.variable.addr = addr + walk->loaded->module.bias;
		if (!remember(walk, addr))
			return false;
	}
	walk->go_on = walk->visit(&listed, walk->arg);
	return walk->go_on;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

// Of a library the exported ones are meant, of the program all.
static const struct symtab *table_of(struct loaded *loaded, const struct image **image)
{
	const struct symtab *debug;

	module_need_tables(loaded);
	debug = loaded->is_program ? module_debug_symtab(loaded) : NULL;
	*image = debug ? loaded->debug_image : loaded->image;
	return debug ? debug : loaded->symtab.n ? &loaded->symtab : &loaded->dynsym;
}

static void see_symbols(struct variables_walk *walk)
{
	const struct image *image;
	const struct symtab *table = table_of(walk->loaded, &image);

	for (size_t i = 1; i < table->n && walk->go_on; i++) {
		struct listed_variable listed = { .variable = { .module = &walk->loaded->module } };
		struct symbol symbol;

		if (!symtab_get(table, image, i, &symbol) || symbol.class != SYMBOL_DATA ||
		    symbol.is_old_version ||
		    (walk->n &&
		     bsearch(&symbol.value, walk->addrs, walk->n, sizeof(uint64_t), compare)))
			continue;
		listed.variable.name = symbols_plain_name(walk->symbols, symbol.name);
		if (!listed.variable.name)
			continue;
		listed.variable.name = shown_name(walk->symbols, listed.variable.name);
		listed.variable.addr = symbol.value + walk->loaded->module.bias;
		walk->go_on = walk->visit(&listed, walk->arg);
	}
}

struct dc_error *symbols_each_variable(struct symbols *symbols,
				       bool (*visit)(const struct listed_variable *, void *),
				       void *arg)
{
	struct variables_walk walk = {
		.symbols = symbols, .visit = visit, .arg = arg, .go_on = true
	};
	struct dc_error *err = NULL;

	for (struct loaded *loaded = symbols->list; loaded && walk.go_on && !err;
	     loaded = loaded->next) {
		if (!loaded->seen || !loaded->image)
			continue;
		walk.loaded = loaded;
		walk.n = 0;

		// The libraries' own files only: what their debug files add is not what anybody lists.
		struct units *info = module_dwarf(loaded, loaded->is_program ? EFFORT_DEBUG_FILE
									     : EFFORT_OWN_FILE);

		err = info ? units_each(info, WANT_VARIABLE, see_variable, &walk) : NULL;
		if (!err && walk.failed)
			err = &dc_out_of_memory;
		if (err || !walk.go_on)
			break;
		if (walk.n)
			qsort(walk.addrs, walk.n, sizeof(*walk.addrs), compare);
		see_symbols(&walk);
	}
	free(walk.addrs);
	return err;
}

// ---- types ----------------------------------------------------------------------------------------

struct types_walk {
	bool (*visit)(const char *tag, const char *name, void *);
	void *arg;
	bool go_on;
};

static bool see_type(Dwarf_Die *die, Dwarf_Die *parent, void *arg)
{
	struct types_walk *walk = arg;
	bool is_cxx = die_language(die) == SOURCE_CXX;
	const char *tag = NULL;

	(void)parent;
	if (die_is_declaration(die))
		return true;
	switch (dwarf_tag(die)) {
	case DW_TAG_structure_type: tag = "struct"; break;
	case DW_TAG_union_type: tag = "union"; break;
	case DW_TAG_enumeration_type: tag = "enum"; break;
	default: break;
	}
	walk->go_on = walk->visit(is_cxx ? NULL : tag, dwarf_diename(die), walk->arg);
	return walk->go_on;
}

struct dc_error *symbols_each_type(struct symbols *symbols,
				   bool (*visit)(const char *tag, const char *name, void *),
				   void *arg)
{
	struct types_walk walk = { .visit = visit, .arg = arg, .go_on = true };
	struct dc_error *err = NULL;

	for (struct loaded *loaded = symbols->list; loaded && walk.go_on && !err;
	     loaded = loaded->next) {
		enum effort effort = loaded->is_program ? EFFORT_DEBUG_FILE : EFFORT_OWN_FILE;
		struct units *info = loaded->seen ? module_dwarf(loaded, effort) : NULL;

		if (info)
			err = units_each(info, WANT_TYPEDEF | WANT_STRUCT | WANT_UNION | WANT_ENUM,
					 see_type, &walk);
	}
	return err;
}

// ---- names that begin so --------------------------------------------------------------------------

// The last part of what is typed stands in the mangled name as it is written.
static bool may_begin(const char *mangled, const char *prefix)
{
	const char *part = name_last_part(prefix);

	return !*part || strstr(mangled, part);
}

struct dc_error *symbols_each_beginning(struct symbols *symbols, const char *prefix,
					bool (*visit)(const char *name, void *), void *arg)
{
	size_t length = strlen(prefix);

	for (struct loaded *loaded = symbols->list; loaded; loaded = loaded->next) {
		const struct image *image;

		if (!loaded->seen || !loaded->image)
			continue;

		const struct symtab *table = table_of(loaded, &image);

		for (size_t i = 1; i < table->n; i++) {
			struct symbol symbol;
			const char *name;

			if (!symtab_get(table, image, i, &symbol) || symbol.is_old_version)
				continue;
			name = symbol.name;
			if (!strncmp(name, "_Z", 2)) {
				if (!may_begin(name, prefix))
					continue;
				name = shown_name(symbols, name);
			}
			if (strncmp(name, prefix, length) != 0)
				continue;
			name = symbols_plain_name(symbols, name);
			if (name && !visit(name, arg))
				return NULL;
		}
	}
	return NULL;
}
