// SPDX-License-Identifier: MIT
// Literals in the target, where its collector does not look: they hold no pointers to its heap.
#include "debugger/lang/go/go.h"

#include <string.h>

struct dc_error *go_place(struct context *context, const void *bytes, uint64_t size, uint64_t *addr)
{
	const struct caller *caller = context->caller;

	*addr = 0;
	if (context->effects && size)
		context->effects->calls = context->effects->is_go = true;
	if (!context->runs || !size)
		return NULL;

	const size_t max = sizeof(context->placed) / sizeof(*context->placed);
	struct dc_error *err = caller->literal(caller->arg, bytes, size, addr);

	if (!err && context->nr_placed < max)
		context->placed[context->nr_placed++] = (struct placed){ *addr, size };
	return err;
}

// Whether the collector leaves alone what is there: our literals, and the program's own file.
static bool stays(struct context *context, uint64_t addr)
{
	const struct module *const *modules;
	size_t n = symbols_modules(context->symbols, &modules);

	for (size_t i = 0; i < context->nr_placed; i++)
		if (addr - context->placed[i].addr <= context->placed[i].size)
			return true;
	for (size_t i = 0; i < n; i++)
		if (addr >= modules[i]->start && addr < modules[i]->end)
			return true;
	return !addr;
}

static struct dc_error *check_pointer(struct context *context, const struct type *type,
				      const unsigned char *bytes)
{
	uint64_t addr;

	memcpy(&addr, bytes, sizeof(addr));
	if (stays(context, addr))
		return NULL;
	return error_make(
		DC_REFUSED,
		"a literal would hold a pointer to the program's heap (in a value of type "
		"%s), which its collector would not know of",
		go_spelling(context, type));
}

static struct dc_error *check_pointers(struct context *context, const struct type *type,
				       const unsigned char *bytes)
{
	const struct type *under = type_strip(type);
	const struct type_member *members;
	struct dc_error *err = NULL;
	size_t n;

	if (!go_has_pointers(type))
		return NULL;
	switch (go_kind(type)) {
	case GO_ARRAY:
		for (uint64_t i = 0; i < under->count && !err; i++)
			err = check_pointers(context, under->target,
					     bytes + i * go_size(under->target));
		return err;
	case GO_STRUCT:
		err = type_members(under, &members, &n);
		for (size_t i = 0; !err && i < n; i++)
			err = check_pointers(context, members[i].type, bytes + members[i].offset);
		return err;
	case GO_INTERFACE:
		err = check_pointer(context, type, bytes + 8);
		/* fallthrough */
	default: return err ? err : check_pointer(context, type, bytes);
	}
}

// Memory that the collector does not look into would not keep alive what it points to.
struct dc_error *go_place_objects(struct context *context, const struct type *type,
				  const void *bytes, uint64_t count, uint64_t *addr)
{
	struct dc_error *err = NULL;

	*addr = 0;
	for (uint64_t i = 0; context->runs && !err && i < count; i++)
		err = check_pointers(context, type,
				     (const unsigned char *)bytes + i * go_size(type));
	return err ? err : go_place(context, bytes, count * go_size(type), addr);
}

struct dc_error *go_ready(struct context *context, struct operand *operand)
{
	uint64_t *words;
	struct dc_error *err = go_load(context, operand);

	if (err || operand->bytes || !operand->text)
		return err;
	words = go_alloc(context, 2 * sizeof(*words));
	if (!words)
		return &dc_out_of_memory;
	err = go_place(context, operand->text, operand->length, &words[0]);
	words[1] = operand->length;
	if (context->runs)
		operand->bytes = (unsigned char *)words;
	return err;
}
