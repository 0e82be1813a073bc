// SPDX-License-Identifier: MIT
// A call while it is put together.
#ifndef DEBUGGER_LANG_C_INVOKE_H
#define DEBUGGER_LANG_C_INVOKE_H

#include "debugger/lang/c/evaluator.h"

struct call {
	struct value callee; // a FUNCTION, or a pointer's value
	const struct type *type; // FUNCTION; NULL: not known before it runs
	const char *name;
	struct value object; // that it is called on, by address, as the first argument; or no type
	struct value *args;
	size_t nr_args;
};

// The call's function is this one. Code REFUSED: it has no known type.
struct dc_error *invoke_function(const struct function *function, struct call *call) DC_CHECK;
// A call; result is the type that a cast around it gives, or NULL.
struct dc_error *invoke(struct context *context, const struct node *node, const struct type *result,
			struct value *ret) DC_CHECK;

#endif
