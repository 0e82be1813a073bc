// SPDX-License-Identifier: MIT
// The debugger's side of one call on the landing pad: resume, wait, tell a handshake from all else.
#ifndef DEBUGGER_INJECT_BARE_BARE_WAIT_H
#define DEBUGGER_INJECT_BARE_BARE_WAIT_H

#include "debugger/inject/bare/bare.h"

// Why a wait for the callee ended.
enum outcome {
	OUTCOME_RETURNED,
	OUTCOME_CRASHED,
	OUTCOME_OVERDUE,
	OUTCOME_CANCELLED,
	OUTCOME_EXITING, // at its exit; the thread is detached from
	OUTCOME_GONE,
	OUTCOME_EXECED,
};

struct wait {
	struct event event;
	bool running; // it was resumed, and no stop was seen since
	bool listening; // it stays in its group-stop
};

static inline uint64_t signal_bit(int signo)
{
	return UINT64_C(1) << (signo - 1);
}
// Signals that instructions raise. Forced on a thread that blocks them, they would reset their
// handlers for the whole process.
uint64_t bare_wait_faults(void);
// Ends a process that does not handle it.
bool bare_wait_is_fatal(int signo);
// The signal mask that the callee runs with.
uint64_t bare_wait_mask(const struct bare *bare);
// The stack that the callee was given.
struct room bare_wait_stack(const struct bare *bare);

// Resumes and waits until something is to be decided. OVERDUE before the deadline: it looks as if
// the callee had been left.
struct dc_error *bare_wait_wait(struct bare *bare, int64_t deadline, struct wait *wait,
				enum outcome *ret) DC_CHECK;
// Stops a callee whose time is up. It may end by itself meanwhile, which *ret then says;
// wait->running still: it sleeps where it cannot be stopped.
struct dc_error *bare_wait_stop(struct bare *bare, struct wait *wait, enum outcome *ret) DC_CHECK;

#endif
