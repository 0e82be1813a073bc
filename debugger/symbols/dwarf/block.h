// SPDX-License-Identifier: MIT
// The blocks around a place in the code: the function, what is inlined there, lexical blocks.
#ifndef DEBUGGER_SYMBOLS_BLOCK_H
#define DEBUGGER_SYMBOLS_BLOCK_H

#include "debugger/symbols/dwarf/units.h"

enum { BLOCKS_MAX = 64 };

// scopes[0] is the function, the last one the innermost block; 0: no function covers pc (as in the
// file).
size_t block_chain(Dwarf_Die *unit, uint64_t pc, Dwarf_Die scopes[BLOCKS_MAX]);
// How many of them are left without so many inlined functions, from the innermost on.
size_t block_without(Dwarf_Die scopes[BLOCKS_MAX], size_t n, unsigned inlined);
// The function at pc and those that it is nested in (GNU C's nested functions, methods of classes in
// functions, lambdas), from the outermost in, with the blocks between them. 0: there is no function.
size_t block_path(Dwarf_Die *unit, uint64_t pc, Dwarf_Die path[BLOCKS_MAX]);

#endif
