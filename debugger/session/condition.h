// SPDX-License-Identifier: MIT
// Conditions: whether one holds in a thread that stands at its place, and what the kernel can be told
// of it, so that threads for which it does not hold need not stand.
#ifndef DEBUGGER_SESSION_CONDITION_H
#define DEBUGGER_SESSION_CONDITION_H

#include "debugger/session/session.h"

// Whether what the expression gives is true. Code TYPE: it is neither. In session_run().
struct dc_error *condition_holds(struct dc_session *session, struct dc_expression *condition,
				 pid_t tid, const struct dc_call_options *options,
				 bool *ret) DC_CHECK;
// What it is, as far as others than its evaluator can tell; NULL: they cannot, and *why says it. Both
// live until the expression is parsed again.
const struct predicate *condition_predicate(struct dc_expression *condition, const char **why);

#endif
