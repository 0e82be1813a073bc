// SPDX-License-Identifier: MIT
// _Generic is settled while it is parsed: the node of the choice takes its place.
#include "debugger/lang/c/generic.h"

#include "debugger/base/cleanup.h"

struct dc_error *generic_parse(struct parser *parser, struct node **ret)
{
	size_t column = lexer_column(&parser->lexer);
	struct node *control, *value, *chosen = NULL, *otherwise = NULL;
	const struct type *wanted = NULL, *type;
	bool more = true, is_default;
	struct dc_error *err = lexer_advance(&parser->lexer);

	if (!err)
		err = parser_expect(parser, TOKEN_LPAREN, "( after _Generic");
	if (!err)
		err = parser_assignment(parser, &control);
	if (!err)
		err = eval_type_of(parser, control, true, &wanted);
	if (!err)
		err = parser_expect(parser, TOKEN_COMMA, ",");
	while (!err && more) {
		is_default = token_is(&parser->lexer.token, "default");
		err = is_default ? lexer_advance(&parser->lexer)
				 : declarator_type_name(parser, &type);
		if (!err)
			err = parser_expect(parser, TOKEN_COLON, ":");
		if (!err)
			err = parser_assignment(parser, &value);
		if (!err && is_default)
			otherwise = value;
		else if (!err && !chosen && type_equal(type, wanted))
			chosen = value;
		if (!err)
			err = parser_accept(parser, TOKEN_COMMA, &more);
	}
	if (!err)
		err = parser_expect(parser, TOKEN_RPAREN, ")");
	if (err)
		return err;
	*ret = chosen ? chosen : otherwise;
	if (*ret)
		return NULL;

	_cleanup_free_ char *spelled = type_spell(wanted, NULL);

	return error_at(
		error_make(DC_TYPE, "_Generic has nothing for '%s'", spelled ? spelled : "?"),
		column);
}
