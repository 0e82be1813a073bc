// SPDX-License-Identifier: MIT
// Assignability and conversions, with the words that Go's compiler has for what is neither.
#include "debugger/lang/go/go.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const untyped_names[] = { "",
					     "untyped bool",
					     "untyped int",
					     "untyped rune",
					     "untyped float",
					     "untyped complex",
					     "untyped string",
					     "untyped nil" };

const char *go_source(struct context *context, const struct node *node)
{
	size_t n = node && node->end > node->start ? node->end - node->start : 0;
	char *text = go_alloc(context, n + 1);

	if (!text || !n)
		return "value";
	memcpy(text, context->text + node->start, n);
	return text;
}

const char *go_describe(struct context *context, const struct operand *operand)
{
	const char *source = go_source(context, operand->node);
	size_t size = strlen(source) + 512;
	char *text = go_alloc(context, size);

	if (!text)
		return source;
	if (operand->mode == OPERAND_CONSTANT && operand->untyped == UNTYPED_NIL)
		return "nil";
	if (operand->mode == OPERAND_CONSTANT && !operand->type)
		snprintf(text, size, "%s (%s constant)", source, untyped_names[operand->untyped]);
	else if (operand->mode == OPERAND_TYPE)
		snprintf(text, size, "%s (type)", source);
	else if (!operand->type)
		return source;
	else
		snprintf(text, size, "%s (%s of type %s)", source,
			 operand->mode == OPERAND_CONSTANT ? "constant"
			 : operand->is_object		   ? "variable"
							   : "value",
			 go_spelling(context, operand->type));
	return text;
}

static struct dc_error *refused(struct context *context, const struct operand *operand,
				const struct type *type, const char *where, const char *why)
{
	struct dc_error *err = error_make(DC_TYPE, "cannot use %s as %s value %s%s%s%s",
					  go_describe(context, operand), go_spelling(context, type),
					  where, why ? " (" : "", why ?: "", why ? ")" : "");

	return operand->node ? error_at(err, operand->node->start) : err;
}

struct dc_error *go_refuse_to_stack(struct context *context, const struct operand *operand)
{
	struct dc_error *err;

	if (!operand->to_stack)
		return NULL;
	err = error_make(DC_REFUSED,
			 "%s leads to a local on a goroutine's stack, which may move: a call "
			 "cannot take it",
			 go_source(context, operand->node));
	return operand->node ? error_at(err, operand->node->start) : err;
}

// It has no address in the target before it needs one.
static void make_text(struct operand *operand, const struct type *type)
{
	const struct operand constant = *operand;

	*operand = go_bytes(type, NULL);
	operand->node = constant.node;
	operand->text = constant.text;
	operand->length = constant.length;
}

static struct dc_error *make_interface(struct context *context, struct operand *operand,
				       const struct type *type, const char *where)
{
	const struct type *held;
	uint64_t *words = go_alloc(context, 2 * sizeof(*words)), start, end;
	struct dc_error *err = go_settle(context, operand);

	if (!words)
		return &dc_out_of_memory;
	if (!err)
		err = go_ready(context, operand);
	if (err)
		return err;
	held = operand->type;
	operand->to_stack |= operand->on_stack && operand->is_object && go_has_pointers(held) &&
			     !go_is_direct(held);
	err = go_refuse_to_stack(context, operand);
	if (err)
		return err;
	if (!go_is_eface(type))
		return refused(context, operand, type, where,
			       "an interface with methods takes a table of them that only the "
			       "program can make");
	// The description of the type is the program's, under the name that both write.
	if (!type_strip(held)->go_runtime)
		held = go_named(context, go_spelling(context, held));
	if (!held || !type_strip(held)->go_runtime ||
	    !symbols_go_types(context->symbols, &start, &end))
		return refused(context, operand, type, where,
			       "the program never makes an interface of that type");
	words[0] = start + type_strip(held)->go_runtime;
	if (operand->bytes && go_is_direct(held))
		memcpy(&words[1], operand->bytes, go_size(held));
	else if (context->runs && go_has_pointers(held) && operand->is_object)
		words[1] = operand->addr;
	else if (operand->bytes)
		err = go_place(context, operand->bytes, go_size(held), &words[1]);

	const struct node *node = operand->node;

	*operand = go_bytes(type, context->runs ? (unsigned char *)words : NULL);
	operand->node = node;
	return err;
}

static struct dc_error *assign_constant(struct context *context, struct operand *operand,
					const struct type *type, const char *where)
{
	const struct type *under = type_strip(type);
	enum go_kind kind = go_kind(type);
	struct number number = operand->number;
	const struct node *node = operand->node;
	const char *why = NULL;
	struct dc_error *err = NULL;
	bool fits = false;

	switch (operand->untyped) {
	case UNTYPED_NIL:
		if (kind != GO_POINTER && kind != GO_UNSAFE_POINTER && kind != GO_SLICE &&
		    kind != GO_MAP && kind != GO_CHAN && kind != GO_FUNC && kind != GO_INTERFACE)
			return refused(context, operand, type, where, NULL);
		*operand = go_bytes(type, go_alloc(context, go_size(type)));
		operand->node = node;
		return operand->bytes ? NULL : &dc_out_of_memory;
	case UNTYPED_STRING:
		if (kind != GO_STRING)
			return refused(context, operand, type, where, NULL);
		make_text(operand, type);
		return NULL;
	case UNTYPED_BOOL: fits = kind == GO_BOOL; break;
	default: fits = under->kind != TYPE_BOOL && go_represents(type, &number, &why); break;
	}
	if (!fits && why)
		return refused(context, operand, type, where, why);
	if (!fits)
		return refused(context, operand, type, where, NULL);
	err = go_make_number(context, &number, type, operand);
	operand->node = node;
	return err;
}

struct dc_error *go_settle(struct context *context, struct operand *operand)
{
	const struct type *type;
	const struct node *node = operand->node;
	struct number number = operand->number;
	struct dc_error *err;

	if (operand->mode != OPERAND_CONSTANT)
		return NULL;
	if (operand->untyped == UNTYPED_NIL)
		return error_make(DC_TYPE, "use of untyped nil");
	if (!operand->type) {
		err = go_default_type(context, operand, &type);
		return err ? err : assign_constant(context, operand, type, "here");
	}
	if (operand->text) {
		make_text(operand, operand->type);
		return NULL;
	}
	err = go_make_number(context, &number, operand->type, operand);
	operand->node = node;
	return err;
}

bool go_same_signature(const struct type *a, const struct type *b)
{
	const struct type_param *x, *y;
	size_t n, m;
	struct dc_error *err = a && b ? type_params(a, &x, &n) : NULL;

	if (a && b && !err)
		err = type_params(b, &y, &m);
	if (!a || !b || err || n != m) {
		dc_error_destroy(err);
		return false;
	}
	for (size_t i = 0; i < n; i++)
		if (x[i].is_result != y[i].is_result || !go_identical(x[i].type, y[i].type))
			return false;
	return true;
}

static bool is_assignable(struct context *context, const struct type *from, const struct type *to)
{
	const struct type *a = type_strip(from), *b = type_strip(to);

	if (go_identical(from, to) || (go_identical(a, b) && a->name == b->name && a->name))
		return true;
	if (go_is_named(from) && go_is_named(to))
		return false;
	if (go_kind(a) != go_kind(b))
		return false;
	// One of them is written out: what they are made of counts.
	switch (go_kind(a)) {
	case GO_SLICE:
	case GO_CHAN:
	case GO_POINTER: return go_identical(go_element(a), go_element(b));
	case GO_ARRAY: return a->count == b->count && go_identical(go_element(a), go_element(b));
	case GO_MAP:
		return go_identical(type_go_key(a), type_go_key(b)) &&
		       go_identical(go_element(a), go_element(b));
	case GO_FUNC: return go_same_signature(go_signature(context, a), go_signature(context, b));
	default: return false;
	}
}

struct dc_error *go_assign(struct context *context, struct operand *operand,
			   const struct type *type, const char *where)
{
	struct dc_error *err;
	const struct node *node = operand->node;

	if (operand->mode == OPERAND_UNKNOWN) {
		*operand = go_bytes(type, NULL);
		operand->node = node;
		return NULL;
	}
	if (operand->mode == OPERAND_FUNCTION && go_kind(type) == GO_FUNC)
		return error_at(error_make(DC_REFUSED,
					   "a function value of %s takes a closure that only the "
					   "program can make",
					   go_source(context, node)),
				node->start);
	if (operand->mode != OPERAND_VALUE && operand->mode != OPERAND_CONSTANT)
		return error_at(error_make(DC_TYPE, "%s is not an expression",
					   go_describe(context, operand)),
				node->start);
	if (go_is_interface(type) && operand->untyped != UNTYPED_NIL &&
	    !(operand->type && go_is_interface(operand->type)))
		return make_interface(context, operand, type, where);
	if (operand->mode == OPERAND_CONSTANT && !operand->type)
		return assign_constant(context, operand, type, where);
	if (!is_assignable(context, operand->type, type)) {
		if (go_is_interface(type) && go_is_interface(operand->type) &&
		    go_is_eface(type) == go_is_eface(operand->type) && go_is_eface(type)) {
			operand->type = type;
			return NULL;
		}
		return refused(context, operand, type, where, NULL);
	}
	err = go_settle(context, operand);
	if (!err)
		err = go_load(context, operand);
	if (!err)
		operand->type = type;
	return err;
}

// ---- conversions ----------------------------------------------------------------------------------

static struct dc_error *convert_number(struct context *context, struct operand *operand,
				       const struct type *type)
{
	struct number number;
	const struct type *under = type_strip(type);
	const struct node *node = operand->node;
	struct dc_error *err = go_load(context, operand);

	if (err)
		return err;
	if (!go_number(operand, &number)) {
		*operand = go_bytes(type, NULL);
		operand->node = node;
		return NULL;
	}
	if (under->kind == TYPE_INT && number.kind == NUMBER_REAL) {
		__float128 limit = (__float128)(1ull << 62) * 4;

		// What does not fit is the machine's business, and differs from one to another.
		number = (struct number){ .kind = NUMBER_INT,
					  .is_signed = true,
					  .i = number.re < limit && number.re > -limit
						       ? (uint128)(int128)number.re
						       : (uint128)1 << 63 };
	}
	go_wrap(under->kind == TYPE_INT ? type : operand->type ?: type, &number);
	err = go_make_number(context, &number, type, operand);
	operand->node = node;
	return err;
}

struct dc_error *go_convert(struct context *context, struct operand *operand,
			    const struct type *type)
{
	const struct type *from = operand->type;
	const struct node *node = operand->node;
	enum go_kind to = go_kind(type), kind;
	bool done;
	struct dc_error *err;

	if (operand->mode == OPERAND_UNKNOWN || operand->untyped == UNTYPED_NIL ||
	    go_is_interface(type) || operand->mode == OPERAND_FUNCTION)
		return go_assign(context, operand, type, "in conversion");
	err = go_convert_text(context, operand, type, &done);
	if (err || done)
		return err;
	if (operand->mode == OPERAND_CONSTANT && !from &&
	    !(go_is_numeric(type) && operand->untyped >= UNTYPED_INT &&
	      operand->untyped <= UNTYPED_COMPLEX)) {
		const struct operand before = *operand;

		err = go_assign(context, operand, type, "in conversion");
		if (!err || err->code != DC_TYPE)
			return err;
		dc_error_destroy(err);
		err = error_make(DC_TYPE, "cannot convert %s to type %s",
				 go_describe(context, &before), go_spelling(context, type));
		return error_at(err, node->start);
	}
	if (operand->mode == OPERAND_CONSTANT && !from) {
		struct number number = operand->number;
		const char *why;

		if (!go_represents(type, &number, &why)) {
			err = error_make(DC_TYPE, "cannot convert %s to type %s%s%s%s",
					 go_describe(context, operand), go_spelling(context, type),
					 why ? " (" : "", why ?: "", why ? ")" : "");
			return error_at(err, node->start);
		}
		err = go_make_number(context, &number, type, operand);
		operand->node = node;
		return err;
	}
	err = go_settle(context, operand);
	if (err)
		return err;
	kind = go_kind(operand->type);
	if (go_is_numeric(type) && go_is_numeric(operand->type) &&
	    (to >= GO_COMPLEX64) == (kind >= GO_COMPLEX64))
		return convert_number(context, operand, type);
	if (is_assignable(context, operand->type, type) || kind == to ||
	    (to == GO_UNSAFE_POINTER && (kind == GO_POINTER || kind == GO_UINTPTR)) ||
	    (kind == GO_UNSAFE_POINTER && (to == GO_POINTER || to == GO_UINTPTR))) {
		bool same = kind != to || kind <= GO_COMPLEX128 || kind == GO_STRING ||
			    kind == GO_FUNC ||
			    (go_size(operand->type) == go_size(type) &&
			     (kind == GO_STRUCT ||
			      is_assignable(context, type_strip(operand->type), type_strip(type)) ||
			      (kind == GO_POINTER &&
			       go_kind(go_element(type)) == go_kind(go_element(operand->type)))));

		if (same) {
			err = go_load(context, operand);
			operand->type = type;
			return err;
		}
	}
	err = error_make(DC_TYPE, "cannot convert %s to type %s", go_describe(context, operand),
			 go_spelling(context, type));
	return error_at(err, node->start);
}
