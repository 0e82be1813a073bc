// SPDX-License-Identifier: MIT
// The grammar of C expressions with gdb's additions: a@n, {T} address, $name.
// Loops where C associates to the left, so that a long sum is not a deep tree for the parser.
#include "debugger/lang/c/parser.h"

#include "debugger/lang/c/dialect.h"

#include "debugger/base/cleanup.h"
#include "debugger/lang/c/convenience.h"
#include "debugger/lang/c/generic.h"
#include "debugger/lang/c/literal.h"
#include "debugger/lang/c/name.h"

#include <stdlib.h>
#include <string.h>

// Says what was found, for the caret alone does not show an end.
struct dc_error *parser_error(struct parser *parser, const char *what)
{
	const struct token *token = &parser->lexer.token;
	int shown = token->length > 40 ? 40 : token->length;
	struct dc_error *err = token->kind == TOKEN_END
				       ? error_make(DC_SYNTAX,
						    "%s, found the end of the expression", what)
				       : error_make(DC_SYNTAX, "%s, found '%.*s'", what, shown,
						    token->start);

	return error_at(err, lexer_column(&parser->lexer));
}

static struct dc_error *too_deep(size_t column)
{
	return error_at(error_make(DC_SYNTAX,
				   "the expression is nested too deeply (more than %d levels)",
				   NODE_DEPTH_MAX),
			column);
}

// Every way to recurse goes through here: a hundred thousand parentheses are an error, no crash.
struct dc_error *parser_enter(struct parser *parser)
{
	if (++parser->depth > NODE_DEPTH_MAX)
		return too_deep(lexer_column(&parser->lexer));
	return NULL;
}

bool parser_at(const struct parser *parser, enum token_kind kind)
{
	return parser->lexer.token.kind == kind;
}

struct dc_error *parser_accept(struct parser *parser, enum token_kind kind, bool *accepted)
{
	*accepted = parser_at(parser, kind);
	return *accepted ? lexer_advance(&parser->lexer) : NULL;
}

// text: as the user would type it.
struct dc_error *parser_expect(struct parser *parser, enum token_kind kind, const char *text)
{
	char what[32];

	if (parser_at(parser, kind))
		return lexer_advance(&parser->lexer);
	snprintf(what, sizeof(what), "expected %s", text);
	return parser_error(parser, what);
}

struct dc_error *parser_node(struct parser *parser, enum node_kind kind, size_t column,
			     struct node **ret)
{
	*ret = arena_alloc(&parser->expression->arena, sizeof(**ret));
	if (!*ret)
		return &dc_out_of_memory;
	(*ret)->kind = kind;
	(*ret)->column = column;
	(*ret)->depth = 1;
	(*ret)->chosen = arena_alloc(&parser->expression->arena, sizeof(*(*ret)->chosen));
	return (*ret)->chosen ? NULL : &dc_out_of_memory;
}

// The evaluator folds the left spine of binary operators in a loop; everything else recurses.
struct dc_error *parser_adopt(struct node *node, const struct node *child)
{
	bool is_spine = (node->kind == NODE_BINARY || node->kind == NODE_COMMA) &&
			child == node->left && child->kind == node->kind;
	unsigned depth = child->depth + !is_spine;

	if (depth > NODE_DEPTH_MAX)
		return too_deep(node->column);
	if (depth > node->depth)
		node->depth = depth;
	return NULL;
}

// For all nodes with one child, which all keep it in the same place.
struct dc_error *parser_make_unary(struct parser *parser, enum node_kind kind, enum operation op,
				   size_t column, struct node *operand, struct node **ret)
{
	struct dc_error *err = parser_node(parser, kind, column, ret);

	if (err)
		return err;
	(*ret)->op = op;
	(*ret)->left = operand;
	return parser_adopt(*ret, operand);
}

// column is the operator's: that is where two operands fail to fit.
static struct dc_error *make_binary(struct parser *parser, enum node_kind kind, enum operation op,
				    size_t column, struct node *left, struct node *right,
				    struct node **ret)
{
	struct dc_error *err = parser_node(parser, kind, column, ret);

	if (err)
		return err;
	(*ret)->op = op;
	(*ret)->left = left;
	(*ret)->right = right;
	err = parser_adopt(*ret, left);
	return err ? err : parser_adopt(*ret, right);
}

static struct dc_error *integer_constant(struct parser *parser, size_t column, enum basic basic,
					 uint64_t value, struct node **ret)
{
	struct dc_error *err = parser_node(parser, NODE_CONSTANT, column, ret);

	if (err)
		return err;
	(*ret)->type = parser->basics.list[basic];
	memcpy((*ret)->constant, &value, sizeof(value));
	return NULL;
}

struct dc_error *parser_cast(struct parser *parser, const struct type *type, struct node *operand,
			     size_t column, struct node **ret)
{
	struct dc_error *err = parser_make_unary(parser, NODE_CAST, OP_NONE, column, operand, ret);

	if (!err)
		(*ret)->type = type;
	return err;
}

static struct dc_error *primary(struct parser *parser, struct node **ret)
{
	size_t column = lexer_column(&parser->lexer);
	struct dc_error *err;
	bool done = false;

	if (parser_at(parser, TOKEN_NAME) && parser->dialect->word) {
		err = parser->dialect->word(parser, ret, &done);
		if (err || done)
			return err;
	}
	switch (parser->lexer.token.kind) {
	case TOKEN_NUMBER:
	case TOKEN_CHAR:
		if (name_is_quoted(parser))
			return name_parse(parser, ret);
		err = parser_node(parser, NODE_CONSTANT, column, ret);
		if (!err)
			err = parser_at(parser, TOKEN_NUMBER) ? literal_number(parser, *ret)
							      : literal_char(parser, *ret);
		return err ? err : lexer_advance(&parser->lexer);
	case TOKEN_STRING:
		err = parser_node(parser, NODE_STRING, column, ret);
		return err ? err : literal_string(parser, *ret);
	case TOKEN_DOLLAR: return name_dollar(parser, ret);
	case TOKEN_NAME:
		return token_is(&parser->lexer.token, "_Generic") ? generic_parse(parser, ret)
								  : name_parse(parser, ret);
	case TOKEN_SCOPE: // "::name" is the name
		err = lexer_advance(&parser->lexer);
		if (!err && !parser_at(parser, TOKEN_NAME))
			err = parser_error(parser, "expected a name");
		return err ? err : name_parse_global(parser, ret);
	case TOKEN_LBRACE: return parser_brace(parser, ret);
	case TOKEN_LPAREN:
		err = lexer_advance(&parser->lexer);
		if (!err)
			err = parser_comma(parser, ret);
		if (!err)
			err = parser_expect(parser, TOKEN_RPAREN, ")");
		return err ? err : name_not_type(parser, *ret);
	default: return parser_error(parser, "expected an expression");
	}
}

// The number of arguments is bounded by the text, their depth by parser_adopt().
struct dc_error *parser_arguments(struct parser *parser, struct node *callee, size_t column,
				  struct node **ret)
{
	bool is_own = callee && callee->kind == NODE_VARIABLE && callee->name &&
		      convenience_known(callee->name);
	struct dc_error *err = parser_node(parser, is_own ? NODE_CONVENIENCE : NODE_CALL, column,
					   ret);
	bool more = !parser_at(parser, TOKEN_RPAREN);
	size_t room = 0, n = 0;
	struct node **args = NULL;

	while (!err && more) {
		if (n == room) {
			size_t wider = room ? room * 2 : 8;
			struct node **grown = arena_alloc(&parser->expression->arena,
							  wider * sizeof(*grown));

			if (!grown)
				return &dc_out_of_memory;
			if (n)
				memcpy(grown, args, n * sizeof(*grown));
			args = grown;
			room = wider;
		}
		err = parser_assignment(parser, &args[n]);
		if (!err)
			err = parser_adopt(*ret, args[n++]);
		if (!err)
			err = parser_accept(parser, TOKEN_COMMA, &more);
	}
	if (!err && callee)
		err = parser_adopt(*ret, callee);
	if (err)
		return err;
	(*ret)->call.callee = callee;
	(*ret)->call.args = args;
	(*ret)->call.nr_args = n;
	return parser_expect(parser, TOKEN_RPAREN, ")");
}

struct dc_error *parser_member(struct parser *parser, struct node *object, bool is_arrow,
			       const char *name, size_t column, struct node **ret)
{
	struct dc_error *err = parser_make_unary(parser, NODE_MEMBER, OP_NONE, column, object, ret);

	if (err)
		return err;
	(*ret)->is_arrow = is_arrow;
	(*ret)->member = name;
	return NULL;
}

static struct dc_error *member(struct parser *parser, struct node *object, bool is_arrow,
			       size_t column, struct node **ret)
{
	const struct token *token = &parser->lexer.token;

	if (!parser_at(parser, TOKEN_NAME))
		return parser_error(parser, "expected a member's name");

	const char *start = token->start, *end = start;
	struct dc_error *err = NULL;

	// "Base::name" where the dialect has that; C's lexer knows the colons, too.
	for (bool more = true; !err && more;) {
		end = token->start + token->length;
		err = lexer_advance(&parser->lexer);
		more = !err && parser_at(parser, TOKEN_SCOPE);
		if (more)
			err = lexer_advance(&parser->lexer);
		if (!err && more && !parser_at(parser, TOKEN_NAME))
			err = parser_error(parser, "expected a name after ::");
	}
	if (err)
		return err;

	const char *name = arena_string(parser->expression, start, (size_t)(end - start));

	if (name && parser->dialect->operator_name)
		err = parser->dialect->operator_name(parser, name, (size_t)(end - start), &name);
	if (err)
		return err;
	return name ? parser_member(parser, object, is_arrow, name, column, ret)
		    : &dc_out_of_memory;
}

// Calls, indices and members chain to the left: a loop, with the depth counted by parser_adopt().
struct dc_error *parser_postfix(struct parser *parser, struct node *node, struct node **ret)
{
	struct dc_error *err = NULL;

	for (;;) {
		enum token_kind kind = parser->lexer.token.kind;
		size_t column = lexer_column(&parser->lexer);
		struct node *index;

		switch (kind) {
		case TOKEN_LPAREN:
		case TOKEN_LBRACKET:
		case TOKEN_DOT:
		case TOKEN_ARROW:
		case TOKEN_INC:
		case TOKEN_DEC: err = lexer_advance(&parser->lexer); break;
		default: *ret = node; return NULL;
		}
		if (err)
			return err;
		switch (kind) {
		case TOKEN_LPAREN: err = parser_arguments(parser, node, node->column, &node); break;
		case TOKEN_LBRACKET:
			err = parser_comma(parser, &index);
			if (!err)
				err = make_binary(parser, NODE_INDEX, OP_NONE, column, node, index,
						  &node);
			if (!err)
				err = parser_expect(parser, TOKEN_RBRACKET, "]");
			break;
		case TOKEN_DOT:
		case TOKEN_ARROW:
			err = member(parser, node, kind == TOKEN_ARROW, column, &node);
			break;
		default:
			err = parser_make_unary(parser, NODE_INCREMENT,
						kind == TOKEN_INC ? OP_ADD : OP_SUB, column, node,
						&node);
		}
		if (err)
			return err;
	}
}

// Known while parsing, so that it may size an array.
static struct dc_error *size_constant(struct parser *parser, const struct type *type, bool align,
				      size_t column, struct node **ret)
{
	const struct type *whole = symbols_complete(parser->symbols, type_strip(type));
	enum type_kind kind = whole->kind;
	uint64_t size = 1;

	// GNU C measures void and functions as 1.
	if (kind != TYPE_VOID && kind != TYPE_FUNCTION && !type_size(whole, &size))
		return error_at(
			error_make(DC_TYPE, "the type is incomplete: its size is not known"),
			column);
	return integer_constant(parser, column, BASIC_ULONG, align ? type_align(whole) : size, ret);
}

// sizeof and _Alignof, of a parenthesized type or of an expression.
static struct dc_error *measure(struct parser *parser, bool align, struct node **ret)
{
	size_t column = lexer_column(&parser->lexer);
	struct node *operand;
	struct dc_error *err = lexer_advance(&parser->lexer);

	if (!err && parser_at(parser, TOKEN_LPAREN)) {
		struct parser ahead = *parser;

		err = lexer_advance(&ahead.lexer);
		if (!err && declarator_begins(&ahead)) {
			const struct type *type;

			parser->lexer = ahead.lexer;
			err = declarator_type_name(parser, &type);
			if (!err)
				err = parser_expect(parser, TOKEN_RPAREN, ")");
			if (err)
				return err;
			if (!parser_at(parser, TOKEN_LBRACE))
				return size_constant(parser, type, align, column, ret);
			err = parser_behind_type(parser, type, column, &operand);
			if (err)
				return err;
			goto expression;
		}
	}
	if (!err)
		err = parser_unary(parser, &operand);
	if (err)
		return err;
expression:
	return parser_make_unary(parser, NODE_SIZEOF, align ? OP_ADDRESS : OP_NONE, column, operand,
				 ret);
}

static enum operation unary_operator(const struct token *token)
{
	switch (token->kind) {
	case TOKEN_PLUS: return OP_PLUS;
	case TOKEN_MINUS: return OP_NEGATE;
	case TOKEN_TILDE: return OP_COMPLEMENT;
	case TOKEN_NOT: return OP_NOT;
	case TOKEN_AMP: return OP_ADDRESS;
	case TOKEN_STAR: return OP_DEREFERENCE;
	case TOKEN_NAME:
		return token_is(token, "__real__")   ? OP_REAL
		       : token_is(token, "__imag__") ? OP_IMAG
						     : OP_NONE;
	default: return OP_NONE;
	}
}

// A parenthesis may open a cast; only the names in it can tell.
static struct dc_error *unary_plain(struct parser *parser, struct node **ret)
{
	const struct token *token = &parser->lexer.token;
	size_t column = lexer_column(&parser->lexer);
	enum operation op = unary_operator(token);
	struct node *operand;
	struct dc_error *err;

	if (op != OP_NONE) {
		bool done = false;

		err = lexer_advance(&parser->lexer);
		if (!err && op == OP_ADDRESS && parser->dialect->member_address)
			err = parser->dialect->member_address(parser, column, ret, &done);
		if (err || done)
			return err;
		err = parser_unary(parser, &operand);
		return err ? err : parser_make_unary(parser, NODE_UNARY, op, column, operand, ret);
	}
	if (token->kind == TOKEN_INC || token->kind == TOKEN_DEC) {
		op = token->kind == TOKEN_INC ? OP_ADD : OP_SUB;
		err = lexer_advance(&parser->lexer);
		if (!err)
			err = parser_unary(parser, &operand);
		if (!err)
			err = parser_make_unary(parser, NODE_INCREMENT, op, column, operand, ret);
		if (!err)
			(*ret)->is_prefix = true;
		return err;
	}
	if (token_is(token, "sizeof"))
		return measure(parser, false, ret);
	if (token_is(token, "_Alignof") || token_is(token, "__alignof__") ||
	    token_is(token, "alignof"))
		return measure(parser, true, ret);
	if (token->kind == TOKEN_LPAREN) {
		struct parser ahead = *parser;

		err = lexer_advance(&ahead.lexer);
		if (err)
			return err;
		if (declarator_begins(&ahead)) {
			const struct type *type;

			parser->lexer = ahead.lexer;
			err = declarator_type_name(parser, &type);
			if (!err)
				err = parser_expect(parser, TOKEN_RPAREN, ")");
			return err ? err : parser_behind_type(parser, type, column, ret);
		}
	}
	err = primary(parser, &operand);
	return err ? err : parser_postfix(parser, operand, ret);
}

struct dc_error *parser_unary(struct parser *parser, struct node **ret)
{
	struct dc_error *err = parser_enter(parser);

	if (!err)
		err = unary_plain(parser, ret);
	parser_leave(parser);
	return err;
}

// How tightly an operator binds; 0: none of these. gdb's @ lies between shifts and sums.
static unsigned binding(enum token_kind kind, enum operation *op)
{
	static const struct {
		enum token_kind kind;
		enum operation op;
		unsigned binding;
	} table[] = {
		{ TOKEN_OR_OR, OP_LOGICAL_OR, 1 },
		{ TOKEN_AND_AND, OP_LOGICAL_AND, 2 },
		{ TOKEN_PIPE, OP_OR, 3 },
		{ TOKEN_CARET, OP_XOR, 4 },
		{ TOKEN_AMP, OP_AND, 5 },
		{ TOKEN_EQ, OP_EQ, 6 },
		{ TOKEN_NE, OP_NE, 6 },
		{ TOKEN_LT, OP_LT, 7 },
		{ TOKEN_GT, OP_GT, 7 },
		{ TOKEN_LE, OP_LE, 7 },
		{ TOKEN_GE, OP_GE, 7 },
		{ TOKEN_SHL, OP_SHL, 8 },
		{ TOKEN_SHR, OP_SHR, 8 },
		{ TOKEN_AT, OP_REPEAT, 9 },
		{ TOKEN_PLUS, OP_ADD, 10 },
		{ TOKEN_MINUS, OP_SUB, 10 },
		{ TOKEN_STAR, OP_MUL, 11 },
		{ TOKEN_SLASH, OP_DIV, 11 },
		{ TOKEN_PERCENT, OP_MOD, 11 },
		{ TOKEN_DOT_STAR, OP_MEMBER_OF, 12 },
		{ TOKEN_ARROW_STAR, OP_MEMBER_AT, 12 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].kind == kind) {
			*op = table[i].op;
			return table[i].binding;
		}
	}
	return 0;
}

// Precedence climbing: takes operators that bind at least this tightly.
static struct dc_error *binary(struct parser *parser, unsigned least, struct node **ret)
{
	struct dc_error *err = parser_unary(parser, ret);

	while (!err) {
		size_t column = lexer_column(&parser->lexer);
		struct node *right;
		enum operation op;
		unsigned tight = binding(parser->lexer.token.kind, &op);

		if (tight == 0 || tight < least)
			break;
		err = lexer_advance(&parser->lexer);
		if (!err)
			err = binary(parser, tight + 1, &right);
		if (!err)
			err = make_binary(parser, tight <= 2 ? NODE_LOGICAL : NODE_BINARY, op,
					  column, *ret, right, ret);
	}
	return err;
}

// The middle of ?: is a whole expression, the right side another conditional.
struct dc_error *parser_conditional(struct parser *parser, struct node **ret)
{
	size_t column;
	struct node *condition, *yes, *no;
	bool asks = false;
	struct dc_error *err = binary(parser, 1, ret);

	column = lexer_column(&parser->lexer);
	if (!err)
		err = parser_accept(parser, TOKEN_QUESTION, &asks);
	if (err || !asks)
		return err;
	condition = *ret;
	err = parser_enter(parser);
	if (!err)
		err = parser_comma(parser, &yes);
	if (!err)
		err = parser_expect(parser, TOKEN_COLON, ":");
	if (!err)
		err = parser_conditional(parser, &no);
	if (err)
		return err;
	parser_leave(parser);
	err = make_binary(parser, NODE_CONDITIONAL, OP_NONE, column, condition, yes, ret);
	if (err)
		return err;
	(*ret)->third = no;
	return parser_adopt(*ret, no);
}

// To the right, and looser than all but the comma. What may stand on the left is the
// evaluator's to say.
struct dc_error *parser_assignment(struct parser *parser, struct node **ret)
{
	static const struct {
		enum token_kind kind;
		enum operation op;
	} table[] = {
		{ TOKEN_ASSIGN, OP_NONE },    { TOKEN_ADD_ASSIGN, OP_ADD },
		{ TOKEN_SUB_ASSIGN, OP_SUB }, { TOKEN_MUL_ASSIGN, OP_MUL },
		{ TOKEN_DIV_ASSIGN, OP_DIV }, { TOKEN_MOD_ASSIGN, OP_MOD },
		{ TOKEN_AND_ASSIGN, OP_AND }, { TOKEN_XOR_ASSIGN, OP_XOR },
		{ TOKEN_OR_ASSIGN, OP_OR },   { TOKEN_SHL_ASSIGN, OP_SHL },
		{ TOKEN_SHR_ASSIGN, OP_SHR },
	};
	struct dc_error *err = parser_conditional(parser, ret);

	for (size_t i = 0; !err && i < sizeof(table) / sizeof(table[0]); i++) {
		size_t column = lexer_column(&parser->lexer);
		struct node *right;

		if (!parser_at(parser, table[i].kind))
			continue;
		err = parser_enter(parser);
		if (!err)
			err = lexer_advance(&parser->lexer);
		if (!err)
			err = parser_assignment(parser, &right);
		if (err)
			return err;
		parser_leave(parser);
		return make_binary(parser, NODE_ASSIGN, table[i].op, column, *ret, right, ret);
	}
	return err;
}

// A whole expression.
struct dc_error *parser_comma(struct parser *parser, struct node **ret)
{
	struct dc_error *err = parser_assignment(parser, ret);

	while (!err && parser_at(parser, TOKEN_COMMA)) {
		size_t column = lexer_column(&parser->lexer);
		struct node *right;

		err = lexer_advance(&parser->lexer);
		if (!err)
			err = parser_assignment(parser, &right);
		if (!err)
			err = make_binary(parser, NODE_COMMA, OP_NONE, column, *ret, right, ret);
	}
	return err;
}
