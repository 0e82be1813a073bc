// SPDX-License-Identifier: MIT
// Which languages there are, which one is meant, and expressions as handles of what it makes of them.
#include "debugger/lang/language.h"

#include "debugger/base/cleanup.h"
#include "debugger/symbols/go.h"

#include <stdlib.h>
#include <string.h>

// What is in none of these is C, as far as it can be known.
static const struct language *const languages[] = {
	&language_c,
	&language_cxx,
	&(const struct language){ .name = "Ada", .source = SOURCE_ADA },
	&(const struct language){ .name = "COBOL", .source = SOURCE_COBOL },
	&(const struct language){ .name = "Crystal", .source = SOURCE_CRYSTAL },
	&(const struct language){ .name = "D", .source = SOURCE_D },
	&(const struct language){ .name = "Fortran", .source = SOURCE_FORTRAN },
	&language_go,
	&(const struct language){ .name = "Haskell", .source = SOURCE_HASKELL },
	&(const struct language){ .name = "Java", .source = SOURCE_JAVA },
	&(const struct language){ .name = "Julia", .source = SOURCE_JULIA },
	&(const struct language){ .name = "Kotlin", .source = SOURCE_KOTLIN },
	&(const struct language){ .name = "Modula", .source = SOURCE_MODULA },
	&(const struct language){ .name = "OCaml", .source = SOURCE_OCAML },
	&(const struct language){ .name = "Pascal", .source = SOURCE_PASCAL },
	&(const struct language){ .name = "Rust", .source = SOURCE_RUST },
	&(const struct language){ .name = "Swift", .source = SOURCE_SWIFT },
	&(const struct language){ .name = "Zig", .source = SOURCE_ZIG },
	&(const struct language){ .name = "a language unknown here", .source = SOURCE_OTHER },
};

static const struct language *of_source(enum source_language source)
{
	for (size_t i = 0; i < sizeof(languages) / sizeof(*languages); i++) {
		if (languages[i]->source == source)
			return languages[i];
	}
	return &language_c;
}

// C++ reads whatever C does, and in a program that has both a name of either may be meant.
const struct language *language_at(struct symbols *symbols, const struct symbols_frame *frame)
{
	enum source_language source = symbols_language(symbols, frame);
	const struct language *language = of_source(source);

	if (language->parse && language != &language_c)
		return language;
	// What is below Go's own frames is the system's, or written in assembler.
	if (symbols_is_go(symbols) && (source == SOURCE_UNSAID || source == SOURCE_ASSEMBLER))
		return &language_go;
	return symbols_has_cxx(symbols) ? &language_cxx : &language_c;
}

bool language_can_call(const struct function *function)
{
	return of_source(function->language)->parse;
}

struct dc_error *language_refuses(const struct function *function)
{
	const struct language *language = of_source(function->language);

	// Written as C is, and called so.
	if (language->dialect)
		return NULL;
	return error_make(DC_REFUSED,
			  "'%s' cannot be called: it is a %s function, whose calls are not C's",
			  function->name, language->name);
}

// ---- expressions ----

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

struct dc_error *expression_predicate(const struct environment *environment,
				      const struct expression *expression, uint64_t place,
				      struct arena *arena, const struct predicate **ret)
{
	const struct language *language = expression->language;

	return language->predicate ? language->predicate(environment, expression, place, arena, ret)
				   : error_make(DC_REFUSED, "it is written in %s", language->name);
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

struct dc_error *expression_call(struct expression *expression, const struct value *args,
				 size_t nr_args)
{
	return expression->language->call(expression, args, nr_args);
}

bool expression_recall(struct expression *expression, const struct value *args)
{
	if (!expression->language->recall)
		return false;
	expression->language->recall(expression, args);
	return true;
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
