// SPDX-License-Identifier: MIT
// Calls that C++ has and C has not: of overloaded functions, and of methods on their objects.
#include "debugger/lang/cxx/rules.h"

#include <string.h>

// What the object's own class has in its virtual table. The object is the method's own class's part.
static struct dc_error *take_virtual(struct context *context, const struct method *method,
				     struct call *call)
{
	const struct caller *caller = context->access.caller;
	const struct type_param *params;
	uint64_t object, table, addr = 0;
	struct dc_error *err;
	size_t n;

	call->name = method->function.name;
	if (!method->function.type)
		return error_make(DC_REFUSED, "'%s' has no debug information", call->name);
	call->type = type_strip(method->function.type);
	call->callee.type = types_pointer(context->basics.types, method->function.type);
	if (!call->callee.type)
		return &dc_out_of_memory;
	err = type_params(call->type, &params, &n);
	if (!err && n)
		err = convert_assign(context, &call->object, params[0].type, "the object");
	if (err || context->mode != EVAL_RUN || !call->object.bytes)
		return err;
	memcpy(&object, call->object.bytes, sizeof(object));
	err = caller->read(caller->arg, object, &table, sizeof(table));
	if (!err)
		err = caller->read(caller->arg, table + method->slot * sizeof(addr), &addr,
				   sizeof(addr));
	return err ? err : value_set(&call->callee, &addr, sizeof(addr));
}

// A class's own methods of a name hide those of its bases.
static struct dc_error *search_methods(struct context *context, const struct type *class,
				       const char *name, unsigned depth, const struct method **ret,
				       size_t *n)
{
	enum { DEPTH_MAX = 32 };
	struct symbols *symbols = context->access.symbols;
	const struct type *whole = symbols_complete(symbols, type_strip(class));
	const struct type_member *members;
	size_t nr_members = 0;
	struct dc_error *err = symbols_methods(symbols, whole, name, ret, n);

	if (err || *n || whole->is_incomplete || depth > DEPTH_MAX)
		return err;
	err = type_members(whole, &members, &nr_members);
	for (size_t i = 0; !err && i < nr_members && !*n; i++) {
		if (members[i].is_base)
			err = search_methods(context, members[i].type, name, depth + 1, ret, n);
	}
	return err;
}

struct dc_error *method_search(struct context *context, const struct type *class, const char *name,
			       const struct method **ret, size_t *n)
{
	return search_methods(context, class, name, 0, ret, n);
}

static struct dc_error *find_methods(struct context *context, const struct type *class,
				     const char *name, const struct method **ret, size_t *n)
{
	struct dc_error *err = search_methods(context, class, name, 0, ret, n);

	if (!err && !*n)
		err = type_error("there is no member or method of that name in '%s'", class, NULL);
	return err;
}

// object.method() and pointer->method(). *done false: it is a plain member.
static struct dc_error *find_method(struct context *context, const struct node *node,
				    struct call *call, bool *done)
{
	const struct node *callee = node->call.callee;
	_cleanup_value_ struct value whole = { 0 }, object = { 0 };
	const struct method *list, *method;
	const char *name;
	size_t n;
	struct dc_error *err;

	*done = false;
	if (callee->kind == NODE_BINARY &&
	    (callee->op == OP_MEMBER_OF || callee->op == OP_MEMBER_AT))
		return member_pointer_callee(context, callee, call, done);
	if (callee->kind != NODE_MEMBER)
		return NULL;
	err = eval_node(context, callee->object, &whole);
	if (err || value_unknown(&whole))
		return err;
	err = object_reach(context, &whole, callee->is_arrow ? callee : NULL);
	if (err)
		return err;
	// What C has no methods of keeps its own messages. The object is not found a second time.
	if (!type_is_record(whole.type) || type_strip(whole.type)->tag)
		return object_member(context, &whole, callee->member, &call->callee);
	err = class_qualified(context, &whole, callee->member, &name, &object);
	if (err)
		return err;
	if (class_has_member(context, object.type, name))
		return object_member(context, &object, name, &call->callee);
	*done = true;
	err = find_methods(context, object.type, name, &list, &n);
	if (!err)
		err = overload_choose_method(context, node, &object, list, n, &method);
	if (err || !method)
		return error_at(err, callee->column);
	// A value has no place yet.
	if (object.lvalue == LVALUE_NONE && !type_strip(object.type)->is_nontrivial)
		object.lvalue = LVALUE_LITERAL;
	if (!method->is_static)
		err = object_address(context, &object, &call->object);
	if (err)
		return err;
	// A name with its class in front means that class's own.
	if (method->is_virtual && name == callee->member)
		return take_virtual(context, method, call);
	if (!method->function.addr)
		return error_at(error_make(DC_VALUE,
					   "\"%s\" was inlined everywhere, or never used: there is "
					   "no code to call",
					   method->function.name),
				callee->column);
	return invoke_function(&method->function, call);
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
		err = invoke_function(function, call);
	return error_at(err, callee->column);
}

// What std::function calls, by its layout: its own operator is rarely more than inlined code.
static struct dc_error *find_held_function(struct context *context, const struct value *object,
					   struct call *call, bool *done)
{
	_cleanup_value_ struct value invoker = { 0 };
	struct dc_error *err;

	*done = class_has_member(context, object->type, "_M_invoker") &&
		class_has_member(context, object->type, "_M_functor");
	if (!*done)
		return NULL;
	err = object_member(context, object, "_M_invoker", &invoker);
	if (!err)
		err = convert_rvalue(context, &invoker);
	if (!err)
		err = object_member(context, object, "_M_functor", &call->object);
	if (err)
		return err;
	call->type = type_strip(type_strip(invoker.type)->target);
	call->name = "the function that it holds";
	call->callee = value_take(&invoker);
	return call->type->kind == TYPE_FUNCTION
		       ? NULL
		       : type_error("'%s' holds no function", object->type, NULL);
}

// object(): a lambda, or whatever has an operator for it.
static struct dc_error *find_object(struct context *context, const struct node *node,
				    struct call *call, bool *done)
{
	static const char name[] = "operator()";
	_cleanup_value_ struct value object = { 0 };
	const struct method *list, *method = NULL;
	struct node callee = { .kind = NODE_MEMBER, .column = node->column }, as_method = *node;
	struct node held = { .kind = NODE_VALUE, .column = node->column };
	struct dc_error *err = NULL;
	size_t n;

	*done = false;
	object = value_take(&call->callee);
	if (!object.type)
		err = eval_node(context, node->call.callee, &object);
	if (!err && eval_is_object(context, &object))
		err = convert_referred(context, &object);
	if (err || !object.type || value_unknown(&object) || !type_is_record(object.type)) {
		// It need not be found a second time.
		call->callee = value_take(&object);
		return err;
	}
	err = find_held_function(context, &object, call, done);
	if (err || *done)
		return err;
	err = method_search(context, object.type, name, &list, &n);
	if (err || !n)
		return err;
	*done = true;
	held.value = &object;
	callee.object = &held;
	callee.member = name;
	as_method.call.callee = &callee;
	err = overload_choose_method(context, &as_method, &object, list, n, &method);
	if (err || !method)
		return err;
	if (object.lvalue == LVALUE_NONE)
		object.lvalue = LVALUE_LITERAL;
	err = object_address(context, &object, &call->object);
	if (!err && method->is_virtual)
		return take_virtual(context, method, call);
	if (!err && !method->function.addr)
		err = error_make(DC_VALUE,
				 "\"%s\" was inlined everywhere, or never used: there is no code "
				 "to call",
				 method->function.name);
	return err ? err : invoke_function(&method->function, call);
}

struct dc_error *method_find_callee(struct context *context, const struct node *node,
				    struct call *call, bool *done)
{
	const struct node *callee = node->call.callee;
	struct dc_error *err = find_overload(context, node, call, done);

	if (!err && !*done)
		err = find_method(context, node, call, done);
	if (err || *done || (callee->kind == NODE_NAME && callee->what->kind == NAME_FUNCTION))
		return err;
	return find_object(context, node, call, done);
}

// The first argument of a method is the address of its object, which Class::method(object) names.
struct dc_error *method_find_argument(struct context *context, const struct node *node,
				      const struct call *call, size_t i,
				      const struct type_param *param, const char *what,
				      struct value *ret, bool *done)
{
	_cleanup_value_ struct value object = { 0 };
	struct dc_error *err;

	bool is_this = i == 0 &&
		       (call->object.type ||
			(param->name && !strcmp(param->name, "this") && node->kind != NODE_LIST));

	if (!is_this && !text_argument_fits(context, node, param->type)) {
		err = construct_argument(context, node, param->type, what, ret, done);
		if (err || *done)
			return error_at(err, node->column);
	}
	*done = temporary_is_wanted(context, param->type);
	if (*done)
		return error_at(temporary_argument(context, node, param->type, what, ret),
				node->column);
	*done = !(i == 0 && call->object.type) && text_argument_fits(context, node, param->type);
	if (*done)
		return error_at(text_argument(context, node, param->type, ret), node->column);
	*done = is_this;
	if (!*done)
		return NULL;
	if (call->object.type) {
		err = value_copy(&call->object, ret);
		return err ? err : convert_assign(context, ret, param->type, what);
	}
	err = eval_node(context, node, &object);
	if (!err)
		err = convert_referred(context, &object);
	if (!err && object.lvalue == LVALUE_NONE && type_is_record(object.type) &&
	    !type_strip(object.type)->is_nontrivial)
		object.lvalue = LVALUE_LITERAL;
	if (!err && !value_unknown(&object) && type_is_record(object.type))
		err = object_address(context, &object, ret);
	else
		*ret = value_take(&object);
	if (!err)
		err = convert_assign(context, ret, param->type, what);
	return error_at(err, node->column);
}
