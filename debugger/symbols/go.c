// SPDX-License-Identifier: MIT
// Go's names in its debug information. A type's name is written there as Go writes it, but for the
// package's path in full.
#include "debugger/symbols/go.h"

#include "debugger/symbols/dwarf/units_inside.h"
#include "debugger/symbols/set.h"

#include <dwarf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DW_AT_go_runtime_type = 0x2904 };

static struct loaded *go_program(struct symbols *symbols)
{
	for (struct loaded *loaded = symbols->list; loaded; loaded = loaded->next) {
		// Go's own libraries are known once their tables are.
		if (loaded->is_program && loaded->image)
			module_need_tables(loaded);
		if (loaded->seen && loaded->is_go)
			return loaded;
	}
	return NULL;
}

bool symbols_is_go(struct symbols *symbols)
{
	struct loaded *program = go_program(symbols);

	return program && program->is_program;
}

static struct units *go_units(struct symbols *symbols)
{
	struct loaded *program = go_program(symbols);

	return program ? module_dwarf(program, EFFORT_DEBUG_FILE) : NULL;
}

// ---- types ----------------------------------------------------------------------------------------

static bool take_type(Dwarf_Die *die, Dwarf_Die *parent, void *arg)
{
	Dwarf_Die *found = arg;

	(void)parent;
	if (die_language(die) != SOURCE_GO)
		return true;
	*found = *die;
	// A struct's or a slice's own DIE comes before the typedef of the same name, which is what
	// everything else refers to.
	return dwarf_tag(die) != DW_TAG_typedef;
}

struct dc_error *symbols_go_type(struct symbols *symbols, const char *name, const struct type **ret)
{
	const unsigned int want = WANT_TYPEDEF | WANT_STRUCT | WANT_GO_TYPE;
	struct units *info = go_units(symbols);
	Dwarf_Die die = { 0 };
	struct dc_error *err = info ? units_find(info, NULL, name, want, take_type, &die) : NULL;

	if (err)
		return err;
	*ret = die.addr ? type_from_die(symbols->types, &die)
			: types_go_basic(symbols->types, name);
	if (!die.addr && !*ret)
		return symbols_no_name("type", name);
	return *ret ? NULL : &dc_out_of_memory;
}

bool symbols_go_types(struct symbols *symbols, uint64_t *start, uint64_t *end)
{
	struct loaded *program = go_program(symbols);
	struct symbol symbol;
	size_t nr_locals;

	if (!program || !program->image)
		return false;
	module_need_tables(program);
	if (!symtab_find(&program->symtab, program->image, "runtime.types",
			 SYMBOL_CODE | SYMBOL_DATA, &symbol, &nr_locals))
		return false;
	*start = symbol.value + program->module.bias;
	if (!symtab_find(&program->symtab, program->image, "runtime.etypes",
			 SYMBOL_CODE | SYMBOL_DATA, &symbol, &nr_locals))
		return false;
	*end = symbol.value + program->module.bias;
	return true;
}

// ---- the runtime's types --------------------------------------------------------------------------

struct described {
	uint64_t offset;
	Dwarf_Die die;
};

struct go_index {
	struct described *list; // sorted
	size_t n;
	bool failed;
};

static bool collect(Dwarf_Die *die, Dwarf_Die *parent, void *arg)
{
	struct go_index *index = arg;
	Dwarf_Attribute attr;
	Dwarf_Addr offset;

	(void)parent;
	if (!dwarf_attr(die, DW_AT_go_runtime_type, &attr) || dwarf_formaddr(&attr, &offset) ||
	    !offset)
		return true;
	if (!(index->n & (index->n - 1))) {
		size_t room = index->n ? 2 * index->n : 256;
		struct described *list = reallocarray(index->list, room, sizeof(*list));

		if (!list) {
			index->failed = true;
			return false;
		}
		index->list = list;
	}
	index->list[index->n++] = (struct described){ offset, *die };
	return true;
}

static int compare(const void *a, const void *b)
{
	const struct described *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static struct go_index *make_index(struct symbols *symbols)
{
	struct go_index *index = calloc(1, sizeof(*index));
	struct units *info = go_units(symbols);

	if (!index || !info)
		return index;

	struct dc_error *err = units_each(info, WANT_TYPEDEF | WANT_STRUCT | WANT_GO_TYPE, collect,
					  index);

	dc_error_destroy(err);
	if (index->n)
		qsort(index->list, index->n, sizeof(*index->list), compare);
	return index;
}

void go_index_destroy(struct go_index *index)
{
	if (!index)
		return;
	free(index->list);
	free(index);
}

const struct type *symbols_go_described(struct symbols *symbols, uint64_t offset)
{
	const struct described key = { .offset = offset };
	const struct described *found;
	Dwarf_Die die;

	if (!symbols->go_index)
		symbols->go_index = make_index(symbols);
	if (!offset || !symbols->go_index || !symbols->go_index->n)
		return NULL;
	found = bsearch(&key, symbols->go_index->list, symbols->go_index->n, sizeof(key), compare);
	if (!found)
		return NULL;
	die = found->die;
	return type_from_die(symbols->types, &die);
}

// ---- constants ------------------------------------------------------------------------------------

static bool take_first(Dwarf_Die *die, Dwarf_Die *parent, void *arg)
{
	(void)parent;
	*(Dwarf_Die *)arg = *die;
	return false;
}

struct dc_error *symbols_go_constant(struct symbols *symbols, const char *name,
				     struct go_constant *ret)
{
	struct units *info = go_units(symbols);
	Dwarf_Die die = { 0 };
	Dwarf_Attribute attr;
	Dwarf_Sword value;
	struct dc_error *err = info ? units_find(info, NULL, name, WANT_CONSTANT, take_first, &die)
				    : NULL;

	*ret = (struct go_constant){ 0 };
	if (err)
		return err;
	if (!die.addr || !dwarf_attr(&die, DW_AT_const_value, &attr))
		return symbols_no_name("constant", name);
	ret->type = type_of_die(symbols->types, &die);
	if (dwarf_whatform(&attr) == DW_FORM_string || dwarf_whatform(&attr) == DW_FORM_strp)
		ret->text = dwarf_formstring(&attr);
	else if (!dwarf_formsdata(&attr, &value))
		ret->integer = value;
	if (ret->type && ret->type->kind == TYPE_FLOAT)
		memcpy(&ret->real, &ret->integer, sizeof(ret->real));
	return ret->type ? NULL : &dc_out_of_memory;
}

// ---- packages -------------------------------------------------------------------------------------

static const char *last_element(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

// Programs without debug information still have its names in front of their functions'.
static bool is_begun(const char *name, void *arg)
{
	(void)name;
	*(bool *)arg = true;
	return false;
}

static bool has_symbols_of(struct symbols *symbols, const char *package)
{
	char prefix[512];
	bool found = false;
	struct dc_error *err;

	if ((size_t)snprintf(prefix, sizeof(prefix), "%s.", package) >= sizeof(prefix))
		return false;
	err = symbols_each_beginning(symbols, prefix, is_begun, &found);
	dc_error_destroy(err);
	return found;
}

bool symbols_go_package(struct symbols *symbols, const char *name, const char **ret,
			const char **other)
{
	struct units *info = go_units(symbols);
	struct dc_error *err = info ? units_read(info) : NULL;

	*ret = *other = NULL;
	if (!info && has_symbols_of(symbols, name))
		*ret = name;
	for (size_t i = 0; info && !err && i < info->nr_units; i++) {
		const char *its = dwarf_diename(&info->units[i].die);

		if (!its || die_language(&info->units[i].die) != SOURCE_GO)
			continue;
		if (!strcmp(its, name)) {
			*ret = its;
			*other = NULL;
			break;
		}
		if (strcmp(last_element(its), name))
			continue;
		*(*ret ? other : ret) = its;
	}
	dc_error_destroy(err);
	return *ret;
}

const char *symbols_go_package_at(struct symbols *symbols, uint64_t pc)
{
	const struct symbols_frame frame = { .pc = pc };
	struct loaded *loaded;
	Dwarf_Die unit;

	if (!pc || !symbols_unit(symbols, &frame, EFFORT_OWN_FILE, &loaded, &unit) ||
	    die_language(&unit) != SOURCE_GO)
		return NULL;
	return dwarf_diename(&unit);
}
