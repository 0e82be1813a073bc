// SPDX-License-Identifier: MIT
// Reading, converting and combining numbers with the widths and roundings of their C types.
#include "debugger/values/number.h"

#include "debugger/base/cleanup.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// glibc declares it only for compilers that it knows to have the type.
extern int strfromf128(char *, size_t, const char *, __float128);

// Right or refused: a format that is not known is never taken for one that is.
static struct dc_error *refuse_format(const struct type *type)
{
	_cleanup_free_ char *name = type_spell(type, NULL);

	return error_make(DC_TYPE, "arithmetic on '%s' is not supported", name ? name : "?");
}

static __float128 half_value(uint16_t bits)
{
	int exponent = bits >> 10 & 0x1f, fraction = bits & 0x3ff;
	float magnitude = exponent == 0x1f ? (fraction ? NAN : INFINITY)
			  : exponent == 0  ? ldexpf(fraction, -24)
					   : ldexpf(fraction + 1024, exponent - 25);

	return bits & 0x8000 ? -magnitude : magnitude;
}

// Through a union: the bytes come from the target and are aligned to nothing.
static bool read_float(enum type_float format, const unsigned char *bytes, __float128 *ret)
{
	union {
		uint16_t h;
		float f;
		double d;
		long double l;
		__float128 q;
	} u;

	memset(&u, 0, sizeof(u));
	switch (format) {
	case FLOAT_16:
		memcpy(&u, bytes, 2);
		*ret = half_value(u.h);
		return true;
	case FLOAT_32:
		memcpy(&u, bytes, 4);
		*ret = u.f;
		return true;
	case FLOAT_64:
		memcpy(&u, bytes, 8);
		*ret = u.d;
		return true;
	case FLOAT_X87:
		memcpy(&u, bytes, 10);
		*ret = u.l;
		return true;
	case FLOAT_128:
		memcpy(&u, bytes, 16);
		*ret = u.q;
		return true;
	case FLOAT_NONE:
	case FLOAT_OTHER: break;
	}
	return false;
}

// Rounded once, to the nearest, halves to even: compilers differ in whether they know the type.
static uint16_t half_bits(__float128 value)
{
	uint16_t sign = __builtin_copysign(1, (double)value) < 0 ? 0x8000 : 0;
	__float128 magnitude = value < 0 ? -value : value;
	__float128 unit = ldexp(1, -24); // of the subnormal numbers
	int exponent = 0;

	if (value != value)
		return sign | 0x7e00;
	if (magnitude >= 65520)
		return sign | 0x7c00;
	while (magnitude >= unit * 2048) {
		unit *= 2;
		exponent++;
	}

	__float128 units = magnitude / unit;
	uint32_t n = (uint32_t)units;
	__float128 rest = units - n;

	if (rest > 0.5 || (rest == 0.5 && (n & 1)))
		n++;
	// A fraction that overflows carries into the exponent, as it should.
	return sign | (exponent * 1024 + n);
}

// The assignment to the narrower type is where a value is rounded, once.
static bool write_float(enum type_float format, __float128 value, unsigned char *bytes)
{
	union {
		uint16_t h;
		float f;
		double d;
		long double l;
	} u;

	memset(&u, 0, sizeof(u));
	switch (format) {
	case FLOAT_16:
		u.h = half_bits(value);
		memcpy(bytes, &u, 2);
		return true;
	case FLOAT_32:
		u.f = value;
		memcpy(bytes, &u, 4);
		return true;
	case FLOAT_64:
		u.d = value;
		memcpy(bytes, &u, 8);
		return true;
	case FLOAT_X87:
		u.l = value;
		memset(bytes, 0, 16);
		memcpy(bytes, &u, 10);
		return true;
	case FLOAT_128: memcpy(bytes, &value, 16); return true;
	case FLOAT_NONE:
	case FLOAT_OTHER: break;
	}
	return false;
}

// An integer straight to the format: by way of binary128 a 128-bit one would round twice.
static __float128 int_to_float(const struct number *number, enum type_float format)
{
	bool negative = number->is_signed && (int128)number->i < 0;
	uint128 magnitude = negative ? -number->i : number->i;
	__float128 value;

	switch (format) {
	case FLOAT_32: value = (float)magnitude; break;
	case FLOAT_64: value = (double)magnitude; break;
	case FLOAT_X87: value = (long double)magnitude; break;
	default: value = magnitude; break;
	}
	return negative ? -value : value;
}

static uint64_t float_size(enum type_float format)
{
	return format == FLOAT_16 ? 2 : format == FLOAT_32 ? 4 : format == FLOAT_64 ? 8 : 16;
}

struct dc_error *number_read(const struct type *type, const unsigned char *bytes,
			     struct number *ret)
{
	const struct type *plain = type_strip(type);

	*ret = (struct number){ .is_signed = plain->is_signed };
	if (plain->kind == TYPE_FLOAT || plain->kind == TYPE_COMPLEX) {
		ret->kind = plain->kind == TYPE_FLOAT ? NUMBER_REAL : NUMBER_COMPLEX;
		if (!read_float(plain->format, bytes, &ret->re))
			return refuse_format(type);
		if (ret->kind == NUMBER_COMPLEX &&
		    !read_float(plain->format, bytes + float_size(plain->format), &ret->im))
			return refuse_format(type);
		return NULL;
	}
	if (plain->size > 16)
		return refuse_format(type);
	memcpy(&ret->i, bytes, plain->size);
	if (plain->is_signed && plain->size < 16) {
		unsigned shift = 128 - 8 * plain->size;

		ret->i = (uint128)((int128)(ret->i << shift) >> shift);
	}
	return NULL;
}

static struct dc_error *truncate_to_int(const struct type *type, __float128 value, uint128 *ret)
{
	const struct type *plain = type_strip(type);
	unsigned bits = 8 * plain->size;
	__float128 top = (__float128)((uint128)1 << (bits - 1));
	__float128 limit = plain->is_signed ? top : top * 2;
	__float128 lowest = plain->is_signed ? -top : 0;

	// The fraction goes first: -0.5 fits an unsigned type. Above 2^126 there is none.
	__float128 edge = (__float128)((uint128)1 << 126);
	__float128 whole = value < edge && value > -edge ? (__float128)(int128)value : value;

	if (!(whole < limit && whole >= lowest)) {
		_cleanup_free_ char *name = type_spell(type, NULL);
		char text[64];

		strfromf128(text, sizeof(text), "%.17g", value);
		return error_make(DC_VALUE, "%s does not fit in '%s'", text, name ? name : "?");
	}
	*ret = value < 0 ? -(uint128)-value : (uint128)value;
	return NULL;
}

// The other half of every conversion: reading a number loses nothing, writing it is the conversion.
struct dc_error *number_write(const struct number *number, const struct type *type,
			      unsigned char *bytes)
{
	const struct type *plain = type_strip(type);
	uint128 i = number->i;

	switch (plain->kind) {
	case TYPE_FLOAT:
	case TYPE_COMPLEX: {
		__float128 re = number->kind == NUMBER_INT ? int_to_float(number, plain->format)
							   : number->re;

		if (!write_float(plain->format, re, bytes))
			return refuse_format(type);
		if (plain->kind == TYPE_COMPLEX &&
		    !write_float(plain->format, number->im, bytes + float_size(plain->format)))
			return refuse_format(type);
		return NULL;
	}
	case TYPE_BOOL:
		memset(bytes, 0, plain->size);
		bytes[0] = !number_is_zero(number);
		return NULL;
	default:
		if (plain->size > 16)
			return refuse_format(type);
		if (number->kind != NUMBER_INT) {
			struct dc_error *err = truncate_to_int(type, number->re, &i);

			if (err)
				return err;
		}
		memcpy(bytes, &i, plain->size);
		return NULL;
	}
}

bool number_is_zero(const struct number *number)
{
	if (number->kind == NUMBER_INT)
		return number->i == 0;
	return number->re == 0 && number->im == 0;
}

void number_negate(struct number *number)
{
	number->i = -number->i;
	number->re = -number->re;
	number->im = -number->im;
}

// In 128 bits; the caller cuts to the width, which is what wrapping is.
static struct dc_error *int_binary(enum operation op, uint128 a, uint128 b, const struct type *type,
				   uint128 *ret)
{
	const struct type *plain = type_strip(type);
	unsigned bits = 8 * plain->size, count = (unsigned)b & (bits - 1);
	int128 sa = a, sb = b;

	switch (op) {
	case OP_ADD: *ret = a + b; return NULL;
	case OP_SUB: *ret = a - b; return NULL;
	case OP_MUL: *ret = a * b; return NULL;
	case OP_AND: *ret = a & b; return NULL;
	case OP_XOR: *ret = a ^ b; return NULL;
	case OP_OR: *ret = a | b; return NULL;
	// The processor takes the count modulo the width.
	case OP_SHL: *ret = a << count; return NULL;
	case OP_SHR: *ret = plain->is_signed ? (uint128)(sa >> count) : a >> count; return NULL;
	case OP_DIV:
	case OP_MOD:
		if (b == 0)
			return error_make(DC_VALUE, "division by zero");
		if (!plain->is_signed) {
			*ret = op == OP_DIV ? a / b : a % b;
			return NULL;
		}
		// The one signed division that overflows; the processor traps on it.
		if (sb == -1 && sa == -((int128)((uint128)1 << (bits - 2))) * 2)
			return error_make(DC_VALUE, "the quotient does not fit the type");
		*ret = op == OP_DIV ? (uint128)(sa / sb) : (uint128)(sa % sb);
		return NULL;
	default: return error_make(DC_TYPE, "the operation is not defined for integers");
	}
}

// One body for each format: both operands are exact in it, so it rounds once, as the target would.
#define FLOAT_BINARY(name, real)                                                            \
	static bool name(enum operation op, const struct number *a, const struct number *b, \
			 struct number *ret)                                                \
	{                                                                                   \
		real x = a->re, y = b->re;                                                  \
                                                                                            \
		switch (op) {                                                               \
		case OP_ADD: ret->re = (real)(x + y); return true;                          \
		case OP_SUB: ret->re = (real)(x - y); return true;                          \
		case OP_MUL: ret->re = (real)(x * y); return true;                          \
		case OP_DIV: ret->re = (real)(x / y); return true;                          \
		default: return false;                                                      \
		}                                                                           \
	}
FLOAT_BINARY(binary_float, float)
FLOAT_BINARY(binary_double, double)
FLOAT_BINARY(binary_x87, long double)
FLOAT_BINARY(binary_quad, __float128)

// A real operand of a complex operation stays real (C11 annex G): 2 * (inf + 1i) has no NaN.
#define COMPLEX_BINARY(name, real, make)                                                     \
	static bool name(enum operation op, const struct number *a, const struct number *b,  \
			 struct number *ret)                                                 \
	{                                                                                    \
		real x = a->re, y = b->re;                                                   \
		real _Complex z = make((real)a->re, (real)a->im);                            \
		real _Complex w = make((real)b->re, (real)b->im);                            \
		bool x_only = a->kind != NUMBER_COMPLEX, y_only = b->kind != NUMBER_COMPLEX; \
		real _Complex r;                                                             \
                                                                                             \
		switch (op) {                                                                \
		case OP_ADD: r = x_only ? x + w : y_only ? z + y : z + w; break;             \
		case OP_SUB: r = x_only ? x - w : y_only ? z - y : z - w; break;             \
		case OP_MUL: r = x_only ? x * w : y_only ? z * y : z * w; break;             \
		case OP_DIV: r = x_only ? x / w : y_only ? z / y : z / w; break;             \
		default: return false;                                                       \
		}                                                                            \
		ret->re = __real__ r;                                                        \
		ret->im = __imag__ r;                                                        \
		return true;                                                                 \
	}
#define MAKE_COMPLEX(re, im) __builtin_complex(re, im)
COMPLEX_BINARY(complex_float, float, MAKE_COMPLEX)
COMPLEX_BINARY(complex_double, double, MAKE_COMPLEX)
COMPLEX_BINARY(complex_x87, long double, MAKE_COMPLEX)

// The operand in the result's format, keeping a real one real.
static void to_format(struct number *number, enum type_float format)
{
	if (number->kind == NUMBER_INT) {
		number->re = int_to_float(number, format);
		number->kind = NUMBER_REAL;
	}
}

struct dc_error *number_binary(enum operation op, const struct number *a, const struct number *b,
			       const struct type *type, struct number *ret)
{
	const struct type *plain = type_strip(type);
	struct number x = *a, y = *b;
	bool done = false;

	*ret = (struct number){ .is_signed = plain->is_signed };
	if (plain->kind != TYPE_FLOAT && plain->kind != TYPE_COMPLEX) {
		struct dc_error *err = int_binary(op, x.i, y.i, type, &ret->i);
		unsigned char bytes[16];

		// Wrapped to the width of the type.
		return err					? err
		       : (err = number_write(ret, type, bytes)) ? err
								: number_read(type, bytes, ret);
	}
	to_format(&x, plain->format);
	to_format(&y, plain->format);
	if (plain->kind == TYPE_FLOAT) {
		ret->kind = NUMBER_REAL;
		switch (plain->format) {
		case FLOAT_32: done = binary_float(op, &x, &y, ret); break;
		case FLOAT_64: done = binary_double(op, &x, &y, ret); break;
		case FLOAT_X87: done = binary_x87(op, &x, &y, ret); break;
		case FLOAT_128: done = binary_quad(op, &x, &y, ret); break;
		default: return refuse_format(type);
		}
	} else {
		ret->kind = NUMBER_COMPLEX;
		switch (plain->format) {
		case FLOAT_32: done = complex_float(op, &x, &y, ret); break;
		case FLOAT_64: done = complex_double(op, &x, &y, ret); break;
		case FLOAT_X87: done = complex_x87(op, &x, &y, ret); break;
		default: return refuse_format(type);
		}
	}
	if (!done)
		return error_make(DC_TYPE, "the operation is not defined for floating numbers");
	return NULL;
}

// Operands have been converted to one type, so that signedness and kind agree.
bool number_compare(enum operation op, const struct number *a, const struct number *b)
{
	if (a->kind == NUMBER_INT && b->kind == NUMBER_INT) {
		bool less = a->is_signed && b->is_signed ? (int128)a->i < (int128)b->i
							 : a->i < b->i;

		switch (op) {
		case OP_EQ: return a->i == b->i;
		case OP_NE: return a->i != b->i;
		case OP_LT: return less;
		case OP_GE: return !less;
		case OP_LE: return less || a->i == b->i;
		default: return !less && a->i != b->i;
		}
	}
	// Each is spelled out: with a NaN, >= is not the opposite of <.
	switch (op) {
	case OP_EQ: return a->re == b->re && a->im == b->im;
	case OP_NE: return a->re != b->re || a->im != b->im;
	case OP_LT: return a->re < b->re;
	case OP_GT: return a->re > b->re;
	case OP_LE: return a->re <= b->re;
	default: return a->re >= b->re;
	}
}
