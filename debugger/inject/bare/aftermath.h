// SPDX-License-Identifier: MIT
// What follows a call that did not return: undone where that is possible, and said what it was.
#ifndef DEBUGGER_INJECT_BARE_AFTERMATH_H
#define DEBUGGER_INJECT_BARE_AFTERMATH_H

#include "debugger/inject/bare/bare_wait.h"

// Stopped: the thread runs its own program again, without the callee having returned.
bool aftermath_has_left(struct bare *bare);
// The error that a call ends with; its state says whether the thread is back and held. *pause_ns
// grows when it is not held any more.
struct dc_error *aftermath(struct bare *bare, const char *name, const struct wait *wait,
			   enum outcome outcome, int64_t timeout_ns) DC_CHECK;

#endif
