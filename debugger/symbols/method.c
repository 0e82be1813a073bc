// SPDX-License-Identifier: MIT
// The methods of a C++ class, as its debug information declares them.
#include "debugger/base/cleanup.h"
#include "debugger/symbols/mangled.h"

#include <dwarf.h>
#include <string.h>

// GCC names the parameter that is the object, clang only marks the first one as not written.
static bool is_static(Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	Dwarf_Die child;
	bool value;

	if (dwarf_hasattr_integrate(die, DW_AT_object_pointer))
		return false;
	if (dwarf_child(die, &child) || dwarf_tag(&child) != DW_TAG_formal_parameter)
		return true;
	return !dwarf_attr(&child, DW_AT_artificial, &attr) || dwarf_formflag(&attr, &value) ||
	       !value;
}

// The place in the virtual table, where the object's own class has put its version.
static bool virtual_slot(Dwarf_Die *die, uint64_t *ret)
{
	Dwarf_Attribute attr;
	Dwarf_Word virtuality;
	Dwarf_Op *ops;
	size_t n;

	if (!dwarf_attr_integrate(die, DW_AT_virtuality, &attr) ||
	    dwarf_formudata(&attr, &virtuality) || virtuality == DW_VIRTUALITY_none ||
	    !dwarf_attr_integrate(die, DW_AT_vtable_elem_location, &attr))
		return false;
	if (!dwarf_getlocation(&attr, &ops, &n) && n == 1 && ops[0].atom == DW_OP_constu) {
		*ret = ops[0].number;
		return true;
	}
	return !dwarf_formudata(&attr, ret);
}

static bool find_linkage(struct symbols *symbols, const char *linkage, struct loaded **module,
			 struct symbol *ret)
{
	size_t nr_locals;

	if (symbols_find(symbols, NULL, linkage, SYMBOL_CODE, module, ret, &nr_locals))
		return true;
	for (*module = symbols->list; *module; *module = (*module)->next) {
		const struct symtab *debug = (*module)->seen && (*module)->is_program
						     ? module_debug_symtab(*module)
						     : NULL;

		if (debug && symtab_find(debug, (*module)->debug_image, linkage, SYMBOL_CODE, ret,
					 &nr_locals))
			return true;
	}
	return false;
}

static struct dc_error *make_method(struct symbols *symbols, Dwarf_Die *die, const char *name,
				    struct method *ret)
{
	Dwarf_Attribute attr;
	const char *linkage = dwarf_attr_integrate(die, DW_AT_linkage_name, &attr)
				      ? dwarf_formstring(&attr)
				      : NULL;
	struct loaded *module;
	struct symbol symbol;
	struct dc_error *err = NULL;

	*ret = (struct method){ .function = { .name = types_strndup(symbols->types, name,
								    strlen(name)) },
				.is_static = is_static(die),
				.is_explicit = die_flag(die, DW_AT_explicit),
				.is_for_objects = die_flag(die, DW_AT_reference),
				.is_for_values = die_flag(die, DW_AT_rvalue_reference) };
	ret->is_virtual = virtual_slot(die, &ret->slot);
	if (linkage && find_linkage(symbols, linkage, &module, &symbol)) {
		err = function_from_symbol(symbols, module, &symbol, &ret->function);
		if (!err)
			symbols_function_type(symbols, &ret->function);
		ret->function.name = shown_name(symbols, linkage);
	}
	if (!err && !ret->function.type)
		function_add_type(symbols, die, &ret->function);
	return err;
}

// "operator bool": a blank and a type's name.
static bool is_conversion(const char *name)
{
	static const char word[] = "operator ";

	return !strncmp(name, word, sizeof(word) - 1) && name[sizeof(word) - 1] != '"' &&
	       strncmp(name + sizeof(word) - 1, "new", 3) != 0 &&
	       strncmp(name + sizeof(word) - 1, "delete", 6) != 0;
}

struct dc_error *symbols_methods(struct symbols *symbols, const struct type *class,
				 const char *name, const struct method **ret, size_t *n)
{
	enum { ROOM = 64 };
	Dwarf_Die die = type_node(class)->unqualified->die, child;
	struct method *list = types_alloc(symbols->types, ROOM * sizeof(*list));
	struct die_walk walk = { 0 };
	struct dc_error *err = NULL;

	*n = 0;
	*ret = list;
	if (!list)
		return &dc_out_of_memory;
	if (!die.addr || class->is_incomplete)
		return NULL;
	for (bool more = die_walk_first(&walk, &die, &child); more && !err && *n < ROOM;
	     more = die_walk_next(&walk, &child)) {
		const char *its = dwarf_tag(&child) == DW_TAG_subprogram ? dwarf_diename(&child)
									 : NULL;

		if (its && (name ? !strcmp(its, name) : is_conversion(its)))
			err = make_method(symbols, &child, its, &list[(*n)++]);
	}
	return err;
}

bool symbols_virtual_method(struct symbols *symbols, const struct type *class, uint64_t slot,
			    struct method *ret)
{
	Dwarf_Die die = type_node(class)->unqualified->die, child;
	struct die_walk walk = { 0 };
	uint64_t its;

	if (!die.addr || class->is_incomplete)
		return false;
	for (bool more = die_walk_first(&walk, &die, &child); more;
	     more = die_walk_next(&walk, &child)) {
		const char *name = dwarf_tag(&child) == DW_TAG_subprogram ? dwarf_diename(&child)
									  : NULL;

		if (!name || !virtual_slot(&child, &its) || its != slot)
			continue;

		_cleanup_error_ struct dc_error *err = make_method(symbols, &child, name, ret);

		return !err;
	}
	return false;
}
