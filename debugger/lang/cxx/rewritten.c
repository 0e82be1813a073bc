// SPDX-License-Identifier: MIT
// Comparisons that C++ makes of others: != of ==, == of the same the other way round, < and its kin
// of <=>; and those of std::type_info, by its layout.
#include "debugger/lang/cxx/rules.h"

#include <string.h>

static struct dc_error *truth_of(struct context *context, struct value *value, bool *known,
				 bool *ret)
{
	int64_t number = 0;
	struct dc_error *err = convert_rvalue(context, value);

	*known = !err && value->bytes;
	if (*known)
		err = value_integer(value, &number);
	*ret = number;
	return err;
}

static struct dc_error *make_result(struct context *context, bool known, bool truth,
				    struct value *ret)
{
	*ret = (struct value){ .type = truth_type(context) };
	return known ? make_truth(context, truth, ret) : NULL;
}

// ---- == and != ----

static struct dc_error *by_equality(struct context *context, const struct node *node,
				    const char *symbol, const struct value *operands,
				    struct value *ret, bool *done)
{
	const struct value reversed[2] = { operands[1], operands[0] };
	_cleanup_value_ struct value equal = { 0 };
	bool is_negated = *symbol == '!', known, truth;
	struct dc_error *err = NULL;

	*done = false;
	if (is_negated)
		err = operators_own(context, node, "==", operands, 2, &equal, done);
	if (!err && !*done)
		err = operators_own(context, node, "==", reversed, 2, &equal, done);
	if (err || !*done)
		return err;
	err = truth_of(context, &equal, &known, &truth);
	return err ? err : make_result(context, known, truth != is_negated, ret);
}

// ---- <=> ----

// std::strong_ordering and its kin: what is below, equal or above, or none of them.
static struct dc_error *order_of(struct context *context, struct value *order, bool *known,
				 int64_t *ret)
{
	const char *name = class_has_member(context, order->type, "_M_value") ? "_M_value"
									      : "__value_";
	_cleanup_value_ struct value value = { 0 };
	struct dc_error *err = object_member(context, order, name, &value);

	*ret = 0;
	if (!err)
		err = convert_rvalue(context, &value);
	*known = !err && value.bytes;
	return err || !*known ? err : value_integer(&value, ret);
}

static bool holds(const char *symbol, int64_t order)
{
	bool is_ordered = order >= -1 && order <= 1;

	if (!is_ordered)
		return false;
	if (!order)
		return symbol[1] == '=';
	return (*symbol == '<') == (order < 0);
}

static struct dc_error *by_order(struct context *context, const struct node *node,
				 const char *symbol, const struct value *operands,
				 struct value *ret, bool *done)
{
	const struct value reversed[2] = { operands[1], operands[0] };
	_cleanup_value_ struct value order = { 0 };
	bool known, is_reversed = false;
	int64_t which;
	struct dc_error *err = operators_own(context, node, "<=>", operands, 2, &order, done);

	if (!err && !*done) {
		is_reversed = true;
		err = operators_own(context, node, "<=>", reversed, 2, &order, done);
	}
	if (err || !*done)
		return err;
	err = order_of(context, &order, &known, &which);
	if (!err && is_reversed && which >= -1 && which <= 1)
		which = -which;
	return err ? err : make_result(context, known, holds(symbol, which), ret);
}

struct dc_error *rewritten_apply(struct context *context, const struct node *node,
				 const char *symbol, const struct value *operands,
				 struct value *ret, bool *done)
{
	*done = false;
	if (!strcmp(symbol, "!=") || !strcmp(symbol, "=="))
		return by_equality(context, node, symbol, operands, ret, done);
	if (!strcmp(symbol, "<") || !strcmp(symbol, ">") || !strcmp(symbol, "<=") ||
	    !strcmp(symbol, ">="))
		return by_order(context, node, symbol, operands, ret, done);
	return NULL;
}

// ---- std::type_info ----

static bool is_type_info(const struct value *value)
{
	const struct type *type = type_strip(value->type);

	if (type->kind == TYPE_REFERENCE)
		type = type_strip(type->target);
	return type_is_record(type) && type->name && !strcmp(type->name, "std::type_info");
}

// The name, which is the type's own where it begins so, and else compared by its letters.
static struct dc_error *read_name(struct context *context, const struct value *operand,
				  uint64_t *addr, char *name, size_t size)
{
	const struct caller *caller = context->access.caller;
	_cleanup_value_ struct value info = { 0 };
	struct dc_error *err = value_copy(operand, &info);

	if (!err)
		err = convert_referred(context, &info);
	if (!err)
		err = caller->read(caller->arg, info.addr + sizeof(*addr), addr, sizeof(*addr));
	memset(name, 0, size);
	for (size_t i = 0; !err && i + 1 < size; i++) {
		err = caller->read(caller->arg, *addr + i, &name[i], 1);
		if (!name[i])
			break;
	}
	return err;
}

struct dc_error *rewritten_type_info(struct context *context, const char *symbol,
				     const struct value *operands, struct value *ret, bool *done)
{
	enum { NAME_SIZE = 4096 };
	bool is_negated = !strcmp(symbol, "!="), same;
	char names[2][NAME_SIZE];
	uint64_t at[2];
	struct dc_error *err = NULL;

	*done = (is_negated || !strcmp(symbol, "==")) && is_type_info(&operands[0]) &&
		is_type_info(&operands[1]);
	if (!*done)
		return NULL;
	*ret = (struct value){ .type = truth_type(context) };
	if (context->mode != EVAL_RUN)
		return NULL;
	for (int i = 0; !err && i < 2; i++)
		err = read_name(context, &operands[i], &at[i], names[i], NAME_SIZE);
	if (err)
		return err;
	same = at[0] == at[1] || (*names[0] != '*' && !strcmp(names[0], names[1]));
	return make_truth(context, same != is_negated, ret);
}
