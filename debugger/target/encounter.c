// SPDX-License-Identifier: MIT
// One breakpoint, armed for as long as one thread is awaited.
#include "debugger/target/encounter.h"

#include "debugger/base/cleanup.h"
#include "debugger/base/trace.h"
#include "debugger/target/kernel_breakpoint.h"

// Whether the event is the thread's arrival. What it is not is let happen.
static bool has_arrived(struct kernel_breakpoint *breakpoint, const struct event *event)
{
	// The signal proves nothing, and its place much: a notice may come late, and another's early.
	return event->kind == EVENT_SIGNAL && event->signo == breakpoint->notice &&
	       event->pc == breakpoint->addr && kernel_breakpoint_hits(breakpoint) > 0;
}

// Until it stands there or something ends the waiting, which *event shows.
static struct dc_error *await(struct tracee *tracee, struct kernel_breakpoint *breakpoint,
			      int64_t deadline, struct event *event)
{
	for (;;) {
		struct dc_error *err = tracee_go_on(tracee, RESUME_RUN);

		if (!err)
			err = tracee_wait(tracee, deadline, event);
		if (err || (event->kind != EVENT_SIGNAL && event->kind != EVENT_INTERRUPT) ||
		    has_arrived(breakpoint, event))
			return err;
		tracee->signo = event->kind == EVENT_SIGNAL ? event->signo : 0;
	}
}

static struct dc_error *meet(struct tracee *tracee, struct kernel_breakpoint *breakpoint,
			     int64_t deadline, enum tracee_stop *ret)
{
	struct event event = { 0 };

	// While it runs it is not away from its work.
	if (!tracee->running)
		tracee->pause_ns += tracer_now() - tracee->since;

	struct dc_error *err = kernel_breakpoint_enable(breakpoint);

	if (!err)
		err = await(tracee, breakpoint, deadline, &event);

	tracee->since = tracer_now();
	*ret = TRACEE_UNSTOPPABLE;
	if (err || event.kind == EVENT_DEADLINE || event.kind == EVENT_CANCELLED)
		return err;
	if (event.kind != EVENT_SIGNAL)
		return tracee_let_go(tracee, &event, ret);
	trace(TRACE_TARGET, "comes to where it is awaited", tracee->tid, 0, event.pc);
	tracee->signo = 0;
	*ret = TRACEE_STOPPED;
	return tracee_begin_hold(tracee);
}

static struct dc_error *prepare(const struct tracee *tracee, pid_t tid,
				const struct thread_info *info, uint64_t pc,
				struct kernel_breakpoint *breakpoint)
{
	int notice = kernel_breakpoint_notice(info);

	// What follows it has breakpoints of its own there, and sees to its stops.
	if (tracee->lender ||
	    events_find(tracer_events(tracee->tracer), tid) != (tracee->tid ? tracee : NULL))
		return error_make(DC_REFUSED, "thread %d is followed", tid);
	if (!notice)
		return error_make(DC_REFUSED,
				  "thread %d leaves no signal by which a breakpoint could show",
				  tid);
	return kernel_breakpoint_prepare(breakpoint, tid, BREAKPOINT_EXECUTE, pc, 0, notice);
}

struct dc_error *encounter(struct tracee *tracee, pid_t tid, const struct thread_info *info,
			   uint64_t pc, int64_t deadline, enum tracee_stop *ret)
{
	struct kernel_breakpoint breakpoint;
	struct dc_error *err = prepare(tracee, tid, info, pc, &breakpoint);

	*ret = TRACEE_ENDED;
	if (err)
		return err;
	tracee_reset(tracee);
	err = tracee_follow(tracee, tid);
	if (!err)
		err = meet(tracee, &breakpoint, deadline, ret);
	else if (err->code == DC_TARGET_ENDED)
		dc_error_destroy(take_ptr(err));
	kernel_breakpoint_disarm(&breakpoint);
	return err;
}

struct dc_error *encounter_further(struct tracee *tracee, const struct thread_info *info,
				   uint64_t pc, int64_t deadline, enum tracee_stop *ret)
{
	struct kernel_breakpoint breakpoint;
	struct dc_error *err = prepare(tracee, tracee->tid, info, pc, &breakpoint);

	if (err)
		return err;
	// A wait that it begins from here on has not lasted longer than we await it.
	tracee->awake_at = tracer_now();
	err = meet(tracee, &breakpoint, deadline, ret);
	kernel_breakpoint_disarm(&breakpoint);
	return err;
}
