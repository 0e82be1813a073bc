// SPDX-License-Identifier: MIT
// The debugger's side of one call on the landing pad: resume, wait, tell a handshake from all else.
#ifndef DEBUGGER_INJECT_BARE_BARE_WAIT_H
#define DEBUGGER_INJECT_BARE_BARE_WAIT_H

#include "debugger/inject/bare/bare.h"
#include "debugger/target/events.h"

// Why a wait for the callee ended.
enum outcome {
	OUTCOME_RETURNED,
	OUTCOME_CRASHED,
	OUTCOME_OVERDUE,
	OUTCOME_CANCELLED,
	OUTCOME_TERMINATED, // it stands where C++'s runtime would end the program
	OUTCOME_STANDS, // at a stop of whoever follows it
	OUTCOME_ENDED, // the thread, the process or the program
};

// The signal mask that the callee runs with.
uint64_t bare_wait_mask(const struct bare *bare);
// The stack that the callee was given.
struct thread_stack bare_wait_stack(const struct bare *bare);

// Resumes and waits until something is to be decided, which event shows. OVERDUE before the
// deadline: it looks as if the callee had been left.
struct dc_error *bare_wait_wait(struct bare *bare, int64_t deadline, struct event *event,
				enum outcome *ret) DC_CHECK;
// Stops a callee whose time is up. It may end by itself meanwhile, which *ret then says; the tracee
// still running: it sleeps where it cannot be stopped.
struct dc_error *bare_wait_stop(struct bare *bare, struct event *event, enum outcome *ret) DC_CHECK;

#endif
