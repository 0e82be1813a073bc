// SPDX-License-Identifier: MIT
// The constructors of a C++ class: declared by its debug information, found by the names of the
// symbols that make whole objects.
#include "debugger/base/cleanup.h"
#include "debugger/symbols/mangled.h"

#include <dwarf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// "P" of "ns::P<int>", as the name of its constructors is, but for what these are instances of.
static bool is_named_so(const char *name, const char *last, size_t length)
{
	return !strncmp(name, last, length) && (!name[length] || name[length] == '<');
}

// The object, then what is written: what the compiler passes besides to those that make a part of a
// larger object is not passed to the ones that make a whole one.
static const struct type *constructor_type(struct symbols *symbols, const struct type *class,
					   Dwarf_Die *die)
{
	enum { PARAMS_MAX = 64 };
	struct types *types = symbols->types;
	const struct type *object = types_pointer(types, class);
	const struct type *nothing = types_basic(types, "void");
	struct type_param params[PARAMS_MAX] = { { .name = "this", .type = object } };
	struct die_walk walk = { 0 };
	bool is_variadic = false;
	size_t n = 1;
	Dwarf_Die child;

	for (bool more = die_walk_first(&walk, die, &child); more && n < PARAMS_MAX;
	     more = die_walk_next(&walk, &child)) {
		is_variadic |= dwarf_tag(&child) == DW_TAG_unspecified_parameters;
		if (dwarf_tag(&child) != DW_TAG_formal_parameter ||
		    die_flag(&child, DW_AT_artificial))
			continue;
		params[n].type = type_of_die(types, &child);
		if (!params[n++].type)
			return NULL;
	}
	if (!object || !nothing || n == PARAMS_MAX)
		return NULL;

	const struct type *type = types_function(types, nothing, params, n, is_variadic, true);

	if (type)
		type_node(type)->type.compiler = die_compiler(die);
	return type;
}

static bool take_symbol(struct symbols *symbols, const char *name, struct method *ret)
{
	const struct type *type = ret->function.type;
	struct loaded *module;
	struct symbol symbol;
	size_t nr_locals;

	if (!symbols_find(symbols, NULL, name, SYMBOL_CODE, &module, &symbol, &nr_locals))
		return false;

	_cleanup_error_ struct dc_error *err = function_from_symbol(symbols, module, &symbol,
								    &ret->function);

	ret->function.type = type;
	ret->function.name = shown_name(symbols, name);
	return !err;
}

// The last "C4E" or "C4I" of a name that gcc tells stands for each of its copies. Of a class without
// virtual bases what makes a part makes a whole, too.
static bool find_by_linkage(struct symbols *symbols, const char *linkage, bool is_whole,
			    struct method *ret)
{
	_cleanup_free_ char *name = strdup(linkage);
	char *at = NULL;

	for (char *next = name; next && (next = strstr(next, "C4")); next++) {
		if (next[2] == 'E' || next[2] == 'I')
			at = next;
	}
	for (char copy = '1'; at && copy <= (is_whole ? '1' : '2'); copy++) {
		at[1] = copy;
		if (take_symbol(symbols, name, ret))
			return true;
	}
	return false;
}

// Whether a function of the program takes what the declared one does.
static bool takes_the_same(const struct type *declared, const struct type *found)
{
	const struct type_param *params, *its;
	size_t n, m;

	if (!found)
		return false;

	_cleanup_error_ struct dc_error *err = type_params(type_strip(declared), &params, &n);
	_cleanup_error_ struct dc_error *none = type_params(type_strip(found), &its, &m);

	if (err || none || n != m)
		return false;
	for (size_t i = 1; i < n; i++) {
		if (!type_equal(params[i].type, its[i].type))
			return false;
	}
	return true;
}

// clang tells no name where it declares one.
static void find_by_name(struct symbols *symbols, const struct type *class, bool is_whole,
			 struct method *list, size_t n)
{
	const char *last = symbols_last_part(class->name);
	_cleanup_free_ char *whole = NULL;
	const struct function *found;
	size_t nr_found = 0;

	if (asprintf(&whole, "%s::%.*s", class->name, (int)strcspn(last, "<"), last) < 0) {
		whole = NULL;
		return;
	}

	_cleanup_error_ struct dc_error *err = mangled_find_constructors(symbols, whole, is_whole,
									 &found, &nr_found);

	for (size_t i = 0; !err && i < n; i++) {
		const struct type *type = list[i].function.type;

		for (size_t j = 0; !list[i].function.addr && type && j < nr_found; j++) {
			if (!takes_the_same(type, found[j].type))
				continue;
			list[i].function = found[j];
			list[i].function.type = type;
		}
	}
}

// ---- the library's string ----

// "std::string(const char *, const std::allocator<char> &)", which the library exports, whatever the
// program has of it.
static const struct type *string_maker(struct symbols *symbols, const struct type *class)
{
	static const char name[] = "std::__cxx11::basic_string<char, std::char_traits<char>, "
				   "std::allocator<char> >";
	struct types *types = symbols->types;
	const struct type *allocator;
	struct type_param params[3] = { { .name = "this" } };

	if (strcmp(class->name, name) != 0 || class->size != 32)
		return NULL;

	_cleanup_error_ struct dc_error *err = symbols_lookup_type(
		symbols, NULL, NULL, "std::allocator<char>", &allocator);

	if (err)
		return NULL;
	params[0].type = types_pointer(types, class);
	params[1].type = types_pointer(
		types, types_qualified(types, types_basic(types, "char"), true, false));
	params[2].type = types_reference(types, types_qualified(types, allocator, true, false),
					 false);
	return types_function(types, types_basic(types, "void"), params, 3, false, true);
}

static void add_string_maker(struct symbols *symbols, const struct type *class, struct method *list,
			     size_t *n, size_t room)
{
	static const char *const names[] = {
		"_ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEC1IS3_EEPKcRKS3_",
		"_ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEC2IS3_EEPKcRKS3_",
		"_ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEC1EPKcRKS3_",
		"_ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEC2EPKcRKS3_",
	};
	const struct type *type = string_maker(symbols, class);
	size_t i = 0;

	if (!type)
		return;
	while (i < *n && !takes_the_same(type, list[i].function.type))
		i++;
	if (i == room)
		return;
	if (i == *n)
		list[(*n)++] = (struct method){
			.function = { .name = class->name, .type = type, .language = SOURCE_CXX }
		};
	for (size_t k = 0; k < sizeof(names) / sizeof(*names) && !list[i].function.addr; k++) {
		if (!take_symbol(symbols, names[k], &list[i]))
			list[i].function.addr = 0;
	}
}

struct dc_error *symbols_constructors(struct symbols *symbols, const struct type *type,
				      const struct method **ret, size_t *n)
{
	enum { ROOM = 128 };
	const struct type *class = symbols_complete(symbols, type_strip(type));
	Dwarf_Die die = type_node(class)->unqualified->die, child;
	struct method *list = types_alloc(symbols->types, ROOM * sizeof(*list));
	struct die_walk walk = { 0 };
	bool is_missing = false, is_whole;

	*n = 0;
	*ret = list;
	if (!list)
		return &dc_out_of_memory;
	if (!die.addr || class->is_incomplete || !class->name)
		return NULL;

	const char *last = symbols_last_part(class->name);
	size_t length = strcspn(last, "<");

	is_whole = mangled_has_virtual_base(symbols, class);
	for (bool more = die_walk_first(&walk, &die, &child); more && *n < ROOM;
	     more = die_walk_next(&walk, &child)) {
		const char *its = dwarf_tag(&child) == DW_TAG_subprogram ? dwarf_diename(&child)
									 : NULL;
		enum type_special special;
		Dwarf_Attribute attr;
		const char *linkage;

		if (!its || !is_named_so(its, last, length) || die_flag(&child, DW_AT_artificial))
			continue;
		special = type_special_of(&die, &child);

		struct method *method = &list[(*n)++];

		*method = (struct method){
			.function = { .name = class->name,
				      .type = constructor_type(symbols, class, &child),
				      .language = SOURCE_CXX,
				      .no_call = die_flag(&child, DW_AT_deleted) ? "it is deleted"
										 : NULL },
			.is_explicit = die_flag(&child, DW_AT_explicit),
			.is_copy = special == SPECIAL_COPY || special == SPECIAL_MOVE,
		};
		linkage = dwarf_attr_integrate(&child, DW_AT_linkage_name, &attr)
				  ? dwarf_formstring(&attr)
				  : NULL;
		if (!linkage || !find_by_linkage(symbols, linkage, is_whole, method))
			is_missing = true;
	}
	if (is_missing)
		find_by_name(symbols, class, true, list, *n);
	if (is_missing && !is_whole)
		find_by_name(symbols, class, false, list, *n);
	add_string_maker(symbols, class, list, n, ROOM);
	return NULL;
}
