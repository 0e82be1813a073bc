// SPDX-License-Identifier: MIT
// v[i], m[key], *p and p-> of the standard library's classes: the element, by the object's layout.
// No operator of the program is called for it.
#include "debugger/lang/cxx/library.h"
#include "debugger/lang/cxx/rules.h"
#include "debugger/values/keepsake.h"
#include "debugger/values/number.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// What the element is, before a run tells where.
static struct dc_error *known_type(const struct type *type, struct value *ret, bool *done)
{
	*done = type != NULL;
	*ret = (struct value){ .type = type, .lvalue = LVALUE_MEMORY };
	return NULL;
}

static struct dc_error *read_whole(struct context *context, const struct value *object,
				   struct container *ret)
{
	const struct environment environment = { .symbols = context->access.symbols,
						 .caller = context->access.caller };
	struct dc_error *err = library_container(&environment, object, ret);

	if (!err && (ret->kind == CONTAINER_DAMAGED || ret->kind == CONTAINER_NONE))
		err = type_error("the object of '%s' is not initialised, or not known here",
				 object->type, NULL);
	return err;
}

// ---- what it points to ----

static bool is_pointer(enum library_access access)
{
	return access == ACCESS_POINTER || access == ACCESS_TARGET;
}

struct dc_error *library_target(struct context *context, const struct value *object,
				struct value *ret, bool *done)
{
	const struct type *type = symbols_complete(context->access.symbols,
						   type_strip(object->type));
	enum library_access access = library_access_of(type);
	_cleanup_(container_deinit) struct container container = { .room = 1 };
	struct dc_error *err;

	*done = is_pointer(access);
	if (!*done)
		return NULL;
	if (context->mode != EVAL_RUN) {
		const struct type *element = library_element(type, 0);

		if (element && access == ACCESS_TARGET &&
		    type_strip(element)->kind == TYPE_POINTER &&
		    strstr(type->name, "__normal_iterator"))
			element = type_strip(element)->target;
		if (element && type_strip(element)->kind == TYPE_ARRAY)
			element = type_strip(element)->target;
		return known_type(element, ret, done);
	}
	err = read_whole(context, object, &container);
	if (!err && !container.n)
		err = type_error("the object of '%s' holds no value", object->type, NULL);
	if (err)
		return err;

	struct value *held = &container.list[0].value;

	if (access == ACCESS_TARGET) {
		*ret = value_take(held);
		return NULL;
	}
	err = object_load(context, held);
	if (!err)
		err = object_dereference(context, held, ret);
	return err;
}

// ---- elements ----

static struct dc_error *out_of_range(int64_t i, uint64_t total)
{
	return error_make(DC_VALUE, "no element %" PRId64 " in %" PRIu64 " elements", i, total);
}

static struct dc_error *by_number(struct context *context, const struct value *object,
				  struct value *index, struct value *ret)
{
	_cleanup_(container_deinit) struct container container = { .room = 1 };
	int64_t i = 0;
	struct dc_error *err = value_integer(index, &i);

	if (!err && i < 0)
		return error_make(DC_VALUE, "a negative index");
	container.start = (uint64_t)i;
	if (!err)
		err = read_whole(context, object, &container);
	if (err)
		return err;
	if (container.kind == CONTAINER_TEXT) {
		uint64_t width = type_strip(container.character)->size;

		if ((uint64_t)i > container.total)
			return out_of_range(i, container.total);
		*ret = library_object(container.character, container.text + (uint64_t)i * width);
		ret->is_temporary = object->is_temporary;
		ret->keepsake = object->keepsake;
		return NULL;
	}
	if (!container.n)
		return out_of_range(i, container.total);
	*ret = value_take(&container.list[0].value);
	return NULL;
}

// The characters of a key or of what is looked for; NULL: it is no string.
static struct dc_error *text_of(struct context *context, const struct value *value, char **ret)
{
	_cleanup_(container_deinit) struct container container = { 0 };
	const struct environment environment = { .symbols = context->access.symbols,
						 .caller = context->access.caller };
	const struct caller past = keepsake_caller(value->keepsake);
	const struct caller *caller = value->keepsake ? &past : context->access.caller;
	enum { LENGTH_MAX = 1 << 16 };

	*ret = NULL;
	if (value->lvalue == LVALUE_LITERAL && value->bytes &&
	    type_strip(value->type)->kind == TYPE_ARRAY &&
	    type_strip(type_strip(value->type)->target)->is_char) {
		*ret = strndup((const char *)value->bytes, type_strip(value->type)->size);
		return *ret ? NULL : &dc_out_of_memory;
	}
	if (!type_is_record(value->type))
		return NULL;

	struct dc_error *err = library_container(&environment, value, &container);

	if (err || container.kind != CONTAINER_TEXT || container.total > LENGTH_MAX ||
	    type_strip(container.character)->size != 1)
		return err;
	*ret = calloc(1, container.total + 1);
	if (!*ret)
		return &dc_out_of_memory;
	return container.total ? caller->read(caller->arg, container.text, *ret, container.total)
			       : NULL;
}

static struct dc_error *same_key(struct context *context, struct value *key,
				 const struct value *wanted, const char *text, bool *ret)
{
	_cleanup_free_ char *its = NULL;
	struct number a, b;
	struct dc_error *err;

	*ret = false;
	if (text) {
		err = text_of(context, key, &its);
		*ret = !err && its && !strcmp(its, text);
		return err;
	}
	err = object_load(context, key);
	if (!err)
		err = number_read(key->type, key->bytes, &a);
	if (!err)
		err = number_read(wanted->type, wanted->bytes, &b);
	*ret = !err && number_compare(OP_EQ, &a, &b);
	return err;
}

// C++'s operator makes a key that there is not; here that is an error.
static struct dc_error *by_key(struct context *context, const struct value *object,
			       struct value *index, const struct type *key, struct value *ret)
{
	enum { KEYS_MAX = 1 << 20 };
	_cleanup_(container_deinit) struct container container = { .room = KEYS_MAX };
	_cleanup_free_ char *text = NULL;
	bool found = false;
	struct dc_error *err = text_of(context, index, &text);

	if (!err && !text && type_is_scalar(key))
		err = convert_assign(context, index, key, "the key");
	else if (!err && !text)
		err = type_error("keys of '%s' cannot be compared here", key, NULL);
	if (!err)
		err = read_whole(context, object, &container);
	for (size_t i = 0; !err && i < container.n && !found; i++) {
		err = same_key(context, &container.list[i].key, index, text, &found);
		if (!err && found)
			*ret = value_take(&container.list[i].value);
	}
	if (!err && !found)
		err = error_make(DC_VALUE, "there is no such key");
	return err;
}

struct dc_error *library_index(struct context *context, const struct value *object,
			       struct value *index, struct value *ret, bool *done)
{
	const struct type *type = symbols_complete(context->access.symbols,
						   type_strip(object->type));
	enum library_access access = library_access_of(type);
	const struct type *element = library_element(type, access == ACCESS_KEY ? 1 : 0);

	*done = access == ACCESS_INDEX || access == ACCESS_KEY;
	if (!*done || !element)
		return NULL;
	if (context->mode != EVAL_RUN)
		return known_type(element, ret, done);

	const struct type *key = library_argument(type, 0);

	return access == ACCESS_KEY && key ? by_key(context, object, index, key, ret)
					   : by_number(context, object, index, ret);
}
