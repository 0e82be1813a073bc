// SPDX-License-Identifier: MIT
// The operators on values: arithmetic after C's usual conversions, pointers, vectors by element.
#include "debugger/lang/c/dialect.h"
#include "debugger/values/number.h"

#include <string.h>

const char *operator_text(enum operation op)
{
	static const char *const texts[] = {
		[OP_ADD] = "+",		[OP_SUB] = "-",		 [OP_MUL] = "*",
		[OP_DIV] = "/",		[OP_MOD] = "%",		 [OP_AND] = "&",
		[OP_XOR] = "^",		[OP_OR] = "|",		 [OP_SHL] = "<<",
		[OP_SHR] = ">>",	[OP_EQ] = "==",		 [OP_NE] = "!=",
		[OP_LT] = "<",		[OP_GT] = ">",		 [OP_LE] = "<=",
		[OP_GE] = ">=",		[OP_MEMBER_OF] = ".*",	 [OP_MEMBER_AT] = "->*",
		[OP_REPEAT] = "@",	[OP_LOGICAL_AND] = "&&", [OP_LOGICAL_OR] = "||",
		[OP_NEGATE] = "-",	[OP_PLUS] = "+",	 [OP_COMPLEMENT] = "~",
		[OP_NOT] = "!",		[OP_ADDRESS] = "&",	 [OP_DEREFERENCE] = "*",
		[OP_REAL] = "__real__", [OP_IMAG] = "__imag__",	 [OP_NONE] = "=",
	};

	return texts[op];
}

static struct dc_error *undefined(enum operation op, const struct type *a, const struct type *b)
{
	_cleanup_free_ char *first = type_spell(a, NULL), *second = b ? type_spell(b, NULL) : NULL;

	return error_make(DC_TYPE, "'%s' is not defined for '%s'%s%s%s", operator_text(op),
			  first ? first : "?", b ? " and '" : "", b ? (second ? second : "?") : "",
			  b ? "'" : "");
}

struct dc_error *make_integer(struct context *context, enum basic basic, uint64_t i,
			      struct value *ret)
{
	*ret = (struct value){ .type = context->basics.list[basic] };
	return value_set(ret, &i, ret->type->size);
}

const struct type *truth_type(const struct context *context)
{
	return context->basics.list[context->has_bool ? BASIC_BOOL : BASIC_INT];
}

struct dc_error *make_truth(struct context *context, bool truth, struct value *ret)
{
	return make_integer(context, context->has_bool ? BASIC_BOOL : BASIC_INT, truth, ret);
}

// For counts and indices, which must be known here and now.
struct dc_error *value_integer(const struct value *value, int64_t *ret)
{
	struct number number;
	struct dc_error *err;

	if (!type_is_integer(value->type))
		return type_error("an integer is wanted, not '%s'", value->type, NULL);
	if (!value->bytes)
		return error_make(DC_VALUE, "the value is known only when run");
	err = number_read(value->type, value->bytes, &number);
	if (!err && (int128)number.i != (int64_t)number.i)
		err = error_make(DC_VALUE, "the number is too large");
	*ret = number.i;
	return err;
}

static bool is_comparison(enum operation op)
{
	return op >= OP_EQ && op <= OP_GE;
}

static bool is_bitwise(enum operation op)
{
	return op == OP_MOD || op == OP_AND || op == OP_XOR || op == OP_OR || op == OP_SHL ||
	       op == OP_SHR;
}

// A value without bytes is one that only a run will know; then the type is all there is.
static bool computes(const struct context *context, const struct value *a, const struct value *b)
{
	return context->mode != EVAL_TYPE && a->bytes && b->bytes;
}

// common: what both sides are converted to. An int beside an unsigned one compares as unsigned.
static struct dc_error *compare(struct context *context, enum operation op, const struct value *a,
				const struct value *b, const struct type *common, struct value *ret)
{
	_cleanup_value_ struct value x = { 0 }, y = { 0 };
	struct number left, right;
	struct dc_error *err;

	*ret = (struct value){ .type = truth_type(context) };
	if (!computes(context, a, b))
		return NULL;
	err = value_copy(a, &x);
	if (!err)
		err = value_copy(b, &y);
	if (!err)
		err = convert_scalar(&x, common);
	if (!err)
		err = convert_scalar(&y, common);
	if (!err)
		err = number_read(common, x.bytes, &left);
	if (!err)
		err = number_read(common, y.bytes, &right);
	return err ? err : make_truth(context, number_compare(op, &left, &right), ret);
}

// Shifts are the exception: each side is promoted for itself.
static struct dc_error *arithmetic(struct context *context, enum operation op,
				   const struct value *a, const struct value *b, struct value *ret)
{
	const struct type *type = convert_common(context, a, b);
	bool is_shift = op == OP_SHL || op == OP_SHR;
	struct number x, y, z;
	struct dc_error *err;

	if (!type || (is_bitwise(op) && !(type_is_integer(a->type) && type_is_integer(b->type))))
		return undefined(op, a->type, b->type);
	if (is_comparison(op)) {
		if (type_strip(type)->kind == TYPE_COMPLEX && op != OP_EQ && op != OP_NE)
			return undefined(op, a->type, b->type);
		return compare(context, op, a, b, type, ret);
	}
	if (is_shift)
		type = convert_promoted(context, a);
	*ret = (struct value){ .type = type };
	if (!computes(context, a, b))
		return NULL;
	err = number_read(a->type, a->bytes, &x);
	if (!err)
		err = number_read(b->type, b->bytes, &y);
	if (err)
		return err;

	// Into the result's type first, which is where an int becomes unsigned or loses precision.
	unsigned char bytes[32];

	if (type_is_integer(type)) {
		err = number_write(&x, type, bytes);
		if (!err)
			err = number_read(type, bytes, &x);
		if (!err && !is_shift)
			err = number_write(&y, type, bytes);
		if (!err && !is_shift)
			err = number_read(type, bytes, &y);
	}
	if (!err)
		err = number_binary(op, &x, &y, type, &z);
	if (!err)
		err = number_write(&z, type, bytes);
	return err ? err : value_set(ret, bytes, type_strip(type)->size);
}

// GNU C steps through void and functions by one byte.
struct dc_error *operate_step_size(struct context *context, const struct type *pointer,
				   uint64_t *ret)
{
	const struct type *target = type_strip(type_strip(pointer)->target);

	*ret = 1;
	if (target->kind == TYPE_VOID || target->kind == TYPE_FUNCTION)
		return NULL;
	if (!type_size(symbols_complete(context->access.symbols, target), ret))
		return type_error("cannot step through '%s': the size of its elements is not known",
				  pointer, NULL);
	return NULL;
}

// In elements. Pointers to different types of one size are allowed, as in gdb.
static struct dc_error *pointer_difference(struct context *context, const struct value *a,
					   const struct value *b, struct value *ret)
{
	uint64_t size, other;
	int64_t x, y;
	struct dc_error *err = operate_step_size(context, a->type, &size);

	if (!err)
		err = operate_step_size(context, b->type, &other);
	if (err)
		return err;
	if (size != other)
		return undefined(OP_SUB, a->type, b->type);
	*ret = (struct value){ .type = context->basics.list[BASIC_LONG] };
	if (!computes(context, a, b))
		return NULL;
	if (size == 0)
		return error_make(DC_VALUE, "the difference of pointers to objects without size");
	memcpy(&x, a->bytes, 8);
	memcpy(&y, b->bytes, 8);
	return make_integer(context, BASIC_LONG,
			    (int64_t)((uint64_t)x - (uint64_t)y) / (int64_t)size, ret);
}

// Unsigned, so that stepping backwards wraps as an address does.
static struct dc_error *pointer_step(struct context *context, enum operation op,
				     const struct value *pointer, const struct value *count,
				     struct value *ret)
{
	struct number number;
	uint64_t size, addr;
	struct dc_error *err = operate_step_size(context, pointer->type, &size);

	if (err)
		return err;
	*ret = (struct value){ .type = pointer->type };
	if (!computes(context, pointer, count))
		return NULL;
	err = number_read(count->type, count->bytes, &number);
	if (err)
		return err;
	memcpy(&addr, pointer->bytes, 8);
	addr += (op == OP_SUB ? -(uint64_t)number.i : (uint64_t)number.i) * size;
	return value_set(ret, &addr, 8);
}

// Pointers to objects of different types are compared where the language brings them together.
static struct dc_error *compare_pointers(struct context *context, enum operation op,
					 const struct value *a, const struct value *b,
					 struct value *ret)
{
	_cleanup_value_ struct value x = { 0 }, y = { 0 };
	struct dc_error *err = value_copy(a, &x);

	if (!err)
		err = value_copy(b, &y);
	if (!err && context->dialect->join_pointers)
		err = context->dialect->join_pointers(context, &x, &y);
	return err ? err : compare(context, op, &x, &y, context->basics.list[BASIC_ULONG], ret);
}

// A pointer beside an integer compares as an address, which C only allows with 0.
static struct dc_error *pointers(struct context *context, enum operation op, const struct value *a,
				 const struct value *b, struct value *ret)
{
	bool a_is = type_strip(a->type)->kind == TYPE_POINTER;
	bool b_is = type_strip(b->type)->kind == TYPE_POINTER;

	if (a_is && b_is && op == OP_SUB)
		return pointer_difference(context, a, b, ret);
	if ((a_is || type_is_integer(a->type)) && (b_is || type_is_integer(b->type))) {
		if (is_comparison(op))
			return compare_pointers(context, op, a, b, ret);
		if (!b_is && (op == OP_ADD || op == OP_SUB))
			return pointer_step(context, op, a, b, ret);
		if (!a_is && op == OP_ADD)
			return pointer_step(context, op, b, a, ret);
	}
	return undefined(op, a->type, b->type);
}

// One element of a vector, or the scalar that stands for each.
static struct value element(const struct value *value, const struct type *type, uint64_t i)
{
	if (type_strip(value->type)->kind != TYPE_VECTOR)
		return *value;
	return (struct value){ .type = type, .bytes = value->bytes + i * type_strip(type)->size };
}

// What a comparison of vectors gives: integers as wide as the elements.
static const struct type *sized_integer(struct context *context, uint64_t size)
{
	return context->basics.list[size == 1	? BASIC_SCHAR
				    : size == 2 ? BASIC_SHORT
				    : size == 4 ? BASIC_INT
				    : size == 8 ? BASIC_LONG
						: BASIC_INT128];
}

// GNU C: both of one type, or one of them a scalar that stands for each element.
static struct dc_error *vectors(struct context *context, enum operation op, const struct value *a,
				const struct value *b, struct value *ret)
{
	bool a_is = type_strip(a->type)->kind == TYPE_VECTOR;
	bool b_is = type_strip(b->type)->kind == TYPE_VECTOR;
	const struct type *vector = a_is ? a->type : b->type, *plain = type_strip(vector);
	const struct type *item = plain->target, *result = item;
	uint64_t size = type_strip(item)->size;
	struct dc_error *err = NULL;

	if ((a_is && b_is && !type_equal(a->type, b->type)) || (!a_is && !type_is_real(a->type)) ||
	    (!b_is && !type_is_real(b->type)) || (is_bitwise(op) && !type_is_integer(item)))
		return undefined(op, a->type, b->type);
	// GNU C compares vectors by element, into integers that are 0 or -1.
	if (is_comparison(op)) {
		result = sized_integer(context, size);
		vector = types_vector(context->basics.types, result, plain->count);
		if (!vector)
			return &dc_out_of_memory;
	}
	*ret = (struct value){ .type = vector };
	if (!computes(context, a, b))
		return NULL;
	err = value_set(ret, NULL, plain->size);
	for (uint64_t i = 0; !err && i < plain->count; i++) {
		struct value x = element(a, item, i), y = element(b, item, i);
		_cleanup_value_ struct value z = { 0 };

		err = arithmetic(context, op, &x, &y, &z);
		if (!err)
			err = convert_scalar(&z, result);
		if (!err && is_comparison(op) && z.bytes)
			memset(z.bytes, z.bytes[0] ? 0xff : 0, size);
		if (!err && z.bytes)
			memcpy(ret->bytes + i * size, z.bytes, size);
	}
	return err;
}

struct dc_error *operate_binary(struct context *context, enum operation op, const struct value *a,
				const struct value *b, struct value *ret)
{
	if (value_unknown(a) || value_unknown(b)) {
		*ret = (struct value){ .type = is_comparison(op) ? truth_type(context)
								 : &type_unknown };
		return NULL;
	}

	enum type_kind kind_a = type_strip(a->type)->kind, kind_b = type_strip(b->type)->kind;

	if (kind_a == TYPE_VECTOR || kind_b == TYPE_VECTOR)
		return vectors(context, op, a, b, ret);
	if ((kind_a == TYPE_MEMBER || kind_b == TYPE_MEMBER) && (op == OP_EQ || op == OP_NE) &&
	    context->dialect->compare_members)
		return context->dialect->compare_members(context, op, a, b, ret);
	if (kind_a == TYPE_POINTER || kind_b == TYPE_POINTER)
		return pointers(context, op, a, b, ret);
	return arithmetic(context, op, a, b, ret);
}

// __real__ and __imag__; the parts lie one behind the other.
static struct dc_error *complex_part(struct context *context, enum operation op,
				     const struct value *a, struct value *ret)
{
	enum type_float format = type_strip(a->type)->format;
	uint64_t size = type_strip(a->type)->size / 2;

	*ret = (struct value){ .type = context->basics.list[format == FLOAT_32	 ? BASIC_FLOAT
							    : format == FLOAT_64 ? BASIC_DOUBLE
										 : BASIC_LDOUBLE] };
	if (ret->type->size != size)
		return undefined(op, a->type, NULL);
	return a->bytes ? value_set(ret, a->bytes + (op == OP_IMAG ? size : 0), size) : NULL;
}

// -, + and ~ keep the promoted type.
static struct dc_error *negate(struct context *context, enum operation op, const struct value *a,
			       struct value *ret)
{
	const struct type *type = convert_promoted(context, a);
	struct number number;
	unsigned char bytes[32];
	struct dc_error *err;

	if (op == OP_COMPLEMENT && type_strip(type)->kind == TYPE_FLOAT)
		return undefined(op, a->type, NULL);
	*ret = (struct value){ .type = type };
	if (!a->bytes)
		return NULL;
	err = number_read(a->type, a->bytes, &number);
	if (err)
		return err;
	if (op == OP_NEGATE)
		number_negate(&number);
	else if (op == OP_COMPLEMENT && number.kind == NUMBER_INT)
		number.i = ~number.i;
	else if (op == OP_COMPLEMENT) // GNU C: the conjugate
		number.im = -number.im;
	err = number_write(&number, type, bytes);
	return err ? err : value_set(ret, bytes, type_strip(type)->size);
}

// & and * are not here: they need to know where the operand lives.
struct dc_error *operate_unary(struct context *context, enum operation op, const struct value *a,
			       struct value *ret)
{
	struct number number;
	struct dc_error *err;

	if (value_unknown(a)) {
		*ret = (struct value){ .type = op == OP_NOT ? truth_type(context) : &type_unknown };
		return NULL;
	}

	enum type_kind kind = type_strip(a->type)->kind;

	if (op == OP_NOT && kind == TYPE_MEMBER) {
		_cleanup_value_ struct value truth = { 0 };

		err = value_copy(a, &truth);
		if (!err)
			err = convert_assign(context, &truth, context->basics.list[BASIC_BOOL],
					     "the operand of '!'");
		return err ? err : operate_unary(context, op, &truth, ret);
	}
	if (op == OP_NOT && type_is_scalar(a->type)) {
		*ret = (struct value){ .type = truth_type(context) };
		if (!a->bytes)
			return NULL;
		err = number_read(a->type, a->bytes, &number);
		return err ? err : make_truth(context, number_is_zero(&number), ret);
	}
	if ((op == OP_REAL || op == OP_IMAG) && kind == TYPE_COMPLEX)
		return complex_part(context, op, a, ret);
	if (kind == TYPE_VECTOR && (op == OP_NEGATE || op == OP_COMPLEMENT || op == OP_PLUS)) {
		// 0 - x would turn -0.0 around; -1 * x and x ^ -1 do not.
		_cleanup_value_ struct value one = { 0 };
		enum operation by = op == OP_COMPLEMENT ? OP_XOR : OP_MUL;

		err = make_integer(context, BASIC_INT, op == OP_PLUS ? 1 : -1, &one);
		return err ? err : vectors(context, by, a, &one, ret);
	}
	if (!type_is_arithmetic(a->type) || op == OP_REAL || op == OP_IMAG)
		return undefined(op, a->type, NULL);
	return negate(context, op, a, ret);
}
