// SPDX-License-Identifier: MIT
// Numbers by C's rules for their types, characters and strings with their escapes.
#include "debugger/lang/c/literal.h"

#include "debugger/base/cleanup.h"
#include "debugger/values/locales.h"
#include "debugger/values/number.h"
#include "debugger/lang/c/parser.h"

#include <ctype.h>
#include <string.h>

static struct dc_error *bad_number(const struct token *token)
{
	int shown = token->length > 60 ? 60 : token->length;

	return error_make(DC_SYNTAX, "'%.*s' is not a number", shown, token->start);
}

// e is a digit in hexadecimal, where p marks the exponent.
static bool is_float_text(const char *s, size_t length)
{
	bool is_hex = length > 1 && s[0] == '0' && (s[1] | 0x20) == 'x';

	for (size_t i = 0; i < length; i++)
		if (s[i] == '.' || (s[i] | 0x20) == 'p' || (!is_hex && (s[i] | 0x20) == 'e'))
			return true;
	return false;
}

static struct dc_error *float_literal(struct parser *parser, struct node *node)
{
	const struct token *token = &parser->lexer.token;
	const char *text = arena_string(parser->expression, token->start, token->length);
	bool is_imaginary = false;
	enum basic basic = BASIC_DOUBLE;
	char *end;
	struct number number = { .kind = NUMBER_REAL };

	if (!text || !locale_plain())
		return &dc_out_of_memory;
	// Read once to find the suffix, then in the suffix's own format, so that it rounds once.
	strtod_l(text, &end, locale_plain());
	for (const char *s = end; *s; s++) {
		int c = tolower((unsigned char)*s);

		if ((c == 'i' || c == 'j') && !is_imaginary)
			is_imaginary = true;
		else if (c == 'f' && basic == BASIC_DOUBLE)
			basic = BASIC_FLOAT;
		else if (c == 'l' && basic == BASIC_DOUBLE)
			basic = BASIC_LDOUBLE;
		else
			return bad_number(token);
	}
	if (end == text)
		return bad_number(token);
	__float128 value = basic == BASIC_FLOAT	   ? strtof_l(text, &end, locale_plain())
			   : basic == BASIC_DOUBLE ? strtod_l(text, &end, locale_plain())
						   : strtold_l(text, &end, locale_plain());
	if (is_imaginary) {
		number.kind = NUMBER_COMPLEX;
		number.im = value;
		basic += BASIC_CFLOAT - BASIC_FLOAT;
	} else {
		number.re = value;
	}
	node->type = parser->basics.list[basic];
	return number_write(&number, node->type, node->constant);
}

// The first type of C's list (6.4.4.1) that holds the value.
static const struct type *integer_type(struct parser *parser, uint128 value, bool is_unsigned,
				       unsigned longs, bool is_decimal)
{
	static const enum basic order[] = { BASIC_INT,	 BASIC_UINT,  BASIC_LONG,
					    BASIC_ULONG, BASIC_LLONG, BASIC_ULLONG };

	for (size_t i = longs * 2; i < 6; i++) {
		const struct type *type = parser->basics.list[order[i]];
		unsigned bits = 8 * type->size - type->is_signed;

		if (type->is_signed ? is_unsigned : is_decimal && !is_unsigned)
			continue;
		if (value >> bits == 0)
			return type;
	}
	return NULL;
}

// 64 bits at most, as in C; what is larger is an error and not silently another number.
static struct dc_error *integer_literal(struct parser *parser, struct node *node)
{
	const struct token *token = &parser->lexer.token;
	const char *s = token->start, *end = s + token->length;
	unsigned base = 10, longs = 0;
	bool is_unsigned = false, is_imaginary = false;
	uint128 value = 0;

	if (s[0] == '0' && end - s > 1) {
		int c = s[1] | 0x20;

		base = c == 'x' ? 16 : c == 'b' ? 2 : 8;
		s += base == 8 ? 1 : 2;
		if (s == end)
			return bad_number(token);
	}
	for (; s < end && isxdigit((unsigned char)*s); s++) {
		unsigned digit = isdigit((unsigned char)*s) ? *s - '0' : (*s | 0x20) - 'a' + 10;

		if (digit >= base)
			break;
		value = value * base + digit;
		if (value >> 64)
			return error_make(DC_SYNTAX,
					  "the number is too large for any integer type");
	}
	for (; s < end; s++) {
		int c = tolower((unsigned char)*s);

		if (c == 'u' && !is_unsigned) {
			is_unsigned = true;
		} else if (c == 'l' && longs == 0) {
			longs = end - s > 1 && s[1] == *s ? 2 : 1;
			s += longs - 1;
		} else if ((c == 'i' || c == 'j') && !is_imaginary) {
			is_imaginary = true;
		} else {
			return bad_number(token);
		}
	}
	node->type = integer_type(parser, value, is_unsigned, longs, base == 10);
	if (!node->type)
		return error_make(DC_SYNTAX,
				  "the number is too large for a signed type; add the suffix u");

	struct number number = { .kind = NUMBER_INT, .i = value };

	if (is_imaginary) {
		number = (struct number){ .kind = NUMBER_COMPLEX, .im = value };
		node->type = parser->basics.list[BASIC_CDOUBLE];
	}
	return number_write(&number, node->type, node->constant);
}

struct dc_error *literal_number(struct parser *parser, struct node *node)
{
	const struct token *token = &parser->lexer.token;

	return error_at(is_float_text(token->start, token->length) ? float_literal(parser, node)
								   : integer_literal(parser, node),
			lexer_column(&parser->lexer));
}

// The element type by the prefix: none or u8 char, L wchar_t, u char16_t, U char32_t.
static const struct type *element_type(struct parser *parser, const char *prefix, size_t length)
{
	if (length != 1)
		return parser->basics.list[BASIC_CHAR];

	const struct type *type = parser_named_type(parser, *prefix == 'L'   ? "wchar_t"
							    : *prefix == 'u' ? "char16_t"
									     : "char32_t");

	if (type)
		return type;
	return parser->basics.list[*prefix == 'L'   ? BASIC_INT
				   : *prefix == 'u' ? BASIC_USHORT
						    : BASIC_UINT];
}

// One character or escape; a plain one is its UTF-8 code point.
static struct dc_error *next_char(const char **s, const char *end, uint32_t *ret, bool *is_escape)
{
	static const char letters[] = "abefnrtv", codes[] = "\a\b\033\f\n\r\t\v";
	const unsigned char *p = (const unsigned char *)*s;
	uint64_t value = 0;
	const char *letter;

	*is_escape = *p == '\\';
	if (*p != '\\') {
		unsigned n = *p < 0x80 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;

		*ret = n == 1 ? *p : *p & (0x7f >> n);
		for (unsigned i = 1; i < n; i++)
			*ret = *ret << 6 | (p[i] & 0x3f);
		*s += n;
		return NULL;
	}
	p++;
	(*s) += 2;
	if (*p >= '0' && *p <= '7') {
		for (int i = 0; i < 3 && (const char *)p < end && *p >= '0' && *p <= '7'; i++, p++)
			value = value * 8 + *p - '0';
		*s = (const char *)p;
	} else if (*p == 'x' || *p == 'u' || *p == 'U') {
		int digits = *p == 'u' ? 4 : *p == 'U' ? 8 : 1 << 20, i = 0;
		int least = *p == 'x' ? 1 : digits;

		for (p++; i < digits && (const char *)p < end && isxdigit(*p); i++, p++) {
			value = value * 16 + (isdigit(*p) ? *p - '0' : (*p | 0x20) - 'a' + 10);
			if (value > UINT32_MAX)
				return error_make(DC_SYNTAX, "the escape is too large");
		}
		if (i < least)
			return error_make(DC_SYNTAX, "the escape lacks hexadecimal digits");
		*is_escape = least == 1; // \u names a character, \x an element
		if (least > 1 && (value > 0x10ffff || (value >= 0xd800 && value < 0xe000)))
			return error_make(DC_SYNTAX, "the escape names no character");
		*s = (const char *)p;
	} else if (*p && (letter = strchr(letters, *p))) {
		value = codes[letter - letters];
	} else if (strchr("\\'\"?", *p)) {
		value = *p;
	} else {
		return error_make(DC_SYNTAX, "unknown escape \\%c", *p < 0x80 ? *p : '?');
	}
	*ret = value;
	return NULL;
}

// The elements of one code point in the encoding of the width; returns how many bytes.
static size_t encode(uint32_t c, unsigned width, unsigned char *out)
{
	if (width == 4) {
		memcpy(out, &c, 4);
		return 4;
	}
	if (width == 2) {
		uint16_t units[2] = { c, 0 };

		if (c >= 0x10000) {
			units[0] = 0xd800 + ((c - 0x10000) >> 10);
			units[1] = 0xdc00 + (c & 0x3ff);
		}
		memcpy(out, units, 4);
		return units[1] ? 4 : 2;
	}
	if (c < 0x80) {
		out[0] = c;
		return 1;
	}
	unsigned n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (unsigned i = n - 1; i > 0; i--, c >>= 6)
		out[i] = 0x80 | (c & 0x3f);
	out[0] = (0xf0 << (4 - n)) | c;
	return n;
}

// Appends the text between the quotes to out, which has room for four bytes per character of it.
static struct dc_error *decode(struct parser *parser, unsigned width, unsigned char *out,
			       size_t *size)
{
	const struct token *token = &parser->lexer.token;
	const char *s = token->start, *end = s + token->length - 1;

	for (s += strcspn(s, "\"'") + 1; s < end;) {
		const char *at = s;
		bool is_escape;
		uint32_t c = 0;
		struct dc_error *err = next_char(&s, end, &c, &is_escape);

		if (!err && is_escape && width < 4 && c >> (8 * width))
			err = error_make(DC_SYNTAX,
					 "the escape is too large for its character type");
		if (err)
			return error_at(err, at - parser->lexer.text);
		if (is_escape) {
			memcpy(out + *size, &c, width);
			*size += width;
		} else {
			*size += encode(c, width, out + *size);
		}
	}
	return NULL;
}

// As gdb has it, 'a' is a char and prints as one; C's int would print 97.
struct dc_error *literal_char(struct parser *parser, struct node *node)
{
	const struct token *token = &parser->lexer.token;
	size_t prefix = strcspn(token->start, "'"), size = 0, column = lexer_column(&parser->lexer);

	node->type = element_type(parser, token->start, prefix);

	unsigned width = type_strip(node->type)->size;
	_cleanup_free_ unsigned char *out = calloc(token->length, 4);

	if (!out)
		return &dc_out_of_memory;

	struct dc_error *err = decode(parser, width, out, &size);

	if (err)
		return error_at(err, column);
	if (size > width)
		return error_note(
			error_at(error_make(DC_SYNTAX, "more than one character between quotes"),
				 column),
			"a string stands in double quotes");
	if (!size)
		return error_at(error_make(DC_SYNTAX, "no character between the quotes"), column);
	memcpy(node->constant, out, size);
	return NULL;
}

struct dc_error *literal_string(struct parser *parser, struct node *node)
{
	struct lexer ahead = parser->lexer;
	const char *prefix = NULL;
	size_t length = 0, prefix_length = 0, size = 0;
	struct dc_error *err;

	// A prefix on any of the joined parts holds for all.
	while (ahead.token.kind == TOKEN_STRING) {
		size_t n = strcspn(ahead.token.start, "\"");

		if (n > 0 && prefix_length > 0 &&
		    (n != prefix_length || memcmp(prefix, ahead.token.start, n) != 0))
			return error_at(error_make(DC_SYNTAX,
						   "strings of different kinds cannot be joined"),
					ahead.token.start - ahead.text);
		if (n > 0) {
			prefix = ahead.token.start;
			prefix_length = n;
		}
		length += ahead.token.length;
		err = lexer_advance(&ahead);
		if (err)
			return err;
	}
	node->type = element_type(parser, prefix, prefix_length);

	unsigned width = type_strip(node->type)->size;
	unsigned char *out = arena_alloc(&parser->expression->arena, length * width + 4);

	if (!out)
		return &dc_out_of_memory;
	while (parser_at(parser, TOKEN_STRING)) {
		err = decode(parser, width, out, &size);
		if (!err)
			err = lexer_advance(&parser->lexer);
		if (err)
			return err;
	}
	node->string.bytes = (const char *)out;
	node->string.size = size;
	return NULL;
}
