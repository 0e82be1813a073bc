// SPDX-License-Identifier: MIT
// Waiting for the callee: every stop of the thread is told apart by where it is and who caused it.
#include "debugger/inject/bare/bare_wait.h"

#include "debugger/base/trace.h"
#include "debugger/inject/bare/bare_loop.h"
#include "debugger/inject/bare/bare_throw.h"
#include "debugger/target/signals.h"

uint64_t bare_wait_mask(const struct bare *bare)
{
	const struct borrow_options *options = bare->loan->options;
	int handshake = bare->loan->handshake, setid = bare->loan->setid_signal;
	uint64_t mask = options->signals == DC_SIGNALS_HOLD ? ~UINT64_C(0) : bare->tracee->mask;

	mask &= ~SIGNALS_OF_FAULTS;
	mask &= ~(bare->tracee->callee_signals & ~bare->tracee->mask);
	if (setid) {
		// Another thread waits for this one to change its ids, too. To cancel the thread is
		// meant for its own work: the callee would be torn down inside whatever it is at.
		mask &= ~SIGNAL_BIT(setid);
		mask |= SIGNAL_BIT(setid - 1);
	}
	if (bare->tracee->lender)
		mask &= ~tracee_follower(bare->tracee)->notices;
	return handshake ? mask & ~SIGNAL_BIT(handshake) : mask;
}

struct thread_stack bare_wait_stack(const struct bare *bare)
{
	const struct pad_mapping *stack = &bare->pad->stack;

	// From the pad's stack, a jump home goes to the stack that the thread came with.
	return bare->on_pad_stack ? (struct thread_stack){ .low = stack->addr,
							   .high = stack->addr + stack->size }
				  : bare->loan->stack;
}

static bool is_handshake(struct bare *bare, const struct event *event)
{
	int handshake = bare->loan->handshake;

	if (event->pc != bare->handshake_pc)
		return false;
	if (handshake ? event->kind != EVENT_SIGNAL || event->signo != handshake
		      : event->kind != EVENT_SYSCALL_EXIT)
		return false;
	// Only one such signal waits for a thread, so a stranger's takes the place of ours, and not
	// who sent it tells. The chain's instruction is libc's, the stack pointer only the chain's.
	if (bare->is_chain)
		return event->sp == bare->tracee->chain->handshake_sp;
	// On the pad, that another call has returned; nothing is noted where it cannot be. To its
	// first handshake the thread comes in no other way. A stranger's means nothing to the
	// program, which ignores it.
	bare->is_noted = bare_loop_look(bare);
	return !handshake || !bare->answered || !bare->is_noted ||
	       bare->seen.returned != bare->answered;
}

static bool is_crash(const struct bare *bare, const struct event *event)
{
	struct crash_rules rules = bare->crash;

	// A fault in a mapping of ours is nothing that the program could mend.
	if (event->info.si_code > 0 &&
	    pad_covers(bare->pad, (uint64_t)(uintptr_t)event->info.si_addr))
		rules.passed = 0;
	return outcome_is_crash(&rules, bare->tracee, event);
}

// At a stop inside the callee: has the thread met a wait whose restart note replaced the caller's?
static void note_restart(struct bare *bare)
{
	struct user_regs_struct regs;
	struct dc_error *err = registers_get(bare->tracee->tid, &regs);

	if (err)
		dc_error_destroy(err);
	else if (registers_result(&regs) == -ERESTART_RESTARTBLOCK)
		bare->tracee->restart_lost = true;
}

static bool is_followers(struct bare *bare, const struct event *event)
{
	struct tracee *follower = tracee_follower(bare->tracee);
	bool stands = follower && follower->on_stop && follower->on_stop(follower, event);

	// While it stands there it is at a signal that it may still receive.
	if (stands)
		bare->tracee->signo = follower->signo;
	return stands;
}

// Resumes and waits until something is to be decided.
static struct dc_error *converse(struct bare *bare, int64_t deadline, struct event *event,
				 enum outcome *ret)
{
	struct tracee *tracee = bare->tracee;
	enum resume how = bare->loan->handshake ? RESUME_RUN : RESUME_SYSCALL;

	for (;;) {
		struct dc_error *err = tracee_go_on(tracee, how);

		if (!err)
			err = tracee_wait(tracee, deadline, event);
		if (err)
			return err;
		if (is_handshake(bare, event)) {
			trace(TRACE_INJECT, "says that it is done, by signal", tracee->tid,
			      event->signo, event->pc);
			*ret = OUTCOME_RETURNED;
			return NULL;
		}
		if (bare_throw_meets(bare, event)) {
			note_restart(bare);
			if (bare_throw_unwind(bare))
				continue;
			*ret = OUTCOME_TERMINATED;
			return NULL;
		}
		if (is_followers(bare, event)) {
			note_restart(bare);
			*ret = OUTCOME_STANDS;
			return NULL;
		}
		switch (event->kind) {
		case EVENT_SIGNAL:
			note_restart(bare);
			if (is_crash(bare, event)) {
				*ret = OUTCOME_CRASHED;
				return NULL;
			}
			if (outcome_disposition(tracee, event->signo) == DISPOSITION_CAUGHT)
				tracee->restart_lost = true;
			tracee->signo = event->signo;
			break;
		case EVENT_GROUP_STOP:
			note_restart(bare);
			// A process that was stopped before is called into all the same; one that
			// is being stopped now stays so until it is continued or the time is up.
			tracee->listening = !tracee->group_stopped;
			break;
		case EVENT_INTERRUPT:
			note_restart(bare);
			tracee->listening = false;
			break;
		case EVENT_SYSCALL_ENTRY:
		case EVENT_SYSCALL_EXIT:
		case EVENT_FORK: break;
		case EVENT_EXIT:
		case EVENT_GONE:
		case EVENT_EXEC: *ret = OUTCOME_ENDED; return NULL;
		case EVENT_DEADLINE: *ret = OUTCOME_OVERDUE; return NULL;
		case EVENT_CANCELLED: *ret = OUTCOME_CANCELLED; return NULL;
		}
	}
}

struct dc_error *bare_wait_stop(struct bare *bare, struct event *event, enum outcome *ret)
{
	struct tracee *tracee = bare->tracee;
	struct dc_error *err = tracee_halt(tracee, event);

	// Left there, the call would be made with the caller's registers.
	while (!err && event->kind == EVENT_SYSCALL_ENTRY) {
		err = tracee_resume(tracee, RESUME_SYSCALL, 0);
		if (!err)
			err = tracee_wait_stop(tracee, event);
	}
	if (err)
		return err;
	if (is_handshake(bare, event)) {
		*ret = OUTCOME_RETURNED;
		return NULL;
	}
	switch (event->kind) {
	case EVENT_EXIT:
	case EVENT_GONE:
	case EVENT_EXEC: *ret = OUTCOME_ENDED; return NULL;
	case EVENT_SIGNAL:
		if (is_crash(bare, event))
			*ret = OUTCOME_CRASHED;
		else
			tracee->signo = event->signo; // delivered when the thread goes on
		break;
	case EVENT_GROUP_STOP: tracee->group_stopped = true; break;
	default: break;
	}
	note_restart(bare);
	return NULL;
}

// Unstopped: it sleeps above the callee's first frame, where nothing of the callee is left.
static bool seems_left(struct bare *bare)
{
	struct thread_info info;
	struct dc_error *err = process_thread_info(bare->tracee->process, bare->tracee->tid, &info);

	if (err) {
		dc_error_destroy(err);
		return false;
	}
	return info.in_syscall && info.sp > bare->callee_stack &&
	       info.sp < bare_wait_stack(bare).high;
}

// A callee that was left never comes back to be waited for, so now and then somebody looks.
struct dc_error *bare_wait_wait(struct bare *bare, int64_t deadline, struct event *event,
				enum outcome *ret)
{
	int64_t patience = 50 * 1000 * 1000;

	for (;; patience *= 2) {
		int64_t look = tracer_now() + patience;
		bool is_last = deadline && deadline <= look;
		struct dc_error *err = converse(bare, is_last ? deadline : look, event, ret);

		if (err || *ret != OUTCOME_OVERDUE || is_last || seems_left(bare))
			return err;
	}
}
