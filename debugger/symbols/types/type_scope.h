// SPDX-License-Identifier: MIT
// The full names of C++ types: "ns::Point". DWARF nests them and says nothing about what is around.
#ifndef DEBUGGER_SYMBOLS_TYPE_SCOPE_H
#define DEBUGGER_SYMBOLS_TYPE_SCOPE_H

#include "debugger/symbols/types/type_table.h"

// Lives as long as the types; NULL: it has no name.
const char *type_scope_name(struct types *types, Dwarf_Die *die);

#endif
