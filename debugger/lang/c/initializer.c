// SPDX-License-Identifier: MIT
// Initializer lists, by C's rules: designators, inner lists, and elements whose braces are left
// out.
#include "debugger/lang/c/dialect.h"

#include <inttypes.h>
#include <string.h>

// Where the list being read stands, and the object it fills. unknown: some part has no bytes yet.
struct filling {
	struct context *context;
	unsigned char *bytes;
	bool unknown;
};

static struct dc_error *fill(struct filling *filling, const struct type *type, uint64_t offset,
			     const struct item **item);
static struct dc_error *fill_list(struct filling *filling, const struct type *type, uint64_t offset,
				  const struct node *list);

// An initializer that only a run can know makes the whole object unknown, for a half is of no use.
static void put(struct filling *filling, const struct value *value, uint64_t offset, uint64_t size)
{
	if (value->bytes)
		memcpy(filling->bytes + offset, value->bytes, size);
	else
		filling->unknown = true;
}

// What has parts that a list can name. Vectors count: GNU C initializes them like arrays.
static bool is_aggregate(const struct type *type)
{
	type = type_strip(type);
	return type->kind == TYPE_ARRAY || type->kind == TYPE_VECTOR || type_is_record(type);
}

// A string fills an array of its characters; the final NUL only when there is room.
static bool is_string_for(const struct type *type, const struct node *node)
{
	const struct type *plain = type_strip(type);

	return plain->kind == TYPE_ARRAY && node->kind == NODE_STRING &&
	       type_strip(plain->target)->kind == TYPE_INT &&
	       type_strip(plain->target)->size == type_strip(node->type)->size;
}

static struct dc_error *fill_string(struct filling *filling, const struct type *type,
				    uint64_t offset, const struct node *node)
{
	uint64_t room = type_strip(type)->size;

	if (node->string.size > room)
		return error_at(error_make(DC_TYPE, "the string is longer than its array"),
				node->column);
	memcpy(filling->bytes + offset, node->string.bytes, node->string.size);
	return NULL;
}

static struct dc_error *fill_scalar(struct filling *filling, const struct type *type,
				    uint64_t offset, const struct node *node)
{
	_cleanup_value_ struct value value = { 0 };
	struct dc_error *err;

	if (node->kind == NODE_LIST) // {5} initializes a scalar too
		return fill_list(filling, type, offset, node);
	err = eval_operand(filling->context, node, &value);
	if (!err)
		err = error_at(convert_assign(filling->context, &value, type, "initializer"),
			       node->column);
	if (!err)
		put(filling, &value, offset, type_strip(type)->size);
	return err;
}

// A bit-field shares its bytes with neighbours that may be set already.
static struct dc_error *fill_bits(struct filling *filling, const struct type_member *member,
				  uint64_t offset, const struct node *node)
{
	_cleanup_value_ struct value value = { 0 };
	struct dc_error *err = eval_operand(filling->context, node, &value);

	if (!err)
		err = error_at(
			convert_assign(filling->context, &value, member->type, "initializer"),
			node->column);
	if (err)
		return err;
	if (!value.bytes) {
		filling->unknown = true;
		return NULL;
	}
	for (uint32_t i = 0; i < member->bit_size; i++) {
		uint32_t to = member->bit_offset + i;

		if (value.bytes[i / 8] >> i % 8 & 1)
			filling->bytes[offset + to / 8] |= 1 << to % 8;
		else
			filling->bytes[offset + to / 8] &= ~(1 << to % 8);
	}
	return NULL;
}

// The i-th place of an aggregate; false behind the last.
struct slot {
	const struct type *type;
	uint64_t offset;
	const struct type_member *member; // of a record
};

static struct dc_error *find_slot(struct context *context, const struct type *type, uint64_t i,
				  struct slot *ret, bool *found)
{
	const struct type *plain = symbols_complete(context->access.symbols, type_strip(type));
	const struct type_member *members;
	size_t n, named = 0;
	struct dc_error *err;

	*found = false;
	if (!type_is_record(plain)) {
		*ret = (struct slot){ .type = plain->target,
				      .offset = i * type_strip(plain->target)->size };
		*found = i < plain->count && plain->count != UINT64_MAX;
		return NULL;
	}
	err = type_members(plain, &members, &n);
	if (err)
		return err;
	for (size_t m = 0; m < n; m++) {
		// An unnamed bit-field is padding.
		if (!members[m].name && members[m].bit_size > 0)
			continue;
		if (named++ == i) {
			*ret = (struct slot){ .type = members[m].type,
					      .offset = members[m].offset,
					      .member = &members[m] };
			*found = plain->kind == TYPE_STRUCT || i == 0;
			return NULL;
		}
	}
	return NULL;
}

static struct dc_error *fill_slot(struct filling *filling, const struct slot *slot, uint64_t offset,
				  const struct item **item)
{
	if (slot->member && slot->member->bit_size > 0) {
		struct dc_error *err = fill_bits(filling, slot->member, offset + slot->offset,
						 (*item)->value);

		*item = (*item)->next;
		return err;
	}
	return fill(filling, slot->type, offset + slot->offset, item);
}

// One object from the list that item stands in; takes as many items as it has room for.
static struct dc_error *fill(struct filling *filling, const struct type *type, uint64_t offset,
			     const struct item **item)
{
	const struct node *node = (*item)->value;
	struct dc_error *err;

	if (is_string_for(type, node)) {
		*item = (*item)->next;
		return fill_string(filling, type, offset, node);
	}
	if (!is_aggregate(type)) {
		*item = (*item)->next;
		return fill_scalar(filling, type, offset, node);
	}
	if (node->kind == NODE_LIST) {
		*item = (*item)->next;
		return fill_list(filling, type, offset, node);
	}
	// A value of the type itself, or the first element of one whose braces were left out.
	_cleanup_value_ struct value value = { 0 };

	err = eval_node(filling->context, node, &value);
	if (err)
		return err;
	if (value_unknown(&value) ||
	    (is_aggregate(value.type) && type_equal(type_strip(value.type), type_strip(type)))) {
		*item = (*item)->next;
		err = object_load(filling->context, &value);
		if (!err)
			put(filling, &value, offset, type_strip(type)->size);
		return err;
	}

	struct slot slot;
	bool found = true;

	for (uint64_t i = 0; *item && found; i++) {
		if (i > 0 && (*item)->designators)
			break;
		err = find_slot(filling->context, type, i, &slot, &found);
		if (!err && i == 0 && !found)
			return type_error("'%s' has no room for a value", type, NULL);
		if (!err && found)
			err = fill_slot(filling, &slot, offset, item);
		if (err)
			return err;
	}
	return NULL;
}

// The place that a member's name leads to, also through anonymous members; position: where the list
// goes on behind it.
static struct dc_error *named_slot(struct context *context, const struct type *type,
				   const char *name, struct slot *ret, uint64_t *position,
				   bool *found)
{
	struct slot slot;
	bool more = true, inside = false;
	struct dc_error *err = NULL;

	*found = false;
	for (uint64_t i = 0; !err && more && !*found && i < NODE_DEPTH_MAX * 16; i++) {
		const struct type *plain = symbols_complete(context->access.symbols,
							    type_strip(type));
		const struct type_member *members;
		size_t n;

		// A union's later members can be named too.
		err = type_members(plain, &members, &n);
		if (err || i >= n)
			break;
		more = i < n;
		slot = (struct slot){ .type = members[i].type,
				      .offset = members[i].offset,
				      .member = &members[i] };
		if (members[i].name && strcmp(members[i].name, name) == 0) {
			*ret = slot;
			*found = true;
		} else if (!members[i].name && type_is_record(members[i].type)) {
			uint64_t ignored;

			err = named_slot(context, members[i].type, name, ret, &ignored, &inside);
			if (inside) {
				ret->offset += slot.offset;
				*found = true;
			}
		}
		*position = i + 1;
	}
	return err;
}

// Follows ".a[1].b" to a place. position: where the list continues, which the first step decides.
static struct dc_error *designated(struct filling *filling, const struct type *type,
				   const struct designator *designator, struct slot *ret,
				   uint64_t *position)
{
	struct context *context = filling->context;
	uint64_t offset = 0, ignored;
	bool found = false;
	struct dc_error *err = NULL;

	for (bool first = true; !err && designator; designator = designator->next, first = false) {
		const struct type *plain = symbols_complete(context->access.symbols,
							    type_strip(type));

		found = false;
		if (designator->member && type_is_record(plain)) {
			err = named_slot(context, plain, designator->member, ret,
					 first ? position : &ignored, &found);
			if (!err && !found)
				err = error_make(DC_NAME, "there is no member named '%s'",
						 designator->member);
		} else if (!designator->member && !type_is_record(plain) && is_aggregate(plain)) {
			err = find_slot(context, plain, designator->index, ret, &found);
			if (!err && !found)
				err = error_make(DC_TYPE, "no element %" PRIu64 " in the array",
						 designator->index);
			if (first)
				*position = designator->index + 1;
		} else {
			err = type_error("the designator does not fit '%s'", plain, NULL);
		}
		if (err)
			return err;
		offset += ret->offset;
		type = ret->type;
	}
	ret->offset = offset;
	return NULL;
}

// A braced list: goes through the parts in order, jumping where a designator says so.
static struct dc_error *fill_list(struct filling *filling, const struct type *type, uint64_t offset,
				  const struct node *list)
{
	const struct item *item = list->list.items;
	uint64_t position = 0;
	struct dc_error *err = NULL;

	if (item && !item->next && !item->designators && is_string_for(type, item->value))
		return fill_string(filling, type, offset, item->value);
	if (!is_aggregate(type)) {
		if (item && (item->next || item->designators))
			return type_error("'%s' has room for one value", type, NULL);
		return item ? fill_scalar(filling, type, offset, item->value) : NULL;
	}
	while (!err && item) {
		const struct item *at = item;
		struct slot slot;
		bool found = true;

		if (item->designators)
			err = designated(filling, type, item->designators, &slot, &position);
		else
			err = find_slot(filling->context, type, position++, &slot, &found);
		if (!err && !found)
			err = error_make(DC_TYPE, "more values than the type has room for");
		if (!err)
			err = fill_slot(filling, &slot, offset, &item);
		err = error_at(err, at->value->column);
	}
	return err;
}

// The number of elements that an array of unknown size gets from its list.
static struct dc_error *open_array_count(const struct node *list, const struct type *array,
					 uint64_t *ret)
{
	const struct type *item_type = type_strip(array->target);
	uint64_t position = 0;

	*ret = 0;
	for (const struct item *item = list->list.items; item; item = item->next) {
		if (item->value->kind == NODE_STRING && list->list.nr_items == 1 &&
		    item_type->kind == TYPE_INT) {
			*ret = item->value->string.size / item_type->size + 1;
			return NULL;
		}
		if (is_aggregate(item_type) && item->value->kind != NODE_LIST &&
		    item->value->kind != NODE_STRING)
			return error_make(DC_TYPE, "the array's size must be said here");
		if (item->designators && !item->designators->member)
			position = item->designators->index;
		if (++position > *ret)
			*ret = position;
	}
	return *ret < (uint64_t)1 << 24 ? NULL : error_make(DC_TYPE, "the array is too large");
}

// (T){…}. All that the list does not mention is zero, as C has it.
struct dc_error *initialize(struct context *context, const struct node *list,
			    const struct type *type, struct value *ret)
{
	const struct type *plain = symbols_complete(context->access.symbols, type_strip(type));
	struct filling filling = { .context = context };
	struct dc_error *err = NULL;
	uint64_t size, count;

	if (plain->kind == TYPE_ARRAY && plain->count == UINT64_MAX) {
		err = open_array_count(list, plain, &count);
		if (err)
			return err;
		type = types_array(context->basics.types, plain->target, count);
		if (!type)
			return &dc_out_of_memory;
		plain = type_strip(type);
	}
	if (plain->kind == TYPE_VOID || !type_size(plain, &size))
		return type_error("'%s' is incomplete: it cannot be initialized", type, NULL);
	if (size > (uint64_t)16 << 20)
		return error_make(DC_TYPE, "the object is too large");
	*ret = (struct value){ .type = type, .lvalue = LVALUE_LITERAL };
	err = value_set(ret, NULL, size);
	filling.bytes = ret->bytes;
	if (!err)
		err = fill_list(&filling, plain, 0, list);
	// Of an object that is only partly known, nothing is.
	if (err || filling.unknown || context->mode == EVAL_TYPE)
		value_deinit(ret);
	return err;
}

// gdb's {1, 2}: the elements say what the array is of.
struct dc_error *initialize_array(struct context *context, const struct node *list,
				  struct value *ret)
{
	const struct type *common = NULL;
	struct dc_error *err = NULL;

	for (const struct item *item = list->list.items; !err && item; item = item->next) {
		_cleanup_value_ struct value value = { 0 };
		enum eval_mode mode = context->mode;

		if (item->designators)
			return error_make(DC_TYPE, "designators need a type: (T){…}");
		context->mode = EVAL_TYPE;
		err = eval_node(context, item->value, &value);
		if (!err && item->value->kind != NODE_LIST && item->value->kind != NODE_STRING)
			err = convert_rvalue(context, &value);
		context->mode = mode;
		if (err)
			return err;
		if (value_unknown(&value)) {
			*ret = (struct value){ .type = &type_unknown };
			return NULL;
		}
		if (common && !type_equal(common, value.type)) {
			struct value left = { .type = common };
			const struct type *wider = convert_common(context, &left, &value);

			if (!wider)
				return type_error("'%s' and '%s' cannot be elements of one array",
						  common, value.type);
			common = wider;
		} else {
			common = value.type;
		}
	}
	if (!common)
		return error_make(DC_TYPE, "an empty list has no type");

	uint64_t size;

	if (type_strip(common)->kind == TYPE_VOID || !type_size(common, &size))
		return type_error("'%s' cannot be the element of an array", common, NULL);
	common = types_array(context->basics.types, common, list->list.nr_items);
	return common ? initialize(context, list, common, ret) : &dc_out_of_memory;
}

struct dc_error *initialize_from(struct context *context, const struct node *node,
				 const struct type *type, const char *what, struct value *ret)
{
	const struct type *plain = type_strip(type);
	struct dc_error *err;

	if (node->kind != NODE_LIST || type == &type_unknown) {
		// Of methods of one name the type chooses.
		err = node->kind == NODE_MEMBER_ADDRESS
			      ? context->dialect->pointer_to_member(context, node, type, ret)
			      : eval_node(context, node, ret);
		return err ? err : convert_assign(context, ret, type, what);
	}
	// {1, 2} for a pointer is an array of what it points to.
	if (plain->kind == TYPE_POINTER && type_strip(plain->target)->kind != TYPE_VOID &&
	    type_strip(plain->target)->kind != TYPE_FUNCTION) {
		const struct type *array = types_array(context->basics.types, plain->target,
						       UINT64_MAX);

		err = array ? initialize(context, node, array, ret) : &dc_out_of_memory;
		return err ? err : convert_assign(context, ret, type, what);
	}
	if (plain->kind == TYPE_POINTER) {
		err = initialize_array(context, node, ret);
		return err ? err : convert_assign(context, ret, type, what);
	}
	err = initialize(context, node, type, ret);
	ret->lvalue = LVALUE_NONE;
	return err;
}
