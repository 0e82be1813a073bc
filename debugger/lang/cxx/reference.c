// SPDX-License-Identifier: MIT
// References: wherever a value is wanted, what they refer to is meant; a parameter that is one takes
// the address of its argument.
#include "debugger/lang/cxx/rules.h"

struct dc_error *reference_follow(struct context *context, struct value *value)
{
	struct value target;
	struct dc_error *err = object_load(context, value);

	if (!err)
		err = object_dereference(context, value, &target);
	if (err)
		return err;
	if (context->mode == EVAL_RUN && !value->bytes)
		return error_make(DC_VALUE, "the reference is not known");
	target.name = value->name;
	target.keepsake = value->keepsake;
	value_deinit(value);
	*value = target;
	return NULL;
}

struct dc_error *reference_bind(struct context *context, struct value *value,
				const struct type *type, const char *what)
{
	const struct type *target = type_strip(type)->target;
	_cleanup_value_ struct value address = { 0 };
	bool is_offered = value->type && type_strip(value->type)->kind == TYPE_REFERENCE &&
			  type_strip(value->type)->is_rvalue;
	struct value object;
	struct dc_error *err = convert_referred(context, value);
	const struct type *base = NULL;

	if (!err && value->no_debug)
		err = object_untyped(value);
	if (err)
		return err;
	// What && takes is given up: a number is copied for it, an object must be offered.
	if (type_strip(type)->is_rvalue && value->lvalue == LVALUE_MEMORY && !is_offered &&
	    !value->is_temporary && !value_unknown(value)) {
		if (!type_is_scalar(value->type))
			return error_make(DC_TYPE,
					  "%s is taken from: write static_cast<T &&>(object) where "
					  "that is meant",
					  what);
		err = convert_rvalue(context, value);
		if (err)
			return err;
		value->lvalue = LVALUE_NONE;
	}
	// A reference to const may be bound to a value, which then needs a place; so does one of
	// another type.
	if (type_is_scalar(target) && type_strip(target)->is_const && value->type &&
	    type_is_scalar(value->type) && !type_equal(value->type, target)) {
		err = convert_rvalue(context, value);
		if (err)
			return err;
		value->lvalue = LVALUE_NONE;
	}
	if (value->lvalue == LVALUE_NONE || value->lvalue == LVALUE_LITERAL) {
		if (type_is_scalar(target))
			err = convert_assign(context, value, target, what);
		if (err)
			return err;
		value->lvalue = LVALUE_LITERAL;
	}
	if (value->is_temporary && !type_strip(type)->is_rvalue && !type_strip(target)->is_const &&
	    context->mode != EVAL_RUN)
		return error_make(DC_TYPE,
				  "%s: what ends with the expression is bound to const & or "
				  "&& only",
				  what);
	if (!convert_same_object(context, value->type, target)) {
		base = target;
		if (!class_has_base(context, value->type, base))
			return convert_refused(value, type, what);
	}
	object = *value;
	err = object_address(context, &object, &address);
	if (!err && base)
		err = class_to_base(context, &address, value->type, base);
	if (err)
		return err;
	value_deinit(value);
	*value = value_take(&address);
	value->type = type;
	return NULL;
}
