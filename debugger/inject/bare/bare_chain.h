// SPDX-License-Identifier: MIT
// The bare host's first way into a callee: a chain of signal frames on the borrowed stack, with
// nothing mapped and two stops in all.
#ifndef DEBUGGER_INJECT_BARE_BARE_CHAIN_H
#define DEBUGGER_INJECT_BARE_BARE_CHAIN_H

#include "debugger/inject/bare/bare.h"

// Before any stop: a way back is found that no exception gets past. Where there is none, all calls
// take the pad.
void bare_chain_init(struct bare *bare);

// *done false: the request is not for a chain, and nothing was changed. Else the thread will run it
// when it is resumed.
struct dc_error *bare_chain_enter(struct bare *bare, const struct request *request,
				  bool *done) DC_CHECK;
// The thread was stopped between the callee's return and its way home.
bool bare_chain_is_passing(const struct bare *bare, const struct user_regs_struct *regs);
// The callee has returned: the thread stands at its handshake.
struct dc_error *bare_chain_results(struct bare *bare, const struct request *request) DC_CHECK;

#endif
