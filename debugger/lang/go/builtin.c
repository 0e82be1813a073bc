// SPDX-License-Identifier: MIT
// Go's built-in functions, as far as they need nothing that only compiled code can do.
#include "debugger/lang/go/go.h"

#include <inttypes.h>
#include <string.h>

static struct dc_error *wants(const struct node *node, const char *name, size_t least, size_t most)
{
	if (node->nr_list >= least && node->nr_list <= most)
		return NULL;
	return error_at(error_make(DC_TYPE, "%s arguments for %s (expected %zu, found %zu)",
				   node->nr_list < least ? "not enough" : "too many", name,
				   node->nr_list < least ? least : most, node->nr_list),
			node->start);
}

static struct dc_error *bad_argument(struct context *context, const char *name,
				     const struct operand *operand)
{
	return error_at(error_make(DC_TYPE, "invalid argument: %s for built-in %s",
				   go_describe(context, operand), name),
			operand->node->start);
}

static struct dc_error *make_int(struct context *context, bool known, uint64_t value,
				 struct operand *ret)
{
	const struct type *type;
	struct number number = { .is_signed = true, .i = value };
	struct dc_error *err = go_basic(context, "int", &type);

	if (!err)
		err = go_make_number(context, &number, type, ret);
	if (!err && !known)
		ret->bytes = NULL;
	return err;
}

static struct dc_error *channel_field(struct context *context, const struct operand *channel,
				      const char *name, uint64_t *ret)
{
	const struct type *type = type_strip(channel->type)->target;
	const struct type_member *members;
	size_t n;
	struct dc_error *err;

	*ret = 0;
	if (!go_word(channel, 0))
		return NULL;
	type = type && go_kind(type) == GO_POINTER ? type_strip(go_element(type)) : NULL;
	if (!type)
		return error_make(DC_VALUE, "the layout of channels is not known");
	err = type_members(type, &members, &n);
	for (size_t i = 0; !err && i < n; i++)
		if (!strcmp(members[i].name ?: "", name))
			return context->caller->read(context->caller->arg,
						     go_word(channel, 0) + members[i].offset, ret,
						     sizeof(*ret));
	return err ? err : error_make(DC_VALUE, "the layout of channels is not known");
}

static struct dc_error *length_of(struct context *context, const struct node *node,
				  bool is_capacity, struct operand *ret)
{
	const char *name = is_capacity ? "cap" : "len";
	struct operand operand;
	struct map_walk walk;
	const struct type *type;
	uint64_t value = 0;
	struct dc_error *err = wants(node, name, 1, 1);

	if (!err)
		err = go_value(context, node->list[0], &operand);
	if (err)
		return err;
	if (operand.mode == OPERAND_UNKNOWN)
		return make_int(context, false, 0, ret);
	if (operand.text && !is_capacity)
		return make_int(context, true, operand.length, ret);
	if (!operand.type)
		return bad_argument(context, name, &operand);
	type = operand.type;
	if (go_kind(type) == GO_POINTER && go_kind(go_element(type)) == GO_ARRAY)
		type = go_element(type);
	switch (go_kind(type)) {
	case GO_ARRAY: return make_int(context, true, type_strip(type)->count, ret);
	case GO_STRING:
		if (is_capacity)
			return bad_argument(context, name, &operand);
		/* fallthrough */
	case GO_SLICE:
		return make_int(context, operand.bytes,
				operand.bytes ? go_word(&operand, is_capacity ? 2 : 1) : 0, ret);
	case GO_MAP:
		if (is_capacity)
			return bad_argument(context, name, &operand);
		err = go_map_begin(context, &operand, &walk);
		return err ? err : make_int(context, operand.bytes, walk.count, ret);
	case GO_CHAN:
		if (operand.bytes)
			err = channel_field(context, &operand, is_capacity ? "dataqsiz" : "qcount",
					    &value);
		return err ? err : make_int(context, operand.bytes, value, ret);
	default: return bad_argument(context, name, &operand);
	}
}

static struct dc_error *extreme(struct context *context, const struct node *node, bool is_min,
				struct operand *ret)
{
	struct dc_error *err = wants(node, is_min ? "min" : "max", 1, SIZE_MAX);

	if (!err)
		err = go_value(context, node->list[0], ret);
	for (size_t i = 1; i < node->nr_list && !err; i++) {
		struct operand other, a = *ret, less;
		struct number number;

		err = go_value(context, node->list[i], &other);
		if (err)
			return err;

		struct operand b = other;

		err = go_binary_of(context, node, OP_LT, &b, &a, &less);
		if (err)
			return err;
		// The constant of a typed one and an untyped one has the type.
		if (!ret->type && other.type)
			err = go_assign(context, ret, other.type, "in argument");
		else if (ret->type && !other.type)
			err = go_assign(context, &other, ret->type, "in argument");
		if (less.mode == OPERAND_UNKNOWN || !go_number(&less, &number))
			ret->bytes = NULL, ret->is_object = false;
		else if (!!number.i == is_min)
			*ret = other;
	}
	ret->is_object = false;
	return err;
}

static struct dc_error *complex_part(struct context *context, const struct node *node, bool is_real,
				     struct operand *ret)
{
	struct operand operand;
	const struct type *type;
	struct number number, part = { .kind = NUMBER_REAL };
	struct dc_error *err = wants(node, is_real ? "real" : "imag", 1, 1);

	if (!err)
		err = go_value(context, node->list[0], &operand);
	if (err)
		return err;
	if (operand.mode == OPERAND_CONSTANT && !operand.type && !operand.text) {
		number = operand.number;
		part.re = number.kind != NUMBER_COMPLEX && number.kind != NUMBER_REAL
				  ? (is_real ? (__float128)(int128)number.i : 0)
			  : is_real ? number.re
				    : number.im;
		*ret = (struct operand){ .mode = OPERAND_CONSTANT,
					 .untyped = UNTYPED_FLOAT,
					 .number = part };
		return NULL;
	}
	if (!operand.type ||
	    (go_kind(operand.type) != GO_COMPLEX64 && go_kind(operand.type) != GO_COMPLEX128))
		return bad_argument(context, is_real ? "real" : "imag", &operand);
	err = go_basic(context, go_kind(operand.type) == GO_COMPLEX64 ? "float32" : "float64",
		       &type);
	if (err)
		return err;
	*ret = go_bytes(type, NULL);
	if (!go_number(&operand, &number))
		return NULL;
	part.re = is_real ? number.re : number.im;
	return go_make_number(context, &part, type, ret);
}

static struct dc_error *make_complex(struct context *context, const struct node *node,
				     struct operand *ret)
{
	struct operand a, b;
	const struct type *type, *float64;
	struct number x, y, z = { .kind = NUMBER_COMPLEX };
	struct dc_error *err = wants(node, "complex", 2, 2);

	if (!err)
		err = go_value(context, node->list[0], &a);
	if (!err)
		err = go_value(context, node->list[1], &b);
	if (!err)
		err = go_basic(context, "float64", &float64);
	if (!err)
		err = go_assign(context, &a, a.type ?: b.type ?: float64, "in argument to complex");
	if (!err)
		err = go_assign(context, &b, a.type, "in argument to complex");
	if (err)
		return err;
	if (go_kind(a.type) != GO_FLOAT32 && go_kind(a.type) != GO_FLOAT64)
		return bad_argument(context, "complex", &a);
	err = go_basic(context, go_kind(a.type) == GO_FLOAT32 ? "complex64" : "complex128", &type);
	if (err)
		return err;
	*ret = go_bytes(type, NULL);
	if (!go_number(&a, &x) || !go_number(&b, &y))
		return NULL;
	z.re = x.re;
	z.im = y.re;
	return go_make_number(context, &z, type, ret);
}

// A new slice of what the operands hold; nothing that others see is written to.
static struct dc_error *append(struct context *context, const struct node *node,
			       struct operand *ret)
{
	struct operand slice;
	const struct type *element;
	uint64_t count = 0, size, *words = go_alloc(context, 3 * sizeof(*words));
	const unsigned char *old = NULL;
	unsigned char *bytes;
	struct dc_error *err = wants(node, "append", 1, SIZE_MAX);

	if (!err)
		err = go_value(context, node->list[0], &slice);
	if (err || !words)
		return err ? err : &dc_out_of_memory;
	if (!slice.type || go_kind(slice.type) != GO_SLICE)
		return error_at(error_make(DC_TYPE,
					   "invalid argument: first argument to append must be a "
					   "slice; have %s",
					   go_describe(context, &slice)),
				node->start);
	if (node->spreads)
		return error_at(error_make(DC_REFUSED, "append(s, t...) is not done here"),
				node->start);
	element = go_element(slice.type);
	size = go_size(element);
	if (slice.bytes) {
		count = go_word(&slice, 1);
		err = go_read_memory(context, go_word(&slice, 0), count * size, &old);
	}
	bytes = go_alloc(context, (count + node->nr_list) * size);
	if (!err && !bytes)
		err = &dc_out_of_memory;
	if (err)
		return err;
	if (old)
		memcpy(bytes, old, count * size);
	for (size_t i = 1; i < node->nr_list; i++) {
		struct operand one;

		err = go_composite(context, node->list[i], element, &one);
		if (!err)
			err = go_assign(context, &one, element, "in argument to append");
		if (!err)
			err = go_ready(context, &one);
		if (err)
			return err;
		if (one.bytes)
			memcpy(bytes + count * size, one.bytes, size);
		count++;
	}
	err = go_place_objects(context, element, bytes, count, &words[0]);
	words[1] = words[2] = count;
	*ret = go_bytes(slice.type, context->runs && slice.bytes ? (unsigned char *)words : NULL);
	return err;
}

static struct dc_error *copy(struct context *context, const struct node *node, struct operand *ret)
{
	const struct caller *caller = context->caller;
	struct operand to, from;
	const unsigned char *bytes;
	const char *text;
	uint64_t n, length;
	bool known, is_text;
	struct dc_error *err = wants(node, "copy", 2, 2);

	if (!err)
		err = go_value(context, node->list[0], &to);
	if (!err)
		err = go_value(context, node->list[1], &from);
	if (err)
		return err;
	is_text = from.text || (from.type && go_kind(from.type) == GO_STRING);
	if (!to.type || go_kind(to.type) != GO_SLICE ||
	    (is_text ? go_kind(go_element(to.type)) != GO_UINT8
		     : !from.type || go_kind(from.type) != GO_SLICE ||
			       !go_identical(go_element(from.type), go_element(to.type))))
		return error_at(error_make(DC_TYPE,
					   "invalid argument: copy expects slice arguments "
					   "of one type"),
				node->start);
	if (go_has_pointers(go_element(to.type)))
		return error_at(error_make(DC_REFUSED,
					   "the elements hold pointers, and the program's "
					   "collector would not learn of the copy"),
				node->start);
	if (context->effects)
		context->effects->writes = true;
	if (!context->runs)
		return make_int(context, false, 0, ret);
	n = go_word(&to, 1);
	if (is_text) {
		err = go_text_of(context, &from, &known, &text, &length);
		bytes = (const unsigned char *)text;
	} else {
		length = go_word(&from, 1);
		err = go_read_memory(context, go_word(&from, 0),
				     (length < n ? length : n) * go_size(go_element(to.type)),
				     &bytes);
	}
	if (err)
		return err;
	n = length < n ? length : n;
	if (n)
		err = caller->write(caller->arg, go_word(&to, 0), bytes,
				    n * go_size(go_element(to.type)));
	return err ? err : make_int(context, true, n, ret);
}

// new(T), and make([]T, n).
static struct dc_error *make_object(struct context *context, const struct node *node, bool is_new,
				    struct operand *ret)
{
	const struct type *type, *element;
	uint64_t *words = go_alloc(context, 3 * sizeof(*words)), count = 1, room = 1;
	unsigned char *bytes;
	struct dc_error *err = wants(node, is_new ? "new" : "make", 1, is_new ? 1 : 3);

	if (!err)
		err = go_need_type(context, node->list[0], &type);
	if (err || !words)
		return err ? err : &dc_out_of_memory;
	if (!is_new && go_kind(type) != GO_SLICE)
		return error_at(error_make(DC_REFUSED, "only slices are made here"), node->start);
	element = is_new ? type : go_element(type);
	for (size_t i = 1; i < node->nr_list && !err; i++) {
		struct operand operand;
		bool known;
		int64_t value = 0;

		err = go_value(context, node->list[i], &operand);
		if (!err)
			err = go_index_value(context, &operand, &known, &value);
		room = (uint64_t)value;
		count = i == 1 ? room : count;
	}
	if (!err && room < count)
		err = error_make(DC_TYPE, "invalid argument: length and capacity swapped");
	if (err)
		return error_at(err, node->start);
	bytes = go_alloc(context, room * go_size(element));
	if (!bytes)
		return error_at(error_make(DC_VALUE, "an object of that size is not made here"),
				node->start);
	if (is_new) {
		type = types_pointer(context->types, type);
		if (!type)
			return &dc_out_of_memory;
	}
	err = go_place_objects(context, element, bytes, room, &words[0]);
	words[1] = count;
	words[2] = room;
	*ret = go_bytes(type, context->runs ? (unsigned char *)words : NULL);
	return err;
}

struct dc_error *go_builtin(struct context *context, const struct node *node, const char *name,
			    struct operand *ret)
{
	struct dc_error *err;

	if (!strcmp(name, "len") || !strcmp(name, "cap"))
		err = length_of(context, node, *name == 'c', ret);
	else if (!strcmp(name, "min") || !strcmp(name, "max"))
		err = extreme(context, node, !strcmp(name, "min"), ret);
	else if (!strcmp(name, "real") || !strcmp(name, "imag"))
		err = complex_part(context, node, *name == 'r', ret);
	else if (!strcmp(name, "complex"))
		err = make_complex(context, node, ret);
	else if (!strcmp(name, "append"))
		err = append(context, node, ret);
	else if (!strcmp(name, "copy"))
		err = copy(context, node, ret);
	else if (!strcmp(name, "new") || !strcmp(name, "make"))
		err = make_object(context, node, *name == 'n', ret);
	else
		err = error_at(error_make(DC_REFUSED, "built-in %s is not done here", name),
			       node->start);
	ret->node = node;
	return err;
}
