// SPDX-License-Identifier: MIT
// From a DIE to a type. Its parts are read when asked for (type_parts.c), so that naming one type
// never reads the graph that hangs on it.
#include "debugger/symbols/dwarf/units.h"
#include "debugger/symbols/types/type_scope.h"

#include <dwarf.h>
#include <string.h>

// Types nest in DIEs as deep as declarators do; deeper is a corrupt file.
enum { MAX_NESTING = 200 };

static const struct type *build(struct types *types, Dwarf_Die *die, int depth);

static const struct type *void_type(struct types *types)
{
	return types_basic(types, "void");
}

static const struct type *target_of(struct types *types, Dwarf_Die *die, int depth)
{
	Dwarf_Attribute attr;
	Dwarf_Die target;

	if (!dwarf_attr_integrate(die, DW_AT_type, &attr))
		return void_type(types);
	if (!dwarf_formref_die(&attr, &target))
		return NULL;
	return build(types, &target, depth + 1);
}

const struct type *type_target(struct types *types, Dwarf_Die *die, int depth)
{
	return target_of(types, die, depth);
}

static void make_opaque(struct type_node *node, const char *why)
{
	const char *name = type_scope_name(node->type.owner, &node->die);
	uint64_t size = 0;

	die_number(&node->die, DW_AT_byte_size, &size);
	node->type.kind = TYPE_OPAQUE;
	node->type.name = name ? name : why;
	node->type.size = size;
	node->type.align = 1;
	node->parts = PARTS_READ;
}

// clang calls all of them just "complex". What two parts of 16 bytes are is then not known.
static const struct type *make_clang_complex(struct types *types, struct type_node *node,
					     uint64_t size)
{
	if (size == 8 || size == 16)
		return types_basic(types, size == 8 ? "complex float" : "complex double");
	make_opaque(node, "complex");
	node->type.name = "complex of long double or of __float128";
	return &node->type;
}

static const struct type *make_basic(struct types *types, struct type_node *node)
{
	Dwarf_Die *die = &node->die;
	const char *name = dwarf_diename(die);
	uint64_t encoding = 0, size = 0, bits;
	struct type *type = &node->type;

	die_number(die, DW_AT_encoding, &encoding);
	die_number(die, DW_AT_byte_size, &size);

	const struct type *known = name ? types_basic(types, name) : NULL;

	type->name = name;
	type->size = size;
	switch (encoding) {
	case DW_ATE_boolean: type->kind = TYPE_BOOL; break;
	case DW_ATE_signed_char:
	case DW_ATE_unsigned_char:
		type->is_char = size == 1;
		type->kind = TYPE_INT;
		type->is_signed = encoding == DW_ATE_signed_char;
		break;
	case DW_ATE_signed:
	case DW_ATE_unsigned:
	case DW_ATE_UTF:
		type->kind = TYPE_INT;
		type->is_signed = encoding == DW_ATE_signed;
		break;
	case DW_ATE_float:
		type->kind = TYPE_FLOAT;
		type->is_signed = true;
		if (known && known->kind == TYPE_FLOAT && known->size == size)
			type->format = known->format;
		else
			type->format = size == 4 ? FLOAT_32 : size == 8 ? FLOAT_64 : FLOAT_OTHER;
		break;
	case DW_ATE_decimal_float:
		type->kind = TYPE_FLOAT;
		type->format = FLOAT_OTHER;
		break;
	case DW_ATE_complex_float:
		// Nothing but the name says which format the parts have.
		if (known && known->kind == TYPE_COMPLEX && known->size == size)
			return known;
		if (name && !strcmp(name, "complex"))
			return make_clang_complex(types, node, size);
		make_opaque(node, "complex");
		return type;
	default: make_opaque(node, "base type"); return type;
	}

	// _BitInt(37) and the like live in fewer bits than their bytes hold.
	bool odd_bits = die_number(die, DW_AT_bit_size, &bits) && bits != size * 8;

	if (odd_bits || !size || size > 16 || (size & (size - 1)) ||
	    (type->kind == TYPE_BOOL && size > 8)) {
		make_opaque(node, "base type");
		return type;
	}
	if (known && known->kind == type->kind && known->size == size &&
	    known->is_signed == type->is_signed && known->is_char == type->is_char &&
	    known->format == type->format)
		return known;
	// Plain char is signed here, but a program may be compiled with -funsigned-char.
	if (known)
		type->name = known->name;
	type->align = size;
	node->parts = PARTS_READ;
	return type;
}

// One dimension's count; UINT64_MAX for [] and for bounds that only the running program knows.
static uint64_t subrange_count(Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	Dwarf_Sword upper, lower = 0;
	uint64_t count;

	if (die_number(die, DW_AT_count, &count))
		return count;
	if (dwarf_attr_integrate(die, DW_AT_lower_bound, &attr))
		dwarf_formsdata(&attr, &lower);
	if (!dwarf_attr_integrate(die, DW_AT_upper_bound, &attr))
		return UINT64_MAX;

	// data1 and data2 hold unsigned bounds; only sdata and implicit_const may be the -1 of [0].
	unsigned int form = dwarf_whatform(&attr);

	if (form == DW_FORM_data1 || form == DW_FORM_data2 || form == DW_FORM_data4 ||
	    form == DW_FORM_data8 || form == DW_FORM_udata) {
		Dwarf_Word bound;

		if (dwarf_formudata(&attr, &bound))
			return UINT64_MAX;
		// GCC of old wrote the bound of [0] as an all-ones number of its own width.
		if ((form == DW_FORM_data8 && bound == UINT64_MAX) ||
		    (form == DW_FORM_data4 && bound == UINT32_MAX))
			return 0;
		upper = (Dwarf_Sword)bound;
	} else if (form == DW_FORM_sdata || form == DW_FORM_implicit_const) {
		if (dwarf_formsdata(&attr, &upper))
			return UINT64_MAX;
	} else {
		return UINT64_MAX;
	}
	if (upper < lower)
		return 0;
	return (uint64_t)upper - (uint64_t)lower + 1;
}

static const struct type *make_array(struct types *types, struct type_node *node, int depth)
{
	enum { MAX_DIMENSIONS = 32 };
	uint64_t counts[MAX_DIMENSIONS];
	size_t n = 0;
	Dwarf_Die child;
	struct die_walk walk = { 0 };
	const struct type *type = target_of(types, &node->die, depth);

	if (!type || dwarf_hasattr(&node->die, DW_AT_byte_stride) ||
	    dwarf_hasattr(&node->die, DW_AT_bit_stride)) {
		make_opaque(node, "array");
		return &node->type;
	}
	for (bool more = die_walk_first(&walk, &node->die, &child); more && n < MAX_DIMENSIONS;
	     more = die_walk_next(&walk, &child)) {
		if (dwarf_tag(&child) == DW_TAG_subrange_type)
			counts[n++] = subrange_count(&child);
		else if (dwarf_tag(&child) == DW_TAG_enumeration_type)
			counts[n++] = UINT64_MAX;
	}
	if (!n)
		counts[n++] = UINT64_MAX;

	bool is_vector = die_flag(&node->die, DW_AT_GNU_vector);

	while (n-- && type) {
		if (!is_vector)
			type = types_array(types, type, counts[n]);
		else if (counts[n] && counts[n] < 4096 && type_strip(type)->size)
			type = types_vector(types, type, counts[n]);
		else
			type = NULL;
	}
	if (!type) {
		make_opaque(node, "array");
		return &node->type;
	}
	return type;
}

// What a class's own copy and move constructors and its destructor say of how it is passed.
struct copying {
	bool copies, moves; // it may be, as far as they tell
	bool declares; // one of the two constructors
	bool is_own; // something of it is written by the program
	bool is_doubtful; // parameters that may be left out would make it a copy
};

// An instance of a template never copies, whatever it takes.
static bool is_instance(Dwarf_Die *function)
{
	struct die_walk walk = { 0 };
	Dwarf_Die child;

	for (bool more = die_walk_first(&walk, function, &child); more;
	     more = die_walk_next(&walk, &child)) {
		int tag = dwarf_tag(&child);

		if (tag == DW_TAG_template_type_parameter ||
		    tag == DW_TAG_template_value_parameter ||
		    tag == DW_TAG_GNU_template_parameter_pack)
			return true;
	}
	return false;
}

static void judge_function(Dwarf_Die *class, Dwarf_Die *function, struct copying *copying)
{
	enum type_special special = type_special_of(class, function);
	uint64_t defaulted = 0;
	bool is_deleted = die_flag(function, DW_AT_deleted);
	bool is_move = special == SPECIAL_MOVE || special == SPECIAL_MOVE_ASSIGN;

	copying->is_doubtful |= special == SPECIAL_DOUBTFUL;
	if (special <= SPECIAL_DOUBTFUL || special == SPECIAL_COPY_ASSIGN ||
	    die_flag(function, DW_AT_artificial))
		return;
	die_number(function, DW_AT_defaulted, &defaulted);
	if (special != SPECIAL_MOVE_ASSIGN && !is_deleted && defaulted != DW_DEFAULTED_in_class)
		copying->is_own = true;
	if (special == SPECIAL_DESTROY)
		return;
	// To declare that it moves takes away the copying that it has by itself.
	if (!copying->declares) {
		copying->copies = !is_move;
		copying->moves = false;
	}
	copying->declares = true;
	if (special == SPECIAL_COPY)
		copying->copies = !is_deleted;
	if (special == SPECIAL_MOVE)
		copying->moves = !is_deleted;
}

enum type_special type_special_of(Dwarf_Die *class, Dwarf_Die *function)
{
	const char *own = dwarf_diename(class), *name = dwarf_diename(function);
	bool is_assignment = name && !strcmp(name, "operator=");
	struct die_walk walk = { 0 };
	size_t length = own ? strcspn(own, "<") : 0;
	Dwarf_Attribute attr;
	Dwarf_Die child, type, target;
	int nr_own = 0;

	if (!name || !own)
		return SPECIAL_NONE;
	if (*name == '~')
		return SPECIAL_DESTROY;
	if (!is_assignment && (strncmp(name, own, length) != 0 || strcspn(name, "<") != length))
		return SPECIAL_NONE;
	if (is_instance(function))
		return SPECIAL_NONE;
	// The first parameter that is written.
	for (bool more = die_walk_first(&walk, function, &child); more;
	     more = die_walk_next(&walk, &child)) {
		if (dwarf_tag(&child) == DW_TAG_formal_parameter &&
		    !die_flag(&child, DW_AT_artificial) && !nr_own++)
			type = child;
	}
	if (!nr_own || !dwarf_attr(&type, DW_AT_type, &attr) || !dwarf_formref_die(&attr, &type))
		return SPECIAL_NONE;

	int kind = dwarf_tag(&type);

	if (kind != DW_TAG_reference_type && kind != DW_TAG_rvalue_reference_type)
		return SPECIAL_NONE;
	if (!dwarf_attr(&type, DW_AT_type, &attr) || !dwarf_formref_die(&attr, &target))
		return SPECIAL_NONE;
	while ((dwarf_tag(&target) == DW_TAG_const_type ||
		dwarf_tag(&target) == DW_TAG_volatile_type ||
		dwarf_tag(&target) == DW_TAG_typedef) &&
	       dwarf_attr(&target, DW_AT_type, &attr))
		if (!dwarf_formref_die(&attr, &target))
			return SPECIAL_NONE;
	if (target.addr != class->addr) {
		const char *its = dwarf_diename(&target);

		// One unit may only declare what another's type unit defines.
		if (!its || strcmp(its, own) != 0)
			return SPECIAL_NONE;
	}
	// Whether the others may be left out does not show.
	if (nr_own > 1)
		return is_assignment ? SPECIAL_NONE : SPECIAL_DOUBTFUL;
	if (kind == DW_TAG_rvalue_reference_type)
		return is_assignment ? SPECIAL_MOVE_ASSIGN : SPECIAL_MOVE;
	return is_assignment ? SPECIAL_COPY_ASSIGN : SPECIAL_COPY;
}

// gcc does not say whether a C++ class is passed by invisible reference: a destructor, a copy or move
// constructor that the program wrote, none of both that may be used, a virtual function, or a base or
// member that has one.
static bool is_nontrivial(struct types *types, Dwarf_Die *die, int depth, bool *is_doubtful)
{
	struct copying copying = { .copies = true, .moves = true };
	struct die_walk walk = { 0 };
	Dwarf_Die child;

	for (bool more = die_walk_first(&walk, die, &child); more;
	     more = die_walk_next(&walk, &child)) {
		const struct type *type;

		switch (dwarf_tag(&child)) {
		case DW_TAG_inheritance:
		case DW_TAG_member:
			if (dwarf_hasattr(&child, DW_AT_virtuality))
				return true;
			if (dwarf_hasattr(&child, DW_AT_external))
				break;
			type = target_of(types, &child, depth);
			while (type && (type->kind == TYPE_TYPEDEF || type->kind == TYPE_ARRAY))
				type = type->target;
			if (type && type->is_nontrivial)
				return true;
			break;
		case DW_TAG_subprogram:
			if (dwarf_hasattr(&child, DW_AT_virtuality))
				return true;
			judge_function(die, &child, &copying);
			break;
		default: break;
		}
	}
	*is_doubtful = copying.is_doubtful;
	return copying.is_own || !(copying.copies || copying.moves);
}

static void make_struct(struct types *types, struct type_node *node, int tag, int depth)
{
	struct type *type = &node->type;
	enum source_language language = die_language(&node->die);
	uint64_t convention, align = 0;

	if (!source_is_c(language)) {
		make_opaque(node, "struct");
		return;
	}
	type->kind = tag == DW_TAG_union_type ? TYPE_UNION : TYPE_STRUCT;
	// C++ writes its types without a tag.
	if (language != SOURCE_CXX)
		type->tag = tag == DW_TAG_union_type ? "union" : "struct";
	else if (!dwarf_diename(&node->die))
		type->tag = tag == DW_TAG_union_type   ? "union"
			    : tag == DW_TAG_class_type ? "class"
						       : "struct";
	type->name = type_scope_name(types, &node->die);
	type->is_incomplete = die_flag(&node->die, DW_AT_declaration) ||
			      !die_number(&node->die, DW_AT_byte_size, &type->size);
	type->align = 1;
	if (die_number(&node->die, DW_AT_alignment, &align) && type_is_alignment(align))
		node->declared_align = align;
	// From here on the type may be met again below its own members.
	node->is = type;
	if (language != SOURCE_CXX)
		return;
	if (die_number(&node->die, DW_AT_calling_convention, &convention))
		type->is_nontrivial = convention == DW_CC_pass_by_reference;
	else if (!type->is_incomplete)
		type->is_nontrivial = is_nontrivial(types, &node->die, depth, &type->is_doubtful);
	type->is_doubtful &= !type->is_nontrivial;
}

static void make_enum(struct types *types, struct type_node *node, int depth)
{
	struct type *type = &node->type;
	uint64_t size = 0, encoding = 0;

	type->kind = TYPE_ENUM;
	if (die_language(&node->die) != SOURCE_CXX)
		type->tag = "enum";
	type->name = type_scope_name(types, &node->die);
	type->is_scoped = die_flag(&node->die, DW_AT_enum_class);
	type->is_incomplete = die_flag(&node->die, DW_AT_declaration);
	die_number(&node->die, DW_AT_byte_size, &size);
	die_number(&node->die, DW_AT_encoding, &encoding);
	node->is = type;

	const struct type *underlying = NULL;

	if (dwarf_hasattr(&node->die, DW_AT_type)) {
		underlying = target_of(types, &node->die, depth);
		const struct type *under = underlying ? type_strip(underlying) : NULL;

		if (under && (under->kind == TYPE_INT || under->kind == TYPE_BOOL)) {
			type->is_signed = under->is_signed;
			if (!size)
				size = under->size;
		} else {
			underlying = NULL;
		}
	}
	if (!underlying && encoding)
		type->is_signed = encoding == DW_ATE_signed || encoding == DW_ATE_signed_char;
	if (size > 8 || (size & (size - 1))) {
		make_opaque(node, "enum");
		return;
	}
	type->size = size;
	type->align = size ? size : 1;
	if (!size)
		type->is_incomplete = true;
	if (!underlying && !encoding) {
		// Older compilers tell the sign only by the values.
		struct die_walk walk = { 0 };
		Dwarf_Die child;

		for (bool more = die_walk_first(&walk, &node->die, &child); more;
		     more = die_walk_next(&walk, &child)) {
			Dwarf_Attribute attr;
			Dwarf_Sword value;

			if (dwarf_attr(&child, DW_AT_const_value, &attr) &&
			    dwarf_whatform(&attr) == DW_FORM_sdata &&
			    !dwarf_formsdata(&attr, &value) && value < 0)
				type->is_signed = true;
		}
	}
	if (!underlying) {
		static const char *const names[2][4] = {
			{ "unsigned char", "unsigned short", "unsigned int", "unsigned long" },
			{ "signed char", "short", "int", "long" },
		};

		underlying = types_basic(types,
					 names[type->is_signed][size ? __builtin_ctzll(size) : 2]);
	}
	type->target = underlying;
}

static void make_function(struct types *types, struct type_node *node, int depth)
{
	struct type *type = &node->type;
	enum source_language language = die_language(&node->die);

	type->target = target_of(types, &node->die, depth);
	if (!type->target) {
		make_opaque(node, "function");
		return;
	}
	type->kind = TYPE_FUNCTION;
	type->align = 1;
	type->compiler = die_compiler(&node->die);
	type->is_prototyped = die_flag(&node->die, DW_AT_prototyped) || language == SOURCE_CXX;

	struct die_walk walk = { 0 };
	Dwarf_Die child;

	for (bool more = die_walk_first(&walk, &node->die, &child); more;
	     more = die_walk_next(&walk, &child)) {
		if (dwarf_tag(&child) == DW_TAG_unspecified_parameters)
			type->is_variadic = true;
	}
	// f() followed by "unspecified parameters" is how C's empty list is written, not f(...).
	if (!type->is_prototyped)
		type->is_variadic = false;
}

static const struct type *make_member(struct types *types, Dwarf_Die *die, int depth)
{
	const struct type *target = target_of(types, die, depth), *class;
	Dwarf_Attribute attr;
	Dwarf_Die owner;

	if (!target || !dwarf_attr(die, DW_AT_containing_type, &attr) ||
	    !dwarf_formref_die(&attr, &owner))
		return NULL;
	class = build(types, &owner, depth + 1);
	return class ? types_member(types, class, target) : NULL;
}

static void make_typedef(struct type_node *node, const char *name, const struct type *target)
{
	node->type.kind = TYPE_TYPEDEF;
	node->type.name = name;
	node->type.target = target;
	node->type.size = target->size;
	node->type.align = target->align;
	node->type.is_signed = target->is_signed;
	node->type.is_incomplete = target->is_incomplete;
	node->parts = PARTS_READ;
}

static const struct type *make(struct types *types, struct type_node *node, int depth)
{
	Dwarf_Die *die = &node->die;
	int tag = dwarf_tag(die);
	const struct type *target;
	Dwarf_Attribute attr;
	Dwarf_Die elsewhere;
	uint64_t align;
	const char *name;

	if (die_language(die) == SOURCE_GO)
		return type_go_make(types, node, depth);
	// A declaration that stands for a type unit.
	if (dwarf_attr(die, DW_AT_signature, &attr))
		return dwarf_formref_die(&attr, &elsewhere) ? build(types, &elsewhere, depth + 1)
							    : NULL;
	switch (tag) {
	case DW_TAG_base_type: return make_basic(types, node);
	case DW_TAG_pointer_type:
		target = target_of(types, die, depth);
		return target ? types_pointer(types, target) : NULL;
	case DW_TAG_reference_type:
	case DW_TAG_rvalue_reference_type:
		target = target_of(types, die, depth);
		return target ? types_reference(types, target, tag == DW_TAG_rvalue_reference_type)
			      : NULL;
	case DW_TAG_ptr_to_member_type: return make_member(types, die, depth);
	case DW_TAG_const_type:
	case DW_TAG_volatile_type:
		target = target_of(types, die, depth);
		return target ? types_qualified(types, target, tag == DW_TAG_const_type,
						tag == DW_TAG_volatile_type)
			      : NULL;
	case DW_TAG_restrict_type:
	case DW_TAG_atomic_type: return target_of(types, die, depth);
	case DW_TAG_array_type: return make_array(types, node, depth);
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type: make_struct(types, node, tag, depth); return &node->type;
	case DW_TAG_enumeration_type: make_enum(types, node, depth); return &node->type;
	case DW_TAG_typedef:
		target = target_of(types, die, depth);
		if (!target)
			return NULL;
		make_typedef(node, type_scope_name(types, die), target);
		if (die_number(die, DW_AT_alignment, &align) && type_is_alignment(align))
			node->declared_align = (uint32_t)align;
		return &node->type;
	case DW_TAG_subroutine_type:
	case DW_TAG_subprogram: make_function(types, node, depth); return &node->type;
	case DW_TAG_unspecified_type:
		name = dwarf_diename(die);
		target = name && !strcmp(name, "decltype(nullptr)")
				 ? types_pointer(types, void_type(types))
				 : NULL;
		if (target) {
			make_typedef(node, name, target);
			return &node->type;
		}
		make_opaque(node, "type");
		return &node->type;
	default: make_opaque(node, "type"); return &node->type;
	}
}

static const struct type *build(struct types *types, Dwarf_Die *die, int depth)
{
	bool made;
	struct type_node *node = types_intern(types, die->addr, 0, &made);

	if (!node)
		return NULL;
	if (!made) {
		if (node->is)
			return node->is;
		// A type that is made of itself without a struct in between: a corrupt file.
		return types_basic(types, "void");
	}
	node->die = *die;
	node->type.origin = die->addr;

	const struct type *type = depth < MAX_NESTING ? make(types, node, depth) : NULL;

	if (!type) {
		make_opaque(node, "unreadable type");
		type = &node->type;
	}
	node->is = type;
	return type;
}

const struct type *type_from_die(struct types *types, Dwarf_Die *die)
{
	return build(types, die, 0);
}

const struct type *type_of_die(struct types *types, Dwarf_Die *die)
{
	return target_of(types, die, 0);
}
