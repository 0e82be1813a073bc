// SPDX-License-Identifier: MIT
// C++'s casts with names: static_cast<type>(expression), type(expression); and typeid.
#include "debugger/base/cleanup.h"
#include "debugger/lang/cxx/rules.h"

#include <string.h>

static const char *const casts[] = { "static_cast", "const_cast", "reinterpret_cast",
				     "dynamic_cast" };
enum { REINTERPRET = 2, DYNAMIC, NR_CASTS };

// "(expression)"; the lexer goes behind it.
static struct dc_error *in_parentheses(struct parser *parser, struct node **ret)
{
	struct dc_error *err = parser_expect(parser, TOKEN_LPAREN, "(");

	if (!err)
		err = parser_comma(parser, ret);
	return err ? err : parser_expect(parser, TOKEN_RPAREN, ")");
}

static struct dc_error *with_type(struct parser *parser, size_t which, size_t column,
				  struct node **ret)
{
	const struct type *type;
	struct node *operand;
	struct dc_error *err = lexer_advance(&parser->lexer);

	if (!err)
		err = parser_expect(parser, TOKEN_LT, "<");
	if (!err)
		err = declarator_type_name(parser, &type);
	if (!err)
		err = parser_expect(parser, TOKEN_GT, ">");
	if (!err)
		err = in_parentheses(parser, &operand);
	// By way of a number no pointer is moved to a base.
	if (!err && which == REINTERPRET && type_strip(type)->kind == TYPE_POINTER)
		err = parser_cast(parser, parser->basics.list[BASIC_ULONG], operand, column,
				  &operand);
	if (!err)
		err = parser_cast(parser, type, operand, column, ret);
	if (!err)
		(*ret)->is_dynamic = which == DYNAMIC;
	return err;
}

// ".name()" is a function of std::type_info that is never there to be called.
static struct dc_error *take_name(struct parser *parser, bool *ret)
{
	struct lexer ahead = parser->lexer;
	static const enum token_kind kinds[] = { TOKEN_DOT, TOKEN_NAME, TOKEN_LPAREN,
						 TOKEN_RPAREN };

	*ret = false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (ahead.token.kind != kinds[i] ||
		    (kinds[i] == TOKEN_NAME && !token_is(&ahead.token, "name")))
			return NULL;

		struct dc_error *err = lexer_advance(&ahead);

		if (err)
			return err;
	}
	*ret = true;
	parser->lexer = ahead;
	return NULL;
}

static struct dc_error *type_id(struct parser *parser, size_t column, struct node **ret)
{
	struct node *operand = NULL;
	const struct type *type = NULL;
	bool is_name = false;
	struct dc_error *err = lexer_advance(&parser->lexer);

	if (!err)
		err = parser_expect(parser, TOKEN_LPAREN, "(");
	if (!err)
		err = declarator_begins(parser) ? declarator_type_name(parser, &type)
						: parser_comma(parser, &operand);
	if (!err)
		err = parser_expect(parser, TOKEN_RPAREN, ")");
	if (!err)
		err = take_name(parser, &is_name);
	if (!err)
		err = parser_node(parser, NODE_TYPEID, column, ret);
	if (err)
		return err;
	(*ret)->type = type;
	(*ret)->left = operand;
	(*ret)->is_prefix = is_name;
	return operand ? parser_adopt(*ret, operand) : NULL;
}

// T(1, 2) and T{1, 2}, of a class.
static struct dc_error *object(struct parser *parser, const struct type *type, size_t column,
			       struct node **ret)
{
	struct node *list = NULL;
	struct dc_error *err;

	if (parser_at(parser, TOKEN_LBRACE)) {
		err = parser_node(parser, NODE_OBJECT, column, ret);
		if (!err)
			err = parser_list(parser, &list);
		if (!err)
			err = parser_adopt(*ret, list);
	} else {
		err = lexer_advance(&parser->lexer);
		if (!err)
			err = parser_arguments(parser, NULL, column, ret);
	}
	if (err)
		return err;
	(*ret)->kind = NODE_OBJECT;
	(*ret)->type = type;
	(*ret)->call.callee = list;
	return NULL;
}

// int{5}.
static struct dc_error *one_of_list(const struct node *list, struct node **ret)
{
	const struct item *item = list->list.items;

	if (list->list.nr_items != 1 || item->designators || item->value->kind == NODE_LIST)
		return error_at(error_make(DC_TYPE, "one value is wanted here"), list->column);
	*ret = item->value;
	return NULL;
}

struct dc_error *named_cast_of_type(struct parser *parser, const char *name, size_t column,
				    struct node **ret, bool *done)
{
	const struct type *type = parser_named_type(parser, name);
	struct node *operand;
	struct dc_error *err;

	*done = type && (type_is_scalar(type) || type_is_record(type));
	if (!*done)
		return NULL;
	if (type_is_record(type))
		return object(parser, type, column, ret);
	if (parser_at(parser, TOKEN_LBRACE)) {
		err = parser_list(parser, &operand);
		if (!err)
			err = one_of_list(operand, &operand);
		return err ? err : parser_cast(parser, type, operand, column, ret);
	}
	err = in_parentheses(parser, &operand);
	return err ? err : parser_cast(parser, type, operand, column, ret);
}

static bool is_called(struct lexer lexer)
{
	_cleanup_error_ struct dc_error *err = lexer_advance(&lexer);

	return !err && (lexer.token.kind == TOKEN_LPAREN || lexer.token.kind == TOKEN_LBRACE);
}

struct dc_error *named_cast(struct parser *parser, struct node **ret, bool *done)
{
	const struct token *token = &parser->lexer.token;
	size_t column = lexer_column(&parser->lexer), which = 0;
	char word[32] = "";

	while (which < NR_CASTS && !token_is(token, casts[which]))
		which++;
	*done = true;
	if (which < NR_CASTS)
		return with_type(parser, which, column, ret);
	if (token_is(token, "typeid"))
		return type_id(parser, column, ret);
	// "int(x)".
	if (token->length < sizeof(word))
		memcpy(word, token->start, token->length);
	*done = types_basic(parser->basics.types, word) && is_called(parser->lexer);
	if (!*done)
		return NULL;

	struct dc_error *err = lexer_advance(&parser->lexer);

	return err ? err : named_cast_of_type(parser, word, column, ret, done);
}
