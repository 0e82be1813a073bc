// SPDX-License-Identifier: MIT
// One walk over the symbol table, and one look-up for each structure.
#include "debugger/symbols/go_runtime.h"

#include "debugger/base/cleanup.h"
#include "debugger/symbols/set.h"

#include <dwarf.h>
#include <string.h>

static struct loaded *program_of(struct symbols *symbols)
{
	struct loaded *program = symbols->list;

	while (program && !program->is_program)
		program = program->next;
	if (program && program->image)
		module_need_tables(program);
	return program && program->image ? program : NULL;
}

bool symbols_has_go_runtime(struct symbols *symbols)
{
	const struct loaded *program = program_of(symbols);

	return program && program->is_go;
}

bool symbols_go_each(struct symbols *symbols,
		     void (*visit)(const char *name, uint64_t addr, uint64_t size, void *arg),
		     void *arg)
{
	struct loaded *program = program_of(symbols);
	const struct symtab *table = program ? &program->symtab : NULL;
	struct symbol symbol;

	for (size_t i = 0; table && i < table->n; i++)
		if (symtab_get(table, program->image, i, &symbol) &&
		    symbol.class & (SYMBOL_CODE | SYMBOL_DATA))
			visit(symbol.name, program->module.bias + symbol.value, symbol.size, arg);
	return table && table->n;
}

struct search {
	struct go_member *members;
	size_t n;
};

static bool take_members(Dwarf_Die *die, Dwarf_Die *parent, void *arg)
{
	struct search *search = arg;
	struct die_walk walk = { 0 };
	Dwarf_Die child;

	(void)parent;
	if (die_is_declaration(die))
		return true;
	for (bool any = die_walk_first(&walk, die, &child); any;
	     any = die_walk_next(&walk, &child)) {
		const char *name = dwarf_diename(&child);
		uint64_t offset;

		for (size_t i = 0; name && i < search->n; i++)
			if (!strcmp(name, search->members[i].name) &&
			    die_number(&child, DW_AT_data_member_location, &offset)) {
				*search->members[i].offset = (uint32_t)offset;
				search->members[i].found = true;
			}
	}
	return false;
}

bool symbols_go_members(struct symbols *symbols, const char *type, struct go_member *members,
			size_t n)
{
	struct loaded *program = program_of(symbols);
	struct units *info = program ? module_dwarf(program, EFFORT_OWN_FILE) : NULL;
	struct search search = { members, n };

	if (info)
		dc_error_destroy(units_find(info, NULL, type, WANT_STRUCT, take_members, &search));
	for (size_t i = 0; i < n; i++)
		if (!members[i].found)
			return false;
	return true;
}
