// SPDX-License-Identifier: MIT
// A batch of calls that the pad makes by itself, watched from outside: one handshake a slice, and
// all that is known meanwhile is what the pad writes.
#ifndef DEBUGGER_INJECT_BARE_BARE_LOOP_H
#define DEBUGGER_INJECT_BARE_BARE_LOOP_H

#include "debugger/inject/bare/bare.h"

// Before any stop: begins to measure what a tick is.
void bare_loop_init(struct bare *bare);
// How many calls the pad is to make, and for how long. One, where it cannot, or is not to.
void bare_loop_prepare(const struct bare *bare, const struct request *request,
		       struct pad_data *data);
// Reads what the pad says, the thread may run: false when there is no pad any more.
bool bare_loop_look(struct bare *bare);
// The deadline is that of the call under way, which may be a later one than it was set for.
void bare_loop_renew_deadline(struct bare *bare, const struct request *request);
// The times of the calls that the last handshake told of.
struct dc_error *bare_loop_times(struct bare *bare, struct request *request) DC_CHECK;

#endif
