// SPDX-License-Identifier: MIT
// Go's operators on operands, typed and untyped.
#include "debugger/lang/go/go.h"

#include <string.h>

static const char *spelled(int op)
{
	switch (op) {
	case OP_ADD:
	case OP_PLUS: return "+";
	case OP_SUB:
	case OP_NEGATE: return "-";
	case OP_MUL: return "*";
	case OP_DIV: return "/";
	case OP_MOD: return "%";
	case OP_AND: return "&";
	case OP_OR: return "|";
	case OP_XOR:
	case OP_COMPLEMENT: return "^";
	case OP_AND_NOT: return "&^";
	case OP_SHL: return "<<";
	case OP_SHR: return ">>";
	case OP_EQ: return "==";
	case OP_NE: return "!=";
	case OP_LT: return "<";
	case OP_LE: return "<=";
	case OP_GT: return ">";
	case OP_GE: return ">=";
	case OP_LOGICAL_AND: return "&&";
	case OP_LOGICAL_OR: return "||";
	case OP_NOT: return "!";
	case OP_RECEIVE: return "<-";
	default: return "?";
	}
}

static bool is_comparison(int op)
{
	return op >= OP_EQ && op <= OP_GE;
}

static bool is_shift(int op)
{
	return op == OP_SHL || op == OP_SHR;
}

static struct dc_error *undefined(struct context *context, const struct node *node, int op,
				  const struct operand *operand)
{
	return error_at(error_make(DC_TYPE, "invalid operation: operator %s not defined on %s",
				   spelled(op), go_describe(context, operand)),
			node->start);
}

static struct dc_error *mismatched(struct context *context, const struct node *node,
				   const struct operand *a, const struct operand *b)
{
	return error_at(
		error_make(DC_TYPE, "invalid operation: %s (mismatched types %s and %s)",
			   go_source(context, node),
			   a->type ? go_spelling(context, a->type) : go_describe(context, a),
			   b->type ? go_spelling(context, b->type) : go_describe(context, b)),
		node->start);
}

// ---- comparison -----------------------------------------------------------------------------------

static struct dc_error *equal_texts(struct context *context, struct operand *a, struct operand *b,
				    bool *known, int *ret)
{
	const char *x = NULL, *y = NULL;
	uint64_t n = 0, m = 0;
	bool known_b = true;
	struct dc_error *err = go_text_of(context, a, known, &x, &n);

	if (!err)
		err = go_text_of(context, b, &known_b, &y, &m);
	*known = *known && known_b;
	if (err || !*known)
		return err;
	*ret = memcmp(x, y, n < m ? n : m);
	if (!*ret)
		*ret = n < m ? -1 : n > m;
	return NULL;
}

static struct dc_error *equal_dynamic(struct context *context, struct operand *a, struct operand *b,
				      bool *known, bool *ret)
{
	struct operand x = *a, y = *b;
	bool known_b = true;
	struct dc_error *err = NULL;

	if (go_is_interface(a->type))
		err = go_dynamic(context, a, known, &x);
	if (!err && go_is_interface(b->type))
		err = go_dynamic(context, b, &known_b, &y);
	*known = *known && known_b;
	if (err || !*known)
		return err;
	if (!x.type || !y.type) {
		*ret = !x.type && !y.type;
		return NULL;
	}
	*ret = go_identical(type_strip(x.type), type_strip(y.type));
	if (*ret && !go_is_comparable(x.type))
		return error_make(DC_VALUE, "comparing uncomparable type %s",
				  go_spelling(context, x.type));
	return *ret ? go_equal(context, &x, &y, known, ret) : NULL;
}

static struct dc_error *equal_members(struct context *context, struct operand *a, struct operand *b,
				      bool *known, bool *ret)
{
	const struct type_member *members = NULL;
	const struct type *type = type_strip(a->type);
	bool is_array = go_kind(type) == GO_ARRAY;
	size_t n = is_array ? type->count : 0;
	struct dc_error *err = is_array ? NULL : type_members(type, &members, &n);

	*ret = true;
	for (size_t i = 0; i < n && !err && *known && *ret; i++) {
		const struct type *part = is_array ? type->target : members[i].type;
		uint64_t offset = is_array ? i * go_size(part) : members[i].offset;
		struct operand x = go_part(a, part, offset), y = go_part(b, part, offset);

		err = go_equal(context, &x, &y, known, ret);
	}
	return err;
}

struct dc_error *go_equal(struct context *context, struct operand *a, struct operand *b,
			  bool *known, bool *ret)
{
	struct number x, y;
	enum go_kind kind;
	int order = 0;
	struct dc_error *err = go_load(context, a);

	if (!err)
		err = go_load(context, b);
	if (err)
		return err;
	*known = true;
	*ret = false;
	if (go_is_interface(a->type) || go_is_interface(b->type))
		return equal_dynamic(context, a, b, known, ret);
	kind = go_kind(a->type);
	if (kind == GO_STRING) {
		err = equal_texts(context, a, b, known, &order);
		*ret = !order;
		return err;
	}
	if (kind == GO_STRUCT || kind == GO_ARRAY) {
		*known = a->bytes && b->bytes;
		return *known ? equal_members(context, a, b, known, ret) : NULL;
	}
	if (kind <= GO_COMPLEX128) {
		*known = go_number(a, &x) && go_number(b, &y);
		*ret = *known && go_compare_numbers(OP_EQ, &x, &y);
		return NULL;
	}
	*known = a->bytes && b->bytes;
	// Of pointers, channels; of slices, maps and functions with nil.
	*ret = *known && go_word(a, 0) == go_word(b, 0);
	return NULL;
}

static struct dc_error *make_truth(struct context *context, bool is_constant, bool known,
				   bool value, struct operand *ret)
{
	if (is_constant) {
		*ret = (struct operand){ .mode = OPERAND_CONSTANT, .untyped = UNTYPED_BOOL };
		ret->number = (struct number){ .is_signed = true, .i = value };
		return NULL;
	}
	struct dc_error *err = go_bool(context, value, ret);

	if (!err && !known)
		ret->bytes = NULL;
	return err;
}

static struct dc_error *compare(struct context *context, const struct node *node, int op,
				struct operand *a, struct operand *b, struct operand *ret)
{
	bool known = true, value = false, is_equality = op == OP_EQ || op == OP_NE;
	bool is_constant = a->mode == OPERAND_CONSTANT && b->mode == OPERAND_CONSTANT;
	struct number x, y;
	int order = 0;
	struct dc_error *err;

	if (is_constant && !a->text) {
		value = go_compare_numbers(op, &a->number, &b->number);
		return make_truth(context, true, true, value, ret);
	}
	err = go_settle(context, a);
	if (!err)
		err = go_settle(context, b);
	if (err)
		return err;
	if (is_equality) {
		err = go_equal(context, a, b, &known, &value);
		if (err)
			return error_at(err, node->start);
		return make_truth(context, false, known, value == (op == OP_EQ), ret);
	}
	if (!go_is_ordered(a->type))
		return undefined(context, node, op, a);
	if (go_kind(a->type) == GO_STRING) {
		err = equal_texts(context, a, b, &known, &order);
		x = (struct number){ .is_signed = true, .i = (uint128)(int128)order };
		y = (struct number){ .is_signed = true };
	} else {
		err = go_load(context, a);
		if (!err)
			err = go_load(context, b);
		known = !err && go_number(a, &x) && go_number(b, &y);
	}
	if (err)
		return err;
	value = known && go_compare_numbers(op, &x, &y);
	return make_truth(context, false, known, value, ret);
}

static bool is_nil(const struct operand *operand)
{
	return operand->mode == OPERAND_CONSTANT && operand->untyped == UNTYPED_NIL;
}

// ---- arithmetic -----------------------------------------------------------------------------------

static struct dc_error *concatenate(struct context *context, struct operand *a, struct operand *b,
				    struct operand *ret)
{
	const char *x = NULL, *y = NULL;
	uint64_t n = 0, m = 0;
	bool known, known_b = true;
	const struct type *type = a->type ?: b->type;
	char *text;
	struct dc_error *err = go_text_of(context, a, &known, &x, &n);

	if (!err)
		err = go_text_of(context, b, &known_b, &y, &m);
	if (err)
		return err;
	*ret = go_bytes(type, NULL);
	if (!known || !known_b)
		return NULL;
	text = go_alloc(context, n + m + 1);
	if (!text)
		return &dc_out_of_memory;
	if (n)
		memcpy(text, x, n);
	if (m)
		memcpy(text + n, y, m);
	*ret = (struct operand){ .mode = OPERAND_CONSTANT,
				 .untyped = type ? UNTYPED_NONE : UNTYPED_STRING,
				 .type = type,
				 .text = text,
				 .length = n + m };
	return NULL;
}

static bool is_defined(int op, const struct operand *operand)
{
	bool is_integer = operand->type ? go_is_integer(operand->type)
					: operand->untyped == UNTYPED_INT ||
						  operand->untyped == UNTYPED_RUNE;
	bool is_number = operand->type ? go_is_numeric(operand->type)
				       : operand->untyped >= UNTYPED_INT &&
						 operand->untyped <= UNTYPED_COMPLEX;
	bool is_text = operand->type ? go_kind(operand->type) == GO_STRING
				     : operand->untyped == UNTYPED_STRING;

	switch (op) {
	case OP_ADD: return is_number || is_text;
	case OP_SUB:
	case OP_MUL:
	case OP_DIV: return is_number;
	default: return is_integer;
	}
}

static struct dc_error *arithmetic(struct context *context, const struct node *node, int op,
				   struct operand *a, struct operand *b, struct operand *ret)
{
	const struct type *type = a->type;
	bool is_constant = a->mode == OPERAND_CONSTANT && b->mode == OPERAND_CONSTANT && !type;
	enum untyped untyped = a->untyped > b->untyped ? a->untyped : b->untyped;
	struct number x, y, z;
	struct dc_error *err;

	if (!is_defined(op, a))
		return undefined(context, node, op, a);
	if (type ? go_kind(type) == GO_STRING : a->untyped == UNTYPED_STRING)
		return concatenate(context, a, b, ret);
	err = go_load(context, a);
	if (!err)
		err = go_load(context, b);
	if (err)
		return err;
	if (!go_number(a, &x) || !go_number(b, &y)) {
		*ret = go_bytes(type, NULL);
		return NULL;
	}
	// 7 / 2.0: constants of two kinds are of the larger one.
	if (is_constant && untyped >= UNTYPED_FLOAT && x.kind == NUMBER_INT && y.kind == NUMBER_INT)
		x = (struct number){ .kind = NUMBER_REAL, .re = (__float128)(int128)x.i };
	err = go_compute(op, &x, &y, type, &z);
	if (err)
		return error_at(err, node->start);
	if (!is_constant)
		return go_make_number(context, &z, type, ret);
	*ret = (struct operand){ .mode = OPERAND_CONSTANT, .untyped = untyped, .number = z };
	return NULL;
}

static struct dc_error *shift(struct context *context, const struct node *node, int op,
			      struct operand *a, struct operand *b, struct operand *ret)
{
	struct number x, y, z;
	const char *why;
	const struct type *type;
	struct dc_error *err = go_load(context, a);

	if (!err)
		err = go_load(context, b);
	if (err)
		return err;
	// 1.0 << 3 is a shift of an integer.
	if (!a->type && a->untyped == UNTYPED_FLOAT) {
		err = go_basic(context, "int", &type);
		if (err)
			return err;
		if (go_represents(type, &a->number, &why))
			a->untyped = UNTYPED_INT;
	}
	if (!is_defined(op, a))
		return error_at(error_make(DC_TYPE,
					   "invalid operation: shifted operand %s must be "
					   "integer",
					   go_describe(context, a)),
				node->start);
	if (b->mode == OPERAND_CONSTANT && b->number.kind == NUMBER_INT && (int128)b->number.i < 0)
		return error_at(error_make(DC_TYPE, "invalid operation: negative shift count %s",
					   go_describe(context, b)),
				node->start);
	if (!is_defined(op, b))
		return error_at(error_make(DC_TYPE,
					   "invalid operation: shift count %s must be integer",
					   go_describe(context, b)),
				node->start);
	if (!a->type && b->type) {
		err = go_settle(context, a);
		if (err)
			return err;
	}
	if (!go_number(a, &x) || !go_number(b, &y)) {
		*ret = go_bytes(a->type, NULL);
		return NULL;
	}
	err = go_compute(op, &x, &y, a->type, &z);
	if (err)
		return error_at(err, node->start);
	if (a->type)
		return go_make_number(context, &z, a->type, ret);
	*ret = (struct operand){ .mode = OPERAND_CONSTANT, .untyped = a->untyped, .number = z };
	return NULL;
}

// A number that the other operand's type does not have.
static bool unrepresented(struct context *context, const struct operand *constant,
			  const struct type *type, struct dc_error **err)
{
	struct number number = constant->number;
	const char *why;

	if (constant->text || !go_is_numeric(type) || constant->untyped < UNTYPED_INT ||
	    go_represents(type, &number, &why) || !why)
		return false;
	*err = error_make(DC_TYPE, "%s %s%s %s", go_describe(context, constant), why,
			  *why == 't' ? " to" : "", go_spelling(context, type));
	if (constant->node)
		*err = error_at(*err, constant->node->start);
	return true;
}

// Both of one type, or both untyped.
static struct dc_error *match(struct context *context, const struct node *node, int op,
			      struct operand *a, struct operand *b)
{
	struct operand *untyped = !a->type ? a : b, *typed = !a->type ? b : a;
	bool numbers;
	struct dc_error *err;

	if (!a->type && !b->type) {
		numbers = a->untyped >= UNTYPED_INT && a->untyped <= UNTYPED_COMPLEX &&
			  b->untyped >= UNTYPED_INT && b->untyped <= UNTYPED_COMPLEX;
		return numbers || a->untyped == b->untyped ? NULL : mismatched(context, node, a, b);
	}
	if (!untyped->type) {
		if (go_is_interface(typed->type) && is_comparison(op) && !is_nil(untyped))
			return go_settle(context, untyped);
		// A constant text needs no place in the target to be compared.
		if (untyped->untyped == UNTYPED_STRING && go_kind(typed->type) == GO_STRING) {
			untyped->type = typed->type;
			untyped->untyped = UNTYPED_NONE;
			return NULL;
		}
		if (unrepresented(context, untyped, typed->type, &err))
			return err;
		err = go_assign(context, untyped, typed->type, "in operation");
		if (!err || err->code != DC_TYPE)
			return err;
		dc_error_destroy(err);
		return mismatched(context, node, a, b);
	}
	if (go_identical(a->type, b->type) ||
	    (is_comparison(op) && (go_is_interface(a->type) || go_is_interface(b->type))))
		return NULL;
	return mismatched(context, node, a, b);
}

struct dc_error *go_binary_of(struct context *context, const struct node *node, int op,
			      struct operand *a, struct operand *b, struct operand *ret)
{
	bool with_nil = is_nil(a) || is_nil(b);
	struct dc_error *err;

	if (a->mode == OPERAND_UNKNOWN || b->mode == OPERAND_UNKNOWN) {
		*ret = (struct operand){ .mode = OPERAND_UNKNOWN };
		return NULL;
	}
	if (is_shift(op))
		return shift(context, node, op, a, b, ret);
	err = match(context, node, op, a, b);
	if (err)
		return err;
	if (!is_comparison(op))
		return arithmetic(context, node, op, a, b, ret);
	if (!with_nil && (op == OP_EQ || op == OP_NE) && a->type && !go_is_comparable(a->type)) {
		const char *what = go_kind(a->type) == GO_SLICE	 ? "slice"
				   : go_kind(a->type) == GO_MAP	 ? "map"
				   : go_kind(a->type) == GO_FUNC ? "func"
								 : NULL;

		return error_at(
			what ? error_make(DC_TYPE,
					  "invalid operation: %s (%s can only be compared "
					  "to nil)",
					  go_source(context, node), what)
			     : error_make(DC_TYPE, "invalid operation: %s (%s cannot be compared)",
					  go_source(context, node), go_spelling(context, a->type)),
			node->start);
	}
	return compare(context, node, op, a, b, ret);
}

static struct dc_error *logical(struct context *context, const struct node *node,
				struct operand *ret)
{
	bool is_and = node->op == OP_LOGICAL_AND;
	struct number x;
	struct operand right;
	struct dc_error *err = go_value(context, node->left, ret);

	if (err || ret->mode == OPERAND_UNKNOWN)
		return err;
	bool known = go_number(ret, &x);
	// What is not evaluated has effects all the same for whoever asks beforehand.
	if (known && context->runs && !!x.i != is_and)
		return NULL;
	err = go_value(context, node->right, &right);
	if (err || right.mode == OPERAND_UNKNOWN)
		return err;
	if (ret->type && right.type && !go_identical(ret->type, right.type))
		return mismatched(context, node, ret, &right);
	if (ret->type ? go_kind(ret->type) != GO_BOOL : ret->untyped != UNTYPED_BOOL)
		return undefined(context, node, node->op, ret);
	if (right.type ? go_kind(right.type) != GO_BOOL : right.untyped != UNTYPED_BOOL)
		return undefined(context, node, node->op, &right);
	if (known && !!x.i == is_and)
		*ret = right;
	else if (!known)
		return go_settle(context, ret);
	return NULL;
}

struct dc_error *go_binary(struct context *context, const struct node *node, struct operand *ret)
{
	struct operand a, b;
	struct dc_error *err;

	if (node->op == OP_LOGICAL_AND || node->op == OP_LOGICAL_OR)
		return logical(context, node, ret);
	err = go_value(context, node->left, &a);
	if (!err)
		err = go_value(context, node->right, &b);
	if (!err)
		err = go_binary_of(context, node, node->op, &a, &b, ret);
	if (!err)
		ret->node = node;
	return err;
}

struct dc_error *go_unary(struct context *context, const struct node *node, struct operand *ret)
{
	struct number zero = { .kind = NUMBER_INT, .is_signed = true }, x;
	struct operand operand;
	struct dc_error *err = go_value(context, node->left, &operand);
	int op = node->op;

	if (err)
		return err;
	*ret = operand;
	ret->node = node;
	if (operand.mode == OPERAND_UNKNOWN)
		return NULL;
	if (op == OP_RECEIVE)
		return error_at(error_make(DC_REFUSED,
					   "a channel is not received from: that takes a goroutine "
					   "of the program's"),
				node->start);
	if (op == OP_NOT) {
		if (operand.type ? go_kind(operand.type) != GO_BOOL
				 : operand.untyped != UNTYPED_BOOL)
			return undefined(context, node, op, &operand);
		if (!go_number(&operand, &x))
			return NULL;
		x.i = !x.i;
		if (!operand.type) {
			ret->number = x;
			return NULL;
		}
		err = go_make_number(context, &x, operand.type, ret);
		ret->node = node;
		return err;
	}
	if (!is_defined(op == OP_COMPLEMENT ? OP_XOR : OP_SUB, &operand))
		return undefined(context, node, op, &operand);
	if (op == OP_PLUS || !go_number(&operand, &x)) {
		ret->is_object = false;
		return NULL;
	}
	if (op == OP_COMPLEMENT) {
		x.i = ~x.i;
		if (operand.type)
			go_wrap(operand.type, &x);
	} else if (x.kind == NUMBER_INT) {
		err = go_compute(OP_SUB, &zero, &x, operand.type, &x);
	} else {
		x.re = -x.re;
		x.im = -x.im;
	}
	if (err)
		return error_at(err, node->start);
	if (operand.type) {
		err = go_make_number(context, &x, operand.type, ret);
		ret->node = node;
		return err;
	}
	ret->number = x;
	return NULL;
}
