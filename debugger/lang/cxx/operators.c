// SPDX-License-Identifier: MIT
// Operators and conversions that the program defines for its classes: found in the class, and by its
// arguments' namespaces, chosen among as C++ chooses, and called.
#include "debugger/lang/cxx/rules.h"

#include "debugger/base/cleanup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CANDIDATES_MAX = 256 };

struct operators {
	struct context *context;
	const char *name; // "operator+"
	const struct function *list[CANDIDATES_MAX];
	const struct method *method[CANDIDATES_MAX]; // NULL: it is none
	size_t n;
	size_t nr_inlined; // that have no code
	bool is_implicit; // only conversions that need not be asked for
};

static void keep_candidate(struct operators *operators, const struct function *function,
			   const struct method *method)
{
	for (size_t i = 0; i < operators->n; i++) {
		if (function->addr && operators->list[i]->addr == function->addr)
			return;
	}
	if (!function->addr && !(method && method->is_virtual)) {
		operators->nr_inlined++;
		return;
	}
	if (operators->n == CANDIDATES_MAX)
		return;
	operators->list[operators->n] = function;
	operators->method[operators->n++] = method;
}

// ---- where they are looked for ----

static struct dc_error *add_methods(struct operators *operators, const struct type *class)
{
	const struct method *methods;
	size_t n;
	struct dc_error *err = method_search(operators->context, class, operators->name, &methods,
					     &n);

	for (size_t i = 0; !err && i < n; i++)
		keep_candidate(operators, &methods[i].function, &methods[i]);
	return err;
}

// Of a method the first parameter is the object.
static bool is_free(const struct function *function)
{
	const struct type_param *params;
	size_t n;
	_cleanup_error_ struct dc_error *err = function->type
						       ? type_params(function->type, &params, &n)
						       : NULL;

	return !err && function->type && !(n && params[0].name && !strcmp(params[0].name, "this"));
}

// Those that stand in this scope itself; "": outside of all.
static struct dc_error *add_scope(struct operators *operators, const char *scope)
{
	_cleanup_free_ char *name = NULL;
	const struct function *list;
	size_t n;

	if (asprintf(&name, "%s%s%s", scope, *scope ? "::" : "", operators->name) < 0) {
		name = NULL;
		return &dc_out_of_memory;
	}

	struct dc_error *err = symbols_operators(operators->context->access.symbols, name, &list,
						 &n);

	for (size_t i = 0; !err && i < n; i++) {
		if (is_free(&list[i]))
			keep_candidate(operators, &list[i], NULL);
	}
	return err;
}

// In the namespaces around the operand's class, each for itself.
static struct dc_error *add_associated(struct operators *operators, const struct value *operand)
{
	const struct type *type = type_strip(operand->type);
	struct dc_error *err = NULL;

	if (type->kind == TYPE_POINTER || type->kind == TYPE_REFERENCE)
		type = type_strip(type->target);
	if (!type->name || (!type_is_record(type) && type->kind != TYPE_ENUM))
		return NULL;

	_cleanup_free_ char *scope = strdup(type->name);

	if (!scope)
		return &dc_out_of_memory;
	while (!err) {
		char *last = (char *)symbols_last_part(scope);

		if (last < scope + 3)
			return NULL;
		last[-2] = '\0';
		err = add_scope(operators, scope);
	}
	return err;
}

static struct dc_error *find_all(struct operators *operators, const struct value *operands,
				 size_t n)
{
	const struct type *first = type_strip(operands[0].type);
	struct dc_error *err = NULL;

	if (first->kind == TYPE_REFERENCE)
		first = type_strip(first->target);
	first = symbols_complete(operators->context->access.symbols, first);
	if (type_is_record(first) && !first->is_incomplete)
		err = add_methods(operators, first);
	// These are members, and nothing else.
	if (err || !strcmp(operators->name, "operator=") ||
	    !strcmp(operators->name, "operator[]") || !strcmp(operators->name, "operator->"))
		return err;
	err = add_scope(operators, "");
	for (size_t i = 0; !err && i < n; i++)
		err = add_associated(operators, &operands[i]);
	return err;
}

// ---- calling one ----

static struct dc_error *note_inlined(const struct operators *operators, struct dc_error *err)
{
	return operators->nr_inlined ? error_note(err,
						  "'%s' is declared, but was inlined everywhere, "
						  "or never used: there is no code to call",
						  operators->name)
				     : err;
}

// By way of a call's node, with operands that have been evaluated.
static struct dc_error *call(const struct operators *operators, const struct node *node,
			     size_t which, struct node *args, size_t n, struct value *ret)
{
	const struct function *function = operators->list[which];
	const struct method *method = operators->method[which];
	bool is_virtual = method && method->is_virtual;
	struct node *list[] = { &args[0], n > 1 ? &args[1] : NULL };
	struct resolution what = { .kind = NAME_FUNCTION,
				   .function = *function,
				   .type = function->type };
	struct node callee = { .kind = is_virtual ? NODE_MEMBER : NODE_NAME,
			       .column = node->column };
	struct node call = { .kind = NODE_CALL, .column = node->column, .chosen = node->chosen };

	if (is_virtual) {
		callee.object = &args[0];
		callee.member = operators->name;
	} else {
		callee.name = function->name;
		callee.what = &what;
	}
	call.call.callee = &callee;
	call.call.args = list + is_virtual;
	call.call.nr_args = n - is_virtual;

	struct dc_error *err = invoke(operators->context, &call, NULL, ret);

	// What is kept of the callee must live as long as the expression.
	if (node->chosen && node->chosen->function == &what.function)
		node->chosen->function = function;
	return err;
}

static void make_nodes(const struct node *node, const struct value *operands, size_t n,
		       struct node *ret)
{
	for (size_t i = 0; i < n; i++) {
		ret[i] = (struct node){ .kind = NODE_VALUE, .column = node->column, .depth = 1 };
		ret[i].value = &operands[i];
	}
}

struct dc_error *operators_name(struct parser *parser, const char *word, size_t length,
				const char **ret)
{
	static const char name[] = "operator";
	const size_t size = sizeof(name) - 1;
	const struct token *token = &parser->lexer.token;
	char whole[32];
	struct dc_error *err = NULL;

	*ret = word;
	if (length < size || strcmp(word + length - size, name) != 0 ||
	    (length > size && word[length - size - 1] != ':') || token->kind < TOKEN_SHL_ASSIGN)
		return NULL;

	enum token_kind closing = token->kind == TOKEN_LPAREN	  ? TOKEN_RPAREN
				  : token->kind == TOKEN_LBRACKET ? TOKEN_RBRACKET
								  : TOKEN_END;

	snprintf(whole, sizeof(whole), "%.*s%s", (int)token->length, token->start,
		 closing == TOKEN_RPAREN     ? ")"
		 : closing == TOKEN_RBRACKET ? "]"
					     : "");
	err = lexer_advance(&parser->lexer);
	if (!err && closing != TOKEN_END)
		err = parser_expect(parser, closing, closing == TOKEN_RPAREN ? ")" : "]");
	if (err)
		return err;

	char *full = arena_alloc(&parser->expression->arena, length + strlen(whole) + 1);

	if (!full)
		return &dc_out_of_memory;
	memcpy(full, word, length);
	strcpy(full + length, whole);
	*ret = full;
	return NULL;
}

// By an operator of just that name.
struct dc_error *operators_own(struct context *context, const struct node *node, const char *symbol,
			       const struct value *operands, size_t n, struct value *ret,
			       bool *done)
{
	enum { OPERANDS_MAX = 2 };
	char name[32];
	struct operators operators = { .context = context, .name = name };
	struct node nodes[OPERANDS_MAX], *args[OPERANDS_MAX] = { &nodes[0], &nodes[1] };
	struct node call_node = { .kind = NODE_CALL, .column = node->column };
	size_t chosen;
	struct dc_error *err = NULL;

	*done = false;
	for (size_t i = 0; i < n; i++) {
		if (value_unknown(&operands[i]))
			return NULL;
	}
	snprintf(name, sizeof(name), "operator%s", symbol);
	err = find_all(&operators, operands, n);
	if (err)
		return err;
	if (!operators.n) {
		*done = operators.nr_inlined;
		return *done ? note_inlined(&operators,
					    error_make(DC_VALUE, "'%s' cannot be called", name))
			     : NULL;
	}
	make_nodes(node, operands, n, nodes);
	call_node.call.args = args;
	call_node.call.nr_args = n;
	err = overload_choose_among(context, &call_node, name, operators.list, operators.method,
				    operators.n, &chosen);
	if (err && err->code == DC_TYPE && !operators.nr_inlined) {
		// None of them is for these: the language's own may be.
		dc_error_destroy(err);
		return NULL;
	}
	*done = true;
	if (err)
		return note_inlined(&operators, err);
	return call(&operators, node, chosen, nodes, n, ret);
}

struct dc_error *operators_apply(struct context *context, const struct node *node,
				 const char *symbol, const struct value *operands, size_t n,
				 struct value *ret, bool *done)
{
	struct dc_error *err = NULL;

	*done = false;
	if (n == 2)
		err = rewritten_type_info(context, symbol, operands, ret, done);
	if (!err && !*done)
		err = operators_own(context, node, symbol, operands, n, ret, done);
	return err || *done || n != 2 ? err
				      : rewritten_apply(context, node, symbol, operands, ret, done);
}

// ---- conversions ----

// The one to just that type, or else the only one that C's conversions go on from.
static bool choose_conversion(const struct operators *operators, const struct type *type,
			      size_t *ret)
{
	size_t nr_close = 0;

	for (size_t i = 0; i < operators->n; i++) {
		const struct type *function = operators->list[i]->type;
		const struct type *result = function && function->target
						    ? type_strip(function->target)
						    : NULL;

		if (!result || (operators->is_implicit && operators->method[i]->is_explicit))
			continue;
		if (type_equal(result, type_strip(type))) {
			*ret = i;
			return true;
		}
		if (!type_is_scalar(result) || !type_is_scalar(type))
			continue;
		*ret = i;
		nr_close++;
	}
	return nr_close == 1;
}

struct dc_error *operators_convert(struct context *context, const struct node *node,
				   struct value *object, const struct type *type, bool *done)
{
	_cleanup_value_ struct value result = { 0 };
	struct operators operators = { .context = context };
	struct node arg;
	size_t chosen;
	struct dc_error *err = convert_referred(context, object);

	*done = false;
	if (err || !type_is_record(object->type))
		return err;
	err = add_methods(&operators,
			  symbols_complete(context->access.symbols, type_strip(object->type)));
	if (err)
		return err;
	if (!choose_conversion(&operators, type, &chosen)) {
		*done = operators.nr_inlined;
		operators.name = "a conversion";
		return *done ? note_inlined(&operators,
					    type_error("'%s' is not converted to '%s' by code that "
						       "is there",
						       object->type, type))
			     : NULL;
	}
	*done = true;
	make_nodes(node, object, 1, &arg);
	operators.name = operators.list[chosen]->name;
	err = call(&operators, node, chosen, &arg, 1, &result);
	if (err)
		return err;
	value_deinit(object);
	*object = value_take(&result);
	return NULL;
}

bool operators_converts(struct context *context, const struct value *object,
			const struct type *type)
{
	struct operators operators = { .context = context, .is_implicit = true };
	size_t chosen;
	_cleanup_error_ struct dc_error *err = add_methods(
		&operators, symbols_complete(context->access.symbols, type_strip(object->type)));

	return !err && choose_conversion(&operators, type, &chosen);
}
