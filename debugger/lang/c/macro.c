// SPDX-License-Identifier: MIT
// Macros of the program in an expression: what one stands for is read in its place, as C's preprocessor
// would put it there, and what it is made of in turn when that is read.
#include "debugger/lang/c/macro.h"

#include "debugger/base/cleanup.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARAMS_MAX = 64, EXPANSIONS_MAX = 1000, TEXT_MAX = 1 << 16 };

struct piece {
	const char *start;
	size_t length;
};

struct macro {
	struct piece params[PARAMS_MAX];
	size_t nr_params;
	bool takes_arguments, is_variadic; // the last parameter takes all that is left
	const char *body;
	struct piece args[PARAMS_MAX];
	size_t nr_args;
};

static bool continues_word(char c)
{
	return c == '_' || isalnum((unsigned char)c);
}

static struct piece trimmed(const char *start, const char *end)
{
	while (start < end && isspace((unsigned char)*start))
		start++;
	while (end > start && isspace((unsigned char)end[-1]))
		end--;
	return (struct piece){ start, (size_t)(end - start) };
}

static bool is_piece(struct piece piece, const char *start, size_t length)
{
	return piece.length == length && !memcmp(piece.start, start, length);
}

// "(a, b) ((a) + (b))" or " 5": as the debug information has it behind the name.
static bool read_definition(const char *text, struct macro *ret)
{
	static const char dots[] = "...", all[] = "__VA_ARGS__";
	const char *end;

	*ret = (struct macro){ .takes_arguments = *text == '(', .body = text };
	if (!ret->takes_arguments)
		return true;
	end = strchr(text, ')');
	ret->body = end ? end + 1 : text;
	for (const char *at = text + 1; end && at <= end;) {
		size_t n = strcspn(at, ",)");
		struct piece param = trimmed(at, at + n);

		at += n + 1;
		if (!param.length)
			continue;
		if (ret->nr_params == PARAMS_MAX)
			return false;
		if (param.length >= 3 && !memcmp(param.start + param.length - 3, dots, 3)) {
			ret->is_variadic = true;
			param.length -= 3;
			if (!param.length)
				param = (struct piece){ all, sizeof(all) - 1 };
		}
		ret->params[ret->nr_params++] = param;
	}
	return end != NULL;
}

// Behind the opening parenthesis; the lexer goes behind the closing one.
static struct dc_error *read_arguments(struct parser *parser, struct macro *macro)
{
	struct lexer *lexer = &parser->lexer;
	const char *start = lexer->token.start;
	int depth = 0;
	struct dc_error *err = NULL;

	for (;;) {
		enum token_kind kind = lexer->token.kind;
		bool is_end = !depth && kind == TOKEN_RPAREN;
		bool is_last = macro->is_variadic && macro->nr_args + 1 == macro->nr_params;

		if (kind == TOKEN_END)
			return parser_error(parser, "expected ) behind a macro's arguments");
		if (is_end || (!depth && kind == TOKEN_COMMA && !is_last)) {
			struct piece arg = trimmed(start, lexer->token.start);

			if (macro->nr_args == PARAMS_MAX)
				return parser_error(parser, "too many arguments of a macro");
			if (arg.length || !is_end || macro->nr_args || macro->nr_params)
				macro->args[macro->nr_args++] = arg;
			start = lexer->token.start + lexer->token.length;
		}
		depth += kind == TOKEN_LPAREN;
		depth -= kind == TOKEN_RPAREN;
		err = lexer_advance(lexer);
		if (err || is_end)
			return err;
	}
}

// Up to the end of a string or character that begins there.
static const char *behind_quoted(const char *at)
{
	char quote = *at++;

	while (*at && *at != quote)
		at += at[0] == '\\' && at[1] ? 2 : 1;
	return *at ? at + 1 : at;
}

static void put_string(FILE *out, struct piece piece)
{
	fputc('"', out);
	for (size_t i = 0; i < piece.length; i++)
		fprintf(out, "%s%c", strchr("\"\\", piece.start[i]) ? "\\" : "", piece.start[i]);
	fputc('"', out);
}

static const struct piece *argument(const struct macro *macro, const char *word, size_t length)
{
	static const struct piece nothing;

	for (size_t i = 0; i < macro->nr_params; i++) {
		if (is_piece(macro->params[i], word, length))
			return i < macro->nr_args ? &macro->args[i] : &nothing;
	}
	return NULL;
}

// The body with its arguments; "#a" is a's text, "a##b" are written together.
static void put_body(FILE *out, const struct macro *macro)
{
	for (const char *at = macro->body; *at;) {
		const struct piece *arg = NULL;
		const char *word = at;

		if (*at == '"' || *at == '\'') {
			at = behind_quoted(at);
			fwrite(word, 1, (size_t)(at - word), out);
			continue;
		}
		if (isspace((unsigned char)*at) || (at[0] == '#' && at[1] == '#')) {
			const char *next = at;

			while (isspace((unsigned char)*next) || (next[0] == '#' && next[1] == '#'))
				next += *next == '#' ? 2 : 1;
			if (!memchr(at, '#', (size_t)(next - at)))
				fputc(' ', out);
			at = next;
			continue;
		}
		if (*at == '#') {
			word = ++at;
			while (continues_word(*at))
				at++;
			arg = argument(macro, word, (size_t)(at - word));
			if (arg)
				put_string(out, *arg);
			continue;
		}
		if (!continues_word(*at)) {
			fputc(*at++, out);
			continue;
		}
		while (continues_word(*at))
			at++;
		arg = argument(macro, word, (size_t)(at - word));
		fwrite(arg ? arg->start : word, 1, arg ? arg->length : (size_t)(at - word), out);
	}
}

// The text, and what stands behind the lexer, are read from now on.
static struct dc_error *splice(struct parser *parser, const struct macro *macro, size_t column)
{
	struct lexer *lexer = &parser->lexer;
	const char *rest = lexer->token.start;
	size_t nr_rest = (size_t)(lexer->text + lexer->size - rest), size = 0, length;
	size_t rest_column = lexer_column(lexer);
	_cleanup_free_ char *whole = NULL;
	FILE *out = open_memstream(&whole, &size);
	const char *kept;

	if (!out)
		return &dc_out_of_memory;
	put_body(out, macro);
	fputc(' ', out);
	fflush(out);
	length = size;
	fwrite(rest, 1, nr_rest, out);
	if (fclose(out))
		return &dc_out_of_memory;
	if (size > TEXT_MAX || ++parser->nr_expansions > EXPANSIONS_MAX)
		return error_at(
			error_make(DC_SYNTAX, "the macro stands for too much, or for itself"),
			column);
	kept = arena_string(parser->expression, whole, size);
	if (!kept)
		return &dc_out_of_memory;
	*lexer = (struct lexer){ .text = kept,
				 .size = size,
				 .spliced = length,
				 .spliced_column = column,
				 .rest_column = rest_column };
	return error_at(lexer_advance(lexer), column);
}

struct dc_error *macro_expand(struct parser *parser, const char *name, size_t column, bool *done)
{
	const char *text;
	struct macro macro;
	struct dc_error *err = symbols_macro(parser->symbols, parser->frame, name, &text);

	*done = false;
	if (err || !text || !read_definition(text, &macro) ||
	    (macro.takes_arguments && !parser_at(parser, TOKEN_LPAREN)))
		return error_at(err, column);
	*done = true;
	if (macro.takes_arguments) {
		err = lexer_advance(&parser->lexer);
		if (!err)
			err = read_arguments(parser, &macro);
		if (!err && (macro.nr_args < macro.nr_params - macro.is_variadic ||
			     macro.nr_args > macro.nr_params))
			err = error_at(error_make(DC_TYPE,
						  "the macro '%s' takes %zu arguments, %zu given",
						  name, macro.nr_params, macro.nr_args),
				       column);
		if (err)
			return err;
	}
	return splice(parser, &macro, column);
}
