// SPDX-License-Identifier: MIT
// From the spelling of a literal to its type and bytes.
#ifndef DEBUGGER_LANG_C_LITERAL_H
#define DEBUGGER_LANG_C_LITERAL_H

#include "debugger/lang/c/ast.h"
#include "debugger/lang/c/basic.h"
#include "debugger/lang/c/lexer.h"

struct parser;

// The node's constant and type from a NUMBER or CHAR token.
struct dc_error *literal_number(struct parser *parser, struct node *node) DC_CHECK;
struct dc_error *literal_char(struct parser *parser, struct node *node) DC_CHECK;
// The current STRING token and those behind it, joined; the lexer is left behind them.
struct dc_error *literal_string(struct parser *parser, struct node *node) DC_CHECK;

#endif
