// SPDX-License-Identifier: MIT
// Calls: which function, which arguments, converted to what the callee expects.
#include "debugger/lang/c/dialect.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void cleanup_call(struct call *call)
{
	for (size_t i = 0; i < call->nr_args; i++)
		value_deinit(&call->args[i]);
	free(call->args);
	value_deinit(&call->callee);
	value_deinit(&call->object);
}

struct dc_error *invoke_function(const struct function *function, struct call *call)
{
	call->callee = (struct value){ .type = function->type,
				       .lvalue = LVALUE_FUNCTION,
				       .addr = function->addr,
				       .symbol = function,
				       .name = function->name };
	call->name = function->name;
	if (!function->type)
		return error_make(DC_REFUSED,
				  "'%s' has no debug information; cast its address to a pointer to "
				  "its type",
				  function->name);
	call->type = type_strip(function->type);
	return NULL;
}

// A function, or whatever has the value of a pointer to one.
static struct dc_error *choose_callee(struct context *context, const struct node *node,
				      struct call *call)
{
	const struct type *plain;
	bool done = false;
	struct dc_error *err = NULL;

	if (context->dialect->find_callee)
		err = context->dialect->find_callee(context, node, call, &done);
	if (err || done)
		return err;
	if (!call->callee.type)
		err = eval_node(context, node->call.callee, &call->callee);
	if (err || value_unknown(&call->callee))
		return err;
	call->name = call->callee.name;
	if (call->callee.lvalue == LVALUE_FUNCTION) {
		call->type = type_strip(call->callee.type);
		return NULL;
	}
	err = convert_rvalue(context, &call->callee);
	if (err)
		return err;
	plain = type_strip(call->callee.type);
	if (plain->kind != TYPE_POINTER || type_strip(plain->target)->kind != TYPE_FUNCTION)
		return type_error(
			"'%s' cannot be called: it is neither a function nor a pointer to one",
			call->callee.type, NULL);
	call->type = type_strip(plain->target);
	return NULL;
}

// A check tells the expression's effects which function it is, where that cannot change again.
static struct dc_error *find_callee(struct context *context, const struct node *node,
				    struct call *call)
{
	bool saw_variable = context->saw_variable;

	context->saw_variable = false;

	struct dc_error *err = choose_callee(context, node, call);

	if (context->mode == EVAL_CHECK && node->chosen) {
		node->chosen->calls = true;
		node->chosen->function = !err && !context->saw_variable ? call->callee.symbol
									: NULL;
	}
	context->saw_variable |= saw_variable;
	return err;
}

static struct dc_error *count_error(const struct call *call, const char *how, size_t wanted)
{
	const struct function *function = call->callee.symbol;
	struct dc_error *err = error_make(
		DC_TYPE, "too %s arguments in call of '%s': %zu wanted, %zu given", how,
		call->name ? call->name : "the function", wanted - (call->object.type != NULL),
		call->nr_args - (call->object.type != NULL));

	if (call->nr_args < wanted && function && function->language == SOURCE_CXX)
		err = error_note(err,
				 "default arguments are put in by the compiler of the caller: the "
				 "last %zu are to be given here",
				 wanted - call->nr_args);
	return err;
}

// By C's default argument promotions.
static const struct type *default_promoted(struct context *context, const struct value *value)
{
	const struct type *type = convert_promoted(context, value), *plain = type_strip(type);

	if (plain->kind == TYPE_FLOAT && (plain->format == FLOAT_32 || plain->format == FLOAT_16))
		return context->basics.list[BASIC_DOUBLE];
	return type;
}

// Behind "..." or without a prototype: nothing but the argument tells its type.
static struct dc_error *untyped_argument(struct context *context, const struct node *node,
					 bool promote, struct value *ret)
{
	struct dc_error *err = eval_operand(context, node, ret);

	if (err || value_unknown(ret) || !promote)
		return err;
	return convert_assign(context, ret, default_promoted(context, ret), "argument");
}

static struct dc_error *typed_argument(struct context *context, const struct node *node,
				       const struct call *call, size_t i,
				       const struct type_param *param, struct value *ret)
{
	const struct type *type = param->type;
	char what[128];

	// A function in the old style was compiled to receive the promoted parameter.
	if (!call->type->is_prototyped) {
		struct value as_param = { .type = type };

		type = default_promoted(context, &as_param);
	}
	snprintf(what, sizeof(what), "argument %zu of '%s'", i + 1 - (call->object.type != NULL),
		 call->name ? call->name : "the function");
	if (context->dialect->find_argument) {
		bool done;
		struct dc_error *err = context->dialect->find_argument(context, node, call, i,
								       param, what, ret, &done);

		if (err || done)
			return err;
	}
	return error_at(initialize_from(context, node, type, what, ret), node->column);
}

static struct dc_error *find_arguments(struct context *context, const struct node *node,
				       bool own_types, struct call *call)
{
	const struct type_param *params = NULL;
	size_t n = 0;
	struct dc_error *err = NULL;

	size_t has_object = call->object.type != NULL;

	call->args = calloc(node->call.nr_args + 2, sizeof(*call->args));
	if (!call->args)
		return &dc_out_of_memory;
	call->nr_args = node->call.nr_args + has_object;
	if (call->type && !own_types)
		err = type_params(call->type, &params, &n);
	if (!err && call->nr_args < n)
		err = count_error(call, "few", n);
	if (!err && call->nr_args > n && call->type && !own_types && call->type->is_prototyped &&
	    !call->type->is_variadic)
		err = count_error(call, "many", n);
	for (size_t i = 0; !err && i < call->nr_args; i++) {
		const struct node *arg = i < has_object ? node->call.callee->object
							: node->call.args[i - has_object];

		if (i < n)
			err = typed_argument(context, arg, call, i, &params[i], &call->args[i]);
		else
			err = untyped_argument(context, arg, !own_types, &call->args[i]);
	}
	return err;
}

// The function's type with the arguments that are really passed: for a function whose own type does
// not tell (no prototype, "...", no debug information).
static struct dc_error *passed_type(struct context *context, const struct call *call,
				    const struct type *result, bool is_variadic,
				    const struct type **ret)
{
	_cleanup_free_ struct type_param *params = calloc(call->nr_args + 1, sizeof(*params));

	if (!params)
		return &dc_out_of_memory;
	for (size_t i = 0; i < call->nr_args; i++) {
		params[i].type = call->args[i].type;
		// Known only when run, and checked then.
		if (value_unknown(&call->args[i]))
			params[i].type = context->basics.list[BASIC_INT];
	}
	*ret = types_function(context->basics.types, result, params, call->nr_args, is_variadic,
			      true);
	return *ret ? NULL : &dc_out_of_memory;
}

static struct dc_error *refuse_function(struct context *context, const struct function *function)
{
	const struct caller *caller = context->access.caller;
	struct dc_error *err = language_refuses(function);

	if (!err && function->no_call)
		err = error_make(DC_REFUSED, "'%s' cannot be called: %s", function->name,
				 function->no_call);
	if (!err && caller && caller->refuses)
		err = caller->refuses(caller->arg, function);
	return err;
}

// A pointer says nothing about what became of the function that it points to. Before the run it is
// looked at as it is now, so that what is to be read of the function has been read by then.
static struct dc_error *refuse_pointee(struct context *context, const struct call *call)
{
	const struct caller *caller = context->access.caller;
	const struct value *pointer = &call->callee;
	struct function function;
	uint64_t addr;

	if (!caller || !call->type || context->mode == EVAL_TYPE)
		return NULL;
	if (pointer->bytes) {
		memcpy(&addr, pointer->bytes, sizeof(addr));
	} else {
		_cleanup_error_ struct dc_error *unread =
			context->mode == EVAL_CHECK && pointer->lvalue == LVALUE_MEMORY
				? caller->read(caller->arg, pointer->addr, &addr, sizeof(addr))
				: error_make(DC_VALUE, "it is not known");

		if (unread)
			return NULL;
	}
	return symbols_function_at(context->access.symbols, addr, &function)
		       ? refuse_function(context, &function)
		       : NULL;
}

// Of a class that is not passed as it lies, but by its address.
static bool is_object(struct context *context, const struct type *type)
{
	const struct type *whole = type_strip(type);

	return type_is_record(whole) &&
	       symbols_complete(context->access.symbols, whole)->is_nontrivial;
}

static struct dc_error *call_for_object(struct context *context, const struct type *type,
					struct typed_call *request, struct value *ret)
{
	if (!context->dialect->call_for_object)
		return type_error("a result of type '%s' is made as only C++ knows how", type,
				  NULL);
	return context->dialect->call_for_object(context, type, request, ret);
}

static struct dc_error *run(struct context *context, struct call *call, bool is_whole,
			    struct value *ret)
{
	const struct caller *caller = context->access.caller;
	struct typed_call request = { .addr = call->callee.addr,
				      .name = call->name,
				      .type = call->type,
				      .args = call->args,
				      .nr_args = call->nr_args,
				      .is_whole = is_whole,
				      .is_cast = context->is_cast };
	_cleanup_value_ struct value pointer = { 0 };
	struct dc_error *err = NULL;

	if (call->callee.lvalue == LVALUE_FUNCTION) {
		// By way of its address, which is where an IFUNC is resolved.
		err = object_address(context, &call->callee, &pointer);
		if (!err)
			memcpy(&request.addr, pointer.bytes, sizeof(request.addr));
	} else {
		memcpy(&request.addr, call->callee.bytes, sizeof(request.addr));
	}
	if (!err && request.addr == 0)
		err = error_make(DC_VALUE, "a call through a null pointer");
	for (size_t i = 0; i < call->nr_args; i++)
		request.has_objects |= is_object(context, call->args[i].type);
	if (!err && is_object(context, call->type->target))
		return call_for_object(context, call->type->target, &request, ret);
	return err ? err : caller->call(caller->arg, &request, ret);
}

// In a check all of this happens but the call itself.
struct dc_error *invoke(struct context *context, const struct node *node, const struct type *result,
			struct value *ret)
{
	_cleanup_(cleanup_call) struct call call = { 0 };
	struct dc_error *err = find_callee(context, node, &call);
	bool own_types = call.callee.no_debug;

	if (!err && own_types && !result)
		err = error_make(
			DC_REFUSED,
			"'%s' has unknown return type; cast the call to its declared return type",
			call.name ? call.name : "the function");
	if (!err && call.callee.symbol)
		err = refuse_function(context, call.callee.symbol);
	else if (!err)
		err = refuse_pointee(context, &call);
	if (!err)
		err = find_arguments(context, node, own_types, &call);
	if (err)
		return err;
	*ret = (struct value){ .type = &type_unknown };
	if (!call.type)
		return NULL;
	if (!own_types)
		result = call.type->target;
	if (!result) // DWARF's void
		result = context->basics.list[BASIC_VOID];

	const struct type *passed = call.type;

	if (own_types || !call.type->is_prototyped || call.type->is_variadic)
		err = passed_type(context, &call, result, call.type->is_variadic, &passed);
	if (!err && own_types)
		call.type = passed;
	if (!err && context->mode == EVAL_CHECK && context->abi) {
		// gcc and clang differ on a few types, also behind "...". A type lives in its table
		// and cannot be copied; one made here says who compiled until the next is made.
		if (passed != call.type)
			((struct type *)passed)->compiler = call.type->compiler;
		err = context->abi(passed);
	}
	if (err)
		return err;
	ret->type = result;
	if (context->mode == EVAL_RUN)
		return run(context, &call, node == context->whole, ret);
	return is_object(context, result) ? call_for_object(context, result, NULL, ret) : NULL;
}
