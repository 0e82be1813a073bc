// SPDX-License-Identifier: MIT
// Finding the blocks that cover an address, from the function inwards.
#include "debugger/symbols/dwarf/block.h"

#include <dwarf.h>

static bool is_scope(int tag)
{
	return tag == DW_TAG_lexical_block || tag == DW_TAG_inlined_subroutine ||
	       tag == DW_TAG_try_block || tag == DW_TAG_catch_block;
}

static bool child_at(Dwarf_Die *parent, uint64_t pc, bool want_function, int level, Dwarf_Die *ret)
{
	struct die_walk walk = { 0 };
	Dwarf_Die child;

	for (bool more = die_walk_first(&walk, parent, &child); more;
	     more = die_walk_next(&walk, &child)) {
		int tag = dwarf_tag(&child);

		if (want_function && (tag == DW_TAG_namespace || tag == DW_TAG_module)) {
			if (level < BLOCKS_MAX && child_at(&child, pc, true, level + 1, ret))
				return true;
			continue;
		}
		if (!(want_function ? tag == DW_TAG_subprogram : is_scope(tag)))
			continue;
		if (dwarf_haspc(&child, pc) == 1) {
			*ret = child;
			return true;
		}
		// A block that only groups others carries no addresses of its own.
		if (!want_function && tag == DW_TAG_lexical_block && level < BLOCKS_MAX &&
		    !dwarf_hasattr(&child, DW_AT_low_pc) && !dwarf_hasattr(&child, DW_AT_ranges) &&
		    child_at(&child, pc, false, level + 1, ret))
			return true;
	}
	return false;
}

// What may have a function within.
static bool is_around(int tag)
{
	return tag == DW_TAG_subprogram || tag == DW_TAG_lexical_block || tag == DW_TAG_namespace ||
	       tag == DW_TAG_module || tag == DW_TAG_class_type || tag == DW_TAG_structure_type ||
	       tag == DW_TAG_union_type;
}

// To the function at pc, or, where declared is not NULL, to that DIE.
static size_t path_below(Dwarf_Die *parent, uint64_t pc, const void *declared, size_t n, int level,
			 Dwarf_Die path[BLOCKS_MAX])
{
	struct die_walk walk = { 0 };
	Dwarf_Die child;

	for (bool more = die_walk_first(&walk, parent, &child); more;
	     more = die_walk_next(&walk, &child)) {
		int tag = dwarf_tag(&child);
		bool is_scoped = tag == DW_TAG_subprogram || tag == DW_TAG_lexical_block;

		if (!is_around(tag) || n == BLOCKS_MAX)
			continue;
		path[n] = child;
		if (declared ? child.addr == declared
			     : tag == DW_TAG_subprogram && dwarf_haspc(&child, pc) == 1)
			return n + 1;
		if (level < BLOCKS_MAX) {
			size_t found = path_below(&child, pc, declared, n + is_scoped, level + 1,
						  path);

			if (found)
				return found;
		}
	}
	return 0;
}

size_t block_path(Dwarf_Die *unit, uint64_t pc, Dwarf_Die path[BLOCKS_MAX])
{
	size_t n = path_below(unit, pc, NULL, 0, 0, path);
	Dwarf_Attribute attr;
	Dwarf_Die function, declared;

	// clang describes the code apart from the class in the function.
	if (n != 1 || !dwarf_attr(&path[0], DW_AT_specification, &attr) ||
	    !dwarf_formref_die(&attr, &declared))
		return n;
	function = path[0];
	n = path_below(unit, 0, declared.addr, 0, 0, path);
	if (!n)
		n = 1;
	path[n - 1] = function;
	return n;
}

size_t block_chain(Dwarf_Die *unit, uint64_t pc, Dwarf_Die scopes[BLOCKS_MAX])
{
	size_t n = 0;

	if (!child_at(unit, pc, true, 0, &scopes[0])) {
		n = block_path(unit, pc, scopes);
		if (!n)
			return 0;
		scopes[0] = scopes[n - 1];
	}
	for (n = 1; n < BLOCKS_MAX; n++) {
		if (!child_at(&scopes[n - 1], pc, false, 0, &scopes[n]))
			break;
	}
	return n;
}

size_t block_without(Dwarf_Die scopes[BLOCKS_MAX], size_t n, unsigned inlined)
{
	while (inlined && n > 1)
		inlined -= dwarf_tag(&scopes[--n]) == DW_TAG_inlined_subroutine;
	return n;
}
