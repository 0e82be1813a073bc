// SPDX-License-Identifier: MIT
// Calls that are pending: the callee has come to a breakpoint, and stands there like any other code
// until it is let go on, or undone. What waits for it keeps its place on a stack of its own.
#ifndef DEBUGGER_SESSION_PENDING_H
#define DEBUGGER_SESSION_PENDING_H

#include "debugger/session/session.h"

struct thread;

// Runs the evaluation so that its callees may come to stand; options say that they may. PENDING: one
// does, and the evaluation goes on with dc_continue().
struct dc_error *pending_run(struct evaluation *evaluation, struct dc_result *ret) DC_CHECK;
// A thread that stands in a callee is to go on; of control->on_go.
void pending_go(void *session, struct thread *thread);
// Of borrow_options, for callees of the evaluation that is being run so.
bool pending_suspend(void *pending);
// All are undone, the last one first.
void pending_abandon_all(struct dc_session *session);

#endif
