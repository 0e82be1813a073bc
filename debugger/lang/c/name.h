// SPDX-License-Identifier: MIT
// Names in an expression, resolved while it is parsed.
#ifndef DEBUGGER_LANG_C_NAME_H
#define DEBUGGER_LANG_C_NAME_H

#include "debugger/lang/c/parser.h"

// Between quotes there is a name, or a file before one, and no character.
bool name_is_quoted(const struct parser *parser);
struct dc_error *name_parse(struct parser *parser, struct node **ret) DC_CHECK;
// Behind "::": what is outside of all scopes, whatever the frame's have of the name.
struct dc_error *name_parse_global(struct parser *parser, struct node **ret) DC_CHECK;
// The name, as if it stood in the expression.
struct dc_error *name_make(struct parser *parser, const char *name, size_t column,
			   struct node **ret) DC_CHECK;
struct dc_error *name_dollar(struct parser *parser, struct node **ret) DC_CHECK;
// For "(node)" with the lexer behind it: an error when only a cast could stand there, but the
// name in it is no type.
struct dc_error *name_not_type(struct parser *parser, const struct node *node) DC_CHECK;
// A note with the nearest name, if one is near.
struct dc_error *name_suggest(struct symbols *symbols, const char *name,
			      struct dc_error *err) DC_CHECK;
// Code NAME, with the nearest name.
struct dc_error *name_unknown(struct symbols *symbols, const char *name) DC_CHECK;

#endif
