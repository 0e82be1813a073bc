// SPDX-License-Identifier: MIT
// Waiting for the callee: every stop of the thread is told apart by where it is and who caused it.
#include "debugger/inject/bare/bare_wait.h"

#include <string.h>

uint64_t bare_wait_faults(void)
{
	return signal_bit(SIGSEGV) | signal_bit(SIGBUS) | signal_bit(SIGFPE) | signal_bit(SIGILL) |
	       signal_bit(SIGTRAP) | signal_bit(SIGSYS);
}

// The C library cancels threads and changes ids of all threads by these: another thread waits.
static uint64_t library_signals(void)
{
	return signal_bit(32) | signal_bit(33);
}

uint64_t bare_wait_mask(const struct bare *bare)
{
	uint64_t mask = bare->hold_signals ? ~library_signals() : bare->tracee->mask;

	mask &= ~bare_wait_faults();
	return bare->handshake ? mask & ~signal_bit(bare->handshake) : mask;
}

struct room bare_wait_stack(const struct bare *bare)
{
	const struct pad_mapping *stack = &bare->pad->stack;

	// From the pad's stack, a jump home goes to the stack that the thread came with.
	return bare->on_pad_stack ? (struct room){ stack->addr, stack->addr + stack->size }
				  : bare->room;
}

static bool is_handshake(const struct bare *bare, const struct event *event)
{
	if (event->pc != pad_address(bare->pad, pad_handshake))
		return false;
	if (!bare->handshake)
		return event->kind == EVENT_SYSCALL_EXIT;
	// A real one that came at the same place says so: it was not sent by the thread to itself.
	return event->kind == EVENT_SIGNAL && event->signo == bare->handshake &&
	       event->info.si_code == SI_TKILL && event->info.si_pid == bare->inner_pid;
}

bool bare_wait_is_fatal(int signo)
{
	switch (signo) {
	case SIGCHLD:
	case SIGURG:
	case SIGWINCH:
	case SIGCONT:
	case SIGSTOP:
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU: return false;
	default: return true;
	}
}

// The callee's own doing, as against a signal that the program was sent while the call ran.
static bool is_crash(const struct bare *bare, const struct event *event)
{
	const siginfo_t *info = &event->info;
	bool is_fault = (bare_wait_faults() & signal_bit(event->signo)) && info->si_code > 0;
	bool is_own = (info->si_code == SI_TKILL || info->si_code == SI_USER) &&
		      info->si_pid == bare->inner_pid;
	bool is_handled = bare->caught & signal_bit(event->signo);

	if (!is_fault && !is_own)
		return false;
	if (!bare_wait_is_fatal(event->signo))
		return false;
	if (is_handled && (bare->pass_faults & signal_bit(event->signo)))
		return is_fault &&
		       (pad_covers(bare->pad, (uint64_t)(uintptr_t)info->si_addr) ||
			event->pc - bare->fatal_start < bare->fatal_end - bare->fatal_start);
	// Filters that emulate system calls live by this one.
	if (is_handled && event->signo == SIGSYS)
		return false;
	// A handler for any other signal that the callee raises is part of the callee.
	return is_fault || event->signo == SIGABRT || !is_handled;
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

static struct dc_error *go_on(struct bare *bare, bool listening)
{
	struct tracee *tracee = bare->tracee;
	enum resume how = bare->handshake ? RESUME_RUN : RESUME_SYSCALL;
	struct dc_error *err = listening ? tracee_listen(tracee)
					 : tracee_resume(tracee, how, tracee->signo);

	tracee->signo = 0;
	// Killed while it was stopped: its end is the next event.
	if (err && err->code == DC_TARGET_ENDED) {
		dc_error_destroy(err);
		return NULL;
	}
	return err;
}

// Resumes and waits until something is to be decided.
static struct dc_error *converse(struct bare *bare, int64_t deadline, struct wait *wait,
				 enum outcome *ret)
{
	struct tracee *tracee = bare->tracee;
	struct event *event = &wait->event;

	for (;;) {
		struct dc_error *err = wait->running ? NULL : go_on(bare, wait->listening);

		if (err)
			return err;
		wait->running = true;
		err = tracee_wait(tracee, deadline, event);
		if (err)
			return err;
		wait->running = false;
		switch (event->kind) {
		case EVENT_SIGNAL:
			if (is_handshake(bare, event)) {
				*ret = OUTCOME_RETURNED;
				return NULL;
			}
			note_restart(bare);
			if (is_crash(bare, event)) {
				*ret = OUTCOME_CRASHED;
				return NULL;
			}
			if (bare->caught & signal_bit(event->signo))
				tracee->restart_lost = true;
			tracee->signo = event->signo;
			break;
		case EVENT_SYSCALL_EXIT:
			if (is_handshake(bare, event)) {
				*ret = OUTCOME_RETURNED;
				return NULL;
			}
			break;
		case EVENT_GROUP_STOP:
			note_restart(bare);
			// A process that was stopped before is called into all the same; one that
			// is being stopped now stays so until it is continued or the time is up.
			wait->listening = !tracee->group_stopped;
			break;
		case EVENT_INTERRUPT:
			note_restart(bare);
			wait->listening = false;
			break;
		case EVENT_SYSCALL_ENTRY:
		case EVENT_FORK: break;
		case EVENT_EXIT: *ret = OUTCOME_EXITING; return NULL;
		case EVENT_GONE: *ret = OUTCOME_GONE; return NULL;
		case EVENT_EXEC: *ret = OUTCOME_EXECED; return NULL;
		case EVENT_DEADLINE:
		case EVENT_CANCELLED:
			wait->running = true;
			*ret = event->kind == EVENT_DEADLINE ? OUTCOME_OVERDUE : OUTCOME_CANCELLED;
			return NULL;
		}
	}
}

struct dc_error *bare_wait_stop(struct bare *bare, struct wait *wait, enum outcome *ret)
{
	struct tracee *tracee = bare->tracee;
	struct event *event = &wait->event;
	struct dc_error *err = tracee_interrupt(tracee);

	if (err) {
		if (err->code != DC_TARGET_ENDED)
			return err;
		dc_error_destroy(err);
	}
	for (;;) {
		err = tracee_wait_stop(tracee, event);
		if (err)
			return err;
		wait->running = event->kind == EVENT_DEADLINE;
		switch (event->kind) {
		case EVENT_SIGNAL:
			if (is_handshake(bare, event)) {
				*ret = OUTCOME_RETURNED;
				return NULL;
			}
			note_restart(bare);
			if (is_crash(bare, event))
				*ret = OUTCOME_CRASHED;
			else
				tracee->signo = event->signo; // delivered when the thread goes on
			return NULL;
		case EVENT_SYSCALL_EXIT:
			if (is_handshake(bare, event))
				*ret = OUTCOME_RETURNED;
			note_restart(bare);
			return NULL;
		case EVENT_EXIT: *ret = OUTCOME_EXITING; return NULL;
		case EVENT_GONE: *ret = OUTCOME_GONE; return NULL;
		case EVENT_EXEC: *ret = OUTCOME_EXECED; return NULL;
		case EVENT_GROUP_STOP:
			tracee->group_stopped = true;
			note_restart(bare);
			return NULL;
		case EVENT_SYSCALL_ENTRY:
			// Left there, the call would be made with the caller's registers.
			err = tracee_resume(tracee, RESUME_SYSCALL, 0);
			if (err)
				return err;
			break;
		default: note_restart(bare); return NULL;
		}
	}
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
struct dc_error *bare_wait_wait(struct bare *bare, int64_t deadline, struct wait *wait,
				enum outcome *ret)
{
	int64_t patience = 50 * 1000 * 1000;

	for (;; patience *= 2) {
		int64_t look = tracer_now() + patience;
		bool is_last = deadline && deadline <= look;
		struct dc_error *err = converse(bare, is_last ? deadline : look, wait, ret);

		if (err || *ret != OUTCOME_OVERDUE || is_last || seems_left(bare))
			return err;
	}
}
