// SPDX-License-Identifier: MIT
// A parsed expression: its text, its tree, and the arena that holds the tree.
#include "debugger/base/cleanup.h"
#include "debugger/values/name.h"
#include "debugger/values/parser.h"
#include "debugger/values/print.h"

#include <stdlib.h>
#include <string.h>

const char *arena_string(struct expression *expression, const char *s, size_t length)
{
	char *copy = arena_alloc(&expression->arena, length + 1);

	if (copy)
		memcpy(copy, s, length);
	return copy;
}

static void cleanup_expression(struct expression **expression)
{
	expression_destroy(*expression);
}

// "/x" before the expression, as behind gdb's print.
static struct dc_error *read_format(struct parser *parser)
{
	struct lexer *lexer = &parser->lexer;
	struct dc_error *err;

	if (!parser_at(parser, TOKEN_SLASH))
		return NULL;
	err = lexer_advance(lexer);
	if (err)
		return err;
	if (!parser_at(parser, TOKEN_NAME) || lexer->token.length != 1 ||
	    !print_format_known(*lexer->token.start))
		return parser_error(parser, "expected one of the formats x d u o t z a c f s");
	parser->expression->format = *lexer->token.start;
	return lexer_advance(lexer);
}

// What stands before the unexpected: a gdb command, a statement, a misspelt name.
static struct dc_error *explain(struct parser *parser, struct dc_error *err)
{
	static const char *const commands[] = { "p",   "print", "call",	  "output",
						"set", "x",	"inspect" };
	static const char *const words[] = { "return", "if",	 "for",	  "while",
					     "do",     "switch", "goto",  "static",
					     "extern", "new",	 "delete" };
	const struct node *root = parser->expression->root;

	if (root->kind == NODE_CALL)
		root = root->call.callee;
	if (root->kind != NODE_NAME)
		return err;
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(root->name, commands[i]))
			return error_note(err, "the expression is given alone, without gdb's '%s'",
					  root->name);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcmp(root->name, words[i]))
			return error_note(err, "only expressions can be evaluated, no statements");
	return root->what->kind == NAME_UNKNOWN ? name_suggest(parser->symbols, root->name, err)
						: err;
}

struct dc_error *expression_parse(const char *text, size_t length, struct symbols *symbols,
				  const struct symbols_frame *frame, struct expression **ret)
{
	static const struct symbols_frame nowhere;
	_cleanup_(cleanup_expression) struct expression *expression = calloc(1,
									     sizeof(*expression));
	struct parser parser = { .expression = expression,
				 .symbols = symbols,
				 .frame = frame ? frame : &nowhere };
	struct dc_error *err;

	if (!expression)
		return &dc_out_of_memory;
	expression->symbols = symbols;
	// One byte more than empty, and a NUL that ends a number at the end.
	expression->text = calloc(1, length + 1);
	if (!expression->text)
		return &dc_out_of_memory;
	memcpy(expression->text, text, length);
	expression->size = length;
	err = basics_init(&parser.basics, symbols_types(symbols));
	if (!err)
		err = lexer_init(&parser.lexer, expression->text, length);
	if (!err)
		err = read_format(&parser);
	if (!err)
		err = parser_comma(&parser, &expression->root);
	if (!err && !parser_at(&parser, TOKEN_END))
		err = explain(&parser, parser_error(&parser, "expected an operator or the end"));
	if (err)
		return err;
	*ret = take_ptr(expression);
	return NULL;
}

void expression_destroy(struct expression *expression)
{
	if (!expression)
		return;
	arena_deinit(&expression->arena);
	free(expression->text);
	free(expression);
}

char expression_format(const struct expression *expression)
{
	return expression->format;
}

bool expression_calls(const struct expression *expression)
{
	return expression->calls;
}

bool expression_is_call(const struct expression *expression)
{
	const struct node *node = expression->root;

	while (node->kind == NODE_CAST)
		node = node->left;
	return node->kind == NODE_CALL;
}

bool expression_needs_frame(const struct expression *expression)
{
	return expression->needs_frame;
}
