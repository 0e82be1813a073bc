// SPDX-License-Identifier: MIT
// Stopping all the other threads, and letting them go with what they were about to receive.
#include "debugger/inject/all_stop.h"

#include "debugger/base/cleanup.h"

#include <sys/ptrace.h>

static struct dc_error *add(struct all_stop *all, struct tracee *tracee)
{
	if (all->n == all->room) {
		size_t room = all->room ? all->room * 2 : 32;
		struct tracee **grown = realloc(all->tracees, room * sizeof(*grown));

		if (!grown)
			return &dc_out_of_memory;
		all->tracees = grown;
		all->room = room;
	}
	all->tracees[all->n++] = tracee;
	return NULL;
}

static struct dc_error *seize(struct all_stop *all, pid_t tid)
{
	struct tracee *tracee = calloc(1, sizeof(*tracee));
	struct dc_error *err;

	if (!tracee)
		return &dc_out_of_memory;
	tracee->tracer = all->borrowed->tracer;
	tracee->process = all->borrowed->process;
	tracee->options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC;
	tracee->leaves_signals = true;
	err = tracee_seize(tracee, tid);
	if (!err)
		err = add(all, tracee);
	if (!err)
		return NULL;
	tracee_deinit(tracee);
	free(tracee);
	if (err->code != DC_TARGET_ENDED)
		return err;
	dc_error_destroy(err);
	return NULL;
}

static struct dc_error *execed(const struct all_stop *all)
{
	return error_in_state(error_make(DC_TARGET_EXECED, "process %d became another program",
					 all->borrowed->process->pid),
			      DC_STATE_EXECED);
}

// The first stop of a thread that is seized and interrupted, or was born traced.
static struct dc_error *take(struct all_stop *all, struct tracee *tracee)
{
	struct event event;
	struct user_regs_struct regs;
	struct dc_error *err = tracee_wait_stop(tracee, &event);

	if (err)
		return err;
	switch (event.kind) {
	case EVENT_DEADLINE:
		tracer_abandon(tracee->tracer);
		return error_make(DC_REFUSED, "thread %d cannot be stopped", tracee->tid);
	case EVENT_EXEC: return execed(all);
	case EVENT_SIGNAL: tracee->signo = event.signo; return NULL;
	case EVENT_EXIT: return tracee_resume(tracee, RESUME_RUN, 0);
	case EVENT_INTERRUPT:
		err = registers_get(tracee->tid, &regs);
		return err ? err : tracee_renew_wait(tracee, &regs);
	default: return NULL;
	}
}

// Those that are new since the last look; all are asked to stop before the first is waited for.
static struct dc_error *one_pass(struct all_stop *all)
{
	_cleanup_(process_threads_deinit) struct process_threads threads = { 0 };
	struct dc_error *err = process_threads(all->borrowed->process, &threads);
	size_t before = all->n;

	for (size_t i = 0; !err && i < threads.n; i++)
		if (!events_find(tracer_events(all->borrowed->tracer), threads.tids[i]))
			err = seize(all, threads.tids[i]);
	for (size_t i = before; !err && i < all->n; i++)
		err = take(all, all->tracees[i]);
	return err;
}

static struct dc_error *run_stop(void *arg)
{
	struct all_stop *all = arg;
	struct tracee *borrowed = all->borrowed;
	struct dc_error *err;
	size_t before;

	// A thread that still runs may create another: until a look finds no new one.
	do {
		before = all->n;
		err = one_pass(all);
	} while (!err && all->n != before);
	if (err || !events_is_lost(tracer_events(borrowed->tracer), borrowed))
		return err;
	if (process_alive(borrowed->process))
		return execed(all);
	return error_in_state(
		error_make(DC_TARGET_ENDED, "process %d has ended", borrowed->process->pid),
		DC_STATE_ENDED);
}

struct dc_error *all_stop_stop(struct all_stop *all, struct tracee *borrowed)
{
	*all = (struct all_stop){ .borrowed = borrowed };
	return tracer_run(borrowed->tracer, run_stop, all);
}

// A thread that the callee created was born stopped, and is ours even if nobody has seen it yet.
static struct dc_error *take_newborn(struct all_stop *all, pid_t tid)
{
	struct events *events = tracer_events(all->borrowed->tracer);
	struct tracee *tracee = events_find(events, tid);
	struct thread_info info;
	struct dc_error *err = process_thread_info(all->borrowed->process, tid, &info);

	if (err || info.tracer != gettid() || (tracee && !tracee->is_newborn))
		return err;
	if (!tracee) {
		tracee = calloc(1, sizeof(*tracee));
		if (!tracee)
			return &dc_out_of_memory;
		tracee->tid = tid;
		events_add(events, tracee);
	}
	tracee->is_newborn = false;
	tracee->leaves_signals = true;
	tracee->tracer = all->borrowed->tracer;
	tracee->process = all->borrowed->process;
	err = add(all, tracee);
	return err ? err : take(all, tracee);
}

static void take_newborns(struct all_stop *all)
{
	_cleanup_(process_threads_deinit) struct process_threads threads = { 0 };
	_cleanup_error_ struct dc_error *err = process_threads(all->borrowed->process, &threads);

	for (size_t i = 0; !err && i < threads.n; i++)
		dc_error_destroy(take_newborn(all, threads.tids[i]));
}

static struct dc_error *run_release(void *arg)
{
	struct all_stop *all = arg;
	struct dc_error *first = NULL;

	take_newborns(all);
	for (size_t i = 0; i < all->n; i++) {
		struct tracee *tracee = all->tracees[i];
		struct dc_error *err = tracee->is_known ? tracee_leave(tracee) : NULL;

		// It was killed while it was stopped, or went with the tracer thread.
		if (err && err->code != DC_TARGET_ENDED && !first)
			first = err;
		else
			dc_error_destroy(err);
		free(tracee);
	}
	all->n = 0;
	return first;
}

struct dc_error *all_stop_release(struct all_stop *all)
{
	return all->borrowed ? tracer_run(all->borrowed->tracer, run_release, all) : NULL;
}

void all_stop_deinit(struct all_stop *all)
{
	free(all->tracees);
	*all = (struct all_stop){ 0 };
}
