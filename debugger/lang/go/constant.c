// SPDX-License-Identifier: MIT
// Arithmetic as Go has it: exact for constants, wrapping for integers, rounding for floats. Pure.
#include "debugger/lang/go/go.h"

#include <float.h>
#include <math.h>
#include <string.h>

static struct number real(__float128 re)
{
	return (struct number){ .kind = NUMBER_REAL, .re = re };
}

static void widen(struct number *number, int kind)
{
	if (number->kind == NUMBER_INT && kind != NUMBER_INT)
		number->re = (__float128)(int128)number->i;
	if (number->kind < (unsigned)kind)
		number->kind = kind;
}

// As the float type has it.
static __float128 rounded(const struct type *type, __float128 value)
{
	if (!type)
		return value;
	return type_strip(type)->format == FLOAT_32 ? (__float128)(float)value
						    : (__float128)(double)value;
}

static struct dc_error *overflow(void)
{
	return error_make(DC_VALUE, "constant overflow: it takes more than 127 bits");
}

void go_wrap(const struct type *type, struct number *number)
{
	const struct type *under = type_strip(type);
	unsigned bits = (unsigned)under->size * 8;

	if (number->kind != NUMBER_INT || bits >= 128)
		return;
	number->i &= ((uint128)1 << bits) - 1;
	if (under->is_signed && number->i >> (bits - 1))
		number->i |= ~(uint128)0 << bits;
	number->is_signed = true;
}

static struct dc_error *shift(int op, const struct number *a, const struct number *b,
			      const struct type *type, struct number *ret)
{
	unsigned bits = type ? (unsigned)type_strip(type)->size * 8 : 120;
	int128 count = (int128)b->i, value = (int128)a->i;

	*ret = *a;
	if (count < 0)
		return error_make(DC_VALUE, "negative shift amount");
	if (op == OP_SHR) {
		ret->i = (uint128)(value >> (count > 126 ? 126 : (int)count));
	} else if (count >= bits) {
		if (!type && value)
			return overflow();
		ret->i = 0;
	} else {
		ret->i = a->i << (int)count;
		if (!type && (int128)ret->i >> (int)count != value)
			return overflow();
	}
	return NULL;
}

static struct dc_error *compute_integers(int op, const struct number *a, const struct number *b,
					 const struct type *type, struct number *ret)
{
	int128 x = (int128)a->i, y = (int128)b->i, z = 0;
	bool overflows = false;

	switch (op) {
	case OP_ADD: overflows = __builtin_add_overflow(x, y, &z); break;
	case OP_SUB: overflows = __builtin_sub_overflow(x, y, &z); break;
	case OP_MUL: overflows = __builtin_mul_overflow(x, y, &z); break;
	case OP_DIV:
	case OP_MOD:
		if (!y)
			return error_make(DC_VALUE, "invalid operation: division by zero");
		z = op == OP_DIV ? x / y : x % y;
		break;
	case OP_AND: z = x & y; break;
	case OP_OR: z = x | y; break;
	case OP_XOR: z = x ^ y; break;
	case OP_AND_NOT: z = x & ~y; break;
	default: break;
	}
	if (overflows && !type)
		return overflow();
	*ret = (struct number){ .kind = NUMBER_INT, .is_signed = true, .i = (uint128)z };
	return NULL;
}

static struct dc_error *compute_reals(int op, __float128 x, __float128 y, const struct type *type,
				      struct number *ret)
{
	__float128 z = 0;

	// One rounding, as the machine does it; 128 bits hold more than twice what a double has.
	switch (op) {
	case OP_ADD: z = x + y; break;
	case OP_SUB: z = x - y; break;
	case OP_MUL: z = x * y; break;
	case OP_DIV:
		if (y == 0 && !type)
			return error_make(DC_VALUE, "invalid operation: division by zero");
		z = x / y;
		break;
	default: break;
	}
	*ret = real(rounded(type, z));
	return NULL;
}

static struct dc_error *compute_complex(int op, const struct number *a, const struct number *b,
					struct number *ret)
{
	__float128 norm = b->re * b->re + b->im * b->im;

	*ret = (struct number){ .kind = NUMBER_COMPLEX };
	switch (op) {
	case OP_ADD:
		ret->re = a->re + b->re;
		ret->im = a->im + b->im;
		break;
	case OP_SUB:
		ret->re = a->re - b->re;
		ret->im = a->im - b->im;
		break;
	case OP_MUL:
		ret->re = a->re * b->re - a->im * b->im;
		ret->im = a->re * b->im + a->im * b->re;
		break;
	case OP_DIV:
		if (norm == 0)
			return error_make(DC_VALUE, "invalid operation: division by zero");
		ret->re = (a->re * b->re + a->im * b->im) / norm;
		ret->im = (a->im * b->re - a->re * b->im) / norm;
		break;
	default: break;
	}
	return NULL;
}

struct dc_error *go_compute(int op, const struct number *a, const struct number *b,
			    const struct type *type, struct number *ret)
{
	struct number x = *a, y = *b;
	int kind = x.kind > y.kind ? x.kind : y.kind;
	struct dc_error *err;

	if (op == OP_SHL || op == OP_SHR) {
		err = shift(op, a, b, type, ret);
	} else {
		widen(&x, kind);
		widen(&y, kind);
		err = kind == NUMBER_INT    ? compute_integers(op, &x, &y, type, ret)
		      : kind == NUMBER_REAL ? compute_reals(op, x.re, y.re, type, ret)
					    : compute_complex(op, &x, &y, ret);
	}
	if (!err && type)
		go_wrap(type, ret);
	return err;
}

bool go_compare_numbers(int op, const struct number *a, const struct number *b)
{
	struct number x = *a, y = *b;
	int kind = x.kind > y.kind ? x.kind : y.kind;

	widen(&x, kind);
	widen(&y, kind);
	if (kind == NUMBER_INT) {
		int128 p = (int128)x.i, q = (int128)y.i;

		switch (op) {
		case OP_EQ: return p == q;
		case OP_NE: return p != q;
		case OP_LT: return p < q;
		case OP_LE: return p <= q;
		case OP_GT: return p > q;
		default: return p >= q;
		}
	}
	switch (op) {
	case OP_EQ: return x.re == y.re && x.im == y.im;
	case OP_NE: return x.re != y.re || x.im != y.im;
	case OP_LT: return x.re < y.re;
	case OP_LE: return x.re <= y.re;
	case OP_GT: return x.re > y.re;
	default: return x.re >= y.re;
	}
}

static bool fits_integer(const struct type *under, int128 value)
{
	unsigned bits = (unsigned)under->size * 8;
	int128 limit = (int128)1 << (bits - under->is_signed);

	return value < limit && value >= (under->is_signed ? -limit : 0);
}

bool go_represents(const struct type *type, struct number *number, const char **why)
{
	const struct type *under = type_strip(type);
	struct number whole = *number;

	*why = NULL;
	if (under->kind == TYPE_INT) {
		if (whole.kind != NUMBER_INT) {
			if (whole.im != 0 || whole.re != (__float128)(int128)whole.re) {
				*why = "truncated";
				return false;
			}
			whole = (struct number){ .kind = NUMBER_INT,
						 .is_signed = true,
						 .i = (uint128)(int128)whole.re };
		}
		*why = fits_integer(under, (int128)whole.i) ? NULL : "overflows";
	} else if (under->kind == TYPE_FLOAT) {
		__float128 limit = under->format == FLOAT_32 ? (__float128)FLT_MAX
							     : (__float128)DBL_MAX;

		if (whole.kind == NUMBER_COMPLEX && whole.im != 0) {
			*why = "truncated";
			return false;
		}
		widen(&whole, NUMBER_REAL);
		whole = real(rounded(type, whole.re));
		*why = whole.re > limit || whole.re < -limit ? "overflows" : NULL;
	} else if (under->kind == TYPE_COMPLEX) {
		widen(&whole, NUMBER_COMPLEX);
		whole.re = rounded(type, whole.re);
		whole.im = rounded(type, whole.im);
	} else {
		return false;
	}
	if (!*why)
		*number = whole;
	return !*why;
}
