// SPDX-License-Identifier: MIT
// What stands in braces: initializer lists with their designators, compound literals, gdb's
// {T} address.
#include "debugger/lang/c/parser.h"

// ".a[1].b =" before an initializer; none is fine.
static struct dc_error *designators(struct parser *parser, struct item *item)
{
	struct designator **link = &item->designators;
	struct dc_error *err = NULL;

	while (!err && (parser_at(parser, TOKEN_DOT) || parser_at(parser, TOKEN_LBRACKET))) {
		bool is_member = parser_at(parser, TOKEN_DOT);

		*link = arena_alloc(&parser->expression->arena, sizeof(**link));
		err = *link ? lexer_advance(&parser->lexer) : &dc_out_of_memory;
		if (!err && is_member) {
			if (!parser_at(parser, TOKEN_NAME))
				return parser_error(parser, "expected a member's name");
			(*link)->member = arena_string(parser->expression,
						       parser->lexer.token.start,
						       parser->lexer.token.length);
			err = (*link)->member ? lexer_advance(&parser->lexer) : &dc_out_of_memory;
		} else if (!err) {
			size_t column = lexer_column(&parser->lexer);
			struct node *node;
			int64_t index;

			err = parser_conditional(parser, &node);
			if (!err)
				err = error_at(eval_constant(parser, node, &index), column);
			if (!err && index < 0)
				err = error_at(error_make(DC_VALUE, "a negative index"), column);
			if (!err)
				(*link)->index = index;
			if (!err)
				err = parser_expect(parser, TOKEN_RBRACKET, "]");
		}
		link = *link ? &(*link)->next : link;
	}
	if (!err && item->designators)
		err = parser_expect(parser, TOKEN_ASSIGN, "=");
	return err;
}

// "{1, .x = 2, [3] = {4}}" with the lexer on the brace.
struct dc_error *parser_list(struct parser *parser, struct node **ret)
{
	struct dc_error *err = parser_node(parser, NODE_LIST, lexer_column(&parser->lexer), ret);
	struct item **link = err ? NULL : &(*ret)->list.items;
	bool more = true;

	if (!err)
		err = parser_enter(parser);
	if (!err)
		err = lexer_advance(&parser->lexer);
	while (!err && more && !parser_at(parser, TOKEN_RBRACE)) {
		struct item *item = arena_alloc(&parser->expression->arena, sizeof(*item));

		if (!item)
			return &dc_out_of_memory;
		err = designators(parser, item);
		if (!err)
			err = parser_at(parser, TOKEN_LBRACE)
				      ? parser_list(parser, &item->value)
				      : parser_assignment(parser, &item->value);
		if (!err)
			err = parser_adopt(*ret, item->value);
		if (!err)
			err = parser_accept(parser, TOKEN_COMMA, &more);
		*link = item;
		link = &item->next;
		if (!err)
			(*ret)->list.nr_items++;
	}
	if (err)
		return err;
	parser_leave(parser);
	return parser_expect(parser, TOKEN_RBRACE, "}");
}

// gdb's {T} address when a type stands in the brace, else a list.
struct dc_error *parser_brace(struct parser *parser, struct node **ret)
{
	struct parser ahead = *parser;
	size_t column = lexer_column(&parser->lexer);
	const struct type *type;
	struct node *operand;
	struct dc_error *err = lexer_advance(&ahead.lexer);

	if (err)
		return err;
	if (!declarator_begins(&ahead))
		return parser_list(parser, ret);
	parser->lexer = ahead.lexer;
	err = declarator_type_name(parser, &type);
	if (!err)
		err = parser_expect(parser, TOKEN_RBRACE, "}");
	if (!err)
		err = parser_unary(parser, &operand);
	if (!err)
		err = parser_make_unary(parser, NODE_AT_TYPE, OP_NONE, column, operand, ret);
	if (!err)
		(*ret)->type = type;
	return err;
}

// "(T)" is behind the lexer: a compound literal, or a cast of what follows.
struct dc_error *parser_behind_type(struct parser *parser, const struct type *type, size_t column,
				    struct node **ret)
{
	struct node *operand;
	struct dc_error *err;

	if (parser_at(parser, TOKEN_LBRACE)) {
		struct parser ahead = *parser;

		err = lexer_advance(&ahead.lexer);
		if (err)
			return err;
		// A list is the literal's; with a type in it, it is gdb's {T} address, cast.
		if (!declarator_begins(&ahead)) {
			err = parser_list(parser, ret);
			if (err)
				return err;
			(*ret)->kind = NODE_COMPOUND;
			(*ret)->type = type;
			(*ret)->column = column;
			return parser_postfix(parser, *ret, ret);
		}
	}
	err = parser_unary(parser, &operand);
	return err ? err : parser_cast(parser, type, operand, column, ret);
}
