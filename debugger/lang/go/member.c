// SPDX-License-Identifier: MIT
// What is behind a point: fields and methods, of a type itself or of what it embeds, and those of
// what an interface holds.
#include "debugger/lang/go/go.h"

#include <stdio.h>
#include <string.h>

enum { EMBEDDED_MAX = 8 };

struct path {
	const struct type_member *step[EMBEDDED_MAX + 1];
	size_t n; // of the steps; the last one is the field, or what the method is of
	bool is_method;
};

static const struct type *pointee(const struct type *type)
{
	return go_kind(type) == GO_POINTER ? type_strip(type)->target : type;
}

// "net/http.Server" in its package and itself; a list of types may be behind it.
static bool split(const char *name, size_t *package)
{
	const char *end = strchr(name, '['), *slash = NULL, *dot;

	for (const char *at = name; at != end && *at; at++)
		if (*at == '/')
			slash = at;
	dot = strchr(slash ? slash : name, '.');
	if (!dot || (end && dot > end))
		return false;
	*package = (size_t)(dot - name);
	return true;
}

// Its symbol with, or without, a pointer as the receiver.
static const char *method_symbol(struct context *context, const struct type *type,
				 const char *method, bool takes_pointer)
{
	size_t package, size;
	char *symbol;

	if (!type->name || !go_is_named(type) || !split(type->name, &package))
		return NULL;
	size = strlen(type->name) + strlen(method) + 8;
	symbol = go_alloc(context, size);
	if (symbol)
		snprintf(symbol, size, takes_pointer ? "%.*s.(*%s).%s" : "%.*s.%s.%s", (int)package,
			 type->name, type->name + package + 1, method);
	return symbol;
}

bool go_find_method(struct context *context, const struct type *type, const char *name,
		    bool *takes_pointer, const struct function **ret)
{
	struct function function, *kept;
	const struct function *wrapper = NULL;
	bool wrapper_takes_pointer = false;

	type = pointee(type);
	for (int i = 0; i < 2; i++) {
		const char *symbol = method_symbol(context, type, name, i);

		if (!symbol || !symbols_named_function(context->symbols, symbol, &function))
			continue;
		kept = arena_alloc(context->expression ? &context->expression->arena
						       : &context->arena,
				   sizeof(*kept));
		if (!kept)
			return false;
		// The symbol has the address, the debug information the rest.
		if (!symbols_function_at(context->symbols, function.addr, kept))
			*kept = function;
		kept->name = function.name;
		// What it is around can be called itself, as a part of the value.
		if (kept->no_call && !wrapper) {
			wrapper = kept;
			wrapper_takes_pointer = i;
		}
		if (kept->no_call)
			continue;
		*takes_pointer = i;
		*ret = kept;
		return true;
	}
	*takes_pointer = wrapper_takes_pointer;
	*ret = wrapper;
	return false;
}

// How often the name is there so deep; 1: path leads to it.
static unsigned search(struct context *context, const struct type *type, const char *name,
		       size_t depth, struct path *path)
{
	const struct type_member *members;
	const struct function *function;
	bool takes_pointer;
	unsigned found = 0;
	size_t n, at = path->n;
	struct dc_error *err;

	type = pointee(type);
	if (!depth && at && !go_is_interface(type) &&
	    go_find_method(context, type, name, &takes_pointer, &function)) {
		path->is_method = true;
		return 1;
	}
	if (!depth && at && go_is_interface(type)) {
		path->is_method = true;
		return 1;
	}
	if (go_kind(type) != GO_STRUCT)
		return 0;
	err = type_members(type_strip(type), &members, &n);
	dc_error_destroy(err);
	for (size_t i = 0; !err && i < n; i++) {
		struct path below = *path;
		unsigned here = 0;

		below.step[below.n++] = &members[i];
		if (!depth)
			here = members[i].name && !strcmp(members[i].name, name);
		else if (members[i].is_embedded)
			here = search(context, members[i].type, name, depth - 1, &below);
		if (here == 1 && !found)
			*path = below;
		else if (here)
			path->n = at;
		found += here;
	}
	return found;
}

static struct dc_error *undefined(struct context *context, const struct node *node,
				  const struct operand *operand, const char *name)
{
	struct dc_error *err = error_make(
		DC_NAME, "%s undefined (type %s has no field or method %s)",
		go_source(context, node), go_spelling(context, operand->type), name);
	const struct type_member *members;
	size_t n;
	struct dc_error *none = type_members(type_strip(pointee(operand->type)), &members, &n);

	if (!none && n && n <= 40 && go_kind(pointee(operand->type)) == GO_STRUCT) {
		char list[512];
		size_t used = 0;

		for (size_t i = 0; i < n && used < sizeof(list) - 64; i++)
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
						 i ? ", " : "", members[i].name);
		err = error_note(err, "its fields are %s", list);
	}
	dc_error_destroy(none);
	if (strchr(pointee(operand->type)->name ?: "", '['))
		err = error_note(err, "methods of generic types share their code, which cannot be "
				      "called from here");
	return error_at(err, node->start);
}

static struct dc_error *nil_dereference(const struct node *node)
{
	return error_at(error_make(DC_VALUE, "invalid memory address or nil pointer dereference"),
			node->start);
}

// The object itself, where the operand is a pointer to it.
static struct dc_error *follow(struct context *context, const struct node *node,
			       struct operand *operand)
{
	struct dc_error *err;

	if (go_kind(operand->type) != GO_POINTER)
		return NULL;
	err = go_load(context, operand);
	if (err)
		return err;
	if (!operand->bytes) {
		*operand = go_bytes(pointee(operand->type), NULL);
		return NULL;
	}
	if (!go_word(operand, 0))
		return nil_dereference(node);
	*operand = go_object(pointee(operand->type), go_word(operand, 0));
	return NULL;
}

static struct dc_error *bind(struct context *context, const struct node *node,
			     const struct function *function, bool takes_pointer,
			     struct operand *receiver, struct operand *ret)
{
	const char *name = node->text;
	bool is_pointer = go_kind(receiver->type) == GO_POINTER;
	struct operand *kept = go_alloc(context, sizeof(*kept));
	struct dc_error *err = NULL;

	if (!kept)
		return &dc_out_of_memory;
	if (takes_pointer && !is_pointer) {
		const struct type *pointer = types_pointer(context->types, receiver->type);
		unsigned char *bytes = go_alloc(context, sizeof(uint64_t));

		if (!pointer || !bytes)
			return &dc_out_of_memory;
		if (!receiver->is_object && (receiver->bytes || context->runs))
			return error_at(error_make(DC_TYPE, "cannot call pointer method %s on %s",
						   name, go_spelling(context, receiver->type)),
					node->start);
		memcpy(bytes, &receiver->addr, sizeof(uint64_t));
		bool on_stack = receiver->on_stack;

		*receiver = go_bytes(pointer, receiver->is_object ? bytes : NULL);
		receiver->to_stack = on_stack;
		receiver->node = node;
	} else if (!takes_pointer) {
		err = follow(context, node, receiver);
	}
	*kept = *receiver;
	*ret = (struct operand){ .mode = OPERAND_METHOD,
				 .type = function->type,
				 .function = function,
				 .addr = function->addr,
				 .list = kept,
				 .nr_list = 1,
				 .node = node };
	return err;
}

// The method of what the interface holds now.
static struct dc_error *select_dynamic(struct context *context, const struct node *node,
				       struct operand *operand, const char *name,
				       struct operand *ret)
{
	struct operand held;
	bool known;
	struct dc_error *err = go_dynamic(context, operand, &known, &held);

	if (err)
		return error_at(err, node->start);
	if (!known) {
		*ret = (struct operand){ .mode = OPERAND_UNKNOWN, .node = node };
		return NULL;
	}
	if (!held.type)
		return nil_dereference(node);
	return go_select(context, node, &held, name, ret);
}

// It may be in the source and not in the program.
static struct dc_error *not_in_program(struct context *context, const struct node *node,
				       const struct operand *operand, const char *name)
{
	const struct type *type = pointee(operand->type);
	struct function function;

	for (int i = 0; i < 2; i++) {
		const char *symbol = method_symbol(context, type, name, i);
		struct dc_error *err = symbol ? symbols_lookup_function(context->symbols, NULL,
									symbol, &function)
					      : NULL;

		if (err && err->code == DC_VALUE)
			return error_at(err, node->start);
		dc_error_destroy(err);
	}
	return undefined(context, node, operand, name);
}

struct dc_error *go_select(struct context *context, const struct node *node,
			   struct operand *operand, const char *name, struct operand *ret)
{
	const struct function *function;
	struct path path = { .n = 0 };
	unsigned found = 0;
	bool takes_pointer;
	struct dc_error *err = NULL;

	if (operand->mode == OPERAND_UNKNOWN) {
		*ret = *operand;
		return NULL;
	}
	if (go_is_interface(operand->type))
		return select_dynamic(context, node, operand, name, ret);
	if (go_find_method(context, operand->type, name, &takes_pointer, &function))
		return bind(context, node, function, takes_pointer, operand, ret);
	for (size_t depth = 0; depth < EMBEDDED_MAX && !found; depth++) {
		path = (struct path){ .n = 0 };
		found = search(context, operand->type, name, depth, &path);
	}
	// It alone is there.
	if (!found && function)
		return bind(context, node, function, takes_pointer, operand, ret);
	if (!found)
		return not_in_program(context, node, operand, name);
	if (found > 1)
		return error_at(
			error_make(DC_NAME, "ambiguous selector %s", go_source(context, node)),
			node->start);
	*ret = *operand;
	for (size_t i = 0; i < path.n && !err; i++) {
		err = follow(context, node, ret);
		if (!err)
			*ret = go_part(ret, path.step[i]->type, path.step[i]->offset);
	}
	ret->node = node;
	if (err || !path.is_method)
		return err;

	struct operand embedded = *ret;

	return go_select(context, node, &embedded, name, ret);
}
