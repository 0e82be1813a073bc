// SPDX-License-Identifier: MIT
// Stopping one thread and giving it back. Whatever is written while it is stopped, the general
// registers come last: until then the thread would still go home by itself.
#include "debugger/target/tracee.h"

#include "debugger/base/cleanup.h"
#include "debugger/base/trace.h"
#include "debugger/target/socket_times.h"
#include "debugger/target/waits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

struct dc_error *tracee_init(struct tracee *tracee, struct tracer *tracer, struct process *process,
			     const struct gadgets *gadgets)
{
	*tracee = (struct tracee){
		.tracer = tracer,
		.process = process,
		.gadgets = gadgets,
		.options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXIT | PTRACE_O_TRACEEXEC,
		.how = RESUME_RUN,
	};
	tracee->xstate = malloc(XSTATE_ROOM);
	tracee->xstate_found = malloc(XSTATE_ROOM);
	tracee->way = malloc(sizeof(*tracee->way));
	if (gadgets_make_chain(gadgets))
		tracee->chain = malloc(sizeof(*tracee->chain));
	if (!tracee->xstate || !tracee->xstate_found || !tracee->way ||
	    (gadgets_make_chain(gadgets) && !tracee->chain)) {
		tracee_deinit(tracee);
		return &dc_out_of_memory;
	}
	// What is touched for the first time while a thread is held prolongs that.
	memset(tracee->xstate, 0, XSTATE_ROOM);
	memset(tracee->xstate_found, 0, XSTATE_ROOM);
	memset(tracee->way, 0, sizeof(*tracee->way));
	if (tracee->chain)
		memset(tracee->chain, 0, sizeof(*tracee->chain));
	return NULL;
}

void tracee_deinit(struct tracee *tracee)
{
	if (tracee->tid)
		events_remove(tracer_events(tracee->tracer), tracee);
	free(tracee->xstate);
	free(tracee->xstate_found);
	free(tracee->way);
	free(tracee->chain);
	*tracee = (struct tracee){ 0 };
}

// ---- requests and waits ---------------------------------------------------------------------------

// The kernel says EPERM for many causes; the one that others can see is a tracer.
static struct dc_error *why_not_seized(const struct process *process, pid_t tid, int cause)
{
	_cleanup_error_ struct dc_error *unknown = NULL;
	struct thread_info info;

	if (cause == ESRCH)
		return error_errno(cause, "thread %d cannot be attached to", tid);
	unknown = process_thread_info(process, tid, &info);
	// One that was ending has ended by now.
	if (unknown && unknown->code == DC_THREAD_ENDED)
		return error_errno(ESRCH, "thread %d cannot be attached to", tid);
	if (unknown)
		return error_make(DC_ATTACH, "thread %d cannot be attached to: %s", tid,
				  strerror(cause));
	if (info.state == 'Z' || info.state == 'X')
		return error_errno(ESRCH, "thread %d cannot be attached to", tid);
	if (info.tracer)
		return error_make(DC_ATTACH, "thread %d is being traced already, by process %d",
				  tid, info.tracer);
	return error_make(DC_ATTACH, "thread %d cannot be attached to: %s", tid, strerror(cause));
}

struct dc_error *tracee_follow(struct tracee *tracee, pid_t tid)
{
	int cause = tracer_seize(tracee->tracer, tid, tracee->options);

	if (cause)
		return why_not_seized(tracee->process, tid, cause);
	tracee->tid = tid;
	tracee->since = tracer_now();
	tracee->exit_is_silent = false;
	tracee->running = true;
	tracee->left = 0; // it may have stood in a stop when it was let go of the last time
	events_add(tracer_events(tracee->tracer), tracee);
	trace(TRACE_TARGET, "is seized", tid, 0, 0);
	return NULL;
}

struct dc_error *tracee_seize(struct tracee *tracee, pid_t tid)
{
	struct dc_error *err = tracee_follow(tracee, tid);
	int cause;

	if (err || !ptrace(PTRACE_INTERRUPT, tid, NULL, NULL))
		return err;
	cause = errno;
	tracee_forget(tracee);
	// It was seized and has another number: it became another program meanwhile, and runs on
	// traced until the tracer thread ends.
	tracer_abandon(tracee->tracer);
	if (cause != ESRCH)
		return error_errno(cause, "thread %d cannot be stopped", tid);
	return error_in_state(error_make(DC_TARGET_EXECED, "process %d became another program",
					 tracee->process->pid),
			      DC_STATE_EXECED);
}

static struct dc_error *no_error_if_ended(struct dc_error *err)
{
	if (!err || err->code != DC_TARGET_ENDED)
		return err;
	dc_error_destroy(err);
	return NULL;
}

struct dc_error *tracee_resume(struct tracee *tracee, enum resume how, int signo)
{
	if (tracee->exit_is_silent || tracee->options_are_new) {
		ptrace(PTRACE_SETOPTIONS, tracee->tid, NULL, tracee->options);
		tracee->exit_is_silent = tracee->options_are_new = false;
	}
	tracee->running = true;
	tracee->left = 0;
	trace(TRACE_TARGET,
	      how == RESUME_SYSCALL ? "goes on to a system call with signal"
				    : "goes on with signal",
	      tracee->tid, signo, 0);
	tracee->leads_home = false;
	tracer_events(tracee->tracer)->expected_at = tracer_now();
	if (ptrace((int)how, tracee->tid, NULL, (void *)(intptr_t)signo))
		return error_errno(errno, "thread %d cannot be resumed", tracee->tid);
	return NULL;
}

static struct dc_error *listen(struct tracee *tracee)
{
	tracee->running = true;
	tracee->left = 0;
	if (ptrace(PTRACE_LISTEN, tracee->tid, NULL, NULL))
		return error_errno(errno, "thread %d cannot be left in its stop", tracee->tid);
	return NULL;
}

struct dc_error *tracee_go_on(struct tracee *tracee, enum resume how)
{
	int signo = tracee->signo;

	if (tracee->running)
		return NULL;
	tracee->signo = 0;
	return no_error_if_ended(tracee->listening ? listen(tracee)
						   : tracee_resume(tracee, how, signo));
}

static struct dc_error *wait_for(struct tracee *tracee, int64_t deadline, bool may_cancel,
				 struct event *ret)
{
	struct dc_error *err = events_next(tracer_events(tracee->tracer), tracee, deadline,
					   may_cancel, ret);

	if (!err && ret->kind != EVENT_DEADLINE && ret->kind != EVENT_CANCELLED)
		tracee->running = false;
	return err;
}

struct dc_error *tracee_wait(struct tracee *tracee, int64_t deadline, struct event *ret)
{
	return wait_for(tracee, deadline, true, ret);
}

struct dc_error *tracee_wait_through(struct tracee *tracee, int64_t deadline, struct event *ret)
{
	return wait_for(tracee, deadline, false, ret);
}

struct dc_error *tracee_wait_stop(struct tracee *tracee, struct event *ret)
{
	enum { LOOK_NS = 100 * 1000 * 1000, LOOKS_MAX = 50 };

	for (int i = 0; i < LOOKS_MAX; i++) {
		struct dc_error *err = tracee_wait_through(tracee, tracer_now() + LOOK_NS, ret);
		struct thread_info info;

		if (err || ret->kind != EVENT_DEADLINE)
			return err;
		err = process_thread_info(tracee->process, tracee->tid, &info);
		if (err) {
			// It is ending: that is its next event.
			dc_error_destroy(err);
			continue;
		}
		if (info.state == 'D')
			break;
	}
	return NULL;
}

struct dc_error *tracee_halt(struct tracee *tracee, struct event *ret)
{
	struct dc_error *err = NULL;

	if (ptrace(PTRACE_INTERRUPT, tracee->tid, NULL, NULL))
		err = no_error_if_ended(
			error_errno(errno, "thread %d cannot be stopped", tracee->tid));
	return err ? err : tracee_wait_stop(tracee, ret);
}

// ---- threads that are lent ------------------------------------------------------------------------

// The borrower stands for the thread from now on: its events, its options.
static void take_place(struct tracee *tracee, struct tracee *of)
{
	struct events *events = tracer_events(tracee->tracer);
	pid_t tid = of->tid;

	events_remove(events, of);
	tracee->tid = tid;
	tracee->running = of->running;
	tracee->left = of->left;
	tracee->at_entry = of->at_entry;
	tracee->listening = of->listening;
	tracee->exit_is_silent = of->exit_is_silent;
	events_add(events, tracee);
	// A thread that is killed does not take them, and ends without being asked.
	ptrace(PTRACE_SETOPTIONS, tid, NULL, of->options | tracee->options);
}

void tracee_inherit_signal(struct tracee *tracee, struct tracee *from)
{
	tracee->signo = from->signo;
	from->signo = 0;
	// A call that was made there meanwhile has left it at another signal's stop.
	if (tracee->signo && tracee->at_signal && from->info.si_signo == tracee->signo)
		ptrace(PTRACE_SETSIGINFO, tracee->tid, NULL, &from->info);
}

// A thread that is followed: stopped unless it stands, and lent.
static struct dc_error *borrow(struct tracee *tracee, struct tracee *lender, enum tracee_stop *ret)
{
	struct event event = { .kind = EVENT_INTERRUPT };
	struct dc_error *err = NULL;

	tracee->since = tracer_now();
	tracee->was_running = lender->running;
	if (lender->running)
		err = tracee_halt(lender, &event);
	if (err)
		return err;
	*ret = TRACEE_STOPPED;
	switch (event.kind) {
	case EVENT_GROUP_STOP: lender->group_stopped = true; break;
	case EVENT_INTERRUPT: break;
	case EVENT_DEADLINE:
		// It stays followed, and goes on by itself.
		*ret = TRACEE_UNSTOPPABLE;
		return NULL;
	default:
		*ret = event.kind == EVENT_GONE || event.kind == EVENT_EXEC ? TRACEE_ENDED
									    : TRACEE_BUSY;
		events_put_back(tracer_events(tracee->tracer), lender, &event);
		return NULL;
	}
	take_place(tracee, lender);
	tracee->lender = lender;
	tracee->group_stopped = lender->group_stopped;
	if (lender->on_loan)
		lender->on_loan(lender, false);
	tracee->callee_signals = lender->callee_signals;
	return NULL;
}

// Back to who follows it: it stands as it did, or runs on as it did. One that was not restored runs
// on from where it is, and finds its way.
static struct dc_error *give_back(struct tracee *tracee)
{
	struct tracee *lender = take_ptr(tracee->lender);
	bool runs = tracee->was_running || tracee->moved;
	int64_t pause_ns = tracer_now() - tracee->since;

	tracee->pause_ns += tracee->was_running ? pause_ns : 0;
	trace(TRACE_TARGET, "goes back to who follows it", tracee->tid, pause_ns, 0);
	ptrace(PTRACE_SETOPTIONS, tracee->tid, NULL, lender->options);
	events_remove(tracer_events(tracee->tracer), tracee);
	lender->running = lender->listening = false;
	lender->left = tracee->left;
	lender->at_signal = tracee->at_signal;
	lender->at_entry = tracee->at_entry;
	if (tracee->signo)
		lender->signo = tracee->signo;
	events_add(tracer_events(tracee->tracer), lender);
	tracee->tid = 0;
	lender->listening = lender->group_stopped && tracee->was_running;
	if (lender->on_loan)
		lender->on_loan(lender, true);
	return runs ? tracee_go_on(lender, lender->how) : NULL;
}

// It ended, or became another program, while it was lent: what follows it is told.
static void give_back_gone(struct tracee *tracee)
{
	struct tracee *lender = take_ptr(tracee->lender);
	struct events *events = tracer_events(tracee->tracer);
	const struct event gone = { .kind = EVENT_GONE, .tid = tracee->tid };

	if (lender->on_loan)
		lender->on_loan(lender, true);
	if (tracee->is_known) {
		// Its end is still to come.
		events_remove(events, tracee);
		lender->running = true;
		events_add(events, lender);
		return;
	}
	events_put_back(events, lender, &gone);
}

static struct dc_error *refuse_modes(const struct tracee *tracee)
{
	if (!registers_are_64bit(&tracee->regs))
		return error_make(DC_REFUSED, "thread %d runs 32-bit code", tracee->tid);
	if (registers_has_shadow_stack(tracee->tid))
		return error_make(DC_REFUSED, "thread %d has a shadow stack", tracee->tid);
	if (registers_has_dispatch(tracee->tid))
		return error_make(DC_REFUSED, "thread %d dispatches its system calls itself",
				  tracee->tid);
	return NULL;
}

// One for a time, that the thread cannot have been in for long: it was about to begin it, or did
// something else, when it was last looked at.
static bool has_just_begun(const struct tracee *tracee, long nr, const uint64_t args[6])
{
	// It may end as much too late; a look and the stop lie that far apart on a crowded machine.
	enum { LATE_MAX_NS = 1000 * 1000 * 1000 };
	bool is_timed = waits_shows_eintr(nr, args) ||
			// One that goes on in the background when it has ended is not begun again.
			(nr != SYS_connect && waits_of(nr) & WAIT_SOCKET &&
			 socket_times_out(tracee->process, (int)args[0]));

	return is_timed && tracee->awake_at && tracer_now() - tracee->awake_at <= LATE_MAX_NS;
}

struct dc_error *tracee_renew_wait(const struct tracee *tracee, struct user_regs_struct *regs)
{
	long nr = registers_syscall(regs);
	uint64_t args[6];

	registers_arguments(regs, args);
	if (!restart_is_refused(regs) ||
	    (!waits_has_no_end(nr, args) && !has_just_begun(tracee, nr, args)))
		return NULL;
	restart_unless_handled(regs);
	// At once: whatever becomes of us, the program does not see it.
	return registers_poke(tracee->tid, REGISTER_RESULT_OFFSET,
			      (uint64_t)registers_result(regs));
}

struct dc_error *tracee_let_go(struct tracee *tracee, const struct event *event,
			       enum tracee_stop *ret)
{
	struct dc_error *err;

	*ret = TRACEE_ENDED;
	switch (event->kind) {
	case EVENT_GONE: break;
	case EVENT_EXIT: return tracee_leave(tracee);
	case EVENT_DEADLINE:
		// A thread that runs cannot be detached from, and this one never stops.
		tracer_abandon(tracee->tracer);
		*ret = TRACEE_UNSTOPPABLE;
		break;
	case EVENT_EXEC:
		err = tracee_leave(tracee);
		return err ? err
			   : error_in_state(error_make(DC_TARGET_EXECED,
						       "process %d became another program",
						       tracee->process->pid),
					    DC_STATE_EXECED);
	default:
		// A signal on its way to a handler: the place where it is taken is no safe point.
		tracee->signo = event->kind == EVENT_SIGNAL ? event->signo : 0;
		*ret = TRACEE_BUSY;
		return tracee_leave(tracee);
	}
	tracee_forget(tracee);
	return NULL;
}

struct dc_error *tracee_begin_hold(struct tracee *tracee)
{
	struct dc_error *err = registers_get(tracee->tid, &tracee->regs);

	// Job control ends such a wait with or without us.
	if (!err && !tracee->group_stopped)
		err = tracee_renew_wait(tracee, &tracee->regs);
	tracee->leaves_signals = false;
	tracee->found = tracee->regs;
	tracee->home_top = registers_sp(&tracee->regs) - RED_ZONE;
	return err ? err : refuse_modes(tracee);
}

// After an interrupt; one that is not held after it is let go of.
static struct dc_error *first_stop(struct tracee *tracee, enum tracee_stop *ret)
{
	struct event event;
	struct dc_error *err = tracee_wait_stop(tracee, &event);

	*ret = TRACEE_ENDED;
	if (err) {
		tracee_forget(tracee);
		return err;
	}
	if (event.kind != EVENT_GROUP_STOP && event.kind != EVENT_INTERRUPT)
		return tracee_let_go(tracee, &event, ret);
	tracee->group_stopped = event.kind == EVENT_GROUP_STOP;
	*ret = TRACEE_STOPPED;
	return NULL;
}

void tracee_reset(struct tracee *tracee)
{
	tracee->kept = tracee->moved = tracee->masked = tracee->ran = false;
	tracee->way_written = tracee->restart_lost = tracee->leads_home = false;
	tracee->group_stopped = tracee->listening = false;
	tracee->handshake.signo = 0;
	tracee->signo = 0;
	tracee->errno_addr = 0;
	tracee->leaves_signals = true;
	tracee->callee_signals = 0;
}

struct dc_error *tracee_stop(struct tracee *tracee, pid_t tid, enum tracee_stop *ret)
{
	struct tracee *lender = events_find(tracer_events(tracee->tracer), tid);
	struct dc_error *err;

	tracee_reset(tracee);
	err = lender ? borrow(tracee, lender, ret) : tracee_seize(tracee, tid);
	if (err) {
		if (err->code != DC_TARGET_ENDED)
			return err;
		dc_error_destroy(err);
		*ret = TRACEE_ENDED;
		return NULL;
	}
	if (!lender)
		err = first_stop(tracee, ret);
	return err || *ret != TRACEE_STOPPED ? err : tracee_begin_hold(tracee);
}

struct dc_error *tracee_stop_followed(struct tracee *tracee, enum tracee_stop *ret)
{
	struct dc_error *err = NULL;

	if (ptrace(PTRACE_INTERRUPT, tracee->tid, NULL, NULL) && errno != ESRCH)
		err = error_errno(errno, "thread %d cannot be stopped", tracee->tid);
	if (!err)
		err = first_stop(tracee, ret);
	return err || *ret != TRACEE_STOPPED ? err : tracee_begin_hold(tracee);
}

struct dc_error *tracee_leave(struct tracee *tracee)
{
	struct dc_error *err = NULL;

	if (tracee->lender)
		return give_back(tracee);
	trace(TRACE_TARGET, "is let go with signal", tracee->tid, tracee->signo,
	      registers_pc(&tracee->regs));
	if (ptrace(PTRACE_DETACH, tracee->tid, NULL, (void *)(intptr_t)tracee->signo))
		err = error_errno(errno, "thread %d cannot be detached from", tracee->tid);
	tracee_forget(tracee);
	return err;
}

void tracee_forget(struct tracee *tracee)
{
	if (tracee->lender)
		give_back_gone(tracee);
	events_remove(tracer_events(tracee->tracer), tracee);
	int64_t pause_ns = tracer_now() - tracee->since;

	trace(TRACE_TARGET, "was away for ns", tracee->tid, pause_ns, 0);
	tracee->pause_ns += pause_ns;
	tracee->tid = 0;
}
