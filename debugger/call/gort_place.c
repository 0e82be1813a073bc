// SPDX-License-Identifier: MIT
// Which threads a runtime's host can be entered on: seen from outside first, so that few are stopped in
// vain, and judged again at the stop.
#include "debugger/call/goroutines.h"
#include "debugger/call/gort.h"
#include "debugger/cleanup.h"
#include "protocol/debugcall.h"

struct dc_error *gort_init(struct gort *gort, const struct debugcall_descriptor *descriptor,
			   struct hold *hold, struct symbols *symbols, struct unwind *unwind)
{
	*gort = (struct gort){
		.descriptor = descriptor, .hold = hold, .symbols = symbols, .unwind = unwind
	};
	gort->xstate = malloc(XSTATE_ROOM);
	gort->xstate_ready = malloc(XSTATE_ROOM);
	if (gort->xstate && gort->xstate_ready)
		return NULL;
	gort_deinit(gort);
	return &dc_out_of_memory;
}

void gort_deinit(struct gort *gort)
{
	free(gort->xstate);
	free(gort->xstate_ready);
	*gort = (struct gort){ 0 };
}

static bool is_idle_place(const struct gort *gort, uint64_t pc)
{
	const struct debugcall_descriptor *d = gort->descriptor;

	return d->idle_entry && pc >= d->idle_start && pc < d->idle_end;
}

bool gort_is_worth(const struct gort *gort, const struct thread_info *info, char *reason,
		   size_t size)
{
	_cleanup_(machines_deinit) struct machines machines = { 0 };
	_cleanup_error_ struct dc_error *err = machines_read(gort->hold->process, gort->descriptor,
							     &machines);
	const struct machine *machine = err ? NULL : machines_with(&machines, info->inner_tid);
	const char *why = NULL;

	if (err) {
		snprintf(reason, size, "%s", err->message);
		return false;
	}
	if (!machine)
		why = "is no thread of the runtime";
	else if (!machine->current && info->in_syscall && is_idle_place(gort, info->pc))
		why = gort->avoid_idle ? "is idle for want of a P" : NULL;
	else if (!machine->current)
		why = "runs no goroutine";
	else if (machine->in_runtime)
		why = "is in the runtime";
	else if (info->in_syscall)
		why = "is in a system call";
	else if (info->state == 'T')
		why = "is stopped by job control";
	if (why)
		snprintf(reason, size, "thread %d %s", info->inner_tid, why);
	return !why;
}

static const char *judge(struct gort *gort, pid_t tid, struct dc_error **err)
{
	const struct debugcall_descriptor *d = gort->descriptor;
	const struct hold *hold = gort->hold;
	_cleanup_(machines_deinit) struct machines machines = { 0 };
	const struct machine *machine;
	struct goroutine g;

	gort->is_idle = false;
	if (hold->group_stopped)
		return "is stopped by job control";
	*err = machines_read(hold->process, d, &machines);
	if (*err)
		return NULL;
	machine = machines_with(&machines, tid);
	if (!machine)
		return "is no thread of the runtime";
	gort->machine = machine->addr;
	// Woken already, it has work.
	if (!machine->current && is_idle_place(gort, hold->regs.rip) &&
	    (int64_t)hold->regs.orig_rax >= 0 && (int64_t)hold->regs.rax < 0) {
		gort->is_idle = true;
		return NULL;
	}
	// A system call that was interrupted would have to be begun anew behind the host's back.
	if ((int64_t)hold->regs.orig_rax >= 0)
		return "is in a system call";
	if (gort_in_runtime(gort, hold->regs.rip))
		return "is in the runtime";
	if (!machine->current)
		return "runs no goroutine";
	if (machine->in_runtime)
		return "is in the runtime";
	*err = goroutine_read(hold->process, d, machine->current, &g);
	if (*err)
		return NULL;
	if (hold->regs.rsp <= g.stack_low || hold->regs.rsp > g.stack_high)
		return "is not on its goroutine's stack";
	if (hold->regs.rsp - g.stack_low < DEBUGCALL_RED_ZONE + DEBUGCALL_STACK_ROOM)
		return "has too little stack left";
	return NULL;
}

bool gort_suits(struct gort *gort, const struct thread_info *info, char *reason, size_t size)
{
	_cleanup_error_ struct dc_error *err = NULL;
	const char *why = judge(gort, info->inner_tid, &err);

	gort->info = *info;
	if (err)
		snprintf(reason, size, "%s", err->message);
	else if (why)
		snprintf(reason, size, "thread %d %s", gort->hold->tid, why);
	return !err && !why;
}
