// SPDX-License-Identifier: MIT
// C as a language: an expression's text to its tree, its check and its run.
#include "debugger/base/cleanup.h"
#include "debugger/lang/c/c.h"
#include "debugger/lang/c/dialect.h"
#include "debugger/lang/c/name.h"

#include <string.h>

const char *arena_string(struct expression *expression, const char *s, size_t length)
{
	char *copy = arena_alloc(&expression->arena, length + 1);

	if (copy)
		memcpy(copy, s, length);
	return copy;
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
		return parser_error(parser, "expected one of the formats x d u o t z a c f s r");
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

struct dc_error *c_parse(const struct environment *environment, const struct symbols_frame *frame,
			 struct expression *expression)
{
	struct parser parser = { .dialect = expression->language->dialect,
				 .expression = expression,
				 .symbols = environment->symbols,
				 .frame = frame };
	struct dc_error *err = basics_init(&parser.basics, symbols_types(parser.symbols));

	if (!err)
		err = lexer_init(&parser.lexer, expression->text, expression->size);
	if (!err)
		err = read_format(&parser);
	if (!err)
		err = parser_comma(&parser, &expression->root);
	if (!err && !parser_at(&parser, TOKEN_END))
		err = explain(&parser, parser_error(&parser, "expected an operator or the end"));
	return err ? err : effects_find(expression);
}

// A value that the client had at hand, as if it had been written as a literal.
static struct node *make_literal(struct expression *expression, const struct value *value)
{
	struct node *node = arena_alloc(&expression->arena, sizeof(*node));

	if (!node)
		return NULL;
	node->depth = 1;
	node->type = value->type;
	if (value->lvalue == LVALUE_LITERAL) {
		uint64_t width = value->type->target->size;

		node->kind = NODE_STRING;
		node->type = value->type->target;
		node->string.size = (value->type->count - 1) * width;
		node->string.bytes = arena_string(expression, (const char *)value->bytes,
						  node->string.size);
		return node->string.bytes ? node : NULL;
	}
	node->kind = NODE_CONSTANT;
	memcpy(node->constant, value->bytes, value->type->size);
	return node;
}

struct dc_error *c_call(struct expression *expression, const struct value *args, size_t nr_args)
{
	struct node *node = arena_alloc(&expression->arena, sizeof(*node));
	struct node **nodes = arena_alloc(&expression->arena, (nr_args + 1) * sizeof(*nodes));

	if (!node || !nodes)
		return &dc_out_of_memory;
	node->call.chosen = arena_alloc(&expression->arena, sizeof(*node->call.chosen));
	if (!node->call.chosen)
		return &dc_out_of_memory;
	for (size_t i = 0; i < nr_args; i++) {
		nodes[i] = make_literal(expression, &args[i]);
		if (!nodes[i])
			return &dc_out_of_memory;
	}
	node->kind = NODE_CALL;
	node->depth = expression->root->depth + 1;
	node->call.callee = expression->root;
	node->call.args = nodes;
	node->call.nr_args = nr_args;
	expression->root = node;
	return effects_find(expression);
}

static bool has_size(struct context *context, const struct value *value)
{
	const struct type *plain = type_strip(value->type);
	uint64_t size;

	return type_size(symbols_complete(context->access.symbols, plain), &size);
}

// What has no known type is no value.
static struct dc_error *refuse_untyped(const struct value *value, const struct node *node)
{
	if (!value->no_debug || value->lvalue == LVALUE_FUNCTION)
		return NULL;
	return error_at(object_untyped(value), node->column);
}

struct dc_error *c_check(const struct environment *environment, struct expression *expression,
			 struct dc_error *(*abi)(const struct type *function))
{
	_cleanup_value_ struct value value = { 0 };
	struct context context;
	struct dc_error *err = context_init(&context, expression->language->dialect, EVAL_CHECK,
					    environment);

	context.abi = abi;
	if (!err)
		err = eval_node(&context, expression->root, &value);
	if (!err)
		err = refuse_untyped(&value, expression->root);
	return err ? err : effects_find(expression);
}

struct dc_error *c_evaluate(const struct environment *environment,
			    const struct expression *expression, struct value *ret)
{
	_cleanup_value_ struct value value = { 0 };
	struct context context;
	struct dc_error *err = context_init(&context, expression->language->dialect, EVAL_RUN,
					    environment);

	context.whole = expression->root;
	while (context.whole->kind == NODE_CAST)
		context.whole = context.whole->left;
	context.is_cast = context.whole != expression->root;
	if (!err)
		err = eval_node(&context, expression->root, &value);
	// What has no known size stays an unread object; the printer says so.
	if (!err && !value.no_debug &&
	    (value.lvalue != LVALUE_MEMORY || has_size(&context, &value)))
		err = error_at(object_load(&context, &value), expression->root->column);
	if (!err)
		err = refuse_untyped(&value, expression->root);
	if (err)
		return err;
	*ret = value_take(&value);
	return NULL;
}

static const struct dialect dialect;

const struct language language_c = {
	.name = "C",
	.source = SOURCE_C,
	.dialect = &dialect,
	.parse = c_parse,
	.call = c_call,
	.check = c_check,
	.evaluate = c_evaluate,
	.spell = type_spell,
	.print = c_print,
};
