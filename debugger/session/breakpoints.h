// SPDX-License-Identifier: MIT
// The breakpoints of a session: what users set, by number, and the locations that each is armed at.
#ifndef DEBUGGER_SESSION_BREAKPOINTS_H
#define DEBUGGER_SESSION_BREAKPOINTS_H

#include "debugger/control/control.h"
#include "debugger/session/session.h"
#include "debugger/session/watch.h"

// One of a breakpoint's addresses; names of a condition are looked up there.
struct spot {
	struct code_place place;
	enum kernel_breakpoint_kind kind;
	size_t size; // of what is watched
	const struct location *location; // NULL: not armed
	struct dc_expression *condition; // NULL: none
};
struct breakpoint {
	struct breakpoint *next; // of a higher number
	struct dc_breakpoint is; // as users see it; texts are ours
	struct spot *spots;
	struct watch *watch; // NULL: it is at code
	bool is_out_of_scope; // what was watched is gone
};

// A thread stands at the location; which breakpoint stops it there? NULL: none, and it goes on. An
// error is of a condition, and stops the thread at *ret. In session_run().
struct dc_error *breakpoints_judge(struct dc_session *session, const struct location *location,
				   pid_t tid, struct breakpoint **ret) DC_CHECK;
// All of them go; they are disarmed already.
void breakpoints_clear(struct breakpoints *breakpoints);
// Whether what an expression gave is true. Code TYPE: it is neither.
struct dc_error *condition_holds(struct dc_session *session, struct dc_expression *condition,
				 pid_t tid, const struct dc_call_options *options,
				 bool *ret) DC_CHECK;
// One of that number.
void breakpoint_remove(struct dc_session *session, struct breakpoint *breakpoint);

// control.c: as users see it.
void stop_describe(struct dc_session *session, const struct thread *thread, struct dc_stop *ret);
// All that stand and were told of, or the one, go on; in session_run().
struct dc_error *session_go(struct dc_session *session, pid_t thread) DC_CHECK;
// steps.c: a thread has come to where its step led. *stays: that is the step's end; else the next
// part of its way is armed.
struct dc_error *steps_judge(struct dc_session *session, struct thread *thread,
			     bool *stays) DC_CHECK;
struct dc_error *session_uncontrolled(void) DC_CHECK; // the error where there is no control

#endif
