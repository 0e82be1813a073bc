// SPDX-License-Identifier: MIT
// What strings, slices, maps and interfaces hold, for clients that take values apart.
#include "debugger/lang/container.h"
#include "debugger/lang/go/context.h"
#include "debugger/lang/language.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct dc_error *begin(struct container *container, int kind, uint64_t total)
{
	container->kind = kind;
	container->total = total;
	if (total <= container->start)
		container->room = 0;
	else if (container->room > total - container->start)
		container->room = total - container->start;
	container->list = calloc(container->room ?: 1, sizeof(*container->list));
	return container->list ? NULL : &dc_out_of_memory;
}

static struct dc_error *contain_slice(const struct operand *slice, struct container *ret)
{
	const struct type *element = go_element(slice->type);
	struct dc_error *err = begin(ret, CONTAINER_ARRAY, go_word(slice, 1));

	for (size_t i = 0; !err && i < ret->room; i++)
		ret->list[ret->n++].value = (struct value){
			.type = element,
			.lvalue = LVALUE_MEMORY,
			.addr = go_word(slice, 0) + (ret->start + i) * go_size(element)
		};
	return err;
}

static struct dc_error *contain_map(struct context *context, struct operand *map,
				    struct container *ret)
{
	struct map_walk walk;
	struct operand key, element;
	bool more = true;
	struct dc_error *err = go_map_begin(context, map, &walk);

	if (!err)
		err = begin(ret, CONTAINER_MAP, walk.count);
	for (uint64_t i = 0; !err && ret->n < ret->room; i++) {
		err = go_map_next(context, &walk, &key, &element, &more);
		if (err || !more)
			break;
		if (i < ret->start)
			continue;
		ret->list[ret->n].key = (struct value){ .type = key.type,
							.lvalue = LVALUE_MEMORY,
							.addr = key.addr };
		ret->list[ret->n++].value = (struct value){ .type = element.type,
							    .lvalue = LVALUE_MEMORY,
							    .addr = element.addr };
	}
	return err;
}

static struct dc_error *contain_interface(struct context *context, struct operand *operand,
					  struct container *ret)
{
	struct operand held;
	bool known;
	struct dc_error *err = go_dynamic(context, operand, &known, &held);

	if (!err)
		err = begin(ret, CONTAINER_NAMED, held.type != NULL);
	if (err || !ret->room)
		return err;
	ret->list[0].name = strdup("data");
	if (!ret->list[0].name)
		return &dc_out_of_memory;
	err = context_give(context, &held, &ret->list[0].value);
	ret->n = !err;
	if (err)
		free(ret->list[0].name);
	return err;
}

static struct dc_error *contain(struct context *context, struct operand *operand,
				struct container *ret)
{
	struct dc_error *err = go_load(context, operand);

	if (err || (!operand->bytes && !operand->text))
		return err;
	switch (go_kind(operand->type)) {
	case GO_STRING:
	case GO_FUNC:
	case GO_CHAN: ret->kind = CONTAINER_WORDS; return NULL;
	case GO_SLICE: return contain_slice(operand, ret);
	case GO_MAP: return contain_map(context, operand, ret);
	case GO_INTERFACE: return contain_interface(context, operand, ret);
	default: return NULL;
	}
}

struct dc_error *go_contain(const struct environment *environment, const struct value *value,
			    struct container *ret)
{
	struct context context;
	struct operand operand;
	struct dc_error *err;

	if (!type_is_go(value->type))
		return NULL;
	context_begin(&context, environment);
	operand = context_take(&context, value);
	err = contain(&context, &operand, ret);
	context_end(&context);
	if (!err || err == &dc_out_of_memory)
		return err;
	// What cannot be read is damaged.
	dc_error_destroy(err);
	container_deinit(ret);
	ret->kind = CONTAINER_DAMAGED;
	return NULL;
}
