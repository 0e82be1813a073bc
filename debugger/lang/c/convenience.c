// SPDX-License-Identifier: MIT
// gdb's functions of its own, $_streq(a, b) and the like: they read the target and call nothing there.
#include "debugger/lang/c/convenience.h"

#include "debugger/lang/c/dialect.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 1 << 20, PAGE = 4096 };

// A string of the target, or one that is written here, up to its NUL.
static struct dc_error *read_text(struct context *context, uint64_t addr, char **ret)
{
	const struct caller *caller = context->access.caller;
	_cleanup_free_ char *text = NULL;
	size_t n = 0;

	// Page by page, for the one behind a string may be missing.
	while (n < TEXT_MAX) {
		size_t want = PAGE - (addr + n) % PAGE;
		char *longer = realloc(text, n + want);

		if (!longer)
			return &dc_out_of_memory;
		text = longer;

		struct dc_error *err = caller->read(caller->arg, addr + n, text + n, want);

		if (err)
			return err;
		if (memchr(text + n, '\0', want)) {
			*ret = take_ptr(text);
			return NULL;
		}
		n += want;
	}
	return error_make(DC_VALUE, "the string does not end within %d bytes", TEXT_MAX);
}

// NULL in *ret: it takes a run to know.
static struct dc_error *text_of(struct context *context, const struct node *node, char **ret)
{
	_cleanup_value_ struct value value = { 0 };
	struct dc_error *err = eval_node(context, node, &value);
	const struct type *plain;
	uint64_t addr;

	*ret = NULL;
	if (!err)
		err = convert_referred(context, &value);
	if (err || value_unknown(&value))
		return err;
	plain = type_strip(value.type);
	if ((plain->kind != TYPE_ARRAY && plain->kind != TYPE_POINTER) ||
	    type_strip(plain->target)->size != 1)
		return error_at(type_error("a string is wanted, not '%s'", value.type, NULL),
				node->column);
	err = object_load(context, &value);
	if (err || !value.bytes || context->mode == EVAL_TYPE)
		return err;
	if (plain->kind == TYPE_ARRAY) {
		*ret = strndup((const char *)value.bytes, plain->count);
		return *ret ? NULL : &dc_out_of_memory;
	}
	if (context->mode != EVAL_RUN)
		return NULL;
	memcpy(&addr, value.bytes, sizeof(addr));
	return error_at(read_text(context, addr, ret), node->column);
}

static struct dc_error *text_length(char *const texts[2], int64_t *ret)
{
	*ret = (int64_t)strlen(texts[0]);
	return NULL;
}

static struct dc_error *same_text(char *const texts[2], int64_t *ret)
{
	*ret = !strcmp(texts[0], texts[1]);
	return NULL;
}

// As gdb's does, from the text's beginning.
static struct dc_error *matches(char *const texts[2], int64_t *ret)
{
	_cleanup_free_ char *pattern = NULL;
	regex_t regex;

	if (asprintf(&pattern, "^(%s)", texts[1]) < 0)
		return &dc_out_of_memory;
	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB))
		return error_make(DC_VALUE, "'%s' is not a regular expression", texts[1]);
	*ret = !regexec(&regex, texts[0], 0, NULL, 0);
	regfree(&regex);
	return NULL;
}

static const struct {
	const char *name;
	size_t nr_args;
	struct dc_error *(*compute)(char *const texts[2], int64_t *ret);
} table[] = {
	{ "_strlen", 1, text_length },
	{ "_streq", 2, same_text },
	{ "_regex", 2, matches },
};
enum { NR_FUNCTIONS = sizeof(table) / sizeof(*table) };

static size_t find(const char *name)
{
	size_t i = 0;

	while (i < NR_FUNCTIONS && strcmp(table[i].name, name) != 0)
		i++;
	return i;
}

bool convenience_known(const char *name)
{
	return find(name) < NR_FUNCTIONS;
}

struct dc_error *convenience_call(struct context *context, const struct node *node,
				  struct value *ret)
{
	size_t which = find(node->call.callee->name);
	char *texts[2] = { NULL, NULL };
	struct dc_error *err = NULL;
	bool known = true;
	int64_t number;

	*ret = (struct value){ .type = context->basics.list[BASIC_INT] };
	if (node->call.nr_args != table[which].nr_args)
		return error_make(DC_TYPE, "$%s wants %zu, not %zu arguments", table[which].name,
				  table[which].nr_args, node->call.nr_args);
	for (size_t i = 0; !err && i < node->call.nr_args; i++) {
		err = text_of(context, node->call.args[i], &texts[i]);
		known &= texts[i] != NULL;
	}
	if (!err && known)
		err = table[which].compute(texts, &number);
	if (!err && known)
		err = make_integer(context, BASIC_INT, (uint64_t)number, ret);
	free(texts[0]);
	free(texts[1]);
	return err;
}
