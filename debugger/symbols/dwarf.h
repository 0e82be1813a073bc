// SPDX-License-Identifier: MIT
// The DWARF of one module: its units, and DIEs found in them by address or by name.
// Nothing is indexed beforehand: an address touches one unit, a name those units that contain it.
#ifndef DEBUGGER_SYMBOLS_DWARF_H
#define DEBUGGER_SYMBOLS_DWARF_H

#include "debugger/symbols/source_language.h"
#include "debugger/symbols/type.h"

#include <elfutils/libdw.h>

// ---- walking DIEs ----

// Siblings in order. A damaged file whose siblings run backwards ends the walk.
struct dwarf_walk {
	void *last;
	bool damaged;
};
bool dwarf_walk_first(struct dwarf_walk *walk, Dwarf_Die *parent, Dwarf_Die *ret);
bool dwarf_walk_next(struct dwarf_walk *walk, Dwarf_Die *die); // die: in, the last; out, the next

enum source_language dwarf_language_of(Dwarf_Die *die); // its unit's
bool dwarf_language_is_c(enum source_language language); // layouts and calls are the C ABI's
enum type_compiler dwarf_compiler(Dwarf_Die *die);
// Sign-extended as the enum's size and sign ask for.
bool dwarf_enumerator_value(Dwarf_Die *die, const struct type *type, int64_t *ret);
bool dwarf_is_declaration(Dwarf_Die *die);
// Address of a function's first instruction, as in the file.
bool dwarf_entry(Dwarf_Die *die, uint64_t *ret);

// ---- one module's debug information ----

struct dwarf_info;
// The handles stay the caller's and must outlive the result; alt is NULL without a dwz file.
struct dc_error *dwarf_info_create(Dwarf *dwarf, Dwarf *alt, struct dwarf_info **ret) DC_CHECK;
void dwarf_info_destroy(struct dwarf_info *info);
// Whether all its strings end inside their sections, which libdw takes for granted.
bool dwarf_strings_end(Dwarf *dwarf);
// A search met something that cannot be right; what it skipped is not known.
bool dwarf_is_damaged(const struct dwarf_info *info);

// The unit whose code covers the address (as in the file).
bool dwarf_unit_at(struct dwarf_info *info, uint64_t addr, Dwarf_Die *ret);
// The function that starts at the address.
bool dwarf_function_at(struct dwarf_info *info, uint64_t addr, Dwarf_Die *ret);

// What is looked for by name.
enum dwarf_want {
	DWARF_FUNCTION = 1,
	DWARF_VARIABLE = 2,
	DWARF_TYPEDEF = 4, // basic types and, in C++, classes too
	DWARF_STRUCT = 8,
	DWARF_UNION = 16,
	DWARF_ENUM = 32,
	DWARF_ENUMERATOR = 64,
};
// Calls visit for each top-level DIE of that name, in namespaces too; an enumerator's parent is the
// enum. A qualified name, "ns::C::name", is looked for in classes as well, and its scopes may be
// left out from the front. visit returns false to end. unit: only this one (by its DIE), NULL for
// all.
typedef bool dwarf_visit(Dwarf_Die *die, Dwarf_Die *parent, void *arg);
struct dc_error *dwarf_find(struct dwarf_info *info, Dwarf_Die *unit, const char *name,
			    unsigned int want, dwarf_visit *visit, void *arg) DC_CHECK;
// The same in the units that were compiled from a file: its name, with as much of its path as
// wanted.
struct dc_error *dwarf_find_in_file(struct dwarf_info *info, const char *file, const char *name,
				    unsigned int want, dwarf_visit *visit, void *arg) DC_CHECK;
bool dwarf_has_file(struct dwarf_info *info, const char *file);
// The last part of a qualified name.
const char *dwarf_simple_name(const char *name);
// Whether the name is among the strings at all, be it as a local's or a member's.
bool dwarf_mentions(struct dwarf_info *info, const char *name);
// Every top-level DIE that has a name and is one of want.
struct dc_error *dwarf_each(struct dwarf_info *info, unsigned int want, dwarf_visit *visit,
			    void *arg) DC_CHECK;

#endif
