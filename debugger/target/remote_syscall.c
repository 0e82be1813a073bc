// SPDX-License-Identifier: MIT
// A remote system call: registers first, then the mask, then its entry and exit stops.
#include "debugger/target/remote_syscall.h"

#include "debugger/target/signals.h"
#include "debugger/target/tracee.h"

#include <string.h>
#include <sys/syscall.h>

// Runs on until the gadget's exit stop. Stops that have nothing to do with it are passed.
static struct dc_error *until_exit(struct tracee *tracee, int64_t *result)
{
	enum { LIMIT_S = 5 };
	uint64_t behind = tracee->gadgets->syscall + SYSCALL_SIZE;
	int64_t deadline = tracer_now() + LIMIT_S * INT64_C(1000000000);
	int signo = 0;

	for (;;) {
		struct event event;
		struct dc_error *err = tracee_resume(tracee, RESUME_SYSCALL, signo);

		if (!err)
			err = tracee_wait_through(tracee, deadline, &event);
		if (err)
			return err;
		signo = 0;
		switch (event.kind) {
		case EVENT_SYSCALL_EXIT:
			if (event.pc == behind) {
				*result = event.result;
				return NULL;
			}
			break;
		case EVENT_SIGNAL: signo = event.signo; break;
		case EVENT_EXIT:
		case EVENT_GONE:
		case EVENT_EXEC:
			return error_in_state(error_make(DC_TARGET_ENDED,
							 "thread %d ended while it was borrowed",
							 tracee->tid),
					      DC_STATE_ENDED);
		case EVENT_DEADLINE:
			tracer_abandon(tracee->tracer);
			return error_in_state(
				error_make(DC_DEADLINE,
					   "thread %d does not come back from a system call",
					   tracee->tid),
				DC_STATE_IN_CALLEE);
		default: break;
		}
	}
}

struct user_regs_struct remote_syscall_entry(const struct tracee *tracee,
					     const struct remote_syscall *call)
{
	return restart_entry(&tracee->regs, tracee->gadgets->syscall, tracee->way->start, call->nr,
			     call->args);
}

struct dc_error *remote_syscall(struct tracee *tracee, const struct remote_syscall *call,
				int64_t *result)
{
	struct user_regs_struct entry = remote_syscall_entry(tracee, call);

	// The mask comes second: from the moment the registers are set, the way home restores it.
	struct dc_error *err = registers_set(tracee->tid, &entry);

	if (!err)
		err = registers_set_mask(tracee->tid, ~SIGNALS_OF_FAULTS);
	return err ? err : until_exit(tracee, result);
}
