// SPDX-License-Identifier: MIT
// Places in the code by name: where a breakpoint belongs that somebody sets on a function or a
// line.
#include "debugger/symbols/dwarf/block.h"
#include "debugger/symbols/dwarf/units_inside.h"
#include "debugger/symbols/set.h"

#include "debugger/base/cleanup.h"

#include <dwarf.h>
#include <errno.h>
#include <string.h>

struct places {
	struct loaded *loaded; // that is being searched
	struct code_place *list;
	size_t n, room;
	bool lacks_memory;
};

static void add(struct places *places, uint64_t value, bool is_inlined)
{
	uint64_t addr = value + places->loaded->module.bias;

	// What the linker dropped is described at an address of nothing.
	if (!image_has_code(places->loaded->image, value))
		return;
	for (size_t i = 0; i < places->n; i++) {
		if (places->list[i].addr == addr)
			return;
	}
	if (places->n == places->room) {
		size_t room = places->room ? places->room * 2 : 8;
		struct code_place *list = realloc(places->list, room * sizeof(*list));

		places->lacks_memory |= !list;
		if (!list)
			return;
		places->list = list;
		places->room = room;
	}
	places->list[places->n++] = (struct code_place){ addr, is_inlined };
}

// ---- functions ------------------------------------------------------------------------------------

// Optimised code keeps arguments where the caller put them, and says so from the first instruction
// on; it moves that of the body to before the end of the prologue.
static bool is_optimised(Dwarf_Die *die)
{
	Dwarf_Die unit;
	Dwarf_Attribute attr;
	const char *at;

	if (!dwarf_cu_die(die->cu, &unit, NULL, NULL, NULL, NULL, NULL, NULL) ||
	    !dwarf_attr_integrate(&unit, DW_AT_producer, &attr) || !(at = dwarf_formstring(&attr)))
		return false;

	bool optimised = false;

	// The last one counts.
	while ((at = strstr(at, " -O"))) {
		at += 3;
		optimised = *at != '0';
	}
	return optimised;
}

// Go's compiler marks where the body begins, behind the look whether the stack has to grow; what has
// no such look is all body, and its second row may have lost the arguments already.
static bool is_all_body(Dwarf_Die *die)
{
	Dwarf_Die unit;
	Dwarf_Lines *lines;
	Dwarf_Addr low, high, addr;
	size_t n;

	if (die_language(die) != SOURCE_GO || dwarf_lowpc(die, &low) || dwarf_highpc(die, &high) ||
	    !dwarf_cu_die(die->cu, &unit, NULL, NULL, NULL, NULL, NULL, NULL) ||
	    dwarf_getsrclines(&unit, &lines, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		Dwarf_Line *line = dwarf_onesrcline(lines, i);
		bool is_end = false;

		if (!dwarf_lineaddr(line, &addr) && addr >= low && addr < high &&
		    !dwarf_lineprologueend(line, &is_end) && is_end)
			return false;
	}
	return true;
}

static void add_function(struct places *places, Dwarf_Die *die, bool is_inlined)
{
	Dwarf_Addr *addrs = NULL;
	uint64_t entry;
	int n = 0;

	if (!is_inlined && !is_optimised(die) && !is_all_body(die))
		n = dwarf_entry_breakpoints(die, &addrs);
	if (n > 0)
		add(places, addrs[0], is_inlined);
	else if (die_entry(die, &entry))
		add(places, entry, is_inlined);
	free(addrs);
}

static int take_copy(Dwarf_Die *die, void *arg)
{
	add_function(arg, die, dwarf_tag(die) == DW_TAG_inlined_subroutine);
	return DWARF_CB_OK;
}

static bool take_function(Dwarf_Die *die, Dwarf_Die *parent, void *arg)
{
	uint64_t entry;

	(void)parent;
	if (die_is_declaration(die))
		return true;
	if (die_entry(die, &entry))
		add_function(arg, die, false);
	if (dwarf_func_inline(die))
		dwarf_func_inline_instances(die, take_copy, arg);
	return true;
}

static bool has_place_in(const struct places *places, const struct function *function)
{
	for (size_t i = 0; i < places->n; i++) {
		if (places->list[i].addr - function->addr < (function->size ?: 1))
			return true;
	}
	return false;
}

static struct dc_error *find_function(struct symbols *symbols, struct places *places,
				      const char *name)
{
	const struct function *functions;
	struct function function;
	size_t n;

	for (struct loaded *loaded = symbols->list; loaded; loaded = loaded->next) {
		enum effort effort = loaded->is_program ? EFFORT_DEBUG_FILE : EFFORT_OWN_FILE;
		struct units *info = loaded->seen ? module_dwarf(loaded, effort) : NULL;
		struct dc_error *err = NULL;

		places->loaded = loaded;
		if (info)
			err = units_find(info, NULL, name, WANT_FUNCTION, take_function, places);
		if (err)
			return err;
	}
	// A C++ name's functions, however the user has shortened it.
	struct dc_error *err = symbols_overloads(symbols, name, &functions, &n);

	for (size_t i = 0; !err && i < n; i++) {
		Dwarf_Die die;

		places->loaded = loaded_of(functions[i].module);
		if (has_place_in(places, &functions[i]))
			continue;

		struct units *info = module_dwarf(places->loaded, EFFORT_OWN_FILE);
		uint64_t value = functions[i].addr - places->loaded->module.bias;

		if (info && units_function_at(info, value, &die))
			add_function(places, &die, false);
		else
			add(places, value, false);
	}
	if (err || places->n)
		return err;
	// Without debug information: the entry, where arguments are valid for certain.
	err = symbols_lookup_function(symbols, NULL, name, &function);
	if (err)
		return err;
	if (function.is_ifunc) {
		uint64_t bound = symbols_bound_ifunc(symbols, &function);

		function.addr = bound ?: function.addr;
	}
	places->loaded = symbols_at(symbols, function.addr);
	if (places->loaded)
		add(places, function.addr - places->loaded->module.bias, false);
	return NULL;
}

// ---- lines ----------------------------------------------------------------------------------------

struct line_search {
	struct places *places;
	struct unit *unit;
	const char *file;
	size_t length; // of file
	int wanted, best; // best: the first line at or behind wanted that has code; 0: none yet
	// The blocks that have a place already: a line comes back in a loop, and one stop of it is
	// enough.
	void **blocks;
	size_t nr_blocks;
};

// The name, with as much of its path as was given.
static bool is_file(const struct line_search *search, const char *path)
{
	size_t length = path ? strlen(path) : 0;

	if (length < search->length || strcmp(path + length - search->length, search->file) != 0)
		return false;
	return length == search->length || path[length - search->length - 1] == '/' ||
	       *search->file == '/';
}

static bool unit_has_file(const struct line_search *search, Dwarf_Die *unit)
{
	Dwarf_Files *files;
	size_t n;

	if (dwarf_getsrcfiles(unit, &files, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (is_file(search, dwarf_filesrc(files, i, NULL, NULL)))
			return true;
	}
	return false;
}

// Whether the block around it, a function or an inlined copy of one, has no place yet.
static bool is_new_block(struct line_search *search, Dwarf_Die *unit, uint64_t value,
			 Dwarf_Die *block)
{
	Dwarf_Die blocks[BLOCKS_MAX];
	size_t n = block_chain(unit, value, blocks);

	while (n > 1 && dwarf_tag(&blocks[n - 1]) != DW_TAG_inlined_subroutine)
		n--;
	if (!n)
		return true; // nobody knows; better one stop too many
	*block = blocks[n - 1];
	for (size_t i = 0; i < search->nr_blocks; i++) {
		if (search->blocks[i] == block->addr)
			return false;
	}

	void **grown = realloc(search->blocks, (search->nr_blocks + 1) * sizeof(*grown));

	search->places->lacks_memory |= !grown;
	if (!grown)
		return false;
	search->blocks = grown;
	search->blocks[search->nr_blocks++] = block->addr;
	return true;
}

// The line of a function's head means its body, as its name does.
static void add_line(struct line_search *search, Dwarf_Die *block, uint64_t value)
{
	uint64_t entry;

	if (block->addr && dwarf_tag(block) == DW_TAG_subprogram && die_entry(block, &entry) &&
	    entry == value)
		add_function(search->places, block, false);
	else
		add(search->places, value,
		    block->addr && dwarf_tag(block) == DW_TAG_inlined_subroutine);
}

static void search_lines(struct line_search *search, Dwarf_Die *unit, bool collect)
{
	Dwarf_Lines *lines;
	size_t n;
	bool was = false; // the row before belongs to the line too

	if (dwarf_getsrclines(unit, &lines, &n))
		return;
	for (size_t i = 0; i < n; i++) {
		Dwarf_Line *row = dwarf_onesrcline(lines, i);
		Dwarf_Addr value;
		int line = 0;
		bool ends, starts, is;

		if (!row || dwarf_lineno(row, &line) || dwarf_lineaddr(row, &value) ||
		    dwarf_lineendsequence(row, &ends) || dwarf_linebeginstatement(row, &starts))
			continue;
		is = !ends && line >= search->wanted &&
		     is_file(search, dwarf_linesrc(row, NULL, NULL));
		if (is && !collect && starts && (!search->best || line < search->best) &&
		    image_has_code(search->places->loaded->image, value))
			search->best = line;
		is = is && collect && line == search->best;
		if (is && !was && starts) {
			Dwarf_Die block = { 0 };

			if (is_new_block(search, unit, value, &block))
				add_line(search, &block, value);
		}
		was = is;
	}
}

static struct dc_error *find_line(struct symbols *symbols, struct places *places, const char *file,
				  size_t length, int line)
{
	_cleanup_free_ char *name = strndup(file, length);
	struct line_search search = {
		.places = places, .file = name, .length = length, .wanted = line
	};
	bool has_file = false;

	if (!name)
		return &dc_out_of_memory;
	for (int collect = 0; collect < 2; collect++) {
		for (struct loaded *loaded = symbols->list; loaded; loaded = loaded->next) {
			enum effort effort = loaded->is_program ? EFFORT_DEBUG_FILE
								: EFFORT_OWN_FILE;
			struct units *info = loaded->seen ? module_dwarf(loaded, effort) : NULL;
			struct dc_error *err = info ? units_read(info) : NULL;

			if (err)
				return err;
			places->loaded = loaded;
			for (size_t i = 0; info && i < info->nr_units; i++) {
				if (!unit_has_file(&search, &info->units[i].die))
					continue;
				has_file = true;
				search_lines(&search, &info->units[i].die, collect);
			}
		}
	}
	free(search.blocks);
	if (places->n || places->lacks_memory)
		return NULL;
	if (!has_file)
		return error_make(DC_NAME, "no file \"%s\" in the program's line tables", name);
	return error_make(DC_NAME, "no code at line %d of %s or behind it", line, name);
}

// ---- all of them ----------------------------------------------------------------------------------

static int by_address(const void *a, const void *b)
{
	const struct code_place *left = a, *right = b;

	return left->addr < right->addr ? -1 : left->addr > right->addr;
}

static struct dc_error *find_address(struct symbols *symbols, struct places *places,
				     const char *text)
{
	char *end;

	errno = 0;

	uint64_t addr = strtoull(text, &end, 0);

	if (errno || end == text || *end)
		return error_make(DC_SYNTAX, "*%s is no address", text);
	places->loaded = symbols_at(symbols, addr);
	// Code made at run time is of no module.
	places->list = malloc(sizeof(*places->list));
	if (!places->list)
		return &dc_out_of_memory;
	places->list[places->n++] = (struct code_place){ .addr = addr };
	return NULL;
}

// "FILE:LINE"; a C++ name has its colons in pairs.
static bool is_line(const char *text, size_t *length, int *line)
{
	const char *colon = strrchr(text, ':');
	char *end;

	if (!colon || colon == text || colon[-1] == ':' || colon[1] < '0' || colon[1] > '9')
		return false;
	errno = 0;

	long number = strtol(colon + 1, &end, 10);

	if (*end || errno || number <= 0 || number > INT32_MAX)
		return false;
	*length = (size_t)(colon - text);
	*line = (int)number;
	return true;
}

struct dc_error *symbols_places(struct symbols *symbols, const char *text, struct code_place **ret,
				size_t *n)
{
	struct places places = { 0 };
	struct dc_error *err;
	size_t length;
	int line;

	if (*text == '*')
		err = find_address(symbols, &places, text + 1);
	else if (is_line(text, &length, &line))
		err = find_line(symbols, &places, text, length, line);
	else
		err = find_function(symbols, &places, text);
	if (!err && places.lacks_memory)
		err = &dc_out_of_memory;
	if (!err && !places.n)
		err = symbols_no_name("place", text);
	if (err) {
		free(places.list);
		return err;
	}
	qsort(places.list, places.n, sizeof(*places.list), by_address);
	*ret = places.list;
	*n = places.n;
	return NULL;
}

bool symbols_line_block(struct symbols *symbols, uint64_t addr, struct line_block *ret)
{
	struct loaded *loaded = symbols_at(symbols, addr);
	struct units *info = loaded ? module_dwarf(loaded, EFFORT_DEBUG_FILE) : NULL;
	uint64_t value = loaded ? addr - loaded->module.bias : 0;
	Dwarf_Lines *lines;
	Dwarf_Die unit;
	size_t n;

	if (!info || !units_at(info, value, &unit) || dwarf_getsrclines(&unit, &lines, &n))
		return false;

	bool open = false; // rows of one line, from ret->start on

	for (size_t i = 0; i < n; i++) {
		Dwarf_Line *row = dwarf_onesrcline(lines, i);
		Dwarf_Addr at;
		int line = 0;
		bool ends, starts;

		if (!row || dwarf_lineaddr(row, &at) || dwarf_lineno(row, &line) ||
		    dwarf_lineendsequence(row, &ends) || dwarf_linebeginstatement(row, &starts))
			return false;
		if (open && (ends || line != ret->line)) {
			ret->end = at;
			if (value >= ret->start && value < at) {
				ret->start += loaded->module.bias;
				ret->end += loaded->module.bias;
				return true;
			}
			open = false;
		}
		if (ends)
			continue;
		if (!open) {
			*ret = (struct line_block){ .start = at,
						    .line = line,
						    .file = dwarf_linesrc(row, NULL, NULL) };
			open = true;
		}
		ret->is_start |= at == value && starts;
	}
	return false;
}

uint64_t symbols_body(struct symbols *symbols, uint64_t entry)
{
	struct loaded *loaded = symbols_at(symbols, entry);
	struct units *info = loaded ? module_dwarf(loaded, EFFORT_DEBUG_FILE) : NULL;
	struct places places = { .loaded = loaded };
	uint64_t body = entry;
	Dwarf_Die die;

	if (info && units_function_at(info, entry - loaded->module.bias, &die))
		add_function(&places, &die, false);
	if (places.n)
		body = places.list[0].addr;
	free(places.list);
	return body;
}
