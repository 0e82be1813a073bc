// SPDX-License-Identifier: MIT
// Classes and their bases: where a base lies, pointers between them, members that are inherited.
#include "debugger/lang/cxx/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Deeper than any class: a damaged file can make one its own base.
enum { DEPTH_MAX = 64 };

// The way from a class to one of its bases, and whether there is more than one such base.
struct path {
	const struct type_member *steps[DEPTH_MAX];
	size_t n;
	// What tells a base from another of its type: the last virtual base on the way, and the
	// distance from there.
	const struct type *from;
	uint64_t offset;
	bool found, is_ambiguous, is_virtual;
};

struct search {
	struct context *context;
	const struct type *base;
	const struct type_member *steps[DEPTH_MAX]; // as far as it has come
	unsigned budget; // of a damaged file every class could have many bases
	struct path *path;
};

static void take_path(struct search *search, size_t n, const struct type *from, uint64_t offset)
{
	struct path *path = search->path;

	if (path->found) {
		path->is_ambiguous |= offset != path->offset || !path->from != !from ||
				      (from && !type_equal(from, path->from));
		return;
	}
	*path = (struct path){ .n = n, .from = from, .offset = offset, .found = true };
	memcpy(path->steps, search->steps, n * sizeof(*path->steps));
	path->is_virtual = from != NULL;
}

static struct dc_error *search_path(struct search *search, const struct type *class, size_t n,
				    const struct type *from, uint64_t offset)
{
	const struct type *whole = symbols_complete(search->context->access.symbols,
						    type_strip(class));
	const struct type_member *members;
	size_t nr_members;
	struct dc_error *err = whole->is_incomplete ? NULL
						    : type_members(whole, &members, &nr_members);

	for (size_t i = 0; !err && !whole->is_incomplete && i < nr_members; i++) {
		const struct type_member *member = &members[i];
		const struct type *its = type_strip(member->type);

		if (!member->is_base || n == DEPTH_MAX || !search->budget)
			continue;
		search->budget--;
		search->steps[n] = member;

		const struct type *last = member->is_virtual ? its : from;
		uint64_t distance = member->is_virtual ? 0 : offset + member->offset;

		if (type_equal(its, search->base))
			take_path(search, n + 1, last, distance);
		else
			err = search_path(search, its, n + 1, last, distance);
	}
	return err;
}

static struct dc_error *find_path(struct context *context, const struct type *class,
				  const struct type *base, struct path *ret)
{
	struct search search = {
		.context = context, .base = type_strip(base), .budget = 10000, .path = ret
	};

	*ret = (struct path){ 0 };
	if (!type_is_record(class) || !type_is_record(base))
		return NULL;
	return search_path(&search, class, 0, NULL, 0);
}

bool class_has_base(struct context *context, const struct type *class, const struct type *base)
{
	struct path path;

	dc_error_destroy(find_path(context, class, base, &path));
	return path.found;
}

unsigned class_distance(struct context *context, const struct type *class, const struct type *base)
{
	struct path path;

	dc_error_destroy(find_path(context, class, base, &path));
	return path.found ? (unsigned)path.n : 0;
}

// One step at a time, for where a virtual base is stands in the object that has been come to. Before
// a run that is not known.
static struct dc_error *follow(struct context *context, const struct path *path,
			       struct value *pointer)
{
	struct dc_error *err = NULL;
	uint64_t addr, offset;

	if (!pointer->bytes)
		return NULL;
	if (path->is_virtual && context->mode != EVAL_RUN) {
		value_deinit(pointer);
		return NULL;
	}
	memcpy(&addr, pointer->bytes, sizeof(addr));
	for (size_t i = 0; !err && i < path->n && addr; i++) {
		err = part_base_offset(context->access.caller, path->steps[i], addr, NULL, &offset);
		if (!err)
			addr += offset;
	}
	memcpy(pointer->bytes, &addr, sizeof(addr));
	return err;
}

struct dc_error *class_to_base(struct context *context, struct value *pointer,
			       const struct type *class, const struct type *base)
{
	struct path path;
	struct dc_error *err = find_path(context, class, base, &path);

	if (!err && path.is_ambiguous)
		err = type_error("'%s' is an ambiguous base of '%s'", base, class);
	return err ? err : follow(context, &path, pointer);
}

struct dc_error *class_convert_pointer(struct context *context, struct value *value,
				       const struct type *type)
{
	const struct type *from = type_strip(value->type)->target, *to = type_strip(type)->target;
	struct path down = { 0 };
	struct dc_error *err = NULL;
	uint64_t addr;

	if (!type_is_record(from) || !type_is_record(to) || type_equal(from, to))
		return convert_scalar(value, type);
	if (class_has_base(context, from, to)) {
		err = convert_scalar(value, type);
		return err ? err : class_to_base(context, value, from, to);
	}
	err = find_path(context, to, from, &down);
	if (!err && down.is_virtual)
		err = type_error("'%s' is a virtual base of '%s': there is no way back", from, to);
	else if (!err && down.is_ambiguous)
		err = type_error("'%s' is an ambiguous base of '%s'", from, to);
	if (!err)
		err = convert_scalar(value, type);
	if (err || !value->bytes)
		return err;
	memcpy(&addr, value->bytes, sizeof(addr));
	addr -= addr ? down.offset : 0;
	memcpy(value->bytes, &addr, sizeof(addr));
	return NULL;
}

// The base class's part of an object. Where a virtual one is takes a run to know.
static struct dc_error *base_of(struct context *context, const struct value *whole,
				const struct type_member *base, struct value *ret)
{
	if (!base->is_virtual || whole->lvalue == LVALUE_REGISTER)
		return object_part(context, whole, base->type, base->offset, ret);
	if (context->mode == EVAL_RUN)
		return part_member(&context->access, whole, 0, base, ret);
	*ret = (struct value){ .type = base->type, .lvalue = whole->lvalue };
	return NULL;
}

// An object of a class becomes one of its base: that part of it is copied.
struct dc_error *class_convert_object(struct context *context, struct value *value,
				      const struct type *type, bool *done)
{
	_cleanup_value_ struct value part = { 0 };
	struct path path;
	struct dc_error *err = find_path(context, value->type, type, &path);

	*done = !err && path.found;
	if (!*done)
		return err;
	if (path.is_ambiguous)
		return type_error("'%s' is an ambiguous base of '%s'", type, value->type);
	part = value_take(value);
	for (size_t i = 0; !err && i < path.n; i++) {
		struct value next = { 0 };

		err = base_of(context, &part, path.steps[i], &next);
		value_deinit(&part);
		part = next;
	}
	if (!err)
		err = object_load(context, &part);
	*value = (struct value){ .type = type, .bytes = part.bytes };
	part.bytes = NULL;
	return err;
}

// C++ compares a pointer to a class and one to its base as pointers to the base.
struct dc_error *class_join_pointers(struct context *context, struct value *a, struct value *b)
{
	const struct type *x = type_strip(a->type), *y = type_strip(b->type);

	if (x->kind != TYPE_POINTER || y->kind != TYPE_POINTER || type_equal(x, y))
		return NULL;
	if (class_has_base(context, x->target, y->target))
		return class_convert_pointer(context, a, b->type);
	if (class_has_base(context, y->target, x->target))
		return class_convert_pointer(context, b, a->type);
	return NULL;
}

// In the bases from left to right, each with its own members first.
static struct dc_error *search_bases(struct context *context, const struct value *whole,
				     const char *name, unsigned depth, struct value *ret,
				     bool *found)
{
	const struct type *class = symbols_complete(context->access.symbols,
						    type_strip(whole->type));
	const struct type_member *members;
	size_t n;
	struct dc_error *err = type_members(class, &members, &n);

	for (size_t i = 0; !err && !*found && i < n && depth < DEPTH_MAX; i++) {
		_cleanup_value_ struct value base = { 0 };
		struct type_member ignored;
		uint64_t offset = 0;

		if (!members[i].is_base)
			continue;
		err = base_of(context, whole, &members[i], &base);
		if (!err)
			err = object_find_member(context, base.type, name, &offset, &ignored,
						 found);
		if (!err && *found)
			err = object_member(context, &base, name, ret);
		else if (!err)
			err = search_bases(context, &base, name, depth + 1, ret, found);
	}
	return err;
}

static struct dc_error *search_statics(struct symbols *symbols, const struct type *type,
				       const char *name, unsigned depth, struct variable *ret,
				       bool *found)
{
	const struct type *class = symbols_complete(symbols, type_strip(type));
	_cleanup_free_ char *whole = NULL;
	const struct type_member *members;
	size_t n;
	struct dc_error *err;

	if (!class->name)
		return NULL;
	if (asprintf(&whole, "%s::%s", class->name, name) < 0) {
		whole = NULL;
		return &dc_out_of_memory;
	}
	err = symbols_lookup_variable(symbols, NULL, whole, ret);
	*found = !err;
	if (!err)
		return NULL;
	dc_error_destroy(err);
	err = type_members(class, &members, &n);
	for (size_t i = 0; !err && !*found && i < n && depth < DEPTH_MAX; i++) {
		if (members[i].is_base)
			err = search_statics(symbols, members[i].type, name, depth + 1, ret, found);
	}
	return err;
}

struct dc_error *class_find_static(struct symbols *symbols, const struct type *class,
				   const char *name, struct variable *ret, bool *found)
{
	*found = false;
	return type_strip(class)->tag ? NULL : search_statics(symbols, class, name, 0, ret, found);
}

// The class itself or one of its bases, by the name that stands before "::".
static const struct type *named_base(struct context *context, const struct type *class,
				     const char *name, size_t length, unsigned depth)
{
	const struct type *whole = symbols_complete(context->access.symbols, type_strip(class));
	size_t its = whole->name ? strlen(whole->name) : 0;
	const struct type_member *members = NULL;
	size_t n = 0;

	if (its >= length && !memcmp(whole->name + its - length, name, length) &&
	    (its == length || (its > length + 1 && whole->name[its - length - 1] == ':')))
		return whole;

	_cleanup_error_ struct dc_error *err = type_members(whole, &members, &n);

	for (size_t i = 0; !err && i < n && depth < DEPTH_MAX; i++) {
		const struct type *found = members[i].is_base ? named_base(context, members[i].type,
									   name, length, depth + 1)
							      : NULL;

		if (found)
			return found;
	}
	return NULL;
}

struct dc_error *class_qualified(struct context *context, const struct value *object,
				 const char *member, const char **name, struct value *ret)
{
	const char *last = member;

	*ret = *object;
	ret->bytes = NULL;
	for (const char *at = member; (at = strstr(at, "::")); last = at += 2)
		;
	*name = last;
	if (last == member)
		return value_copy(object, ret);

	size_t length = (size_t)(last - member) - 2;
	const struct type *base = named_base(context, object->type, member, length, 0);
	_cleanup_value_ struct value pointer = { 0 };

	if (!base)
		return type_error("'%s' has no base of that name", object->type, NULL);
	if (type_equal(base, type_strip(object->type)))
		return value_copy(object, ret);

	struct dc_error *err = object_address(context, object, &pointer);

	if (!err)
		err = class_to_base(context, &pointer, object->type, base);
	if (err)
		return err;
	pointer.type = types_pointer(context->basics.types,
				     types_qualified(context->basics.types, base,
						     type_strip(object->type)->is_const,
						     type_strip(object->type)->is_volatile));
	return pointer.type ? object_dereference(context, &pointer, ret) : &dc_out_of_memory;
}

struct dc_error *class_inherited_member(struct context *context, const struct value *whole,
					const char *name, struct value *ret, bool *found)
{
	struct variable variable;

	*found = false;
	if (strstr(name, "::")) {
		_cleanup_value_ struct value base = { 0 };
		struct dc_error *none = class_qualified(context, whole, name, &name, &base);

		if (!none)
			none = object_member(context, &base, name, ret);
		*found = !none;
		return none;
	}

	struct dc_error *err = search_bases(context, whole, name, 0, ret, found);

	if (!err && !*found)
		err = class_find_static(context->access.symbols, whole->type, name, &variable,
					found);
	else
		return err;
	*ret = (struct value){ 0 };
	return err || !*found ? err : object_variable(context, &variable, ret);
}

static bool has_member(struct context *context, const struct type *class, const char *name,
		       unsigned depth)
{
	const struct type *plain = symbols_complete(context->access.symbols, type_strip(class));
	const struct type_member *members = NULL;
	struct type_member ignored;
	uint64_t offset = 0;
	bool found = false;
	size_t n = 0;

	if (!type_is_record(plain) || plain->is_incomplete)
		return false;

	struct dc_error *err = object_find_member(context, plain, name, &offset, &ignored, &found);

	if (!err)
		err = type_members(plain, &members, &n);
	for (size_t i = 0; !err && !found && i < n && depth < DEPTH_MAX; i++)
		found = members[i].is_base && has_member(context, members[i].type, name, depth + 1);
	dc_error_destroy(err);
	return found;
}

bool class_has_member(struct context *context, const struct type *class, const char *name)
{
	return has_member(context, class, name, 0);
}
