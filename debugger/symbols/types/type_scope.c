// SPDX-License-Identifier: MIT
// One table for each unit, made when the first of its types is: the types that lie in namespaces or
// classes, by their DIEs, with what is around them.
#include "debugger/symbols/types/type_scope.h"

#include "debugger/symbols/dwarf/units.h"

#include <dwarf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 32 };

struct scoped {
	const void *die;
	const char *name;
};

struct scope_table {
	struct scope_table *next;
	const void *cu;
	struct scoped *list; // sorted by die
	size_t n, room;
	bool failed;
};

static const char *join(struct types *types, const char *scope, const char *name)
{
	size_t n = strlen(scope) + strlen(name) + 3;
	char *whole = types_alloc(types, n);

	if (whole)
		snprintf(whole, n, "%s::%s", scope, name);
	return whole;
}

static void add(struct types *types, struct scope_table *table, const void *die, const char *name)
{
	if (table->n == table->room) {
		size_t room = table->room ? table->room * 2 : 16;
		struct scoped *list = types_alloc(types, room * sizeof(*list));

		if (!list) {
			table->failed = true;
			return;
		}
		if (table->n)
			memcpy(list, table->list, table->n * sizeof(*list));
		table->list = list;
		table->room = room;
	}
	table->list[table->n++] = (struct scoped){ die, name };
}

static void walk(struct types *types, struct scope_table *table, Dwarf_Die *parent,
		 const char *scope, int depth)
{
	struct die_walk walk_state = { 0 };
	Dwarf_Die child;

	for (bool more = die_walk_first(&walk_state, parent, &child); more && !table->failed;
	     more = die_walk_next(&walk_state, &child)) {
		int tag = dwarf_tag(&child);
		bool is_class = tag == DW_TAG_structure_type || tag == DW_TAG_class_type ||
				tag == DW_TAG_union_type;
		bool is_type = is_class || tag == DW_TAG_enumeration_type || tag == DW_TAG_typedef;
		const char *name = dwarf_diename(&child);

		if (tag == DW_TAG_namespace && !name)
			name = "(anonymous namespace)";
		if ((!is_type && tag != DW_TAG_namespace) || !name)
			continue;
		if (scope)
			name = join(types, scope, name);
		if (!name)
			table->failed = true;
		else if (is_type && scope)
			add(types, table, child.addr, name);
		if ((is_class || tag == DW_TAG_namespace) && depth < DEPTH_MAX && name)
			walk(types, table, &child, name, depth + 1);
	}
}

static int compare(const void *a, const void *b)
{
	const struct scoped *x = a, *y = b;

	return x->die < y->die ? -1 : x->die > y->die;
}

static struct scope_table *table_of(struct types *types, Dwarf_Die *die)
{
	struct scope_table *table = types->scopes;
	Dwarf_Die unit;

	for (; table; table = table->next)
		if (table->cu == die->cu)
			return table;
	table = types_alloc(types, sizeof(*table));
	if (!table)
		return NULL;
	table->cu = die->cu;
	table->next = types->scopes;
	types->scopes = table;
	if (dwarf_cu_die(die->cu, &unit, NULL, NULL, NULL, NULL, NULL, NULL))
		walk(types, table, &unit, NULL, 0);
	if (table->n)
		qsort(table->list, table->n, sizeof(*table->list), compare);
	return table;
}

const char *type_scope_name(struct types *types, Dwarf_Die *die)
{
	const char *name = dwarf_diename(die);
	struct scope_table *table = name && die_language(die) == SOURCE_CXX ? table_of(types, die)
									    : NULL;
	struct scoped key = { .die = die->addr };
	struct scoped *found = table && table->n
				       ? bsearch(&key, table->list, table->n, sizeof(key), compare)
				       : NULL;

	return found ? found->name : name;
}
