// SPDX-License-Identifier: MIT
// The static members of a C++ class, which are variables outside of its objects.
#include "debugger/base/cleanup.h"
#include "debugger/symbols/dwarf/location.h"

#include <dwarf.h>
#include <stdio.h>

static bool is_part(Dwarf_Die *die)
{
	int tag = dwarf_tag(die);

	return tag == DW_TAG_inheritance ||
	       (tag == DW_TAG_member && !die_flag(die, DW_AT_external) &&
		!dwarf_hasattr(die, DW_AT_const_value));
}

// clang tells no symbol's name, and a stripped program has none.
static struct dc_error *find_by_name(struct symbols *symbols, const struct type *class,
				     struct variable *ret)
{
	_cleanup_free_ char *name = NULL;
	struct variable found;

	if (!class->name)
		return NULL;
	if (asprintf(&name, "%s::%s", class->name, ret->name) < 0) {
		name = NULL;
		return &dc_out_of_memory;
	}

	_cleanup_error_ struct dc_error *none = symbols_lookup_variable(symbols, NULL, name,
									&found);

	if (none || (found.place != VARIABLE_MEMORY && found.place != VARIABLE_CONSTANT))
		return NULL;
	found.name = ret->name;
	found.type = ret->type;
	*ret = found;
	return NULL;
}

// By the name of its symbol, or its value, where it has no other place.
static struct dc_error *find(struct symbols *symbols, const struct type *class, Dwarf_Die *die,
			     struct variable *ret)
{
	const struct location_frame where = { .symbols = symbols, .loaded = symbols->list };

	Dwarf_Attribute attr;
	struct loaded *module;
	struct symbol symbol;
	size_t nr_locals;
	const char *linkage = dwarf_attr_integrate(die, DW_AT_linkage_name, &attr)
				      ? dwarf_formstring(&attr)
				      : NULL;

	*ret = (struct variable){ .name = dwarf_diename(die),
				  .type = type_of_die(symbols->types, die),
				  .place = VARIABLE_GONE };
	if (!ret->type)
		return error_make(DC_VALUE, "the debug information of a static member is damaged");
	if (dwarf_hasattr(die, DW_AT_const_value))
		return location_of(&where, die, ret);
	if (!linkage ||
	    !symbols_find(symbols, NULL, linkage, SYMBOL_DATA, &module, &symbol, &nr_locals))
		return find_by_name(symbols, class, ret);
	ret->place = VARIABLE_MEMORY;
	ret->module = &module->module;
	ret->addr = symbol.value + module->module.bias;
	return NULL;
}

static struct dc_error *read_all(struct symbols *symbols, struct type_node *node)
{
	enum { ROOM = 256 };
	struct static_member *list = types_alloc(symbols->types, ROOM * sizeof(*list));
	struct die_walk walk = { 0 };
	struct dc_error *err = NULL;
	size_t n = 0, before = 0;
	Dwarf_Die child;

	if (!list)
		return &dc_out_of_memory;
	for (bool more = die_walk_first(&walk, &node->die, &child); more && !err && n < ROOM;
	     more = die_walk_next(&walk, &child)) {
		int tag = dwarf_tag(&child);

		before += is_part(&child);
		if ((tag != DW_TAG_member && tag != DW_TAG_variable) || is_part(&child) ||
		    !dwarf_diename(&child))
			continue;
		list[n].before = before;
		err = find(symbols, &node->type, &child, &list[n++].variable);
	}
	if (err)
		return err;
	node->statics = list;
	node->nr_statics = n;
	return NULL;
}

struct dc_error *symbols_static_members(struct symbols *symbols, const struct type *class,
					const struct static_member **ret, size_t *n)
{
	struct type_node *node = type_node(class)->unqualified;
	struct dc_error *err = NULL;

	*n = 0;
	if (!node->die.addr || class->is_incomplete)
		return NULL;
	if (!node->statics)
		err = read_all(symbols, node);
	*ret = node->statics;
	*n = err ? 0 : node->nr_statics;
	return err;
}
