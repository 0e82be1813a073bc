// SPDX-License-Identifier: MIT
// A session's process under control: which stops are told, who goes on. The tracer's thread tells
// that threads stand; what that means is decided in turns of the session's worker.
#include "debugger/session/breakpoints.h"

#include "debugger/arch/x86_64/syscall_names.h"
#include "debugger/base/trace.h"
#include "debugger/control/children.h"
#include "debugger/control/step.h"
#include "debugger/session/pending.h"
#include "debugger/target/signals.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

void dc_control_options_init(struct dc_control_options *options)
{
	*options = (struct dc_control_options){
		.stop_signals = SIGNALS_OF_FAULTS | SIGNAL_BIT(SIGABRT),
	};
}

// ---- deciding -------------------------------------------------------------------------------------

struct decision {
	struct dc_session *session;
	bool changed; // somebody stands who did not
};

void stop_describe(struct dc_session *session, const struct thread *thread, struct dc_stop *ret)
{
	static const enum dc_stop_reason reasons[] = {
		[STOP_LOCATION] = DC_STOP_BREAKPOINT,
		[STOP_SIGNAL] = DC_STOP_SIGNAL,
		[STOP_INTERRUPT] = DC_STOP_INTERRUPTED,
		[STOP_STEP] = DC_STOP_STEP,
		[STOP_EXEC] = DC_STOP_EXEC,
		[STOP_SYSCALL] = DC_STOP_SYSCALL,
		[STOP_FORK] = DC_STOP_FORK,
		[STOP_VFORK] = DC_STOP_VFORK,
	};
	const struct stop *stop = &thread->stop;

	*ret = (struct dc_stop){ .thread = thread->tracee.tid,
				 .reason = reasons[stop->kind],
				 .breakpoint = thread->breakpoint,
				 .returned = thread->returned,
				 .problem = thread->problem };
	if (thread->why)
		ret->reason = (enum dc_stop_reason)thread->why;
	if (thread->why == DC_STOP_WATCHPOINT) {
		ret->was = thread->was;
		ret->is = thread->is;
	}
	if (stop->kind == STOP_SIGNAL) {
		ret->signo = stop->info.si_signo;
		ret->addr = (uint64_t)(uintptr_t)stop->info.si_addr;
	}
	if (stop->kind == STOP_SYSCALL) {
		ret->syscall = stop->syscall;
		ret->syscall_name = syscall_name(stop->syscall);
		ret->is_return = stop->is_return;
		ret->result = stop->result;
	}
	if (stop->kind == STOP_FORK || stop->kind == STOP_VFORK)
		ret->child = (pid_t)stop->result;
	ret->frame = symbols_describe(session->symbols, stop->pc);
	ret->all_stand = control_all_stand(session->control);
}

static void tell(struct dc_session *session, const struct thread *thread)
{
	struct dc_event event = { .kind = DC_EVENT_STOPPED };

	// It may have run since the modules were read.
	session->stale = true;
	stop_describe(session, thread, &event.stop);
	operations_tell(session, &event);
}

// Of a thread that stands for what the user asked, the reason is said with its stop.
static void note_problem(struct thread *thread, struct dc_error *err)
{
	if (err)
		thread->problem = strdup(err->message);
	dc_error_destroy(err);
}

// *stays: a breakpoint stops it.
static void judge_location(struct dc_session *session, pid_t tid, bool *stays)
{
	struct thread *thread = control_find(session->control, tid);
	struct breakpoint *breakpoint;
	const struct location *location = thread->stop.location;
	struct breakpoint *loaded = NULL;
	struct dc_error *err;

	if (location && location == session->loads) {
		dc_error_destroy(loading_done(session));
		loaded = catch_judge_load(session);
	}
	err = breakpoints_judge(session, location, tid, &breakpoint);

	// A call in a condition may have ended it.
	thread = control_find(session->control, tid);
	*stays = (breakpoint || loaded) && thread;
	if (!*stays) {
		dc_error_destroy(err);
		return;
	}
	if (!breakpoint) {
		thread->why = DC_STOP_LOADED;
		breakpoint = loaded;
	}
	thread->breakpoint = breakpoint->is.number;
	note_problem(thread, err);
	if (breakpoint->watch) {
		thread->why = breakpoint->is_out_of_scope ? DC_STOP_SCOPE : DC_STOP_WATCHPOINT;
		thread->was = take_ptr(breakpoint->watch->was);
		thread->is = take_ptr(breakpoint->watch->is);
	}
	if (breakpoint->is.temporary || breakpoint->is_out_of_scope)
		breakpoint_remove(session, breakpoint);
}

// It stands for a reason that is none of the code's.
static void judge_catch(struct dc_session *session, struct thread *thread, bool *stays)
{
	const struct stop *stop = &thread->stop;
	struct breakpoint *breakpoint = catch_judge(session, thread);

	*stays = breakpoint || stop->kind == STOP_EXEC || stop->kind == STOP_INTERRUPT ||
		 (stop->kind == STOP_SIGNAL &&
		  session->stop_signals & SIGNAL_BIT(stop->info.si_signo));
	if (!breakpoint)
		return;
	thread->breakpoint = breakpoint->is.number;
	if (breakpoint->is.temporary)
		breakpoint_remove(session, breakpoint);
}

// *stays: the thread stands, and users are told.
static void judge(struct dc_session *session, pid_t tid, bool *stays)
{
	struct thread *thread = control_find(session->control, tid);
	bool arrived = thread->stop.kind == STOP_STEP || thread->stop.arrived;

	*stays = true;
	if (thread->stop.kind == STOP_EXEC)
		note_problem(thread, loading_execed(session));
	if (thread->stop.kind != STOP_LOCATION && thread->stop.kind != STOP_STEP) {
		judge_catch(session, thread, stays);
		return;
	}
	if (thread->stop.kind == STOP_LOCATION)
		judge_location(session, tid, stays);
	thread = control_find(session->control, tid);
	if (!thread || !arrived || (*stays && thread->stop.kind == STOP_LOCATION))
		return;
	thread->stop.kind = STOP_STEP;
	note_problem(thread, steps_judge(session, thread, stays));
}

static struct dc_error *decide(struct dc_session *session, struct thread *thread)
{
	pid_t tid = thread->tracee.tid;
	bool stays;

	judge(session, tid, &stays);
	thread = control_find(session->control, tid);
	if (!thread || !thread->stands)
		return NULL;
	if (!stays)
		return thread_go(thread);
	step_end(thread);
	// One that was stopped because another was is not told of by itself.
	if (thread->is_along)
		return NULL;
	if (session->stop_all)
		control_halt_others(session->control, thread);
	tell(session, thread);
	return NULL;
}

struct dc_error *session_decide(struct dc_session *session)
{
	struct control *control = session->control;
	struct dc_error *first = NULL;
	struct thread *thread;
	bool settles = control->settles;

	control->settles = true;
	control_attend(control);
	while ((thread = control_next_stop(control))) {
		struct dc_error *err = decide(session, thread);

		if (first)
			dc_error_destroy(err);
		else
			first = err;
		control_attend(control);
	}
	control->settles = settles;
	return first;
}

static struct dc_error *run_decisions(void *arg)
{
	return session_decide(arg);
}

static struct dc_error *decide_all(struct dc_session *session, void *arg)
{
	(void)arg;
	atomic_store(&session->is_deciding, false);
	if (!session->control)
		return NULL;

	struct dc_error *err = session_run(session, run_decisions, session);

	trace_write();
	return err;
}

// On the tracer's thread. Where nobody has the session, no other thread need wake for it.
static void on_stop(void *arg)
{
	struct dc_session *session = arg;
	struct dc_operation turn;

	// While control ends it is not the session's any more; whoever ends it has the turn.
	if (turn_try(session, &turn)) {
		if (session->control)
			dc_error_destroy(session_decide(session));
		trace_write();
		turn_end(&turn);
		return;
	}
	if (!atomic_exchange(&session->is_deciding, true) &&
	    !operations_leave_quietly(session, decide_all))
		atomic_store(&session->is_deciding, false);
}

// On the tracer's thread.
static void on_thread(void *arg, pid_t tid, bool has_begun)
{
	operations_tell(arg, &(struct dc_event){ .kind = has_begun ? DC_EVENT_THREAD_BEGAN
								   : DC_EVENT_THREAD_ENDED,
						 .thread = tid });
}

static void on_child(void *arg, const struct born *born)
{
	const struct dc_event event = { .kind = DC_EVENT_CHILD,
					.child = born->pid,
					.is_exec = born->execed,
					.failure = born->problem };

	operations_tell(arg, &event);
}

// ---- control --------------------------------------------------------------------------------------

static enum children_wanted children_of(const struct dc_control_options *options)
{
	static const enum children_wanted wanted[] = {
		[DC_CHILDREN_LEFT] = CHILDREN_LEFT,
		[DC_CHILDREN_FIRST] = CHILDREN_FIRST,
		[DC_CHILDREN_ALL] = CHILDREN_ALL,
	};

	return wanted[options->children];
}

struct applying {
	struct dc_session *session;
	const struct dc_control_options *options;
};

static struct dc_error *run_apply(void *arg)
{
	const struct applying *applying = arg;

	children_follow(applying->session->control, children_of(applying->options));
	return catch_apply(applying->session);
}

static struct dc_error *apply(struct dc_session *session, const struct dc_control_options *options)
{
	struct applying applying = { session, options };

	session->stop_all = options->stop_all;
	session->stop_signals = options->stop_signals;
	return session_run(session, run_apply, &applying);
}

static struct dc_error *run_begin(void *arg)
{
	struct dc_session *session = arg;

	session->control->on_stop = on_stop;
	session->control->on_thread = on_thread;
	session->control->on_child = on_child;
	session->control->status = &session->status;
	atomic_store(&session->is_followed, true);
	session->control->arg = session;
	return NULL;
}

struct dc_error *session_attend(struct dc_session *session)
{
	return session_run(session, run_begin, session);
}

struct dc_error *session_control(struct dc_session *session,
				 const struct dc_control_options *options)
{
	struct dc_control_options usual;
	struct dc_error *err = session_cancelled(session);

	dc_control_options_init(&usual);
	options = options ?: &usual;
	if (!err && session->control)
		return apply(session, options);
	if (!err)
		err = session_release(session);
	if (!err)
		err = session_refresh(session);
	if (!err)
		err = session_ready(session);
	if (!err)
		err = control_create(session->tracer, session->process, children_of(options),
				     &session->control);
	if (err)
		return err;
	session->attached = false;
	session->control->patches.may = session->may_patch;
	err = apply(session, options);
	if (!err && options->is_child)
		err = control_receive(session->control);
	return err;
}

struct dc_error *dc_control(struct dc_session *session, const struct dc_control_options *options)
{
	_turn_(session);
	struct dc_error *err = session_control(session, options);

	if (!err)
		err = session_attend(session);
	return session_conclude(session, err);
}

void session_uncontrol(struct dc_session *session)
{
	if (!session->control)
		return;
	pending_abandon_all(session);
	dc_error_destroy(session_release(session));
	control_destroy(take_ptr(session->control));
	breakpoints_clear(&session->breakpoints);
	free(take_ptr(session->modules_seen));
	session->nr_modules_seen = 0;
	session->loads = NULL;
	atomic_store(&session->is_followed, false);
	session->stale = true;
	session->epoch++;
}

struct dc_error *dc_uncontrol(struct dc_session *session)
{
	_turn_(session);
	session_uncontrol(session);
	trace_write();
	return NULL;
}

bool dc_is_controlled(struct dc_session *session)
{
	_turn_(session);
	return session->control != NULL;
}

void dc_allow_patches(struct dc_session *session, bool allowed)
{
	_turn_(session);
	session->may_patch = allowed;
	if (session->control)
		session->control->patches.may = allowed;
}

struct dc_error *session_uncontrolled(void)
{
	return error_make(DC_REFUSED, "the process is not under control");
}

// ---- threads --------------------------------------------------------------------------------------

struct go {
	struct dc_session *session;
	pid_t thread;
	int signo; // -1: as it is
	bool any;
};

static struct dc_error *run_go(void *arg)
{
	struct go *go = arg;
	struct control *control = go->session->control;
	struct dc_error *err = NULL;

	for (struct thread *thread = control->threads; thread && !err; thread = thread->next) {
		struct dc_event event = { .kind = DC_EVENT_RAN_ON,
					  .thread = thread->tracee.tid,
					  .pause_ns = tracer_now() - thread->stop.since };

		if (!thread->stands || thread->is_undecided ||
		    (go->thread && thread->tracee.tid != go->thread))
			continue;
		go->any = true;
		operations_tell(go->session, &event);
		err = thread_go(thread);
	}
	if (err && err->code == DC_TARGET_ENDED) {
		struct dc_error *ended = error_make(DC_TARGET_ENDED, "process %d ended: %s",
						    go->session->process->pid, err->message);

		dc_error_destroy(err);
		return ended;
	}
	return err;
}

struct dc_error *session_go(struct dc_session *session, pid_t thread)
{
	struct go go = { .session = session, .thread = thread };

	return run_go(&go);
}

struct dc_error *dc_continue(struct dc_session *session, pid_t thread)
{
	_turn_(session);
	struct go go = { .session = session, .thread = thread };
	struct dc_error *err = session->control ? session_release(session) : session_uncontrolled();

	if (!err)
		err = session_run(session, run_go, &go);
	if (!err && !go.any && thread)
		err = error_make(DC_REFUSED, "thread %d does not stand", thread);
	session->stale = true;
	session->epoch++;
	return session_conclude(session, err);
}

static struct dc_error *run_set_signal(void *arg)
{
	struct go *go = arg;
	struct thread *thread = control_find(go->session->control, go->thread);

	if (!thread || !thread->stands)
		return error_make(DC_REFUSED, "thread %d does not stand", go->thread);
	thread->tracee.signo = go->signo;
	return NULL;
}

struct dc_error *dc_set_signal(struct dc_session *session, pid_t thread, int signo)
{
	_turn_(session);
	struct go go = { .session = session, .thread = thread, .signo = signo };
	struct dc_error *err = session->control ? session_run(session, run_set_signal, &go)
						: session_uncontrolled();

	return session_conclude(session, err);
}

// No turn: whatever the session does at the moment may be what is to be stopped.
struct dc_error *dc_interrupt(struct dc_session *session, pid_t thread)
{
	struct tracer *tracer = atomic_load(&session->tracer);

	if (!tracer)
		return session_uncontrolled();
	tracer_request_halt(tracer, thread ?: -1);
	return NULL;
}

// ---- waiting --------------------------------------------------------------------------------------

bool dc_wait_event(struct dc_session *session, int64_t timeout_ns, struct dc_event *ret)
{
	struct pollfd poll_fd = { .fd = dc_event_fd(session), .events = POLLIN };
	int64_t until = timeout_ns < 0 ? 0 : tracer_now() + timeout_ns;

	for (;;) {
		enum { LOOK_MS = 50, MS_NS = 1000 * 1000 };
		int64_t left = until ? (until - tracer_now() + MS_NS - 1) / MS_NS : LOOK_MS;

		if (dc_next_event(session, ret))
			return true;
		if (left <= 0 || atomic_load(&session->cancelled))
			return false;
		// Cancelling, which a signal handler does, shows in no descriptor.
		poll(&poll_fd, 1, left < LOOK_MS ? (int)left : LOOK_MS);
	}
}
