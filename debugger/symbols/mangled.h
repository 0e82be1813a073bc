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
// What makes a whole object of such a class makes no part of another.
bool mangled_has_virtual_base(struct symbols *symbols, const struct type *class);
// Constructors of that name, "ns::P::P"; is_whole: those of whole objects, else those of parts.
struct dc_error *mangled_find_constructors(struct symbols *symbols, const char *name, bool is_whole,
					   const struct function **ret, size_t *n) DC_CHECK;
// By reading all names: what copies, moves or ends objects of the class. is_whole: only what serves for
// whole objects.
bool mangled_find_special(struct symbols *symbols, const char *class, enum special_kind kind,
			  bool is_whole, struct function *ret);

#endif
