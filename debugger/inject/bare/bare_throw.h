// SPDX-License-Identifier: MIT
// Exceptions that leave the callee: met where C++'s runtime finds that nobody catches them, before any
// handler of the program runs, and unwound by the program's own unwinder as far as the pad.
#ifndef DEBUGGER_INJECT_BARE_BARE_THROW_H
#define DEBUGGER_INJECT_BARE_BARE_THROW_H

#include "debugger/inject/bare/bare.h"
#include "debugger/target/events.h"

// Before any stop.
void bare_throw_init(struct bare *bare);
void bare_throw_deinit(struct bare *bare);
// The callee may throw: it is to be entered by the pad, which an exception can be unwound to.
bool bare_throw_may(const struct bare *bare, uint64_t addr);
// With a thread held. may: breakpoints that the kernel owns tell when the runtime gives up. Where it
// allows none, an exception ends in abort(), which is contained as a crash.
void bare_throw_arm(struct bare *bare, bool may);
// The thread has come to such a breakpoint.
bool bare_throw_meets(struct bare *bare, const struct event *event);
// The thread is led on to unwind the exception that it stands there for. False: there is none.
bool bare_throw_unwind(struct bare *bare);
// THREW, once the call is over.
struct dc_error *bare_throw_outcome(struct bare *bare, const struct request *request) DC_CHECK;

#endif
