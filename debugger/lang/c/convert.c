// SPDX-License-Identifier: MIT
// C's conversions: decay, promotion, common type, assignment, cast. Lax only where gdb is, between
// pointers and integers; a struct is never taken for another.
#include "debugger/lang/c/dialect.h"
#include "debugger/values/number.h"

#include <stdio.h>
#include <string.h>

const struct type type_unknown = { .kind = TYPE_OPAQUE, .name = "<known only when run>" };

struct dc_error *convert_referred(struct context *context, struct value *value)
{
	if (!value->type || value_unknown(value) || type_strip(value->type)->kind != TYPE_REFERENCE)
		return NULL;
	return context->dialect->refer ? context->dialect->refer(context, value)
				       : type_error("'%s' is no type of C's", value->type, NULL);
}

// An array or function becomes a pointer to its first element or to itself.
static struct dc_error *decay(struct context *context, struct value *value)
{
	const struct type *plain = type_strip(value->type);
	_cleanup_value_ struct value pointer = { 0 };
	struct value object = *value;

	// A call's result is no object; it becomes one to be pointed to.
	if (object.lvalue == LVALUE_NONE)
		object.lvalue = LVALUE_LITERAL;

	struct dc_error *err = object_address(context, &object, &pointer);

	if (err)
		return err;
	if (plain->kind == TYPE_ARRAY)
		pointer.type = types_pointer(context->basics.types, plain->target);
	if (!pointer.type)
		return &dc_out_of_memory;
	value_deinit(value);
	*value = value_take(&pointer);
	return NULL;
}

// All that C does to an operand before an operator sees it; after this a value is read, or it
// is not known in this mode.
struct dc_error *convert_rvalue(struct context *context, struct value *value)
{
	if (value_unknown(value))
		return NULL;
	if (value->no_debug && value->lvalue != LVALUE_FUNCTION && context->mode != EVAL_TYPE)
		return object_untyped(value);

	struct dc_error *err = convert_referred(context, value);

	if (err)
		return err;
	switch (type_strip(value->type)->kind) {
	case TYPE_ARRAY:
	case TYPE_FUNCTION: return decay(context, value);
	default: return object_load(context, value);
	}
}

// C++: an unsigned enum is an int when that holds its values. Debug information does not tell one
// that was declared to be unsigned from one that was left to the compiler.
static bool fits_int(const struct type *type)
{
	const struct type_enumerator *list;
	size_t n;
	_cleanup_error_ struct dc_error *err = type_enumerators(type, &list, &n);
	const char *under = type->target ? type->target->name : NULL;

	if (err || (type->target && type->target->kind == TYPE_TYPEDEF) || !under)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (list[i].value != (int32_t)list[i].value)
			return false;
	}
	return n > 0;
}

// C11 6.3.1.1. char16_t and the like count as integers of their size.
const struct type *convert_promoted(const struct context *context, const struct value *value)
{
	const struct type *plain = type_strip(value->type);

	if (plain->kind == TYPE_FLOAT && plain->format == FLOAT_16)
		return context->basics.list[BASIC_FLOAT];
	if (!type_is_integer(plain))
		return value->type;
	// A bit-field that fits an int is one, whatever its declared type.
	if (plain->size < 4 || (value->bit_size > 0 && value->bit_size < 32))
		return context->basics.list[BASIC_INT];
	if (context->has_bool && plain->kind == TYPE_ENUM && plain->size == 4 &&
	    !plain->is_signed && fits_int(plain))
		return context->basics.list[BASIC_INT];
	if (plain->kind == TYPE_ENUM || plain->is_char || plain->size == 4)
		return basic_signed(&context->basics, plain->size, plain->is_signed);
	return plain;
}

// long long ranks above long though both have 64 bits, and only the name tells them apart.
static bool is_long_long(const struct type *type)
{
	return type->name && strstr(type->name, "long long");
}

static const struct type *common_float(const struct context *context, const struct type *a,
				       const struct type *b)
{
	const struct type *plain_a = type_strip(a), *plain_b = type_strip(b);
	bool is_complex = plain_a->kind == TYPE_COMPLEX || plain_b->kind == TYPE_COMPLEX;
	enum type_float format_a = plain_a->format, format_b = plain_b->format;
	enum type_float format = format_a > format_b ? format_a : format_b;
	const struct type *wider = format_a > format_b ? plain_a : plain_b;

	// Formats are listed from narrow to wide; an integer has none.
	switch (format) {
	case FLOAT_32: return context->basics.list[is_complex ? BASIC_CFLOAT : BASIC_FLOAT];
	case FLOAT_64: return context->basics.list[is_complex ? BASIC_CDOUBLE : BASIC_DOUBLE];
	case FLOAT_X87: return context->basics.list[is_complex ? BASIC_CLDOUBLE : BASIC_LDOUBLE];
	default: return is_complex && wider->kind != TYPE_COMPLEX ? NULL : wider;
	}
}

// C11 6.3.1.8, the usual arithmetic conversions.
const struct type *convert_common(const struct context *context, const struct value *a,
				  const struct value *b)
{
	if (!type_is_arithmetic(a->type) || !type_is_arithmetic(b->type))
		return NULL;
	if (!type_is_integer(a->type) || !type_is_integer(b->type))
		return common_float(context, convert_promoted(context, a),
				    convert_promoted(context, b));

	const struct type *x = type_strip(convert_promoted(context, a));
	const struct type *y = type_strip(convert_promoted(context, b));

	if (x->size != y->size) // the wider one; it holds all of a narrower unsigned one
		return x->size > y->size ? x : y;
	if (x->size == 8 && (is_long_long(x) || is_long_long(y)))
		return context->basics
			.list[x->is_signed && y->is_signed ? BASIC_LLONG : BASIC_ULLONG];
	return x->is_signed ? y : x;
}

struct dc_error *convert_scalar(struct value *value, const struct type *type)
{
	struct number number;
	unsigned char bytes[32];
	struct dc_error *err = NULL;

	if (value->bytes && type_equal(value->type, type)) {
		// As it is: a signalling NaN stays one.
	} else if (value->bytes) {
		err = number_read(value->type, value->bytes, &number);
		if (!err)
			err = number_write(&number, type, bytes);
		if (!err)
			err = value_set(value, bytes, type_strip(type)->size);
	}
	if (err)
		return err;
	unsigned char *kept = value->bytes;

	*value = (struct value){ .type = type, .bytes = kept, .name = value->name };
	return NULL;
}

struct dc_error *convert_refused(const struct value *value, const struct type *type,
				 const char *what)
{
	_cleanup_free_ char *from = type_spell(value->type, NULL), *to = type_spell(type, NULL);

	return error_make(DC_TYPE, "%s: cannot convert '%s' to '%s'", what, from ? from : "?",
			  to ? to : "?");
}

// The same struct, also when one unit only declares it.
bool convert_same_object(struct context *context, const struct type *a, const struct type *b)
{
	return type_equal(symbols_complete(context->access.symbols, type_strip(a)),
			  symbols_complete(context->access.symbols, type_strip(b)));
}

// Pointers between objects: what they point to is the language's to say.
static struct dc_error *convert_pointer(struct context *context, struct value *value,
					const struct type *type)
{
	const struct dialect *dialect = context->dialect;

	return dialect->convert_pointer ? dialect->convert_pointer(context, value, type)
					: convert_scalar(value, type);
}

static struct dc_error *bind(struct context *context, struct value *value, const struct type *type,
			     const char *what)
{
	return context->dialect->bind ? context->dialect->bind(context, value, type, what)
				      : convert_refused(value, type, what);
}

static struct dc_error *convert_member(struct context *context, struct value *value,
				       const struct type *type, bool is_cast, const char *what)
{
	return context->dialect->convert_member
		       ? context->dialect->convert_member(context, value, type, is_cast, what)
		       : convert_refused(value, type, what);
}

static struct dc_error *convert_other_object(struct context *context, struct value *value,
					     const struct type *type, const char *what)
{
	bool done = false;
	struct dc_error *err = NULL;

	if (context->dialect->convert_object)
		err = context->dialect->convert_object(context, value, type, &done);
	return err || done ? err : convert_refused(value, type, what);
}

// What C allows in an assignment, and between pointers and integers what gdb allows: a user who
// types an address means it.
struct dc_error *convert_assign(struct context *context, struct value *value,
				const struct type *type, const char *what)
{
	const struct type *to = type_strip(type);
	struct dc_error *err;

	if (value_unknown(value) || type == &type_unknown) {
		value_deinit(value);
		*value = (struct value){ .type = type };
		return NULL;
	}
	if (to->kind == TYPE_REFERENCE)
		return bind(context, value, type, what);
	if (to->kind == TYPE_ARRAY && type_strip(value->type)->kind == TYPE_ARRAY) {
		err = object_load(context, value);
		if (err)
			return err;
		if (!type_equal(value->type, type))
			return convert_refused(value, type, what);
		value->type = type;
		value->lvalue = LVALUE_NONE;
		return NULL;
	}
	err = convert_rvalue(context, value);
	if (err)
		return err;

	const struct type *from = type_strip(value->type);

	if (from->kind == TYPE_VOID)
		return error_make(DC_TYPE, "%s: a void value has no use here", what);
	if (to->kind == TYPE_MEMBER || from->kind == TYPE_MEMBER)
		return convert_member(context, value, type, false, what);
	if (type_is_arithmetic(to) && type_is_arithmetic(from))
		err = convert_scalar(value, type);
	else if (to->kind == TYPE_POINTER && from->kind == TYPE_POINTER)
		err = convert_pointer(context, value, type);
	else if (to->kind == TYPE_INT && from->kind == TYPE_POINTER && to->size < from->size)
		// C compilers warn; here the number would just look wrong.
		return error_note(convert_refused(value, type, what),
				  "the address would be cut short; cast it if that is meant");
	else if ((to->kind == TYPE_POINTER && type_is_integer(from)) ||
		 (type_is_integer(to) && from->kind == TYPE_POINTER))
		err = convert_scalar(value, type);
	else if ((type_is_record(to) || to->kind == TYPE_VECTOR || to->kind == TYPE_OPAQUE) &&
		 convert_same_object(context, from, to))
		*value = (struct value){ .type = type, .bytes = value->bytes };
	else
		return convert_other_object(context, value, type, what);
	return err;
}

// The same bytes under another type: vectors, arrays, and objects whose type was not known.
static struct dc_error *reinterpret(struct context *context, struct value *value,
				    const struct type *type)
{
	uint64_t from, to;
	struct dc_error *err;

	if (value->no_debug) { // a variable whose type the user has now said
		value->type = type;
		value->no_debug = false;
		return object_load(context, value);
	}
	err = object_load(context, value);
	if (err)
		return err;
	if (!type_size(value->type, &from) || !type_size(type, &to) || from != to)
		return type_error("cannot cast '%s' to '%s': their sizes differ", value->type,
				  type);
	*value = (struct value){ .type = type, .bytes = value->bytes };
	return NULL;
}

static bool is_bits(const struct type *type)
{
	type = type_strip(type);
	return type->kind == TYPE_VECTOR || type->kind == TYPE_ARRAY;
}

struct dc_error *convert_cast(struct context *context, struct value *value, const struct type *type)
{
	const struct type *to = type_strip(type);
	struct dc_error *err;

	if (to->kind == TYPE_VOID) {
		value_deinit(value);
		*value = (struct value){ .type = type };
		return NULL;
	}
	if (value_unknown(value)) {
		value->type = type;
		return NULL;
	}
	if (to->kind == TYPE_FUNCTION || to->is_incomplete)
		return type_error("cannot cast to '%s'", type, NULL);
	if (value->no_debug && value->lvalue != LVALUE_FUNCTION)
		return reinterpret(context, value, type);
	if (to->kind == TYPE_REFERENCE) {
		// An object may be offered to &&, too.
		const struct type *plain = types_reference(context->basics.types, to->target,
							   false);

		err = plain ? bind(context, value, plain, "cast") : &dc_out_of_memory;
		value->type = err ? value->type : type;
		return err;
	}
	err = convert_referred(context, value);
	if (err)
		return err;
	if ((is_bits(to) && (is_bits(value->type) || type_is_scalar(value->type))) ||
	    (type_strip(value->type)->kind == TYPE_VECTOR && type_is_integer(to)))
		return reinterpret(context, value, type);
	err = convert_rvalue(context, value);
	if (err)
		return err;

	const struct type *from = type_strip(value->type);

	if (to->kind == TYPE_MEMBER || from->kind == TYPE_MEMBER)
		return convert_member(context, value, type, true, "cast");
	if (type_is_record(to) && convert_same_object(context, from, to)) {
		*value = (struct value){ .type = type, .bytes = value->bytes };
		return NULL;
	}
	if (!type_is_scalar(to) || !type_is_scalar(from) ||
	    (to->kind == TYPE_POINTER && !type_is_integer(from) && from->kind != TYPE_POINTER) ||
	    (from->kind == TYPE_POINTER && !type_is_integer(to) && to->kind != TYPE_POINTER))
		return type_error("cannot cast '%s' to '%s'", value->type, type);
	return to->kind == TYPE_POINTER && from->kind == TYPE_POINTER
		       ? convert_pointer(context, value, type)
		       : convert_scalar(value, type);
}
