// SPDX-License-Identifier: MIT
// C++'s overload resolution, as far as values without user-defined conversions need it: a candidate
// is taken when no other is better for any argument. Otherwise the candidates are listed.
#include "debugger/lang/cxx/rules.h"

#include "debugger/base/cleanup.h"

#include <string.h>

// How well an argument fits, from the best.
enum fit {
	FIT_SAME,
	FIT_QUALIFIED, // const or volatile added behind a pointer or reference: by how many
	FIT_PROMOTED = FIT_QUALIFIED + 4,
	FIT_CONVERTED, // to a base class: the nearer, the better
	FIT_VOID = FIT_CONVERTED + 100, // a pointer to an object as one to anything
	FIT_BOOL, // a pointer as a truth value
	FIT_MADE, // an object is made of it, or it converts itself
	FIT_ADDRESS, // an integer as a pointer, which users of a debugger write
	FIT_ELLIPSIS,
	FIT_NEVER,
};

struct candidate {
	const struct function *function;
	const struct method *method; // with its object apart
	bool takes_object; // as its first argument
	bool is_viable;
	enum fit *fit;
};

struct candidates {
	struct candidate *list;
	size_t n;
	struct value *args; // types only
	const struct node *call;
	const char *name;
	const struct type *object; // that a method is called on
	bool is_object; // it has a place; else it is a value
};

static void cleanup_candidates(struct candidates *candidates)
{
	for (size_t i = 0; candidates->list && i < candidates->n; i++)
		free(candidates->list[i].fit);
	free(candidates->list);
	for (size_t i = 0; candidates->args && i < candidates->call->call.nr_args; i++)
		value_deinit(&candidates->args[i]);
	free(candidates->args);
}

static struct dc_error *list_candidates(const struct candidates *candidates, struct dc_error *err)
{
	enum { MAX_SHOWN = 10 };

	for (size_t i = 0; i < candidates->n && i < MAX_SHOWN; i++)
		err = error_note(err, "candidate: %s", candidates->list[i].function->name);
	if (candidates->n > MAX_SHOWN)
		err = error_note(err, "and %zu more", candidates->n - MAX_SHOWN);
	return err;
}

// ---- one argument ----

// wanted has no fewer qualifiers.
static enum fit fit_qualified(bool is_const, bool is_volatile, const struct type *wanted)
{
	int added = (wanted->is_const > is_const) + (wanted->is_volatile > is_volatile);

	return added ? FIT_QUALIFIED + added - 1 : FIT_SAME;
}

static enum fit fit_base(struct context *context, const struct type *class, const struct type *base)
{
	unsigned distance = class_distance(context, class, base);

	return distance ? FIT_CONVERTED + distance : FIT_NEVER;
}

static enum fit fit_pointer(struct context *context, const struct type *from, const struct type *to,
			    bool is_literal)
{
	const struct type *its = type_strip(from->target), *wanted = type_strip(to->target);
	bool is_const = its->is_const || is_literal;

	if (its->is_volatile > wanted->is_volatile || is_const > wanted->is_const)
		return FIT_NEVER;
	if (type_equal(its, wanted))
		return fit_qualified(is_const, its->is_volatile, wanted);
	if (wanted->kind == TYPE_VOID)
		return FIT_VOID;
	return fit_base(context, its, wanted);
}

static enum fit fit_scalar(struct context *context, const struct value *arg, const struct type *to,
			   bool is_literal)
{
	const struct type *from = type_strip(arg->type);

	if (from->kind == TYPE_POINTER && to->kind == TYPE_POINTER)
		return fit_pointer(context, from, to, is_literal);
	if (type_equal(from, to))
		return FIT_SAME;
	if (from->kind == TYPE_POINTER)
		return to->kind == TYPE_BOOL ? FIT_BOOL : FIT_NEVER;
	if (to->kind == TYPE_POINTER)
		return type_is_integer(from) ? FIT_ADDRESS : FIT_NEVER;
	if (!type_is_arithmetic(from) || !type_is_arithmetic(to) || to->kind == TYPE_ENUM)
		return FIT_NEVER;
	if (type_equal(type_strip(convert_promoted(context, arg)), to) ||
	    (from->kind == TYPE_FLOAT && from->format == FLOAT_32 && to->kind == TYPE_FLOAT &&
	     to->format == FLOAT_64))
		return FIT_PROMOTED;
	return FIT_CONVERTED;
}

static enum fit fit_reference(struct context *context, const struct value *arg,
			      const struct type *reference)
{
	const struct type *from = type_strip(arg->type), *to = type_strip(reference->target);
	bool is_object = arg->lvalue == LVALUE_MEMORY && !arg->is_temporary;

	// A value goes to && before it goes to const &; an object does not go there.
	if (reference->is_rvalue && type_equal(from, to))
		return is_object ? FIT_NEVER : FIT_SAME;
	if (is_object && (from->is_const > to->is_const || from->is_volatile > to->is_volatile))
		return FIT_NEVER;
	if (type_equal(from, to))
		return !is_object && !to->is_const
			       ? FIT_NEVER
			       : fit_qualified(from->is_const, from->is_volatile, to) +
					 (!is_object ? FIT_QUALIFIED : FIT_SAME);
	if (type_is_record(from) && type_is_record(to))
		return fit_base(context, from, to);
	return to->is_const && type_is_scalar(to) ? fit_scalar(context, arg, to, false) : FIT_NEVER;
}

static enum fit fit_member(struct context *context, const struct value *arg, const struct type *to)
{
	struct value pointer = { .type = arg->type };
	_cleanup_error_ struct dc_error *err = convert_assign(context, &pointer, to, "");

	return err ? FIT_NEVER : to->kind == TYPE_BOOL ? FIT_BOOL : FIT_CONVERTED;
}

// to: the type of the method's pointer to its object.
static enum fit fit_object(struct context *context, const struct type *object,
			   const struct type *to)
{
	const struct type *from = type_strip(object), *class = type_strip(to->target);

	if (from->is_const > class->is_const || from->is_volatile > class->is_volatile)
		return FIT_NEVER;
	if (type_equal(from, class))
		return fit_qualified(from->is_const, from->is_volatile, class);
	return fit_base(context, from, class);
}

// is_this: the argument is the object of a method.
static enum fit fit_plainly(struct context *context, const struct node *node,
			    const struct value *arg, const struct type_param *param, bool is_this)
{
	const struct type *to = type_strip(param->type);

	if (text_argument_fits(context, node, param->type))
		return FIT_MADE;
	if (node->kind == NODE_MEMBER_ADDRESS)
		return member_pointer_fits(context, node, param->type) ? FIT_SAME : FIT_NEVER;
	if (node->kind == NODE_LIST)
		return type_is_record(to) ? FIT_CONVERTED : FIT_NEVER;
	// NULL and nullptr are pointers of every type.
	if (node->kind == NODE_NAME && node->what->kind == NAME_CONSTANT &&
	    node->what->type->kind == TYPE_POINTER &&
	    (to->kind == TYPE_POINTER || to->kind == TYPE_MEMBER))
		return FIT_CONVERTED;
	// An object where a method wants its address.
	if (is_this && to->kind == TYPE_POINTER && type_is_record(arg->type))
		return fit_object(context, arg->type, to);
	if (to->kind == TYPE_REFERENCE)
		return fit_reference(context, arg, to);

	struct value decayed = { .type = type_strip(arg->type), .bit_size = arg->bit_size };

	if (decayed.type->kind == TYPE_ARRAY)
		decayed.type = types_pointer(context->basics.types, decayed.type->target);
	else if (decayed.type->kind == TYPE_FUNCTION)
		decayed.type = types_pointer(context->basics.types, arg->type);
	if (!decayed.type)
		return FIT_NEVER;
	if (decayed.type->kind == TYPE_MEMBER && !type_equal(decayed.type, to))
		return fit_member(context, &decayed, to);
	if (type_is_scalar(decayed.type) && type_is_scalar(to))
		return fit_scalar(context, &decayed, to, node->kind == NODE_STRING);
	return type_equal(symbols_complete(context->access.symbols, decayed.type),
			  symbols_complete(context->access.symbols, to))
		       ? FIT_SAME
		       : FIT_NEVER;
}

static enum fit fit_argument(struct context *context, const struct node *node,
			     const struct value *arg, const struct type_param *param, bool is_this)
{
	is_this |= param->name && !strcmp(param->name, "this");

	enum fit fit = fit_plainly(context, node, arg, param, is_this);

	if (fit <= FIT_MADE || is_this || !construct_fits(context, node, arg, param->type))
		return fit;
	return FIT_MADE;
}

// ---- all of them ----

static struct dc_error *rank(struct context *context, const struct candidates *candidates,
			     struct candidate *candidate)
{
	const struct node *call = candidates->call;
	const struct type *type = candidate->function->type;
	const struct type_param *params;
	size_t n, skipped = candidate->method && !candidate->method->is_static;
	struct dc_error *err;

	// The last one is the object's.
	candidate->fit = calloc(call->call.nr_args + 1, sizeof(*candidate->fit));
	if (!candidate->fit)
		return &dc_out_of_memory;
	// Without a prototype there is nothing to choose by.
	if (!type)
		return NULL;
	err = type_params(type, &params, &n);
	if (err || n < skipped)
		return err;
	if (skipped && type_strip(params[0].type)->kind == TYPE_POINTER)
		candidate->fit[call->call.nr_args] = fit_object(context, candidates->object,
								type_strip(params[0].type));
	// void f() & takes no values, void f() && nothing else.
	if (candidate->method && ((candidate->method->is_for_objects && !candidates->is_object) ||
				  (candidate->method->is_for_values && candidates->is_object)))
		candidate->fit[call->call.nr_args] = FIT_NEVER;
	params += skipped;
	n -= skipped;
	candidate->is_viable = (call->call.nr_args == n ||
				(call->call.nr_args > n && type->is_variadic)) &&
			       candidate->fit[call->call.nr_args] != FIT_NEVER;
	for (size_t i = 0; candidate->is_viable && i < call->call.nr_args; i++) {
		const struct value *arg = &candidates->args[i];

		if (i >= n)
			candidate->fit[i] = FIT_ELLIPSIS;
		else if (value_unknown(arg))
			candidate->fit[i] = FIT_SAME;
		else
			candidate->fit[i] = fit_argument(context, call->call.args[i], arg,
							 &params[i], !i && candidate->takes_object);
		if (candidate->fit[i] == FIT_NEVER)
			candidate->is_viable = false;
	}
	return NULL;
}

// Its full name, "int largest<int>(int, int)": template arguments right before the parameters.
static bool is_template(const char *name)
{
	int depth = 0;

	for (const char *at = name; *at && (*at != '(' || depth); at++) {
		depth += *at == '<';
		depth -= *at == '>';
		if (*at == '>' && !depth && at[1] == '(')
			return true;
	}
	return false;
}

static bool is_better(const struct candidate *a, const struct candidate *b, size_t n)
{
	bool better = false;

	for (size_t i = 0; i < n; i++) {
		if (a->fit[i] > b->fit[i])
			return false;
		better |= a->fit[i] < b->fit[i];
	}
	// Of two equal ones that which is no template is meant.
	return better || (!is_template(a->function->name) && is_template(b->function->name));
}

static struct dc_error *read_arguments(struct context *context, struct candidates *candidates,
				       bool *known)
{
	const struct node *call = candidates->call;
	enum eval_mode mode = context->mode;
	struct dc_error *err = NULL;

	*known = true;
	candidates->args = calloc(call->call.nr_args + 1, sizeof(*candidates->args));
	if (!candidates->args)
		return &dc_out_of_memory;
	context->mode = EVAL_TYPE;
	for (size_t i = 0; !err && i < call->call.nr_args; i++) {
		struct value *arg = &candidates->args[i];

		// These are whatever is wanted of them.
		if (call->call.args[i]->kind == NODE_LIST ||
		    call->call.args[i]->kind == NODE_MEMBER_ADDRESS)
			continue;
		err = eval_node(context, call->call.args[i], arg);
		if (!err && type_strip(arg->type)->kind == TYPE_REFERENCE) {
			arg->lvalue = type_strip(arg->type)->is_rvalue ? LVALUE_NONE
								       : LVALUE_MEMORY;
			arg->type = type_strip(arg->type)->target;
		}
		if (!err && value_unknown(arg))
			*known = false;
	}
	context->mode = mode;
	return err;
}

static struct dc_error *choose(struct context *context, struct candidates *candidates,
			       const struct candidate **ret)
{
	size_t nr_fits = candidates->call->call.nr_args + 1;
	struct candidate *best = NULL;
	bool known, has_types = false;
	struct dc_error *err = read_arguments(context, candidates, &known);

	*ret = NULL;
	for (size_t i = 0; !err && i < candidates->n; i++) {
		err = rank(context, candidates, &candidates->list[i]);
	}
	if (err)
		return err;
	for (size_t i = 0; i < candidates->n; i++) {
		struct candidate *candidate = &candidates->list[i];

		if (candidate->is_viable && (!best || is_better(candidate, best, nr_fits)))
			best = candidate;
	}
	// The winner of a round may still have an equal.
	for (size_t i = 0; best && i < candidates->n; i++) {
		struct candidate *candidate = &candidates->list[i];

		if (candidate != best && candidate->is_viable &&
		    !is_better(best, candidate, nr_fits)) {
			if (!known && context->mode != EVAL_RUN)
				return NULL;
			return list_candidates(
				candidates, error_make(DC_VALUE,
						       "the call of '%s' is ambiguous: write the "
						       "one that is meant in quotes, as "
						       "'%s'(…)",
						       candidates->name, best->function->name));
		}
	}
	*ret = best;
	if (best)
		return NULL;
	for (size_t i = 0; i < candidates->n && !has_types; i++)
		has_types = candidates->list[i].function->type != NULL;
	if (!has_types)
		return list_candidates(candidates,
				       error_make(DC_REFUSED,
						  "'%s' has no debug information to choose by: "
						  "write the one that is meant in quotes, with a "
						  "cast, as (int) '%s'(…)",
						  candidates->name,
						  candidates->list[0].function->name));
	return list_candidates(
		candidates, error_make(DC_TYPE, "no '%s' takes these arguments", candidates->name));
}

struct dc_error *overload_needs_call(const struct resolution *what, const char *name)
{
	struct dc_error *err = error_make(DC_VALUE,
					  "'%s' is overloaded: write the one that is meant in "
					  "quotes, as '%s'",
					  name, what->overloads[0].name);

	for (size_t i = 0; i < what->nr_overloads && i < 10; i++)
		err = error_note(err, "candidate: %s", what->overloads[i].name);
	return err;
}

struct dc_error *overload_choose(struct context *context, const struct node *call,
				 const struct function **ret)
{
	const struct node *callee = call->call.callee;
	_cleanup_(cleanup_candidates) struct candidates candidates = {
		.n = callee->what->nr_overloads, .call = call, .name = callee->name
	};
	const struct candidate *best;

	candidates.list = calloc(candidates.n, sizeof(*candidates.list));
	if (!candidates.list)
		return &dc_out_of_memory;
	for (size_t i = 0; i < candidates.n; i++)
		candidates.list[i].function = &callee->what->overloads[i];

	struct dc_error *err = choose(context, &candidates, &best);

	*ret = !err && best ? best->function : NULL;
	return err;
}

struct dc_error *overload_choose_method(struct context *context, const struct node *call,
					const struct value *object, const struct method *list,
					size_t n, const struct method **ret)
{
	_cleanup_(cleanup_candidates) struct candidates candidates = {
		.call = call,
		.name = call->call.callee->member,
		.object = object->type,
		.is_object = object->lvalue != LVALUE_NONE && !object->is_temporary,
		.n = n,
	};
	const struct candidate *best = NULL;

	candidates.list = calloc(n, sizeof(*candidates.list));
	if (!candidates.list)
		return &dc_out_of_memory;
	for (size_t i = 0; i < n; i++) {
		candidates.list[i].function = &list[i].function;
		candidates.list[i].method = &list[i];
	}

	// One needs no choice, and its own messages are better.
	struct dc_error *err = n > 1 ? choose(context, &candidates, &best) : NULL;

	*ret = err ? NULL : n == 1 ? &list[0] : best ? best->method : NULL;
	return err;
}

struct dc_error *overload_choose_constructor(struct context *context, const struct node *call,
					     const struct type *class, const struct method *list,
					     size_t n, const struct method **ret)
{
	_cleanup_(cleanup_candidates) struct candidates candidates = {
		.call = call, .name = class->name, .object = class, .is_object = true, .n = n
	};
	const struct candidate *best = NULL;

	candidates.list = calloc(n, sizeof(*candidates.list));
	if (!candidates.list)
		return &dc_out_of_memory;
	for (size_t i = 0; i < n; i++) {
		candidates.list[i].function = &list[i].function;
		candidates.list[i].method = &list[i];
	}

	struct dc_error *err = choose(context, &candidates, &best);

	*ret = !err && best ? best->method : NULL;
	return err;
}

struct dc_error *overload_choose_among(struct context *context, const struct node *call,
				       const char *name, const struct function *const *list,
				       const struct method *const *methods, size_t n, size_t *ret)
{
	_cleanup_(cleanup_candidates) struct candidates candidates = { .n = n,
								       .call = call,
								       .name = name };
	const struct candidate *best = NULL;

	candidates.list = calloc(n, sizeof(*candidates.list));
	if (!candidates.list)
		return &dc_out_of_memory;
	for (size_t i = 0; i < n; i++) {
		candidates.list[i].function = list[i];
		candidates.list[i].takes_object = methods[i] && !methods[i]->is_static;
	}

	struct dc_error *err = choose(context, &candidates, &best);

	if (!err && !best)
		err = error_make(DC_TYPE, "which '%s' is meant is known only when it runs", name);
	*ret = err ? 0 : (size_t)(best - candidates.list);
	return err;
}
