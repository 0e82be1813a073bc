// SPDX-License-Identifier: MIT
// A call with a program's own values as arguments.
#include "debugger/session/session.h"

#include <string.h>

struct arguments {
	struct value *values;
	size_t n;
};

static void arguments_deinit(struct arguments *arguments)
{
	for (size_t i = 0; i < arguments->n; i++)
		value_deinit(&arguments->values[i]);
	free(arguments->values);
}

static struct dc_error *make_scalar(struct types *types, const char *spelling, const void *bytes,
				    struct value *ret)
{
	*ret = (struct value){ .type = types_basic(types, spelling) };
	return ret->type ? value_set(ret, bytes, ret->type->size) : &dc_out_of_memory;
}

// As a literal of the expression language is: in the target only once its address is needed.
static struct dc_error *make_string(struct types *types, const char *text, struct value *ret)
{
	const struct type *element = types_basic(types, "char");
	size_t size = strlen(text) + 1;

	*ret = (struct value){ .lvalue = LVALUE_LITERAL };
	ret->type = element ? types_array(types, element, size) : NULL;
	return ret->type ? value_set(ret, text, size) : &dc_out_of_memory;
}

static struct dc_error *make_value(struct types *types, const struct dc_argument *arg,
				   size_t number, struct value *ret)
{
	switch (arg->kind) {
	case DC_INTEGER: return make_scalar(types, "long", &arg->integer, ret);
	case DC_UNSIGNED: return make_scalar(types, "unsigned long", &arg->number, ret);
	case DC_DOUBLE: return make_scalar(types, "double", &arg->real, ret);
	case DC_STRING: return make_string(types, arg->string, ret);
	}
	return error_make(DC_USAGE, "argument %zu is of no known kind", number);
}

struct dc_error *dc_call(struct dc_session *session, const char *function,
			 const struct dc_argument *args, size_t nr_args,
			 const struct dc_scope *scope, const struct dc_call_options *options,
			 struct dc_result *ret)
{
	_turn_(session);
	_cleanup_(arguments_deinit) struct arguments arguments = {
		.values = calloc(nr_args ?: 1, sizeof(*arguments.values)),
	};
	struct dc_expression *expression = NULL;
	struct dc_error *err = arguments.values ? NULL : &dc_out_of_memory;

	*ret = (struct dc_result){ 0 };
	for (size_t i = 0; i < nr_args && !err; i++) {
		err = make_value(symbols_types(session->symbols), &args[i], i + 1,
				 &arguments.values[i]);
		arguments.n = i + 1;
	}
	if (!err)
		err = session_parse(session, function, arguments.values, nr_args, scope,
				    &expression);
	if (!err)
		err = dc_evaluate(session, expression, options, ret);
	dc_expression_destroy(expression);
	return err;
}
