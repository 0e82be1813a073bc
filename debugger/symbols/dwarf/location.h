// SPDX-License-Identifier: MIT
// Where a variable is: DWARF location expressions and lists, evaluated for one frame.
#ifndef DEBUGGER_SYMBOLS_LOCATION_H
#define DEBUGGER_SYMBOLS_LOCATION_H

#include "debugger/symbols/set.h"

struct location_frame {
	struct symbols *symbols;
	struct loaded *loaded;
	const struct symbols_frame *frame; // NULL or without pc: none
	Dwarf_Die *function; // whose frame base counts; NULL: none
};
// Fills in place and what belongs to it; ret->type must be set. Never fails but for memory: what
// cannot be known is GONE with the reason.
struct dc_error *location_of(const struct location_frame *where, Dwarf_Die *die,
			     struct variable *ret) DC_CHECK;
// The number that the expression, of the frame, has. NULL: *ret has it; else why there is none.
const char *location_number(const struct location_frame *where, Dwarf_Attribute *attr,
			    uint64_t *ret);

#endif
