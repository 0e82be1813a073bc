// SPDX-License-Identifier: MIT
// Names in a method's frame: what no block has is looked for in the object before it is anything else.
#include "debugger/lang/c/name.h"
#include "debugger/lang/cxx/rules.h"

#include <string.h>

// The class of *this; NULL: the frame's function is no method.
static const struct type *class_of_frame(struct parser *parser)
{
	struct variable object;
	_cleanup_error_ struct dc_error *none = symbols_lookup_variable(
		parser->symbols, parser->frame, "this", &object);
	const struct type *type = none || !object.type ? NULL : type_strip(object.type);

	return type && type->kind == TYPE_POINTER && type_is_record(type->target) ? type->target
										  : NULL;
}

static struct dc_error *is_member(struct parser *parser, const struct type *class, const char *name,
				  bool *ret)
{
	const struct environment environment = { .symbols = parser->symbols };
	struct context context;
	const struct method *methods;
	struct variable variable;
	size_t n;
	struct dc_error *err = context_init(&context, parser->dialect, EVAL_TYPE, &environment);

	*ret = !err && class_has_member(&context, class, name);
	if (!err && !*ret && parser_at(parser, TOKEN_LPAREN)) {
		err = method_search(&context, class, name, &methods, &n);
		*ret = !err && n;
	}
	if (!err && !*ret)
		err = class_find_static(parser->symbols, class, name, &variable, ret);
	return err;
}

// In clang's lambdas "this" is what they captured, and the object around a member of that.
static struct dc_error *captured_this(struct parser *parser, const struct type *class,
				      const char *name, size_t column, struct node **ret)
{
	const struct environment environment = { .symbols = parser->symbols };
	struct context context;
	struct value nothing = { .type = class, .lvalue = LVALUE_MEMORY };
	_cleanup_value_ struct value around = { 0 };
	struct node *object;
	bool found = !strcmp(name, "this");
	struct dc_error *err = context_init(&context, parser->dialect, EVAL_TYPE, &environment);

	if (!err)
		err = object_member(&context, &nothing, "this", &around);
	if (!err && !found && type_strip(around.type)->kind == TYPE_POINTER)
		err = is_member(parser, type_strip(around.type)->target, name, &found);
	if (err || !found)
		return err;
	err = name_make(parser, "this", column, &object);
	if (!err)
		err = parser_member(parser, object, true, "this", column, &object);
	if (err || !strcmp(name, "this")) {
		*ret = object;
		return err;
	}
	return parser_member(parser, object, true, name, column, ret);
}

struct dc_error *implied_member(struct parser *parser, const char *name, size_t column,
				struct node **ret)
{
	const struct type *class = strstr(name, "::") ? NULL : class_of_frame(parser);
	struct node *object;
	bool found = false, is_captured = false;
	struct dc_error *err = class ? is_member(parser, class, "this", &is_captured) : NULL;

	if (!err && class && strcmp(name, "this") != 0)
		err = is_member(parser, class, name, &found);
	if (!err && !found && is_captured)
		return captured_this(parser, class, name, column, ret);
	if (err || !found)
		return err;
	err = name_make(parser, "this", column, &object);
	return err ? err : parser_member(parser, object, true, name, column, ret);
}
