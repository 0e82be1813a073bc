// SPDX-License-Identifier: MIT
// The symbols of a target as a whole: its modules, and what is at an address.
#include "debugger/symbols/source_lines.h"
#include "debugger/symbols/mangled.h"
#include "debugger/base/cleanup.h"
#include "debugger/target/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void cleanup_maps(struct maps *maps)
{
	maps_deinit(maps);
}

struct dc_error *symbols_load(struct process *process, struct symbols **ret)
{
	struct symbols *symbols = calloc(1, sizeof(*symbols));

	if (!symbols)
		return &dc_out_of_memory;
	symbols->process = process;
	symbols->types = types_create();

	struct dc_error *err = symbols->types ? symbols_refresh(symbols) : &dc_out_of_memory;

	if (err)
		symbols_destroy(symbols);
	else
		*ret = symbols;
	return err;
}

void symbols_destroy(struct symbols *symbols)
{
	if (!symbols)
		return;
	go_index_destroy(symbols->go_index);
	types_destroy(symbols->types);
	modules_destroy(symbols->list);
	free(symbols->modules);
	free(symbols);
}

struct types *symbols_types(struct symbols *symbols)
{
	return symbols->types;
}

bool symbols_stand(struct symbols *symbols, uint64_t addr)
{
	unsigned char bytes[sizeof(((struct module *)NULL)->witness)];

	for (const struct loaded *loaded = symbols->list; loaded; loaded = loaded->next) {
		const struct module *module = &loaded->module;

		if (!loaded->seen || !module_contains(loaded, addr))
			continue;
		return memory_read_some(symbols->process, module->start, bytes,
					module->nr_witness) == module->nr_witness &&
		       !memcmp(bytes, module->witness, module->nr_witness);
	}
	return true;
}

struct dc_error *symbols_refresh(struct symbols *symbols)
{
	_cleanup_(cleanup_maps) struct maps maps = { 0 };
	struct dc_error *err = maps_read(symbols->process, &maps);

	if (!err)
		err = modules_update(symbols->process, &maps, &symbols->list);
	if (err)
		return err;

	size_t n = 0;

	for (struct loaded *loaded = symbols->list; loaded; loaded = loaded->next)
		n += loaded->seen;

	const struct module **modules = realloc(symbols->modules, (n ? n : 1) * sizeof(*modules));

	if (!modules)
		return &dc_out_of_memory;
	symbols->modules = modules;
	symbols->nr_modules = 0;
	for (struct loaded *loaded = symbols->list; loaded; loaded = loaded->next) {
		if (loaded->seen)
			modules[symbols->nr_modules++] = &loaded->module;
	}
	return NULL;
}

size_t symbols_modules(struct symbols *symbols, const struct module *const **ret)
{
	*ret = symbols->modules;
	return symbols->nr_modules;
}

bool symbols_has_file(struct symbols *symbols, const char *file)
{
	for (struct loaded *loaded = symbols->list; loaded; loaded = loaded->next) {
		enum effort effort = loaded->is_program ? EFFORT_DEBUG_FILE : EFFORT_OWN_FILE;
		struct units *info = loaded->seen ? module_dwarf(loaded, effort) : NULL;

		if (info && units_have_file(info, file))
			return true;
	}
	return false;
}

const char *symbols_why_unknown(struct symbols *symbols)
{
	struct loaded *program = symbols->list;

	while (program && !program->is_program)
		program = program->next;
	if (!program || !program->image)
		return NULL;
	module_need_tables(program);
	if (program->go)
		return "the program is written in Go, whose functions cannot be called as C's are";
	if (!program->symtab.n && !module_debug_symtab(program) && !program->info)
		return "the program is stripped: of its own functions only the exported ones have "
		       "names here";
	return NULL;
}

struct loaded *symbols_at(struct symbols *symbols, uint64_t addr)
{
	for (struct loaded *loaded = symbols->list; loaded; loaded = loaded->next) {
		if (loaded->seen && module_contains(loaded, addr))
			return loaded;
	}
	return NULL;
}

bool symbols_unit(struct symbols *symbols, const struct symbols_frame *frame, enum effort effort,
		  struct loaded **loaded, Dwarf_Die *unit)
{
	*loaded = frame && frame->pc ? symbols_at(symbols, frame->pc) : NULL;
	if (*loaded && (*loaded)->is_program)
		effort = EFFORT_DEBUG_FILE;

	struct units *info = *loaded ? module_dwarf(*loaded, effort) : NULL;

	return info && units_at(info, frame->pc - (*loaded)->module.bias, unit);
}

enum source_language symbols_language(struct symbols *symbols, const struct symbols_frame *frame)
{
	struct loaded *loaded;
	Dwarf_Die unit;

	return symbols_unit(symbols, frame, EFFORT_OWN_FILE, &loaded, &unit) ? die_language(&unit)
									     : SOURCE_UNSAID;
}

// A name that begins as mangled ones do; strings follow one another, each with its NUL.
static bool has_mangled(const struct symtab *symtab)
{
	static const char begin[] = "\0_Z";

	return symtab && symtab->n &&
	       memmem(symtab->strings, symtab->nr_strings, begin, sizeof(begin) - 1);
}

static bool module_has_cxx(struct loaded *loaded)
{
	if (loaded->cxx_sought)
		return loaded->has_cxx;
	module_need_tables(loaded);
	loaded->cxx_sought = true;
	loaded->has_cxx = has_mangled(&loaded->symtab) || has_mangled(&loaded->dynsym) ||
			  (loaded->is_program && has_mangled(module_debug_symtab(loaded)));
	return loaded->has_cxx;
}

bool symbols_has_cxx(struct symbols *symbols)
{
	for (struct loaded *loaded = symbols->list; loaded; loaded = loaded->next) {
		if (loaded->seen && loaded->image && module_has_cxx(loaded))
			return true;
	}
	return false;
}

bool symbols_is_cxx(struct symbols *symbols)
{
	struct loaded *program = symbols->list;

	while (program && !program->is_program)
		program = program->next;
	return program && program->image && module_has_cxx(program);
}

// Strings follow one another, each with its NUL.
static bool mentions(const struct symtab *symtab, const char *name)
{
	return symtab->n && memmem(symtab->strings, symtab->nr_strings, name, strlen(name) + 1);
}

bool symbols_may_load(const struct function *function)
{
	static const char *const loaders[] = { "dlopen", "dlmopen" };
	struct loaded *loaded = loaded_of(function->module);
	bool may = false;

	for (size_t i = 0; i < sizeof(loaders) / sizeof(*loaders) && loaded; i++) {
		struct symbol symbol;
		size_t nr_locals;

		module_need_tables(loaded);
		// What defines it is the C library, where nothing else calls it.
		may |= !strcmp(function->name, loaders[i]) ||
		       (mentions(&loaded->dynsym, loaders[i]) &&
			!symtab_find(&loaded->dynsym, loaded->image, loaders[i], SYMBOL_CODE,
				     &symbol, &nr_locals));
	}
	return may;
}

bool symbols_is_static(const struct symbols *symbols)
{
	for (const struct loaded *loaded = symbols->list; loaded; loaded = loaded->next) {
		if (loaded->seen && !loaded->is_program && !loaded->is_vdso)
			return false;
	}
	return true;
}

const char *symbols_text(struct symbols *symbols, const char *format, ...)
{
	char buf[1024];
	va_list args;

	va_start(args, format);
	int length = vsnprintf(buf, sizeof(buf), format, args);
	va_end(args);
	if (length < 0)
		return NULL;
	return types_strndup(symbols->types, buf,
			     (size_t)length < sizeof(buf) ? (size_t)length : sizeof(buf) - 1);
}

const char *symbols_plain_name(struct symbols *symbols, const char *name)
{
	const char *at = strchr(name, '@');

	return at && at > name ? types_strndup(symbols->types, name, (size_t)(at - name)) : name;
}

struct dc_error *symbols_no_name(const char *what, const char *name)
{
	return error_make(DC_NAME, "no %s \"%s\" in the program", what, name);
}

// The file's own table, then its exported symbols, then what a debug file adds.
static bool symbol_at(struct loaded *loaded, uint64_t addr, unsigned int classes,
		      struct symbol *ret)
{
	uint64_t value = addr - loaded->module.bias;

	if (!loaded->image)
		return false;
	module_need_tables(loaded);
	if (loaded->symtab.n)
		return symtab_at(&loaded->symtab, loaded->image, value, classes, ret);
	if (loaded->dynsym.n && symtab_at(&loaded->dynsym, loaded->image, value, classes, ret) &&
	    ret->size)
		return true;

	const struct symtab *debug = module_debug_symtab(loaded);

	return debug && symtab_at(debug, loaded->debug_image, value, classes, ret);
}

bool symbols_name_of(struct symbols *symbols, uint64_t addr, const char **name, uint64_t *offset)
{
	struct loaded *loaded = symbols_at(symbols, addr);
	struct symbol symbol;

	if (!loaded || !symbol_at(loaded, addr, SYMBOL_CODE | SYMBOL_DATA, &symbol))
		return false;
	*name = symbols_plain_name(symbols, symbol.name);
	if (*name)
		*name = shown_name(symbols, *name);
	*offset = addr - loaded->module.bias - symbol.value;
	return *name != NULL;
}

bool symbols_function_bounds(struct symbols *symbols, uint64_t addr, uint64_t *start, uint64_t *end)
{
	struct loaded *loaded = symbols_at(symbols, addr);
	struct symbol symbol;

	if (!loaded || !symbol_at(loaded, addr, SYMBOL_CODE, &symbol) || !symbol.size)
		return false;
	*start = symbol.value + loaded->module.bias;
	*end = *start + symbol.size;
	return addr >= *start && addr < *end;
}

static void describe_go_line(const struct loaded *loaded, uint64_t value, struct dc_frame *frame)
{
	struct pclntab_function function;

	if (!pclntab_at(&loaded->go->table, value, &function))
		return;
	frame->line = pclntab_line(&loaded->go->table, &function, value);
	frame->file = frame->line ? pclntab_file(&loaded->go->table, &function, value) : NULL;
}

static void describe_line(struct loaded *loaded, uint64_t addr, struct dc_frame *frame)
{
	// Frames of libraries are described without opening their debug files, the program's with.
	struct units *info = module_dwarf(loaded,
					  loaded->is_program ? EFFORT_DEBUG_FILE : EFFORT_OWN_FILE);
	Dwarf_Die unit;
	Dwarf_Line *line;

	if (!info && loaded->go) {
		describe_go_line(loaded, addr - loaded->module.bias, frame);
		return;
	}
	if (!info || !units_at(info, addr - loaded->module.bias, &unit))
		return;
	line = dwarf_getsrc_die(&unit, addr - loaded->module.bias);
	if (!line || dwarf_lineno(line, &frame->line))
		return;
	frame->file = dwarf_linesrc(line, NULL, NULL);
}

struct dc_frame symbols_describe(struct symbols *symbols, uint64_t addr)
{
	struct dc_frame frame = { .pc = addr };
	struct loaded *loaded = symbols_at(symbols, addr);
	struct symbol symbol;

	if (!loaded)
		return frame;
	frame.module = loaded->module.name;
	frame.offset = addr - loaded->module.start;
	if (symbol_at(loaded, addr, SYMBOL_CODE, &symbol)) {
		frame.function = symbols_plain_name(symbols, symbol.name);
		if (frame.function)
			frame.function = shown_name(symbols, frame.function);
		frame.offset = addr - loaded->module.bias - symbol.value;
	}
	describe_line(loaded, addr, &frame);
	return frame;
}
