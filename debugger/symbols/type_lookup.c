// SPDX-License-Identifier: MIT
// Types and enumerators by name: the frame's unit, the program, the other modules, and separate
// debug files last, because opening those costs more than all the rest.
#include "debugger/symbols/dwarf/block.h"
#include "debugger/symbols/set.h"
#include "debugger/base/cleanup.h"

#include <dwarf.h>
#include <string.h>

// Names that every C program knows, for programs without debug information.
#define KNOWN_TYPEDEFS(X)               \
	X("size_t", "unsigned long")    \
	X("ssize_t", "long")            \
	X("ptrdiff_t", "long")          \
	X("intptr_t", "long")           \
	X("uintptr_t", "unsigned long") \
	X("intmax_t", "long")           \
	X("uintmax_t", "unsigned long") \
	X("int8_t", "signed char")      \
	X("int16_t", "short")           \
	X("int32_t", "int")             \
	X("int64_t", "long")            \
	X("uint8_t", "unsigned char")   \
	X("uint16_t", "unsigned short") \
	X("uint32_t", "unsigned int")   \
	X("uint64_t", "unsigned long")  \
	X("wchar_t", "int")             \
	X("off_t", "long")              \
	X("time_t", "long")             \
	X("pid_t", "int")               \
	X("uid_t", "unsigned int")      \
	X("gid_t", "unsigned int")      \
	X("mode_t", "unsigned int")     \
	X("socklen_t", "unsigned int")

static const struct {
	const char *name, *is;
} known_typedefs[] = {
#define X(name, is) { name, is },
	KNOWN_TYPEDEFS(X)
#undef X
};

static const struct type *make_typedef(struct types *types, const char *name,
				       const struct type *target)
{
	bool made;
	struct type_node *node = target ? types_intern(types, name, 0, &made) : NULL;

	if (!node)
		return NULL;
	node->type.kind = TYPE_TYPEDEF;
	node->type.name = name;
	node->type.target = target;
	node->type.size = target->size;
	node->type.align = target->align;
	node->type.is_signed = target->is_signed;
	return &node->type;
}

// Of a struct that may be described somewhere else.
static const struct type *known_file(struct types *types)
{
	static const char file[] = "FILE", tag[] = "_IO_FILE";
	bool made;
	struct type_node *node = types_intern(types, tag, 0, &made);

	if (!node)
		return NULL;
	node->type.kind = TYPE_STRUCT;
	node->type.tag = "struct";
	node->type.name = tag;
	node->type.align = 1;
	node->type.is_incomplete = true;
	return make_typedef(types, file, &node->type);
}

static const struct type *known_typedef(struct types *types, const char *name)
{
	if (!strcmp(name, "FILE"))
		return known_file(types);
	for (size_t i = 0; i < sizeof(known_typedefs) / sizeof(known_typedefs[0]); i++) {
		if (!strcmp(known_typedefs[i].name, name))
			return make_typedef(types, known_typedefs[i].name,
					    types_basic(types, known_typedefs[i].is));
	}
	return NULL;
}

// ---- one search, from near to far ----

struct search {
	struct symbols *symbols;
	const struct symbols_frame *frame;
	const char *name;
	unsigned int want;
	const struct type *type; // found
	const struct type *declared; // second best
	int64_t value; // of an enumerator
};

static bool take(Dwarf_Die *die, Dwarf_Die *parent, void *arg)
{
	struct search *search = arg;
	bool is_enumerator = dwarf_tag(die) == DW_TAG_enumerator;
	const struct type *type = type_from_die(search->symbols->types,
						is_enumerator ? parent : die);

	if (is_enumerator) {
		if (type->kind != TYPE_ENUM || !die_enumerator_value(die, type, &search->value))
			return true;
	} else if (type->is_incomplete) {
		if (!search->declared)
			search->declared = type;
		return true;
	}
	search->type = type;
	return false;
}

// Types declared inside the frame's function come first, then its file's.
static struct dc_error *search_frame(struct search *search)
{
	struct loaded *loaded;
	Dwarf_Die unit, scopes[BLOCKS_MAX];

	if (!symbols_unit(search->symbols, search->frame, EFFORT_OWN_FILE, &loaded, &unit))
		return NULL;

	size_t n = block_chain(&unit, search->frame->pc - loaded->module.bias, scopes);
	struct dc_error *err = NULL;

	n = block_without(scopes, n, search->frame->inlined);
	while (n-- && !search->type && !err)
		err = units_find(loaded->info, &scopes[n], search->name, search->want, take,
				 search);
	if (!err && !search->type)
		err = units_find(loaded->info, &unit, search->name, search->want, take, search);
	return err;
}

static struct dc_error *search_modules(struct search *search, enum effort effort)
{
	for (struct loaded *loaded = search->symbols->list; loaded && !search->type;
	     loaded = loaded->next) {
		bool had = loaded->info;
		struct units *info = loaded->seen
					     ? module_dwarf_naming(loaded, effort, search->name)
					     : NULL;

		if (!info || (effort == EFFORT_DEBUG_FILE && had && !loaded->dwarf_is_separate))
			continue;

		struct dc_error *err = units_find(info, NULL, search->name, search->want, take,
						  search);

		if (err)
			return err;
	}
	return NULL;
}

static unsigned int want_of(const char *tag)
{
	if (!tag)
		return WANT_TYPEDEF;
	if (!strcmp(tag, "struct") || !strcmp(tag, "class"))
		return WANT_STRUCT;
	return !strcmp(tag, "union") ? WANT_UNION : WANT_ENUM;
}

struct dc_error *symbols_lookup_type(struct symbols *symbols, const struct symbols_frame *frame,
				     const char *tag, const char *name, const struct type **ret)
{
	struct search search = {
		.symbols = symbols, .frame = frame, .name = name, .want = want_of(tag)
	};
	const struct type *basic = tag ? NULL : types_basic(symbols->types, name);
	struct loaded *loaded;
	struct symbol symbol;
	size_t nr_locals;
	struct dc_error *err;

	if (basic) {
		*ret = basic;
		return NULL;
	}
	err = search_frame(&search);
	if (!err && !search.type)
		err = search_modules(&search, EFFORT_OWN_FILE);
	if (!err && !search.type && !tag)
		search.type = known_typedef(symbols->types, name);
	// A name that is a symbol's is no type's; saying so need not open the debug files.
	if (!err && !search.type &&
	    (tag || !(symbols_find(symbols, frame, name, SYMBOL_CODE | SYMBOL_DATA, &loaded,
				   &symbol, &nr_locals) ||
		      symbols_is_own(symbols, frame, name))))
		err = search_modules(&search, EFFORT_DEBUG_FILE);
	if (err)
		return err;
	if (!search.type)
		search.type = search.declared;
	if (!search.type) {
		char what[16] = "type";

		if (tag)
			strncpy(what, tag, sizeof(what) - 1);
		return symbols_no_name(what, name);
	}
	*ret = search.type;
	return NULL;
}

const struct type *symbols_complete(struct symbols *symbols, const struct type *type)
{
	if (!type->is_incomplete || !type->name ||
	    (type->kind != TYPE_STRUCT && type->kind != TYPE_UNION && type->kind != TYPE_ENUM))
		return type;

	struct search search = { .symbols = symbols,
				 .name = type->name,
				 .want = type->kind == TYPE_STRUCT  ? WANT_STRUCT
					 : type->kind == TYPE_UNION ? WANT_UNION
								    : WANT_ENUM };

	// Remembered, found or not: a list of such structs would search for each.
	struct type_node *node = type_node(type)->unqualified;

	if (!node->completed) {
		struct dc_error *err = search_modules(&search, EFFORT_OWN_FILE);

		if (!err && !search.type)
			err = search_modules(&search, EFFORT_DEBUG_FILE);
		dc_error_destroy(err);
		node->completed = search.type ? search.type : &node->type;
	}
	if (node->completed->is_incomplete)
		return type;

	const struct type *qualified = types_qualified(symbols->types, node->completed,
						       type->is_const, type->is_volatile);

	return qualified ? qualified : type;
}

struct dc_error *symbols_lookup_enumerator(struct symbols *symbols,
					   const struct symbols_frame *frame, const char *name,
					   const struct type **type, int64_t *value)
{
	struct search search = {
		.symbols = symbols, .frame = frame, .name = name, .want = WANT_ENUMERATOR
	};
	struct loaded *loaded;
	struct symbol symbol;
	size_t nr_locals;
	struct dc_error *err = search_frame(&search);

	if (!err && !search.type)
		err = search_modules(&search, EFFORT_OWN_FILE);
	if (!err && !search.type &&
	    !symbols_find(symbols, frame, name, SYMBOL_CODE | SYMBOL_DATA | SYMBOL_TLS, &loaded,
			  &symbol, &nr_locals) &&
	    !symbols_is_own(symbols, frame, name))
		err = search_modules(&search, EFFORT_DEBUG_FILE);
	if (err)
		return err;
	if (!search.type)
		return symbols_no_name("enumerator", name);
	*type = search.type;
	*value = search.value;
	return NULL;
}
