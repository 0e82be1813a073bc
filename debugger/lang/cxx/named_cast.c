// SPDX-License-Identifier: MIT
// C++'s casts with names: static_cast<type>(expression) and the like.
#include "debugger/lang/cxx/rules.h"

#include <string.h>

struct dc_error *named_cast(struct parser *parser, struct node **ret, bool *done)
{
	static const char *const names[] = { "static_cast", "const_cast", "reinterpret_cast",
					     "dynamic_cast" };
	enum { REINTERPRET = 2, DYNAMIC, N };
	const struct token *token = &parser->lexer.token;
	size_t column = lexer_column(&parser->lexer), which = 0;
	const struct type *type;
	struct node *operand;
	struct dc_error *err;

	while (which < N && (strlen(names[which]) != token->length ||
			     memcmp(names[which], token->start, token->length) != 0))
		which++;
	*done = which < N;
	if (!*done)
		return NULL;
	if (which == DYNAMIC)
		return error_at(error_make(DC_REFUSED, "dynamic_cast is not known here: what the "
						       "object is says its virtual table, and "
						       "static_cast goes there"),
				column);
	err = lexer_advance(&parser->lexer);
	if (!err)
		err = parser_expect(parser, TOKEN_LT, "<");
	if (!err)
		err = declarator_type_name(parser, &type);
	if (!err)
		err = parser_expect(parser, TOKEN_GT, ">");
	if (!err)
		err = parser_expect(parser, TOKEN_LPAREN, "(");
	if (!err)
		err = parser_comma(parser, &operand);
	if (!err)
		err = parser_expect(parser, TOKEN_RPAREN, ")");
	// By way of a number no pointer is moved to a base.
	if (!err && which == REINTERPRET && type_strip(type)->kind == TYPE_POINTER)
		err = parser_cast(parser, parser->basics.list[BASIC_ULONG], operand, column,
				  &operand);
	return err ? err : parser_cast(parser, type, operand, column, ret);
}
