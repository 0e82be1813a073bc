// SPDX-License-Identifier: MIT
// What is in brackets: indices of arrays, slices, texts and maps, slices of them, and the types that
// something generic is made with.
#include "debugger/lang/go/go.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// The array that a pointer points to, where that is what is indexed.
static struct dc_error *through_pointer(struct context *context, const struct node *node,
					struct operand *operand)
{
	struct dc_error *err;

	if (!operand->type || go_kind(operand->type) != GO_POINTER ||
	    go_kind(go_element(operand->type)) != GO_ARRAY)
		return NULL;
	err = go_load(context, operand);
	if (err)
		return err;
	if (!operand->bytes)
		*operand = go_bytes(go_element(operand->type), NULL);
	else if (!go_word(operand, 0))
		return error_at(error_make(DC_VALUE, "invalid memory address or nil pointer "
						     "dereference"),
				node->start);
	else
		*operand = go_object(go_element(operand->type), go_word(operand, 0));
	return NULL;
}

static struct dc_error *out_of_range(const struct node *node, int64_t index, uint64_t length)
{
	return error_at(error_make(DC_VALUE,
				   "index out of range [%" PRId64 "] with length %" PRIu64, index,
				   length),
			node->start);
}

static struct dc_error *index_text(struct context *context, const struct node *node,
				   struct operand *text, bool known_index, int64_t index,
				   struct operand *ret)
{
	const struct type *byte;
	const char *bytes;
	uint64_t length;
	bool known;
	struct dc_error *err = go_basic(context, "uint8", &byte);

	if (err)
		return err;
	*ret = go_bytes(byte, NULL);
	if (!text->text) {
		// One byte of a long text.
		err = go_load(context, text);
		if (err || !text->bytes || !known_index)
			return err;
		if ((uint64_t)index >= go_word(text, 1))
			return out_of_range(node, index, go_word(text, 1));
		return go_read_memory(context, go_word(text, 0) + (uint64_t)index, 1, &ret->bytes);
	}
	err = go_text_of(context, text, &known, &bytes, &length);
	if (err || !known || !known_index)
		return err;
	if ((uint64_t)index >= length)
		return out_of_range(node, index, length);
	ret->bytes = (const unsigned char *)bytes + index;
	return NULL;
}

static struct dc_error *index_map(struct context *context, const struct node *node,
				  struct operand *map, struct operand *ret)
{
	struct operand key;
	const struct type *element = go_element(map->type);
	unsigned char *zero = go_alloc(context, go_size(element));
	bool found = false;
	struct dc_error *err = go_composite(context, node->list[0], type_go_key(map->type), &key);

	if (!err && !zero)
		err = &dc_out_of_memory;
	if (!err && key.mode == OPERAND_CONSTANT && key.untyped == UNTYPED_STRING &&
	    go_kind(type_go_key(map->type)) == GO_STRING)
		key.type = type_go_key(map->type), key.untyped = UNTYPED_NONE;
	else if (!err)
		err = go_assign(context, &key, type_go_key(map->type), "in map index");
	if (err)
		return err;
	*ret = go_bytes(element, NULL);
	if ((!key.bytes && !key.text) || (!map->bytes && !map->is_object))
		return NULL;
	err = go_map_find(context, map, &key, ret, &found);
	if (!err && !found)
		*ret = go_bytes(element, zero);
	return err;
}

// Types in brackets: what a generic function or type is made with.
static struct dc_error *instance(struct context *context, const struct node *node,
				 const char *generic, struct operand *ret)
{
	char name[1024];
	size_t n = (size_t)snprintf(name, sizeof(name), "%s[", generic);
	bool found;
	struct dc_error *err;

	for (size_t i = 0; i < node->nr_list && n < sizeof(name); i++) {
		const struct type *type;

		err = go_need_type(context, node->list[i], &type);
		if (err)
			return err;
		n += (size_t)snprintf(name + n, sizeof(name) - n, "%s%s", i ? "," : "",
				      go_spelling(context, type));
	}
	if (n + 2 > sizeof(name))
		return error_at(error_make(DC_SYNTAX, "the name is too long"), node->start);
	strcpy(name + n, "]");
	*ret = (struct operand){ .mode = OPERAND_TYPE, .node = node };
	ret->type = go_named(context, name);
	if (ret->type)
		return NULL;
	err = go_function(context, node, name, ret, &found);
	if (err || found)
		return err;
	return error_at(error_make(DC_NAME,
				   "the program has no %s: of generic types and functions only "
				   "those instances exist that it uses, and the code of functions "
				   "is shared by several",
				   name),
			node->start);
}

static bool is_generic(const struct node *node, const char **name, struct context *context)
{
	const char *package = context->package, *other;

	if (node->kind == NODE_SELECTOR && node->left->kind == NODE_PACKAGE)
		package = node->left->text;
	else if (node->kind == NODE_SELECTOR && node->left->kind == NODE_NAME) {
		if (!symbols_go_package(context->symbols, node->left->text, &package, &other))
			return false;
	} else if (node->kind != NODE_NAME) {
		return false;
	}
	*name = go_symbol(context, package, node->text);
	return *name;
}

struct dc_error *go_index(struct context *context, const struct node *node, struct operand *ret)
{
	struct operand left, position;
	const char *generic;
	const struct type *element;
	uint64_t length = 0;
	int64_t index = 0;
	bool known;
	struct dc_error *err = go_evaluate(context, node->left, &left);

	if (err && err->code == DC_NAME && is_generic(node->left, &generic, context)) {
		dc_error_destroy(err);
		return instance(context, node, generic, ret);
	}
	if (!err)
		err = go_no_value(context, node->left, &left);
	if (!err && node->nr_list != 1)
		err = error_at(error_make(DC_SYNTAX, "expected one index"), node->start);
	if (!err)
		err = through_pointer(context, node, &left);
	if (err)
		return err;
	if (left.mode == OPERAND_UNKNOWN) {
		*ret = left;
		return NULL;
	}
	if (left.type && go_kind(left.type) == GO_MAP)
		return index_map(context, node, &left, ret);
	err = go_value(context, node->list[0], &position);
	if (!err)
		err = error_at(go_index_value(context, &position, &known, &index),
			       node->list[0]->start);
	if (err)
		return err;
	if (left.untyped == UNTYPED_STRING || (left.type && go_kind(left.type) == GO_STRING))
		return index_text(context, node, &left, known, index, ret);
	if (!left.type || (go_kind(left.type) != GO_SLICE && go_kind(left.type) != GO_ARRAY))
		return error_at(error_make(DC_TYPE, "invalid operation: cannot index %s",
					   go_describe(context, &left)),
				node->start);
	element = go_element(left.type);
	*ret = go_bytes(element, NULL);
	ret->node = node;
	if (go_kind(left.type) == GO_ARRAY) {
		length = type_strip(left.type)->count;
		if (known && (uint64_t)index >= length && position.mode == OPERAND_CONSTANT)
			return error_at(error_make(DC_TYPE,
						   "invalid argument: index %" PRId64
						   " out of bounds [0:%" PRIu64 "]",
						   index, length),
					node->start);
		if (known && (uint64_t)index >= length)
			return out_of_range(node, index, length);
		if (known)
			*ret = go_part(&left, element, (uint64_t)index * go_size(element));
		ret->node = node;
		return NULL;
	}
	err = go_load(context, &left);
	if (err || !left.bytes || !known)
		return err;
	length = go_word(&left, 1);
	if ((uint64_t)index >= length)
		return out_of_range(node, index, length);
	*ret = go_object(element, go_word(&left, 0) + (uint64_t)index * go_size(element));
	ret->node = node;
	return NULL;
}

static struct dc_error *slice_bounds(struct context *context, const struct node *node,
				     uint64_t length, uint64_t capacity, uint64_t bounds[3],
				     bool *known)
{
	bounds[0] = 0;
	bounds[1] = length;
	bounds[2] = capacity;
	for (size_t i = 0; i < 3; i++) {
		struct operand operand;
		bool is_known;
		int64_t value;
		struct dc_error *err;

		if (!node->list[i])
			continue;
		err = go_value(context, node->list[i], &operand);
		if (!err)
			err = error_at(go_index_value(context, &operand, &is_known, &value),
				       node->list[i]->start);
		if (err)
			return err;
		*known = *known && is_known;
		if (is_known)
			bounds[i] = (uint64_t)value;
	}
	if (*known && (bounds[2] > capacity || bounds[1] > bounds[2] || bounds[0] > bounds[1]))
		return error_at(error_make(DC_VALUE,
					   "slice bounds out of range [%" PRIu64 ":%" PRIu64
					   "] with capacity %" PRIu64,
					   bounds[0], bounds[1], capacity),
				node->start);
	return NULL;
}

static struct dc_error *slice_text(struct context *context, const struct node *node,
				   struct operand *left, struct operand *ret)
{
	const char *text;
	uint64_t length, bounds[3], *words;
	bool known;
	struct dc_error *err = go_load(context, left);

	*ret = *left;
	ret->node = node;
	ret->is_object = false;
	known = left->bytes || left->text;
	if (!err && left->text)
		err = go_text_of(context, left, &known, &text, &length);
	else if (!err && known)
		length = go_word(left, 1);
	if (!err)
		err = slice_bounds(context, node, known ? length : 0, known ? length : 0, bounds,
				   &known);
	if (err || !known)
		return err;
	if (left->text) {
		ret->text = text + bounds[0];
		ret->length = bounds[1] - bounds[0];
		return NULL;
	}
	words = go_alloc(context, 2 * sizeof(*words));
	if (!words)
		return &dc_out_of_memory;
	words[0] = go_word(left, 0) + bounds[0];
	words[1] = bounds[1] - bounds[0];
	ret->bytes = (unsigned char *)words;
	return NULL;
}

struct dc_error *go_slice(struct context *context, const struct node *node, struct operand *ret)
{
	struct operand left;
	const struct type *type;
	uint64_t start, length, capacity, bounds[3], *words;
	bool known, is_array;
	struct dc_error *err = go_value(context, node->left, &left);

	if (!err)
		err = through_pointer(context, node, &left);
	if (err)
		return err;
	if (left.mode == OPERAND_UNKNOWN) {
		*ret = left;
		return NULL;
	}
	if (left.untyped == UNTYPED_STRING || (left.type && go_kind(left.type) == GO_STRING))
		return slice_text(context, node, &left, ret);
	is_array = left.type && go_kind(left.type) == GO_ARRAY;
	if (!left.type || (!is_array && go_kind(left.type) != GO_SLICE))
		return error_at(error_make(DC_TYPE, "cannot slice %s", go_describe(context, &left)),
				node->start);
	if (is_array && !left.is_object && context->runs)
		return error_at(error_make(DC_TYPE,
					   "invalid operation: %s (slice of unaddressable "
					   "value)",
					   go_source(context, node->left)),
				node->start);
	err = go_load(context, &left);
	type = is_array ? types_go_slice(context->types, go_element(left.type)) : left.type;
	words = go_alloc(context, 3 * sizeof(*words));
	if (!err && (!type || !words))
		err = &dc_out_of_memory;
	if (err)
		return err;
	*ret = go_bytes(type, NULL);
	ret->to_stack = is_array ? left.on_stack : left.to_stack;
	ret->node = node;
	known = is_array ? left.is_object : left.bytes != NULL;
	start = !known ? 0 : is_array ? left.addr : go_word(&left, 0);
	length = is_array ? type_strip(left.type)->count : known ? go_word(&left, 1) : 0;
	capacity = is_array ? length : known ? go_word(&left, 2) : 0;
	err = slice_bounds(context, node, length, capacity, bounds, &known);
	if (err || !known)
		return err;
	// A pointer behind the end of an object would keep another one alive.
	words[0] = bounds[2] > bounds[0] ? start + bounds[0] * go_size(go_element(type)) : start;
	words[1] = bounds[1] - bounds[0];
	words[2] = bounds[2] - bounds[0];
	ret->bytes = (unsigned char *)words;
	return NULL;
}
