// SPDX-License-Identifier: MIT
// Arithmetic exactly as the target's C would do it, on every arithmetic type. Pure.
#ifndef DEBUGGER_VALUES_NUMBER_H
#define DEBUGGER_VALUES_NUMBER_H

#include "debugger/symbols/type.h"
#include "debugger/values/operator.h"

typedef unsigned __int128 uint128;
typedef __int128 int128;

// A number outside of any type: an integer (two's complement, extended to 128 bits), or a real
// and imaginary part. Binary128 holds every value of the narrower formats, so reading never
// rounds; each operation rounds once, in the format of its result type.
struct number {
	enum { NUMBER_INT, NUMBER_REAL, NUMBER_COMPLEX } kind;
	bool is_signed; // INT: how i was extended
	uint128 i;
	__float128 re, im;
};

// type: arithmetic or pointer. Code TYPE for formats that C has no arithmetic for here (decimal).
struct dc_error *number_read(const struct type *type, const unsigned char *bytes,
			     struct number *ret) DC_CHECK;
// Converts as C does; a float that does not fit an integer type is an error (C leaves it
// undefined).
struct dc_error *number_write(const struct number *number, const struct type *type,
			      unsigned char *bytes) DC_CHECK;
// Operands are already of the result's type (for shifts: promoted each, type is the left one's).
struct dc_error *number_binary(enum operation op, const struct number *a, const struct number *b,
			       const struct type *type, struct number *ret) DC_CHECK;
bool number_compare(enum operation op, const struct number *a, const struct number *b);
bool number_is_zero(const struct number *number);
void number_negate(struct number *number);

#endif
