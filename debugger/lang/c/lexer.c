// SPDX-License-Identifier: MIT
// Cuts an expression into tokens. Numbers and quoted text keep their spelling;
// literal.c gives them a value.
#include "debugger/lang/c/lexer.h"

#include <ctype.h>
#include <string.h>

// Far more than anyone types, little enough that the syntax tree fits in memory.
static const size_t SIZE_MAX_TEXT = 4 << 20;

// Length of the UTF-8 sequence at s, 0 when it is none (overlong forms and surrogates included).
static size_t utf8_length(const unsigned char *s, size_t left)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	if (n == 0 || n > left || s[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

struct dc_error *lexer_init(struct lexer *lexer, const char *text, size_t size)
{
	if (size > SIZE_MAX_TEXT)
		return error_make(DC_SYNTAX, "the expression is too long: %zu bytes, at most %zu",
				  size, SIZE_MAX_TEXT);
	for (size_t i = 0; i < size;) {
		size_t n = utf8_length((const unsigned char *)text + i, size - i);

		if (n == 0)
			return error_at(error_make(DC_SYNTAX, "byte 0x%02x is not valid UTF-8",
						   (unsigned char)text[i]),
					i);
		if (text[i] == '\0')
			return error_at(error_make(DC_SYNTAX, "a NUL byte in the expression"), i);
		i += n;
	}
	*lexer = (struct lexer){ .text = text, .size = size };
	return lexer_advance(lexer);
}

// In the text that the user wrote.
static size_t column_at(const struct lexer *lexer, size_t offset)
{
	if (!lexer->spliced)
		return offset;
	return offset < lexer->spliced ? lexer->spliced_column
				       : lexer->rest_column + (offset - lexer->spliced);
}

size_t lexer_column(const struct lexer *lexer)
{
	return column_at(lexer, (size_t)(lexer->token.start - lexer->text));
}

bool token_is(const struct token *token, const char *word)
{
	return token->kind == TOKEN_NAME && token->length == strlen(word) &&
	       memcmp(token->start, word, token->length) == 0;
}

// Bytes above 127 are letters: the text is UTF-8, and C compilers take such names.
static bool begins_name(unsigned char c)
{
	return isalpha(c) || c == '_' || c >= 0x80;
}

static bool continues_name(unsigned char c)
{
	return begins_name(c) || isdigit(c) || c == '$';
}

// The C standard's pp-number: takes what a number could be, so that `1x` is one wrong token.
static size_t number_end(const struct lexer *lexer, size_t i)
{
	while (i < lexer->size) {
		unsigned char c = lexer->text[i];
		bool has_sign = i + 1 < lexer->size &&
				(lexer->text[i + 1] == '+' || lexer->text[i + 1] == '-');
		bool is_hex = lexer->text[lexer->next] == '0' && lexer->next + 1 < lexer->size &&
			      (lexer->text[lexer->next + 1] | 0x20) == 'x';

		if (has_sign && ((c | 0x20) == 'p' || ((c | 0x20) == 'e' && !is_hex)))
			i += 2;
		else if (continues_name(c) || c == '.')
			i++;
		else
			break;
	}
	return i;
}

// Escapes are only stepped over here, so that \" does not end a string.
static struct dc_error *quoted(struct lexer *lexer, size_t i, char quote)
{
	size_t start = i - 1;

	for (; i < lexer->size; i++) {
		if (lexer->text[i] == quote) {
			lexer->next = i + 1;
			return NULL;
		}
		if (lexer->text[i] == '\\')
			i++;
	}
	return error_at(error_make(DC_SYNTAX, "the closing %c is missing", quote), start);
}

// L"…", u8"…": a prefix only when a quote follows; else it is a name.
static size_t prefix_length(const char *s, size_t left)
{
	size_t n = left > 1 && s[0] == 'u' && s[1] == '8'	       ? 2
		   : left > 0 && (*s == 'L' || *s == 'u' || *s == 'U') ? 1
								       : 0;

	return left > n && (s[n] == '"' || s[n] == '\'') ? n : 0;
}

static bool punctuator(struct lexer *lexer)
{
	static const struct {
		const char *text;
		enum token_kind kind;
	} table[] = {
#define X(name, text) { text, TOKEN_##name },
		PUNCTUATORS(X)
#undef X
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		size_t n = strlen(table[i].text);

		if (n <= lexer->size - lexer->next &&
		    memcmp(lexer->text + lexer->next, table[i].text, n) == 0) {
			lexer->token.kind = table[i].kind;
			lexer->next += n;
			return true;
		}
	}
	return false;
}

struct dc_error *lexer_advance(struct lexer *lexer)
{
	const char *s = lexer->text;
	struct dc_error *err = NULL;
	size_t i = lexer->next;

	while (i < lexer->size && isspace((unsigned char)s[i]))
		i++;
	lexer->next = i;
	lexer->token = (struct token){ .kind = TOKEN_END, .start = s + i };
	if (i == lexer->size)
		return NULL;

	unsigned char c = s[i];
	size_t prefix = prefix_length(s + i, lexer->size - i);

	if (isdigit(c) || (c == '.' && i + 1 < lexer->size && isdigit((unsigned char)s[i + 1]))) {
		lexer->token.kind = TOKEN_NUMBER;
		lexer->next = number_end(lexer, i);
	} else if (c == '"' || c == '\'' || prefix > 0) {
		char quote = s[i + prefix];

		lexer->token.kind = quote == '"' ? TOKEN_STRING : TOKEN_CHAR;
		err = quoted(lexer, i + prefix + 1, quote);
	} else if (begins_name(c) || c == '$') {
		lexer->token.kind = c == '$' ? TOKEN_DOLLAR : TOKEN_NAME;
		for (i++; i < lexer->size && continues_name(s[i]); i++)
			;
		lexer->next = i;
	} else if (c == ';') {
		err = error_note(error_at(error_make(DC_SYNTAX, "';' has no meaning here"),
					  column_at(lexer, i)),
				 "only expressions can be evaluated, no statements");
	} else if (!punctuator(lexer)) {
		err = error_at(error_make(DC_SYNTAX, "'%c' has no meaning here", c),
			       column_at(lexer, i));
	}
	lexer->token.length = s + lexer->next - lexer->token.start;
	return err;
}
