// SPDX-License-Identifier: MIT
// Integers of up to 128 bits and every floating format that the C ABI has, as decimals.
#include "debugger/values/locales.h"
#include "debugger/values/number.h"
#include "debugger/values/print_number.h"

#include <inttypes.h>
#include <string.h>

extern int strfromf128(char *, size_t, const char *, __float128);

static void print_uint128(FILE *out, uint128 value)
{
	char digits[40];
	size_t i = sizeof(digits);

	do
		digits[--i] = '0' + (int)(value % 10);
	while (value /= 10);
	fwrite(digits + i, 1, sizeof(digits) - i, out);
}

void print_integer(FILE *out, const struct type *type, const unsigned char *bytes)
{
	const struct type *plain = type_strip(type);
	bool is_signed = plain->is_signed;
	uint128 value = 0;

	if (plain->size > 16) {
		fputs("<an integer of unknown form>", out);
		return;
	}
	memcpy(&value, bytes, plain->size);
	if (is_signed && plain->size > 0) {
		unsigned shift = 128 - 8 * plain->size;

		value = (uint128)((int128)(value << shift) >> shift);
	}
	if (is_signed && (int128)value < 0) {
		fputc('-', out);
		value = -value;
	}
	print_uint128(out, value);
}

// Size, bits of the fraction as stored, of the exponent, decimal digits that tell values apart.
struct layout {
	unsigned size, fraction, exponent, digits;
};

// With so many digits a decimal names exactly one value of the format.
static bool find_layout(enum type_float format, struct layout *ret)
{
	switch (format) {
	case FLOAT_16: *ret = (struct layout){ 2, 10, 5, 5 }; return true;
	case FLOAT_32: *ret = (struct layout){ 4, 23, 8, 9 }; return true;
	case FLOAT_64: *ret = (struct layout){ 8, 52, 11, 17 }; return true;
	case FLOAT_X87: *ret = (struct layout){ 10, 64, 15, 21 }; return true;
	case FLOAT_128: *ret = (struct layout){ 16, 112, 15, 36 }; return true;
	case FLOAT_NONE:
	case FLOAT_OTHER: break;
	}
	return false;
}

void print_float(FILE *out, enum type_float format, const unsigned char *bytes)
{
	struct layout layout;
	uint128 bits = 0;

	if (!find_layout(format, &layout)) {
		fputs("<a floating format that cannot be shown>", out);
		return;
	}
	memcpy(&bits, bytes, layout.size);

	uint128 fraction = bits & (((uint128)1 << layout.fraction) - 1);
	unsigned exponent = (unsigned)(bits >> layout.fraction) & ((1u << layout.exponent) - 1);
	bool negative = bits >> (layout.fraction + layout.exponent) & 1;
	// The 80-bit format stores the leading 1, which is no part of a payload of zero.
	uint128 payload = layout.fraction == 64 ? fraction << 65 >> 65 : fraction;

	// The processor takes none of these for a number: the leading 1 is missing.
	if (layout.fraction == 64 && exponent && !(fraction >> 63)) {
		fputs("<invalid float value>", out);
		return;
	}
	if (exponent == (1u << layout.exponent) - 1) {
		fputs(negative ? "-" : "", out);
		if (payload == 0)
			fputs("inf", out);
		else if (fraction >> 64)
			fprintf(out, "nan(0x%" PRIx64 "%016" PRIx64 ")", (uint64_t)(fraction >> 64),
				(uint64_t)fraction);
		else
			fprintf(out, "nan(0x%" PRIx64 ")", (uint64_t)fraction);
		return;
	}

	const struct type type = { .kind = TYPE_FLOAT, .format = format, .size = layout.size };
	struct number number;
	struct dc_error *err = number_read(&type, bytes, &number);
	char text[64], how[8];

	if (err) {
		dc_error_destroy(err);
		return;
	}
	snprintf(how, sizeof(how), "%%.%ug", layout.digits);
	locale_t users = uselocale(locale_plain());

	strfromf128(text, sizeof(text), how, number.re);
	uselocale(users);
	fputs(text, out);
}
