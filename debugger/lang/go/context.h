// SPDX-License-Identifier: MIT
// A context for what is not an evaluation: printing, taking values apart.
#ifndef DEBUGGER_LANG_GO_CONTEXT_H
#define DEBUGGER_LANG_GO_CONTEXT_H

#include "debugger/lang/go/go.h"

void context_begin(struct context *context, const struct environment *environment);
void context_end(struct context *context);
// The client's value as an operand, which shares its bytes; and an operand as the client's own.
struct operand context_take(struct context *context, const struct value *value);
struct dc_error *context_give(struct context *context, struct operand *operand,
			      struct value *ret) DC_CHECK;

#endif
