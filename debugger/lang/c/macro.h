// SPDX-License-Identifier: MIT
// Macros of the program in an expression.
#ifndef DEBUGGER_LANG_C_MACRO_H
#define DEBUGGER_LANG_C_MACRO_H

#include "debugger/lang/c/parser.h"

// Behind a name that nothing else has: the text that it stands for takes its place, and the lexer stands
// at the beginning of that. *done false: it is no macro, or one that takes arguments and got none.
struct dc_error *macro_expand(struct parser *parser, const char *name, size_t column,
			      bool *done) DC_CHECK;

#endif
