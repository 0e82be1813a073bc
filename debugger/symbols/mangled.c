// SPDX-License-Identifier: MIT
// Looking C++ names up by their symbols. The last part of a name stands in each mangled symbol as
// it is, so that only few need be read.
#include "debugger/symbols/mangled.h"
#include "debugger/base/cleanup.h"

#include <ctype.h>
#include <dlfcn.h>
#include <dwarf.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- demangling ----

typedef char *demangler(const char *name, char *buffer, size_t *length, int *status);
static demangler *demangle;

// The C++ library is where this comes from; programs without C++ names never load it.
static void find_demangler(void)
{
	void *library = dlopen("libstdc++.so.6", RTLD_NOW | RTLD_LOCAL);

	if (library)
		demangle = (demangler *)dlsym(library, "__cxa_demangle");
}

char *demangle_name(const char *symbol)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	// Back references make far more of a name than it is long; a damaged file could have any.
	enum { LENGTH_MAX = 2048 };
	size_t length = strcspn(symbol, "@");
	int status;

	if (strncmp(symbol, "_Z", 2) || length > LENGTH_MAX)
		return NULL;
	pthread_once(&once, find_demangler);
	if (!demangle)
		return NULL;

	_cleanup_free_ char *plain = strndup(symbol, length);

	return plain ? demangle(plain, NULL, NULL, &status) : NULL;
}

const char *shown_name(struct symbols *symbols, const char *name)
{
	_cleanup_free_ char *shown = demangle_name(name);
	const char *kept = shown ? types_strndup(symbols->types, shown, strlen(shown)) : NULL;

	return kept ? kept : name;
}

// ---- comparing ----

// What a user need not write: blanks, unnamed namespaces, ABI tags.
static void simplify(char *text)
{
	static const char unnamed[] = "(anonymous namespace)::", tag[] = "[abi:";
	char *out = text;

	for (const char *in = text; *in;) {
		if (!strncmp(in, unnamed, sizeof(unnamed) - 1)) {
			in += sizeof(unnamed) - 1;
		} else if (!strncmp(in, tag, sizeof(tag) - 1) && strchr(in, ']')) {
			in = strchr(in, ']') + 1;
		} else if (*in == ' ' && !(isalnum((unsigned char)in[1]) && out > text &&
					   isalnum((unsigned char)out[-1]))) {
			in++;
		} else {
			*out++ = *in++;
		}
	}
	*out = '\0';
}

// Backwards from a closing bracket to its opening one; NULL: there is none.
static char *opening(char *start, char *close)
{
	int depth = 0;

	for (char *at = close; at >= start; at--) {
		if (strchr(")>]", *at))
			depth++;
		else if (strchr("(<[", *at) && --depth == 0)
			return at;
	}
	return NULL;
}

// The name alone: no parameters, no qualifiers behind them, no result in front, which symbols of
// templates have.
static char *cut_to_name(char *text)
{
	char *close = strrchr(text, ')'), *open = close ? opening(text, close) : NULL;

	if (open && open > text)
		*open = '\0';
	if (strstr(text, "operator"))
		return text;
	for (char *at = text + strlen(text) - 1; at > text; at--) {
		if (strchr(")>]", *at)) {
			at = opening(text, at);
			if (!at)
				break;
		} else if (*at == ' ') {
			return at + 1;
		}
	}
	return text;
}

// The last part's template arguments, which a call need not name.
static void drop_arguments(char *name)
{
	size_t length = strlen(name);
	char *open = length && name[length - 1] == '>' && !strstr(name, "operator")
			     ? opening(name, name + length - 1)
			     : NULL;

	if (open)
		*open = '\0';
}

enum fit { FIT_NONE, FIT_TAIL, FIT_WHOLE };

static enum fit compare(const char *theirs, const char *wanted)
{
	size_t n = strlen(theirs), m = strlen(wanted);

	if (n < m || strcmp(theirs + n - m, wanted))
		return FIT_NONE;
	if (n == m)
		return FIT_WHOLE;
	return n >= m + 2 && !strncmp(theirs + n - m - 2, "::", 2) ? FIT_TAIL : FIT_NONE;
}

// wanted: "ns::f", "f", with template arguments or without, or whole, "ns::f(int)".
static enum fit fits(const char *shown, const char *wanted, unsigned int class)
{
	_cleanup_free_ char *text = strdup(shown);

	// What the compiler made beside the thing itself: "vtable for C", "virtual thunk to
	// C::f()".
	if (!text || strstr(text, " for ") || strstr(text, "thunk to "))
		return FIT_NONE;
	simplify(text);
	if (strchr(wanted, '(') || class != SYMBOL_CODE)
		return compare(text, wanted);

	char *name = cut_to_name(text);
	enum fit fit = compare(name, wanted);

	if (fit)
		return fit;
	drop_arguments(name);
	return compare(name, wanted);
}

bool symbols_is_named(const char *full, const char *name)
{
	size_t length = strlen(name);

	// Symbols of functions within functions are numbered: "inner.0".
	if (!strncmp(full, name, length) && full[length] == '.' && full[length + 1] &&
	    !full[length + 1 + strspn(full + length + 1, "0123456789")])
		return true;
	if (!strcmp(full, name) || !strchr(full, '('))
		return !strcmp(full, name);

	_cleanup_free_ char *wanted = strdup(name);

	if (!wanted)
		return false;
	simplify(wanted);
	return fits(full, wanted, SYMBOL_CODE) != FIT_NONE;
}

char *symbols_scope(struct symbols *symbols, const struct symbols_frame *frame)
{
	const char *function = frame && frame->pc ? symbols_describe(symbols, frame->pc).function
						  : NULL;
	_cleanup_free_ char *text = function ? strdup(function) : NULL;

	if (!text)
		return NULL;
	simplify(text);

	char *name = cut_to_name(text), *last = (char *)name_last_part(name);

	if (last < name + 3)
		return NULL;
	last[-2] = '\0';
	return strdup(name);
}

// ---- searching ----

struct wanted {
	char *name; // simplified
	char part[80]; // stands in every symbol of that name; "" when that is not sure
};

static void cleanup_wanted(struct wanted *wanted)
{
	free(wanted->name);
}

static bool wanted_init(struct wanted *wanted, const char *name)
{
	*wanted = (struct wanted){ .name = strdup(name) };

	_cleanup_free_ char *simple = strdup(name);

	if (!wanted->name || !simple)
		return false;
	simplify(wanted->name);
	simplify(simple);

	char *last = cut_to_name(simple);

	drop_arguments(last);
	last = (char *)name_last_part(last);

	size_t length = strspn(last,
			       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
	size_t before = (size_t)(last - simple);
	bool is_constructor = before >= length + 2 && !strncmp(last - length - 2, last, length);

	if (length && !last[length] && length < sizeof(wanted->part) - 8 && !is_constructor)
		snprintf(wanted->part, sizeof(wanted->part), "%zu%s", length, last);
	return true;
}

struct found {
	struct symbol *symbol;
	char **shown;
	enum fit *fit;
	size_t n, room;
};

static void cleanup_found(struct found *found)
{
	for (size_t i = 0; i < found->n; i++)
		free(found->shown[i]);
	free(found->symbol);
	free(found->shown);
	free(found->fit);
}

static bool add(struct found *found, const struct symbol *symbol, char *shown, enum fit fit)
{
	for (size_t i = 0; i < found->n; i++) {
		// Constructors have two symbols for one thing.
		if (found->symbol[i].value == symbol->value) {
			free(shown);
			return true;
		}
	}
	if (found->n == found->room) {
		size_t room = found->room ? found->room * 2 : 8;
		struct symbol *symbols = reallocarray(found->symbol, room, sizeof(*symbols));
		char **names = symbols ? reallocarray(found->shown, room, sizeof(*names)) : NULL;
		enum fit *fits = names ? reallocarray(found->fit, room, sizeof(*fits)) : NULL;

		found->symbol = symbols ? symbols : found->symbol;
		found->shown = names ? names : found->shown;
		found->fit = fits ? fits : found->fit;
		if (!fits) {
			free(shown);
			return false;
		}
		found->room = room;
	}
	found->symbol[found->n] = *symbol;
	found->shown[found->n] = shown;
	found->fit[found->n++] = fit;
	return true;
}

// The symbols of one module that fit best.
static bool search(struct loaded *loaded, const struct wanted *wanted, unsigned int classes,
		   struct found *found)
{
	module_need_tables(loaded);

	// Of the debug files only the program's own is opened for it.
	const struct symtab *debug = loaded->is_program ? module_debug_symtab(loaded) : NULL;
	const struct symtab *table = debug		? debug
				     : loaded->symtab.n ? &loaded->symtab
							: &loaded->dynsym;
	const struct image *image = debug ? loaded->debug_image : loaded->image;
	enum fit best = FIT_NONE;
	size_t kept = 0;

	for (size_t i = 1; i < table->n; i++) {
		struct symbol symbol;

		if (!symtab_get(table, image, i, &symbol) || !(symbol.class & classes) ||
		    strncmp(symbol.name, "_Z", 2) ||
		    // What the program has of a library's is the copy that is in use.
		    (symbol.is_old_version && !loaded->is_program) ||
		    (*wanted->part && !strstr(symbol.name, wanted->part)) ||
		    memchr(symbol.name, '.', strcspn(symbol.name, "@")))
			continue;

		char *shown = demangle_name(symbol.name);
		enum fit fit = shown ? fits(shown, wanted->name, symbol.class) : FIT_NONE;

		// A part of a name is enough for what is the program's own.
		if (fit == FIT_NONE || (fit == FIT_TAIL && !loaded->is_program)) {
			free(shown);
			continue;
		}
		if (!add(found, &symbol, shown, fit))
			return false;
		if (fit > best)
			best = fit;
	}
	for (size_t i = 0; i < found->n; i++) {
		if (found->fit[i] < best) {
			free(found->shown[i]);
			continue;
		}
		found->symbol[kept] = found->symbol[i];
		found->shown[kept] = found->shown[i];
		found->fit[kept++] = found->fit[i];
	}
	found->n = kept;
	return true;
}

static void drop_all(struct found *found)
{
	for (size_t i = 0; i < found->n; i++)
		free(found->shown[i]);
	found->n = 0;
}

// own: only what the program has under just that name.
static bool search_all(struct symbols *symbols, const char *name, unsigned int classes, bool own,
		       struct loaded **module, struct found *found)
{
	_cleanup_(cleanup_wanted) struct wanted wanted;

	if (!wanted_init(&wanted, name))
		return false;
	for (*module = symbols->list; *module && !found->n; *module = (*module)->next) {
		if ((*module)->seen && (*module)->image &&
		    !search(*module, &wanted, classes, found))
			return false;
		if (own && found->n && found->fit[0] != FIT_WHOLE)
			drop_all(found);
		if (found->n || own)
			return true;
	}
	return true;
}

struct dc_error *mangled_find_data(struct symbols *symbols, const char *name,
				   struct loaded **module, struct symbol *ret, bool *done)
{
	enum { MAX_SHOWN = 8 };
	_cleanup_(cleanup_found) struct found found = { 0 };
	struct dc_error *err;

	*done = false;
	if (!search_all(symbols, name, SYMBOL_DATA | SYMBOL_TLS, false, module, &found))
		return &dc_out_of_memory;
	*done = found.n > 0;
	if (found.n == 1)
		*ret = found.symbol[0];
	if (found.n < 2)
		return NULL;
	err = error_make(DC_VALUE, "\"%s\" is ambiguous: several variables have that name", name);
	for (size_t i = 0; i < found.n && i < MAX_SHOWN; i++)
		err = error_note(err, "one is '%s'", found.shown[i]);
	return err;
}

struct dc_error *symbols_overloads(struct symbols *symbols, const char *name,
				   const struct function **ret, size_t *n)
{
	_cleanup_(cleanup_found) struct found found = { 0 };
	struct loaded *module, *plain;
	struct symbol symbol;
	size_t nr_locals;
	struct function *list;

	*n = 0;
	// A name that is a symbol's is C's, but for one that a library has and the program uses for
	// something of its own: free(long) is not libc's.
	bool is_c = symbols_find(symbols, NULL, name, SYMBOL_CODE | SYMBOL_DATA | SYMBOL_TLS,
				 &plain, &symbol, &nr_locals);

	if (is_c && plain->is_program)
		return NULL;
	if (!search_all(symbols, name, SYMBOL_CODE, is_c, &module, &found))
		return &dc_out_of_memory;
	if (!found.n)
		return NULL;
	list = types_alloc(symbols->types, found.n * sizeof(*list));
	if (!list)
		return &dc_out_of_memory;
	for (size_t i = 0; i < found.n; i++) {
		struct dc_error *err = function_from_symbol(symbols, module, &found.symbol[i],
							    &list[i]);

		if (err)
			return err;
		symbols_function_type(symbols, &list[i]);
		list[i].name = types_strndup(symbols->types, found.shown[i],
					     strlen(found.shown[i]));
		if (!list[i].name)
			return &dc_out_of_memory;
	}
	*ret = list;
	*n = found.n;
	return NULL;
}

// ---- methods ----

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

		if (its && !strcmp(its, name))
			err = make_method(symbols, &child, name, &list[(*n)++]);
	}
	return err;
}
