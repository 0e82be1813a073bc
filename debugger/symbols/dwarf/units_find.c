// SPDX-License-Identifier: MIT
// DIEs by name: in the units that mention it, in namespaces, and for a qualified name in classes.
#include "debugger/symbols/dwarf/mention.h"

#include <dwarf.h>
#include <string.h>

struct search {
	struct units *info;
	const char *name; // NULL: all
	const char *scopes; // what stands before the name, "ns::C::"
	size_t nr_scopes; // its length
	const char *path[DWARF_LEVEL_MAX + 2]; // the scopes around the DIE that is looked at
	size_t nr_path;
	unsigned int want;
	die_visit *visit;
	void *arg;
	bool all_units; // partial units come by themselves: imports are not followed
	bool stopped;
};

static unsigned int kind_of(Dwarf_Die *die)
{
	switch (dwarf_tag(die)) {
	case DW_TAG_subprogram: return WANT_FUNCTION;
	case DW_TAG_namespace: return WANT_NAMESPACE;
	case DW_TAG_imported_declaration:
		return dwarf_hasattr(die, DW_AT_name) ? WANT_NAMESPACE : 0;
	case DW_TAG_variable: return WANT_VARIABLE;
	// A static member, as DWARF 4 describes it.
	case DW_TAG_member: return dwarf_hasattr(die, DW_AT_external) ? WANT_VARIABLE : 0;
	case DW_TAG_base_type:
	case DW_TAG_typedef:
	case DW_TAG_unspecified_type: return WANT_TYPEDEF;
	// Go's alone have names.
	case DW_TAG_array_type:
	case DW_TAG_pointer_type:
	case DW_TAG_subroutine_type: return WANT_GO_TYPE;
	case DW_TAG_constant: return WANT_CONSTANT;
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
		return WANT_STRUCT | (die_language(die) == SOURCE_CXX ? WANT_TYPEDEF : 0);
	case DW_TAG_union_type:
		return WANT_UNION | (die_language(die) == SOURCE_CXX ? WANT_TYPEDEF : 0);
	case DW_TAG_enumeration_type:
		return WANT_ENUM | (die_language(die) == SOURCE_CXX ? WANT_TYPEDEF : 0);
	default: return 0;
	}
}

const char *name_last_part(const char *name)
{
	int depth = 0;

	for (const char *at = name + strlen(name); at > name + 1; at--) {
		if (strchr(")>", at[-1]))
			depth++;
		else if (strchr("(<", at[-1]))
			depth--;
		else if (!depth && at[-1] == ':' && at[-2] == ':')
			return at;
	}
	return name;
}

static bool is_named(Dwarf_Die *die, const char *name)
{
	const char *its = dwarf_diename(die);

	return its && (!name || !strcmp(its, name));
}

// From the innermost scope outwards, as far as the user has named them.
static bool in_scope(const struct search *search, const char *innermost)
{
	size_t left = search->nr_scopes, at = search->nr_path;

	while (left) {
		const char *name = innermost ? innermost : at ? search->path[--at] : NULL;
		size_t length = name ? strlen(name) : 0;

		innermost = NULL;
		left -= 2; // "::"
		if (!name || length > left ||
		    strncmp(search->scopes + left - length, name, length) ||
		    (left > length && search->scopes[left - length - 1] != ':'))
			return false;
		left -= length;
	}
	return true;
}

// Unnamed and inline namespaces are written by nobody.
static bool is_silent(Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	bool value;

	return !dwarf_diename(die) || (dwarf_attr(die, DW_AT_export_symbols, &attr) &&
				       !dwarf_formflag(&attr, &value) && value);
}

static void search_below(struct search *search, Dwarf_Die *parent, int level);

static void search_scope(struct search *search, Dwarf_Die *die, int level)
{
	size_t nr_path = search->nr_path;

	if (level >= DWARF_LEVEL_MAX)
		return;
	if (!is_silent(die))
		search->path[search->nr_path++] = dwarf_diename(die);
	search_below(search, die, level + 1);
	search->nr_path = nr_path;
}

static void search_enum(struct search *search, Dwarf_Die *parent)
{
	struct die_walk walk = { 0 };
	Dwarf_Die child;

	for (bool more = die_walk_first(&walk, parent, &child); more && !search->stopped;
	     more = die_walk_next(&walk, &child)) {
		if (dwarf_tag(&child) == DW_TAG_enumerator && is_named(&child, search->name) &&
		    (in_scope(search, NULL) || in_scope(search, dwarf_diename(parent))))
			search->stopped = !search->visit(&child, parent, search->arg);
	}
}

static void search_die(struct search *search, Dwarf_Die *die, Dwarf_Die *parent, int level)
{
	Dwarf_Attribute attr;
	Dwarf_Die imported;
	int tag = dwarf_tag(die);

	if (search->want & WANT_ENUMERATOR && tag == DW_TAG_enumeration_type)
		search_enum(search, die);
	if (search->stopped)
		return;
	if (tag == DW_TAG_imported_unit) {
		if (level < DWARF_LEVEL_MAX && !search->all_units &&
		    dwarf_attr(die, DW_AT_import, &attr) && dwarf_formref_die(&attr, &imported))
			search_below(search, &imported, level + 1);
	} else if (kind_of(die) & search->want && is_named(die, search->name) &&
		   in_scope(search, NULL)) {
		search->stopped = !search->visit(die, parent, search->arg);
	}
	if (search->stopped)
		return;
	if (tag == DW_TAG_namespace ||
	    (search->nr_scopes && (tag == DW_TAG_structure_type || tag == DW_TAG_class_type ||
				   tag == DW_TAG_union_type)))
		search_scope(search, die, level);
}

static void search_below(struct search *search, Dwarf_Die *parent, int level)
{
	struct die_walk walk = { 0 };
	Dwarf_Die child;

	for (bool more = die_walk_first(&walk, parent, &child); more && !search->stopped;
	     more = die_walk_next(&walk, &child))
		search_die(search, &child, parent, level);
	search->info->damaged |= walk.damaged;
}

// "dir/file.c" is "/src/dir/file.c", and "file.c" is both.
static bool is_from_file(Dwarf_Die *unit, const char *file)
{
	const char *its = dwarf_diename(unit);
	size_t n = its ? strlen(its) : 0, m = strlen(file);

	return m && n >= m && !strcmp(its + n - m, file) && (n == m || its[n - m - 1] == '/');
}

bool units_have_file(struct units *info, const char *file)
{
	struct dc_error *err = units_read(info);

	dc_error_destroy(err);
	for (size_t i = 0; i < info->nr_units; i++)
		if (is_from_file(&info->units[i].die, file))
			return true;
	return false;
}

// The units that may have the name, or all.
static bool next_unit(struct units *info, struct mention *mention, size_t from, size_t *ret)
{
	*ret = from;
	return mention ? mention_next(info, mention, from, ret) : from < info->nr_units;
}

static struct dc_error *find_in_units(struct search *search, const char *file)
{
	struct units *info = search->info;
	struct dc_error *err = units_read(info);
	_cleanup_mention_ struct mention *mention = !err && search->name
							    ? mention_take(info, search->name)
							    : NULL;

	if (err)
		return err;
	if (search->name && !mention)
		return &dc_out_of_memory;
	for (size_t i = 0; !search->stopped && next_unit(info, mention, i, &i); i++) {
		if (!file || is_from_file(&info->units[i].die, file))
			search_below(search, &info->units[i].die, 0);
	}
	return NULL;
}

static struct search make_search(struct units *info, const char *name, unsigned int want,
				 die_visit *visit, void *arg)
{
	const char *simple = name ? name_last_part(name) : NULL;

	return (struct search){ .info = info,
				.name = simple,
				.scopes = name,
				.nr_scopes = name ? (size_t)(simple - name) : 0,
				.want = want,
				.visit = visit,
				.arg = arg };
}

struct dc_error *units_find(struct units *info, Dwarf_Die *unit, const char *name,
			    unsigned int want, die_visit *visit, void *arg)
{
	struct search search = make_search(info, name, want, visit, arg);

	search.all_units = !unit;
	if (!unit)
		return find_in_units(&search, NULL);
	search_below(&search, unit, 0);
	return NULL;
}

struct dc_error *units_find_in_file(struct units *info, const char *file, const char *name,
				    unsigned int want, die_visit *visit, void *arg)
{
	struct search search = make_search(info, name, want, visit, arg);

	return find_in_units(&search, file);
}

bool units_mention(struct units *info, const char *name)
{
	name = name_last_part(name);
	// Compilers keep names this short out of the string section.
	if (strlen(name) < 4)
		return true;

	_cleanup_mention_ struct mention *mention = mention_take(info, name);

	// Out of memory counts as a mention: that only costs a look.
	return !mention || mention->filter.is_everywhere || mention->filter.n > 0;
}

struct dc_error *units_each(struct units *info, unsigned int want, die_visit *visit, void *arg)
{
	return units_find(info, NULL, NULL, want, visit, arg);
}
