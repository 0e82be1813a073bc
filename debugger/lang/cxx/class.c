// SPDX-License-Identifier: MIT
// Classes and their bases: where a base lies, pointers between them, members that are inherited.
#include "debugger/lang/cxx/rules.h"

#include <string.h>

// Deeper than any class: a damaged file can make one its own base.
enum { DEPTH_MAX = 64 };

// Where base lies in a class, through all its bases.
static struct dc_error *find_base(struct context *context, const struct type *derived,
				  const struct type *base, unsigned depth, uint64_t *offset,
				  bool *found)
{
	const struct type_member *members;
	size_t n;
	const struct type *whole = symbols_complete(context->access.symbols, type_strip(derived));
	struct dc_error *err = whole->is_incomplete ? NULL : type_members(whole, &members, &n);

	*found = false;
	if (err || whole->is_incomplete)
		return err;
	for (size_t i = 0; i < n && !err && !*found && depth < DEPTH_MAX; i++) {
		uint64_t inside = 0;

		if (!members[i].is_base)
			continue;
		*found = type_equal(type_strip(members[i].type), type_strip(base));
		if (!*found)
			err = find_base(context, members[i].type, base, depth + 1, &inside, found);
		*offset = members[i].offset + inside;
	}
	return err;
}

bool class_has_base(struct context *context, const struct type *class, const struct type *base)
{
	uint64_t offset;
	bool found = false;

	if (!type_is_record(class) || !type_is_record(base))
		return false;
	dc_error_destroy(find_base(context, class, base, 0, &offset, &found));
	return found;
}

static void move(struct value *pointer, uint64_t by)
{
	uint64_t addr;

	if (!pointer->bytes)
		return;
	memcpy(&addr, pointer->bytes, sizeof(addr));
	if (addr != 0)
		addr += by;
	memcpy(pointer->bytes, &addr, sizeof(addr));
}

struct dc_error *class_to_base(struct context *context, struct value *pointer,
			       const struct type *class, const struct type *base)
{
	uint64_t offset = 0;
	bool found;
	struct dc_error *err = find_base(context, class, base, 0, &offset, &found);

	if (!err)
		move(pointer, offset);
	return err;
}

struct dc_error *class_convert_pointer(struct context *context, struct value *value,
				       const struct type *type)
{
	const struct type *from = type_strip(value->type)->target, *to = type_strip(type)->target;
	bool are_classes = type_is_record(from) && type_is_record(to) && !type_equal(from, to);
	bool is_up = are_classes && class_has_base(context, from, to);
	uint64_t offset = 0;
	bool is_down = false;
	struct dc_error *err = NULL;

	if (are_classes && !is_up)
		err = find_base(context, to, from, 0, &offset, &is_down);
	if (!err)
		err = convert_scalar(value, type);
	if (!err && is_up)
		err = class_to_base(context, value, from, to);
	else if (!err && is_down)
		move(value, -offset);
	return err;
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
		err = object_part(context, whole, members[i].type, members[i].offset, &base);
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

struct dc_error *class_inherited_member(struct context *context, const struct value *whole,
					const char *name, struct value *ret, bool *found)
{
	*found = false;
	return search_bases(context, whole, name, 0, ret, found);
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
