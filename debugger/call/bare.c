// SPDX-License-Identifier: MIT
// The conversation with the landing pad: enter, wait, tell a handshake from everything else, undo.
#include "debugger/call/bare.h"

#include "debugger/cleanup.h"
#include "debugger/target/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>

static uint64_t bit(int signo)
{
	return UINT64_C(1) << (signo - 1);
}

// Forced on a thread that blocks them, they would reset their handlers for the whole process.
static uint64_t faults(void)
{
	return bit(SIGSEGV) | bit(SIGBUS) | bit(SIGFPE) | bit(SIGILL) | bit(SIGTRAP) | bit(SIGSYS);
}

// The C library cancels threads and changes ids of all threads by these: another thread waits.
static uint64_t library_signals(void)
{
	return bit(32) | bit(33);
}

int bare_choose_handshake(uint64_t caught, uint64_t blocked, uint64_t pending)
{
	// SIGCONT would end a stop that is on its way.
	static const int candidates[] = { SIGURG, SIGWINCH, SIGCHLD };

	for (size_t i = 0; i < sizeof(candidates) / sizeof(*candidates); i++)
		if (!((caught | blocked | pending) & bit(candidates[i])))
			return candidates[i];
	// One that the thread blocks may be waited for elsewhere: ours must not be taken for it.
	return 0;
}

static uint64_t conversation_mask(const struct bare *bare)
{
	uint64_t mask = bare->hold_signals ? ~library_signals() : bare->hold->mask;

	mask &= ~faults();
	return bare->handshake ? mask & ~bit(bare->handshake) : mask;
}

bool bare_has_own_stack(const struct bare *bare)
{
	enum { OWN_STACK_MIN = 256 * 1024 };

	return bare->room.low && bare->hold->found.rsp > bare->room.low + OWN_STACK_MIN;
}

static struct dc_error *place_stack(struct bare *bare, const struct abi_entry *entry,
				    uint64_t *stack)
{
	enum { ALIGN_MAX = 64 };
	struct hold *hold = bare->hold;
	uint64_t top;

	if (entry->stack_size > PAD_ARGUMENTS_SIZE)
		return error_make(DC_REFUSED,
				  "%zu bytes of arguments are too many to pass by value",
				  entry->stack_size);
	if (entry->result_size > PAD_RESULT_SIZE)
		return error_make(DC_REFUSED, "a result of %" PRIu64 " bytes is too large",
				  entry->result_size);
	// Collectors scan from the stack pointer up, and want it to be in the thread's own stack.
	bare->on_pad_stack = !bare_has_own_stack(bare);
	top = hold->way->start;
	if (bare->on_pad_stack) {
		if (!bare->pad->stack.addr)
			return error_make(
				DC_REFUSED,
				"thread %d has no room on its stack and there is no other",
				hold->tid);
		top = bare->pad->stack.addr + bare->pad->stack.size;
	}
	*stack = (top - entry->stack_size) & ~(uint64_t)(ALIGN_MAX - 1);
	return NULL;
}

struct dc_error *bare_prepare(struct bare *bare, uint64_t addr, const struct abi_entry *entry,
			      uint64_t *result_addr)
{
	enum { LEGACY_MXCSR = 24, MXCSR_FLAGS = 0x3f };
	struct hold *hold = bare->hold;
	struct pad *pad = bare->pad;
	struct pad_data data = { .callee = addr, .al = entry->al, .vectors = bare->vectors };
	struct dc_error *err = hold_write_home(hold);

	if (!err)
		err = place_stack(bare, entry, &data.stack);
	if (err)
		return err;
	bare->callee_stack = data.stack;
	memcpy(data.general, entry->general, sizeof(data.general));
	*result_addr = 0;
	if (entry->result_size) {
		*result_addr = pad->base + PAD_RESULT;
		data.general[0] = *result_addr;
	}
	memcpy(data.vector_in, entry->vector, sizeof(data.vector_in));
	data.stack_bytes = (entry->stack_size + 7) & ~UINT64_C(7);
	// The thread's own rounding and masks, without the exceptions it has seen.
	memcpy(&data.fcw, hold->xstate, sizeof(data.fcw));
	memcpy(&data.mxcsr, hold->xstate + LEGACY_MXCSR, sizeof(data.mxcsr));
	data.mxcsr &= ~(uint32_t)MXCSR_FLAGS;
	data.mask = conversation_mask(bare);
	data.handshake = (uint64_t)bare->handshake;
	data.way_home = hold->way->context;
	if (!pad->ready) {
		const struct pad_mapping *literals = &pad->literals[0];

		data.setup_size = PAD_SIZE - PAD_DATA + literals->size;
		if (pad->may_name) {
			data.names[0] = (struct pad_name){ pad->base, PAD_SIZE };
			data.names[1] = (struct pad_name){ literals->addr, literals->size };
		}
	}
	err = memory_write(hold->process, pad->base + PAD_DATA, &data,
			   offsetof(struct pad_data, vector_out));
	if (!err && entry->stack_size)
		err = memory_write(hold->process, pad->base + PAD_ARGUMENTS, entry->stack,
				   entry->stack_size);
	return err;
}

// Why a wait for the callee ended.
enum outcome {
	OUTCOME_RETURNED,
	OUTCOME_CRASHED,
	OUTCOME_OVERDUE,
	OUTCOME_CANCELLED,
	OUTCOME_EXITING, // at its exit; the thread is detached from
	OUTCOME_GONE,
	OUTCOME_EXECED,
};

struct wait {
	struct event event;
	bool stopped; // the tracee is in a stop it can be steered from
	bool listening;
};

static bool is_handshake(const struct bare *bare, const struct event *event)
{
	if (event->pc != pad_address(bare->pad, pad_handshake))
		return false;
	if (!bare->handshake)
		return event->kind == EVENT_SYSCALL_EXIT;
	// A real one that came at the same place says so: it was not sent by the thread to itself.
	return event->kind == EVENT_SIGNAL && event->signo == bare->handshake &&
	       event->info.si_code == SI_TKILL && event->info.si_pid == bare->inner_pid;
}

static bool is_fatal_by_default(int signo)
{
	switch (signo) {
	case SIGCHLD:
	case SIGURG:
	case SIGWINCH:
	case SIGCONT:
	case SIGSTOP:
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU: return false;
	default: return true;
	}
}

// The callee's own doing, as against a signal that the program was sent while the call ran.
static bool is_crash(const struct bare *bare, const struct event *event)
{
	const siginfo_t *info = &event->info;
	bool is_fault = (faults() & bit(event->signo)) && info->si_code > 0;
	bool is_own = (info->si_code == SI_TKILL || info->si_code == SI_USER) &&
		      info->si_pid == bare->inner_pid;
	bool is_handled = bare->caught & bit(event->signo);

	if (!is_fault && !is_own)
		return false;
	if (!is_fatal_by_default(event->signo))
		return false;
	if (is_handled && (bare->pass_faults & bit(event->signo)))
		return is_fault && pad_covers(bare->pad, (uint64_t)(uintptr_t)info->si_addr);
	// Filters that emulate system calls live by this one.
	if (is_handled && event->signo == SIGSYS)
		return false;
	// A handler for any other signal that the callee raises is part of the callee.
	return is_fault || event->signo == SIGABRT || !is_handled;
}

enum { RESTARTBLOCK = -516 };

// At a stop inside the callee: has the thread met a wait whose restart note replaced the caller's?
static void note_restart(struct bare *bare)
{
	struct user_regs_struct regs;
	struct dc_error *err = registers_get(bare->hold->tid, &regs);

	if (err)
		dc_error_destroy(err);
	else if ((int64_t)regs.rax == RESTARTBLOCK)
		bare->hold->restart_lost = true;
}

// Resumes and waits until something is to be decided.
static struct dc_error *converse(struct bare *bare, int64_t deadline, struct wait *wait,
				 enum outcome *ret)
{
	struct hold *hold = bare->hold;
	struct tracer *tracer = hold->tracer;
	struct event *event = &wait->event;
	enum resume how = bare->handshake ? RESUME_RUN : RESUME_SYSCALL;

	for (;;) {
		struct dc_error *err = wait->listening
					       ? tracer_listen(tracer, hold->tid)
					       : tracer_resume(tracer, hold->tid, how, hold->signo);

		if (err) {
			// Killed while it was stopped: its end is the next event.
			if (err->code != DC_TARGET_ENDED)
				return err;
			dc_error_destroy(err);
		}
		hold->signo = 0;
		wait->stopped = false;
		err = tracer_wait(tracer, hold->tid, deadline, event);
		if (err)
			return err;
		wait->stopped = true;
		switch (event->kind) {
		case EVENT_SIGNAL:
			if (is_handshake(bare, event)) {
				*ret = OUTCOME_RETURNED;
				return NULL;
			}
			note_restart(bare);
			if (is_crash(bare, event)) {
				*ret = OUTCOME_CRASHED;
				return NULL;
			}
			if (bare->caught & bit(event->signo))
				hold->restart_lost = true;
			hold->signo = event->signo;
			break;
		case EVENT_SYSCALL_EXIT:
			if (is_handshake(bare, event)) {
				*ret = OUTCOME_RETURNED;
				return NULL;
			}
			break;
		case EVENT_GROUP_STOP:
			note_restart(bare);
			// A process that was stopped before is called into all the same; one that is
			// being stopped now stays so until it is continued or the time is up.
			wait->listening = !hold->group_stopped;
			break;
		case EVENT_INTERRUPT:
			note_restart(bare);
			wait->listening = false;
			break;
		case EVENT_SYSCALL_ENTRY:
		case EVENT_FORK: break;
		case EVENT_EXIT: *ret = OUTCOME_EXITING; return NULL;
		case EVENT_GONE: *ret = OUTCOME_GONE; return NULL;
		case EVENT_EXEC: *ret = OUTCOME_EXECED; return NULL;
		case EVENT_DEADLINE:
		case EVENT_CANCELLED:
			wait->stopped = false;
			*ret = event->kind == EVENT_DEADLINE ? OUTCOME_OVERDUE : OUTCOME_CANCELLED;
			return NULL;
		}
	}
}

// Stops a callee whose time is up. It may end by itself meanwhile, which *ret then says.
static struct dc_error *stop_callee(struct bare *bare, struct wait *wait, enum outcome *ret)
{
	struct hold *hold = bare->hold;
	struct event *event = &wait->event;
	struct dc_error *err = tracer_interrupt(hold->tracer, hold->tid);

	if (err) {
		if (err->code != DC_TARGET_ENDED)
			return err;
		dc_error_destroy(err);
	}
	for (;;) {
		err = tracer_wait_stop(hold->tracer, hold->tid, event);
		if (err)
			return err;
		wait->stopped = event->kind != EVENT_DEADLINE;
		switch (event->kind) {
		case EVENT_SIGNAL:
			if (is_handshake(bare, event)) {
				*ret = OUTCOME_RETURNED;
				return NULL;
			}
			note_restart(bare);
			if (is_crash(bare, event))
				*ret = OUTCOME_CRASHED;
			else
				hold->signo = event->signo; // delivered when the thread goes on
			return NULL;
		case EVENT_SYSCALL_EXIT:
			if (is_handshake(bare, event))
				*ret = OUTCOME_RETURNED;
			note_restart(bare);
			return NULL;
		case EVENT_EXIT: *ret = OUTCOME_EXITING; return NULL;
		case EVENT_GONE: *ret = OUTCOME_GONE; return NULL;
		case EVENT_EXEC: *ret = OUTCOME_EXECED; return NULL;
		case EVENT_GROUP_STOP:
			hold->group_stopped = true;
			note_restart(bare);
			return NULL;
		case EVENT_SYSCALL_ENTRY:
			// Left there, the call would be made with the caller's registers.
			err = tracer_resume(hold->tracer, hold->tid, RESUME_SYSCALL, 0);
			if (err)
				return err;
			break;
		default: note_restart(bare); return NULL;
		}
	}
}

// A copy of the callee's stack and registers, as far up as it may have used.
static struct dc_error *snapshot_callee(struct bare *bare, struct snapshot *ret)
{
	enum { COPY_MAX = 256 * 1024 };
	struct dc_error *err = registers_get(bare->hold->tid, &ret->regs);

	ret->stack = NULL;
	if (err)
		return err;

	uint64_t start = ret->regs.rsp - WAYHOME_RED_ZONE;
	uint64_t size = bare->callee_stack - start;

	if (ret->regs.rsp > bare->callee_stack || size > COPY_MAX)
		size = COPY_MAX;
	ret->stack = malloc(size);
	if (!ret->stack)
		return &dc_out_of_memory;
	ret->stack_start = start;
	ret->stack_size = memory_read_some(bare->hold->process, start, ret->stack, size);
	if (!ret->stack_size) {
		// An overflowed stack begins below its mapping.
		ret->stack_start = ret->regs.rsp;
		ret->stack_size = memory_read_some(bare->hold->process, ret->regs.rsp, ret->stack,
						   size);
	}
	return NULL;
}

static void snapshot_free(struct snapshot *snapshot)
{
	free(snapshot->stack);
}

static struct room callee_region(const struct bare *bare)
{
	const struct pad_mapping *stack = &bare->pad->stack;

	// From the pad's stack, a jump home goes to the stack that the thread came with.
	return bare->on_pad_stack ? (struct room){ stack->addr, stack->addr + stack->size }
				  : bare->room;
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
	if (snapshot->regs.rsp > slot && snapshot->regs.rsp < callee_region(bare).high)
		return true;
	if (memory_read_some(bare->hold->process, slot, &value, sizeof(value)) != sizeof(value) ||
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

static struct dc_error *with_frames(struct bare *bare, struct dc_error *err,
				    const struct snapshot *snapshot)
{
	if (bare->unwind && snapshot->stack && err != &dc_out_of_memory)
		err->frames = unwind_describe(bare->unwind, snapshot, &err->nr_frames);
	return err;
}

static enum dc_state state_back(const struct hold *hold)
{
	return hold->group_stopped ? DC_STATE_STOPPED : DC_STATE_RUNNING;
}

static struct dc_error *left(struct bare *bare, const char *name, struct dc_error *why,
			     int64_t *pause_ns)
{
	struct hold *hold = bare->hold;
	uint64_t mask;

	// The mask is ours unless the jump brought its own.
	_cleanup_error_ struct dc_error *got = registers_get_mask(hold->tid, &mask);

	if (!got && mask == conversation_mask(bare))
		dc_error_destroy(registers_set_mask(hold->tid, hold->mask));
	bare->pad->kept = true;
	dc_error_destroy(hold_leave(hold, pause_ns));
	dc_error_destroy(why);
	return error_in_state(
		error_make(DC_LEFT, "%s was left by a jump to the thread's own program", name),
		DC_STATE_AS_LEFT);
}

// Back to the caller context, whatever the callee was doing.
static struct dc_error *undo(struct bare *bare, const char *name, struct dc_error *why,
			     int64_t *pause_ns)
{
	struct hold *hold = bare->hold;
	_cleanup_(snapshot_free) struct snapshot snapshot = { 0 };
	struct dc_error *err = snapshot_callee(bare, &snapshot);

	if (!err && has_left(bare, &snapshot))
		return left(bare, name, why, pause_ns);
	if (!err)
		err = hold_restore(hold);
	if (err) {
		bare->pad->kept = true;
		dc_error_destroy(hold_leave(hold, pause_ns));
		dc_error_destroy(why);
		return error_in_state(err, DC_STATE_IN_CALLEE);
	}
	if (hold->restart_lost && wayhome_is_timed_wait(&hold->regs))
		error_note(why, "the wait that thread %d was in ends with EINTR", hold->tid);

	enum dc_state state = state_back(hold);

	// A signal for the program keeps what was sent with it only if it is delivered from this stop.
	if (hold->signo)
		dc_error_destroy(hold_leave(hold, pause_ns));
	return error_in_state(with_frames(bare, why, &snapshot), state);
}

static struct dc_error *crashed(struct bare *bare, const char *name, const struct wait *wait,
				int64_t *pause_ns)
{
	const siginfo_t *info = &wait->event.info;
	bool has_addr = (faults() & bit(wait->event.signo)) && info->si_code > 0 &&
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
	return undo(bare, name, err, pause_ns);
}

static void duration(int64_t ns, char *text, size_t size)
{
	if (ns % 1000000000 == 0)
		snprintf(text, size, "%" PRId64 " s", ns / 1000000000);
	else
		snprintf(text, size, "%" PRId64 " ms", ns / 1000000);
}

static struct dc_error *overdue(struct bare *bare, const char *name, const struct wait *wait,
				bool cancelled, int64_t timeout_ns, int64_t *pause_ns)
{
	struct hold *hold = bare->hold;
	char time[32];
	struct dc_error *err;

	duration(timeout_ns, time, sizeof(time));
	err = cancelled ? error_make(DC_CANCELLED, "%s was cancelled", name)
			: error_make(DC_DEADLINE, "%s did not return within %s", name, time);
	if (!wait->stopped) {
		// Asleep where no signal reaches it. It finds its way home without us.
		bare->pad->kept = true;
		hold_forget(hold, pause_ns);
		tracer_abandon(hold->tracer);
		return error_in_state(err, DC_STATE_IN_CALLEE);
	}
	err = undo(bare, name, err, pause_ns);
	return err->code == DC_LEFT ? err : error_note(err, "locks that %s took stay taken", name);
}

static struct dc_error *ended(struct bare *bare, const char *name, const struct wait *wait,
			      enum outcome outcome, int64_t *pause_ns)
{
	struct hold *hold = bare->hold;
	struct process *process = hold->process;
	pid_t tid = hold->tid;

	if (outcome == OUTCOME_EXECED) {
		hold->tid = wait->event.tid;
		dc_error_destroy(hold_leave(hold, pause_ns));
		return error_in_state(error_make(DC_TARGET_EXECED,
						 "%s made process %d another program", name,
						 process->pid),
				      DC_STATE_EXECED);
	}

	int status = wait->event.status;
	bool thread_only = false;

	if (outcome == OUTCOME_EXITING) {
		struct user_regs_struct regs = { 0 };
		struct dc_error *err = registers_get(tid, &regs);

		status = (int)wait->event.message;
		thread_only = !err && regs.orig_rax == SYS_exit;
		dc_error_destroy(err);
		if (thread_only) {
			struct process_threads threads;

			err = process_threads(process, &threads);
			if (!err) {
				thread_only = threads.n > 1;
				process_threads_deinit(&threads);
			}
			dc_error_destroy(err);
		}
		dc_error_destroy(hold_leave(hold, pause_ns));
	} else {
		uint64_t start;

		hold_forget(hold, pause_ns);
		thread_only = process_alive(process);
		// Another thread that executes a program ends all others, and the pad with the memory.
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

static struct dc_error *conclude(struct bare *bare, const char *name, int64_t timeout_ns,
				 int64_t *pause_ns)
{
	int64_t deadline = timeout_ns ? tracer_now() + timeout_ns : 0;
	struct wait wait = { 0 };
	enum outcome outcome;
	struct dc_error *err = converse(bare, deadline, &wait, &outcome);

	if (!err && (outcome == OUTCOME_OVERDUE || outcome == OUTCOME_CANCELLED)) {
		bool cancelled = outcome == OUTCOME_CANCELLED;

		err = stop_callee(bare, &wait, &outcome);
		if (!err && (outcome == OUTCOME_OVERDUE || outcome == OUTCOME_CANCELLED))
			return overdue(bare, name, &wait, cancelled, timeout_ns, pause_ns);
	}
	if (err) {
		bare->pad->kept = true;
		hold_forget(bare->hold, pause_ns);
		tracer_abandon(bare->hold->tracer);
		return error_in_state(err, DC_STATE_IN_CALLEE);
	}
	switch (outcome) {
	case OUTCOME_RETURNED: return NULL;
	case OUTCOME_CRASHED: return crashed(bare, name, &wait, pause_ns);
	default: return ended(bare, name, &wait, outcome, pause_ns);
	}
}

struct dc_error *bare_call(struct bare *bare, const char *name, int64_t timeout_ns,
			   int64_t *pause_ns)
{
	enum { EFLAGS_PLAIN = 0x202 };
	struct hold *hold = bare->hold;
	struct pad *pad = bare->pad;
	struct user_regs_struct entry = hold->regs;

	entry.rip = pad_address(pad, pad->ready ? pad_entry : pad_setup);
	entry.rsp = bare->callee_stack;
	entry.rbx = entry.rbp = entry.r12 = entry.r13 = entry.r14 = 0;
	entry.r15 = 1; // on from the setup to the entry
	entry.rax = 0;
	entry.orig_rax = (uint64_t)-1;
	entry.eflags = EFLAGS_PLAIN;

	// From here on the way home gives everything back, so that the mask may follow.
	struct dc_error *err = registers_set(hold->tid, &entry);

	if (!err) {
		hold->moved = hold->masked = hold->ran = true;
		err = registers_set_mask(hold->tid, conversation_mask(bare));
	}
	if (err)
		return error_in_state(err, state_back(hold));
	return conclude(bare, name, timeout_ns, pause_ns);
}

struct dc_error *bare_again(struct bare *bare, const char *name, int64_t timeout_ns,
			    int64_t *pause_ns)
{
	struct hold *hold = bare->hold;
	struct dc_error *err = registers_poke(hold->tid, offsetof(struct user_regs_struct, rbx), 1);

	if (err)
		return error_in_state(err, state_back(hold));
	hold->moved = hold->masked = hold->ran = true;
	return conclude(bare, name, timeout_ns, pause_ns);
}

struct dc_error *bare_results(struct bare *bare, const struct abi_entry *entry,
			      uint64_t result_addr, struct abi_exit *ret)
{
	enum { LEGACY_ST = 32, LEGACY_STEP = 16 };
	struct hold *hold = bare->hold;
	struct pad_data data;
	struct dc_error *err = memory_read(hold->process, bare->pad->base + PAD_DATA, &data,
					   sizeof(data));

	if (err)
		return err;
	if (!data.returned)
		return error_make(DC_REFUSED, "process %d may not change its memory's protection",
				  hold->process->pid);
	bare->pad->ready = true;
	*ret = (struct abi_exit){ .rax = data.rax, .rdx = data.rdx };
	memcpy(ret->vector, data.vector_out, sizeof(ret->vector));
	for (size_t i = 0; i < 2; i++)
		memcpy(ret->st[i], data.legacy + LEGACY_ST + i * LEGACY_STEP, sizeof(ret->st[i]));
	if (!entry->result_size)
		return NULL;

	_cleanup_free_ void *memory = malloc(entry->result_size);

	if (!memory)
		return &dc_out_of_memory;
	err = memory_read(hold->process, result_addr, memory, entry->result_size);
	if (!err)
		ret->memory = take_ptr(memory);
	return err;
}
