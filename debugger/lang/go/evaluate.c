// SPDX-License-Identifier: MIT
// Go's expressions, node by node.
#include "debugger/lang/go/go.h"

#include <inttypes.h>
#include <string.h>

static struct dc_error *not_a_value(struct context *context, const struct node *node,
				    const struct operand *operand)
{
	struct dc_error *err;

	switch (operand->mode) {
	case OPERAND_TYPE:
		err = error_make(DC_TYPE, "%s (type) is not an expression",
				 go_source(context, node));
		break;
	case OPERAND_PACKAGE:
		err = error_make(DC_TYPE, "use of package %s without selector", operand->text);
		break;
	case OPERAND_BUILTIN:
		err = error_make(DC_TYPE, "%s (built-in) must be called", operand->text);
		break;
	case OPERAND_TUPLE:
		err = error_make(DC_TYPE, "multiple-value %s in single-value context",
				 go_source(context, node));
		break;
	case OPERAND_NONE:
		err = error_make(DC_TYPE, "%s (no value) used as value", go_source(context, node));
		break;
	default: return NULL;
	}
	return error_at(err, node->start);
}

struct dc_error *go_value(struct context *context, const struct node *node, struct operand *ret)
{
	struct dc_error *err = go_evaluate(context, node, ret);

	if (!err)
		err = not_a_value(context, node, ret);
	if (!err)
		err = error_at(go_load(context, ret), node->start);
	return err;
}

struct dc_error *go_index_value(struct context *context, const struct operand *operand, bool *known,
				int64_t *ret)
{
	struct operand copy = *operand;
	struct number number;
	const struct type *type;
	const char *why;
	struct dc_error *err;

	*known = false;
	if (operand->mode == OPERAND_UNKNOWN)
		return NULL;
	if (operand->type ? !go_is_integer(operand->type)
			  : operand->untyped < UNTYPED_INT || operand->untyped > UNTYPED_COMPLEX)
		return error_make(DC_TYPE, "invalid argument: index %s must be integer",
				  go_describe(context, operand));
	err = go_load(context, &copy);
	if (err)
		return err;
	*known = go_number(&copy, &number);
	if (!*known)
		return NULL;
	err = go_basic(context, "int", &type);
	if (err)
		return err;
	if (!go_represents(type, &number, &why))
		return error_make(DC_TYPE, "invalid argument: index %s must be integer",
				  go_describe(context, operand));
	*ret = (int64_t)number.i;
	if (*ret < 0)
		return error_make(DC_VALUE,
				  "invalid argument: index %s (constant of type int) "
				  "must not be negative",
				  go_source(context, operand->node));
	return NULL;
}

// ---- literals and results -------------------------------------------------------------------------

static struct dc_error *from_client(struct context *context, const struct value *value,
				    struct operand *ret)
{
	unsigned char *bytes = go_alloc(context, go_size(value->type));

	if (!bytes)
		return &dc_out_of_memory;
	*ret = go_bytes(value->type, value->bytes ? bytes : NULL);
	if (value->bytes)
		memcpy(bytes, value->bytes, go_size(value->type));
	if (value->lvalue == LVALUE_LITERAL) {
		ret->text = (const char *)bytes;
		ret->length = go_size(value->type);
		ret->bytes = NULL;
		return go_basic(context, "string", &ret->type);
	}
	if (value->lvalue == LVALUE_MEMORY && !value->bytes)
		*ret = go_object(value->type, value->addr);
	return NULL;
}

static struct dc_error *from_result(struct context *context, const struct node *node,
				    struct operand *ret)
{
	struct variables *variables = context->environment->variables;
	size_t n = variables_nr_results(variables), number = (size_t)node->number.i ?: n;
	const struct value *value;
	bool pending = false;

	value = node->text ? variables_named(variables, node->text, &pending)
			   : variables_result(variables, number);
	if (!value)
		return error_at(node->text ? error_make(DC_NAME, "$%s has no value", node->text)
					   : error_make(DC_NAME, "there is no result $%zu", number),
				node->start);
	if (!type_is_go(value->type))
		return error_at(error_make(DC_TYPE, "the value is of no type of Go's"),
				node->start);
	return from_client(context, value, ret);
}

// ---- selectors ------------------------------------------------------------------------------------

// T.Method and (*T).Method, as functions that take the receiver first.
static struct dc_error *method_expression(struct context *context, const struct node *node,
					  const struct type *type, const char *name,
					  struct operand *ret)
{
	const struct function *function;
	bool takes_pointer;

	if (!go_find_method(context, type, name, &takes_pointer, &function))
		return error_at(error_make(DC_NAME, "%s undefined (type %s has no method %s)",
					   go_source(context, node), go_spelling(context, type),
					   name),
				node->start);
	if (takes_pointer && go_kind(type) != GO_POINTER)
		return error_at(error_make(DC_TYPE,
					   "invalid method expression %s (needs pointer receiver "
					   "(*%s).%s)",
					   go_source(context, node), go_spelling(context, type),
					   name),
				node->start);
	*ret = (struct operand){ .mode = OPERAND_FUNCTION,
				 .type = function->type,
				 .function = function,
				 .addr = function->addr,
				 .node = node };
	return NULL;
}

// A function within another one: "main.main.func1".
static struct dc_error *nested_function(struct context *context, const struct node *node,
					const struct operand *outer, struct operand *ret)
{
	size_t size = strlen(outer->function->name) + strlen(node->text) + 2;
	char *name = go_alloc(context, size);
	bool found;
	struct dc_error *err;

	if (!name)
		return &dc_out_of_memory;
	snprintf(name, size, "%s.%s", outer->function->name, node->text);
	err = go_function(context, node, name, ret, &found);
	if (err || found)
		return err;
	return error_at(error_make(DC_NAME, "undefined: %s", name), node->start);
}

static struct dc_error *selector(struct context *context, const struct node *node,
				 struct operand *ret)
{
	const char *package, *other;
	struct operand left;
	struct dc_error *err = go_evaluate(context, node->left, &left);

	if (err)
		return err;
	// main.main: the package, not its function.
	if (left.mode == OPERAND_FUNCTION && node->left->kind == NODE_NAME &&
	    symbols_go_package(context->symbols, node->left->text, &package, &other) && !other)
		left = (struct operand){ .mode = OPERAND_PACKAGE, .text = package };
	switch (left.mode) {
	case OPERAND_PACKAGE: return go_package_member(context, node, left.text, node->text, ret);
	case OPERAND_TYPE: return method_expression(context, node, left.type, node->text, ret);
	case OPERAND_FUNCTION: return nested_function(context, node, &left, ret);
	case OPERAND_UNKNOWN: *ret = left; return NULL;
	case OPERAND_VALUE:
	case OPERAND_CONSTANT: break;
	default:
		err = not_a_value(context, node->left, &left);
		if (err)
			return err;
		return error_at(error_make(DC_TYPE, "%s has no fields", go_source(context, node)),
				node->start);
	}
	if (!left.type)
		return error_at(error_make(DC_NAME, "%s undefined", go_source(context, node)),
				node->start);
	return go_select(context, node, &left, node->text, ret);
}

// main.(*T) is a type of the package; x.(T) asks what x holds.
static struct dc_error *package_type(struct context *context, const struct node *node,
				     const char *package, struct operand *ret)
{
	const struct node *inner = node->right;
	struct context within = *context;
	struct dc_error *err;

	within.package = package;
	*ret = (struct operand){ .mode = OPERAND_TYPE, .node = node };
	err = go_need_type(&within, inner, &ret->type);
	context->arena = within.arena;
	return err;
}

static struct dc_error *assertion(struct context *context, const struct node *node,
				  struct operand *ret)
{
	struct operand left, held;
	const struct type *type;
	bool known;
	struct dc_error *err = go_evaluate(context, node->left, &left);

	if (err)
		return err;
	if (left.mode == OPERAND_PACKAGE)
		return package_type(context, node, left.text, ret);
	err = not_a_value(context, node->left, &left);
	if (!err)
		err = go_need_type(context, node->right, &type);
	if (err)
		return err;
	*ret = go_bytes(type, NULL);
	ret->node = node;
	if (left.mode == OPERAND_UNKNOWN)
		return NULL;
	if (!left.type || !go_is_interface(left.type))
		return error_at(error_make(DC_TYPE, "invalid operation: %s is not an interface",
					   go_describe(context, &left)),
				node->start);
	err = go_dynamic(context, &left, &known, &held);
	if (err || !known)
		return err;
	if (go_is_interface(type)) {
		*ret = left;
		if (!go_identical(left.type, type))
			return error_at(
				error_make(DC_REFUSED,
					   "an interface is not made into another one here"),
				node->start);
		return NULL;
	}
	if (!held.type || !go_identical(type_strip(held.type), type_strip(type)))
		return error_at(error_make(DC_VALUE, "interface conversion: %s is %s, not %s",
					   go_spelling(context, left.type),
					   held.type ? go_spelling(context, held.type) : "nil",
					   go_spelling(context, type)),
				node->start);
	held.type = type;
	held.node = node;
	*ret = held;
	return NULL;
}

// ---- indices --------------------------------------------------------------------------------------

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

static struct dc_error *index_of(struct context *context, const struct node *node,
				 struct operand *ret)
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
		err = not_a_value(context, node->left, &left);
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

static struct dc_error *slice_of(struct context *context, const struct node *node,
				 struct operand *ret)
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

// ---- composites -----------------------------------------------------------------------------------

static struct dc_error *put_part(struct context *context, const struct node *node,
				 const struct type *type, unsigned char *to)
{
	struct operand part;
	struct dc_error *err = go_composite(context, node, type, &part);

	if (!err)
		err = go_assign(context, &part, type, "in literal");
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

// ---- pointers and assignment ----------------------------------------------------------------------

static struct dc_error *address_of(struct context *context, const struct node *node,
				   struct operand *ret)
{
	struct operand operand;
	const struct type *type;
	uint64_t *word;
	struct dc_error *err;

	if (node->left->kind == NODE_COMPOSITE && node->left->left) {
		err = composite_type(context, node->left, &type);
		return err ? err : make_pointer(context, node->left, type, ret);
	}
	context->addresses = true;
	err = go_evaluate(context, node->left, &operand);
	context->addresses = false;
	if (!err)
		err = not_a_value(context, node->left, &operand);
	if (err || operand.mode == OPERAND_UNKNOWN) {
		*ret = operand;
		return err;
	}
	if (operand.mode != OPERAND_VALUE || (!operand.is_object && context->runs))
		return error_at(error_make(DC_TYPE, "invalid operation: cannot take address of %s",
					   go_describe(context, &operand)),
				node->start);
	type = operand.has_no_type ? operand.type : types_pointer(context->types, operand.type);
	word = go_alloc(context, sizeof(*word));
	if (!type || !word)
		return &dc_out_of_memory;
	*word = operand.addr;
	*ret = go_bytes(type, operand.is_object ? (unsigned char *)word : NULL);
	ret->node = node;
	return NULL;
}

static struct dc_error *dereference(struct context *context, const struct node *node,
				    struct operand *ret)
{
	struct operand operand;
	struct dc_error *err = go_evaluate(context, node->left, &operand);

	if (err)
		return err;
	if (operand.mode == OPERAND_TYPE) {
		*ret = operand;
		ret->type = types_pointer(context->types, operand.type);
		ret->node = node;
		return ret->type ? NULL : &dc_out_of_memory;
	}
	err = not_a_value(context, node->left, &operand);
	if (!err)
		err = go_load(context, &operand);
	if (err || operand.mode == OPERAND_UNKNOWN) {
		*ret = operand;
		return err;
	}
	if (!operand.type || go_kind(operand.type) != GO_POINTER)
		return error_at(error_make(DC_TYPE, "invalid operation: cannot indirect %s",
					   go_describe(context, &operand)),
				node->start);
	*ret = go_bytes(go_element(operand.type), NULL);
	ret->node = node;
	if (!operand.bytes)
		return NULL;
	if (!go_word(&operand, 0))
		return error_at(error_make(DC_VALUE, "invalid memory address or nil pointer "
						     "dereference"),
				node->start);
	*ret = go_object(ret->type, go_word(&operand, 0));
	ret->node = node;
	return NULL;
}

static struct dc_error *assign(struct context *context, const struct node *node,
			       struct operand *ret)
{
	const struct caller *caller = context->caller;
	struct operand left, right, value;
	struct dc_error *err = go_evaluate(context, node->left, &left);

	if (!err)
		err = not_a_value(context, node->left, &left);
	if (err)
		return err;
	if (left.mode != OPERAND_VALUE || (context->runs && !left.is_object))
		return error_at(
			error_make(DC_TYPE, "cannot assign to %s", go_describe(context, &left)),
			node->start);
	err = go_composite(context, node->right, left.type, &right);
	if (!err && node->op) {
		value = left;
		err = go_load(context, &value);
		if (!err)
			err = go_binary_of(context, node, node->op, &value, &right, &value);
		right = value;
		right.node = node->right;
	}
	if (!err)
		err = go_assign(context, &right, left.type, "in assignment");
	if (err)
		return err;
	if (go_has_pointers(left.type))
		return error_at(error_make(DC_REFUSED,
					   "%s holds pointers, and the program's collector would "
					   "not learn of the assignment",
					   go_describe(context, &left)),
				node->start);
	if (context->effects)
		context->effects->writes = true;
	*ret = left;
	ret->bytes = right.bytes;
	if (!context->runs)
		return NULL;
	return caller->write(caller->arg, left.addr, right.bytes, go_size(left.type));
}

// ---- all of them ----------------------------------------------------------------------------------

struct dc_error *go_evaluate(struct context *context, const struct node *node, struct operand *ret)
{
	struct dc_error *err = NULL;

	*ret = (struct operand){ .node = node };
	switch (node->kind) {
	case NODE_NAME:
	case NODE_PACKAGE: err = go_name(context, node, ret); break;
	case NODE_NUMBER:
		*ret = (struct operand){ .mode = OPERAND_CONSTANT,
					 .untyped = node->untyped,
					 .number = node->number };
		break;
	case NODE_STRING:
	case NODE_GIVEN:
		*ret = (struct operand){ .mode = OPERAND_CONSTANT,
					 .untyped = node->text ? UNTYPED_STRING : node->untyped,
					 .number = node->number,
					 .text = node->text,
					 .length = node->length };
		break;
	case NODE_RESULT: err = from_result(context, node, ret); break;
	case NODE_SELECTOR: err = selector(context, node, ret); break;
	case NODE_INDEX: err = index_of(context, node, ret); break;
	case NODE_SLICE: err = slice_of(context, node, ret); break;
	case NODE_ASSERT: err = assertion(context, node, ret); break;
	case NODE_CALL: err = go_call(context, node, ret); break;
	case NODE_UNARY:
		err = node->op == OP_ADDRESS	   ? address_of(context, node, ret)
		      : node->op == OP_DEREFERENCE ? dereference(context, node, ret)
						   : go_unary(context, node, ret);
		break;
	case NODE_BINARY: err = go_binary(context, node, ret); break;
	case NODE_COMPOSITE: err = go_composite(context, node, NULL, ret); break;
	case NODE_ASSIGN: err = assign(context, node, ret); break;
	case NODE_KEYED:
		err = error_at(error_make(DC_SYNTAX, "unexpected ':'"), node->start);
		break;
	default:
		ret->mode = OPERAND_TYPE;
		err = go_need_type(context, node, &ret->type);
		break;
	}
	if (!err)
		ret->node = node;
	return err;
}
