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

struct dc_error *implied_member(struct parser *parser, const char *name, size_t column,
				struct node **ret)
{
	const struct type *class = strstr(name, "::") || !strcmp(name, "this")
					   ? NULL
					   : class_of_frame(parser);
	struct node *object;
	bool found = false;
	struct dc_error *err = class ? is_member(parser, class, name, &found) : NULL;

	if (err || !found)
		return err;
	err = name_make(parser, "this", column, &object);
	return err ? err : parser_member(parser, object, true, name, column, ret);
}
