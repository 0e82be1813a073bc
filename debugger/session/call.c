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

// What was found out of a call holds for one with other values of the same types. A zero may be a
// null pointer, and texts of one length are rarely called with.
static bool is_alike(const struct value *a, const struct value *b)
{
	static const unsigned char zero[16];

	return a->type == b->type && a->lvalue != LVALUE_LITERAL &&
	       !memcmp(a->bytes, zero, a->type->size) == !memcmp(b->bytes, zero, b->type->size);
}

static bool is_same_call(const struct dc_expression *call, const char *function,
			 const struct arguments *arguments, const struct scope *scope)
{
	// One that others use, such as a call that is pending, stays as it is.
	if (!call || __atomic_load_n(&call->users, __ATOMIC_RELAXED) > 1 ||
	    call->generation != call->session->generation || call->nr_args != arguments->n ||
	    strcmp(call->text, function) != 0 || !scope_equal(&call->scope, scope) ||
	    call->scope.no_stop != scope->no_stop)
		return false;
	for (size_t i = 0; i < arguments->n; i++)
		if (!is_alike(&call->args[i], &arguments->values[i]))
			return false;
	return true;
}

// The last call, made ready for these arguments. Loops call one function again and again.
static bool recall(struct dc_session *session, const char *function, struct arguments *arguments,
		   const struct dc_scope *from)
{
	struct dc_expression *call = session->called_last;
	struct scope scope;
	_cleanup_error_ struct dc_error *err = scope_init(session, from, &scope);
	bool is_same = !err && is_same_call(call, function, arguments, &scope) &&
		       expression_recall(call->parsed, arguments->values);

	scope_deinit(&scope);
	for (size_t i = 0; is_same && i < arguments->n; i++) {
		struct value value = value_take(&call->args[i]);

		call->args[i] = value_take(&arguments->values[i]);
		arguments->values[i] = value;
	}
	return is_same;
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
	struct dc_error *err = arguments.values ? NULL : &dc_out_of_memory;

	*ret = (struct dc_result){ 0 };
	for (size_t i = 0; i < nr_args && !err; i++) {
		err = make_value(symbols_types(session->symbols), &args[i], i + 1,
				 &arguments.values[i]);
		arguments.n = i + 1;
	}
	if (!err && !recall(session, function, &arguments, scope)) {
		dc_expression_destroy(take_ptr(session->called_last));
		err = session_parse(session, function, arguments.values, nr_args, scope,
				    &session->called_last);
	}
	return err ? err : dc_evaluate(session, session->called_last, options, ret);
}
