// SPDX-License-Identifier: MIT
// C++ names: symbol tables hold them mangled with their parameters, users write them qualified and
// without.
#ifndef DEBUGGER_SYMBOLS_MANGLED_H
#define DEBUGGER_SYMBOLS_MANGLED_H

#include "debugger/symbols/set.h"

// "ns::f(int)" for _ZN2ns1fEi. malloc'd; NULL: not mangled, or there is nobody here who can read
// it.
char *demangle_name(const char *symbol);
// As a user would have it; name itself when it is no C++ symbol. Lives as long as the symbols.
const char *shown_name(struct symbols *symbols, const char *name);
// The data symbol of that qualified name; *done false: there is none. Code VALUE when there are
// several.
struct dc_error *mangled_find_data(struct symbols *symbols, const char *name,
				   struct loaded **module, struct symbol *ret, bool *done) DC_CHECK;
// By reading all names: what copies, moves or ends objects of the class. is_whole: only what serves for
// whole objects.
bool mangled_find_special(struct symbols *symbols, const char *class, enum special_kind kind,
			  bool is_whole, struct function *ret);

#endif
