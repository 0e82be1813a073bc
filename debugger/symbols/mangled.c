// SPDX-License-Identifier: MIT
// Looking C++ names up by their symbols. The last part of a name stands in each mangled symbol as
// it is, so that only few need be read.
#include "debugger/symbols/mangled.h"
#include "debugger/base/cleanup.h"

#include <ctype.h>
#include <dlfcn.h>
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

// ---- operators ----

// What mangled names have for it; some serve for two.
static const struct {
	const char *symbol, *codes[2];
} operators[] = {
	{ "()", { "cl" } },	 { "[]", { "ix" } },	  { "->*", { "pm" } },
	{ "->", { "pt" } },	 { "<=>", { "ss" } },	  { "<<=", { "lS" } },
	{ ">>=", { "rS" } },	 { "<<", { "ls" } },	  { ">>", { "rs" } },
	{ "<=", { "le" } },	 { ">=", { "ge" } },	  { "==", { "eq" } },
	{ "!=", { "ne" } },	 { "&&", { "aa" } },	  { "||", { "oo" } },
	{ "++", { "pp" } },	 { "--", { "mm" } },	  { "+=", { "pL" } },
	{ "-=", { "mI" } },	 { "*=", { "mL" } },	  { "/=", { "dV" } },
	{ "%=", { "rM" } },	 { "^=", { "eO" } },	  { "&=", { "aN" } },
	{ "|=", { "oR" } },	 { "+", { "pl", "ps" } }, { "-", { "mi", "ng" } },
	{ "*", { "ml", "de" } }, { "/", { "dv" } },	  { "%", { "rm" } },
	{ "^", { "eo" } },	 { "&", { "an", "ad" } }, { "|", { "or" } },
	{ "~", { "co" } },	 { "!", { "nt" } },	  { "=", { "aS" } },
	{ "<", { "lt" } },	 { ">", { "gt" } },	  { ",", { "cm" } },
};
enum { NR_OPERATORS = sizeof(operators) / sizeof(*operators) };

// The one whose symbol this begins with and ends there, or goes on with arguments of a template or
// parameters; NR_OPERATORS: none.
static size_t operator_at(const char *at)
{
	size_t i = 0;

	for (; i < NR_OPERATORS; i++) {
		size_t length = strlen(operators[i].symbol);

		if (!strncmp(at, operators[i].symbol, length) && strchr("(<", at[length]))
			break;
	}
	return i;
}

// "ns::operator==" of "bool ns::operator==<int>(ns::A<int> const&, int)", simplified: the name of an
// operator, where it is one. NULL: it is none.
static char *cut_to_operator(char *text)
{
	static const char word[] = "operator";
	char *at = NULL, *start;
	size_t which;

	for (char *next = text; (next = strstr(next, word)); next++) {
		if (next == text || next[-1] == ':' || next[-1] == ' ')
			at = next;
	}
	if (!at)
		return NULL;
	which = operator_at(at + sizeof(word) - 1);
	if (which == NR_OPERATORS)
		return NULL;
	at[sizeof(word) - 1 + strlen(operators[which].symbol)] = '\0';
	for (start = at; start > text && start[-1] != ' '; start--) {
		if (!strchr(")>]", start[-1]))
			continue;
		start = opening(text, start - 1);
		if (!start)
			return NULL;
		start++;
	}
	return start;
}

static enum fit fits_operator(const char *shown, const char *wanted)
{
	_cleanup_free_ char *text = strdup(shown);
	char *name;

	if (!text || strstr(text, "thunk to "))
		return FIT_NONE;
	simplify(text);
	name = cut_to_operator(text);
	return name && !strcmp(name, wanted) ? FIT_WHOLE : FIT_NONE;
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
	const char *const
		*codes; // of an operator or constructor: one of them does; NULL: it is none
	bool is_operator;
};

// Whether the symbol may be one of the name.
static bool may_be(const struct wanted *wanted, const char *symbol)
{
	if (!wanted->codes)
		return !*wanted->part || strstr(symbol, wanted->part);
	return strstr(symbol, wanted->codes[0]) ||
	       (wanted->codes[1] && strstr(symbol, wanted->codes[1]));
}

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
		    !may_be(wanted, symbol.name) ||
		    memchr(symbol.name, '.', strcspn(symbol.name, "@")))
			continue;

		char *shown = demangle_name(symbol.name);
		enum fit fit = !shown		     ? FIT_NONE
			       : wanted->is_operator ? fits_operator(shown, wanted->name)
						     : fits(shown, wanted->name, symbol.class);

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

static struct dc_error *make_functions(struct symbols *symbols, struct loaded *module,
				       const struct found *found, const struct function **ret,
				       size_t *n)
{
	struct function *list;

	if (!found->n)
		return NULL;
	list = types_alloc(symbols->types, found->n * sizeof(*list));
	if (!list)
		return &dc_out_of_memory;
	for (size_t i = 0; i < found->n; i++) {
		struct dc_error *err = function_from_symbol(symbols, module, &found->symbol[i],
							    &list[i]);

		if (err)
			return err;
		symbols_function_type(symbols, &list[i]);
		list[i].name = types_strndup(symbols->types, found->shown[i],
					     strlen(found->shown[i]));
		if (!list[i].name)
			return &dc_out_of_memory;
	}
	*ret = list;
	*n = found->n;
	return NULL;
}

struct dc_error *symbols_overloads(struct symbols *symbols, const char *name,
				   const struct function **ret, size_t *n)
{
	_cleanup_(cleanup_found) struct found found = { 0 };
	struct loaded *module, *plain;
	struct symbol symbol;
	size_t nr_locals;

	*n = 0;
	// A name that is a symbol's is C's, but for one that a library has and the program uses for
	// something of its own: free(long) is not libc's.
	bool is_c = symbols_find(symbols, NULL, name, SYMBOL_CODE | SYMBOL_DATA | SYMBOL_TLS,
				 &plain, &symbol, &nr_locals);

	if (is_c && plain->is_program)
		return NULL;
	if (!search_all(symbols, name, SYMBOL_CODE, is_c, &module, &found))
		return &dc_out_of_memory;
	return make_functions(symbols, module, &found, ret, n);
}

struct dc_error *symbols_operators(struct symbols *symbols, const char *name,
				   const struct function **ret, size_t *n)
{
	_cleanup_(cleanup_found) struct found found = { 0 };
	const char *symbol = strstr(name, "operator");
	_cleanup_free_ char *with_end = NULL;
	struct loaded *module;

	*n = 0;
	symbol = symbol ? symbol + strlen("operator") : "";
	if (asprintf(&with_end, "%s(", symbol) < 0)
		return &dc_out_of_memory;

	size_t which = operator_at(with_end);
	struct wanted wanted = { .name = (char *)name, .is_operator = true };

	if (which == NR_OPERATORS)
		return NULL;
	wanted.codes = operators[which].codes;
	for (module = symbols->list; module && !found.n; module = found.n ? module : module->next) {
		if (module->seen && module->image && !search(module, &wanted, SYMBOL_CODE, &found))
			return &dc_out_of_memory;
	}
	return make_functions(symbols, module, &found, ret, n);
}

struct dc_error *mangled_find_constructors(struct symbols *symbols, const char *name, bool is_whole,
					   const struct function **ret, size_t *n)
{
	static const char *const codes[2][2] = { { "C2E", "C2I" }, { "C1E", "C1I" } };
	_cleanup_(cleanup_found) struct found found = { 0 };
	_cleanup_free_ char *simple = strdup(name);
	struct loaded *module;

	*n = 0;
	if (!simple)
		return &dc_out_of_memory;
	simplify(simple);

	const struct wanted wanted = { .name = simple, .codes = codes[is_whole] };

	for (module = symbols->list; module && !found.n; module = found.n ? module : module->next) {
		if (module->seen && module->image && !search(module, &wanted, SYMBOL_CODE, &found))
			return &dc_out_of_memory;
	}
	return make_functions(symbols, module, &found, ret, n);
}

// "ns::P<int>::P(ns::P<int> const&)", simplified; malloc'd.
static char *special_name(const char *class, enum special_kind kind)
{
	const char *last = symbols_last_part(class);
	int length = (int)strcspn(last, "<");
	char *name = NULL;
	int n = kind == OBJECT_DESTROY ? asprintf(&name, "%s::~%.*s()", class, length, last)
				       : asprintf(&name, "%s::%.*s(%s%s)", class, length, last,
						  class, kind == OBJECT_COPY ? " const&" : "&&");

	if (n < 0)
		return NULL;
	simplify(name);
	return name;
}

static bool is_special(const char *symbol, const char *wanted, enum special_kind kind,
		       bool is_whole)
{
	static const char *const marks[][2] = { [OBJECT_COPY] = { "C1ERK", "C2ERK" },
						[OBJECT_MOVE] = { "C1EO", "C2EO" },
						[OBJECT_DESTROY] = { "D1Ev", "D2Ev" } };

	if (strncmp(symbol, "_Z", 2) != 0 ||
	    (!strstr(symbol, marks[kind][0]) && (is_whole || !strstr(symbol, marks[kind][1]))))
		return false;

	_cleanup_free_ char *shown = demangle_name(symbol);

	if (!shown)
		return false;
	simplify(shown);
	return !strcmp(shown, wanted);
}

bool mangled_find_special(struct symbols *symbols, const char *class, enum special_kind kind,
			  bool is_whole, struct function *ret)
{
	_cleanup_free_ char *wanted = special_name(class, kind);

	for (struct loaded *loaded = symbols->list; wanted && loaded; loaded = loaded->next) {
		const struct symtab *table;
		struct symbol symbol;

		if (!loaded->seen || !loaded->image)
			continue;
		module_need_tables(loaded);
		table = loaded->symtab.n ? &loaded->symtab : &loaded->dynsym;
		for (size_t i = 1; i < table->n; i++) {
			if (!symtab_get(table, loaded->image, i, &symbol) ||
			    !(symbol.class & SYMBOL_CODE) ||
			    !is_special(symbol.name, wanted, kind, is_whole))
				continue;

			_cleanup_error_ struct dc_error *err = function_from_symbol(symbols, loaded,
										    &symbol, ret);

			ret->name = shown_name(symbols, symbol.name);
			return !err;
		}
	}
	return false;
}

char *symbols_type_name(const char *mangled)
{
	static const char prefix[] = "typeinfo name for ";
	_cleanup_free_ char *symbol = NULL;
	char *shown;

	if (asprintf(&symbol, "_ZTS%s", mangled) < 0) {
		symbol = NULL;
		return NULL;
	}
	shown = demangle_name(symbol);
	if (shown && !strncmp(shown, prefix, sizeof(prefix) - 1))
		memmove(shown, shown + sizeof(prefix) - 1, strlen(shown) + 2 - sizeof(prefix));
	return shown;
}

bool symbols_type_info(struct symbols *symbols, const char *type, uint64_t *addr)
{
	static const char mangled[] = "_ZTI", prefix[] = "typeinfo for ";
	_cleanup_free_ char *wanted = strdup(type);

	if (!wanted)
		return false;
	simplify(wanted);
	for (struct loaded *loaded = symbols->list; loaded; loaded = loaded->next) {
		const struct symtab *table;

		if (!loaded->seen || !loaded->image)
			continue;
		module_need_tables(loaded);
		table = loaded->symtab.n ? &loaded->symtab : &loaded->dynsym;
		for (size_t i = 1; i < table->n; i++) {
			struct symbol symbol;

			if (!symtab_get(table, loaded->image, i, &symbol) ||
			    strncmp(symbol.name, mangled, sizeof(mangled) - 1) != 0)
				continue;

			_cleanup_free_ char *shown = demangle_name(symbol.name);

			if (!shown || strncmp(shown, prefix, sizeof(prefix) - 1) != 0)
				continue;
			simplify(shown + sizeof(prefix) - 1);
			if (strcmp(shown + sizeof(prefix) - 1, wanted) != 0)
				continue;
			*addr = symbol.value + loaded->module.bias;
			return true;
		}
	}
	return false;
}

const char *symbols_last_part(const char *name)
{
	return name_last_part(name);
}
