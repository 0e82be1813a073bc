// SPDX-License-Identifier: MIT
// From a DIE to a type. A struct's members, a function's parameters and an enum's values are read
// when asked for, so that naming one type never reads the graph that hangs on it.
#include "debugger/symbols/dwarf/units.h"
#include "debugger/symbols/types/type_scope.h"

#include <dwarf.h>
#include <string.h>

// Types nest in DIEs as deep as declarators do; deeper is a corrupt file.
enum { MAX_NESTING = 200, MAX_PARTS = 1 << 20 };

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

static bool number(Dwarf_Die *die, unsigned int name, uint64_t *ret)
{
	Dwarf_Attribute attr;
	Dwarf_Word value;

	if (!dwarf_attr_integrate(die, name, &attr) || dwarf_formudata(&attr, &value))
		return false;
	*ret = value;
	return true;
}

static bool flag(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attr;
	bool value;

	return dwarf_attr_integrate(die, name, &attr) && !dwarf_formflag(&attr, &value) && value;
}

static void make_opaque(struct type_node *node, const char *why)
{
	const char *name = type_scope_name(node->type.owner, &node->die);
	uint64_t size = 0;

	number(&node->die, DW_AT_byte_size, &size);
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

	number(die, DW_AT_encoding, &encoding);
	number(die, DW_AT_byte_size, &size);

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
	bool odd_bits = number(die, DW_AT_bit_size, &bits) && bits != size * 8;

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

	if (number(die, DW_AT_count, &count))
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

	bool is_vector = flag(&node->die, DW_AT_GNU_vector);

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

// DWARF 4 does not say whether a C++ class is passed by invisible reference: a destructor, a copy
// or move constructor that the program wrote, a virtual function, or a base or member that has one.
static bool seems_nontrivial(struct types *types, Dwarf_Die *die, int depth)
{
	const char *own = dwarf_diename(die);
	struct die_walk walk = { 0 };
	Dwarf_Die child;

	for (bool more = die_walk_first(&walk, die, &child); more;
	     more = die_walk_next(&walk, &child)) {
		const char *name;
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
			name = dwarf_diename(&child);
			if (dwarf_hasattr(&child, DW_AT_virtuality))
				return true;
			if (flag(&child, DW_AT_artificial) ||
			    dwarf_hasattr(&child, DW_AT_defaulted))
				break;
			// Which constructor it is would need its parameters; any of them will do.
			if (name && (name[0] == '~' || (own && !strcmp(name, own))))
				return true;
			break;
		default: break;
		}
	}
	return false;
}

static bool is_alignment(uint64_t align)
{
	return align && align <= 1u << 28 && !(align & (align - 1));
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
	type->is_incomplete = flag(&node->die, DW_AT_declaration) ||
			      !number(&node->die, DW_AT_byte_size, &type->size);
	type->align = 1;
	if (number(&node->die, DW_AT_alignment, &align) && is_alignment(align))
		node->declared_align = align;
	// From here on the type may be met again below its own members.
	node->is = type;
	if (language != SOURCE_CXX)
		return;
	if (number(&node->die, DW_AT_calling_convention, &convention))
		type->is_nontrivial = convention == DW_CC_pass_by_reference;
	else if (!type->is_incomplete)
		type->is_nontrivial = seems_nontrivial(types, &node->die, depth);
}

static void make_enum(struct types *types, struct type_node *node, int depth)
{
	struct type *type = &node->type;
	uint64_t size = 0, encoding = 0;

	type->kind = TYPE_ENUM;
	if (die_language(&node->die) != SOURCE_CXX)
		type->tag = "enum";
	type->name = type_scope_name(types, &node->die);
	type->is_scoped = flag(&node->die, DW_AT_enum_class);
	type->is_incomplete = flag(&node->die, DW_AT_declaration);
	number(&node->die, DW_AT_byte_size, &size);
	number(&node->die, DW_AT_encoding, &encoding);
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
	type->is_prototyped = flag(&node->die, DW_AT_prototyped) || language == SOURCE_CXX;

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

static const struct type *make(struct types *types, struct type_node *node, int depth)
{
	Dwarf_Die *die = &node->die;
	int tag = dwarf_tag(die);
	const struct type *target;
	Dwarf_Attribute attr;
	Dwarf_Die elsewhere;

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
		if (!target)
			return NULL;
		node->type.kind = TYPE_REFERENCE;
		node->type.size = node->type.align = 8;
		node->type.target = target;
		node->parts = PARTS_READ;
		return &node->type;
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
		node->type.kind = TYPE_TYPEDEF;
		node->type.name = type_scope_name(types, die);
		node->type.target = target;
		node->type.size = target->size;
		node->type.align = target->align;
		node->type.is_signed = target->is_signed;
		node->type.is_incomplete = target->is_incomplete;
		node->parts = PARTS_READ;
		return &node->type;
	case DW_TAG_subroutine_type:
	case DW_TAG_subprogram: make_function(types, node, depth); return &node->type;
	case DW_TAG_unspecified_type:
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

// ---- parts -----------------------------------------------------------------------------------

static bool child_is_part(Dwarf_Die *child, enum type_kind kind)
{
	int tag = dwarf_tag(child);

	switch (kind) {
	case TYPE_FUNCTION: return tag == DW_TAG_formal_parameter;
	case TYPE_ENUM: return tag == DW_TAG_enumerator;
	default:
		if (tag == DW_TAG_inheritance)
			return true;
		// A static member of a C++ class has an address of its own.
		return tag == DW_TAG_member && !flag(child, DW_AT_external) &&
		       !dwarf_hasattr(child, DW_AT_const_value);
	}
}

static size_t count_parts(Dwarf_Die *die, enum type_kind kind)
{
	struct die_walk walk = { 0 };
	Dwarf_Die child;
	size_t n = 0;

	for (bool more = die_walk_first(&walk, die, &child); more && n < MAX_PARTS;
	     more = die_walk_next(&walk, &child))
		n += child_is_part(&child, kind);
	return n;
}

// Where the field's storage unit is and which of its bits belong to the field.
static void place_bits(struct type_member *member, uint64_t first_bit, uint64_t struct_size)
{
	uint64_t size = type_strip(member->type)->size;
	uint64_t unit = size ? first_bit / (size * 8) * size : first_bit / 8;

	// In a packed struct a field may straddle its natural unit, or the unit the struct's end.
	if (first_bit - unit * 8 + member->bit_size > size * 8 || unit + size > struct_size)
		unit = first_bit / 8;
	member->offset = unit;
	member->bit_offset = first_bit - unit * 8;
}

static bool member_location(Dwarf_Die *die, uint64_t *ret)
{
	Dwarf_Attribute attr;
	Dwarf_Op *ops;
	size_t nr_ops;

	*ret = 0;
	if (!dwarf_attr_integrate(die, DW_AT_data_member_location, &attr))
		return true;
	if (!dwarf_formudata(&attr, ret))
		return true;
	// DWARF 2 wrote the offset as an expression; a virtual base needs the object itself.
	if (dwarf_getlocation(&attr, &ops, &nr_ops) || nr_ops != 1 ||
	    ops[0].atom != DW_OP_plus_uconst)
		return false;
	*ret = ops[0].number;
	return true;
}

// "the object's first word, minus a constant, is where the distance stands".
static bool virtual_location(Dwarf_Die *die, uint64_t *table_offset)
{
	static const uint8_t wanted[] = { DW_OP_dup,   DW_OP_deref, 0,
					  DW_OP_minus, DW_OP_deref, DW_OP_plus };
	Dwarf_Attribute attr;
	Dwarf_Op *ops;
	size_t n;

	if (!dwarf_attr(die, DW_AT_data_member_location, &attr) ||
	    dwarf_getlocation(&attr, &ops, &n) || n != sizeof(wanted))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (wanted[i] && ops[i].atom != wanted[i])
			return false;
	}
	if (ops[2].atom >= DW_OP_lit0 && ops[2].atom <= DW_OP_lit31)
		*table_offset = ops[2].atom - DW_OP_lit0;
	else if (ops[2].atom == DW_OP_constu || ops[2].atom == DW_OP_const1u)
		*table_offset = ops[2].number;
	else
		return false;
	return true;
}

static struct dc_error *read_member(struct type_node *node, Dwarf_Die *die,
				    struct type_member *member, bool *usable)
{
	uint64_t bits = 0, position = 0, storage = 0, align;

	member->is_base = dwarf_tag(die) == DW_TAG_inheritance;
	member->is_virtual = member->is_base && dwarf_hasattr(die, DW_AT_virtuality);
	*usable = member->is_virtual ? virtual_location(die, &member->table_offset)
				     : member_location(die, &member->offset);
	member->name = dwarf_diename(die);
	member->type = target_of(node->type.owner, die, 0);
	if (!member->type)
		return error_make(DC_VALUE, "the debug information of %s is damaged",
				  node->type.name ? node->type.name : "a type");
	// clang tells an alignment that was asked for only here, gcc at the struct as well.
	if (number(die, DW_AT_alignment, &align) && is_alignment(align) &&
	    align > node->declared_align)
		node->declared_align = (uint32_t)align;
	if (!number(die, DW_AT_bit_size, &bits) || !bits)
		return NULL;
	if (bits > 128) {
		*usable = false;
		return NULL;
	}
	member->bit_size = bits;
	if (number(die, DW_AT_data_bit_offset, &position)) {
		place_bits(member, member->offset * 8 + position, node->type.size);
	} else if (number(die, DW_AT_bit_offset, &position)) {
		// DWARF 3: counted from the storage unit's highest bit.
		if (!number(die, DW_AT_byte_size, &storage))
			storage = type_strip(member->type)->size;
		if (position + bits <= storage * 8)
			place_bits(member, member->offset * 8 + storage * 8 - position - bits,
				   node->type.size);
		else
			*usable = false;
	} else {
		place_bits(member, member->offset * 8, node->type.size);
	}
	return NULL;
}

static bool leaf_is_odd(const struct type *type, uint64_t offset, int depth);

static bool members_are_odd(const struct type_member *members, size_t n, uint64_t offset, int depth)
{
	for (size_t i = 0; i < n; i++) {
		if (!members[i].bit_size &&
		    leaf_is_odd(members[i].type, offset + members[i].offset, depth + 1))
			return true;
	}
	return false;
}

// The psABI asks for each scalar's own place in the whole, however it is nested.
static bool leaf_is_odd(const struct type *type, uint64_t offset, int depth)
{
	const struct type_member *members;
	size_t n;

	type = type_strip(type);
	if (depth > MAX_NESTING)
		return true;
	switch (type->kind) {
	case TYPE_ARRAY:
		// The second element tells what the first cannot: whether the stride is aligned
		// too.
		return leaf_is_odd(type->target, offset, depth + 1) ||
		       (type->count > 1 && type->count != UINT64_MAX &&
			leaf_is_odd(type->target, offset + type->target->size, depth + 1));
	case TYPE_STRUCT:
	case TYPE_UNION: {
		struct dc_error *err = type_members(type, &members, &n);

		if (err) {
			dc_error_destroy(err);
			return true;
		}
		return members_are_odd(members, n, offset, depth);
	}
	default: return type->align > 1 && offset % type->align;
	}
}

// DWARF does not say how far a struct is packed. A member that lies off its own alignment shows it.
static void find_alignment(struct type_node *node)
{
	uint32_t align = 1, packed = UINT32_MAX;

	for (size_t i = 0; i < node->nr_parts; i++) {
		const struct type_member *member = &node->members[i];
		uint32_t own = type_align(member->type);
		uint32_t off = (uint32_t)(member->offset & (own - 1));

		if (!off && own > align)
			align = own;
		if (off && !member->bit_size && (off & -off) < packed)
			packed = off & -off;
	}
	if (packed < align)
		align = packed;
	// A packed struct's size says so even where its members happen to lie well.
	while (align > 1 && node->type.size % align)
		align /= 2;
	if (node->declared_align > align)
		align = node->declared_align;
	node->type.align = align;
}

static struct dc_error *read_members(struct type_node *node)
{
	struct types *types = node->type.owner;
	size_t n = count_parts(&node->die, node->type.kind), used = 0;
	struct type_member *members = types_alloc(types, (n ? n : 1) * sizeof(*members));
	struct die_walk walk = { 0 };
	Dwarf_Die child;

	if (!members)
		return &dc_out_of_memory;
	for (bool more = die_walk_first(&walk, &node->die, &child); more && used < n;
	     more = die_walk_next(&walk, &child)) {
		bool usable;

		if (!child_is_part(&child, node->type.kind))
			continue;
		memset(&members[used], 0, sizeof(members[used]));

		struct dc_error *err = read_member(node, &child, &members[used], &usable);

		if (err)
			return err;
		// Values are cut from the struct's own bytes: a member outside of them is no
		// member.
		uint64_t end = members[used].bit_size
				       ? members[used].offset + (members[used].bit_offset +
								 members[used].bit_size + 7) /
									8
				       : members[used].offset +
						 type_strip(members[used].type)->size;

		if (members[used].is_virtual)
			node->type.is_nontrivial = true;
		if (usable && end >= members[used].offset && end <= node->type.size)
			used++;
		else if (!usable || !node->type.is_incomplete)
			node->type.is_nontrivial = true;
	}
	node->members = members;
	node->nr_parts = used;
	find_alignment(node);
	node->type.is_packed_or_odd = members_are_odd(members, used, 0, 0);
	return NULL;
}

// Parameters of array and function type are pointers in truth.
static const struct type *adjusted(struct types *types, const struct type *type)
{
	const struct type *bare = type ? type_strip(type) : NULL;

	if (!bare || (bare->kind != TYPE_ARRAY && bare->kind != TYPE_FUNCTION))
		return type;
	return types_pointer(types, bare->kind == TYPE_ARRAY ? bare->target : bare);
}

// How many there are; g++ describes those of a pack inside of it. list: room for all, or NULL.
static size_t each_param(struct types *types, Dwarf_Die *function, struct type_param *list)
{
	struct die_walk walk = { 0 };
	Dwarf_Die child;
	size_t n = 0;

	for (bool more = die_walk_first(&walk, function, &child); more && n < MAX_PARTS;
	     more = die_walk_next(&walk, &child)) {
		bool is_pack = dwarf_tag(&child) == DW_TAG_GNU_formal_parameter_pack &&
			       dwarf_tag(function) != DW_TAG_GNU_formal_parameter_pack;

		if (is_pack)
			n += each_param(types, &child, list ? list + n : NULL);
		if (is_pack || !child_is_part(&child, TYPE_FUNCTION))
			continue;
		if (list)
			list[n] = (struct type_param){
				.name = dwarf_diename(&child),
				.type = adjusted(types, target_of(types, &child, 0)),
			};
		n++;
	}
	return n;
}

static struct dc_error *read_params(struct type_node *node)
{
	struct types *types = node->type.owner;
	Dwarf_Die die = node->die, origin;
	Dwarf_Attribute attr;

	// An out-of-line copy of an inline function may leave out parameters that it does not use.
	for (int hops = 0; hops < 4 && dwarf_attr(&die, DW_AT_abstract_origin, &attr) &&
			   dwarf_formref_die(&attr, &origin);
	     hops++)
		die = origin;

	size_t n = each_param(types, &die, NULL);
	struct type_param *params = types_alloc(types, (n ? n : 1) * sizeof(*params));

	if (!params)
		return &dc_out_of_memory;
	node->params = params;
	node->nr_parts = each_param(types, &die, params);
	for (size_t i = 0; i < node->nr_parts; i++) {
		if (!params[i].type)
			return error_make(DC_VALUE,
					  "the debug information of a function is damaged");
	}
	return NULL;
}

static struct dc_error *read_enumerators(struct type_node *node)
{
	struct types *types = node->type.owner;
	size_t n = count_parts(&node->die, TYPE_ENUM), used = 0;
	struct type_enumerator *values = types_alloc(types, (n ? n : 1) * sizeof(*values));
	struct die_walk walk = { 0 };
	Dwarf_Die child;

	if (!values)
		return &dc_out_of_memory;
	for (bool more = die_walk_first(&walk, &node->die, &child); more && used < n;
	     more = die_walk_next(&walk, &child)) {
		if (!child_is_part(&child, TYPE_ENUM))
			continue;
		values[used].name = dwarf_diename(&child);
		if (!values[used].name ||
		    !die_enumerator_value(&child, &node->type, &values[used].value))
			continue;
		used++;
	}
	node->enumerators = values;
	node->nr_parts = used;
	return NULL;
}

struct dc_error *type_read_parts(struct type_node *node)
{
	struct dc_error *err = NULL;

	if (node->parts == PARTS_READ)
		return NULL;
	// Asked for while being read: a struct that holds itself. Its members are empty so far.
	if (node->parts == PARTS_READING)
		return error_make(DC_VALUE,
				  "the debug information of %s is damaged: it holds itself",
				  node->type.name ? node->type.name : "a type");
	if (node->type.is_incomplete) {
		node->parts = PARTS_READ;
		return NULL;
	}
	node->parts = PARTS_READING;
	switch (node->type.kind) {
	case TYPE_STRUCT:
	case TYPE_UNION: err = read_members(node); break;
	case TYPE_FUNCTION: err = read_params(node); break;
	case TYPE_ENUM: err = read_enumerators(node); break;
	default: break;
	}
	node->parts = err ? PARTS_UNREAD : PARTS_READ;
	return err;
}
