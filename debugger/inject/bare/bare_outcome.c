// SPDX-License-Identifier: MIT
// Crashes, deadlines, ends of threads and processes, and callees that were left.
#include "debugger/inject/bare/bare_outcome.h"

#include "debugger/base/cleanup.h"
#include "debugger/inject/bare/bare_chain.h"
#include "debugger/target/memory.h"
#include "debugger/target/signals.h"

#include <string.h>
#include <sys/syscall.h>

// Has the thread left the callee without returning? Then it runs its own program, and undoing would
// rewind it.
static bool has_left(struct bare *bare, const struct snapshot *snapshot)
{
	uint64_t slot = bare->callee_stack - 8, value;
	uint64_t pc = snapshot->regs.rip;

	if (frame_is_limit(&bare->ours, pc) || bare_chain_is_passing(bare, &snapshot->regs))
		return false;
	// Stack pointers in other places prove nothing: the callee may have switched stacks.
	if (snapshot->regs.rsp > slot && snapshot->regs.rsp < bare_wait_stack(bare).high)
		return true;
	if (memory_read_some(bare->tracee->process, slot, &value, sizeof(value)) != sizeof(value) ||
	    value != bare->returns_to)
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
		if (frame_is_limit(&bare->ours, frames[i].frame.pc))
			return false;
	// A walk that was cut short (deep recursion, no unwind tables) proves nothing.
	return complete;
}

bool bare_outcome_has_left(struct bare *bare)
{
	_cleanup_(snapshot_deinit) struct snapshot snapshot = { 0 };
	_cleanup_error_ struct dc_error *err = outcome_snapshot(bare->tracee, bare->callee_stack,
								&snapshot);

	return !err && has_left(bare, &snapshot);
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

// For a fault that the program ignores the kernel ends it, and before that takes the ignoring back
// for the whole process (kernel/signal.c: force_sig_info_to_task). The thread puts it back with its
// next system call, from which it would go home alone: if we die before, it faults again and ends
// the program, as any fault in a callee does then; if we die after, nothing is missing.
// *done false: the target may not.
static struct dc_error *ignore_again(struct tracee *tracee, int signo, bool *done)
{
	enum { TRIES = 2 };
	// What the kernel calls struct sigaction; of the old one only the handler was changed.
	struct action {
		uint64_t handler, flags, restorer, mask;
	} action = { .handler = (uint64_t)(uintptr_t)SIG_IGN }, old;
	struct dc_error *err = tracee_restore_errno(tracee) ?: tracee_write_home(tracee);
	uint64_t room = tracee->way->start - RED_ZONE - 2 * sizeof(action);
	const struct remote_syscall call = { SYS_rt_sigaction,
					     { (uint64_t)signo, room, room + sizeof(action),
					       sizeof(action.mask) } };

	// Not by a chain, which would lie where the structures do.
	tracee->moved = tracee->masked = *done = true;
	for (int i = 0; i < TRIES && !err && *done; i++) {
		int64_t result = 0;

		err = memory_write(tracee->process, room, &action, sizeof(action));
		if (!err)
			err = remote_syscall(tracee, &call, &result);
		*done = !result;
		if (!err && *done)
			err = memory_read(tracee->process, room + sizeof(action), &old,
					  sizeof(old));
		if (err || !(old.flags | old.mask))
			break;
		action = old;
		action.handler = (uint64_t)(uintptr_t)SIG_IGN;
	}
	return err;
}

// Back to the caller context, whatever the callee was doing. ignored: a signal that the program
// ignored until now; 0: none.
static struct dc_error *undo(struct bare *bare, const char *name, struct dc_error *why, int ignored)
{
	struct tracee *tracee = bare->tracee;
	_cleanup_(snapshot_deinit) struct snapshot snapshot = { 0 };
	struct dc_error *err = outcome_snapshot(bare->tracee, bare->callee_stack, &snapshot);

	if (!err && has_left(bare, &snapshot))
		return left(bare, name, why);
	if (!err && ignored) {
		bool done;

		err = ignore_again(tracee, ignored, &done);
		if (!err && !done)
			error_note(why, "the program does not ignore SIG%s any more",
				   sigabbrev_np(ignored));
	}
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
		dc_error_destroy(tracee_release(tracee));
	// Below the callee lies code of ours, which is nobody's frame.
	outcome_add_frames(why, bare->unwind, &snapshot, &bare->ours);
	return error_in_state(why, state);
}

// Undone, and said so.
static struct dc_error *given_up(struct bare *bare, const char *name, struct dc_error *why,
				 int ignored)
{
	struct dc_error *err = undo(bare, name, why, ignored);

	return err->code == DC_LEFT ? err : outcome_note_locks(err, name);
}

static struct dc_error *crashed(struct bare *bare, const char *name, const struct event *event)
{
	bool was_ignored = outcome_is_fault(event) &&
			   bare->loan->info.sig_ignored & SIGNAL_BIT(event->signo) &&
			   outcome_disposition(bare->tracee, event->signo) == DISPOSITION_DEFAULT;

	return given_up(bare, name, outcome_crashed(name, event), was_ignored ? event->signo : 0);
}

static struct dc_error *overdue(struct bare *bare, const char *name, bool cancelled,
				int64_t timeout_ns)
{
	struct tracee *tracee = bare->tracee;
	struct dc_error *err = outcome_overdue(name, "did not return", timeout_ns, cancelled);

	if (!tracee->running)
		return given_up(bare, name, err, 0);
	// Asleep where no signal reaches it. It finds its way home without us.
	bare->pad->kept = true;
	tracee_forget(tracee);
	tracer_abandon(tracee->tracer);
	return error_in_state(err, DC_STATE_IN_CALLEE);
}

// Its exit stop: does the process go on without it?
static bool ends_alone(const struct process *process, const struct event *event)
{
	struct process_threads threads;
	struct dc_error *err;
	bool alone;

	if (event->syscall != SYS_exit)
		return false;
	err = process_threads(process, &threads);
	if (err) {
		dc_error_destroy(err);
		return true;
	}
	alone = threads.n > 1;
	process_threads_deinit(&threads);
	return alone;
}

static struct dc_error *ended(struct bare *bare, const char *name, const struct event *event)
{
	struct tracee *tracee = bare->tracee;
	struct process *process = tracee->process;
	pid_t tid = tracee->tid;
	bool thread_only;

	if (event->kind == EVENT_EXEC) {
		dc_error_destroy(tracee_leave(tracee));
		return outcome_execed(process);
	}
	if (event->kind == EVENT_EXIT) {
		thread_only = ends_alone(process, event);
		dc_error_destroy(tracee_leave(tracee));
	} else {
		thread_only = process_alive(process);
		tracee_forget(tracee);
		// Another thread that executes a program ends all others, and the memory.
		if (thread_only && memory_is_gone(process))
			return outcome_execed(process);
	}
	bare->pad->kept |= thread_only;
	return outcome_ended(process, name, tid, event, thread_only);
}

struct dc_error *bare_outcome(struct bare *bare, const struct request *request,
			      const struct event *event, enum outcome outcome)
{
	const char *name = request->name;

	switch (outcome) {
	case OUTCOME_CRASHED: return crashed(bare, name, event);
	case OUTCOME_TERMINATED:
		return given_up(bare, name,
				error_make(DC_CRASHED, "%s ended in std::terminate", name), 0);
	case OUTCOME_OVERDUE:
	case OUTCOME_CANCELLED:
		return overdue(bare, name, outcome == OUTCOME_CANCELLED, request->timeout_ns);
	default: return ended(bare, name, event);
	}
}
