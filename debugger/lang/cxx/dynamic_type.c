// SPDX-License-Identifier: MIT
// What an object is while the program runs, by its virtual table: dynamic_cast, typeid.
#include "debugger/lang/cxx/rules.h"

#include "debugger/base/cleanup.h"

#include <string.h>

// Before where an object's pointer to its virtual table points: how far it is to the whole object,
// and the whole's std::type_info.
enum { OFFSET_TO_TOP = 16, TYPE_INFO = 8 };

// The table's address is the first thing in an object whose class has virtual functions.
static bool is_polymorphic(struct context *context, const struct type *class, unsigned depth)
{
	enum { DEPTH_MAX = 32 };
	const struct type *whole = symbols_complete(context->access.symbols, type_strip(class));
	const struct type_member *members = NULL;
	size_t n = 0;
	_cleanup_error_ struct dc_error *err = type_is_record(whole) && !whole->is_incomplete
						       ? type_members(whole, &members, &n)
						       : NULL;

	for (size_t i = 0; !err && i < n && depth < DEPTH_MAX; i++) {
		const struct type_member *member = &members[i];

		if (member->is_virtual || (member->name && !strncmp(member->name, "_vptr", 5)))
			return true;
		if (member->is_base && !member->offset &&
		    is_polymorphic(context, member->type, depth + 1))
			return true;
	}
	return false;
}

static struct dc_error *read_word(struct context *context, uint64_t addr, uint64_t *ret)
{
	const struct caller *caller = context->access.caller;
	return caller->read(caller->arg, addr, ret, sizeof(*ret));
}

// The whole object that this is part of, and its class.
static struct dc_error *find_whole(struct context *context, uint64_t addr, uint64_t *whole,
				   const struct type **class)
{
	static const char prefix[] = "vtable for ";
	uint64_t table, offset, within;
	const char *name;
	struct dc_error *err = read_word(context, addr, &table);

	if (!err)
		err = read_word(context, table - OFFSET_TO_TOP, &offset);
	if (err)
		return err;
	if (!symbols_name_of(context->access.symbols, table, &name, &within) ||
	    strncmp(name, prefix, sizeof(prefix) - 1) != 0)
		return error_make(DC_VALUE, "what the object is cannot be told: it has no virtual "
					    "table that is known");
	*whole = addr + offset;
	name += sizeof(prefix) - 1;
	err = symbols_lookup_type(context->access.symbols, NULL, NULL, name, class);
	if (!err)
		return NULL;
	dc_error_destroy(err);
	return error_make(DC_REFUSED, "the object is a '%s', which no debug information describes",
			  name);
}

// The part of the whole object that is of the class; 0: it has none, or more than one.
static struct dc_error *find_part(struct context *context, uint64_t whole, const struct type *class,
				  const struct type *wanted, uint64_t *ret)
{
	_cleanup_value_ struct value pointer = { 0 };
	struct dc_error *err;

	*ret = whole;
	if (type_strip(wanted)->kind == TYPE_VOID || convert_same_object(context, class, wanted))
		return NULL;
	*ret = 0;
	if (!class_has_base(context, class, wanted))
		return NULL;
	pointer.type = types_pointer(context->basics.types, class);
	if (!pointer.type)
		return &dc_out_of_memory;
	err = value_set(&pointer, &whole, sizeof(whole));
	if (!err)
		err = class_to_base(context, &pointer, class, wanted);
	if (err && err->code == DC_TYPE) {
		dc_error_destroy(err);
		return NULL;
	}
	if (!err)
		memcpy(ret, pointer.bytes, sizeof(*ret));
	return err;
}

// A pointer to the operand, which is one or, for a reference, an object.
static struct dc_error *pointer_to(struct context *context, const struct node *node,
				   bool is_reference, struct value *ret)
{
	_cleanup_value_ struct value object = { 0 };
	struct dc_error *err = eval_node(context, node, &object);

	if (!err && is_reference)
		err = convert_referred(context, &object);
	if (!err && is_reference)
		return object_address(context, &object, ret);
	if (!err)
		err = convert_rvalue(context, &object);
	*ret = value_take(&object);
	return err;
}

struct dc_error *dynamic_type_cast(struct context *context, const struct node *node,
				   struct value *ret)
{
	const struct type *to = type_strip(node->type), *class = NULL, *from;
	bool is_reference = to->kind == TYPE_REFERENCE;
	_cleanup_value_ struct value pointer = { 0 };
	uint64_t addr, whole = 0, part = 0;
	struct dc_error *err;

	if (!is_reference && to->kind != TYPE_POINTER)
		return type_error("dynamic_cast to '%s', which is no pointer or reference",
				  node->type, NULL);
	err = pointer_to(context, node->left, is_reference, &pointer);
	if (err)
		return err;
	*ret = (struct value){ .type = node->type };
	if (value_unknown(&pointer))
		return NULL;
	from = type_strip(pointer.type);
	if (from->kind != TYPE_POINTER || !is_polymorphic(context, from->target, 0))
		return type_error("dynamic_cast of '%s', which has no virtual functions",
				  pointer.type, NULL);
	if (context->mode != EVAL_RUN || !pointer.bytes)
		return NULL;
	memcpy(&addr, pointer.bytes, sizeof(addr));
	if (addr) {
		err = find_whole(context, addr, &whole, &class);
		if (!err)
			err = find_part(context, whole, class, to->target, &part);
		if (err)
			return err;
	}
	if (is_reference && !part)
		return type_error("the object is no '%s': the program would throw std::bad_cast",
				  to->target, NULL);
	return value_set(ret, &part, sizeof(part));
}

// Of what is no object with virtual functions, its type tells.
static struct dc_error *find_info(struct context *context, const struct node *node, uint64_t *ret)
{
	_cleanup_value_ struct value operand = { 0 }, pointer = { 0 };
	const struct type *type = node->type;
	_cleanup_free_ char *spelled = NULL;
	uint64_t addr, table;
	struct dc_error *err;

	*ret = 0;
	if (node->left) {
		err = eval_node(context, node->left, &operand);
		if (!err)
			err = convert_referred(context, &operand);
		if (err || value_unknown(&operand))
			return err;
		type = operand.type;
		if (context->mode != EVAL_RUN)
			return NULL;
		if (operand.lvalue == LVALUE_MEMORY && type_is_record(type) &&
		    is_polymorphic(context, type, 0)) {
			err = object_address(context, &operand, &pointer);
			if (err)
				return err;
			memcpy(&addr, pointer.bytes, sizeof(addr));
			err = read_word(context, addr, &table);
			return err ? err : read_word(context, table - TYPE_INFO, ret);
		}
	}
	type = type_strip(type);
	if (type->kind == TYPE_REFERENCE)
		type = type_strip(type->target);
	type = types_qualified(context->basics.types, type, false, false);
	spelled = type ? type_spell(type, NULL) : NULL;
	if (!spelled)
		return &dc_out_of_memory;
	if (symbols_type_info(context->access.symbols, spelled, ret))
		return NULL;
	return error_make(DC_VALUE, "the program has no std::type_info of '%s'", spelled);
}

struct dc_error *dynamic_type_id(struct context *context, const struct node *node,
				 struct value *ret)
{
	const struct type *character = context->basics.list[BASIC_CHAR], *info;
	const struct caller *caller = context->access.caller;
	uint64_t addr, name;
	char first;
	struct dc_error *err = find_info(context, node, &addr);

	if (err)
		return err;
	if (!node->is_prefix) {
		err = symbols_lookup_type(context->access.symbols, NULL, NULL, "std::type_info",
					  &info);
		*ret = (struct value){ .type = info, .lvalue = LVALUE_MEMORY, .addr = addr };
		return err;
	}
	character = types_qualified(context->basics.types, character, true, false);
	*ret = (struct value){ .type = character ? types_pointer(context->basics.types, character)
						 : NULL };
	if (!ret->type)
		return &dc_out_of_memory;
	if (context->mode != EVAL_RUN)
		return NULL;
	err = read_word(context, addr + sizeof(addr), &name);
	if (!err)
		err = caller->read(caller->arg, name, &first, sizeof(first));
	if (err)
		return err;
	// A name that is compared by its address is marked so.
	name += first == '*';
	return value_set(ret, &name, sizeof(name));
}
