// SPDX-License-Identifier: MIT
// Objects that an expression makes: arguments and results of classes that say themselves how they are
// copied and destroyed. They lie in the target until the expression is over.
#include "debugger/lang/cxx/rules.h"

#include <string.h>

bool temporary_is_wanted(struct context *context, const struct type *param)
{
	const struct type *type = type_strip(param);

	return type_is_record(type) &&
	       symbols_complete(context->access.symbols, type)->is_nontrivial;
}

static struct dc_error *make_room(struct context *context, const struct type *type, uint64_t *addr)
{
	const struct caller *caller = context->access.caller;

	if (!caller || !caller->room)
		return type_error("no object of '%s' can be made here", type, NULL);
	return caller->room(caller->arg, type, addr);
}

static struct value object_at(const struct type *type, uint64_t addr)
{
	return (struct value){
		.type = type, .lvalue = LVALUE_MEMORY, .addr = addr, .is_temporary = true
	};
}

// ---- how it is made and ended ----

struct maker {
	struct function copy, end; // addr 0: nothing is called for it
};

static struct dc_error *find_end(struct context *context, const struct type *type,
				 struct function *ret)
{
	bool is_needed;

	return symbols_special(context->access.symbols, type, OBJECT_DESTROY, ret, &is_needed);
}

static struct dc_error *find_maker(struct context *context, const struct type *type,
				   bool is_offered, struct maker *ret)
{
	struct symbols *symbols = context->access.symbols;
	struct dc_error *err = NULL;
	bool is_needed, is_moved = is_offered;

	if (is_offered) {
		err = symbols_special(symbols, type, OBJECT_MOVE, &ret->copy, &is_needed);
		is_moved = !err;
		dc_error_destroy(err);
	}
	if (!is_moved)
		err = symbols_special(symbols, type, OBJECT_COPY, &ret->copy, &is_needed);
	if (err)
		return is_offered ? err
				  : error_note(err, "static_cast<T &&>(object) gives the object "
						    "itself away, where that is meant");
	return find_end(context, type, &ret->end);
}

// void (void *, const void *)
static struct dc_error *call_maker(struct context *context, const struct function *maker,
				   uint64_t addr, uint64_t source)
{
	const struct caller *caller = context->access.caller;
	struct types *types = context->basics.types;
	const struct type *pointer = types_pointer(types, context->basics.list[BASIC_VOID]);
	const struct type_param params[2] = { { .type = pointer }, { .type = pointer } };
	const struct type *type = pointer ? types_function(types, context->basics.list[BASIC_VOID],
							   params, 2, false, true)
					  : NULL;
	struct value args[2] = {
		{ .type = pointer, .bytes = (unsigned char *)&addr },
		{ .type = pointer, .bytes = (unsigned char *)&source },
	};
	const struct typed_call request = { .addr = maker->addr,
					    .name = maker->name,
					    .type = type,
					    .args = args,
					    .nr_args = 2,
					    .has_objects = true };
	_cleanup_value_ struct value nothing = { 0 };

	return type ? caller->call(caller->arg, &request, &nothing) : &dc_out_of_memory;
}

static struct dc_error *copy_bytes(struct context *context, const struct type *type, uint64_t addr,
				   uint64_t source)
{
	const struct caller *caller = context->access.caller;
	_cleanup_value_ struct value bytes = { .type = type,
					       .lvalue = LVALUE_MEMORY,
					       .addr = source };
	struct dc_error *err = lvalue_load(&context->access, &bytes);

	return err ? err : caller->write(caller->arg, addr, bytes.bytes, type_strip(type)->size);
}

static struct dc_error *end_later(struct context *context, const struct type *type, uint64_t addr,
				  const struct function *end)
{
	const struct caller *caller = context->access.caller;

	return end->addr ? caller->end_later(caller->arg, addr, end, type) : NULL;
}

static struct dc_error *make_of(struct context *context, const struct maker *maker,
				const struct type *type, uint64_t source, uint64_t *addr)
{
	struct dc_error *err = make_room(context, type, addr);

	if (!err && maker->copy.addr)
		err = call_maker(context, &maker->copy, *addr, source);
	else if (!err)
		err = copy_bytes(context, type, *addr, source);
	return err ? err : end_later(context, type, *addr, &maker->end);
}

// ---- arguments ----

static struct dc_error *source_address(struct context *context, struct value *object,
				       const struct type *type, uint64_t *addr)
{
	_cleanup_value_ struct value address = { 0 };
	struct dc_error *err = object_address(context, object, &address);

	if (!err && !convert_same_object(context, object->type, type))
		err = class_to_base(context, &address, object->type, type);
	if (!err && address.bytes)
		memcpy(addr, address.bytes, sizeof(*addr));
	return err;
}

struct dc_error *temporary_argument(struct context *context, const struct node *node,
				    const struct type *type, const char *what, struct value *ret)
{
	const struct type *class = symbols_complete(context->access.symbols, type_strip(type));
	_cleanup_value_ struct value object = { 0 };
	struct maker maker = { 0 };
	uint64_t addr = 0, source = 0;
	struct dc_error *err;

	*ret = object_at(type, 0);
	if (node->kind == NODE_LIST)
		return type_error(
			"no object of '%s' is made of a list: it has no constructors, and "
			"no code that makes it is there to be called",
			type, NULL);
	err = eval_node(context, node, &object);
	if (err || value_unknown(&object))
		return err;

	bool is_offered = type_strip(object.type)->kind == TYPE_REFERENCE &&
			  type_strip(object.type)->is_rvalue;

	err = convert_referred(context, &object);
	if (err)
		return err;
	// What a call has just made is not copied once more.
	if (object.is_temporary && !object.keepsake &&
	    convert_same_object(context, object.type, class)) {
		ret->addr = object.addr;
		return NULL;
	}
	if (!convert_same_object(context, object.type, class) &&
	    !class_has_base(context, object.type, class))
		return convert_refused(&object, type, what);
	err = find_maker(context, class, is_offered || object.is_temporary, &maker);
	if (!err)
		err = source_address(context, &object, class, &source);
	if (err || context->mode != EVAL_RUN)
		return err;
	err = make_of(context, &maker, class, source, &addr);
	ret->addr = addr;
	return err;
}

// ---- made of other values ----

struct dc_error *temporary_begin(struct context *context, const struct type *type,
				 struct function *end, struct value *ret)
{
	const struct type *class = symbols_complete(context->access.symbols, type_strip(type));
	struct dc_error *err = context->mode == EVAL_TYPE ? NULL : find_end(context, class, end);

	*ret = object_at(type, 0);
	return err || context->mode != EVAL_RUN ? err : make_room(context, class, &ret->addr);
}

struct dc_error *temporary_end(struct context *context, const struct type *type, uint64_t addr,
			       const struct function *end)
{
	const struct type *class = symbols_complete(context->access.symbols, type_strip(type));

	return context->mode == EVAL_RUN ? end_later(context, class, addr, end) : NULL;
}

// ---- results ----

struct dc_error *temporary_result(struct context *context, const struct type *type,
				  struct typed_call *request, struct value *ret)
{
	const struct type *class = symbols_complete(context->access.symbols, type_strip(type));
	const struct caller *caller = context->access.caller;
	struct function end;
	struct dc_error *err = context->mode == EVAL_TYPE ? NULL : find_end(context, class, &end);

	*ret = object_at(type, 0);
	if (err || !request)
		return err;
	request->has_objects = true;
	request->is_whole = false;
	err = make_room(context, class, &request->result_at);
	if (!err)
		err = caller->call(caller->arg, request, ret);
	*ret = object_at(type, request->result_at);
	return err ? err : end_later(context, class, request->result_at, &end);
}
