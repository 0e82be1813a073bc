// SPDX-License-Identifier: MIT
// One conversation with a runtime's host, led by protocol/conversation.c: each stop of the thread
// is told apart, and what the client machine wants is done.
#include "debugger/inject/gort/gort.h"

#include "debugger/inject/bare/bare_wait.h"
#include "debugger/stack/goroutines/goroutines.h"
#include "debugger/inject/gort/gort_conversation.h"
#include "debugger/target/memory.h"

#include <stddef.h>
#include <sys/syscall.h>

// ---- whose signal it is ---------------------------------------------------------------------------

static bool is_at_handshake(const struct talk *talk, const struct event *event)
{
	const struct debugcall_descriptor *d = talk->gort->descriptor;

	return event->kind == EVENT_SIGNAL && event->signo == d->handshake_signal &&
	       event->pc >= d->handshake_start && event->pc <= d->handshake_end;
}

bool talk_is_handshake(const struct talk *talk, const struct event *event)
{
	// The program's own signal of that kind may come at any place, even at this one.
	return is_at_handshake(talk, event) && event->info.si_code == SI_TKILL &&
	       event->info.si_pid == talk->gort->info.inner_pid;
}

// Of standard signals the kernel keeps one for a thread: one that another process sent just before
// the host did stands for both.
static bool is_both(const struct talk *talk, const struct event *event)
{
	struct user_regs_struct regs;
	struct dc_error *err;

	if (!is_at_handshake(talk, event) || talk_is_handshake(talk, event))
		return false;
	err = registers_get(event->tid, &regs);
	if (err) {
		dc_error_destroy(err);
		return false;
	}
	return regs.orig_rax == SYS_tgkill && regs.rax == 0 &&
	       client_expects(&talk->client, regs.r12);
}

// What would end the process and is the callee's own doing. Faults that the runtime handles become
// panics.
static bool is_crash(const struct talk *talk, const struct event *event)
{
	const siginfo_t *info = &event->info;
	bool is_fault = (bare_wait_faults() & signal_bit(event->signo)) && info->si_code > 0;
	bool is_own = (info->si_code == SI_TKILL || info->si_code == SI_USER) &&
		      info->si_pid == talk->gort->info.inner_pid;
	bool is_handled = talk->gort->info.sig_caught & signal_bit(event->signo);

	if (talk->client.state != CLIENT_CALLING)
		return false;
	if (event->signo == SIGABRT)
		return is_own;
	return (is_fault || is_own) && !is_handled && bare_wait_is_fatal(event->signo);
}

// ---- outcomes -------------------------------------------------------------------------------------

void talk_conclude(struct talk *talk, struct dc_error *err)
{
	if (talk->outcome)
		dc_error_destroy(err);
	else
		talk->outcome = err;
}

struct dc_error *talk_leave(struct talk *talk, enum dc_state state)
{
	struct tracee *tracee = talk->gort->tracee;
	struct dc_error *err = tracee_leave(tracee);

	talk->is_over = true;
	if (talk->outcome)
		talk->outcome = error_in_state(talk->outcome, state);
	return err;
}

static struct dc_error *let_go(struct talk *talk, unsigned long status)
{
	const char *text = debugcall_status_text(status);

	// Whatever it is that answers there, only it knows how to go on.
	talk_conclude(talk, error_make(DC_REFUSED,
				       "the target's host does not keep to the protocol: it said "
				       "%s (%lu) out of turn",
				       text ? text : "nothing known", status));
	return talk_leave(talk, DC_STATE_IN_CALLEE);
}

// ---- statuses -------------------------------------------------------------------------------------

static void begin_call(struct talk *talk)
{
	int64_t timeout = talk->calls->timeout_ns;

	talk->begin = tracer_now();
	talk->deadline = timeout ? talk->begin + timeout : 0;
}

// The callee returned: it is entered once more, or its result is taken.
static struct dc_error *on_returned(struct talk *talk, const struct user_regs_struct *regs)
{
	struct gort_calls *calls = talk->calls;
	int64_t now = tracer_now();
	struct dc_error *err;

	if (calls->nanoseconds)
		calls->nanoseconds[calls->done] = now - talk->begin;
	calls->done++;
	if (calls->done < calls->n && now < talk->slice_end && !talk->is_late &&
	    client_again(&talk->client)) {
		begin_call(talk);
		return talk_enter_again(talk);
	}
	err = talk_take_result(talk, regs);
	if (err)
		talk_conclude(talk, err);
	return NULL;
}

static struct dc_error *do_as_wanted(struct talk *talk, struct user_regs_struct *regs)
{
	uint64_t words[2] = { 0 };

	switch (client_step(&talk->client, CLIENT_ON_STATUS, regs->r12)) {
	case CLIENT_DO_CALL: return talk_enter_callee(talk, regs);
	case CLIENT_DO_TAKE_RESULT: return on_returned(talk, regs);
	case CLIENT_DO_TAKE_PANIC:
	case CLIENT_DO_TAKE_REASON:
		memory_read_some(talk->gort->tracee->process, regs->rsp, words, sizeof(words));
		talk->calls->refused = regs->r12 == DEBUGCALL_REFUSED;
		talk_conclude(talk, talk->calls->refused ? talk_reason(talk, words)
							 : talk_panicked(talk, words[0]));
		return NULL;
	case CLIENT_DO_FINISH: return talk_leave(talk, DC_STATE_RUNNING);
	case CLIENT_DO_LET_GO: return let_go(talk, regs->r12);
	default: return NULL;
	}
}

// The thread goes on with a SIGINT behind a handshake that was heard: the host must not take it for
// that.
static struct dc_error *mark_heard(struct talk *talk)
{
	return registers_poke(talk->gort->tracee->tid, offsetof(struct user_regs_struct, rax),
			      DEBUGCALL_HEARD);
}

// A status was said. signo: what goes on with the thread besides, or 0.
static struct dc_error *on_status(struct talk *talk, int signo)
{
	struct tracee *tracee = talk->gort->tracee;
	struct user_regs_struct regs;
	struct dc_error *err = signo ? mark_heard(talk) : NULL;

	if (!err)
		err = registers_get(tracee->tid, &regs);
	if (err)
		return err;
	tracee->signo = signo;
	talk->heard_at = regs.rip;
	return do_as_wanted(talk, &regs);
}

// ---- everything else that may happen --------------------------------------------------------------

static struct dc_error *on_crash(struct talk *talk, const struct event *event)
{
	talk_conclude(talk, talk_crashed(talk, event));
	client_step(&talk->client, CLIENT_ON_CRASH, 0);
	if (!talk_may_unwind(talk, true)) {
		// Delivered, it does what it would have done without us.
		talk->gort->tracee->signo = event->signo;
		return talk_leave(talk, DC_STATE_IN_CALLEE);
	}
	talk->outcome = error_note(talk->outcome, "locks that %s took stay taken", talk->name);
	return talk_unwind_callee(talk);
}

static struct dc_error *on_end(struct talk *talk, const struct event *event)
{
	struct tracee *tracee = talk->gort->tracee;
	bool thread_only = event->kind == EVENT_GONE && process_alive(tracee->process);

	client_step(&talk->client, CLIENT_ON_GONE, 0);
	talk->is_over = true;
	dc_error_destroy(talk->outcome);
	if (event->kind == EVENT_EXIT)
		thread_only = event->syscall == SYS_exit;

	pid_t tid = tracee->tid;

	if (event->kind == EVENT_GONE)
		tracee_forget(tracee);
	else
		dc_error_destroy(tracee_leave(tracee));
	talk->outcome = talk_ended(talk, event, tid, thread_only);
	return NULL;
}

static struct dc_error *on_signal(struct talk *talk, const struct event *event)
{
	if (talk_is_handshake(talk, event))
		return on_status(talk, 0);
	if (is_both(talk, event))
		return on_status(talk, event->signo);
	if (is_crash(talk, event))
		return on_crash(talk, event);
	if (client_step(&talk->client, CLIENT_ON_SIGNAL, 0) != CLIENT_DO_FORWARD)
		return NULL;
	talk->gort->tracee->signo = event->signo;
	return event->pc == talk->heard_at ? mark_heard(talk) : NULL;
}

static struct dc_error *on_late(struct talk *talk, bool cancelled)
{
	enum { GRACE_S = 2 };
	struct tracee *tracee = talk->gort->tracee;

	if (talk->is_late) {
		struct event event;
		// Not even the way home is found in time. It needs nothing of us.
		struct dc_error *err = tracee_interrupt(tracee);

		if (err && err->code == DC_TARGET_ENDED) {
			dc_error_destroy(err);
			err = NULL;
		}
		if (!err)
			err = tracee_wait_stop(tracee, &event);
		if (err)
			return err;
		err = talk_on_event(talk, &event);
		return err || talk->is_over ? err : talk_leave(talk, DC_STATE_IN_CALLEE);
	}
	talk->is_late = true;
	talk->deadline = tracer_now() + GRACE_S * INT64_C(1000000000);
	// What the callee gave is not taken away by a slow way home.
	if (talk->client.state != CLIENT_LEAVING)
		talk_conclude(talk, talk_overdue(talk, cancelled));
	if (client_step(&talk->client, CLIENT_ON_DEADLINE, 0) == CLIENT_DO_ABANDON)
		return talk_abandon(talk);
	return NULL;
}

struct dc_error *talk_on_event(struct talk *talk, const struct event *event)
{
	talk->running = false;
	switch (event->kind) {
	case EVENT_SIGNAL: return on_signal(talk, event);
	case EVENT_GROUP_STOP: talk->listening = true; return NULL;
	case EVENT_INTERRUPT: talk->listening = false; return NULL;
	case EVENT_DEADLINE:
	case EVENT_CANCELLED:
		talk->running = true;
		return on_late(talk, event->kind == EVENT_CANCELLED);
	case EVENT_EXIT:
	case EVENT_GONE:
	case EVENT_EXEC: return on_end(talk, event);
	case EVENT_SYSCALL_ENTRY:
	case EVENT_SYSCALL_EXIT:
	case EVENT_FORK: break;
	}
	return NULL;
}

// ---- the way in -----------------------------------------------------------------------------------

static struct dc_error *go_on(struct talk *talk)
{
	struct tracee *tracee = talk->gort->tracee;
	struct dc_error *err = talk->listening ? tracee_listen(tracee)
					       : tracee_resume(tracee, RESUME_RUN, tracee->signo);

	tracee->signo = 0;
	talk->running = true;
	// Killed while it was stopped: its end is the next event.
	if (err && err->code == DC_TARGET_ENDED) {
		dc_error_destroy(err);
		return NULL;
	}
	return err;
}

struct dc_error *talk_step(struct talk *talk, int64_t deadline, struct event *ret)
{
	struct tracee *tracee = talk->gort->tracee;
	struct dc_error *err = talk->running ? NULL : go_on(talk);

	if (err)
		return err;
	return talk->is_late ? tracee_wait_through(tracee, deadline, ret)
			     : tracee_wait(tracee, deadline, ret);
}

static struct dc_error *converse(struct talk *talk)
{
	struct dc_error *err = NULL;

	while (!err && !talk->is_over) {
		struct event event;

		err = talk_step(talk, talk->deadline, &event);
		if (!err)
			err = talk_on_event(talk, &event);
	}
	return err;
}

struct dc_error *gort_call(struct gort *gort, struct gort_calls *calls)
{
	struct tracee *tracee = gort->tracee;
	struct talk talk = {
		.gort = gort,
		.calls = calls,
		.name = calls->name ?: "the callee",
	};
	struct dc_error *err = talk_lay_out(&talk);

	calls->refused = false;
	begin_call(&talk);
	talk.slice_end = calls->slice_ns ? talk.begin + calls->slice_ns : 0;
	if (!err)
		err = talk_enter_host(&talk);
	if (err) {
		// Nothing was begun: the thread is given back from here.
		dc_error_destroy(tracee_release(tracee));
		return error_in_state(err, DC_STATE_RUNNING);
	}
	err = converse(&talk);
	if (err) {
		// A system call of ours failed. The host needs none of them to go home.
		dc_error_destroy(talk.outcome);
		if (tracee->tid) {
			tracee_forget(tracee);
			tracer_abandon(tracee->tracer);
		}
		return error_in_state(err, DC_STATE_IN_CALLEE);
	}
	gort->avoid_idle = calls->refused && gort->place == GORT_IDLE;
	return talk.outcome;
}
