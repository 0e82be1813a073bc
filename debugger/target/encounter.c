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

// How long it was on a CPU, in nanoseconds; 0 where the kernel does not tell.
static uint64_t time_run(const struct process *process, pid_t tid)
{
	char path[48];
	_cleanup_free_ char *text = NULL;
	size_t size;

	snprintf(path, sizeof(path), "task/%d/schedstat", tid);

	_cleanup_error_ struct dc_error *err = process_read_file(process, path, &text, &size);

	return err ? 0 : strtoull(text, NULL, 10);
}

// It sleeps, or has run for long without coming. One that only waits for a CPU, as on a crowded
// machine, is waited for, and of one that has just stopped an event is to come.
static bool is_in_vain(const struct tracee *tracee, const struct rendezvous *at, uint64_t begun)
{
	struct thread_info info;
	_cleanup_error_ struct dc_error *err = process_thread_info(tracee->process, tracee->tid,
								   &info);

	return err || info.state == 'S' || info.state == 'D' ||
	       time_run(tracee->process, tracee->tid) - begun > (uint64_t)at->patience_ns;
}

// The next event; DEADLINE where nothing is to be hoped for any more, too.
static struct dc_error *wait_patiently(struct tracee *tracee, const struct rendezvous *at,
				       uint64_t begun, struct event *event)
{
	enum { SLICE_NS = 100 * 1000 * 1000 };

	for (;;) {
		int64_t slice = tracer_now() + SLICE_NS;
		bool is_last = !at->patience_ns || (at->deadline && at->deadline <= slice);
		struct dc_error *err = tracee_wait(tracee, is_last ? at->deadline : slice, event);

		if (err || event->kind != EVENT_DEADLINE || is_last ||
		    is_in_vain(tracee, at, begun))
			return err;
	}
}

// Until it stands there or something ends the waiting, which *event shows.
static struct dc_error *await(struct tracee *tracee, struct kernel_breakpoint *breakpoint,
			      const struct rendezvous *at, struct event *event)
{
	// From here on the breakpoint stands: what the thread ran before was no chance to come.
	uint64_t begun = at->patience_ns ? time_run(tracee->process, tracee->tid) : 0;

	for (;;) {
		struct dc_error *err = tracee_go_on(tracee, RESUME_RUN);

		if (!err)
			err = wait_patiently(tracee, at, begun, event);
		if (err || (event->kind != EVENT_SIGNAL && event->kind != EVENT_INTERRUPT) ||
		    has_arrived(breakpoint, event))
			return err;
		tracee->signo = event->kind == EVENT_SIGNAL ? event->signo : 0;
	}
}

static struct dc_error *meet(struct tracee *tracee, struct kernel_breakpoint *breakpoint,
			     const struct rendezvous *at, enum tracee_stop *ret)
{
	struct event event = { 0 };

	// While it runs it is not away from its work.
	if (!tracee->running)
		tracee->pause_ns += tracer_now() - tracee->since;

	struct dc_error *err = kernel_breakpoint_enable(breakpoint);

	if (!err)
		err = await(tracee, breakpoint, at, &event);

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
			   const struct rendezvous *at, enum tracee_stop *ret)
{
	struct kernel_breakpoint breakpoint;
	struct dc_error *err = prepare(tracee, tid, info, at->pc, &breakpoint);

	*ret = TRACEE_ENDED;
	if (err)
		return err;
	tracee_reset(tracee);
	err = tracee_follow(tracee, tid);
	if (!err)
		err = meet(tracee, &breakpoint, at, ret);
	else if (err->code == DC_TARGET_ENDED)
		dc_error_destroy(take_ptr(err));
	kernel_breakpoint_disarm(&breakpoint);
	return err;
}

struct dc_error *encounter_further(struct tracee *tracee, const struct thread_info *info,
				   const struct rendezvous *at, enum tracee_stop *ret)
{
	struct kernel_breakpoint breakpoint;
	struct dc_error *err = prepare(tracee, tracee->tid, info, at->pc, &breakpoint);

	if (err)
		return err;
	// A wait that it begins from here on has not lasted longer than we await it.
	tracee->awake_at = tracer_now();
	err = meet(tracee, &breakpoint, at, ret);
	kernel_breakpoint_disarm(&breakpoint);
	return err;
}
