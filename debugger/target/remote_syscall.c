// SPDX-License-Identifier: MIT
// A remote system call: registers first, then the mask, then the stop behind it: that of a chain's
// handshake, or, after one at its entry, its exit's.
#include "debugger/target/remote_syscall.h"

#include "debugger/target/memory.h"
#include "debugger/target/signals.h"
#include "debugger/target/tracee.h"

#include <string.h>
#include <sys/syscall.h>

static const uint64_t mask_of_calls = ~SIGNALS_OF_FAULTS;

static bool is_exit(struct tracee *tracee, const struct event *event)
{
	return event->kind == EVENT_SYSCALL_EXIT &&
	       event->pc == tracee->gadgets->syscall + SYSCALL_SIZE;
}

static bool is_handshake(struct tracee *tracee, const struct event *event)
{
	return event->kind == EVENT_SIGNAL && event->signo == tracee->handshake.signo &&
	       event->pc == tracee->chain->handshake_pc && event->sp == tracee->chain->handshake_sp;
}

// Runs on until that stop. Stops that have nothing to do with it are passed.
static struct dc_error *until(struct tracee *tracee, enum resume how,
			      bool (*is_done)(struct tracee *, const struct event *),
			      struct event *event)
{
	enum { LIMIT_S = 5 };
	int64_t deadline = tracer_now() + LIMIT_S * INT64_C(1000000000);
	int signo = 0;

	for (;;) {
		struct dc_error *err = tracee_resume(tracee, how, signo);

		if (!err)
			err = tracee_wait_through(tracee, deadline, event);
		if (err || is_done(tracee, event))
			return err;
		signo = event->kind == EVENT_SIGNAL ? event->signo : 0;
		switch (event->kind) {
		case EVENT_EXIT:
		case EVENT_GONE:
		case EVENT_EXEC:
			return error_in_state(error_make(DC_TARGET_ENDED,
							 "thread %d ended while it was borrowed",
							 tracee->tid),
					      DC_STATE_ENDED);
		case EVENT_DEADLINE:
			err = error_make(DC_DEADLINE,
					 "thread %d does not come back from a system call that it "
					 "was to make for the call",
					 tracee->tid);
			tracer_abandon(tracee->tracer);
			tracee_forget(tracee);
			return error_in_state(err, DC_STATE_IN_CALLEE);
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
	struct event event = { 0 };

	// The mask comes second: from the moment the registers are set, the way home restores it.
	struct dc_error *err = registers_set(tracee->tid, &entry);

	if (!err)
		err = registers_set_mask(tracee->tid, mask_of_calls);
	if (!err)
		err = until(tracee, RESUME_SYSCALL, is_exit, &event);
	if (!err)
		*result = event.result;
	return err;
}

struct dc_error *remote_syscall_by_chain(struct tracee *tracee, const struct remote_syscall *call,
					 int64_t *result)
{
	struct abi_entry entry = { 0 };
	struct chain_request request = {
		.nr = call->nr,
		.callee_mask = mask_of_calls & ~SIGNAL_BIT(tracee->handshake.signo),
		.entry = &entry,
	};
	struct event event;
	struct dc_error *err;

	_Static_assert(sizeof(entry.general) == sizeof(call->args), "as many");
	memcpy(entry.general, call->args, sizeof(entry.general));
	err = tracee_enter_chain(tracee, &request);
	if (!err)
		err = until(tracee, RESUME_RUN, is_handshake, &event);
	if (!err)
		err = memory_read(tracee->process, tracee->chain->rax, result, sizeof(*result));
	if (!err)
		tracee_came_through(tracee);
	return err;
}
