// SPDX-License-Identifier: MIT
// How the objects of a C++ class are copied and destroyed: by functions of the program, which have
// names that only their symbols show, or as their bytes lie.
#include "debugger/base/cleanup.h"
#include "debugger/symbols/mangled.h"

#include <ctype.h>
#include <dwarf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 32 };

// What the class itself declares of it.
struct declared {
	bool is_there, is_deleted;
	bool is_own; // written by the program, and not left to the compiler
	bool moves; // anything that moves it, which takes away copying by itself
	bool copies; // anything that copies or ends it, which takes away moving by itself
	const char *linkage; // of it
	char *head; // what the mangled names of its members begin with; NULL: not known
};

static void declared_deinit(struct declared *declared)
{
	free(declared->head);
}

static enum type_special special_of_kind(enum special_kind kind)
{
	static const enum type_special specials[] = { [OBJECT_COPY] = SPECIAL_COPY,
						      [OBJECT_MOVE] = SPECIAL_MOVE,
						      [OBJECT_DESTROY] = SPECIAL_DESTROY };

	return specials[kind];
}

// "_ZN1P" of "_ZNK1P4nameEv": up to the member's own name, without what its qualifiers add.
static char *head_of(const char *linkage, const char *name)
{
	char part[96], *head;
	const char *at, *end = NULL, *nested = strstr(linkage, "N");

	if (!nested || snprintf(part, sizeof(part), "%zu%s", strcspn(name, "<"), name) < 0)
		return NULL;
	part[strcspn(part, "<")] = '\0';
	for (at = nested; (at = strstr(at, part)); at++)
		end = at;
	if (!end)
		return NULL;
	head = strndup(linkage, (size_t)(end - linkage));
	if (!head)
		return NULL;
	// Of a class in a function there is another nested name before.
	char *last = head;

	for (char *n = head; (n = strchr(n, 'N')); n++) {
		if (n == head + 2 || n[-1] == 'E')
			last = n;
	}
	size_t qualifiers = strspn(last + 1, "rVKRO");

	if (*last == 'N' && qualifiers)
		memmove(last + 1, last + 1 + qualifiers, strlen(last + 1 + qualifiers) + 1);
	return head;
}

static void read_declared(const struct type *class, enum special_kind kind, struct declared *ret)
{
	Dwarf_Die die = type_node(class)->unqualified->die, child;
	struct die_walk walk = { 0 };

	*ret = (struct declared){ 0 };
	if (!die.addr)
		return;
	for (bool more = die_walk_first(&walk, &die, &child); more;
	     more = die_walk_next(&walk, &child)) {
		Dwarf_Attribute attr;
		uint64_t defaulted = 0;

		if (dwarf_tag(&child) != DW_TAG_subprogram)
			continue;

		enum type_special special = type_special_of(&die, &child);
		const char *linkage = dwarf_attr_integrate(&child, DW_AT_linkage_name, &attr)
					      ? dwarf_formstring(&attr)
					      : NULL;
		const char *name = dwarf_diename(&child);

		if (linkage && name && isalpha((unsigned char)*name) && !ret->head &&
		    strncmp(name, "operator", 8) != 0)
			ret->head = head_of(linkage, name);
		if (!die_flag(&child, DW_AT_artificial)) {
			ret->moves |= special == SPECIAL_MOVE || special == SPECIAL_MOVE_ASSIGN;
			ret->copies |= special == SPECIAL_COPY || special == SPECIAL_DESTROY ||
				       special == SPECIAL_COPY_ASSIGN ||
				       special == SPECIAL_MOVE_ASSIGN;
		}
		if (special != special_of_kind(kind))
			continue;
		ret->is_there = true;
		if (linkage)
			ret->linkage = linkage;
		if (die_flag(&child, DW_AT_artificial))
			continue;
		ret->is_deleted = die_flag(&child, DW_AT_deleted);
		die_number(&child, DW_AT_defaulted, &defaulted);
		ret->is_own = !ret->is_deleted && defaulted != DW_DEFAULTED_in_class;
	}
}

// ---- is there anything to be called? ----

static struct dc_error *needs_function(struct symbols *symbols, const struct type *type,
				       enum special_kind kind, unsigned depth, bool *ret);

static struct dc_error *parts_need(struct symbols *symbols, const struct type *class,
				   enum special_kind kind, unsigned depth, bool *ret)
{
	const struct type_member *members;
	size_t n;
	struct dc_error *err = type_members(class, &members, &n);

	for (size_t i = 0; !err && i < n && !*ret; i++) {
		const struct type *type = type_strip(members[i].type);

		while (type->kind == TYPE_ARRAY)
			type = type_strip(type->target);
		// Where the object's own table is put.
		if (kind != OBJECT_DESTROY &&
		    (members[i].is_virtual ||
		     (members[i].name && !strncmp(members[i].name, "_vptr", 5))))
			*ret = true;
		if (type_is_record(type))
			err = needs_function(symbols, type, kind, depth + 1, ret);
	}
	return err;
}

static struct dc_error *needs_function(struct symbols *symbols, const struct type *type,
				       enum special_kind kind, unsigned depth, bool *ret)
{
	_cleanup_(declared_deinit) struct declared declared;
	const struct type *class = symbols_complete(symbols, type_strip(type));

	if (class->is_incomplete || depth > DEPTH_MAX)
		return error_make(DC_REFUSED, "how objects of '%s' are copied is not known",
				  class->name ?: "the class");
	read_declared(class, kind, &declared);
	// What is not moved is copied.
	if (kind == OBJECT_MOVE && !declared.is_there && declared.copies)
		return needs_function(symbols, class, OBJECT_COPY, depth + 1, ret);
	*ret |= declared.is_own || declared.is_deleted ||
		(kind == OBJECT_COPY && !declared.is_there && declared.moves);
	return *ret ? NULL : parts_need(symbols, class, kind, depth, ret);
}

static bool virtual_below(struct symbols *symbols, const struct type *type, unsigned depth)
{
	const struct type *class = symbols_complete(symbols, type_strip(type));
	const struct type_member *members = NULL;
	size_t n = 0;
	_cleanup_error_ struct dc_error *err = type_members(class, &members, &n);

	for (size_t i = 0; !err && i < n && depth < DEPTH_MAX; i++) {
		if (members[i].is_base &&
		    (members[i].is_virtual || virtual_below(symbols, members[i].type, depth + 1)))
			return true;
	}
	return false;
}

bool mangled_has_virtual_base(struct symbols *symbols, const struct type *class)
{
	return virtual_below(symbols, class, 0);
}

// ---- the name that it has ----

struct search {
	struct symbols *symbols;
	const struct type *class;
	enum special_kind kind;
	bool is_whole; // a class with virtual bases: only what makes or ends whole objects will do
	struct function *ret;
};

static bool take(struct search *search, const char *name)
{
	struct loaded *module;
	struct symbol symbol;
	size_t nr_locals;

	if (!symbols_find(search->symbols, NULL, name, SYMBOL_CODE, &module, &symbol, &nr_locals))
		return false;

	_cleanup_error_ struct dc_error *err = function_from_symbol(search->symbols, module,
								    &symbol, search->ret);

	search->ret->name = shown_name(search->symbols, name);
	return !err;
}

// "P::P(P const&)": it takes what it makes.
static bool takes_its_own(const char *name, enum special_kind kind)
{
	_cleanup_free_ char *shown = demangle_name(name);
	const char *end = kind == OBJECT_COPY ? " const&)" : "&&)";
	size_t length = shown ? strlen(shown) : 0, tail = strlen(end);

	if (length < tail || strcmp(shown + length - tail, end) != 0)
		return false;
	for (char *open = shown; (open = strchr(open, '(')); open++) {
		size_t its = length - tail - (size_t)(open + 1 - shown);

		if (!strncmp(open + 1, shown, its) && !strncmp(shown + its, "::", 2))
			return true;
	}
	return false;
}

// Behind the class's own name: the number of what is referred back to is not worth computing.
static bool take_by_head(struct search *search, const char *head)
{
	static const char numbers[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char *const wholes[] = { "1", "2" };

	for (size_t i = 0; i < (search->is_whole ? 1 : 2); i++) {
		_cleanup_free_ char *name = NULL;

		if (search->kind == OBJECT_DESTROY) {
			if (asprintf(&name, "%sD%sEv", head, wholes[i]) < 0)
				return false;
			if (take(search, name))
				return true;
			continue;
		}
		for (size_t number = 0; number < sizeof(numbers); number++) {
			_cleanup_free_ char *copy = NULL;
			const char digit[2] = { number ? numbers[number - 1] : '\0' };

			if (asprintf(&copy, "%sC%sE%sS%s_", head, wholes[i],
				     search->kind == OBJECT_COPY ? "RK" : "O", digit) < 0)
				return false;
			if (takes_its_own(copy, search->kind) && take(search, copy))
				return true;
		}
	}
	return false;
}

// gcc tells the name of all that the unit uses, but for which of its copies: C4, D4.
static bool take_by_linkage(struct search *search, const char *linkage)
{
	_cleanup_free_ char *name = strdup(linkage);
	const char *mark = search->kind == OBJECT_DESTROY ? "D4E" : "C4E";
	char *at = NULL;

	for (char *next = name; next && (next = strstr(next, mark)); next++)
		at = next;
	if (!at)
		return false;
	at[1] = '1';
	if (take(search, name))
		return true;
	at[1] = '2';
	return !search->is_whole && take(search, name);
}

// "_ZN2ns1P" of "ns::P"; malloc'd, NULL: the name is none that is mangled so simply.
static char *simple_head(const char *name)
{
	char *head = NULL;
	size_t size;
	FILE *out = strpbrk(name, "<(") ? NULL : open_memstream(&head, &size);

	if (!out)
		return NULL;
	fputs("_ZN", out);
	for (const char *part = name; *part;) {
		size_t length = strcspn(part, ":");

		if (part == name && length == 3 && !strncmp(part, "std", 3))
			fputs("St", out);
		else
			fprintf(out, "%zu%.*s", length, (int)length, part);
		part += length + strspn(part + length, ":");
	}
	if (fclose(out)) {
		free(head);
		return NULL;
	}
	return head;
}

static bool find_function(struct search *search, const struct declared *declared)
{
	const char *name = search->class->name;
	_cleanup_free_ char *simple = name ? simple_head(name) : NULL;

	return (declared->linkage && take_by_linkage(search, declared->linkage)) ||
	       (declared->head && take_by_head(search, declared->head)) ||
	       (simple && take_by_head(search, simple)) ||
	       (name && mangled_find_special(search->symbols, name, search->kind, search->is_whole,
					     search->ret));
}

static const char *what_is_missing(enum special_kind kind)
{
	return kind == OBJECT_DESTROY ? "destructor"
	       : kind == OBJECT_COPY  ? "copy constructor"
				      : "move constructor";
}

struct dc_error *symbols_special(struct symbols *symbols, const struct type *type,
				 enum special_kind kind, struct function *ret, bool *is_needed)
{
	const struct type *class = symbols_complete(symbols, type_strip(type));
	_cleanup_(declared_deinit) struct declared declared = { 0 };
	struct search search = { .symbols = symbols, .class = class, .kind = kind, .ret = ret };
	struct dc_error *err;

	*is_needed = false;
	*ret = (struct function){ 0 };
	read_declared(class, kind, &declared);
	if (kind == OBJECT_MOVE && !declared.is_there && declared.copies)
		return symbols_special(symbols, type, OBJECT_COPY, ret, is_needed);
	err = needs_function(symbols, class, kind, 0, is_needed);
	if (err || !*is_needed)
		return err;
	search.is_whole = mangled_has_virtual_base(symbols, class);
	if (declared.is_deleted || (kind == OBJECT_COPY && !declared.is_there && declared.moves))
		return error_make(DC_REFUSED, "'%s' has no %s: it is deleted",
				  class->name ?: "the class", what_is_missing(kind));
	if (find_function(&search, &declared))
		return NULL;
	return error_make(DC_REFUSED,
			  "the %s of '%s' has no code that could be called: it was inlined "
			  "everywhere, or never used",
			  what_is_missing(kind), class->name ?: "the class");
}
