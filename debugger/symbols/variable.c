// SPDX-License-Identifier: MIT
// Variables by name, as C finds them: blocks outwards, the unit's statics, the module's globals,
// the other modules' by load order.
#include "debugger/symbols/mangled.h"
#include "debugger/symbols/dwarf/location.h"
#include "debugger/symbols/dwarf/block.h"
#include "debugger/base/cleanup.h"

#include <dwarf.h>
#include <string.h>

static struct dc_error *from_die(const struct location_frame *where, Dwarf_Die *die,
				 const char *name, struct variable *ret)
{
	*ret = (struct variable){ .name = dwarf_diename(die),
				  .module = &where->loaded->module,
				  .type = type_of_die(where->symbols->types, die) };
	if (!ret->name)
		ret->name = name;
	if (!ret->type)
		return error_make(DC_VALUE, "the debug information of \"%s\" is damaged", name);
	return location_of(where, die, ret);
}

// ---- locals ----

static bool local_in(Dwarf_Die *scope, const char *name, Dwarf_Die *ret)
{
	struct die_walk walk = { 0 };
	Dwarf_Die child;
	bool found = false;

	// The last one of a name is the one in force: GCC describes a shadowed parameter first.
	for (bool more = die_walk_first(&walk, scope, &child); more;
	     more = die_walk_next(&walk, &child)) {
		int tag = dwarf_tag(&child);
		const char *its;

		if (tag != DW_TAG_variable && tag != DW_TAG_formal_parameter)
			continue;
		its = dwarf_diename(&child);
		if (!its || strcmp(its, name) || die_is_declaration(&child))
			continue;
		*ret = child;
		found = true;
	}
	return found;
}

// What the optimizer left out of the function is still named in its abstract form.
static bool local_in_origin(Dwarf_Die *scope, const char *name, Dwarf_Die *ret)
{
	Dwarf_Attribute attr;
	Dwarf_Die origin;

	return dwarf_attr(scope, DW_AT_abstract_origin, &attr) &&
	       dwarf_formref_die(&attr, &origin) && local_in(&origin, name, ret);
}

// The frame of the function around, to which the nested one's static link points.
static bool outer_frame(const struct location_frame *inner, Dwarf_Die *outer,
			struct symbols_frame *ret)
{
	const struct symbols_frame *frame = inner->frame;
	Dwarf_Attribute attr;
	uint64_t link;

	if (!dwarf_attr(inner->function, DW_AT_static_link, &attr) ||
	    location_number(inner, &attr, &link))
		return false;
	for (size_t i = 0; i < frame->nr_callers; i++) {
		const struct symbols_caller *caller = &frame->callers[i];

		if (dwarf_haspc(outer, caller->pc - inner->loaded->module.bias) != 1 ||
		    caller->cfa != link)
			continue;
		*ret = (struct symbols_frame){ .pc = caller->pc,
					       .cfa = caller->cfa,
					       .valid = caller->valid };
		memcpy(ret->regs, caller->regs, sizeof(ret->regs));
		ret->nr_callers = frame->nr_callers - i - 1;
		memcpy(ret->callers, caller + 1, ret->nr_callers * sizeof(*caller));
		return true;
	}
	return false;
}

// In the functions and blocks that the frame's function is nested in. A local of theirs that cannot
// be reached still is what the name means.
static struct dc_error *find_around(const struct location_frame *inner, Dwarf_Die *unit,
				    const char *name, struct variable *ret, bool *done)
{
	struct location_frame where = *inner;
	struct symbols_frame frame;
	Dwarf_Die path[BLOCKS_MAX], die;
	size_t n = block_path(unit, inner->frame->pc - inner->loaded->module.bias, path);

	for (size_t i = n ? n - 1 : 0; i-- > 0;) {
		if (!local_in(&path[i], name, &die))
			continue;
		*done = true;

		size_t function = i;

		while (function && dwarf_tag(&path[function]) != DW_TAG_subprogram)
			function--;
		where.function = &path[function];
		where.frame = outer_frame(inner, where.function, &frame) ? &frame : NULL;

		struct dc_error *err = from_die(&where, &die, name, ret);

		ret->is_around = true;
		if (!err && ret->place == VARIABLE_GONE && !where.frame)
			ret->why_gone = "it belongs to the function around, whose frame is not "
					"known here";
		return err;
	}
	return NULL;
}

static struct dc_error *find_local(struct symbols *symbols, const struct symbols_frame *frame,
				   enum effort effort, const char *name, struct variable *ret,
				   bool *done)
{
	struct location_frame where = { .symbols = symbols, .frame = frame };
	Dwarf_Die unit, scopes[BLOCKS_MAX], die;

	*done = false;
	if (!symbols_unit(symbols, frame, effort, &where.loaded, &unit))
		return NULL;

	size_t n = block_chain(&unit, frame->pc - where.loaded->module.bias, scopes);
	Dwarf_Die function = scopes[0];

	where.function = n ? &function : NULL;
	n = block_without(scopes, n, frame->inlined);
	while (n--) {
		if (!local_in(&scopes[n], name, &die) && !local_in_origin(&scopes[n], name, &die))
			continue;
		*done = true;
		return from_die(&where, &die, name, ret);
	}
	return where.function ? find_around(&where, &unit, name, ret, done) : NULL;
}

// ---- statics and globals by DIE ----

struct found_die {
	Dwarf_Die definition, declaration;
	size_t nr_definitions, nr_declarations;
	uint64_t want_addr; // as in the file; 0: any
	bool differ; // constants of the name that are not the same
};

// Headers give each file its own constant of a name; different ones are different things.
static bool same_constant(Dwarf_Die *a, Dwarf_Die *b)
{
	Dwarf_Attribute attr_a, attr_b;
	Dwarf_Word value_a, value_b;

	if (!dwarf_attr_integrate(a, DW_AT_const_value, &attr_a) ||
	    !dwarf_attr_integrate(b, DW_AT_const_value, &attr_b) ||
	    dwarf_formudata(&attr_a, &value_a) || dwarf_formudata(&attr_b, &value_b))
		return true;
	return value_a == value_b;
}

static bool take_variable(Dwarf_Die *die, Dwarf_Die *parent, void *arg)
{
	struct found_die *found = arg;
	Dwarf_Attribute attr;
	Dwarf_Op *ops;
	size_t n;

	(void)parent;
	// A constant of a class is only ever declared.
	if (die_is_declaration(die) && !dwarf_hasattr(die, DW_AT_const_value)) {
		if (!found->nr_declarations++)
			found->declaration = *die;
		return true;
	}
	if (found->want_addr && (!dwarf_attr_integrate(die, DW_AT_location, &attr) ||
				 dwarf_getlocation(&attr, &ops, &n) || n != 1 ||
				 ops[0].atom != DW_OP_addr || ops[0].number != found->want_addr))
		return true;
	found->differ |= found->nr_definitions && !same_constant(&found->definition, die);
	// One that has no place at all says less than any other.
	if (!found->nr_definitions++ ||
	    !dwarf_hasattr_integrate(&found->definition, DW_AT_location))
		found->definition = *die;
	return !found->want_addr;
}

static struct dc_error *find_in_unit(struct symbols *symbols, const struct symbols_frame *frame,
				     const char *name, struct variable *ret, bool *done)
{
	struct location_frame where = { .symbols = symbols, .frame = frame };
	struct found_die found = { .nr_definitions = 0 };
	Dwarf_Die unit;

	*done = false;
	if (!symbols_unit(symbols, frame, EFFORT_OWN_FILE, &where.loaded, &unit))
		return NULL;

	struct dc_error *err = units_find(where.loaded->info, &unit, name, WANT_VARIABLE,
					  take_variable, &found);

	// C++ has one of a name in each namespace; those are told apart by their symbols.
	if (err || !found.nr_definitions ||
	    (found.nr_definitions > 1 && die_language(&unit) == SOURCE_CXX))
		return err;
	*done = true;
	return from_die(&where, &found.definition, name, ret);
}

// file NULL: in all.
static struct dc_error *find_by_dwarf(struct symbols *symbols, const char *file, const char *name,
				      enum effort effort, struct variable *ret, bool *done)
{
	*done = false;
	for (struct loaded *loaded = symbols->list; loaded; loaded = loaded->next) {
		struct location_frame where = { .symbols = symbols, .loaded = loaded };
		struct found_die found = { .nr_definitions = 0 };
		bool had = loaded->info;
		struct units *info = loaded->seen ? module_dwarf_naming(loaded, effort, name)
						  : NULL;

		if (!info || (effort == EFFORT_DEBUG_FILE && had && !loaded->dwarf_is_separate))
			continue;

		struct dc_error *err = file ? units_find_in_file(info, file, name, WANT_VARIABLE,
								 take_variable, &found)
					    : units_find(info, NULL, name, WANT_VARIABLE,
							 take_variable, &found);

		if (err)
			return err;
		if (!found.nr_definitions)
			continue;
		*done = true;
		if (file && found.nr_definitions > 1)
			return symbols_ambiguous(loaded, WANT_VARIABLE, "static variable", name);
		if (found.differ)
			return symbols_ambiguous(loaded, WANT_VARIABLE, "static constant", name);
		return from_die(&where, &found.definition, name, ret);
	}
	return NULL;
}

// ---- by symbol, with the type from wherever it is described ----

static struct dc_error *type_of_symbol(struct symbols *symbols, struct loaded *loaded,
				       const char *name, uint64_t value, unsigned int class,
				       struct variable *ret)
{
	// The module that defines it; else anyone's declaration, the program's first: a library may
	// be stripped, and a copied variable lives in the program but is described by its library.
	struct loaded *order[2] = { loaded, NULL };

	for (int pass = 0; pass < 2 && !ret->type; pass++) {
		struct loaded *at = pass ? symbols->list : order[0];

		for (; at && !ret->type; at = pass ? at->next : NULL) {
			struct found_die found = { .want_addr = class == SYMBOL_TLS || at != loaded
									? 0
									: value };
			struct units *info = at->seen ? module_dwarf(at, EFFORT_OWN_FILE) : NULL;

			if (!info)
				continue;

			struct dc_error *err = units_find(info, NULL, name, WANT_VARIABLE,
							  take_variable, &found);

			if (err)
				return err;
			if (found.nr_definitions && (at == loaded || !pass))
				ret->type = type_of_die(symbols->types, &found.definition);
			else if (found.nr_declarations)
				ret->type = type_of_die(symbols->types, &found.declaration);
		}
	}
	return NULL;
}

static struct dc_error *type_from_debug_file(struct symbols *symbols, struct loaded *loaded,
					     const char *name, struct variable *ret)
{
	struct found_die found = { .nr_definitions = 0 };
	struct units *info = module_dwarf(loaded, EFFORT_DEBUG_FILE);

	if (!info)
		return NULL;

	struct dc_error *err = units_find(info, NULL, name, WANT_VARIABLE, take_variable, &found);

	if (!err && (found.nr_definitions || found.nr_declarations))
		ret->type = type_of_die(symbols->types, found.nr_definitions ? &found.definition
									     : &found.declaration);
	return err;
}

static struct dc_error *from_symbol(struct symbols *symbols, struct loaded *loaded,
				    const struct symbol *symbol, const char *name,
				    struct variable *ret)
{
	bool is_tls = symbol->class == SYMBOL_TLS;

	const char *plain = symbols_plain_name(symbols, symbol->name);

	*ret = (struct variable){ .name = plain ? shown_name(symbols, plain) : NULL,
				  .module = &loaded->module,
				  .place = is_tls ? VARIABLE_TLS : VARIABLE_MEMORY,
				  .addr = symbol->value + (is_tls ? 0 : loaded->module.bias) };
	if (!ret->name)
		return &dc_out_of_memory;

	struct dc_error *err = type_of_symbol(symbols, loaded, name, symbol->value, symbol->class,
					      ret);

	if (!err && !ret->type)
		err = type_from_debug_file(symbols, loaded, name, ret);
	return err;
}

struct dc_error *symbols_variable_in_file(struct symbols *symbols, const char *file,
					  const char *name, struct variable *ret)
{
	bool done;
	struct dc_error *err = find_by_dwarf(symbols, file, name, EFFORT_OWN_FILE, ret, &done);

	if (!err && !done)
		err = find_by_dwarf(symbols, file, name, EFFORT_DEBUG_FILE, ret, &done);
	if (err || done)
		return err;
	return symbols_no_name("symbol", name);
}

struct dc_error *symbols_lookup_variable(struct symbols *symbols, const struct symbols_frame *frame,
					 const char *name, struct variable *ret)
{
	const unsigned int data = SYMBOL_DATA | SYMBOL_TLS;
	struct loaded *loaded;
	struct symbol symbol;
	size_t nr_locals;
	bool done;
	struct dc_error *err = find_local(symbols, frame, EFFORT_OWN_FILE, name, ret, &done);

	if (!err && !done)
		err = find_in_unit(symbols, frame, name, ret, &done);
	if (err || done)
		return err;

	bool is_data = symbols_find(symbols, frame, name, data, &loaded, &symbol, &nr_locals);
	struct loaded *other;
	struct symbol code;
	size_t nr_others;

	// The name is taken by a function: reading all debug information to say no would be a
	// waste.
	if (!is_data && symbols_find(symbols, frame, name, SYMBOL_CODE, &other, &code, &nr_others))
		return error_make(DC_NAME, "\"%s\" is a function, not a variable", name);
	// A frame in a library whose debug file is apart: its locals hide globals all the same.
	if (!symbols_is_own(symbols, NULL, name) || is_data)
		err = find_local(symbols, frame, EFFORT_DEBUG_FILE, name, ret, &done);
	if (err || done)
		return err;
	if (is_data) {
		if (!symbol.is_global && nr_locals > 1)
			return symbols_ambiguous(loaded, WANT_VARIABLE, "static variable", name);
		return from_symbol(symbols, loaded, &symbol, name, ret);
	}
	err = mangled_find_data(symbols, name, &loaded, &symbol, &done);
	if (err)
		return err;
	if (done)
		return from_symbol(symbols, loaded, &symbol, name_last_part(name), ret);
	// Constants that never got a place.
	err = find_by_dwarf(symbols, NULL, name, EFFORT_OWN_FILE, ret, &done);
	if (err || done)
		return err;
	if (symbols_is_own(symbols, frame, name))
		return symbols_no_name("symbol", name);
	for (loaded = symbols->list; loaded; loaded = loaded->next) {
		const struct symtab *debug = loaded->seen ? module_debug_symtab(loaded) : NULL;

		if (debug &&
		    symtab_find(debug, loaded->debug_image, name, data, &symbol, &nr_locals)) {
			if (!symbol.is_global && nr_locals > 1)
				return symbols_ambiguous(loaded, WANT_VARIABLE, "static variable",
							 name);
			return from_symbol(symbols, loaded, &symbol, name, ret);
		}
	}
	err = find_by_dwarf(symbols, NULL, name, EFFORT_DEBUG_FILE, ret, &done);
	if (err || done)
		return err;
	return symbols_no_name("symbol", name);
}
