// SPDX-License-Identifier: MIT
// A loan: one thread of the target, borrowed and given back as it was, and the landing pad that it
// maps. What hosts share whose calls are begun by a thread that is stopped.
#ifndef DEBUGGER_INJECT_LOAN_LOAN_H
#define DEBUGGER_INJECT_LOAN_LOAN_H

#include "debugger/arch/x86_64/gadgets.h"
#include "debugger/inject/loan/pad.h"
#include "debugger/inject/select/chooser.h"

struct borrow_options {
	enum dc_host host;
	bool keeps_thread; // a thread is to stay held from one call to the next
	uint64_t goroutine; // the caller is to be this one; 0: any
	bool own_thread; // a thread of the program's is needed, not one of an agent's
	pid_t thread; // 0: the best one is chosen (blocked in a restartable call first, running next)
	int64_t wait_ns;
	bool all_stop, force, avoids_stdio;
	bool is_go; // what is called takes its arguments as Go's functions do
	bool drop_literals, assume_seccomp_ok;
	enum dc_signals signals;
	uint64_t pass_signals;
	const struct module *vm; // whose code is called, when that is a language's runtime
	// A callee stands at a stop of whoever follows the thread: returns when it is to go on, false
	// when it is to be undone. NULL: it never does.
	bool (*suspend)(void *arg);
	void *arg;
};

struct loan {
	struct tracer *tracer;
	struct process *process;
	const struct borrow_options *options;
	struct address_space space;
	struct gadgets gadgets;
	struct chooser chooser;
	bool has_errno; // threads have one, that far from their thread pointers
	int64_t errno_offset;

	// Of the thread that is held now, while tracee.tid is not 0; and of the last one otherwise.
	struct tracee tracee;
	pid_t tid; // 0: none was held yet
	struct thread_info info; // from before its stop
	struct thread_stack stack; // its own; unknown: callees run on the pad's
	int handshake; // the signal by which the pad answers; 0: system call stops alone
	int setid_signal; // of its libc; 0: none that is known
	enum dc_state state; // once it is not held

	struct pad pad;
};
// Everything slow happens here, with nothing stopped.
struct dc_error *loan_init(struct loan *loan, struct tracer *tracer, struct process *process,
			   struct safepoints *safepoints, struct unwind *unwind,
			   const struct borrow_options *options) DC_CHECK;
// Only for looking at one thread that is followed and stands, which is held if it does.
struct dc_error *loan_look(struct loan *loan, struct tracer *tracer, struct process *process,
			   const struct borrow_options *options) DC_CHECK;
void loan_deinit(struct loan *loan);

static inline bool loan_is_held(const struct loan *loan)
{
	return loan->tracee.tid != 0;
}
// A thread is held at a safe point, where the filter (NULL: none) lets it. REFUSED when there is
// none within that time, or when the last one did not come back from a call.
struct dc_error *loan_hold(struct loan *loan, pid_t thread, int64_t wait_ns,
			   const struct chooser_filter *filter) DC_CHECK;

// The following run on the tracer thread, with a thread held.

// The pad is mapped, and the thread's way home has a place.
struct dc_error *loan_ready_pad(struct loan *loan) DC_CHECK;
// The thread's own stack has room for callees.
bool loan_has_own_stack(const struct loan *loan);
struct dc_error *loan_literal(struct loan *loan, const void *bytes, size_t n,
			      uint64_t *addr) DC_CHECK;
struct dc_error *loan_room(struct loan *loan, uint64_t size, uint64_t align,
			   uint64_t *addr) DC_CHECK;
// Unmaps the pad and gives the thread back, if it is held still.
struct dc_error *loan_end(struct loan *loan) DC_CHECK;

#endif
