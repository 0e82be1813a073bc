// SPDX-License-Identifier: MIT
// Go's tokens.
#include "debugger/lang/go/ast.h"

#include "debugger/values/locales.h"

#include <ctype.h>
#include <string.h>

const char *go_text(struct expression *expression, const char *text, size_t n)
{
	char *copy = arena_alloc(&expression->arena, n + 1);

	if (copy)
		memcpy(copy, text, n);
	return copy;
}

static char at(const struct lexer *lexer, size_t ahead)
{
	size_t i = lexer->at + ahead;

	return i < lexer->expression->size ? lexer->expression->text[i] : '\0';
}

static struct dc_error *bad(const struct lexer *lexer, const char *what)
{
	return error_at(error_make(DC_SYNTAX, "%s", what), lexer->start);
}

static bool begins_name(char c)
{
	return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_in_name(char c)
{
	return begins_name(c) || isdigit((unsigned char)c);
}

static struct dc_error *read_name(struct lexer *lexer, enum token token)
{
	while (is_in_name(at(lexer, 0)))
		lexer->at++;
	lexer->token = token;
	lexer->length = lexer->at - lexer->start;
	lexer->text = go_text(lexer->expression, lexer->expression->text + lexer->start,
			      lexer->length);
	return lexer->text ? NULL : &dc_out_of_memory;
}

// ---- numbers --------------------------------------------------------------------------------------

static int digit_of(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

static struct dc_error *read_integer(struct lexer *lexer, int base)
{
	uint128 value = 0;
	bool any = base == 10 || base == 8;

	for (; at(lexer, 0) == '_' || digit_of(at(lexer, 0)) < base; lexer->at++) {
		if (at(lexer, 0) == '_')
			continue;
		if (value >> 123)
			return bad(lexer, "the number is too large");
		value = value * (unsigned)base + (unsigned)digit_of(at(lexer, 0));
		any = true;
	}
	if (!any)
		return bad(lexer, "a number has no digits");
	if (isdigit((unsigned char)at(lexer, 0)))
		return bad(lexer, "a digit is too large for its number");
	lexer->untyped = UNTYPED_INT;
	lexer->number = (struct number){ .kind = NUMBER_INT, .is_signed = true, .i = value };
	return NULL;
}

// As far as a float goes: digits, a point, an exponent.
static size_t float_length(const struct lexer *lexer, bool is_hex)
{
	size_t n = is_hex ? 2 : 0;
	bool is_float = false;

	for (;; n++) {
		char c = (char)tolower((unsigned char)at(lexer, n));

		if (c == '.') {
			is_float = true;
		} else if (c == (is_hex ? 'p' : 'e')) {
			is_float = true;
			if (at(lexer, n + 1) == '+' || at(lexer, n + 1) == '-')
				n++;
		} else if (c != '_' &&
			   !(is_hex ? isxdigit((unsigned char)c) : isdigit((unsigned char)c))) {
			break;
		}
	}
	return is_float ? n : 0;
}

static struct dc_error *read_float(struct lexer *lexer, size_t n)
{
	char digits[512], *end;
	size_t used = 0;

	if (n >= sizeof(digits))
		return bad(lexer, "the number is too long");
	for (size_t i = 0; i < n; i++)
		if (at(lexer, i) != '_')
			digits[used++] = at(lexer, i);
	digits[used] = '\0';
	lexer->at += n;
	lexer->untyped = UNTYPED_FLOAT;
	lexer->number = (struct number){ .kind = NUMBER_REAL,
					 .re = strtold_l(digits, &end, locale_plain()) };
	return *end ? bad(lexer, "a number is malformed") : NULL;
}

static struct dc_error *read_number(struct lexer *lexer)
{
	char second = (char)tolower((unsigned char)at(lexer, 1));
	bool is_hex = at(lexer, 0) == '0' && second == 'x';
	size_t n = float_length(lexer, is_hex);
	int base = 10;
	struct dc_error *err;

	if (n) {
		err = read_float(lexer, n);
	} else {
		if (at(lexer, 0) == '0' && second)
			base = is_hex		 ? 16
			       : second == 'b'	 ? 2
			       : second == 'o'	 ? 8
			       : second == '_'	 ? 8
			       : isdigit(second) ? 8
						 : 10;
		if (base != 10)
			lexer->at += isalpha(second) ? 2 : 1;
		err = read_integer(lexer, base);
	}
	if (err)
		return err;
	if (at(lexer, 0) == 'i') {
		lexer->at++;
		lexer->number.im = lexer->number.kind == NUMBER_INT ? (__float128)lexer->number.i
								    : lexer->number.re;
		lexer->number.re = 0;
		lexer->number.kind = NUMBER_COMPLEX;
		lexer->untyped = UNTYPED_COMPLEX;
	}
	if (is_in_name(at(lexer, 0)))
		return bad(lexer, "a number is malformed");
	lexer->token = TOKEN_NUMBER;
	return NULL;
}

// ---- text -----------------------------------------------------------------------------------------

static size_t put_rune(uint32_t rune, char out[4])
{
	if (rune < 0x80) {
		out[0] = (char)rune;
		return 1;
	}
	if (rune < 0x800) {
		out[0] = (char)(0xc0 | rune >> 6);
		out[1] = (char)(0x80 | (rune & 63));
		return 2;
	}
	if (rune < 0x10000) {
		out[0] = (char)(0xe0 | rune >> 12);
		out[1] = (char)(0x80 | (rune >> 6 & 63));
		out[2] = (char)(0x80 | (rune & 63));
		return 3;
	}
	out[0] = (char)(0xf0 | rune >> 18);
	out[1] = (char)(0x80 | (rune >> 12 & 63));
	out[2] = (char)(0x80 | (rune >> 6 & 63));
	out[3] = (char)(0x80 | (rune & 63));
	return 4;
}

static struct dc_error *read_digits(struct lexer *lexer, int n, int base, uint32_t *ret)
{
	for (*ret = 0; n--; lexer->at++) {
		int digit = digit_of(at(lexer, 0));

		if (digit >= base)
			return bad(lexer, "an escape has too few digits");
		*ret = *ret * (uint32_t)base + (uint32_t)digit;
	}
	return NULL;
}

// Behind the backslash. is_byte: the value is one byte, not a character.
static struct dc_error *read_escape(struct lexer *lexer, char quote, uint32_t *ret, bool *is_byte)
{
	static const char from[] = "abfnrtv\\", to[] = "\a\b\f\n\r\t\v\\";
	char c = at(lexer, 0);
	const char *simple = c ? strchr(from, c) : NULL;
	struct dc_error *err;

	*is_byte = false;
	if (simple || (c && c == quote)) {
		*ret = simple ? (unsigned char)to[simple - from] : (unsigned char)quote;
		lexer->at++;
		return NULL;
	}
	*is_byte = c == 'x' || (c >= '0' && c <= '7');
	if (c >= '0' && c <= '7') {
		err = read_digits(lexer, 3, 8, ret);
		return err || *ret < 256 ? err : bad(lexer, "an octal escape is above 255");
	}
	if (c != 'x' && c != 'u' && c != 'U')
		return bad(lexer, "unknown escape sequence");
	lexer->at++;
	err = read_digits(lexer, c == 'x' ? 2 : c == 'u' ? 4 : 8, 16, ret);
	if (!err && c != 'x' && (*ret > 0x10ffff || (*ret >= 0xd800 && *ret < 0xe000)))
		return bad(lexer, "an escape is no Unicode character");
	return err;
}

static struct dc_error *read_string(struct lexer *lexer, char quote)
{
	char *out = arena_alloc(&lexer->expression->arena, lexer->expression->size + 1);
	size_t n = 0;

	if (!out)
		return &dc_out_of_memory;
	lexer->at++;
	while (at(lexer, 0) != quote) {
		char c = at(lexer, 0);
		uint32_t rune;
		bool is_byte;

		if (lexer->at >= lexer->expression->size || (c == '\n' && quote != '`'))
			return bad(lexer, "a string is not ended");
		lexer->at++;
		if (c != '\\' || quote == '`') {
			out[n++] = c;
			continue;
		}

		struct dc_error *err = read_escape(lexer, quote, &rune, &is_byte);

		if (err)
			return err;
		if (is_byte)
			out[n++] = (char)rune;
		else
			n += put_rune(rune, out + n);
	}
	lexer->at++;
	lexer->token = TOKEN_STRING;
	lexer->text = out;
	lexer->length = n;
	return NULL;
}

static struct dc_error *read_rune(struct lexer *lexer)
{
	uint32_t rune = 0;
	bool is_byte;
	struct dc_error *err = NULL;

	lexer->at++;
	if (at(lexer, 0) == '\\') {
		lexer->at++;
		err = read_escape(lexer, '\'', &rune, &is_byte);
	} else {
		unsigned char c = (unsigned char)at(lexer, 0);
		int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;

		rune = more ? c & (0x3f >> more) : c;
		lexer->at++;
		for (; more && ((unsigned char)at(lexer, 0) & 0xc0) == 0x80; more--, lexer->at++)
			rune = rune << 6 | ((unsigned char)at(lexer, 0) & 0x3f);
		if (more || c == '\'' || c == '\n' || !c)
			return bad(lexer, "a character is malformed");
	}
	if (err)
		return err;
	if (at(lexer, 0) != '\'')
		return bad(lexer, "a character is not ended");
	lexer->at++;
	lexer->token = TOKEN_NUMBER;
	lexer->untyped = UNTYPED_RUNE;
	lexer->number = (struct number){ .kind = NUMBER_INT, .is_signed = true, .i = rune };
	return NULL;
}

// ---- operators ------------------------------------------------------------------------------------

static struct dc_error *read_operator(struct lexer *lexer)
{
	// The longer ones first.
	static const struct {
		const char *text;
		enum token token;
		int op;
		bool is_assigning;
	} list[] = {
		{ "<<=", TOKEN_OPERATOR, OP_SHL, true },
		{ ">>=", TOKEN_OPERATOR, OP_SHR, true },
		{ "&^=", TOKEN_OPERATOR, OP_AND_NOT, true },
		{ "...", TOKEN_DOTS, 0, false },
		{ "<<", TOKEN_OPERATOR, OP_SHL, false },
		{ ">>", TOKEN_OPERATOR, OP_SHR, false },
		{ "&^", TOKEN_OPERATOR, OP_AND_NOT, false },
		{ "&&", TOKEN_OPERATOR, OP_LOGICAL_AND, false },
		{ "||", TOKEN_OPERATOR, OP_LOGICAL_OR, false },
		{ "==", TOKEN_OPERATOR, OP_EQ, false },
		{ "!=", TOKEN_OPERATOR, OP_NE, false },
		{ "<=", TOKEN_OPERATOR, OP_LE, false },
		{ ">=", TOKEN_OPERATOR, OP_GE, false },
		{ "+=", TOKEN_OPERATOR, OP_ADD, true },
		{ "-=", TOKEN_OPERATOR, OP_SUB, true },
		{ "*=", TOKEN_OPERATOR, OP_MUL, true },
		{ "/=", TOKEN_OPERATOR, OP_DIV, true },
		{ "%=", TOKEN_OPERATOR, OP_MOD, true },
		{ "&=", TOKEN_OPERATOR, OP_AND, true },
		{ "|=", TOKEN_OPERATOR, OP_OR, true },
		{ "^=", TOKEN_OPERATOR, OP_XOR, true },
		{ "++", TOKEN_INCREMENT, OP_ADD, false },
		{ "--", TOKEN_DECREMENT, OP_SUB, false },
		{ "<-", TOKEN_ARROW, OP_RECEIVE, false },
		{ "+", TOKEN_OPERATOR, OP_ADD, false },
		{ "-", TOKEN_OPERATOR, OP_SUB, false },
		{ "*", TOKEN_OPERATOR, OP_MUL, false },
		{ "/", TOKEN_OPERATOR, OP_DIV, false },
		{ "%", TOKEN_OPERATOR, OP_MOD, false },
		{ "&", TOKEN_OPERATOR, OP_AND, false },
		{ "|", TOKEN_OPERATOR, OP_OR, false },
		{ "^", TOKEN_OPERATOR, OP_XOR, false },
		{ "<", TOKEN_OPERATOR, OP_LT, false },
		{ ">", TOKEN_OPERATOR, OP_GT, false },
		{ "!", TOKEN_OPERATOR, OP_NOT, false },
		{ "=", TOKEN_ASSIGN, 0, false },
		{ ".", TOKEN_DOT, 0, false },
		{ ",", TOKEN_COMMA, 0, false },
		{ ":", TOKEN_COLON, 0, false },
		{ ";", TOKEN_SEMICOLON, 0, false },
		{ "(", TOKEN_OPEN, 0, false },
		{ ")", TOKEN_CLOSE, 0, false },
		{ "[", TOKEN_OPEN_BRACKET, 0, false },
		{ "]", TOKEN_CLOSE_BRACKET, 0, false },
		{ "{", TOKEN_OPEN_BRACE, 0, false },
		{ "}", TOKEN_CLOSE_BRACE, 0, false },
	};
	const char *text = lexer->expression->text + lexer->at;

	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++) {
		if (strncmp(text, list[i].text, strlen(list[i].text)))
			continue;
		lexer->at += strlen(list[i].text);
		lexer->token = list[i].token;
		lexer->op = list[i].op;
		lexer->is_assigning = list[i].is_assigning;
		return NULL;
	}
	return bad(lexer, "a character that Go has no use for");
}

struct dc_error *go_advance(struct lexer *lexer)
{
	struct dc_error *err;
	char c;

	lexer->last_end = lexer->at;
	while (isspace((unsigned char)at(lexer, 0)))
		lexer->at++;
	lexer->start = lexer->at;
	c = at(lexer, 0);
	if (lexer->at >= lexer->expression->size) {
		lexer->token = TOKEN_END;
		return NULL;
	}
	if (begins_name(c))
		return read_name(lexer, TOKEN_NAME);
	if (isdigit((unsigned char)c) || (c == '.' && isdigit((unsigned char)at(lexer, 1))))
		return read_number(lexer);
	switch (c) {
	case '"':
	case '`': return read_string(lexer, c);
	case '\'': return read_rune(lexer);
	case '$':
		lexer->start = ++lexer->at;
		err = read_name(lexer, TOKEN_DOLLAR);
		lexer->start--;
		return err;
	default: return read_operator(lexer);
	}
}
