// SPDX-License-Identifier: MIT
// Stopping one thread and giving it back. Whatever is written while it is stopped, the general
// registers come last: until then the thread would still go home by itself.
#include "debugger/inject/hold.h"

#include "debugger/target/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>

struct dc_error *hold_init(struct hold *hold, struct tracer *tracer, struct process *process,
			   const struct gadgets *gadgets)
{
	*hold = (struct hold){ .tracer = tracer, .process = process, .gadgets = gadgets };
	hold->xstate = malloc(XSTATE_ROOM);
	hold->xstate_found = malloc(XSTATE_ROOM);
	hold->way = malloc(sizeof(*hold->way));
	if (hold->xstate && hold->xstate_found && hold->way)
		return NULL;
	hold_deinit(hold);
	return &dc_out_of_memory;
}

void hold_deinit(struct hold *hold)
{
	free(hold->xstate);
	free(hold->xstate_found);
	free(hold->way);
	*hold = (struct hold){ 0 };
}

static struct dc_error *first_stop(struct hold *hold, pid_t tid, enum hold_stop *ret)
{
	struct tracer *tracer = hold->tracer;
	struct event event;
	struct dc_error *err = tracer_wait_stop(tracer, tid, &event);

	if (err)
		return err;
	switch (event.kind) {
	case EVENT_GROUP_STOP:
		hold->group_stopped = true;
		*ret = HOLD_STOPPED;
		return NULL;
	case EVENT_INTERRUPT: *ret = HOLD_STOPPED; return NULL;
	case EVENT_DEADLINE:
		// A thread that runs cannot be detached from, and this one never stops.
		tracer_abandon(tracer);
		*ret = HOLD_UNSTOPPABLE;
		return NULL;
	case EVENT_GONE: *ret = HOLD_ENDED; return NULL;
	case EVENT_EXIT: *ret = HOLD_ENDED; return tracer_detach(tracer, event.tid, 0);
	case EVENT_EXEC:
		*ret = HOLD_ENDED;
		err = tracer_detach(tracer, event.tid, 0);
		return err ? err
			   : error_in_state(error_make(DC_TARGET_EXECED,
						       "process %d became another program",
						       hold->process->pid),
					    DC_STATE_EXECED);
	default:
		// A signal on its way to a handler: the place where it is taken is no safe point.
		*ret = HOLD_BUSY;
		return tracer_detach(tracer, tid, event.kind == EVENT_SIGNAL ? event.signo : 0);
	}
}

static struct dc_error *refuse_modes(const struct hold *hold)
{
	if (!registers_are_64bit(&hold->regs))
		return error_make(DC_REFUSED, "thread %d runs 32-bit code", hold->tid);
	if (registers_has_shadow_stack(hold->tid))
		return error_make(DC_REFUSED, "thread %d has a shadow stack", hold->tid);
	if (registers_has_dispatch(hold->tid))
		return error_make(DC_REFUSED, "thread %d dispatches its system calls itself",
				  hold->tid);
	return NULL;
}

struct dc_error *hold_stop(struct hold *hold, pid_t tid, enum hold_stop *ret)
{
	unsigned long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXIT | PTRACE_O_TRACEEXEC |
				hold->options;
	struct dc_error *err = tracer_seize(hold->tracer, tid, options);

	if (err) {
		if (err->code != DC_TARGET_ENDED)
			return err;
		dc_error_destroy(err);
		*ret = HOLD_ENDED;
		return NULL;
	}
	hold->kept = hold->moved = hold->masked = hold->ran = false;
	hold->way_written = hold->restart_lost = hold->group_stopped = false;
	hold->signo = 0;
	hold->since = tracer_now();
	err = tracer_interrupt(hold->tracer, tid);
	if (!err)
		err = first_stop(hold, tid, ret);
	if (err || *ret != HOLD_STOPPED)
		return err;
	hold->tid = tid;
	err = registers_get(tid, &hold->regs);
	hold->found = hold->regs;
	hold->home_top = registers_sp(&hold->regs) - RED_ZONE;
	return err ? err : refuse_modes(hold);
}

struct dc_error *hold_keep(struct hold *hold)
{
	struct dc_error *err = registers_get_xstate(hold->tid, hold->xstate, &hold->xstate_size);

	if (!err)
		err = registers_get_mask(hold->tid, &hold->mask);
	if (err)
		return err;
	memcpy(hold->xstate_found, hold->xstate, hold->xstate_size);
	hold->kept = true;
	return NULL;
}

// The caller context may be changed between two calls, by an assignment to a register.
static bool context_changed(const struct hold *hold)
{
	return memcmp(&hold->regs, &hold->found, sizeof(hold->regs)) != 0 ||
	       memcmp(hold->xstate, hold->xstate_found, hold->xstate_size) != 0;
}

// The registers with which the thread really goes on.
static struct user_regs_struct caller_context(const struct hold *hold)
{
	struct user_regs_struct regs = hold->regs;

	if (registers_pc(&regs) != registers_pc(&hold->found) ||
	    registers_result(&regs) != registers_result(&hold->found))
		// Somebody sent it elsewhere, or gave the system call a result.
		registers_forget_syscall(&regs);
	else if (hold->restart_lost && restart_is_timed(&regs))
		restart_never(&regs);
	return regs;
}

struct dc_error *hold_write_home(struct hold *hold)
{
	bool changed = context_changed(hold);

	if (hold->way_written && !changed)
		return NULL;

	struct user_regs_struct regs = caller_context(hold);
	struct dc_error *err = sigframe_build(&regs, hold->xstate, hold->xstate_size, hold->mask,
					      hold->gadgets, hold->home_top, hold->way);

	if (!err)
		err = memory_write(hold->process, hold->way->start, hold->way->bytes,
				   hold->way->size);
	hold->way_written = !err;
	return err;
}

struct dc_error *hold_syscall(struct hold *hold, const struct remote_syscall *call, int64_t *result)
{
	struct dc_error *err = hold_write_home(hold);

	if (err)
		return err;
	hold->moved = hold->masked = true;
	return remote_syscall(hold->tracer, hold->tid, hold->gadgets, &hold->regs, hold->way->start,
			      call, result);
}

struct dc_error *hold_restore(struct hold *hold)
{
	struct user_regs_struct regs = caller_context(hold);
	struct dc_error *err = NULL;

	if (hold->kept) {
		bool changed = context_changed(hold);

		if (hold->ran || changed)
			err = registers_set_xstate(hold->tid, hold->xstate, hold->xstate_size);
		if (!err && hold->masked)
			err = registers_set_mask(hold->tid, hold->mask);
		if (!err && (hold->moved || changed))
			err = registers_set(hold->tid, &regs);
	}
	if (!err)
		hold->ran = hold->masked = hold->moved = false;
	return err;
}

struct dc_error *hold_leave(struct hold *hold, int64_t *pause_ns)
{
	struct dc_error *err = tracer_detach(hold->tracer, hold->tid, hold->signo);

	hold_forget(hold, pause_ns);
	return err;
}

struct dc_error *hold_release(struct hold *hold, int64_t *pause_ns)
{
	struct dc_error *err = hold_restore(hold);

	if (err) {
		// Where it stands, it goes home by itself.
		dc_error_destroy(hold_leave(hold, pause_ns));
		return err;
	}
	return hold_leave(hold, pause_ns);
}

struct dc_error *hold_release_through(struct hold *hold, const struct remote_syscall *call,
				      int64_t *pause_ns)
{
	struct dc_error *err = hold_write_home(hold);

	if (!err) {
		struct user_regs_struct entry = remote_syscall_entry(hold->gadgets, &hold->regs,
								     hold->way->start, call);

		err = registers_set(hold->tid, &entry);
	}
	if (!err)
		return hold_leave(hold, pause_ns);
	dc_error_destroy(hold_release(hold, pause_ns));
	return err;
}

void hold_forget(struct hold *hold, int64_t *pause_ns)
{
	*pause_ns += tracer_now() - hold->since;
	hold->tid = 0;
}
