// SPDX-License-Identifier: MIT
// gdb's formats: "/x flags" shows every number of a value by its bits, or as what the letter says.
#include "debugger/values/number.h"
#include "debugger/lang/c/printer.h"

#include <inttypes.h>
#include <string.h>

bool print_format_known(char letter)
{
	return letter && strchr("xduotzacfsr", letter);
}

bool print_format_applies(const struct printer *printer, const struct type *type)
{
	if (!printer->format || printer->format == 's')
		return false;
	switch (type_strip(type)->kind) {
	case TYPE_BOOL:
	case TYPE_INT:
	case TYPE_FLOAT:
	case TYPE_ENUM:
	case TYPE_POINTER: return type_strip(type)->size > 0 && type_strip(type)->size <= 16;
	default: return false;
	}
}

// The highest digit first; least: as many digits at least.
static void print_digits(FILE *out, uint128 value, unsigned shift, unsigned least)
{
	char digits[129];
	size_t i = sizeof(digits);

	do
		digits[--i] = "0123456789abcdef"[(unsigned)value & ((1u << shift) - 1)];
	while ((value >>= shift) || sizeof(digits) - i < least);
	fwrite(digits + i, 1, sizeof(digits) - i, out);
}

// As a number of the same size, or, of a float, as the integer part of its value.
static int64_t integer_part(const struct type *type, const unsigned char *bytes)
{
	struct number number;
	_cleanup_error_ struct dc_error *err = number_read(type, bytes, &number);

	if (err)
		return 0;
	return type->kind == TYPE_FLOAT ? (int64_t)number.re : (int64_t)number.i;
}

static enum type_float float_of(uint64_t size)
{
	return size == 4 ? FLOAT_32 : size == 8 ? FLOAT_64 : size == 16 ? FLOAT_X87 : FLOAT_NONE;
}

static void print_char(struct printer *printer, const struct type *type, int64_t value)
{
	bool is_signed = type->kind == TYPE_FLOAT || type->kind == TYPE_BOOL || type->is_signed;
	const struct type character = { .kind = TYPE_INT,
					.is_char = true,
					.is_signed = is_signed,
					.name = is_signed ? "char" : "unsigned char",
					.size = 1,
					.align = 1 };
	unsigned char byte = (unsigned char)value;

	print_integer(printer->out, &character, &byte);
	fputc(' ', printer->out);
	print_character(printer, &character, byte);
}

void print_formatted(struct printer *printer, const struct type *type, const unsigned char *bytes)
{
	const struct type *plain = type_strip(type);
	struct type number = { .kind = TYPE_INT, .size = plain->size, .align = 1 };
	enum type_float format = float_of(plain->size);
	uint128 value = 0;

	memcpy(&value, bytes, plain->size);
	// The padding of an 80-bit float is no part of it.
	if (plain->kind == TYPE_FLOAT && plain->format == FLOAT_X87)
		value = value << 48 >> 48;
	switch (printer->format) {
	case 'x':
		fputs("0x", printer->out);
		print_digits(printer->out, value, 4, 1);
		break;
	case 'z':
		fputs("0x", printer->out);
		print_digits(printer->out, value, 4, (unsigned)plain->size * 2);
		break;
	case 'o':
		fputs(value ? "0" : "", printer->out);
		print_digits(printer->out, value, 3, 1);
		break;
	case 't': print_digits(printer->out, value, 1, 1); break;
	case 'd':
		number.is_signed = true;
		print_integer(printer->out, &number, bytes);
		break;
	case 'u': print_integer(printer->out, &number, (const unsigned char *)&value); break;
	case 'a': print_address(printer, (uint64_t)integer_part(plain, bytes)); break;
	case 'c': print_char(printer, plain, integer_part(plain, bytes)); break;
	case 'f':
		if (plain->kind == TYPE_FLOAT)
			print_float(printer->out, plain->format, bytes);
		else if (format != FLOAT_NONE)
			print_float(printer->out, format, bytes);
		else
			print_integer(printer->out, plain, bytes);
		break;
	default: break;
	}
}
