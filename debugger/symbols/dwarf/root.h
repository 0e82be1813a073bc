// SPDX-License-Identifier: MIT
// Where a local is in every frame that stands at a place, as far as one register tells it.
#ifndef DEBUGGER_SYMBOLS_ROOT_H
#define DEBUGGER_SYMBOLS_ROOT_H

#include "debugger/symbols/dwarf/location.h"

// Fills in ret->root from the location that holds at where->frame->pc, whose registers are not
// looked at.
void root_of(const struct location_frame *where, const Dwarf_Op *ops, size_t n,
	     struct variable *ret);

#endif
