// SPDX-License-Identifier: MIT
// C's choice by type.
#ifndef DEBUGGER_LANG_C_GENERIC_H
#define DEBUGGER_LANG_C_GENERIC_H

#include "debugger/lang/c/parser.h"

// _Generic(x, int: 1, default: 2) with the lexer on its name: what stands beside the type of x.
struct dc_error *generic_parse(struct parser *parser, struct node **ret) DC_CHECK;

#endif
