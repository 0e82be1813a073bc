// SPDX-License-Identifier: MIT
// The blocks around a place in the code: the function, what is inlined there, lexical blocks.
#ifndef DEBUGGER_SYMBOLS_SCOPE_H
#define DEBUGGER_SYMBOLS_SCOPE_H

#include "debugger/symbols/dwarf.h"

enum { SCOPE_MAX = 64 };

// scopes[0] is the function, the last one the innermost block; 0: no function covers pc (as in the
// file).
size_t scope_chain(Dwarf_Die *unit, uint64_t pc, Dwarf_Die scopes[SCOPE_MAX]);

#endif
