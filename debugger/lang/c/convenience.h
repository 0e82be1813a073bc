// SPDX-License-Identifier: MIT
// $_strlen(s), $_streq(a, b), $_regex(s, pattern).
#ifndef DEBUGGER_LANG_C_CONVENIENCE_H
#define DEBUGGER_LANG_C_CONVENIENCE_H

#include "debugger/lang/c/evaluator.h"

// name: without its dollar.
bool convenience_known(const char *name);
// Of a CONVENIENCE node.
struct dc_error *convenience_call(struct context *context, const struct node *node,
				  struct value *ret) DC_CHECK;

#endif
