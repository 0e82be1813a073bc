// SPDX-License-Identifier: MIT
// The breakpoints of a session: what users set, by number, and the locations that each is armed at.
#ifndef DEBUGGER_SESSION_BREAKPOINTS_H
#define DEBUGGER_SESSION_BREAKPOINTS_H

#include "debugger/control/control.h"
#include "debugger/session/catch.h"
#include "debugger/session/condition.h"
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
	struct watch *watch; // NULL: it watches nothing
	struct catch *catch; // NULL: it is at code, or watches
	bool is_out_of_scope; // what was watched is gone
};

// A thread stands at the location; which breakpoint stops it there? NULL: none, and it goes on. An
// error is of a condition, and stops the thread at *ret. In session_run().
struct dc_error *breakpoints_judge(struct dc_session *session, const struct location *location,
				   pid_t tid, struct breakpoint **ret) DC_CHECK;
// The kernel is told what it can be told of their conditions, after a change of any; in session_run().
void breakpoints_judge_in_kernel(struct dc_session *session);
// All of them go; they are disarmed already.
void breakpoints_clear(struct breakpoints *breakpoints);
// One of that number.
void breakpoint_remove(struct dc_session *session, struct breakpoint *breakpoint);

// Places are looked up and armed; nr_locations 0: it stays pending.
struct dc_error *breakpoint_resolve(struct dc_session *session,
				    struct breakpoint *breakpoint) DC_CHECK;
// All are armed at the addresses that they have, in threads that have none of them yet.
struct dc_error *breakpoints_arm(struct dc_session *session) DC_CHECK;
// All are disarmed already, with their threads.
void breakpoints_disarmed(struct dc_session *session);
// Its addresses are gone.
void breakpoint_unresolve(struct breakpoint *breakpoint);

// loading.c, in session_run(). Whether the dynamic linker's notice is needed is looked at anew.
struct dc_error *loading_expect(struct dc_session *session) DC_CHECK;
// A thread stands there: libraries have come or gone.
struct dc_error *loading_done(struct dc_session *session) DC_CHECK;
// The process has become another program.
struct dc_error *loading_execed(struct dc_session *session) DC_CHECK;

// control.c: dc_control() in a turn of the caller's, but that nobody sees to stops before
// session_attend().
struct dc_error *session_control(struct dc_session *session,
				 const struct dc_control_options *options) DC_CHECK;
struct dc_error *session_attend(struct dc_session *session) DC_CHECK;
// As users see it.
void stop_describe(struct dc_session *session, const struct thread *thread, struct dc_stop *ret);
// All that stand and were told of, or the one, go on; in session_run().
struct dc_error *session_go(struct dc_session *session, pid_t thread) DC_CHECK;
// steps.c: a thread has come to where its step led. *stays: that is the step's end; else the next
// part of its way is armed.
struct dc_error *steps_judge(struct dc_session *session, struct thread *thread,
			     bool *stays) DC_CHECK;
struct dc_error *session_uncontrolled(void) DC_CHECK; // the error where there is no control

// returned.c. The type of the function at the address; NULL: what it gives is not known.
const struct type *returned_type(struct dc_session *session, uint64_t pc);
// The function has just returned in a thread that stands, in session_run(): its result is the next
// $N. 0: it gives none, or none that can be told exactly.
unsigned returned_remember(struct dc_session *session, const struct thread *thread,
			   const struct type *function);

#endif
