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

static bool is_one_of(const struct token *token, const char *const *words)
{
	while (*words && !token_is(token, *words))
		words++;
	return *words;
}

// What a name of the program can stand before is not for a command to take.
static bool begins_anew(enum token_kind kind)
{
	return kind == TOKEN_NAME || kind == TOKEN_NUMBER || kind == TOKEN_CHAR ||
	       kind == TOKEN_STRING || kind == TOKEN_DOLLAR || kind == TOKEN_TILDE ||
	       kind == TOKEN_NOT;
}

// Behind a command's word: "/x" and what begins anew.
static bool has_format(struct lexer lexer)
{
	const char *slash = lexer.token.start;
	_cleanup_error_ struct dc_error *err = lexer_advance(&lexer);

	if (err || lexer.token.kind != TOKEN_NAME || lexer.token.length != 1 ||
	    lexer.token.start != slash + 1 || !print_format_known(slash[1]))
		return false;

	_cleanup_error_ struct dc_error *none = lexer_advance(&lexer);

	return !none && begins_anew(lexer.token.kind);
}

// "print x", "p/x flags", "call f()", "set var x = 3", as they are typed into gdb: the command goes
// without saying. Where the word could be the program's own, it is.
static struct dc_error *skip_command(struct parser *parser)
{
	static const char *const commands[] = { "p", "print", "call", "output", "inspect", NULL };
	static const char *const variables[] = { "var", "variable", NULL };
	bool is_set = token_is(&parser->lexer.token, "set");
	struct lexer ahead = parser->lexer;
	struct node *word;
	struct dc_error *err;

	if (!parser_at(parser, TOKEN_NAME) ||
	    !(is_set || is_one_of(&parser->lexer.token, commands)))
		return NULL;
	err = lexer_advance(&ahead);
	if (err)
		return err;
	if (is_set) {
		if (!is_one_of(&ahead.token, variables))
			return NULL;
		parser->lexer = ahead;
		return lexer_advance(&parser->lexer);
	}
	if (ahead.token.kind == TOKEN_END)
		return NULL;
	if (!begins_anew(ahead.token.kind) &&
	    !(ahead.token.kind == TOKEN_SLASH && has_format(ahead))) {
		const char *name = arena_string(parser->expression, parser->lexer.token.start,
						parser->lexer.token.length);

		err = name ? name_make(parser, name, 0, &word) : &dc_out_of_memory;
		if (err || word->what->kind != NAME_UNKNOWN)
			return err;
	}
	parser->lexer = ahead;
	return NULL;
}

// What stands before the unexpected: a gdb command, a statement, a misspelt name.
static struct dc_error *explain(struct parser *parser, struct dc_error *err)
{
	static const char *const commands[] = { "set", "x" };
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
	bool is_cxx = parser.dialect->has_bool && symbols_is_cxx(parser.symbols);
	struct dc_error *err = basics_init(&parser.basics, symbols_types(parser.symbols), is_cxx);

	if (!err)
		err = lexer_init(&parser.lexer, expression->text, expression->size);
	if (!err)
		err = skip_command(&parser);
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
	node->chosen = arena_alloc(&expression->arena, sizeof(*node->chosen));
	if (!node->chosen)
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
	node->chosen = arena_alloc(&expression->arena, sizeof(*node->chosen));
	if (!node->chosen)
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

void c_recall(struct expression *expression, const struct value *args)
{
	const struct node *call = expression->root;

	for (size_t i = 0; i < call->call.nr_args; i++)
		memcpy(call->call.args[i]->constant, args[i].bytes, args[i].type->size);
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
	.recall = c_recall,
	.check = c_check,
	.evaluate = c_evaluate,
	.predicate = c_predicate,
	.spell = type_spell,
	.print = c_print,
};
