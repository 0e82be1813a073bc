// SPDX-License-Identifier: MIT
// Go's grammar of the types that are written out.
#include "debugger/lang/go/parser.h"

static struct dc_error *parse_bracket_type(struct parser *parser, struct node **ret)
{
	size_t start = parser->lexer.start;
	struct node *length = NULL;
	bool is_slice;
	struct dc_error *err = go_parse_advance(parser);

	is_slice = !err && at(parser, TOKEN_CLOSE_BRACKET);
	if (!err && !is_slice) {
		if (at(parser, TOKEN_DOTS))
			err = go_parse_advance(parser);
		else
			err = go_parse_expression(parser, &length);
	}
	if (!err)
		err = go_parse_take(parser, TOKEN_CLOSE_BRACKET, "']'");
	if (!err)
		err = go_parse_make(parser, is_slice ? NODE_TYPE_SLICE : NODE_TYPE_ARRAY, start,
				    ret);
	if (!err)
		err = go_parse_type(parser, &(*ret)->left);
	if (err)
		return err;
	(*ret)->right = length;
	end(parser, *ret);
	return NULL;
}

static struct dc_error *parse_map_type(struct parser *parser, struct node **ret)
{
	struct dc_error *err = go_parse_make(parser, NODE_TYPE_MAP, parser->lexer.start, ret);

	if (!err)
		err = go_parse_advance(parser);
	if (!err)
		err = go_parse_take(parser, TOKEN_OPEN_BRACKET, "'['");
	if (!err)
		err = go_parse_type(parser, &(*ret)->left);
	if (!err)
		err = go_parse_take(parser, TOKEN_CLOSE_BRACKET, "']'");
	if (!err)
		err = go_parse_type(parser, &(*ret)->right);
	if (!err)
		end(parser, *ret);
	return err;
}

static struct dc_error *parse_chan_type(struct parser *parser, struct node **ret)
{
	bool is_receiving = at(parser, TOKEN_ARROW);
	struct dc_error *err = go_parse_make(parser, NODE_TYPE_CHAN, parser->lexer.start, ret);

	if (!err && is_receiving)
		err = go_parse_advance(parser);
	if (!err && !at_word(parser, "chan"))
		err = go_parse_expected(parser, "'chan'");
	if (!err)
		err = go_parse_advance(parser);
	if (err)
		return err;
	(*ret)->text = is_receiving ? "<-chan " : at(parser, TOKEN_ARROW) ? "chan<- " : "chan ";
	if (!is_receiving && at(parser, TOKEN_ARROW))
		err = go_parse_advance(parser);
	if (!err)
		err = go_parse_type(parser, &(*ret)->left);
	if (!err)
		end(parser, *ret);
	return err;
}

// Types in parentheses; names in front of them are of no meaning, and not read.
static struct dc_error *parse_type_list(struct parser *parser, struct list *list, bool *spreads)
{
	struct dc_error *err = go_parse_take(parser, TOKEN_OPEN, "'('");

	while (!err && !at(parser, TOKEN_CLOSE)) {
		struct node *type;

		if (at(parser, TOKEN_DOTS)) {
			*spreads = true;
			err = go_parse_advance(parser);
		}
		if (!err)
			err = go_parse_type(parser, &type);
		if (!err)
			err = go_parse_append(parser, list, type);
		if (!err && !at(parser, TOKEN_CLOSE))
			err = go_parse_take(parser, TOKEN_COMMA, "',' or ')'");
	}
	return err ? err : go_parse_take(parser, TOKEN_CLOSE, "')'");
}

static bool begins_type(const struct parser *parser)
{
	return at(parser, TOKEN_NAME) || at(parser, TOKEN_OPEN_BRACKET) ||
	       at_operator(parser, OP_MUL) || at(parser, TOKEN_ARROW) || at(parser, TOKEN_STRING);
}

static struct dc_error *parse_func_type(struct parser *parser, struct node **ret)
{
	struct list list = { 0 };
	size_t nr_taken;
	struct node *result;
	bool none = false;
	struct dc_error *err = go_parse_make(parser, NODE_TYPE_FUNC, parser->lexer.start, ret);

	if (!err)
		err = go_parse_advance(parser);
	if (!err)
		err = parse_type_list(parser, &list, &(*ret)->spreads);
	if (err)
		return err;
	nr_taken = list.n;
	if (at(parser, TOKEN_OPEN)) {
		err = parse_type_list(parser, &list, &none);
	} else if (begins_type(parser)) {
		err = go_parse_type(parser, &result);
		if (!err)
			err = go_parse_append(parser, &list, result);
	}
	if (err)
		return err;
	(*ret)->nr_results = list.n - nr_taken;
	keep(*ret, &list);
	end(parser, *ret);
	return NULL;
}

static struct dc_error *parse_field(struct parser *parser, struct node **ret)
{
	struct lexer ahead = parser->lexer;
	struct dc_error *err = go_parse_make(parser, NODE_KEYED, parser->lexer.start, ret);

	if (!err)
		err = go_advance(&ahead);
	if (err)
		return err;
	// A name alone is a type that is embedded.
	if (at(parser, TOKEN_NAME) && ahead.token != TOKEN_DOT && ahead.token != TOKEN_SEMICOLON &&
	    ahead.token != TOKEN_CLOSE_BRACE) {
		err = go_parse_make(parser, NODE_NAME, parser->lexer.start, &(*ret)->left);
		if (!err) {
			(*ret)->left->text = parser->lexer.text;
			err = go_parse_advance(parser);
		}
	}
	return err ? err : go_parse_type(parser, &(*ret)->right);
}

static struct dc_error *parse_struct_type(struct parser *parser, struct node **ret)
{
	struct list list = { 0 };
	struct node *field;
	struct dc_error *err = go_parse_make(parser, NODE_TYPE_STRUCT, parser->lexer.start, ret);

	if (!err)
		err = go_parse_advance(parser);
	if (!err)
		err = go_parse_take(parser, TOKEN_OPEN_BRACE, "'{'");
	while (!err && !at(parser, TOKEN_CLOSE_BRACE)) {
		err = parse_field(parser, &field);
		if (!err)
			err = go_parse_append(parser, &list, field);
		if (!err && !at(parser, TOKEN_CLOSE_BRACE))
			err = go_parse_take(parser, TOKEN_SEMICOLON, "';' or '}'");
	}
	if (!err)
		err = go_parse_advance(parser);
	if (err)
		return err;
	keep(*ret, &list);
	end(parser, *ret);
	return NULL;
}

static struct dc_error *parse_interface_type(struct parser *parser, struct node **ret)
{
	const struct expression *expression = parser->lexer.expression;
	struct dc_error *err = go_parse_make(parser, NODE_TYPE_INTERFACE, parser->lexer.start, ret);
	size_t start;

	if (!err)
		err = go_parse_advance(parser);
	if (!err && !at(parser, TOKEN_OPEN_BRACE))
		err = go_parse_expected(parser, "'{'");
	if (err)
		return err;
	start = parser->lexer.at;
	for (int depth = 1; !err && depth;) {
		err = go_parse_advance(parser);
		depth += at(parser, TOKEN_OPEN_BRACE) - at(parser, TOKEN_CLOSE_BRACE);
		if (!err && at(parser, TOKEN_END))
			err = go_parse_expected(parser, "'}'");
	}
	if (err)
		return err;
	(*ret)->text = go_text(parser->lexer.expression, expression->text + start,
			       parser->lexer.start - start);
	err = (*ret)->text ? go_parse_advance(parser) : &dc_out_of_memory;
	end(parser, *ret);
	return err;
}

bool go_begins_written_type(const struct parser *parser)
{
	return at(parser, TOKEN_OPEN_BRACKET) || at_word(parser, "map") ||
	       at_word(parser, "chan") || at_word(parser, "func") || at_word(parser, "struct") ||
	       at_word(parser, "interface");
}

struct dc_error *go_parse_written_type(struct parser *parser, struct node **ret)
{
	if (at(parser, TOKEN_OPEN_BRACKET))
		return parse_bracket_type(parser, ret);
	if (at_word(parser, "map"))
		return parse_map_type(parser, ret);
	if (at_word(parser, "func"))
		return parse_func_type(parser, ret);
	if (at_word(parser, "struct"))
		return parse_struct_type(parser, ret);
	if (at_word(parser, "interface"))
		return parse_interface_type(parser, ret);
	return parse_chan_type(parser, ret);
}
