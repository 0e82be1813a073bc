// SPDX-License-Identifier: MIT
// Which languages there are, and which one is meant.
#include "debugger/lang/language.h"

// What is in none of these is C, as far as it can be known.
static const struct language *const languages[] = {
	&language_c,
	&language_cxx,
	&(const struct language){ .name = "Ada", .source = SOURCE_ADA },
	&(const struct language){ .name = "COBOL", .source = SOURCE_COBOL },
	&(const struct language){ .name = "Crystal", .source = SOURCE_CRYSTAL },
	&(const struct language){ .name = "D", .source = SOURCE_D },
	&(const struct language){ .name = "Fortran", .source = SOURCE_FORTRAN },
	&(const struct language){ .name = "Go", .source = SOURCE_GO },
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
	const struct language *language = of_source(symbols_language(symbols, frame));

	if (language->parse && language != &language_c)
		return language;
	return symbols_has_cxx(symbols) ? &language_cxx : &language_c;
}

bool language_can_call(const struct function *function)
{
	return of_source(function->language)->parse;
}

struct dc_error *language_refuses(const struct function *function)
{
	const struct language *language = of_source(function->language);

	if (language->parse)
		return NULL;
	return error_make(DC_REFUSED,
			  "'%s' cannot be called: it is a %s function, whose calls are not C's",
			  function->name, language->name);
}
