// SPDX-License-Identifier: MIT
// One conversation with a runtime's host, led by protocol/conversation.c: each stop of the thread
// is told apart, and what the client machine wants is done.
#include "debugger/inject/gort/gort_conversation.h"

#include "debugger/base/trace.h"
#include "debugger/target/memory.h"
#include "debugger/target/signals.h"

#include <stddef.h>
#include <sys/syscall.h>

// ---- whose signal it is ---------------------------------------------------------------------------

static bool is_at_handshake(const struct gort_conversation *conversation, const struct event *event)
{
	const struct debugcall_descriptor *d = conversation->gort->descriptor;

	return event->kind == EVENT_SIGNAL && event->signo == d->handshake_signal &&
	       event->pc >= d->handshake_start && event->pc <= d->handshake_end;
}

bool gort_is_handshake(const struct gort_conversation *conversation, const struct event *event)
{
	// The program's own signal of that kind may come at any place, even at this one.
	return is_at_handshake(conversation, event) && event->info.si_code == SI_TKILL &&
	       event->info.si_pid == conversation->gort->info.inner_pid;
}

// Of standard signals the kernel keeps one for a thread: one that another process sent just before
// the host did stands for both.
static bool is_both(const struct gort_conversation *conversation, const struct event *event)
{
	struct user_regs_struct regs;
	struct dc_error *err;

	if (!is_at_handshake(conversation, event) || gort_is_handshake(conversation, event))
		return false;
	err = registers_get(event->tid, &regs);
	if (err) {
		dc_error_destroy(err);
		return false;
	}
	return regs.orig_rax == SYS_tgkill && regs.rax == 0 &&
	       client_expects(&conversation->client, regs.r12);
}

// What would end the process and is the callee's own doing. Faults that the program handles are the
// runtime's, which makes panics of them.
static bool is_crash(const struct gort_conversation *conversation, const struct event *event)
{
	const struct crash_rules rules = {
		.passed = SIGNALS_OF_FAULTS,
		.inner_pid = conversation->gort->info.inner_pid,
	};

	return conversation->client.state == CLIENT_CALLING &&
	       outcome_is_crash(&rules, conversation->gort->tracee, event);
}

// ---- outcomes -------------------------------------------------------------------------------------

void gort_conclude(struct gort_conversation *conversation, struct dc_error *err)
{
	if (conversation->outcome)
		dc_error_destroy(err);
	else
		conversation->outcome = err;
}

struct dc_error *gort_leave(struct gort_conversation *conversation, enum dc_state state)
{
	struct tracee *tracee = conversation->gort->tracee;
	struct dc_error *err = tracee_leave(tracee);

	conversation->is_over = true;
	if (conversation->outcome)
		conversation->outcome = error_in_state(conversation->outcome, state);
	return err;
}

static struct dc_error *let_go(struct gort_conversation *conversation, unsigned long status)
{
	const char *text = debugcall_status_text(status);

	// Whatever it is that answers there, only it knows how to go on.
	gort_conclude(conversation,
		      error_make(DC_REFUSED,
				 "the target's host does not keep to the protocol: it said "
				 "%s (%lu) out of turn",
				 text ? text : "nothing known", status));
	return gort_leave(conversation, DC_STATE_IN_CALLEE);
}

// ---- statuses -------------------------------------------------------------------------------------

static void begin_call(struct gort_conversation *conversation)
{
	int64_t timeout = conversation->request->timeout_ns;

	conversation->begin = tracer_now();
	conversation->deadline = timeout ? conversation->begin + timeout : 0;
}

// The callee returned: it is entered once more, or its result is taken.
static struct dc_error *on_returned(struct gort_conversation *conversation,
				    const struct user_regs_struct *regs)
{
	struct request *request = conversation->request;
	int64_t now = tracer_now();
	struct dc_error *err;

	if (request->nanoseconds)
		request->nanoseconds[request->done] = now - conversation->begin;
	request->done++;
	if (request->done < request->n && now < conversation->slice_end && !conversation->is_late &&
	    client_again(&conversation->client)) {
		begin_call(conversation);
		return gort_enter_again(conversation);
	}
	err = gort_take_result(conversation, regs);
	if (err)
		gort_conclude(conversation, err);
	return NULL;
}

// What was said needs no answer. The host, told that nobody is there any more, goes home at once.
static struct dc_error *on_answered(struct gort_conversation *conversation)
{
	struct tracee *tracee = conversation->gort->tracee;

	if (!client_leave(&conversation->client))
		return NULL; // another call is under way
	// One that stands for both goes on as what it is to the program.
	if (!tracee->signo)
		tracee->signo = conversation->gort->descriptor->handshake_signal;
	return gort_leave(conversation, DC_STATE_RUNNING);
}

static struct dc_error *do_as_wanted(struct gort_conversation *conversation,
				     struct user_regs_struct *regs)
{
	uint64_t words[2] = { 0 };
	struct dc_error *err;

	trace(TRACE_INJECT, "says status", conversation->gort->tracee->tid, (int64_t)regs->r12,
	      registers_pc(regs));
	switch (client_step(&conversation->client, CLIENT_ON_STATUS, regs->r12)) {
	case CLIENT_DO_CALL: return gort_enter_callee(conversation, regs);
	case CLIENT_DO_TAKE_RESULT:
		err = on_returned(conversation, regs);
		return err ? err : on_answered(conversation);
	case CLIENT_DO_TAKE_PANIC:
	case CLIENT_DO_TAKE_REASON:
		memory_read_some(conversation->gort->tracee->process, regs->rsp, words,
				 sizeof(words));
		conversation->request->is_refused = regs->r12 == DEBUGCALL_REFUSED;
		gort_conclude(conversation, conversation->request->is_refused
						    ? gort_reason(conversation, words)
						    : gort_panicked(conversation, words[0]));
		return on_answered(conversation);
	case CLIENT_DO_FINISH: return gort_leave(conversation, DC_STATE_RUNNING);
	case CLIENT_DO_LET_GO: return let_go(conversation, regs->r12);
	default: return NULL;
	}
}

// The thread goes on with a SIGINT behind a handshake that was heard: the host must not take it for
// that.
static struct dc_error *mark_heard(struct gort_conversation *conversation)
{
	return registers_poke(conversation->gort->tracee->tid,
			      offsetof(struct user_regs_struct, rax), DEBUGCALL_HEARD);
}

// A status was said. signo: what goes on with the thread besides, or 0.
static struct dc_error *on_status(struct gort_conversation *conversation, int signo)
{
	struct tracee *tracee = conversation->gort->tracee;
	struct user_regs_struct regs;
	struct dc_error *err = signo ? mark_heard(conversation) : NULL;

	if (!err)
		err = registers_get(tracee->tid, &regs);
	if (err)
		return err;
	tracee->signo = signo;
	conversation->heard_at = regs.rip;
	return do_as_wanted(conversation, &regs);
}

// ---- everything else that may happen --------------------------------------------------------------

static struct dc_error *on_crash(struct gort_conversation *conversation, const struct event *event)
{
	gort_conclude(conversation, gort_crashed(conversation, event));
	client_step(&conversation->client, CLIENT_ON_CRASH, 0);
	if (!gort_may_unwind(conversation, true)) {
		// Delivered, it does what it would have done without us.
		conversation->gort->tracee->signo = event->signo;
		return gort_leave(conversation, DC_STATE_IN_CALLEE);
	}
	conversation->outcome = outcome_note_locks(conversation->outcome,
						   conversation->request->name);
	return gort_unwind_callee(conversation);
}

static struct dc_error *on_end(struct gort_conversation *conversation, const struct event *event)
{
	struct tracee *tracee = conversation->gort->tracee;
	bool thread_only = event->kind == EVENT_GONE && process_alive(tracee->process);

	client_step(&conversation->client, CLIENT_ON_GONE, 0);
	conversation->is_over = true;
	dc_error_destroy(conversation->outcome);
	if (event->kind == EVENT_EXIT)
		thread_only = event->syscall == SYS_exit;

	pid_t tid = tracee->tid;

	if (event->kind == EVENT_GONE)
		tracee_forget(tracee);
	else
		dc_error_destroy(tracee_leave(tracee));
	conversation->outcome = gort_ended(conversation, event, tid, thread_only);
	return NULL;
}

static struct dc_error *on_signal(struct gort_conversation *conversation, const struct event *event)
{
	if (gort_is_handshake(conversation, event))
		return on_status(conversation, 0);
	if (is_both(conversation, event))
		return on_status(conversation, event->signo);
	if (is_crash(conversation, event))
		return on_crash(conversation, event);
	if (client_step(&conversation->client, CLIENT_ON_SIGNAL, 0) != CLIENT_DO_FORWARD)
		return NULL;
	conversation->gort->tracee->signo = event->signo;
	return event->pc == conversation->heard_at ? mark_heard(conversation) : NULL;
}

static struct dc_error *on_late(struct gort_conversation *conversation, bool cancelled)
{
	enum { GRACE_S = 2 };

	if (conversation->is_late) {
		struct event event;
		// Not even the way home is found in time. It needs nothing of us.
		struct dc_error *err = tracee_halt(conversation->gort->tracee, &event);

		if (!err)
			err = gort_on_event(conversation, &event);
		return err || conversation->is_over ? err
						    : gort_leave(conversation, DC_STATE_IN_CALLEE);
	}
	conversation->is_late = true;
	conversation->deadline = tracer_now() + GRACE_S * INT64_C(1000000000);
	// What the callee gave is not taken away by a slow way home.
	if (conversation->client.state != CLIENT_LEAVING)
		gort_conclude(conversation, gort_overdue(conversation, cancelled));
	if (client_step(&conversation->client, CLIENT_ON_DEADLINE, 0) == CLIENT_DO_ABANDON)
		return gort_abandon(conversation);
	return NULL;
}

struct dc_error *gort_on_event(struct gort_conversation *conversation, const struct event *event)
{
	switch (event->kind) {
	case EVENT_SIGNAL: return on_signal(conversation, event);
	case EVENT_GROUP_STOP: conversation->gort->tracee->listening = true; return NULL;
	case EVENT_INTERRUPT: conversation->gort->tracee->listening = false; return NULL;
	case EVENT_DEADLINE:
	case EVENT_CANCELLED: return on_late(conversation, event->kind == EVENT_CANCELLED);
	case EVENT_EXIT:
	case EVENT_GONE:
	case EVENT_EXEC: return on_end(conversation, event);
	case EVENT_SYSCALL_ENTRY:
	case EVENT_SYSCALL_EXIT:
	case EVENT_FORK: break;
	}
	return NULL;
}

// ---- the way in -----------------------------------------------------------------------------------

struct dc_error *gort_step(struct gort_conversation *conversation, int64_t deadline,
			   struct event *ret)
{
	struct tracee *tracee = conversation->gort->tracee;
	struct dc_error *err = tracee_go_on(tracee, RESUME_RUN);

	if (err)
		return err;
	return conversation->is_late ? tracee_wait_through(tracee, deadline, ret)
				     : tracee_wait(tracee, deadline, ret);
}

static bool is_past(int64_t time)
{
	return time && tracer_now() >= time;
}

struct dc_error *gort_attend(struct gort_conversation *conversation, int64_t until)
{
	struct dc_error *err = NULL;

	while (!err && !conversation->is_over) {
		int64_t limit = conversation->deadline;
		struct event event;

		if (until && (!limit || until < limit))
			limit = until;
		err = gort_step(conversation, limit, &event);
		if (err)
			break;
		// Not the callee's: whoever polls decides.
		if ((event.kind == EVENT_CANCELLED && !conversation->request->is_cancelled) ||
		    (event.kind == EVENT_DEADLINE && !is_past(conversation->deadline)))
			return NULL;
		err = gort_on_event(conversation, &event);
	}
	return err;
}

struct dc_error *gort_enter(struct gort_conversation *conversation)
{
	int64_t slice_ns = conversation->request->slice_ns;
	struct dc_error *err = gort_lay_out(conversation);

	begin_call(conversation);
	conversation->slice_end = slice_ns ? conversation->begin + slice_ns : 0;
	return err ? err : gort_enter_host(conversation);
}
