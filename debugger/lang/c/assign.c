// SPDX-License-Identifier: MIT
// What changes something: assignments, ++ and --.
#include "debugger/lang/c/dialect.h"

#include <stdio.h>

// In a check nothing is assigned, but what comes later must not trust the old type.
static struct dc_error *assign_variable(struct context *context, const char *name,
					const struct value *value)
{
	if (context->mode == EVAL_TYPE)
		return NULL;
	if (!context->variables)
		return error_make(DC_TYPE, "a variable cannot be assigned here");
	return context->mode == EVAL_CHECK ? variables_announce(context->variables, name)
					   : variables_set(context->variables, name, value);
}

// What stands on the left decides what a store is: a convenience variable, a register, an object.
static struct dc_error *store(struct context *context, const struct node *node, struct value *place,
			      struct value *value)
{
	struct dc_error *err;

	if (node->kind == NODE_VARIABLE && node->name) {
		err = assign_variable(context, node->name, value);
		value_deinit(place);
		*place = value_take(value);
		return err;
	}
	if (node->kind == NODE_REGISTER) {
		err = convert_assign(context, value, place->type, "assignment");
		if (!err && context->mode == EVAL_RUN)
			err = context->access.caller->write_register(context->access.caller->arg,
								     node->name, value);
		value_deinit(place);
		*place = value_take(value);
		return err;
	}
	return error_at(object_store(context, place, value), node->column);
}

// By the program's own operator. What its class does not let be copied as it lies is not.
static struct dc_error *assign_object(struct context *context, const struct node *node,
				      const struct value *place, struct value *value,
				      struct value *ret, bool *done)
{
	char symbol[8];
	struct dc_error *err = eval_node(context, node->right, value);

	*done = false;
	if (err)
		return err;

	struct value operands[2] = { *place, *value };

	snprintf(symbol, sizeof(symbol), "%s=", node->op == OP_NONE ? "" : operator_text(node->op));
	err = context->dialect->operate(context, node, symbol, operands, 2, ret, done);
	if (err || *done)
		return err;
	if (node->op != OP_NONE || type_strip(place->type)->is_nontrivial)
		return error_make(DC_REFUSED,
				  "no operator%s of the program takes this, and an object of its "
				  "kind cannot be copied as it lies",
				  symbol);
	return convert_assign(context, value, place->type, "assignment");
}

// The object is found before the value is computed; C leaves the order open.
struct dc_error *eval_assign(struct context *context, const struct node *node, struct value *ret)
{
	_cleanup_value_ struct value place = { 0 }, value = { 0 };
	bool is_variable = node->left->kind == NODE_VARIABLE && node->left->name;
	struct dc_error *err = NULL;

	if (!is_variable || node->op != OP_NONE)
		err = eval_node(context, node->left, &place);
	if (!err && place.no_debug)
		err = error_at(object_store(context, &place, &value), node->left->column);
	if (!err)
		err = convert_referred(context, &place);
	if (!err && eval_is_object(context, &place) && node->left->kind != NODE_VARIABLE &&
	    node->right->kind != NODE_LIST) {
		bool done;

		err = assign_object(context, node, &place, &value, ret, &done);
		if (err || done)
			return err;
	} else if (!err && node->op != OP_NONE) {
		_cleanup_value_ struct value old = { 0 }, by = { 0 };

		err = value_copy(&place, &old);
		if (!err)
			err = convert_rvalue(context, &old);
		if (!err)
			err = eval_operand(context, node->right, &by);
		if (!err)
			err = operate_binary(context, node->op, &old, &by, &value);
		if (!err && !is_variable)
			err = convert_assign(context, &value, place.type, "assignment");
	} else if (!err && (is_variable || node->left->kind == NODE_REGISTER)) {
		err = eval_node(context, node->right, &value);
		// A convenience variable keeps arrays whole.
		if (!err && (type_strip(value.type)->kind != TYPE_ARRAY || !is_variable))
			err = convert_rvalue(context, &value);
		else if (!err)
			err = object_load(context, &value);
	} else if (!err) {
		err = initialize_from(context, node->right, place.type, "assignment", &value);
	}
	if (!err)
		err = store(context, node->left, &place, &value);
	*ret = value_take(&place);
	return err;
}

// As x = x + 1, but x is found once, and the old value is kept for x++.
struct dc_error *eval_increment(struct context *context, const struct node *node, struct value *ret)
{
	_cleanup_value_ struct value place = { 0 }, old = { 0 }, one = { 0 }, new = { 0 };
	struct dc_error *err = eval_node(context, node->left, &place);

	if (!err)
		err = convert_referred(context, &place);
	if (!err && eval_is_object(context, &place)) {
		struct value operands[2] = { place };
		bool done = false;

		err = make_integer(context, BASIC_INT, 0, &one);
		operands[1] = one;
		if (!err)
			err = context->dialect->operate(context, node,
							node->op == OP_ADD ? "++" : "--", operands,
							node->is_prefix ? 1 : 2, ret, &done);
		if (err || done)
			return err;
		value_deinit(&one);
	}
	if (!err)
		err = value_copy(&place, &old);
	if (!err)
		err = convert_rvalue(context, &old);
	if (!err)
		err = make_integer(context, BASIC_INT, 1, &one);
	if (!err)
		err = operate_binary(context, node->op, &old, &one, &new);
	if (!err)
		err = convert_assign(context, &new, place.type, node->op == OP_ADD ? "++" : "--");
	if (!err)
		err = store(context, node->left, &place, &new);
	*ret = value_take(node->is_prefix ? &place : &old);
	if (!node->is_prefix) {
		ret->lvalue = LVALUE_NONE;
		ret->bit_size = 0;
	}
	return err;
}
