// SPDX-License-Identifier: MIT
// Crashes, deadlines and ends, as errors.
#include "debugger/inject/outcome.h"

#include "debugger/target/memory.h"
#include "debugger/target/signals.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

bool outcome_is_fault(const struct event *event)
{
	return event->kind == EVENT_SIGNAL && (SIGNALS_OF_FAULTS & SIGNAL_BIT(event->signo)) &&
	       event->info.si_code > 0;
}

enum disposition outcome_disposition(const struct tracee *tracee, int signo)
{
	struct thread_info info;
	struct dc_error *err = process_thread_info(tracee->process, tracee->tid, &info);

	dc_error_destroy(err);
	if (!err && info.sig_caught & SIGNAL_BIT(signo))
		return DISPOSITION_CAUGHT;
	return !err && info.sig_ignored & SIGNAL_BIT(signo) ? DISPOSITION_IGNORED
							    : DISPOSITION_DEFAULT;
}

bool outcome_is_crash(const struct crash_rules *rules, const struct tracee *tracee,
		      const struct event *event)
{
	const siginfo_t *info = &event->info;
	bool is_own = (info->si_code == SI_TKILL || info->si_code == SI_USER) &&
		      info->si_pid == rules->inner_pid;

	if (!outcome_is_fault(event) && !is_own)
		return false;
	if (!signal_is_fatal(event->signo))
		return false;

	enum disposition disposition = outcome_disposition(tracee, event->signo);
	bool is_handled = disposition == DISPOSITION_CAUGHT;

	// Sent, it does nothing, but that abort() would insist; a fault does not let itself be
	// ignored.
	if (disposition == DISPOSITION_IGNORED && !outcome_is_fault(event) &&
	    event->signo != SIGABRT)
		return false;
	if (is_handled && (rules->passed & SIGNAL_BIT(event->signo)))
		return outcome_is_fault(event) &&
		       event->pc - rules->fatal_start < rules->fatal_end - rules->fatal_start;
	// Filters that emulate system calls live by this one.
	if (is_handled && event->signo == SIGSYS)
		return false;
	// A handler for any other signal that the callee raises is part of the callee.
	return outcome_is_fault(event) || event->signo == SIGABRT || !is_handled;
}

struct dc_error *outcome_crashed(const char *name, const struct event *event)
{
	bool has_addr = outcome_is_fault(event) && event->signo != SIGSYS;
	uintptr_t addr = (uintptr_t)event->info.si_addr;
	struct dc_error *err;

	if (has_addr)
		err = error_make(DC_CRASHED, "%s crashed with SIG%s at address 0x%" PRIxPTR, name,
				 sigabbrev_np(event->signo), addr);
	else
		err = error_make(DC_CRASHED, "%s ended with SIG%s", name,
				 sigabbrev_np(event->signo) ?: "?");
	if (err != &dc_out_of_memory) {
		err->signo = event->signo;
		err->addr = has_addr ? addr : 0;
	}
	return err;
}

struct dc_error *outcome_overdue(const char *name, const char *what, int64_t timeout_ns,
				 bool cancelled)
{
	enum { SECOND_NS = 1000 * 1000 * 1000, MILLISECOND_NS = 1000 * 1000 };

	if (cancelled)
		return error_make(DC_CANCELLED, "%s was cancelled", name);
	if (timeout_ns % SECOND_NS == 0)
		return error_make(DC_DEADLINE, "%s %s within %" PRId64 " s", name, what,
				  timeout_ns / SECOND_NS);
	return error_make(DC_DEADLINE, "%s %s within %" PRId64 " ms", name, what,
			  timeout_ns / MILLISECOND_NS);
}

struct dc_error *outcome_changed(const struct process *process, const char *what)
{
	return error_in_state(error_make(DC_CHANGED, "process %d %s before anything was called",
					 process->pid, what),
			      DC_STATE_RUNNING);
}

struct dc_error *outcome_execed(const struct process *process)
{
	return error_in_state(
		error_make(DC_TARGET_EXECED, "process %d became another program", process->pid),
		DC_STATE_EXECED);
}

struct dc_error *outcome_ended(const struct process *process, const char *name, pid_t tid,
			       const struct event *event, bool thread_only)
{
	enum { SIGNAL = 0x7f, STATUS = 0xff, STATUS_SHIFT = 8 };
	int status = event->kind == EVENT_EXIT ? (int)event->message : event->status;

	if (thread_only)
		return error_in_state(error_make(DC_THREAD_ENDED, "%s ended thread %d", name, tid),
				      DC_STATE_RUNNING);
	if (status & SIGNAL)
		return error_in_state(
			error_make(DC_TARGET_ENDED, "process %d was ended by SIG%s in %s",
				   process->pid, sigabbrev_np(status & SIGNAL) ?: "?", name),
			DC_STATE_ENDED);
	return error_in_state(error_make(DC_TARGET_ENDED, "%s ended process %d with status %d",
					 name, process->pid, status >> STATUS_SHIFT & STATUS),
			      DC_STATE_ENDED);
}

struct dc_error *outcome_note_locks(struct dc_error *err, const char *name)
{
	return error_note(err, "locks that %s took stay taken", name);
}

struct dc_error *outcome_snapshot(const struct tracee *tracee, uint64_t high, struct snapshot *ret)
{
	enum { COPY_MAX = 256 * 1024 };
	struct dc_error *err = registers_get(tracee->tid, &ret->regs);
	uint64_t sp = registers_sp(&ret->regs), size = high - (sp - RED_ZONE);

	ret->stack = NULL;
	if (err)
		return err;
	if (sp > high || size > COPY_MAX)
		size = COPY_MAX;
	ret->stack = malloc(size);
	if (!ret->stack)
		return &dc_out_of_memory;
	ret->stack_start = sp - RED_ZONE;
	ret->stack_size = memory_read_some(tracee->process, ret->stack_start, ret->stack, size);
	if (!ret->stack_size) {
		// An overflowed stack begins below its mapping.
		ret->stack_start = sp;
		ret->stack_size = memory_read_some(tracee->process, sp, ret->stack, size);
	}
	return NULL;
}

void snapshot_deinit(struct snapshot *snapshot)
{
	free(snapshot->stack);
	snapshot->stack = NULL;
}

void outcome_add_frames(struct dc_error *err, struct unwind *unwind,
			const struct snapshot *snapshot, const struct frame_limit *limit)
{
	if (!unwind || !snapshot->stack_size || err == &dc_out_of_memory)
		return;
	err->frames = unwind_describe(unwind, snapshot, &err->nr_frames);
	for (size_t i = 0; i < err->nr_frames; i++)
		if (frame_is_limit(limit, err->frames[i].pc))
			err->nr_frames = i;
}
