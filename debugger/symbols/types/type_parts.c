// SPDX-License-Identifier: MIT
// The parts of a type that DWARF describes, read when first asked for: a struct's members with its
// alignment, a function's parameters, an enum's values.
#include "debugger/symbols/dwarf/entry.h"
#include "debugger/symbols/dwarf/units.h"
#include "debugger/symbols/types/type_table.h"

#include <dwarf.h>
#include <string.h>

enum {
	MAX_PARTS = 1 << 20,
	DW_AT_go_embedded_field = 0x2903,
};

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
		return tag == DW_TAG_member && !die_flag(child, DW_AT_external) &&
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
	member->is_embedded = die_flag(die, DW_AT_go_embedded_field);
	member->type = type_of_die(node->type.owner, die);
	if (!member->type)
		return error_make(DC_VALUE, "the debug information of %s is damaged",
				  node->type.name ? node->type.name : "a type");
	// clang tells an alignment that was asked for only here, gcc at the struct as well. Of a
	// type's own clang tells it here even where a packed struct does not heed it.
	if (die_number(die, DW_AT_alignment, &align) && type_is_alignment(align) &&
	    align > node->member_align && !(member->offset % align) && !(node->type.size % align))
		node->member_align = (uint32_t)align;
	if (!die_number(die, DW_AT_bit_size, &bits) || !bits)
		return NULL;
	if (bits > 128) {
		*usable = false;
		return NULL;
	}
	member->bit_size = bits;
	if (die_number(die, DW_AT_data_bit_offset, &position)) {
		place_bits(member, member->offset * 8 + position, node->type.size);
	} else if (die_number(die, DW_AT_bit_offset, &position)) {
		// DWARF 3: counted from the storage unit's highest bit.
		if (!die_number(die, DW_AT_byte_size, &storage))
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

static uint64_t end_of(const struct type_member *member)
{
	if (member->bit_size)
		return member->offset + (member->bit_offset + member->bit_size + 7) / 8;
	return member->offset + type_strip(member->type)->size;
}

// Padding is there for what is aligned to more than it.
static uint32_t align_for(uint64_t padding)
{
	return padding && padding < 1u << 28 ? 2u << (63 - __builtin_clzll(padding)) : 1;
}

// DWARF does not say how far a struct is packed. A member that lies off its own alignment shows it,
// and padding shows that it is not.
static void find_alignment(struct type_node *node)
{
	uint32_t align = 1, packed = UINT32_MAX, shown = 1;
	uint64_t end = 0;

	for (size_t i = 0; i < node->nr_parts; i++) {
		const struct type_member *member = &node->members[i];
		uint32_t own = type_align(member->type);
		uint32_t off = (uint32_t)(member->offset & (own - 1));

		if (!off && own > align)
			align = own;
		if (off && !member->bit_size && (off & -off) < packed &&
		    !type_align_is_guessed(member->type))
			packed = off & -off;
		if (node->type.kind == TYPE_STRUCT && member->offset > end && !member->bit_size &&
		    align_for(member->offset - end) > shown)
			shown = align_for(member->offset - end);
		if (end_of(member) > end)
			end = end_of(member);
	}
	if (node->type.size > end && align_for(node->type.size - end) > shown)
		shown = align_for(node->type.size - end);
	if (node->declared_align > shown)
		shown = node->declared_align;
	if (node->member_align > align)
		align = node->member_align;
	if (packed < align)
		align = packed;
	// A packed struct's size says so even where its members happen to lie well.
	while (align > 1 && node->type.size % align)
		align /= 2;
	if (node->declared_align > align)
		align = node->declared_align;
	node->type.align = align;
	node->type.is_align_guessed = shown < align;
	node->type.padded_align = shown > align ? shown : 0;
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
		uint64_t end = end_of(&members[used]);

		if (members[used].is_virtual)
			node->type.is_nontrivial = true;
		if (usable && end >= members[used].offset && end <= node->type.size)
			used++;
		else if (!usable || !node->type.is_incomplete)
			node->type.is_doubtful = true;
	}
	node->members = members;
	node->nr_parts = used;
	find_alignment(node);
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

// Where a method is only declared, what is called on is not said to be const, which it is.
static const struct type *object_const(struct types *types, Dwarf_Die *die, const struct type *type)
{
	if (!type || type->kind != TYPE_POINTER || !die_flag(die, DW_AT_artificial))
		return type;
	return types_qualified(types, type, true, false) ?: type;
}

// How many there are; g++ describes those of a pack inside of it. list: room for all, or NULL.
// code: the function that they are passed to.
static size_t each_param(struct types *types, Dwarf_Die *code, Dwarf_Die *function,
			 struct type_param *list)
{
	struct die_walk walk = { 0 };
	Dwarf_Die child;
	size_t n = 0;
	bool is_go = list && die_language(function) == SOURCE_GO;

	for (bool more = die_walk_first(&walk, function, &child); more && n < MAX_PARTS;
	     more = die_walk_next(&walk, &child)) {
		bool is_pack = dwarf_tag(&child) == DW_TAG_GNU_formal_parameter_pack &&
			       dwarf_tag(function) != DW_TAG_GNU_formal_parameter_pack;

		if (is_pack)
			n += each_param(types, code, &child, list ? list + n : NULL);
		if (is_pack || !child_is_part(&child, TYPE_FUNCTION))
			continue;
		if (list) {
			const struct type *type = type_of_die(types, &child);

			list[n] = (struct type_param){
				.name = dwarf_diename(&child),
				.type = is_go ? type
					      : object_const(types, &child, adjusted(types, type)),
				.is_result = is_go && die_flag(&child, DW_AT_variable_parameter),
			};
			entry_find(code, &child, &list[n].entry);
		}
		n++;
	}
	return n;
}

// Go's compiler may describe one several times.
static size_t without_repeated(struct type_param *params, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		while (k < kept &&
		       (!params[i].name || strcmp(params[k].name ?: "", params[i].name)))
			k++;
		if (k == kept)
			params[kept++] = params[i];
	}
	return kept;
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

	size_t n = each_param(types, &node->die, &die, NULL);
	bool is_go = die_language(&die) == SOURCE_GO && die.addr != node->die.addr;

	// Of one that Go's compiler also inlined, the copy alone has the results.
	if (is_go)
		n += each_param(types, &node->die, &node->die, NULL);

	struct type_param *params = types_alloc(types, (n ? n : 1) * sizeof(*params));

	if (!params)
		return &dc_out_of_memory;
	node->params = params;
	node->nr_parts = each_param(types, &node->die, &die, params);
	if (is_go)
		node->nr_parts += each_param(types, &node->die, &node->die,
					     params + node->nr_parts);
	if (die_language(&die) == SOURCE_GO)
		node->nr_parts = without_repeated(params, node->nr_parts);
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
	if (node->description) {
		err = type_go_read_described(node);
		node->parts = err ? PARTS_UNREAD : PARTS_READ;
		return err;
	}
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
