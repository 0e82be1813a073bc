// SPDX-License-Identifier: MIT
// Go's names in its debug information. A type's name is written there as Go writes it, but for the
// package's path in full.
#include "debugger/symbols/go.h"

#include "debugger/base/cleanup.h"
#include "debugger/symbols/dwarf/units_inside.h"
#include "debugger/symbols/set.h"
#include "debugger/target/memory.h"

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
		if (loaded->seen && loaded->go)
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

// "[]*net/http.Server" as the runtime writes it, "[]*http.Server"; malloc'd.
static char *without_paths(const char *name)
{
	static const char path[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.%~-";
	char *text = malloc(strlen(name) + 2), *to = text, *start = text;

	for (const char *at = name; text && *at; at++) {
		*to++ = *at;
		if (*at == '/')
			to = start;
		else if (!strchr(path, *at))
			start = to;
	}
	if (text)
		*to = '\0';
	return text;
}

static char *text_of_link(struct symbols *symbols, const struct go_module *module, uint64_t i,
			  uint64_t *addr)
{
	int32_t offset;

	if (memory_read_some(symbols->process, module->links + i * sizeof(offset), &offset,
			     sizeof(offset)) != sizeof(offset))
		return NULL;
	*addr = module->types + (uint64_t)offset;
	return types_go_described_text(symbols->types, *addr);
}

// The list is sorted by the texts, of which several may be the same.
static const struct type *linked(struct symbols *symbols, const struct go_module *module,
				 const char *text, const char *full, bool is_pointee)
{
	uint64_t low = 0, high = module->nr_links, addr;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		_cleanup_free_ char *its = text_of_link(symbols, module, middle, &addr);

		if (!its)
			return NULL;
		if (strcmp(its, text) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < module->nr_links; low++) {
		_cleanup_free_ char *its = text_of_link(symbols, module, low, &addr);
		_cleanup_free_ char *name = NULL;
		enum { ELEMENT = 48 };

		if (!its || strcmp(its, text) != 0)
			break;
		if (is_pointee && memory_read_some(symbols->process, addr + ELEMENT, &addr,
						   sizeof(addr)) != sizeof(addr))
			break;
		name = types_go_described_name(symbols->types, addr);
		if (name && (!is_pointee || !strcmp(name, full)))
			return types_go_described(symbols->types, addr);
	}
	return NULL;
}

// Of what the runtime describes: types without names of their own, and those that pointers are to.
static const struct type *described_as(struct symbols *symbols, const char *name)
{
	struct loaded *program = go_program(symbols);
	_cleanup_free_ char *text = without_paths(name), *pointer = NULL;
	const struct type *type;
	uint64_t start, end;

	if (!program || !text || !symbols_go_types(symbols, &start, &end) ||
	    !program->go->nr_links || asprintf(&pointer, "*%s", text) < 0)
		return NULL;
	type = linked(symbols, program->go, text, name, false);
	return type ? type : linked(symbols, program->go, pointer, name, true);
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
	if (!*ret && !info)
		*ret = described_as(symbols, name);
	if (!die.addr && !*ret)
		return symbols_no_name("type", name);
	return *ret ? NULL : &dc_out_of_memory;
}

static bool find_types(struct loaded *program, uint64_t *start, uint64_t *end)
{
	struct symbol symbol;
	size_t nr_locals;

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

bool symbols_go_types(struct symbols *symbols, uint64_t *start, uint64_t *end)
{
	struct loaded *program = go_program(symbols);
	struct types *types = symbols->types;

	if (!program)
		return false;
	if (!types->process) {
		types->process = symbols->process;
		go_module_need_data(program->go, symbols->process, program->image,
				    program->module.bias);
		if (!find_types(program, &types->described, &types->described_end)) {
			types->described = program->go->types;
			types->described_end = program->go->end_of_types;
		}
		types->go_minor = program->go->minor;
	}
	*start = types->described;
	*end = types->described_end;
	return *start;
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
	uint64_t start, end;
	Dwarf_Die die;

	if (!symbols->go_index)
		symbols->go_index = make_index(symbols);
	if (!offset || !symbols->go_index)
		return NULL;
	found = symbols->go_index->n ? bsearch(&key, symbols->go_index->list, symbols->go_index->n,
					       sizeof(key), compare)
				     : NULL;
	if (!found)
		return symbols_go_types(symbols, &start, &end)
			       ? types_go_described(symbols->types, start + offset)
			       : NULL;
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
static size_t package_length(const char *name)
{
	const char *end = name + strcspn(name, "(["),
		   *slash = memrchr(name, '/', (size_t)(end - name));
	const char *dot = memchr(slash ? slash : name, '.', (size_t)(end - (slash ? slash : name)));

	return dot ? (size_t)(dot - name) : 0;
}

struct package_search {
	struct symbols *symbols;
	const char *name; // its path, or the last element of that
	const char *found, *other;
};

static bool is_package(const char *symbol, void *arg)
{
	struct package_search *search = arg;
	size_t n = package_length(symbol), length = strlen(search->name);

	if (n == length && !memcmp(symbol, search->name, n)) {
		search->found = search->name;
		search->other = NULL;
		return false;
	}
	if (n <= length || symbol[n - length - 1] != '/' ||
	    memcmp(symbol + n - length, search->name, length) != 0)
		return true;
	if (!search->found)
		search->found = symbols_text(search->symbols, "%.*s", (int)n, symbol);
	else if (strlen(search->found) != n || memcmp(search->found, symbol, n) != 0)
		search->other = symbols_text(search->symbols, "%.*s", (int)n, symbol);
	return true;
}

static void package_by_symbols(struct symbols *symbols, const char *name, const char **ret,
			       const char **other)
{
	struct package_search search = { .symbols = symbols, .name = name };
	struct dc_error *err = symbols_each_beginning(symbols, "", is_package, &search);

	dc_error_destroy(err);
	*ret = search.found;
	*other = search.other;
}

bool symbols_go_package(struct symbols *symbols, const char *name, const char **ret,
			const char **other)
{
	struct units *info = go_units(symbols);
	struct dc_error *err = info ? units_read(info) : NULL;

	*ret = *other = NULL;
	if (!info)
		package_by_symbols(symbols, name, ret, other);
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
	// The compiler's own, of which there is no code.
	if (!*ret && !strcmp(name, "unsafe"))
		*ret = name;
	return *ret;
}

const char *symbols_go_package_at(struct symbols *symbols, uint64_t pc)
{
	const struct symbols_frame frame = { .pc = pc };
	struct pclntab_function function;
	struct loaded *loaded;
	Dwarf_Die unit;
	size_t length;

	if (pc && symbols_unit(symbols, &frame, EFFORT_OWN_FILE, &loaded, &unit))
		return die_language(&unit) == SOURCE_GO ? dwarf_diename(&unit) : NULL;
	loaded = pc ? symbols_at(symbols, pc) : NULL;
	if (!loaded || !loaded->go ||
	    !pclntab_at(&loaded->go->table, pc - loaded->module.bias, &function))
		return NULL;
	length = package_length(function.name);
	return length ? symbols_text(symbols, "%.*s", (int)length, function.name) : NULL;
}

uint32_t symbols_go_frame(struct symbols *symbols, uint64_t entry)
{
	const struct loaded *loaded = symbols_at(symbols, entry);
	struct pclntab_function function;

	if (!loaded || !loaded->go ||
	    !pclntab_at(&loaded->go->table, entry - loaded->module.bias, &function) ||
	    function.start != entry - loaded->module.bias)
		return UINT32_MAX;
	return function.frame;
}

const char *symbols_go_lack(struct symbols *symbols)
{
	struct loaded *program = go_program(symbols);

	if (!program || go_units(symbols))
		return NULL;
	if (program->go->problem)
		return program->go->problem;
	return symbols_text(
		symbols,
		"%s, without debug information: names of functions and lines are the "
		"runtime's; types are said by who calls, (func(int) string)(main.F)(1); "
		"variables have no names",
		*program->go->version ? program->go->version : "of an unknown Go");
}

bool symbols_go_depth(struct symbols *symbols, uint64_t pc, uint64_t *ret, bool *is_first)
{
	enum { DEPTH_MAX = 1 << 24, WORD = 8 };
	static const char *const first[] = { "runtime.goexit", "runtime.mstart", "runtime.rt0_go",
					     "runtime.mcall" };
	// What goes to another stack leaves the one that it is on as it likes.
	static const char *const switches[] = { "runtime.systemstack", "runtime.morestack",
						"runtime.asmcgocall", "runtime.cgocallback" };
	const struct loaded *loaded = symbols_at(symbols, pc);
	struct pclntab_function function;
	int32_t depth;

	*is_first = false;
	if (!loaded || !loaded->go ||
	    !pclntab_at(&loaded->go->table, pc - loaded->module.bias, &function))
		return false;
	for (size_t i = 0; i < sizeof(first) / sizeof(*first); i++)
		*is_first |= !strcmp(function.name, first[i]);
	for (size_t i = 0; i < sizeof(switches) / sizeof(*switches); i++)
		if (!strcmp(function.name, switches[i]))
			return false;
	depth = pclntab_depth(&loaded->go->table, &function, pc - loaded->module.bias);
	*ret = (uint64_t)depth;
	return depth >= 0 && depth < DEPTH_MAX && !(depth % WORD);
}
