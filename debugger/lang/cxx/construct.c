// SPDX-License-Identifier: MIT
// Objects that are made of other values: T(a, b), T{a, b}, and what a parameter takes of another type by
// a constructor or a conversion of the program's. One such step is taken by itself, as C++ has it.
#include "debugger/lang/cxx/rules.h"

#include "debugger/base/cleanup.h"

#include <stdlib.h>
#include <string.h>

enum { CONSTRUCTORS_MAX = 256 };

// What an object could be made by, once for each way to call it.
struct ways {
	struct method list[CONSTRUCTORS_MAX];
	const struct method *whole[CONSTRUCTORS_MAX]; // with all its parameters
	const struct type *allocator[CONSTRUCTORS_MAX]; // what is left out; NULL: nothing
	size_t n;
};

// ---- which constructors there are ----

// The allocator that a container's constructor is left to make itself: it holds nothing, and any will
// do.
static const struct type *default_allocator(struct context *context, const struct type *param)
{
	static const char name[] = "std::allocator<";
	const struct type *type = type_strip(param);
	const struct type_member *members;
	size_t n;

	if (type->kind != TYPE_REFERENCE || !type_strip(type->target)->is_const)
		return NULL;
	type = symbols_complete(context->access.symbols, type_strip(type->target));
	if (!type->name || strncmp(type->name, name, sizeof(name) - 1) != 0 ||
	    type->is_incomplete || type->size != 1)
		return NULL;

	_cleanup_error_ struct dc_error *err = type_members(type, &members, &n);

	for (size_t i = 0; !err && i < n; i++) {
		if (!members[i].is_base)
			return NULL;
	}
	return err ? NULL : type;
}

static void add_way(struct ways *ways, const struct method *method, const struct type *type,
		    const struct type *allocator)
{
	if (ways->n == CONSTRUCTORS_MAX)
		return;
	ways->list[ways->n] = *method;
	ways->list[ways->n].function.type = type;
	ways->whole[ways->n] = method;
	ways->allocator[ways->n++] = allocator;
}

static struct dc_error *find_ways(struct context *context, const struct type *class,
				  bool is_implicit, struct ways *ret)
{
	const struct method *list;
	size_t n;
	struct dc_error *err = symbols_constructors(context->access.symbols, class, &list, &n);

	ret->n = 0;
	for (size_t i = 0; !err && i < n; i++) {
		const struct type *type = list[i].function.type;
		const struct type_param *params;
		size_t nr_params;

		if (!type || list[i].is_copy || (is_implicit && list[i].is_explicit))
			continue;
		add_way(ret, &list[i], type, NULL);
		err = type_params(type, &params, &nr_params);

		const struct type *allocator = !err && nr_params > 1
						       ? default_allocator(
								 context,
								 params[nr_params - 1].type)
						       : NULL;

		if (!allocator)
			continue;
		type = types_function(context->basics.types, type->target, params, nr_params - 1,
				      false, true);
		if (!type)
			return &dc_out_of_memory;
		add_way(ret, &list[i], type, allocator);
	}
	return err;
}

static bool has_constructors(struct context *context, const struct type *class)
{
	const struct method *list;
	size_t n;
	_cleanup_error_ struct dc_error *err = symbols_constructors(context->access.symbols, class,
								    &list, &n);

	for (size_t i = 0; !err && i < n; i++) {
		if (!list[i].is_copy)
			return true;
	}
	return false;
}

// ---- making one ----

// *ret NULL: that takes a run to know.
static struct dc_error *choose(struct context *context, const struct node *node,
			       const struct type *class, struct node *const *args, size_t n,
			       bool is_implicit, struct ways *ways, const struct method **ret)
{
	struct node callee = { .kind = NODE_MEMBER, .column = node->column, .member = class->name };
	struct node call = { .kind = NODE_CALL, .column = node->column };
	bool was_converting = context->is_converting;
	struct dc_error *err = find_ways(context, class, is_implicit, ways);

	if (err)
		return err;
	if (!ways->n && is_implicit)
		return type_error(
			"no object of '%s' is made by itself: it has no constructor for that",
			class, NULL);
	if (!ways->n)
		return type_error("no object of '%s' is made: no constructor of it is known", class,
				  NULL);
	call.call.callee = &callee;
	call.call.args = (struct node **)args;
	call.call.nr_args = n;
	// Of an argument that becomes an object by itself nothing else is made before.
	context->is_converting |= is_implicit;
	err = overload_choose_constructor(context, &call, class, ways->list, ways->n, ret);
	context->is_converting = was_converting;
	return err;
}

static struct dc_error *run_constructor(struct context *context, const struct node *node,
					const struct method *method, const struct type *allocator,
					const struct value *object, struct node *const *args,
					size_t n)
{
	_cleanup_value_ struct value nothing = { 0 },
				     held = { .type = allocator, .lvalue = LVALUE_LITERAL };
	struct resolution what = { .kind = NAME_FUNCTION,
				   .function = method->function,
				   .type = method->function.type };
	struct node callee = { .kind = NODE_NAME, .column = node->column };
	struct node call = { .kind = NODE_CALL, .column = node->column };
	struct node made = { .kind = NODE_VALUE, .column = node->column };
	struct node behind = { .kind = NODE_VALUE, .column = node->column };
	_cleanup_free_ struct node **list = calloc(n + 2, sizeof(*list));
	struct dc_error *err = list ? NULL : &dc_out_of_memory;

	if (!err && !method->function.addr && !method->function.no_call)
		err = error_make(
			DC_VALUE,
			"the constructor of '%s' that takes this was inlined everywhere, or "
			"never used: there is no code to call",
			method->function.name);
	if (!err && allocator)
		err = value_set(&held, NULL, allocator->size);
	if (err)
		return err;
	made.value = object;
	behind.value = &held;
	list[0] = &made;
	memcpy(list + 1, args, n * sizeof(*list));
	if (allocator)
		list[n + 1] = &behind;
	callee.name = method->function.name;
	callee.what = &what;
	// What a call has made is known to be called already.
	call.chosen = node->kind == NODE_CALL ? NULL : node->chosen;
	call.call.callee = &callee;
	call.call.args = list;
	call.call.nr_args = n + 1 + (allocator != NULL);
	err = invoke(context, &call, NULL, &nothing);
	// What is kept of the callee must live as long as the expression.
	if (call.chosen && call.chosen->function == &what.function)
		call.chosen->function = &method->function;
	return err;
}

static struct dc_error *make(struct context *context, const struct node *node,
			     const struct type *type, struct node *const *args, size_t n,
			     bool is_implicit, struct value *ret)
{
	const struct type *class = symbols_complete(context->access.symbols, type_strip(type));
	_cleanup_free_ struct ways *ways = calloc(1, sizeof(*ways));
	const struct method *chosen = NULL;
	struct function end;
	struct dc_error *err = ways ? choose(context, node, class, args, n, is_implicit, ways,
					     &chosen)
				    : &dc_out_of_memory;

	if (!err)
		err = temporary_begin(context, type, &end, ret);
	if (err || !chosen)
		return err;

	size_t which = (size_t)(chosen - ways->list);

	err = run_constructor(context, node, ways->whole[which], ways->allocator[which], ret, args,
			      n);
	return err ? err : temporary_end(context, type, ret->addr, &end);
}

// ---- T(a, b) and T{a, b} ----

// A list's entries as arguments; NULL: some of them say where they belong.
static struct node **list_arguments(const struct node *list, size_t *n)
{
	struct node **args = calloc(list->list.nr_items + 1, sizeof(*args));

	*n = 0;
	for (const struct item *item = list->list.items; args && item; item = item->next) {
		if (item->designators) {
			free(args);
			return NULL;
		}
		args[(*n)++] = item->value;
	}
	return args;
}

static struct dc_error *make_of_list(struct context *context, const struct node *node,
				     const struct type *type, const struct node *list,
				     bool is_implicit, struct value *ret)
{
	size_t n;
	_cleanup_free_ struct node **args = list_arguments(list, &n);

	if (!args)
		return type_error("'%s' has constructors, whose arguments have no names", type,
				  NULL);
	return make(context, node, type, args, n, is_implicit, ret);
}

// Without constructors its members are listed, or all of them are zero.
static struct dc_error *make_plain(struct context *context, const struct node *node,
				   const struct type *class, const struct node *list,
				   struct value *ret)
{
	static const struct node nothing = { .kind = NODE_LIST };

	if (class->is_nontrivial)
		return type_error(
			"an object of '%s' is made by code that is not there to be called", class,
			NULL);
	return initialize(context, list ? list : &nothing, node->type, ret);
}

// The one argument is such an object, or one of a class derived from it: it is copied.
static struct dc_error *is_copied(struct context *context, const struct type *class,
				  struct node *const *args, size_t n, bool *ret)
{
	_cleanup_value_ struct value value = { 0 };
	enum eval_mode mode = context->mode;
	struct dc_error *err = NULL;

	*ret = false;
	if (n != 1 || args[0]->kind == NODE_LIST || args[0]->kind == NODE_MEMBER_ADDRESS)
		return NULL;
	context->mode = EVAL_TYPE;
	err = eval_node(context, args[0], &value);
	if (!err)
		err = convert_referred(context, &value);
	context->mode = mode;
	if (!err && !value_unknown(&value) && type_is_record(value.type))
		*ret = convert_same_object(context, value.type, class) ||
		       class_has_base(context, value.type, class);
	return err;
}

static struct dc_error *copy(struct context *context, const struct node *arg,
			     const struct type *type, struct value *ret)
{
	if (temporary_is_wanted(context, type))
		return temporary_argument(context, arg, type, "the object", ret);

	struct dc_error *err = eval_node(context, arg, ret);

	return err ? err : convert_assign(context, ret, type, "the object");
}

struct dc_error *construct_object(struct context *context, const struct node *node,
				  struct value *ret)
{
	const struct type *class = symbols_complete(context->access.symbols,
						    type_strip(node->type));
	const struct node *list = node->call.callee;
	_cleanup_free_ struct node **own = NULL;
	struct node **args = node->call.args;
	size_t n = node->call.nr_args;
	bool copies = false;
	struct dc_error *err;

	if (class->is_incomplete)
		return type_error("'%s' is incomplete: no object of it can be made", node->type,
				  NULL);
	if (list) {
		own = list_arguments(list, &n);
		args = own;
	}
	if (args || !n) {
		err = is_copied(context, class, args, n, &copies);
		if (err)
			return err;
	}
	if (copies)
		return copy(context, args[0], node->type, ret);
	if (!has_constructors(context, class)) {
		if (!list && n)
			return type_error("'%s' has no constructors: write '%s{…}'", class, class);
		return make_plain(context, node, class, list, ret);
	}
	return list ? make_of_list(context, node, node->type, list, false, ret)
		    : make(context, node, node->type, args, n, false, ret);
}

// ---- by itself ----

// The class that a parameter takes an object of, also one that is made for it. NULL: none.
static const struct type *class_taken(struct context *context, const struct type *param)
{
	const struct type *type = type_strip(param);

	if (type->kind == TYPE_REFERENCE) {
		if (!type->is_rvalue && !type_strip(type->target)->is_const)
			return NULL;
		type = type_strip(type->target);
	}
	type = symbols_complete(context->access.symbols, type);
	return type_is_record(type) && !type->is_incomplete && type->name && !type->tag ? type
											: NULL;
}

static bool is_made(struct context *context, const struct node *node, const struct type *class)
{
	struct node *args[] = { (struct node *)node };
	_cleanup_free_ struct ways *ways = calloc(1, sizeof(*ways));
	const struct method *chosen;
	_cleanup_error_ struct dc_error *err = ways ? choose(context, node, class, args, 1, true,
							     ways, &chosen)
						    : &dc_out_of_memory;

	return !err;
}

bool construct_fits(struct context *context, const struct node *node, const struct value *arg,
		    const struct type *param)
{
	const struct type *class = class_taken(context, param);
	bool is_object = arg->type && type_is_record(arg->type);

	if (context->is_converting || !arg->type || value_unknown(arg))
		return false;
	if (is_object && operators_converts(context, arg, class ? class : param))
		return true;
	return class && is_made(context, node, class);
}

static struct dc_error *make_argument(struct context *context, const struct node *node,
				      const struct value *arg, const struct type *class,
				      struct value *ret)
{
	struct node *args[] = { (struct node *)node };
	bool done;

	if (node->kind == NODE_LIST)
		return make_of_list(context, node, class, node, true, ret);
	if (!type_is_record(arg->type) || !operators_converts(context, arg, class))
		return make(context, node, class, args, 1, true, ret);

	struct dc_error *err = eval_node(context, node, ret);

	return err ? err : operators_convert(context, node, ret, class, &done);
}

// Evaluated for its type alone. false: it has none yet.
static bool type_of_argument(struct context *context, const struct node *node, struct value *ret)
{
	enum eval_mode mode = context->mode;

	context->mode = EVAL_TYPE;

	struct dc_error *err = eval_node(context, node, ret);

	if (!err)
		err = convert_referred(context, ret);
	context->mode = mode;
	dc_error_destroy(err);
	return !err && !value_unknown(ret);
}

static bool is_as_wanted(struct context *context, const struct value *arg, const struct type *class)
{
	return type_is_record(arg->type) && (convert_same_object(context, arg->type, class) ||
					     class_has_base(context, arg->type, class));
}

struct dc_error *construct_argument(struct context *context, const struct node *node,
				    const struct type *param, const char *what, struct value *ret,
				    bool *done)
{
	const struct type *class = class_taken(context, param);
	_cleanup_value_ struct value arg = { 0 };
	struct dc_error *err;

	*done = false;
	if (node->kind == NODE_MEMBER_ADDRESS)
		return NULL;
	if (node->kind == NODE_LIST) {
		*done = class && has_constructors(context, class);
		if (!*done)
			return NULL;
	} else if (!type_of_argument(context, node, &arg) ||
		   (class && is_as_wanted(context, &arg, class)) ||
		   (!class && !(type_is_record(arg.type) && type_is_scalar(param)))) {
		return NULL;
	}
	if (!class) {
		// A number or a pointer, by a conversion of the argument's class.
		if (!operators_converts(context, &arg, param))
			return NULL;
		err = eval_node(context, node, ret);
		if (!err)
			err = operators_convert(context, node, ret, param, done);
		*done = true;
		return err ? err : convert_assign(context, ret, param, what);
	}
	if (node->kind != NODE_LIST && !construct_fits(context, node, &arg, param))
		return NULL;
	*done = true;
	err = make_argument(context, node, &arg, class, ret);
	if (err)
		return err;
	if (type_strip(param)->kind == TYPE_REFERENCE)
		return convert_assign(context, ret, param, what);
	if (temporary_is_wanted(context, param)) {
		ret->type = param;
		return NULL;
	}
	return convert_assign(context, ret, param, what);
}
