// SPDX-License-Identifier: MIT
// Go's grammar of expressions, types among them, and of the assignments that change one object.
#include "debugger/lang/go/parser.h"

#include "debugger/symbols/go.h"

#include <ctype.h>

enum { DEPTH_MAX = 200, LIST_MAX = 4096 };

static struct dc_error *parse_binary(struct parser *parser, int lowest, struct node **ret);

struct dc_error *go_parse_expression(struct parser *parser, struct node **ret)
{
	return parse_binary(parser, 1, ret);
}

struct dc_error *go_parse_expected(struct parser *parser, const char *what)
{
	return error_at(error_make(DC_SYNTAX, "expected %s", what), parser->lexer.start);
}

struct dc_error *go_parse_take(struct parser *parser, enum token token, const char *what)
{
	return at(parser, token) ? go_parse_advance(parser) : go_parse_expected(parser, what);
}

struct dc_error *go_parse_make(struct parser *parser, enum node_kind kind, size_t start,
			       struct node **ret)
{
	*ret = arena_alloc(&parser->lexer.expression->arena, sizeof(**ret));
	if (!*ret)
		return &dc_out_of_memory;
	(*ret)->kind = kind;
	(*ret)->start = start;
	return NULL;
}

struct dc_error *go_parse_append(struct parser *parser, struct list *list, struct node *node)
{
	if (list->n == LIST_MAX)
		return error_at(error_make(DC_SYNTAX, "the list is too long"), parser->lexer.start);
	if (list->n == list->room) {
		size_t room = list->room ? 2 * list->room : 4;
		struct node **grown = arena_alloc(&parser->lexer.expression->arena,
						  room * sizeof(struct node *));

		if (!grown)
			return &dc_out_of_memory;
		if (list->n)
			memcpy(grown, list->node, list->n * sizeof(struct node *));
		list->node = grown;
		list->room = room;
	}
	list->node[list->n++] = node;
	return NULL;
}

static struct dc_error *enter(struct parser *parser)
{
	if (++parser->depth > DEPTH_MAX)
		return error_at(error_make(DC_SYNTAX, "the expression is nested too deeply"),
				parser->lexer.start);
	return NULL;
}

// ---- packages that have slashes in their paths ----------------------------------------------------

static bool is_path(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("_./~%-", c));
}

// "net/http.Get": a path, where there is such a package, and a division otherwise.
static struct dc_error *try_package(struct parser *parser, size_t start, bool *found,
				    struct node **ret)
{
	struct expression *expression = parser->lexer.expression;
	const char *text = expression->text + start, *package, *other;
	size_t n = 0, last = 0;

	*found = false;
	while (is_path(text[n]))
		n++;
	if (!memchr(text, '/', n))
		return NULL;
	for (size_t i = (size_t)((char *)memchr(text, '/', n) - text); i < n; i++) {
		const char *path;

		if (text[i] != '.')
			continue;
		path = go_text(expression, text, i);
		if (!path)
			return &dc_out_of_memory;
		if (symbols_go_package(parser->symbols, path, &package, &other) &&
		    !strcmp(package, path))
			last = i;
	}
	if (!last)
		return NULL;
	*found = true;
	struct dc_error *err = go_parse_make(parser, NODE_PACKAGE, start, ret);

	if (err)
		return err;
	(*ret)->text = go_text(expression, text, last);
	parser->lexer.at = start + last;
	parser->lexer.last_end = (*ret)->end = start + last;
	return (*ret)->text ? go_parse_advance(parser) : &dc_out_of_memory;
}

// "net/http", quoted, in front of a point.
static bool is_quoted_package(struct parser *parser)
{
	struct lexer ahead = parser->lexer;
	const char *package, *other;
	struct dc_error *err = go_advance(&ahead);

	dc_error_destroy(err);
	return !err && ahead.token == TOKEN_DOT && *parser->lexer.text &&
	       symbols_go_package(parser->symbols, parser->lexer.text, &package, &other);
}

// ---- operands -------------------------------------------------------------------------------------

static struct dc_error *parse_list(struct parser *parser, enum token close, const char *what,
				   struct list *list, bool *spreads);

static struct dc_error *parse_name(struct parser *parser, struct node **ret)
{
	size_t start = parser->lexer.start;
	bool found;
	struct dc_error *err = try_package(parser, start, &found, ret);

	if (err || found)
		return err;
	err = go_parse_make(parser, NODE_NAME, start, ret);
	if (err)
		return err;
	(*ret)->text = parser->lexer.text;
	err = go_parse_advance(parser);
	end(parser, *ret);
	return err;
}

static struct dc_error *parse_dollar(struct parser *parser, struct node **ret)
{
	const char *text = parser->lexer.text;
	struct dc_error *err = go_parse_make(parser, NODE_RESULT, parser->lexer.start, ret);

	if (err)
		return err;
	(*ret)->text = text;
	if (isdigit((unsigned char)*text) || !*text) {
		char *after;

		(*ret)->number.i = strtoul(text, &after, 10);
		(*ret)->text = NULL;
		if (*after)
			return go_parse_expected(parser, "the number of a result");
	}
	err = go_parse_advance(parser);
	end(parser, *ret);
	return err;
}

static struct dc_error *parse_operand(struct parser *parser, struct node **ret)
{
	struct lexer *lexer = &parser->lexer;
	struct dc_error *err;

	switch (lexer->token) {
	case TOKEN_NUMBER:
		err = go_parse_make(parser, NODE_NUMBER, lexer->start, ret);
		if (err)
			return err;
		(*ret)->number = lexer->number;
		(*ret)->untyped = lexer->untyped;
		break;
	case TOKEN_STRING:
		err = go_parse_make(parser, is_quoted_package(parser) ? NODE_PACKAGE : NODE_STRING,
				    lexer->start, ret);
		if (err)
			return err;
		(*ret)->text = lexer->text;
		(*ret)->length = lexer->length;
		break;
	case TOKEN_OPEN:
		err = go_parse_advance(parser);
		if (!err)
			err = go_parse_expression(parser, ret);
		return err ? err : go_parse_take(parser, TOKEN_CLOSE, "')'");
	case TOKEN_DOLLAR: return parse_dollar(parser, ret);
	case TOKEN_NAME:
		return go_begins_written_type(parser) ? go_parse_written_type(parser, ret)
						      : parse_name(parser, ret);
	case TOKEN_OPEN_BRACKET: return go_parse_written_type(parser, ret);
	default: return go_parse_expected(parser, "an expression");
	}
	err = go_parse_advance(parser);
	end(parser, *ret);
	return err;
}

static struct dc_error *parse_selector(struct parser *parser, struct node *left, struct node **ret)
{
	struct dc_error *err = go_parse_advance(parser);

	if (!err && at(parser, TOKEN_OPEN)) {
		err = go_parse_make(parser, NODE_ASSERT, left->start, ret);
		if (!err)
			err = go_parse_advance(parser);
		if (!err)
			err = go_parse_type(parser, &(*ret)->right);
		if (!err)
			err = go_parse_take(parser, TOKEN_CLOSE, "')'");
	} else if (!err) {
		err = go_parse_make(parser, NODE_SELECTOR, left->start, ret);
		if (!err && !at(parser, TOKEN_NAME))
			err = go_parse_expected(parser, "a name");
		if (err)
			return err;
		(*ret)->text = parser->lexer.text;
		err = go_parse_advance(parser);
	}
	if (err)
		return err;
	(*ret)->left = left;
	end(parser, *ret);
	return NULL;
}

// An index, a slice, or the types that a generic function or type is made with.
static struct dc_error *parse_brackets(struct parser *parser, struct node *left, struct node **ret)
{
	struct node *bounds[3] = { NULL };
	struct list list = { 0 };
	size_t nr_colons = 0;
	struct dc_error *err = go_parse_advance(parser);

	while (!err && !at(parser, TOKEN_CLOSE_BRACKET)) {
		struct node *one = NULL;

		if (at(parser, TOKEN_COLON)) {
			err = ++nr_colons > 2 ? go_parse_expected(parser, "']'")
					      : go_parse_advance(parser);
			continue;
		}
		if (at(parser, TOKEN_COMMA)) {
			err = go_parse_advance(parser);
			continue;
		}
		err = go_begins_written_type(parser) ? go_parse_type(parser, &one)
						     : go_parse_expression(parser, &one);
		bounds[nr_colons] = one;
		if (!err)
			err = go_parse_append(parser, &list, one);
		if (!err && !at(parser, TOKEN_COLON) && !at(parser, TOKEN_COMMA) &&
		    !at(parser, TOKEN_CLOSE_BRACKET))
			err = go_parse_expected(parser, "']'");
	}
	if (!err && !nr_colons && !list.n)
		err = go_parse_expected(parser, "an index");
	if (!err)
		err = go_parse_advance(parser);
	if (!err)
		err = go_parse_make(parser, nr_colons ? NODE_SLICE : NODE_INDEX, left->start, ret);
	if (err)
		return err;
	if (nr_colons) {
		list = (struct list){ 0 };
		for (size_t i = 0; i < 3 && !err; i++)
			err = go_parse_append(parser, &list, bounds[i]);
	}
	(*ret)->left = left;
	keep(*ret, &list);
	end(parser, *ret);
	return err;
}

static struct dc_error *parse_element(struct parser *parser, struct node **ret);

static struct dc_error *parse_braces(struct parser *parser, struct node *type, struct node **ret)
{
	struct list list = { 0 };
	struct dc_error *err = go_parse_make(parser, NODE_COMPOSITE,
					     type ? type->start : parser->lexer.start, ret);

	if (!err)
		err = enter(parser);
	if (!err)
		err = go_parse_advance(parser);
	while (!err && !at(parser, TOKEN_CLOSE_BRACE)) {
		struct node *element, *keyed;

		err = parse_element(parser, &element);
		if (!err && at(parser, TOKEN_COLON)) {
			err = go_parse_make(parser, NODE_KEYED, element->start, &keyed);
			if (!err)
				err = go_parse_advance(parser);
			if (!err)
				err = parse_element(parser, &keyed->right);
			if (err)
				break;
			keyed->left = element;
			end(parser, keyed);
			element = keyed;
		}
		if (!err)
			err = go_parse_append(parser, &list, element);
		if (!err && !at(parser, TOKEN_CLOSE_BRACE))
			err = go_parse_take(parser, TOKEN_COMMA, "',' or '}'");
	}
	if (!err)
		err = go_parse_advance(parser);
	if (err)
		return err;
	parser->depth--;
	(*ret)->left = type;
	keep(*ret, &list);
	end(parser, *ret);
	return NULL;
}

static struct dc_error *parse_element(struct parser *parser, struct node **ret)
{
	return at(parser, TOKEN_OPEN_BRACE) ? parse_braces(parser, NULL, ret)
					    : go_parse_expression(parser, ret);
}

static struct dc_error *parse_call(struct parser *parser, struct node *left, struct node **ret)
{
	struct list list = { 0 };
	struct dc_error *err = go_parse_make(parser, NODE_CALL, left->start, ret);

	if (!err)
		err = go_parse_advance(parser);
	if (!err)
		err = parse_list(parser, TOKEN_CLOSE, "',' or ')'", &list, &(*ret)->spreads);
	if (err)
		return err;
	(*ret)->left = left;
	keep(*ret, &list);
	end(parser, *ret);
	return NULL;
}

// Up to and with the closing token. A type may stand where an expression does.
static struct dc_error *parse_list(struct parser *parser, enum token close, const char *what,
				   struct list *list, bool *spreads)
{
	struct dc_error *err = NULL;

	while (!err && !at(parser, close)) {
		struct node *node;

		err = go_parse_expression(parser, &node);
		if (!err)
			err = go_parse_append(parser, list, node);
		if (!err && at(parser, TOKEN_DOTS)) {
			*spreads = true;
			err = go_parse_advance(parser);
			if (!err && !at(parser, close))
				err = go_parse_expected(parser,
							"the last argument to be the one with ...");
		}
		if (!err && !at(parser, close))
			err = go_parse_take(parser, TOKEN_COMMA, what);
	}
	return err ? err : go_parse_advance(parser);
}

static struct dc_error *parse_primary(struct parser *parser, struct node **ret)
{
	struct dc_error *err = parse_operand(parser, ret);
	unsigned depth = parser->depth;

	while (!err) {
		struct node *left = *ret;

		if (at(parser, TOKEN_DOT))
			err = parse_selector(parser, left, ret);
		else if (at(parser, TOKEN_OPEN_BRACKET))
			err = parse_brackets(parser, left, ret);
		else if (at(parser, TOKEN_OPEN))
			err = parse_call(parser, left, ret);
		else if (at(parser, TOKEN_OPEN_BRACE))
			err = parse_braces(parser, left, ret);
		else
			break;
		if (!err)
			err = enter(parser);
	}
	parser->depth = depth;
	return err;
}

static struct dc_error *parse_unary(struct parser *parser, struct node **ret)
{
	static const struct {
		int op, is;
	} unary[] = {
		{ OP_ADD, OP_PLUS },	   { OP_SUB, OP_NEGATE },      { OP_NOT, OP_NOT },
		{ OP_XOR, OP_COMPLEMENT }, { OP_MUL, OP_DEREFERENCE }, { OP_AND, OP_ADDRESS }
	};
	int op = OP_NONE;
	struct dc_error *err;

	for (size_t i = 0; i < sizeof(unary) / sizeof(*unary); i++)
		if (at_operator(parser, unary[i].op))
			op = unary[i].is;
	if (at(parser, TOKEN_ARROW)) {
		struct lexer ahead = parser->lexer;

		err = go_advance(&ahead);
		if (err)
			return err;
		if (ahead.token == TOKEN_NAME && !strcmp(ahead.text, "chan"))
			return go_parse_written_type(parser, ret);
		op = OP_RECEIVE;
	}
	if (!op)
		return parse_primary(parser, ret);
	err = enter(parser);
	if (!err)
		err = go_parse_make(parser, NODE_UNARY, parser->lexer.start, ret);
	if (err)
		return err;
	(*ret)->op = op;
	err = go_parse_advance(parser);
	if (!err)
		err = parse_unary(parser, &(*ret)->left);
	parser->depth--;
	end(parser, *ret);
	return err;
}

struct dc_error *go_parse_type(struct parser *parser, struct node **ret)
{
	struct dc_error *err = enter(parser);

	if (err)
		return err;
	if (at_operator(parser, OP_MUL)) {
		err = go_parse_make(parser, NODE_UNARY, parser->lexer.start, ret);
		if (!err)
			err = go_parse_advance(parser);
		if (!err)
			err = go_parse_type(parser, &(*ret)->left);
		if (!err) {
			(*ret)->op = OP_DEREFERENCE;
			end(parser, *ret);
		}
	} else if (at(parser, TOKEN_ARROW) || go_begins_written_type(parser)) {
		err = go_parse_written_type(parser, ret);
	} else if (at(parser, TOKEN_OPEN)) {
		err = go_parse_advance(parser);
		if (!err)
			err = go_parse_type(parser, ret);
		if (!err)
			err = go_parse_take(parser, TOKEN_CLOSE, "')'");
	} else {
		err = parse_operand(parser, ret);
		while (!err && at(parser, TOKEN_DOT))
			err = parse_selector(parser, *ret, ret);
		if (!err && at(parser, TOKEN_OPEN_BRACKET))
			err = parse_brackets(parser, *ret, ret);
	}
	parser->depth--;
	return err;
}

static int precedence(int op)
{
	switch (op) {
	case OP_LOGICAL_OR: return 1;
	case OP_LOGICAL_AND: return 2;
	case OP_EQ:
	case OP_NE:
	case OP_LT:
	case OP_LE:
	case OP_GT:
	case OP_GE: return 3;
	case OP_ADD:
	case OP_SUB:
	case OP_OR:
	case OP_XOR: return 4;
	case OP_MUL:
	case OP_DIV:
	case OP_MOD:
	case OP_SHL:
	case OP_SHR:
	case OP_AND:
	case OP_AND_NOT: return 5;
	default: return 0;
	}
}

static struct dc_error *parse_binary(struct parser *parser, int lowest, struct node **ret)
{
	struct dc_error *err = enter(parser);
	unsigned depth = parser->depth;

	if (!err)
		err = parse_unary(parser, ret);
	while (!err && at(parser, TOKEN_OPERATOR) && !parser->lexer.is_assigning &&
	       precedence(parser->lexer.op) >= lowest) {
		int op = parser->lexer.op;
		struct node *left = *ret;

		err = enter(parser);
		if (!err)
			err = go_parse_make(parser, NODE_BINARY, left->start, ret);
		if (err)
			return err;
		(*ret)->op = op;
		(*ret)->left = left;
		err = go_parse_advance(parser);
		if (!err)
			err = parse_binary(parser, precedence(op) + 1, &(*ret)->right);
		end(parser, *ret);
	}
	parser->depth = depth - 1;
	return err;
}

// ---- the whole ------------------------------------------------------------------------------------

static struct dc_error *parse_assignment(struct parser *parser, struct node **ret)
{
	struct lexer *lexer = &parser->lexer;
	struct node *left = *ret;
	bool is_step = at(parser, TOKEN_INCREMENT) || at(parser, TOKEN_DECREMENT);
	int op = at(parser, TOKEN_ASSIGN) ? OP_NONE : lexer->op;
	struct dc_error *err;

	if (!is_step && !at(parser, TOKEN_ASSIGN) &&
	    !(at(parser, TOKEN_OPERATOR) && lexer->is_assigning))
		return NULL;
	err = go_parse_make(parser, NODE_ASSIGN, left->start, ret);
	if (!err)
		err = go_parse_advance(parser);
	if (err)
		return err;
	(*ret)->op = op;
	(*ret)->left = left;
	if (!is_step) {
		err = go_parse_expression(parser, &(*ret)->right);
	} else {
		err = go_parse_make(parser, NODE_NUMBER, lexer->start, &(*ret)->right);
		if (err)
			return err;
		(*ret)->right->untyped = UNTYPED_INT;
		(*ret)->right->number = (struct number){ .is_signed = true, .i = 1 };
	}
	end(parser, *ret);
	return err;
}

// "/x" in front, as behind gdb's print, and that word itself.
static struct dc_error *read_prefix(struct parser *parser)
{
	struct lexer ahead;
	struct dc_error *err;

	if (at_word(parser, "print") || at_word(parser, "p") || at_word(parser, "call")) {
		ahead = parser->lexer;
		err = go_advance(&ahead);
		if (err)
			return err;
		if (ahead.token == TOKEN_NAME || ahead.token == TOKEN_NUMBER ||
		    ahead.token == TOKEN_STRING ||
		    (ahead.token == TOKEN_OPERATOR && ahead.op == OP_DIV))
			parser->lexer = ahead;
	}
	if (!at_operator(parser, OP_DIV))
		return NULL;
	err = go_parse_advance(parser);
	if (err)
		return err;
	if (!at(parser, TOKEN_NAME) || parser->lexer.length != 1 ||
	    !strchr("xdotcs", *parser->lexer.text))
		return go_parse_expected(parser, "one of the formats x d o t c s");
	parser->lexer.expression->format = *parser->lexer.text;
	return go_parse_advance(parser);
}

struct dc_error *go_read(struct symbols *symbols, struct expression *expression)
{
	struct parser parser = { .lexer = { .expression = expression }, .symbols = symbols };
	struct dc_error *err = go_parse_advance(&parser);

	if (!err)
		err = read_prefix(&parser);
	if (!err)
		err = go_parse_expression(&parser, &expression->root);
	if (!err)
		err = parse_assignment(&parser, &expression->root);
	if (!err && !at(&parser, TOKEN_END))
		err = go_parse_expected(&parser, "an operator or the end");
	return err;
}
