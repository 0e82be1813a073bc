// SPDX-License-Identifier: MIT
// Composite literals: structs and arrays as bytes at hand, slices and pointers in the target.
#include "debugger/lang/go/go.h"

#include <inttypes.h>
#include <string.h>

static struct dc_error *put_part(struct context *context, const struct node *node,
				 const struct type *type, unsigned char *to)
{
	struct operand part;
	struct dc_error *err = go_composite(context, node, type, &part);

	if (!err)
		err = go_assign(context, &part, type, "in literal");
	if (!err)
		err = go_refuse_to_stack(context, &part);
	if (!err)
		err = go_ready(context, &part);
	if (!err && part.bytes)
		memcpy(to, part.bytes, go_size(type));
	return err;
}

static struct dc_error *fill_struct(struct context *context, const struct node *node,
				    const struct type *type, unsigned char *bytes)
{
	const struct type_member *members;
	size_t n;
	bool is_keyed = node->nr_list && node->list[0]->kind == NODE_KEYED;
	struct dc_error *err = type_members(type_strip(type), &members, &n);

	if (!err && !is_keyed && node->nr_list && node->nr_list != n)
		err = error_at(error_make(DC_TYPE, "too %s values in %s{\u2026}",
					  node->nr_list < n ? "few" : "many",
					  go_spelling(context, type)),
			       node->start);
	for (size_t i = 0; i < node->nr_list && !err; i++) {
		const struct node *item = node->list[i];
		size_t at = i;

		if ((item->kind == NODE_KEYED) != is_keyed)
			return error_at(error_make(DC_SYNTAX, "mixture of field:value and value "
							      "elements in struct literal"),
					item->start);
		if (is_keyed) {
			const char *name = item->left->kind == NODE_NAME ? item->left->text : "";

			for (at = 0; at < n && strcmp(members[at].name ?: "", name);)
				at++;
			if (at == n)
				return error_at(
					error_make(DC_NAME,
						   "unknown field '%s' in struct literal of "
						   "type %s",
						   name, go_spelling(context, type)),
					item->start);
		}
		err = put_part(context, is_keyed ? item->right : item, members[at].type,
			       bytes + members[at].offset);
	}
	return err;
}

// Elements of an array or slice: their highest index, then their bytes.
static struct dc_error *walk_elements(struct context *context, const struct node *node,
				      const struct type *element, unsigned char *bytes,
				      uint64_t room, uint64_t *count)
{
	enum { COUNT_MAX = 1 << 16 };
	uint64_t at = 0;

	*count = 0;
	for (size_t i = 0; i < node->nr_list; i++, at++) {
		const struct node *item = node->list[i];
		struct dc_error *err = NULL;

		if (item->kind == NODE_KEYED) {
			struct operand key;
			bool known;
			int64_t index = 0;

			err = go_value(context, item->left, &key);
			if (!err)
				err = go_index_value(context, &key, &known, &index);
			if (!err && (!known || index >= COUNT_MAX))
				err = error_make(DC_TYPE, "index %s must be integer constant",
						 go_source(context, item->left));
			if (err)
				return error_at(err, item->start);
			at = (uint64_t)index;
			item = item->right;
		}
		if (bytes && at >= room)
			return error_at(error_make(DC_TYPE,
						   "invalid argument: index %" PRIu64
						   " out of bounds [0:%" PRIu64 "]",
						   at, room),
					item->start);
		if (bytes)
			err = put_part(context, item, element, bytes + at * go_size(element));
		if (err)
			return err;
		if (at + 1 > *count)
			*count = at + 1;
	}
	return NULL;
}

static struct dc_error *make_elements(struct context *context, const struct node *node,
				      const struct type *type, bool is_slice, struct operand *ret)
{
	const struct type *element = go_element(type);
	uint64_t count, *words;
	unsigned char *bytes;
	struct dc_error *err = walk_elements(context, node, element, NULL, 0, &count);

	if (err)
		return err;
	if (!is_slice && type_strip(type)->count != UINT64_MAX)
		count = type_strip(type)->count;
	bytes = go_alloc(context, count * go_size(element));
	words = go_alloc(context, 3 * sizeof(*words));
	if (!bytes || !words)
		return &dc_out_of_memory;

	uint64_t said;

	err = walk_elements(context, node, element, bytes, count, &said);
	if (err)
		return err;
	*ret = go_bytes(type, bytes);
	if (!is_slice)
		return NULL;
	ret->bytes = context->runs ? (unsigned char *)words : NULL;
	err = go_place_objects(context, element, bytes, count, &words[0]);
	words[1] = words[2] = count;
	return err;
}

static struct dc_error *make_composite(struct context *context, const struct node *node,
				       const struct type *type, struct operand *ret)
{
	enum go_kind kind = go_kind(type);
	unsigned char *bytes;
	struct dc_error *err;

	if (kind == GO_SLICE || kind == GO_ARRAY) {
		err = make_elements(context, node, type, kind == GO_SLICE, ret);
		ret->node = node;
		return err;
	}
	if (kind == GO_MAP)
		return error_at(error_make(DC_REFUSED, "maps are not made here: only the program's "
						       "own code can"),
				node->start);
	if (kind != GO_STRUCT)
		return error_at(error_make(DC_TYPE, "invalid composite literal type %s",
					   go_spelling(context, type)),
				node->start);
	bytes = go_alloc(context, go_size(type));
	if (!bytes)
		return &dc_out_of_memory;
	err = fill_struct(context, node, type, bytes);
	*ret = go_bytes(type, bytes);
	ret->node = node;
	return err;
}

// &T{...}, or what stands for it where a pointer is wanted.
static struct dc_error *make_pointer(struct context *context, const struct node *node,
				     const struct type *type, struct operand *ret)
{
	const struct type *pointer = types_pointer(context->types, type);
	struct operand object;
	uint64_t *word = go_alloc(context, sizeof(*word));
	struct dc_error *err = make_composite(context, node, type, &object);

	if (!err && (!pointer || !word))
		err = &dc_out_of_memory;
	if (!err)
		err = go_place_objects(context, type, object.bytes, 1, word);
	if (err)
		return error_at(err, node->start);
	*ret = go_bytes(pointer, context->runs ? (unsigned char *)word : NULL);
	ret->node = node;
	return NULL;
}

static struct dc_error *composite_type(struct context *context, const struct node *node,
				       const struct type **ret)
{
	uint64_t count;
	struct dc_error *err;

	if (node->left->kind != NODE_TYPE_ARRAY || node->left->right)
		return go_need_type(context, node->left, ret);
	// [...]T
	err = go_need_type(context, node->left->left, ret);
	if (!err)
		err = walk_elements(context, node, *ret, NULL, 0, &count);
	if (err)
		return err;
	*ret = types_array(context->types, *ret, count);
	return *ret ? NULL : &dc_out_of_memory;
}

struct dc_error *go_composite(struct context *context, const struct node *node,
			      const struct type *hint, struct operand *ret)
{
	const struct type *type = hint;
	struct dc_error *err;

	if (node->kind != NODE_COMPOSITE)
		return go_value(context, node, ret);
	if (node->left) {
		err = composite_type(context, node, &type);
		return err ? err : make_composite(context, node, type, ret);
	}
	if (!hint)
		return error_at(error_make(DC_TYPE, "invalid composite literal: missing type"),
				node->start);
	return go_kind(hint) == GO_POINTER ? make_pointer(context, node, go_element(hint), ret)
					   : make_composite(context, node, hint, ret);
}

struct dc_error *go_composite_pointer(struct context *context, const struct node *node,
				      struct operand *ret)
{
	const struct type *type;
	struct dc_error *err = composite_type(context, node, &type);

	return err ? err : make_pointer(context, node, type, ret);
}
