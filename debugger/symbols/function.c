// SPDX-License-Identifier: MIT
// Functions by name: the symbol tables say where one is, the unit at that address what it takes.
#include "debugger/symbols/mangled.h"
#include "debugger/base/cleanup.h"
#include "debugger/symbols/dwarf/entry.h"

#include <dwarf.h>
#include <string.h>

// ---- from a DIE or a symbol to a function ----

// Compilers mark what they rewrote: such a copy takes other arguments than its source says. What
// they only made local, or gave a second name, still is what it was (.lto_priv, .localalias, .llvm).
static const char *clone_suffix(const char *name)
{
	static const char *const marks[] = { ".constprop", ".isra", ".part", ".cold" };

	for (const char *dot = strchr(name, '.'); dot; dot = strchr(dot + 1, '.')) {
		for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
			size_t length = strlen(marks[i]);

			if (!strncmp(dot, marks[i], length) && strchr(".@", dot[length]))
				return dot;
		}
	}
	return NULL;
}

// Not even a copy: a piece of a function that only that one jumps to.
static bool is_piece(const char *suffix)
{
	return strstr(suffix, ".part") || strstr(suffix, ".cold");
}

static const char *clone_reason(struct symbols *symbols, const char *suffix)
{
	return symbols_text(symbols,
			    "it is a copy (%s) that the compiler made for some callers; its "
			    "arguments are not the source's",
			    suffix);
}

// The symbols at an address, of which one that is no copy's wins. false: there are none.
static bool symbol_at_entry(struct loaded *loaded, uint64_t value, struct symbol *ret)
{
	module_need_tables(loaded);

	bool has_debug = loaded->is_program || loaded->dwarf_is_separate;
	const struct symtab *debug = loaded->symtab.n || !has_debug ? NULL
								    : module_debug_symtab(loaded);
	const struct symtab *table = debug ? debug : &loaded->symtab;
	const struct image *image = debug ? loaded->debug_image : loaded->image;
	bool found = false;

	for (size_t i = 1; i < table->n; i++) {
		struct symbol symbol;
		Elf64_Sym sym;

		memcpy(&sym, table->symbols + i * sizeof(sym), sizeof(sym));
		if (sym.st_value != value || !symtab_get(table, image, i, &symbol) ||
		    symbol.class != SYMBOL_CODE)
			continue;
		if (!found || (clone_suffix(ret->name) && !clone_suffix(symbol.name)) ||
		    (symbol.is_global && !ret->is_global && !clone_suffix(symbol.name)))
			*ret = symbol;
		found = true;
	}
	return found;
}

static const char *why_no_call(struct symbols *symbols, Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	Dwarf_Word convention;

	if (die_language(die) == SOURCE_GO && die_flag(die, DW_AT_trampoline))
		return "it is a wrapper that the compiler made, whose parameters the debug "
		       "information does not tell";
	if (!dwarf_attr_integrate(die, DW_AT_calling_convention, &attr) ||
	    dwarf_formudata(&attr, &convention) || convention == DW_CC_normal ||
	    convention == DW_CC_program)
		return NULL;
	if (convention == DW_CC_nocall)
		return "the compiler changed its calling convention";
	return symbols_text(symbols, "it has a calling convention of its own (0x%x)",
			    (unsigned int)convention);
}

// Whose calls the function's are.
static enum source_language language_of(Dwarf_Die *die)
{
	enum source_language language = die_language(die);

	// What Rust exports without mangling its name is exported to be called from C.
	return language == SOURCE_RUST && !dwarf_hasattr_integrate(die, DW_AT_linkage_name)
		       ? SOURCE_C
		       : language;
}

void function_add_type(struct symbols *symbols, Dwarf_Die *die, struct function *function)
{
	// An assembler's DIE has a name and an address and knows nothing about parameters. The DIE
	// at an IFUNC's address is the resolver's.
	if (function->is_ifunc || die_language(die) == SOURCE_ASSEMBLER)
		return;
	function->language = language_of(die);

	function->is_local = entry_is_local(die, function->is_global);
	function->is_optimized = entry_is_optimized(die);

	const struct type *type = type_from_die(symbols->types, die);

	if (type->kind == TYPE_FUNCTION)
		function->type = type;
	if (!function->no_call)
		function->no_call = why_no_call(symbols, die);
}

struct dc_error *function_from_symbol(struct symbols *symbols, struct loaded *loaded,
				      const struct symbol *symbol, struct function *ret)
{
	const char *name = symbols_plain_name(symbols, symbol->name), *suffix;

	if (!name)
		return &dc_out_of_memory;
	*ret = (struct function){ .name = name,
				  .addr = loaded->module.bias + symbol->value,
				  .size = symbol->size,
				  .module = &loaded->module,
				  .is_ifunc = symbol->is_ifunc,
				  .is_global = symbol->is_global };
	suffix = clone_suffix(name);
	// Without debug information the package in its name tells a Go function.
	if (loaded->go && strchr(name, '.'))
		ret->language = SOURCE_GO;
	else if (suffix)
		ret->no_call = clone_reason(symbols, suffix);
	return NULL;
}

static void find_type(struct symbols *symbols, enum effort effort, struct function *function)
{
	struct loaded *loaded = loaded_of(function->module);
	struct units *info = module_dwarf(loaded, effort);
	Dwarf_Die die;

	if (!function->type && info &&
	    units_function_at(info, function->addr - loaded->module.bias, &die))
		function_add_type(symbols, &die, function);
}

// The program's own debug file is opened at once, a library's only by symbols_function_type().
static struct dc_error *describe(struct symbols *symbols, struct loaded *loaded,
				 const struct symbol *symbol, struct function *ret)
{
	struct dc_error *err = function_from_symbol(symbols, loaded, symbol, ret);

	if (!err)
		find_type(symbols, loaded->is_program ? EFFORT_DEBUG_FILE : EFFORT_OWN_FILE, ret);
	return err;
}

void symbols_function_type(struct symbols *symbols, struct function *function)
{
	uint64_t bound = function->is_ifunc ? symbols_bound_ifunc(symbols, function) : 0;

	if (!function->is_ifunc) {
		find_type(symbols, EFFORT_DEBUG_FILE, function);
	} else if (bound) {
		// The name has no parameters of its own: what it was bound to has.
		struct function target = *function;

		target.is_ifunc = false;
		target.addr = bound;
		find_type(symbols, EFFORT_DEBUG_FILE, &target);
		function->type = target.type;
	}
}

// ---- by symbol ----

// A stripped module's names are seen through its exports alone, so it has no say over the
// program's.
static bool is_own_scope(struct loaded *loaded)
{
	if (!loaded->image)
		return false;
	module_need_tables(loaded);
	return loaded->symtab.n > 0;
}

static bool find_in(struct loaded *loaded, const char *name, unsigned int classes,
		    bool globals_only, struct symbol *ret, size_t *nr_locals)
{
	*nr_locals = 0;
	if (!loaded->seen || !loaded->image)
		return false;
	module_need_tables(loaded);
	// .gnu.hash answers at once; .symtab must be read from end to end.
	if (loaded->dynsym.n &&
	    symtab_find(&loaded->dynsym, loaded->image, name, classes, ret, nr_locals) &&
	    ret->is_global)
		return true;
	if (!loaded->symtab.n ||
	    !symtab_find(&loaded->symtab, loaded->image, name, classes, ret, nr_locals))
		return false;
	return ret->is_global || !globals_only;
}

bool symbols_find(struct symbols *symbols, const struct symbols_frame *frame, const char *name,
		  unsigned int classes, struct loaded **module, struct symbol *ret,
		  size_t *nr_locals)
{
	struct loaded *own = frame && frame->pc ? symbols_at(symbols, frame->pc) : NULL;

	if (own && !is_own_scope(own))
		own = NULL;
	// The program's names, its statics too, come before any library's: they are what is meant.
	for (int pass = 0; pass < 2; pass++) {
		struct loaded *first = pass ? symbols->list : own;

		*module = first;
		if (first && (pass == 0 || first != own) &&
		    find_in(first, name, classes, false, ret, nr_locals))
			return true;
	}
	for (int locals = 0; locals < 2; locals++) {
		for (struct loaded *loaded = symbols->list; loaded; loaded = loaded->next) {
			*module = loaded;
			if (find_in(loaded, name, classes, !locals, ret, nr_locals))
				return true;
		}
	}
	return false;
}

// ---- by DIE ----

struct found_die {
	struct loaded *loaded;
	Dwarf_Die die;
	uint64_t entry;
	size_t nr, nr_inlined;
	struct symbol symbol; // at entry; without a name: there is none
};

// Of what a name has, a body that the source's callers can call comes before copies for some of
// them. false: the one at hand stays.
static bool is_better(const struct found_die *found, const struct symbol *symbol)
{
	const char *theirs = found->symbol.name;

	return theirs && clone_suffix(theirs) && !(symbol->name && clone_suffix(symbol->name));
}

static bool take_function(Dwarf_Die *die, Dwarf_Die *parent, void *arg)
{
	struct found_die *found = arg;
	uint64_t entry;

	if (die_is_declaration(die)) {
		// A method without a symbol: its class tells that there is one.
		int tag = dwarf_tag(parent);

		found->nr_inlined += tag == DW_TAG_class_type || tag == DW_TAG_structure_type ||
				     tag == DW_TAG_union_type;
		return true;
	}
	if (!die_entry(die, &entry)) {
		found->nr_inlined += dwarf_func_inline(die);
		return true;
	}
	// What the linker dropped is described at an address of nothing.
	if (!image_has_code(found->loaded->image, entry) || (found->nr && found->entry == entry))
		return true;

	struct symbol symbol = { 0 };
	const char *suffix = symbol_at_entry(found->loaded, entry, &symbol)
				     ? clone_suffix(symbol.name)
				     : NULL;

	if (suffix && is_piece(suffix)) {
		found->nr_inlined++;
		return true;
	}
	if (found->nr && is_better(found, &symbol))
		found->nr = 0;
	else if (found->nr && suffix)
		return true;
	found->die = *die;
	found->entry = entry;
	found->symbol = symbol;
	found->nr++;
	return true;
}

static struct dc_error *from_die(struct symbols *symbols, struct found_die *found, const char *name,
				 struct function *ret)
{
	const char *its = dwarf_diename(&found->die), *symbol_name = found->symbol.name;
	struct symbol symbol = { .name = its ? its : name,
				 .value = found->entry,
				 .is_global = symbol_name ? found->symbol.is_global
							  : dwarf_hasattr_integrate(
								    &found->die, DW_AT_external) };
	Dwarf_Addr high;

	if (!dwarf_highpc(&found->die, &high) && high > found->entry)
		symbol.size = high - found->entry;

	struct dc_error *err = function_from_symbol(symbols, found->loaded, &symbol, ret);

	if (err)
		return err;
	if (symbol_name && clone_suffix(symbol_name))
		ret->no_call = clone_reason(symbols, clone_suffix(symbol_name));
	function_add_type(symbols, &found->die, ret);
	return NULL;
}

static struct dc_error *ambiguous(struct loaded *loaded, const char *name)
{
	return symbols_ambiguous(loaded, WANT_FUNCTION, "function", name);
}

// The frame's own unit, where a static function comes before any other.
static struct dc_error *find_in_unit(struct symbols *symbols, const struct symbols_frame *frame,
				     const char *name, struct function *ret, bool *done)
{
	struct found_die found = { .nr = 0 };
	struct loaded *loaded;
	Dwarf_Die unit;

	*done = false;
	// C++ names are told apart by their symbols.
	if (!symbols_unit(symbols, frame, EFFORT_OWN_FILE, &loaded, &unit) ||
	    die_language(&unit) == SOURCE_CXX)
		return NULL;
	found.loaded = loaded;

	struct dc_error *err = units_find(loaded->info, &unit, name, WANT_FUNCTION, take_function,
					  &found);

	if (err || !found.nr)
		return err;
	*done = true;
	return found.nr > 1 ? ambiguous(loaded, name) : from_die(symbols, &found, name, ret);
}

// file NULL: in all.
static struct dc_error *find_by_dwarf(struct symbols *symbols, const char *file, const char *name,
				      enum effort effort, struct function *ret, bool *done,
				      bool *inlined)
{
	*done = false;
	for (struct loaded *loaded = symbols->list; loaded; loaded = loaded->next) {
		struct found_die found = { .loaded = loaded };
		bool had = loaded->info;
		struct units *info = loaded->seen ? module_dwarf_naming(loaded, effort, name)
						  : NULL;

		// What the first pass has searched need not be searched again.
		if (!info || (effort == EFFORT_DEBUG_FILE && had && !loaded->dwarf_is_separate))
			continue;

		struct dc_error *err = file ? units_find_in_file(info, file, name, WANT_FUNCTION,
								 take_function, &found)
					    : units_find(info, NULL, name, WANT_FUNCTION,
							 take_function, &found);

		if (err)
			return err;
		*inlined |= found.nr_inlined > 0;
		if (!found.nr)
			continue;
		*done = true;
		return found.nr > 1 ? ambiguous(loaded, name)
				    : from_die(symbols, &found, name, ret);
	}
	return NULL;
}

static struct dc_error *no_function(const char *name, bool inlined)
{
	if (inlined)
		return error_make(
			DC_VALUE,
			"\"%s\" was inlined everywhere, or never used: there is no code to "
			"call",
			name);
	return symbols_no_name("function", name);
}

struct dc_error *symbols_function_in_file(struct symbols *symbols, const char *file,
					  const char *name, struct function *ret)
{
	bool done, inlined = false;
	struct dc_error *err = find_by_dwarf(symbols, file, name, EFFORT_OWN_FILE, ret, &done,
					     &inlined);

	if (!err && !done)
		err = find_by_dwarf(symbols, file, name, EFFORT_DEBUG_FILE, ret, &done, &inlined);
	if (err || done)
		return err;
	return no_function(name, inlined);
}

static struct dc_error *find_overload(struct symbols *symbols, const char *name,
				      struct function *ret, bool *done)
{
	enum { MAX_SHOWN = 8 };
	const struct function *list;
	size_t n;
	struct dc_error *err = symbols_overloads(symbols, name, &list, &n);

	*done = !err && n > 0;
	if (!err && n == 1)
		*ret = list[0];
	if (err || n < 2)
		return err;
	err = error_make(DC_VALUE, "\"%s\" is overloaded, and there are no arguments to choose by",
			 name);
	for (size_t i = 0; i < n && i < MAX_SHOWN; i++)
		err = error_note(err, "one is '%s'", list[i].name);
	return err;
}

static bool is_in(const struct loaded *loaded, const struct symbols_frame *frame)
{
	return frame && frame->pc && module_contains(loaded, frame->pc);
}

struct dc_error *symbols_lookup_function(struct symbols *symbols, const struct symbols_frame *frame,
					 const char *name, struct function *ret)
{
	struct loaded *loaded;
	struct symbol symbol;
	size_t nr_locals;
	bool done, inlined = false;
	struct dc_error *err = find_in_unit(symbols, frame, name, ret, &done);

	if (err || done)
		return err;
	if (symbols_find(symbols, frame, name, SYMBOL_CODE, &loaded, &symbol, &nr_locals)) {
		// What the program calls so in C++ comes before a library's function.
		if (!loaded->is_program && !is_in(loaded, frame))
			err = find_overload(symbols, name, ret, &done);
		if (err || done)
			return err;
		if (!symbol.is_global && nr_locals > 1)
			return ambiguous(loaded, name);
		return describe(symbols, loaded, &symbol, ret);
	}
	// C++ names are mangled in symbol tables, and a table may be stripped while DWARF stays.
	err = find_overload(symbols, name, ret, &done);
	if (!err && !done)
		err = find_by_dwarf(symbols, NULL, name, EFFORT_OWN_FILE, ret, &done, &inlined);
	if (err || done)
		return err;
	for (loaded = symbols_is_own(symbols, frame, name) ? NULL : symbols->list; loaded;
	     loaded = loaded->next) {
		const struct symtab *debug = loaded->seen ? module_debug_symtab(loaded) : NULL;

		if (debug && symtab_find(debug, loaded->debug_image, name, SYMBOL_CODE, &symbol,
					 &nr_locals)) {
			if (!symbol.is_global && nr_locals > 1)
				return ambiguous(loaded, name);
			return describe(symbols, loaded, &symbol, ret);
		}
	}
	if (!inlined && !symbols_is_own(symbols, frame, name))
		err = find_by_dwarf(symbols, NULL, name, EFFORT_DEBUG_FILE, ret, &done, &inlined);
	if (err || done)
		return err;
	return no_function(name, inlined);
}

bool symbols_named_function(struct symbols *symbols, const char *name, struct function *ret)
{
	struct loaded *loaded;
	struct symbol symbol;
	size_t nr_locals;

	if (!symbols_find(symbols, NULL, name, SYMBOL_CODE, &loaded, &symbol, &nr_locals))
		return false;

	struct dc_error *err = function_from_symbol(symbols, loaded, &symbol, ret);

	dc_error_destroy(err);
	return !err;
}

bool symbols_function_at(struct symbols *symbols, uint64_t addr, struct function *ret)
{
	struct loaded *loaded = symbols_at(symbols, addr);
	struct symbol symbol;
	struct dc_error *err;

	if (!loaded || !loaded->image ||
	    !symbol_at_entry(loaded, addr - loaded->module.bias, &symbol))
		return false;
	err = function_from_symbol(symbols, loaded, &symbol, ret);
	if (!err) {
		ret->name = shown_name(symbols, ret->name);
		find_type(symbols, EFFORT_OWN_FILE, ret);
	}
	dc_error_destroy(err);
	return !err;
}
