// SPDX-License-Identifier: MIT
// What follows a call that did not return: undone where that is possible, and said what it was.
#ifndef DEBUGGER_INJECT_BARE_BARE_OUTCOME_H
#define DEBUGGER_INJECT_BARE_BARE_OUTCOME_H

#include "debugger/inject/bare/bare_wait.h"

// Stopped: the thread runs its own program again, without the callee having returned.
bool bare_outcome_has_left(struct bare *bare);
// The error that a call ends with; its state says whether the thread is back and held.
struct dc_error *bare_outcome(struct bare *bare, const struct request *request,
			      const struct event *event, enum outcome outcome) DC_CHECK;

#endif
