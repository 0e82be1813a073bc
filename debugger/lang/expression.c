// SPDX-License-Identifier: MIT
// The handle: an expression's text and what its language made of it.
#include "debugger/base/cleanup.h"
#include "debugger/lang/language.h"

#include <stdlib.h>
#include <string.h>

static void cleanup_expression(struct expression **expression)
{
	expression_destroy(*expression);
}

struct dc_error *expression_parse(const struct environment *environment,
				  const struct symbols_frame *frame, const char *text,
				  size_t length, struct expression **ret)
{
	static const struct symbols_frame nowhere;
	_cleanup_(cleanup_expression) struct expression *expression = calloc(1,
									     sizeof(*expression));

	if (!expression)
		return &dc_out_of_memory;
	frame = frame ? frame : &nowhere;
	expression->symbols = environment->symbols;
	expression->language = language_at(environment->symbols, frame);
	// One byte more than empty, and a NUL that ends a number at the end.
	expression->text = calloc(1, length + 1);
	if (!expression->text)
		return &dc_out_of_memory;
	memcpy(expression->text, text, length);
	expression->size = length;

	struct dc_error *err = expression->language->parse(environment, frame, expression);

	if (err)
		return err;
	*ret = take_ptr(expression);
	return NULL;
}

struct dc_error *expression_check(const struct environment *environment,
				  struct expression *expression,
				  struct dc_error *(*abi)(const struct type *function))
{
	return expression->language->check(environment, expression, abi);
}

struct dc_error *expression_evaluate(const struct environment *environment,
				     const struct expression *expression, struct value *ret)
{
	return expression->language->evaluate(environment, expression, ret);
}

struct dc_error *value_print(const struct language *language, const struct environment *environment,
			     const struct value *value, char format, char **ret)
{
	return language->print(language, environment, value, format, ret);
}

const struct language *expression_language(const struct expression *expression)
{
	return expression->language;
}

const char *language_name(const struct language *language)
{
	return language->name;
}

void expression_destroy(struct expression *expression)
{
	if (!expression)
		return;
	arena_deinit(&expression->arena);
	free(expression->text);
	free(expression);
}

const char *expression_text(const struct expression *expression)
{
	return expression->text;
}

char expression_format(const struct expression *expression)
{
	return expression->format;
}

const struct effects *expression_effects(const struct expression *expression)
{
	return &expression->effects;
}
