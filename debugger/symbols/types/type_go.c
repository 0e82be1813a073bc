// SPDX-License-Identifier: MIT
// Go's types from its DIEs. What C has no word for (strings, slices, maps, channels, functions,
// interfaces) are structs that say which of these they are.
#include "debugger/symbols/dwarf/units.h"
#include "debugger/symbols/types/type_table.h"

#include <dwarf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	DW_AT_go_kind = 0x2900,
	DW_AT_go_key = 0x2901,
	DW_AT_go_elem = 0x2902,
	DW_AT_go_runtime_type = 0x2904,
};

enum {
	WORD = 8,
	KIND_MASK = 31, // newer compilers write flags beside the kind
	DERIVE_SLICE = 0x100,
	DERIVE_SIGNATURE = 0x200,
};

static uint64_t runtime_type(Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	Dwarf_Addr addr;

	if (!dwarf_attr(die, DW_AT_go_runtime_type, &attr))
		return 0;
	return dwarf_formaddr(&attr, &addr) ? 0 : addr;
}

static const struct type *make_basic(struct type_node *node, enum go_kind kind)
{
	struct type *type = &node->type;
	uint64_t encoding = 0, size = 0;

	die_number(&node->die, DW_AT_encoding, &encoding);
	die_number(&node->die, DW_AT_byte_size, &size);
	if (!size || size > 16 || (size & (size - 1)))
		return NULL;
	type->size = type->align = size;
	type->go_kind = kind;
	node->parts = PARTS_READ;
	switch (encoding) {
	case DW_ATE_boolean: type->kind = TYPE_BOOL; break;
	case DW_ATE_signed:
	case DW_ATE_signed_char:
		type->kind = TYPE_INT;
		type->is_signed = true;
		break;
	case DW_ATE_unsigned:
	case DW_ATE_unsigned_char: type->kind = TYPE_INT; break;
	case DW_ATE_float:
		type->kind = TYPE_FLOAT;
		type->is_signed = true;
		type->format = size == 4 ? FLOAT_32 : size == 8 ? FLOAT_64 : FLOAT_OTHER;
		break;
	case DW_ATE_complex_float:
		type->kind = TYPE_COMPLEX;
		type->format = size == 8 ? FLOAT_32 : size == 16 ? FLOAT_64 : FLOAT_OTHER;
		type->align = size / 2;
		break;
	default: return NULL;
	}
	return type;
}

// Of so many bytes, whatever they mean.
const struct type *type_go_record(struct type_node *node, enum go_kind kind, uint64_t size,
				  const struct type *target)
{
	struct type *type = &node->type;

	type->kind = TYPE_STRUCT;
	type->go_kind = kind;
	type->size = size;
	type->align = 1;
	type->target = target;
	if (kind != GO_STRUCT)
		node->declared_align = WORD;
	// From here on the type may be met again below its own members.
	node->is = type;
	return type;
}

static const struct type *make_array(struct types *types, struct type_node *node, int depth)
{
	const struct type *element = type_target(types, &node->die, depth);
	struct die_walk walk = { 0 };
	Dwarf_Die child;
	uint64_t count;

	if (!element)
		return NULL;
	for (bool more = die_walk_first(&walk, &node->die, &child); more;
	     more = die_walk_next(&walk, &child)) {
		if (dwarf_tag(&child) == DW_TAG_subrange_type &&
		    die_number(&child, DW_AT_count, &count))
			return types_array(types, element, count);
	}
	return NULL;
}

static const struct type *make_unsafe(struct type_node *node, const struct type *target)
{
	node->type.kind = TYPE_POINTER;
	node->type.go_kind = GO_UNSAFE_POINTER;
	node->type.size = node->type.align = WORD;
	node->type.target = target;
	node->parts = PARTS_READ;
	return &node->type;
}

const struct type *type_go_function(struct type_node *node)
{
	node->type.kind = TYPE_FUNCTION;
	node->type.go_kind = GO_FUNC;
	node->type.align = 1;
	node->type.is_prototyped = true;
	return &node->type;
}

static const struct type *make_typedef(struct types *types, struct type_node *node,
				       enum go_kind kind, int depth)
{
	const struct type *target = type_target(types, &node->die, depth);
	struct type *type = &node->type;

	// The typedef of such a type is itself, written in full.
	if (kind)
		return type_go_record(node, kind, kind == GO_INTERFACE ? 2 * WORD : WORD, target);
	if (!target)
		return NULL;
	type->kind = TYPE_TYPEDEF;
	type->target = target;
	type->go_kind = target->go_kind;
	type->go_runtime = target->go_runtime;
	type->size = target->size;
	type->align = target->align;
	type->is_signed = target->is_signed;
	node->parts = PARTS_READ;
	return type;
}

const struct type *type_go_make(struct types *types, struct type_node *node, int depth)
{
	Dwarf_Die *die = &node->die;
	const struct type *target;
	uint64_t kind = 0, size = 0;

	die_number(die, DW_AT_go_kind, &kind);
	kind &= KIND_MASK;
	die_number(die, DW_AT_byte_size, &size);
	node->type.name = dwarf_diename(die);
	node->type.go_runtime = runtime_type(die);
	switch (dwarf_tag(die)) {
	case DW_TAG_base_type: return make_basic(node, kind);
	case DW_TAG_pointer_type:
		target = type_target(types, die, depth);
		return !target				? NULL
		       : dwarf_hasattr(die, DW_AT_type) ? types_pointer(types, target)
							: make_unsafe(node, target);
	case DW_TAG_structure_type: return type_go_record(node, kind ?: GO_STRUCT, size, NULL);
	case DW_TAG_array_type: return make_array(types, node, depth);
	case DW_TAG_typedef: return make_typedef(types, node, kind, depth);
	case DW_TAG_subroutine_type: return type_go_record(node, GO_FUNC, WORD, NULL);
	case DW_TAG_subprogram: return type_go_function(node);
	default: return NULL;
	}
}

static const struct type *referred(const struct type *type, unsigned int name)
{
	struct type_node *node = type_node(type_strip(type))->unqualified;
	Dwarf_Attribute attr;
	Dwarf_Die die;

	if (!node->die.addr || !dwarf_attr(&node->die, name, &attr) ||
	    !dwarf_formref_die(&attr, &die))
		return NULL;
	return type_from_die(node->type.owner, &die);
}

const struct type *type_go_key(const struct type *type)
{
	const struct type *key = type_node(type_strip(type))->unqualified->go_key;

	return key ? key : referred(type, DW_AT_go_key);
}

const struct type *type_go_element(const struct type *type)
{
	const struct type *element = type_node(type_strip(type))->unqualified->element;

	return element ? element : referred(type, DW_AT_go_elem);
}

const struct type *types_go_slice(struct types *types, const struct type *element)
{
	static const char *const names[] = { "array", "len", "cap" };
	const struct type *length = types_basic(types, "long");
	const struct type *pointer = types_pointer(types, element);
	bool made;
	struct type_node *node = types_intern(types, element, DERIVE_SLICE, &made);

	if (!node || !made)
		return node ? &node->type : NULL;
	node->members = types_alloc(types, 3 * sizeof(*node->members));
	if (!node->members || !length || !pointer)
		return NULL;
	type_go_record(node, GO_SLICE, 3 * WORD, NULL);
	node->element = element;
	node->type.align = WORD;
	for (size_t i = 0; i < 3; i++)
		node->members[i] = (struct type_member){ .name = names[i],
							 .type = i ? length : pointer,
							 .offset = i * WORD };
	node->nr_parts = 3;
	node->parts = PARTS_READ;
	return &node->type;
}

const struct type *types_go_basic(struct types *types, const char *name)
{
	static const struct {
		const char *name;
		enum go_kind kind;
		enum type_kind is;
		uint8_t size;
		bool is_signed;
	} list[] = {
		{ "bool", GO_BOOL, TYPE_BOOL, 1, false },
		{ "int", GO_INT, TYPE_INT, 8, true },
		{ "int8", GO_INT8, TYPE_INT, 1, true },
		{ "int16", GO_INT16, TYPE_INT, 2, true },
		{ "int32", GO_INT32, TYPE_INT, 4, true },
		{ "int64", GO_INT64, TYPE_INT, 8, true },
		{ "uint", GO_UINT, TYPE_INT, 8, false },
		{ "uint8", GO_UINT8, TYPE_INT, 1, false },
		{ "uint16", GO_UINT16, TYPE_INT, 2, false },
		{ "uint32", GO_UINT32, TYPE_INT, 4, false },
		{ "uint64", GO_UINT64, TYPE_INT, 8, false },
		{ "uintptr", GO_UINTPTR, TYPE_INT, 8, false },
		{ "float32", GO_FLOAT32, TYPE_FLOAT, 4, true },
		{ "float64", GO_FLOAT64, TYPE_FLOAT, 8, true },
		{ "complex64", GO_COMPLEX64, TYPE_COMPLEX, 8, false },
		{ "complex128", GO_COMPLEX128, TYPE_COMPLEX, 16, false },
		{ "unsafe.Pointer", GO_UNSAFE_POINTER, TYPE_POINTER, 8, false },
		{ "string", GO_STRING, TYPE_STRUCT, 16, false },
	};
	size_t i = 0;
	bool made;

	while (i < sizeof(list) / sizeof(*list) && strcmp(list[i].name, name))
		i++;
	if (i == sizeof(list) / sizeof(*list))
		return NULL;

	struct type_node *node = types_intern(types, &list[i], 0, &made);

	if (!node || !made)
		return node ? &node->type : NULL;
	node->type = (struct type){ .kind = list[i].is,
				    .go_kind = list[i].kind,
				    .name = list[i].name,
				    .size = list[i].size,
				    .align = list[i].size > WORD ? WORD : list[i].size,
				    .is_signed = list[i].is_signed,
				    .owner = types };
	if (list[i].kind == GO_COMPLEX64)
		node->type.align = sizeof(float);
	if (list[i].is == TYPE_FLOAT || list[i].is == TYPE_COMPLEX)
		node->type.format = list[i].kind == GO_FLOAT32 || list[i].kind == GO_COMPLEX64
					    ? FLOAT_32
					    : FLOAT_64;
	if (list[i].kind == GO_UNSAFE_POINTER)
		node->type.target = types_basic(types, "void");
	node->is = &node->type;
	node->parts = PARTS_READ;
	return &node->type;
}

const struct type *types_go_text(struct types *types, uint64_t n)
{
	static const char name[] = "string";
	bool made;
	struct type_node *node = types_intern(types, name, n, &made);

	if (!node || !made)
		return node ? &node->type : NULL;
	type_go_record(node, GO_STRING, n, NULL);
	node->type.name = name;
	node->parts = PARTS_READ;
	return &node->type;
}

const struct type *types_go_tuple(struct types *types, const struct type *const *parts, size_t n)
{
	struct type_node *node = types_alloc(types, sizeof(*node));
	uint64_t size = 0;
	char *name = NULL;
	size_t length;
	FILE *out = open_memstream(&name, &length);

	if (!out)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		fputs(i ? ", " : "(", out);
		type_go_spell(out, parts[i], NULL);
	}
	fputc(')', out);
	if (fclose(out) || !node)
		goto out;
	node->type.owner = types;
	node->unqualified = node;
	node->members = types_alloc(types, n * sizeof(*node->members));
	node->type.name = types_strndup(types, name, length);
	if (!node->members || !node->type.name) {
		node = NULL;
		goto out;
	}
	for (size_t i = 0; i < n; i++) {
		const uint64_t align = type_align(parts[i]);
		char number[24];

		snprintf(number, sizeof(number), "~r%zu", i);
		size = (size + align - 1) / align * align;
		node->members[i] = (struct type_member){ .name = types_strndup(types, number,
									       strlen(number)),
							 .type = parts[i],
							 .offset = size };
		size += type_strip(parts[i])->size;
	}
	type_go_record(node, GO_STRUCT, size, NULL);
	node->nr_parts = n;
	node->parts = PARTS_READ;
out:
	free(name);
	return node ? &node->type : NULL;
}

// ---- functions -----------------------------------------------------------------------------------

// "func(int, map[string]func(a, b)) bool": two. UINT32_MAX: the name does not tell.
static uint32_t count_taken(const char *name)
{
	uint32_t n = 0;
	int depth = 0;

	if (!name || strncmp(name, "func(", 5))
		return UINT32_MAX;
	if (name[5] == ')')
		return 0;
	for (const char *at = name + 5; *at; at++) {
		if (strchr("([{", *at))
			depth++;
		else if (*at == ',' && !depth)
			n++;
		else if (strchr(")]}", *at) && !depth--)
			return n + 1;
	}
	return UINT32_MAX;
}

// Results are described as pointers to them, but by newer compilers, which mark them.
const struct type *type_go_signature(const struct type *type, uint32_t nr_taken)
{
	struct type_node *from = type_node(type_strip(type))->unqualified;
	struct types *types = from->type.owner;
	struct die_walk walk = { 0 };
	Dwarf_Die child;
	size_t n = 0;
	bool made;

	if (from->description || from->element)
		return type_go_described_signature(from);
	if (nr_taken == UINT32_MAX)
		nr_taken = count_taken(from->type.name);
	if (nr_taken == UINT32_MAX || !from->die.addr)
		return NULL;

	struct type_node *node = types_intern(types, from, DERIVE_SIGNATURE, &made);

	if (!node || !made)
		return node && node->parts == PARTS_READ ? &node->type : NULL;
	node->type.name = from->type.name;
	type_go_function(node);
	for (bool more = die_walk_first(&walk, &from->die, &child); more;
	     more = die_walk_next(&walk, &child))
		n++;
	node->params = types_alloc(types, (n ?: 1) * sizeof(*node->params));
	if (!node->params)
		return NULL;
	for (bool more = die_walk_first(&walk, &from->die, &child); more;
	     more = die_walk_next(&walk, &child)) {
		struct type_param *param = &node->params[node->nr_parts];

		if (dwarf_tag(&child) == DW_TAG_unspecified_parameters)
			node->type.is_variadic = true;
		if (dwarf_tag(&child) != DW_TAG_formal_parameter)
			continue;
		bool is_marked = die_flag(&child, DW_AT_variable_parameter);

		param->type = type_of_die(types, &child);
		param->is_result = node->nr_parts++ >= nr_taken || is_marked;
		if (param->type && param->is_result && !is_marked)
			param->type = param->type->kind == TYPE_POINTER ? param->type->target
									: NULL;
		if (!param->type)
			return NULL;
	}
	node->parts = PARTS_READ;
	return &node->type;
}

// ---- spelling ------------------------------------------------------------------------------------

enum { SPELL_DEPTH_MAX = 32 };

bool type_is_go(const struct type *type)
{
	for (int depth = 0; depth < SPELL_DEPTH_MAX && !type->go_kind &&
			    (type->kind == TYPE_POINTER || type->kind == TYPE_ARRAY);
	     depth++)
		type = type->target;
	return type->go_kind;
}

static void spell(FILE *out, const struct type *type, int depth);

static void spell_params(FILE *out, const struct type *type, bool results, int depth)
{
	const struct type_param *params;
	size_t n, nr_said = 0, nr_results = 0;
	struct dc_error *err = type_params(type, &params, &n);

	dc_error_destroy(err);
	for (size_t i = 0; !err && i < n; i++)
		nr_results += params[i].is_result;
	if (results && !nr_results)
		return;
	fputs(!results ? "(" : nr_results > 1 ? " (" : " ", out);
	for (size_t i = 0; !err && i < n; i++) {
		if (params[i].is_result != results)
			continue;
		if (nr_said++)
			fputs(", ", out);
		spell(out, params[i].type, depth);
	}
	fputs(results && nr_results == 1 ? "" : ")", out);
}

static void spell(FILE *out, const struct type *type, int depth)
{
	if (depth > SPELL_DEPTH_MAX) {
		fputs("...", out);
		return;
	}
	if (type->kind == TYPE_FUNCTION) {
		fputs("func", out);
		spell_params(out, type, false, depth + 1);
		spell_params(out, type, true, depth + 1);
	} else if (type->name) {
		fputs(type->name, out);
	} else if (type->kind == TYPE_POINTER) {
		fputc('*', out);
		spell(out, type->target, depth + 1);
	} else if (type->kind == TYPE_ARRAY) {
		fprintf(out, "[%" PRIu64 "]", type->count);
		spell(out, type->target, depth + 1);
	} else if (type->go_kind == GO_SLICE) {
		fputs("[]", out);
		spell(out, type_go_element(type), depth + 1);
	} else {
		fputs("?", out);
	}
}

void type_go_spell(FILE *out, const struct type *type, const char *name)
{
	if (name && type->kind == TYPE_FUNCTION) {
		fprintf(out, "func %s", name);
		spell_params(out, type, false, 0);
		spell_params(out, type, true, 0);
		return;
	}
	if (name)
		fprintf(out, "%s ", name);
	spell(out, type, 0);
}
