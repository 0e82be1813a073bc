// SPDX-License-Identifier: MIT
// Calls: which function, which arguments, converted to what the callee expects.
#include "debugger/lang/cxx/overload.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct call {
	struct value callee; // a FUNCTION, or a pointer's value
	const struct type *type; // FUNCTION
	const char *name;
	struct value object; // of a method: the address that it is called on; no type without one
	struct value *args;
	size_t nr_args;
};

static void cleanup_call(struct call *call)
{
	for (size_t i = 0; i < call->nr_args; i++)
		value_deinit(&call->args[i]);
	free(call->args);
	value_deinit(&call->callee);
	value_deinit(&call->object);
}

// ---- C++ ----

static struct dc_error *take_function(const struct function *function, struct call *call)
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

// What the object's own class has in its virtual table.
static struct dc_error *take_virtual(struct context *context, const struct method *method,
				     struct call *call)
{
	const struct caller *caller = context->access.caller;
	uint64_t object, table, addr = 0;
	struct dc_error *err = NULL;

	call->name = method->function.name;
	if (!method->function.type)
		return error_make(DC_REFUSED, "'%s' has no debug information", call->name);
	call->type = type_strip(method->function.type);
	call->callee.type = types_pointer(context->basics.types, method->function.type);
	if (!call->callee.type)
		return &dc_out_of_memory;
	if (context->mode != EVAL_RUN || !call->object.bytes)
		return NULL;
	memcpy(&object, call->object.bytes, sizeof(object));
	err = caller->read(caller->arg, object + method->base_offset, &table, sizeof(table));
	if (!err)
		err = caller->read(caller->arg, table + method->slot * sizeof(addr), &addr,
				   sizeof(addr));
	return err ? err : value_set(&call->callee, &addr, sizeof(addr));
}

// object.method() and pointer->method(). *done false: it is a plain member.
static struct dc_error *find_method(struct context *context, const struct node *node,
				    struct call *call, bool *done)
{
	const struct node *callee = node->call.callee;
	_cleanup_value_ struct value object = { 0 };
	const struct method *method;
	bool is_member;
	struct dc_error *err = NULL;

	*done = false;
	if (callee->kind != NODE_MEMBER)
		return NULL;
	err = eval_node(context, callee->object, &object);
	if (err || value_unknown(&object))
		return err;
	err = object_reach(context, &object, callee->is_arrow);
	// What C has no methods of keeps its own messages.
	if (!err)
		err = object_has_member(context, object.type, callee->member, &is_member);
	if (err || is_member || !type_is_record(object.type) || type_strip(object.type)->tag)
		return err;
	*done = true;
	err = overload_choose_method(context, node, object.type, &method);
	if (err || !method)
		return error_at(err, callee->column);
	if (!method->is_static)
		err = object_address(context, &object, &call->object);
	if (err)
		return err;
	if (method->is_virtual)
		return take_virtual(context, method, call);
	if (!method->function.addr)
		return error_at(error_make(DC_VALUE,
					   "\"%s\" was inlined everywhere, or never used: there is "
					   "no code to call",
					   method->function.name),
				callee->column);
	return take_function(&method->function, call);
}

// *done false: the name means one function, or no function.
static struct dc_error *find_overload(struct context *context, const struct node *node,
				      struct call *call, bool *done)
{
	const struct node *callee = node->call.callee;
	const struct function *function;
	struct dc_error *err;

	*done = callee->kind == NODE_NAME && callee->what->kind == NAME_FUNCTION &&
		callee->what->nr_overloads;
	if (!*done)
		return NULL;
	err = overload_choose(context, node, &function);
	if (!err && function)
		err = take_function(function, call);
	return error_at(err, callee->column);
}

// ---- all languages ----

// A function, or whatever has the value of a pointer to one.
static struct dc_error *choose_callee(struct context *context, const struct node *node,
				      struct call *call)
{
	const struct type *plain;
	bool done;
	struct dc_error *err = find_overload(context, node, call, &done);

	if (!err && !done)
		err = find_method(context, node, call, &done);
	if (err || done)
		return err;
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

	if (context->mode == EVAL_CHECK)
		*node->call.chosen = !err && !context->saw_variable ? call->callee.symbol : NULL;
	context->saw_variable |= saw_variable;
	return err;
}

static struct dc_error *count_error(const struct call *call, const char *how, size_t wanted)
{
	return error_make(DC_TYPE, "too %s arguments in call of '%s': %zu wanted, %zu given", how,
			  call->name ? call->name : "the function",
			  wanted - (call->object.type != NULL),
			  call->nr_args - (call->object.type != NULL));
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
	if (i == 0 && call->object.type) {
		struct dc_error *err = value_copy(&call->object, ret);

		return err ? err : convert_assign(context, ret, type, what);
	}
	// Class::method(object): the method wants the object's address.
	if (i == 0 && param->name && !strcmp(param->name, "this") && node->kind != NODE_LIST) {
		_cleanup_value_ struct value object = { 0 };
		struct dc_error *err = eval_node(context, node, &object);

		if (!err && !value_unknown(&object) &&
		    type_strip(object.type)->kind == TYPE_REFERENCE)
			err = object_reach(context, &object, false);
		if (!err && !value_unknown(&object) && type_is_record(object.type)) {
			err = object_address(context, &object, ret);
			if (!err)
				err = convert_assign(context, ret, type, what);
			return error_at(err, node->column);
		}
		if (err)
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

static struct dc_error *run(struct context *context, struct call *call, bool is_whole,
			    struct value *ret)
{
	const struct caller *caller = context->access.caller;
	struct typed_call request = { .addr = call->callee.addr,
				      .name = call->name,
				      .type = call->type,
				      .args = call->args,
				      .nr_args = call->nr_args,
				      .is_whole = is_whole };
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
	if (!err && call.callee.symbol && call.callee.symbol->no_call)
		err = error_make(DC_REFUSED, "'%s' cannot be called: %s", call.name,
				 call.callee.symbol->no_call);
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
	return context->mode == EVAL_RUN ? run(context, &call, node == context->whole, ret) : NULL;
}
