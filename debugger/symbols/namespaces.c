// SPDX-License-Identifier: MIT
// C++: what namespaces take from one another: inline namespaces, using-directives and -declarations,
// and namespaces with a second name. Symbols are named by none of these.
#include "debugger/base/cleanup.h"
#include "debugger/symbols/dwarf/block.h"
#include "debugger/symbols/mangled.h"

#include <dwarf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct names {
	struct symbols *symbols;
	const char **list;
	size_t n;
	const char *whole, *rest; // the name; what of it is to be found in the scopes at hand
	bool declared_only; // using-declarations alone
};

static void keep_name(struct names *names, const char *scope, const char *rest)
{
	const char *name = names->n < OTHER_NAMES_MAX
				   ? symbols_text(names->symbols, "%s%s%s", scope,
						  *rest && *rest != '<' && *rest != ':' ? "::" : "",
						  rest)
				   : NULL;

	for (size_t i = 0; name && i < names->n; i++) {
		if (!strcmp(names->list[i], name))
			return;
	}
	if (name)
		names->list[names->n++] = name;
}

// "ns::C" of a DIE with the scopes around it; unnamed ones are written by nobody. malloc'd.
static char *path_of(Dwarf_Die *die)
{
	Dwarf_Die *scopes = NULL, declared = *die;
	Dwarf_Attribute attr;

	// A definition stands outside of the scope that its declaration is in.
	if (dwarf_attr(die, DW_AT_specification, &attr))
		dwarf_formref_die(&attr, &declared);

	int n = dwarf_getscopes_die(&declared, &scopes);
	char *path = n > 0 ? strdup("") : NULL;

	for (int i = n; path && i-- > 0;) {
		const char *name = dwarf_tag(&scopes[i]) == DW_TAG_compile_unit ||
						   dwarf_tag(&scopes[i]) == DW_TAG_partial_unit ||
						   dwarf_tag(&scopes[i]) == DW_TAG_type_unit
					   ? NULL
					   : dwarf_diename(&scopes[i]);
		char *longer = NULL;

		if (!name)
			continue;
		if (asprintf(&longer, "%s%s%s", path, *path ? "::" : "", name) < 0)
			longer = NULL;
		free(path);
		path = longer;
	}
	free(scopes);
	return path;
}

static bool imported_by(Dwarf_Die *die, Dwarf_Die *ret)
{
	Dwarf_Attribute attr;

	return dwarf_attr(die, DW_AT_import, &attr) && dwarf_formref_die(&attr, ret);
}

// The first part of "a::b", "a<int>", "a(int)".
static size_t first_part(const char *name)
{
	return strcspn(name, ":<(");
}

// A using-declaration, or another name for a namespace, where it is what the rest begins with.
static void take_declared(struct names *names, Dwarf_Die *die)
{
	Dwarf_Die imported;
	size_t length = first_part(names->rest);
	const char *its = imported_by(die, &imported) ? dwarf_diename(die) : NULL;

	if (!its && dwarf_hasattr(die, DW_AT_import))
		its = dwarf_diename(&imported);
	if (!its || strlen(its) != length || strncmp(its, names->rest, length) != 0)
		return;

	_cleanup_free_ char *path = path_of(&imported);

	if (path)
		keep_name(names, path, names->rest + length);
}

static void take_all_of(struct names *names, Dwarf_Die *scope)
{
	_cleanup_free_ char *path = path_of(scope);
	size_t length = path ? strlen(path) : 0;

	// The name may have gone that way already.
	if (length && (strncmp(names->whole, path, length) != 0 ||
		       strncmp(names->whole + length, "::", 2) != 0))
		keep_name(names, path, names->rest);
}

static bool is_inline(Dwarf_Die *die)
{
	return dwarf_diename(die) && die_flag(die, DW_AT_export_symbols);
}

static void take_imports(struct names *names, Dwarf_Die *scope)
{
	struct die_walk walk = { 0 };
	Dwarf_Die child, imported;

	for (bool more = die_walk_first(&walk, scope, &child); more;
	     more = die_walk_next(&walk, &child)) {
		switch (dwarf_tag(&child)) {
		case DW_TAG_imported_declaration: take_declared(names, &child); break;
		case DW_TAG_imported_module:
			if (!names->declared_only && imported_by(&child, &imported))
				take_all_of(names, &imported);
			break;
		case DW_TAG_namespace:
			if (!names->declared_only && is_inline(&child))
				take_all_of(names, &child);
			break;
		default: break;
		}
	}
}

static bool take_scope(Dwarf_Die *die, Dwarf_Die *parent, void *arg)
{
	struct names *names = arg;
	Dwarf_Die imported;

	(void)parent;
	if (dwarf_tag(die) == DW_TAG_namespace)
		take_imports(names, die);
	else if (imported_by(die, &imported))
		take_all_of(names, &imported);
	return names->n < OTHER_NAMES_MAX;
}

// Each of the scopes in front of the name may be the one that takes the rest from another.
static void expand(struct names *names, const char *name)
{
	_cleanup_free_ char *scope = strdup(name);

	names->whole = name;
	while (scope) {
		char *last = (char *)name_last_part(scope);

		if (last < scope + 3)
			return;
		last[-2] = '\0';
		names->rest = name + (last - scope);
		for (struct loaded *loaded = names->symbols->list; loaded; loaded = loaded->next) {
			enum effort effort = loaded->is_program ? EFFORT_DEBUG_FILE
								: EFFORT_OWN_FILE;
			struct units *info = loaded->seen ? module_dwarf(loaded, effort) : NULL;

			if (info)
				dc_error_destroy(units_find(info, NULL, scope, WANT_NAMESPACE,
							    take_scope, names));
		}
	}
}

// From the innermost block outwards; with_unit: its file, too.
static void look_around(struct names *names, const struct symbols_frame *frame, bool with_unit)
{
	struct loaded *loaded;
	Dwarf_Die unit, scopes[BLOCKS_MAX];

	if (!symbols_unit(names->symbols, frame, EFFORT_OWN_FILE, &loaded, &unit))
		return;
	for (size_t n = block_chain(&unit, frame->pc - loaded->module.bias, scopes); n--;)
		take_imports(names, &scopes[n]);
	if (with_unit)
		take_imports(names, &unit);
}

size_t symbols_other_names(struct symbols *symbols, const struct symbols_frame *frame,
			   const char *name, const char *ret[OTHER_NAMES_MAX])
{
	struct names names = { .symbols = symbols, .list = ret, .whole = name, .rest = name };

	look_around(&names, frame, true);
	expand(&names, name);
	// What was imported may be imported there.
	for (size_t i = 0; i < names.n && names.n < OTHER_NAMES_MAX; i++)
		expand(&names, names.list[i]);
	return names.n;
}

const char *symbols_declared_name(struct symbols *symbols, const struct symbols_frame *frame,
				  const char *name)
{
	const char *list[OTHER_NAMES_MAX];
	struct names names = {
		.symbols = symbols, .list = list, .whole = name, .rest = name, .declared_only = true
	};

	look_around(&names, frame, false);
	return names.n ? list[0] : NULL;
}
