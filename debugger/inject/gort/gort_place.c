// SPDX-License-Identifier: MIT
// Which threads a runtime's host can be entered on: seen from outside first, so that few are
// stopped in vain, and judged again at the stop.
#include "debugger/stack/goroutines/goroutines.h"
#include "debugger/inject/gort/gort.h"
#include "debugger/base/cleanup.h"
#include "debugger/target/memory.h"
#include "protocol/debugcall.h"

#include <inttypes.h>

bool gort_is_idle_place(const struct gort *gort, uint64_t pc)
{
	const struct debugcall_descriptor *d = gort->descriptor;

	return d->idle_entry && pc >= d->idle_start && pc < d->idle_end;
}

static bool is_attend_place(const struct gort *gort, uint64_t pc)
{
	const struct debugcall_descriptor *d = gort->descriptor;

	return (gort->goroutine || gort->asked_ns) && pc >= d->attend_start && pc < d->attend_end;
}

// ---- one goroutine --------------------------------------------------------------------------------

static uint64_t wanted(const struct gort *gort)
{
	uint64_t id = 0;

	if (gort->descriptor->wanted)
		memory_read_some(gort->tracee->process, gort->descriptor->wanted, &id, sizeof(id));
	return id;
}

struct dc_error *gort_ask(struct gort *gort)
{
	const struct debugcall_descriptor *d = gort->descriptor;
	struct process *process = gort->tracee->process;
	struct goroutine g;
	struct dc_error *err;

	if (gort->goroutine_addr) {
		err = goroutine_read(process, d, gort->goroutine_addr, &g);
		if (err)
			return err;
		if (g.id != gort->goroutine || g.status == d->status_dead)
			return error_make(DC_REFUSED, "goroutine %" PRIu64 " has ended",
					  gort->goroutine);
	} else {
		err = goroutine_find(process, d, gort->goroutine, &gort->goroutine_addr);
		if (err)
			return err;
		if (!gort->goroutine_addr)
			return error_make(DC_REFUSED,
					  "process %d has no goroutine %" PRIu64
					  "; --goroutines lists what it has",
					  process->pid, gort->goroutine);
	}
	if (!d->wanted || wanted(gort))
		return NULL;
	return memory_write(process, d->wanted, &gort->goroutine, sizeof(gort->goroutine));
}

void gort_unask(struct gort *gort)
{
	uint64_t none = 0;

	if (gort->descriptor->wanted && wanted(gort) == gort->goroutine)
		dc_error_destroy(memory_write(gort->tracee->process, gort->descriptor->wanted,
					      &none, sizeof(none)));
}

struct dc_error *gort_explain(struct gort *gort, struct dc_error *refusal)
{
	const struct debugcall_descriptor *d = gort->descriptor;
	struct process *process = gort->tracee->process;
	struct goroutine g;
	struct dc_error *err;
	char status[32], reason[32];

	if (!gort->goroutine_addr)
		return refusal;
	err = goroutine_read(process, d, gort->goroutine_addr, &g);
	if (err || g.id != gort->goroutine) {
		dc_error_destroy(err);
		return refusal;
	}
	goroutine_word(process, d->statuses, d->nr_statuses, g.status, status, sizeof(status));
	goroutine_word(process, d->wait_reasons, d->nr_wait_reasons, g.wait_reason, reason,
		       sizeof(reason));
	if (g.waited_ns < 0)
		return error_note(refusal, "goroutine %" PRIu64 " is %s", g.id, status);
	return error_note(refusal, "goroutine %" PRIu64 " is %s (%s) since %.3g s", g.id, status,
			  reason, (double)g.waited_ns / 1e9);
}

// ---- any goroutine --------------------------------------------------------------------------------

// As long as one that was asked may take to come, no other is.
static bool may_ask(const struct gort *gort)
{
	enum { PATIENCE_NS = 20 * 1000 * 1000 };

	return gort->descriptor->m_attend && !gort->goroutine &&
	       tracer_now() - gort->asked_ns > PATIENCE_NS;
}

// The thread is held, in the runtime, where goroutines that do little else are nearly always met: the
// next that enters the runtime on it waits for us.
static void ask_to_wait(struct gort *gort)
{
	const struct debugcall_descriptor *d = gort->descriptor;
	struct process *process = gort->tracee->process;
	uint64_t addr = gort->machine + d->m_attend;
	uint32_t word = 1;

	if (!may_ask(gort) || memory_read_some(process, addr, &word, sizeof(word)) < sizeof(word) ||
	    word)
		return;
	dc_error_destroy(memory_write(process, addr, &d->attend_asked, sizeof(d->attend_asked)));
	gort->asked_ns = tracer_now();
}

// ---- a thread ---------------------------------------------------------------------------------------

static const char *unworthy(const struct gort *gort, const struct machine *machine,
			    const struct thread_info *info)
{
	if (!machine)
		return "is no thread of the runtime";
	if (!machine->current && info->in_syscall && gort_is_idle_place(gort, info->pc))
		return gort->avoid_idle ? "is idle for want of a P" : NULL;
	if (!machine->current)
		return "runs no goroutine";
	if (machine->in_runtime)
		return info->state == 'R' && !info->in_syscall && may_ask(gort)
			       ? NULL
			       : "is in the runtime";
	if (info->in_syscall && is_attend_place(gort, info->pc))
		return NULL;
	if (info->in_syscall)
		return "is in a system call";
	return info->state == 'T' ? "is stopped by job control" : NULL;
}

bool gort_is_worth(struct gort *gort, const struct thread_info *info, char *reason, size_t size)
{
	_cleanup_(machines_deinit) struct machines machines = { 0 };
	_cleanup_error_ struct dc_error *err = machines_read(gort->tracee->process,
							     gort->descriptor, &machines);
	const struct machine *machine = err ? NULL : machines_with(&machines, info->inner_tid);
	const char *why;

	if (err) {
		snprintf(reason, size, "%s", err->message);
		return false;
	}
	// Of a thread that has nothing to do with the goroutine that is wanted there is nothing to
	// tell.
	if (gort->goroutine && (!machine || machine->current != gort->goroutine_addr))
		return false;
	why = unworthy(gort, machine, info);
	if (why)
		snprintf(reason, size, "thread %d %s", info->inner_tid, why);
	else
		gort->machine = machine->addr;
	return !why;
}

static const char *judge_goroutine(struct gort *gort, uint64_t addr, struct dc_error **err)
{
	const struct tracee *tracee = gort->tracee;
	struct goroutine g;

	*err = goroutine_read(tracee->process, gort->descriptor, addr, &g);
	if (*err)
		return NULL;
	if (gort->goroutine && g.id != gort->goroutine)
		return "runs another goroutine";
	if (tracee->regs.rsp <= g.stack_low || tracee->regs.rsp > g.stack_high)
		return "is not on its goroutine's stack";
	if (tracee->regs.rsp - g.stack_low < DEBUGCALL_RED_ZONE + DEBUGCALL_STACK_ROOM)
		return "has too little stack left";
	return NULL;
}

static const char *judge(struct gort *gort, pid_t tid, struct dc_error **err)
{
	const struct debugcall_descriptor *d = gort->descriptor;
	const struct tracee *tracee = gort->tracee;
	struct machine machine;
	// Woken already, it has work.
	bool sleeps = (int64_t)tracee->regs.orig_rax >= 0 && (int64_t)tracee->regs.rax < 0;

	gort->place = GORT_IN_USER_CODE;
	if (tracee->group_stopped)
		return "is stopped by job control";
	// The one it was when it was found worth a stop; a thread changes it only by ending.
	*err = machine_read(tracee->process, d, gort->machine, &machine);
	if (*err)
		return NULL;
	if (machine.tid != tid)
		return "is no thread of the runtime";
	if (!machine.current && sleeps && !gort->goroutine &&
	    gort_is_idle_place(gort, tracee->regs.rip)) {
		gort->place = GORT_IDLE;
		return NULL;
	}
	if (machine.current && sleeps && is_attend_place(gort, tracee->regs.rip))
		gort->place = GORT_ATTENDS;
	// A system call that was interrupted would have to be begun anew behind the host's back.
	else if ((int64_t)tracee->regs.orig_rax >= 0)
		return "is in a system call";
	else if (machine.current && machine.in_runtime)
		ask_to_wait(gort);
	if (gort->place != GORT_ATTENDS && gort_in_runtime(gort, tracee->regs.rip))
		return "is in the runtime";
	if (!machine.current)
		return "runs no goroutine";
	if (machine.in_runtime)
		return "is in the runtime";
	return judge_goroutine(gort, machine.current, err);
}

bool gort_suits(struct gort *gort, const struct thread_info *info, char *reason, size_t size)
{
	_cleanup_error_ struct dc_error *err = NULL;
	const char *why = judge(gort, info->inner_tid, &err);

	gort->info = *info;
	if (err)
		snprintf(reason, size, "%s", err->message);
	else if (why)
		snprintf(reason, size, "thread %d %s", gort->tracee->tid, why);
	return !err && !why;
}
