// SPDX-License-Identifier: MIT
// The DWARF of one module: its units, and DIEs found in them by address or by name.
// Nothing is indexed beforehand: an address touches one unit, a name those units that contain it.
#ifndef DEBUGGER_SYMBOLS_UNITS_H
#define DEBUGGER_SYMBOLS_UNITS_H

#include "debugger/symbols/source_language.h"
#include "debugger/symbols/type.h"

#include <elfutils/libdw.h>

// ---- walking DIEs ----

// Siblings in order. A damaged file whose siblings run backwards ends the walk.
struct die_walk {
	void *last;
	bool damaged;
};
bool die_walk_first(struct die_walk *walk, Dwarf_Die *parent, Dwarf_Die *ret);
bool die_walk_next(struct die_walk *walk, Dwarf_Die *die); // die: in, the last; out, the next

enum source_language die_language(Dwarf_Die *die); // its unit's
bool source_is_c(enum source_language language); // layouts and calls are the C ABI's
enum type_compiler die_compiler(Dwarf_Die *die);
// Sign-extended as the enum's size and sign ask for.
bool die_enumerator_value(Dwarf_Die *die, const struct type *type, int64_t *ret);
bool die_is_declaration(Dwarf_Die *die);
// An attribute's number or flag, also of what the DIE stands for. false: it has none.
bool die_number(Dwarf_Die *die, unsigned int name, uint64_t *ret);
bool die_flag(Dwarf_Die *die, unsigned int name);
// Address of a function's first instruction, as in the file.
bool die_entry(Dwarf_Die *die, uint64_t *ret);

// ---- one module's debug information ----

struct units;
// The handles stay the caller's and must outlive the result; alt is NULL without a dwz file.
struct dc_error *units_create(Dwarf *dwarf, Dwarf *alt, struct units **ret) DC_CHECK;
void units_destroy(struct units *info);
// Whether all its strings end inside their sections, which libdw takes for granted.
bool debug_strings_end(Dwarf *dwarf);
// A search met something that cannot be right; what it skipped is not known.
bool units_are_damaged(const struct units *info);

// The unit whose code covers the address (as in the file).
bool units_at(struct units *info, uint64_t addr, Dwarf_Die *ret);
// The function that starts at the address.
bool units_function_at(struct units *info, uint64_t addr, Dwarf_Die *ret);

// What is looked for by name.
enum want {
	WANT_FUNCTION = 1,
	WANT_VARIABLE = 2,
	WANT_TYPEDEF = 4, // basic types and, in C++, classes too
	WANT_STRUCT = 8,
	WANT_UNION = 16,
	WANT_ENUM = 32,
	WANT_ENUMERATOR = 64,
	WANT_NAMESPACE = 128, // and what gives one another name
	WANT_CONSTANT = 256,
	WANT_GO_TYPE = 512, // "[]int", "*main.T", "func(int)": what only Go gives names to
};
// Calls visit for each top-level DIE of that name, in namespaces too; an enumerator's parent is the
// enum. A qualified name, "ns::C::name", is looked for in classes as well, and its scopes may be
// left out from the front. visit returns false to end. unit: only this one (by its DIE), NULL for
// all.
typedef bool die_visit(Dwarf_Die *die, Dwarf_Die *parent, void *arg);
struct dc_error *units_find(struct units *info, Dwarf_Die *unit, const char *name,
			    unsigned int want, die_visit *visit, void *arg) DC_CHECK;
// The same in the units that were compiled from a file: its name, with as much of its path as
// wanted.
struct dc_error *units_find_in_file(struct units *info, const char *file, const char *name,
				    unsigned int want, die_visit *visit, void *arg) DC_CHECK;
bool units_have_file(struct units *info, const char *file);
// The last part of a qualified name.
const char *name_last_part(const char *name);
// Whether the name is among the strings at all, be it as a local's or a member's.
bool units_mention(struct units *info, const char *name);
// Every top-level DIE that has a name and is one of want.
struct dc_error *units_each(struct units *info, unsigned int want, die_visit *visit,
			    void *arg) DC_CHECK;

#endif
