// SPDX-License-Identifier: MIT
// Crashes, deadlines, ends of threads and processes, and callees that were left.
#include "debugger/inject/bare/aftermath.h"

#include "debugger/base/cleanup.h"
#include "debugger/target/memory.h"

#include <inttypes.h>
#include <string.h>
#include <sys/syscall.h>

// A copy of the callee's stack and registers, as far up as it may have used.
static struct dc_error *snapshot_callee(struct bare *bare, struct snapshot *ret)
{
	enum { COPY_MAX = 256 * 1024 };
	struct dc_error *err = registers_get(bare->tracee->tid, &ret->regs);

	ret->stack = NULL;
	if (err)
		return err;

	uint64_t start = ret->regs.rsp - RED_ZONE;
	uint64_t size = bare->callee_stack - start;

	if (ret->regs.rsp > bare->callee_stack || size > COPY_MAX)
		size = COPY_MAX;
	ret->stack = malloc(size);
	if (!ret->stack)
		return &dc_out_of_memory;
	ret->stack_start = start;
	ret->stack_size = memory_read_some(bare->tracee->process, start, ret->stack, size);
	if (!ret->stack_size) {
		// An overflowed stack begins below its mapping.
		ret->stack_start = ret->regs.rsp;
		ret->stack_size = memory_read_some(bare->tracee->process, ret->regs.rsp, ret->stack,
						   size);
	}
	return NULL;
}

static void snapshot_free(struct snapshot *snapshot)
{
	free(snapshot->stack);
}

// Has the thread left the callee without returning? Then it runs its own program, and undoing would
// rewind it.
static bool has_left(struct bare *bare, const struct snapshot *snapshot)
{
	uint64_t slot = bare->callee_stack - 8, value;
	uint64_t pc = snapshot->regs.rip;

	if (pad_covers_code(bare->pad, pc))
		return false;
	// Stack pointers in other places prove nothing: the callee may have switched stacks.
	if (snapshot->regs.rsp > slot && snapshot->regs.rsp < bare_wait_stack(bare).high)
		return true;
	if (memory_read_some(bare->tracee->process, slot, &value, sizeof(value)) != sizeof(value) ||
	    value != pad_address(bare->pad, pad_return))
		return true;
	if (!bare->unwind)
		return false;

	// The slot may be intact by chance: a stale word in the frame of a function that runs now.
	_cleanup_free_ struct unwound *frames = calloc(UNWIND_MAX, sizeof(*frames));
	size_t n = 0;
	bool complete = false;

	if (!frames)
		return false;

	struct dc_error *err = unwind_walk(bare->unwind, snapshot, frames, UNWIND_MAX, &n,
					   &complete);

	if (err) {
		dc_error_destroy(err);
		return false;
	}
	for (size_t i = 0; i < n; i++)
		if (pad_covers_code(bare->pad, frames[i].frame.pc))
			return false;
	// A walk that was cut short (deep recursion, no unwind tables) proves nothing.
	return complete;
}

bool aftermath_has_left(struct bare *bare)
{
	_cleanup_(snapshot_free) struct snapshot snapshot = { 0 };
	_cleanup_error_ struct dc_error *err = snapshot_callee(bare, &snapshot);

	return !err && has_left(bare, &snapshot);
}

static struct dc_error *with_frames(struct bare *bare, struct dc_error *err,
				    const struct snapshot *snapshot)
{
	if (!bare->unwind || !snapshot->stack || err == &dc_out_of_memory)
		return err;
	err->frames = unwind_describe(bare->unwind, snapshot, &err->nr_frames);
	// Below the callee lies our return stub, which is nobody's frame.
	for (size_t i = 0; i < err->nr_frames; i++) {
		if (pad_covers_code(bare->pad, err->frames[i].pc))
			err->nr_frames = i;
	}
	return err;
}

static struct dc_error *left(struct bare *bare, const char *name, struct dc_error *why)
{
	struct tracee *tracee = bare->tracee;
	uint64_t mask;

	// The mask is ours unless the jump brought its own.
	_cleanup_error_ struct dc_error *got = registers_get_mask(tracee->tid, &mask);

	if (!got && mask == bare_wait_mask(bare))
		dc_error_destroy(registers_set_mask(tracee->tid, tracee->mask));
	bare->pad->kept = true;
	dc_error_destroy(tracee_leave(tracee));
	dc_error_destroy(why);
	return error_in_state(
		error_make(DC_LEFT, "%s was left by a jump to the thread's own program", name),
		DC_STATE_AS_LEFT);
}

// Back to the caller context, whatever the callee was doing.
static struct dc_error *undo(struct bare *bare, const char *name, struct dc_error *why)
{
	struct tracee *tracee = bare->tracee;
	_cleanup_(snapshot_free) struct snapshot snapshot = { 0 };
	struct dc_error *err = snapshot_callee(bare, &snapshot);

	if (!err && has_left(bare, &snapshot))
		return left(bare, name, why);
	if (!err)
		err = tracee_restore(tracee);
	if (err) {
		bare->pad->kept = true;
		dc_error_destroy(tracee_leave(tracee));
		dc_error_destroy(why);
		return error_in_state(err, DC_STATE_IN_CALLEE);
	}
	if (tracee->restart_lost && restart_is_timed(&tracee->regs))
		error_note(why, "the wait that thread %d was in ends with EINTR", tracee->tid);

	enum dc_state state = tracee_state(tracee);

	// A signal for the program keeps what was sent with it only if it is delivered from this
	// stop.
	if (tracee->signo)
		dc_error_destroy(tracee_leave(tracee));
	return error_in_state(with_frames(bare, why, &snapshot), state);
}

static struct dc_error *crashed(struct bare *bare, const char *name, const struct wait *wait)
{
	const siginfo_t *info = &wait->event.info;
	bool has_addr = (bare_wait_faults() & signal_bit(wait->event.signo)) && info->si_code > 0 &&
			wait->event.signo != SIGSYS;
	struct dc_error *err;

	if (has_addr)
		err = error_make(DC_CRASHED, "%s crashed with SIG%s at address 0x%" PRIxPTR, name,
				 sigabbrev_np(wait->event.signo), (uintptr_t)info->si_addr);
	else
		err = error_make(DC_CRASHED, "%s ended with SIG%s", name,
				 sigabbrev_np(wait->event.signo) ?: "?");
	if (err != &dc_out_of_memory) {
		err->signo = wait->event.signo;
		err->addr = has_addr ? (uint64_t)(uintptr_t)info->si_addr : 0;
	}
	err = undo(bare, name, err);
	return err->code == DC_LEFT ? err : error_note(err, "locks that %s took stay taken", name);
}

static void duration(int64_t ns, char *text, size_t size)
{
	if (ns % 1000000000 == 0)
		snprintf(text, size, "%" PRId64 " s", ns / 1000000000);
	else
		snprintf(text, size, "%" PRId64 " ms", ns / 1000000);
}

static struct dc_error *overdue(struct bare *bare, const char *name, const struct wait *wait,
				bool cancelled, int64_t timeout_ns)
{
	struct tracee *tracee = bare->tracee;
	char time[32];
	struct dc_error *err;

	duration(timeout_ns, time, sizeof(time));
	err = cancelled ? error_make(DC_CANCELLED, "%s was cancelled", name)
			: error_make(DC_DEADLINE, "%s did not return within %s", name, time);
	if (wait->running) {
		// Asleep where no signal reaches it. It finds its way home without us.
		bare->pad->kept = true;
		tracee_forget(tracee);
		tracer_abandon(tracee->tracer);
		return error_in_state(err, DC_STATE_IN_CALLEE);
	}
	err = undo(bare, name, err);
	return err->code == DC_LEFT ? err : error_note(err, "locks that %s took stay taken", name);
}

static struct dc_error *ended(struct bare *bare, const char *name, const struct wait *wait,
			      enum outcome outcome)
{
	struct tracee *tracee = bare->tracee;
	struct process *process = tracee->process;
	pid_t tid = tracee->tid;

	if (outcome == OUTCOME_EXECED) {
		dc_error_destroy(tracee_leave(tracee));
		return error_in_state(error_make(DC_TARGET_EXECED,
						 "%s made process %d another program", name,
						 process->pid),
				      DC_STATE_EXECED);
	}

	int status = wait->event.status;
	bool thread_only = false;

	if (outcome == OUTCOME_EXITING) {
		status = (int)wait->event.message;
		thread_only = wait->event.syscall == SYS_exit;
		if (thread_only) {
			struct process_threads threads;
			struct dc_error *err = process_threads(process, &threads);

			if (!err) {
				thread_only = threads.n > 1;
				process_threads_deinit(&threads);
			}
			dc_error_destroy(err);
		}
		dc_error_destroy(tracee_leave(tracee));
	} else {
		uint64_t start;

		tracee_forget(tracee);
		thread_only = process_alive(process);
		// Another thread that executes a program ends all others, and the pad with the
		// memory.
		if (thread_only && memory_read_some(process, bare->pad->base, &start,
						    sizeof(start)) != sizeof(start))
			return error_in_state(error_make(DC_TARGET_EXECED,
							 "process %d became another program",
							 process->pid),
					      DC_STATE_EXECED);
	}
	if (thread_only) {
		bare->pad->kept = true;
		return error_in_state(error_make(DC_THREAD_ENDED, "%s ended thread %d", name, tid),
				      DC_STATE_RUNNING);
	}
	if (status & 0x7f)
		return error_in_state(
			error_make(DC_TARGET_ENDED, "process %d was ended by SIG%s in %s",
				   process->pid, sigabbrev_np(status & 0x7f) ?: "?", name),
			DC_STATE_ENDED);
	return error_in_state(error_make(DC_TARGET_ENDED, "%s ended process %d with status %d",
					 name, process->pid, status >> 8 & 0xff),
			      DC_STATE_ENDED);
}

struct dc_error *aftermath(struct bare *bare, const char *name, const struct wait *wait,
			   enum outcome outcome, int64_t timeout_ns)
{
	switch (outcome) {
	case OUTCOME_CRASHED: return crashed(bare, name, wait);
	case OUTCOME_OVERDUE:
	case OUTCOME_CANCELLED:
		return overdue(bare, name, wait, outcome == OUTCOME_CANCELLED, timeout_ns);
	default: return ended(bare, name, wait, outcome);
	}
}
