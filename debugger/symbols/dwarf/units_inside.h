// SPDX-License-Identifier: MIT
// Inside symbols/: what a module's debug information is made of, for the rooms that find DIEs in
// it.
#ifndef DEBUGGER_SYMBOLS_UNITS_INSIDE_H
#define DEBUGGER_SYMBOLS_UNITS_INSIDE_H

#include "debugger/symbols/dwarf/units.h"

// Namespaces and imported units nest; deeper than this is a damaged file.
enum { DWARF_LEVEL_MAX = 32 };

struct unit {
	Dwarf_Die die; // the split unit's where there is one
	const unsigned char *start, *end; // its bytes; NULL when they are in another file
	bool is_indexed; // refers to strings by number
};

struct unit_range {
	uint64_t start, end;
	size_t unit;
};

// Names that were looked for last.
enum { MENTIONS_MAX = 16 };
struct mention;

struct units {
	Dwarf *dwarf, *alt;
	struct unit *units; // of both, in order; filled when a name is first looked for
	size_t nr_units;
	bool have_units;
	struct unit_range *ranges; // sorted; filled when .debug_aranges does not settle an address
	size_t nr_ranges;
	bool have_ranges;
	bool damaged;
	struct mention *mentions[MENTIONS_MAX];
	uint64_t nr_mentioned;
};

// Reads the heads of all units, once.
struct dc_error *units_read(struct units *info) DC_CHECK;

#endif
