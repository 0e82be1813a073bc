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

size_t block_chain(Dwarf_Die *unit, uint64_t pc, Dwarf_Die scopes[BLOCKS_MAX])
{
	size_t n = 0;

	if (!child_at(unit, pc, true, 0, &scopes[0]))
		return 0;
	for (n = 1; n < BLOCKS_MAX; n++) {
		if (!child_at(&scopes[n - 1], pc, false, 0, &scopes[n]))
			break;
	}
	return n;
}
