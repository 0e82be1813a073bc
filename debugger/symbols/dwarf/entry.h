// SPDX-License-Identifier: MIT
// Where a function's parameters are when its first instruction runs. Optimizers drop and replace
// parameters of functions whose callers they all know, and only these places show it.
#ifndef DEBUGGER_SYMBOLS_ENTRY_H
#define DEBUGGER_SYMBOLS_ENTRY_H

#include "debugger/symbols/dwarf/units.h"

// param: its DIE in the function, or in the one that the function is an instance of. UNTOLD for what
// has no code of its own.
void entry_find(Dwarf_Die *function, Dwarf_Die *param, struct param_entry *ret);
// The function's code came out of an optimizer.
bool entry_is_optimized(Dwarf_Die *function);
// All its callers may be known to the compiler: whether it is its unit's own, or, where units are
// compiled as one, the program's. is_exported: the symbol's word.
bool entry_is_local(Dwarf_Die *function, bool is_exported);

#endif
