// SPDX-License-Identifier: MIT
// One conversation with a runtime's host, led by protocol/conversation.c. Before every commit point
// (setting the registers) memory is written first: a debugger that dies in between changes nothing.
#include "debugger/call/gort.h"

#include "debugger/call/conversation.h"
#include "debugger/call/goroutines.h"
#include "debugger/call/xstate.h"
#include "debugger/cleanup.h"
#include "debugger/target/memory.h"
#include "protocol/conversation.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

struct talk {
	struct gort *gort;
	struct client_conversation client;
	uint64_t addr;
	const char *name;
	const struct abi_entry *entry;
	struct abi_exit *exit;
	int64_t timeout_ns, deadline;
	uint64_t result_offset; // in the argument frame
	uint64_t frame_size;
	int64_t *pause_ns;

	bool running, listening; // it was resumed; it stays in its group-stop
	bool is_over;
	bool is_late; // what is waited for now is only the way home
	bool refused;
	// At READY, where an abandoned callee is taken back to.
	struct user_regs_struct ready;
	uint64_t ready_mask;
	uint64_t callee; // the goroutine that the call got
	struct dc_error *outcome; // NULL: it returned
};

static bool is_handshake(const struct talk *talk, const struct event *event)
{
	const struct debugcall_descriptor *d = talk->gort->descriptor;

	// The program's own signal of that kind may come at any place, even at this one.
	return event->kind == EVENT_SIGNAL && event->signo == d->handshake_signal &&
	       event->pc >= d->handshake_start && event->pc <= d->handshake_end &&
	       event->info.si_code == SI_TKILL && event->info.si_pid == talk->gort->info.inner_pid;
}

// What would end the process and is the callee's own doing. Faults that the runtime handles become
// panics.
static bool is_crash(const struct talk *talk, const struct event *event)
{
	const siginfo_t *info = &event->info;
	bool is_fault = (conversation_faults() & signal_bit(event->signo)) && info->si_code > 0;
	bool is_own = (info->si_code == SI_TKILL || info->si_code == SI_USER) &&
		      info->si_pid == talk->gort->info.inner_pid;
	bool is_handled = talk->gort->info.sig_caught & signal_bit(event->signo);

	if (talk->client.state != CLIENT_CALLING)
		return false;
	if (event->signo == SIGABRT)
		return is_own;
	return (is_fault || is_own) && !is_handled && conversation_is_fatal(event->signo);
}

// The first outcome stays.
static void conclude(struct talk *talk, struct dc_error *err)
{
	if (talk->outcome)
		dc_error_destroy(err);
	else
		talk->outcome = err;
}

static struct dc_error *leave(struct talk *talk, enum dc_state state)
{
	struct hold *hold = talk->gort->hold;
	struct dc_error *err = hold_leave(hold, talk->pause_ns);

	talk->is_over = true;
	if (talk->outcome)
		talk->outcome = error_in_state(talk->outcome, state);
	return err;
}

// ---- reports --------------------------------------------------------------------------------------

static void snapshot_free(struct snapshot *snapshot)
{
	free(snapshot->stack);
}

static struct dc_error *snapshot_callee(const struct talk *talk, struct snapshot *ret)
{
	enum { RED_ZONE = 128, COPY_MAX = 256 * 1024, ABOVE = 1024 };
	struct hold *hold = talk->gort->hold;
	struct dc_error *err = registers_get(hold->tid, &ret->regs);
	uint64_t size;

	ret->stack = NULL;
	if (err)
		return err;
	ret->stack_start = ret->regs.rsp - RED_ZONE;
	size = talk->ready.rsp + ABOVE - ret->stack_start;
	if (ret->regs.rsp > talk->ready.rsp || size > COPY_MAX)
		size = COPY_MAX;
	ret->stack = malloc(size);
	if (!ret->stack)
		return &dc_out_of_memory;
	ret->stack_size = memory_read_some(hold->process, ret->stack_start, ret->stack, size);
	return NULL;
}

// The callee's frames, from its innermost to the host's.
static void add_frames(const struct talk *talk, struct dc_error *err)
{
	_cleanup_(snapshot_free) struct snapshot snapshot = { 0 };
	_cleanup_error_ struct dc_error *failure = NULL;

	if (!talk->gort->unwind || err == &dc_out_of_memory)
		return;
	failure = snapshot_callee(talk, &snapshot);
	if (failure || !snapshot.stack_size)
		return;
	err->frames = unwind_describe(talk->gort->unwind, &snapshot, &err->nr_frames);
	// The host's own begin where it said READY.
	for (size_t i = 0; i < err->nr_frames; i++)
		if (err->frames[i].pc - talk->ready.rip + 1 <= 1)
			err->nr_frames = i;
}

static struct dc_error *crashed(const struct talk *talk, const struct event *event)
{
	const siginfo_t *info = &event->info;
	bool has_addr = (conversation_faults() & signal_bit(event->signo)) && info->si_code > 0 &&
			event->signo != SIGSYS;
	struct dc_error *err;

	if (has_addr)
		err = error_make(DC_CRASHED, "%s crashed with SIG%s at address 0x%" PRIxPTR,
				 talk->name, sigabbrev_np(event->signo), (uintptr_t)info->si_addr);
	else
		err = error_make(DC_CRASHED, "%s ended with SIG%s", talk->name,
				 sigabbrev_np(event->signo) ?: "?");
	if (err == &dc_out_of_memory)
		return err;
	err->signo = event->signo;
	err->addr = has_addr ? (uint64_t)(uintptr_t)info->si_addr : 0;
	add_frames(talk, err);
	return err;
}

static struct dc_error *overdue(const struct talk *talk, bool cancelled)
{
	int64_t ns = talk->timeout_ns;
	const char *what = talk->client.state == CLIENT_ENTERING ? "was not entered"
								 : "did not return";

	if (cancelled)
		return error_make(DC_CANCELLED, "%s was cancelled", talk->name);
	if (ns % 1000000000 == 0)
		return error_make(DC_DEADLINE, "%s %s within %" PRId64 " s", talk->name, what,
				  ns / 1000000000);
	return error_make(DC_DEADLINE, "%s %s within %" PRId64 " ms", talk->name, what,
			  ns / 1000000);
}

static void no_controls(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

// The layout of struct gort_panic, which is part of the protocol.
struct panic {
	char message[256];
	int32_t signo, code;
	uint64_t addr, pc;
};

static struct dc_error *panicked(const struct talk *talk, uint64_t addr)
{
	struct process *process = talk->gort->hold->process;
	struct panic panic;
	struct dc_error *err;

	if (!addr)
		return error_make(DC_EXITED, "%s ended its goroutine", talk->name);
	err = memory_read(process, addr, &panic, sizeof(panic));
	if (err)
		return err;
	panic.message[sizeof(panic.message) - 1] = '\0';
	no_controls(panic.message);
	err = error_make(DC_PANICKED, "%s panicked: %s", talk->name, panic.message);
	if (err == &dc_out_of_memory)
		return err;
	if (panic.signo > 0) {
		err->signo = panic.signo;
		err->addr = panic.addr;
	}
	err->frames = calloc(1, sizeof(*err->frames));
	if (err->frames) {
		// Without a signal it is where a call returns to.
		err->frames[0] = symbols_describe(talk->gort->symbols,
						  panic.pc - (panic.signo == 0));
		err->frames[0].pc = panic.pc;
		err->nr_frames = 1;
	}
	return err;
}

static struct dc_error *reason(const struct talk *talk, const uint64_t words[2])
{
	char text[256] = "";
	size_t n = words[1] < sizeof(text) ? words[1] : sizeof(text) - 1;

	text[memory_read_some(talk->gort->hold->process, words[0], text, n)] = '\0';
	no_controls(text);
	return error_make(DC_REFUSED, "thread %d: %s", talk->gort->hold->tid, text);
}

// ---- what the client machine asks for -------------------------------------------------------------

// Back to where READY was said, as if nothing had been called: the host then goes home.
static struct dc_error *unwind_callee(struct talk *talk)
{
	struct gort *gort = talk->gort;
	pid_t tid = gort->hold->tid;
	struct user_regs_struct regs = talk->ready;
	struct dc_error *err;

	regs.r15 = 0;
	regs.orig_rax = (uint64_t)-1;
	err = registers_set_xstate(tid, gort->xstate_ready, gort->xstate_size);
	if (!err)
		err = registers_set_mask(tid, talk->ready_mask);
	return err ? err : registers_set(tid, &regs);
}

static struct dc_error *write_frame(struct talk *talk, uint64_t frame)
{
	struct process *process = talk->gort->hold->process;
	const struct abi_entry *entry = talk->entry;
	uint64_t back = talk->ready.rip;
	struct dc_error *err = NULL;

	if (entry->stack_size)
		err = memory_write(process, frame, entry->stack, entry->stack_size);
	return err ? err : memory_write(process, frame - sizeof(back), &back, sizeof(back));
}

static struct dc_error *prepare_callee(struct talk *talk, struct user_regs_struct *regs,
				       uint64_t *mask)
{
	struct gort *gort = talk->gort;
	pid_t tid = gort->hold->tid;
	uint64_t frame = talk->ready.rsp;
	struct machine machine;
	struct dc_error *err;

	if (frame % DEBUGCALL_FRAME_ALIGN)
		return error_make(DC_REFUSED, "the host's argument frame is not aligned");
	err = machine_read(gort->hold->process, gort->descriptor, gort->machine, &machine);
	if (err)
		return err;
	talk->callee = machine.current;
	err = registers_get_mask(tid, &talk->ready_mask);
	if (!err)
		err = memory_read(gort->hold->process, talk->ready.r13, mask, sizeof(*mask));
	if (!err)
		err = registers_get_xstate(tid, gort->xstate_ready, &gort->xstate_size);
	if (err)
		return err;
	memcpy(gort->xstate, gort->xstate_ready, gort->xstate_size);
	err = xstate_put(gort->xstate, gort->xstate_size, talk->entry);
	if (!err)
		err = write_frame(talk, frame);

	const uint64_t *general = talk->entry->general;

	regs->rdi = talk->entry->result_size ? frame + talk->result_offset : general[0];
	regs->rsi = general[1];
	regs->rdx = general[2];
	regs->rcx = general[3];
	regs->r8 = general[4];
	regs->r9 = general[5];
	regs->rax = talk->entry->al;
	regs->r15 = 1;
	regs->rsp = frame - sizeof(uint64_t);
	regs->rip = talk->addr;
	regs->orig_rax = (uint64_t)-1;
	return err;
}

static struct dc_error *enter_callee(struct talk *talk, const struct user_regs_struct *ready)
{
	struct gort *gort = talk->gort;
	pid_t tid = gort->hold->tid;
	struct user_regs_struct regs = *ready;
	uint64_t mask = 0;

	talk->ready = *ready;
	struct dc_error *err = prepare_callee(talk, &regs, &mask);

	if (err) {
		// Resumed as it is, the host takes that for a refusal of ours.
		conclude(talk, err);
		talk->client.abandoning = true;
		return NULL;
	}
	err = registers_set_xstate(tid, gort->xstate, gort->xstate_size);
	if (!err)
		err = registers_set(tid, &regs);
	return err ? err : registers_set_mask(tid, mask);
}

static struct dc_error *take_result(struct talk *talk, const struct user_regs_struct *regs)
{
	struct gort *gort = talk->gort;
	struct abi_exit *exit = talk->exit;
	struct dc_error *err = registers_get_xstate(gort->hold->tid, gort->xstate,
						    &gort->xstate_size);

	if (err)
		return err;
	exit->rax = regs->r13;
	exit->rdx = regs->r14;
	xstate_take(gort->xstate, gort->xstate_size, exit);
	if (!talk->entry->result_size)
		return NULL;

	_cleanup_free_ void *memory = malloc(talk->entry->result_size);

	if (!memory)
		return &dc_out_of_memory;
	err = memory_read(gort->hold->process, talk->ready.rsp + talk->result_offset, memory,
			  talk->entry->result_size);
	if (!err)
		exit->memory = take_ptr(memory);
	return err;
}

// A status was said: what the client machine wants done, done. The thread stands behind its handshake.
static struct dc_error *on_status(struct talk *talk)
{
	struct hold *hold = talk->gort->hold;
	struct user_regs_struct regs;
	uint64_t words[2] = { 0 };
	const char *text;
	struct dc_error *err = registers_get(hold->tid, &regs);

	if (err)
		return err;
	hold->signo = 0;
	switch (client_step(&talk->client, CLIENT_ON_STATUS, regs.r12)) {
	case CLIENT_DO_CALL: return enter_callee(talk, &regs);
	case CLIENT_DO_TAKE_RESULT:
		err = take_result(talk, &regs);
		if (err)
			conclude(talk, err);
		return NULL;
	case CLIENT_DO_TAKE_PANIC:
	case CLIENT_DO_TAKE_REASON:
		memory_read_some(hold->process, regs.rsp, words, sizeof(words));
		talk->refused = regs.r12 == DEBUGCALL_REFUSED;
		conclude(talk, talk->refused ? reason(talk, words) : panicked(talk, words[0]));
		return NULL;
	case CLIENT_DO_FINISH: return leave(talk, DC_STATE_RUNNING);
	case CLIENT_DO_LET_GO:
		// Whatever it is that answers there, only it knows how to go on.
		text = debugcall_status_text(regs.r12);
		conclude(talk,
			 error_make(DC_REFUSED,
				    "the target's host does not keep to the protocol: it said "
				    "%s (%llu) out of turn",
				    text ? text : "nothing known", regs.r12));
		return leave(talk, DC_STATE_IN_CALLEE);
	default: return NULL;
	}
}

// May the callee be left where it is? Only in user code of its own goroutine, with no frame of the
// runtime below it, which would be left with what it has begun.
static bool may_abandon(struct talk *talk, bool is_crash)
{
	struct gort *gort = talk->gort;
	_cleanup_(snapshot_free) struct snapshot snapshot = { 0 };
	_cleanup_free_ struct unwound *frames = calloc(UNWIND_MAX, sizeof(*frames));
	_cleanup_error_ struct dc_error *err = NULL;
	struct machine machine;
	bool complete;
	size_t n = 0;

	if (!frames)
		return false;
	err = machine_read(gort->hold->process, gort->descriptor, gort->machine, &machine);
	if (err || machine.in_runtime || machine.current != talk->callee)
		return false;
	err = snapshot_callee(talk, &snapshot);
	if (err || gort_in_runtime(gort, snapshot.regs.rip) ||
	    snapshot.regs.rsp >= talk->ready.rsp ||
	    talk->ready.rsp - snapshot.regs.rsp > (UINT64_C(1) << 30))
		return false;
	if (is_crash || !gort->unwind)
		return is_crash;
	err = unwind_walk(gort->unwind, &snapshot, frames, UNWIND_MAX, &n, &complete);
	if (err)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (frames[i].is_signal_frame)
			return false;
		if (gort_in_runtime(gort, frames[i].frame.pc))
			return frames[i].frame.pc - talk->ready.rip + 1 <= 1;
	}
	return false;
}

static struct dc_error *on_end(struct talk *talk, const struct event *event);

// The thread is stopped at event: undone if that is possible there.
static struct dc_error *try_abandon(struct talk *talk, const struct event *event, bool *done)
{
	bool crash = event->kind == EVENT_SIGNAL && is_crash(talk, event);
	struct dc_error *err = NULL;

	*done = true;
	if (event->kind == EVENT_GROUP_STOP || !may_abandon(talk, crash)) {
		*done = false;
		return NULL;
	}
	if (talk->outcome && !talk->outcome->frames)
		add_frames(talk, talk->outcome);
	err = unwind_callee(talk);
	if (talk->outcome)
		talk->outcome = error_note(talk->outcome, "locks that %s took stay taken",
					   talk->name);
	return err;
}

static struct dc_error *leave_running(struct talk *talk)
{
	talk->outcome = error_note(
		talk->outcome, "%s goes on on its goroutine; its caller waits for it", talk->name);
	return leave(talk, DC_STATE_IN_CALLEE);
}

// The callee's time is up. It may end by itself meanwhile, or sit where it cannot be left; then it is
// looked at again, as goroutines come out of the runtime soon or not at all.
static struct dc_error *abandon(struct talk *talk)
{
	enum { TRIES = 20, PAUSE_NS = 1000 * 1000 };
	struct hold *hold = talk->gort->hold;

	for (int i = 0;; i++) {
		struct event event;
		bool done;
		struct dc_error *err = tracer_interrupt(hold->tracer, hold->tid);

		if (err && err->code != DC_TARGET_ENDED)
			return err;
		dc_error_destroy(err);
		err = tracer_wait_stop(hold->tracer, hold->tid, &event);
		if (err)
			return err;
		talk->running = false;
		switch (event.kind) {
		case EVENT_DEADLINE:
			tracer_abandon(hold->tracer);
			hold_forget(hold, talk->pause_ns);
			talk->is_over = true;
			talk->outcome = error_in_state(talk->outcome, DC_STATE_IN_CALLEE);
			return NULL;
		case EVENT_EXIT:
		case EVENT_GONE:
		case EVENT_EXEC: return on_end(talk, &event);
		case EVENT_SIGNAL:
			if (is_handshake(talk, &event)) {
				// It was quicker than we were.
				dc_error_destroy(take_ptr(talk->outcome));
				return on_status(talk);
			}
			if (!is_crash(talk, &event))
				hold->signo = event.signo;
			break;
		default: break;
		}
		err = try_abandon(talk, &event, &done);
		if (err || done)
			return err;
		if (i == TRIES || event.kind == EVENT_GROUP_STOP)
			return leave_running(talk);
		err = tracer_resume(hold->tracer, hold->tid, RESUME_RUN, hold->signo);
		hold->signo = 0;
		if (err && err->code != DC_TARGET_ENDED)
			return err;
		dc_error_destroy(err);
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
	}
}

static struct dc_error *on_crash(struct talk *talk, const struct event *event)
{
	bool done;
	struct dc_error *err;

	conclude(talk, crashed(talk, event));
	client_step(&talk->client, CLIENT_ON_CRASH, 0);
	err = try_abandon(talk, event, &done);
	if (err || done)
		return err;
	// Delivered, it does what it would have done without us.
	talk->gort->hold->signo = event->signo;
	return leave(talk, DC_STATE_IN_CALLEE);
}

static struct dc_error *on_late(struct talk *talk, bool cancelled)
{
	enum { GRACE_S = 2 };
	struct hold *hold = talk->gort->hold;
	struct event event;
	struct dc_error *err;

	if (talk->is_late) {
		// Not even the way home is found in time. It needs nothing of us.
		err = tracer_interrupt(hold->tracer, hold->tid);
		if (!err)
			err = tracer_wait_stop(hold->tracer, hold->tid, &event);
		if (err)
			return err;
		if (event.kind == EVENT_EXIT || event.kind == EVENT_GONE ||
		    event.kind == EVENT_EXEC)
			return on_end(talk, &event);
		if (event.kind == EVENT_SIGNAL && !is_handshake(talk, &event))
			hold->signo = event.signo;
		return leave(talk, DC_STATE_IN_CALLEE);
	}
	talk->is_late = true;
	talk->deadline = tracer_now() + GRACE_S * INT64_C(1000000000);
	// What the callee gave is not taken away by a slow way home.
	if (talk->client.state != CLIENT_LEAVING)
		conclude(talk, overdue(talk, cancelled));
	if (client_step(&talk->client, CLIENT_ON_DEADLINE, 0) == CLIENT_DO_ABANDON)
		return abandon(talk);
	return NULL;
}

static struct dc_error *on_end(struct talk *talk, const struct event *event)
{
	struct hold *hold = talk->gort->hold;
	struct process *process = hold->process;
	pid_t tid = hold->tid;
	struct machine machine;
	struct dc_error *err;

	client_step(&talk->client, CLIENT_ON_GONE, 0);
	talk->is_over = true;
	dc_error_destroy(take_ptr(talk->outcome));
	if (event->kind == EVENT_EXEC) {
		hold->tid = event->tid;
		dc_error_destroy(hold_leave(hold, talk->pause_ns));
		talk->outcome = error_in_state(error_make(DC_TARGET_EXECED,
							  "process %d became another program",
							  process->pid),
					       DC_STATE_EXECED);
		return NULL;
	}

	int status = event->kind == EVENT_EXIT ? (int)event->message : event->status;
	bool thread_only = event->kind == EVENT_GONE && process_alive(process);

	if (event->kind == EVENT_EXIT) {
		struct user_regs_struct regs = { 0 };

		err = registers_get(tid, &regs);
		thread_only = !err && regs.orig_rax == SYS_exit;
		dc_error_destroy(err);
		dc_error_destroy(hold_leave(hold, talk->pause_ns));
	} else {
		hold_forget(hold, talk->pause_ns);
	}
	if (thread_only) {
		err = machine_read(process, talk->gort->descriptor, talk->gort->machine, &machine);
		talk->outcome = error_in_state(
			err ? error_make(DC_TARGET_EXECED, "process %d became another program",
					 process->pid)
			    : error_make(DC_THREAD_ENDED, "%s ended thread %d", talk->name, tid),
			err ? DC_STATE_EXECED : DC_STATE_RUNNING);
		dc_error_destroy(err);
	} else if (status & 0x7f) {
		talk->outcome = error_make(DC_TARGET_ENDED, "process %d was ended by SIG%s in %s",
					   process->pid, sigabbrev_np(status & 0x7f) ?: "?",
					   talk->name);
	} else {
		talk->outcome = error_make(DC_TARGET_ENDED, "%s ended process %d with status %d",
					   talk->name, process->pid, status >> 8 & 0xff);
	}
	if (!thread_only)
		talk->outcome = error_in_state(talk->outcome, DC_STATE_ENDED);
	return NULL;
}

static struct dc_error *on_signal(struct talk *talk, const struct event *event)
{
	if (is_handshake(talk, event))
		return on_status(talk);
	if (is_crash(talk, event))
		return on_crash(talk, event);
	if (client_step(&talk->client, CLIENT_ON_SIGNAL, 0) == CLIENT_DO_FORWARD)
		talk->gort->hold->signo = event->signo;
	return NULL;
}

static struct dc_error *on_event(struct talk *talk, const struct event *event)
{
	talk->running = false;
	switch (event->kind) {
	case EVENT_SIGNAL: return on_signal(talk, event);
	case EVENT_GROUP_STOP: talk->listening = true; return NULL;
	case EVENT_INTERRUPT: talk->listening = false; return NULL;
	case EVENT_DEADLINE:
	case EVENT_CANCELLED:
		talk->running = true;
		return on_late(talk, event->kind == EVENT_CANCELLED);
	case EVENT_EXIT:
	case EVENT_GONE:
	case EVENT_EXEC: return on_end(talk, event);
	case EVENT_SYSCALL_ENTRY:
	case EVENT_SYSCALL_EXIT:
	case EVENT_FORK: break;
	}
	return NULL;
}

static struct dc_error *go_on(struct talk *talk)
{
	struct hold *hold = talk->gort->hold;
	struct dc_error *err = talk->listening ? tracer_listen(hold->tracer, hold->tid)
					       : tracer_resume(hold->tracer, hold->tid, RESUME_RUN,
							       hold->signo);

	hold->signo = 0;
	talk->running = true;
	// Killed while it was stopped: its end is the next event.
	if (err && err->code == DC_TARGET_ENDED) {
		dc_error_destroy(err);
		return NULL;
	}
	return err;
}

static struct dc_error *converse(struct talk *talk)
{
	struct hold *hold = talk->gort->hold;
	struct dc_error *err = NULL;

	while (!err && !talk->is_over) {
		struct event event;

		if (!talk->running)
			err = go_on(talk);
		if (!err && talk->is_late)
			err = tracer_wait_through(hold->tracer, hold->tid, talk->deadline, &event);
		else if (!err)
			err = tracer_wait(hold->tracer, hold->tid, talk->deadline, &event);
		if (!err)
			err = on_event(talk, &event);
	}
	return err;
}

// The frame: stack arguments at its start, behind them the result that is in memory.
static struct dc_error *lay_out(struct talk *talk)
{
	const struct abi_entry *entry = talk->entry;
	uint64_t align = entry->result_align > 16 ? entry->result_align : 16;

	talk->result_offset = (entry->stack_size + align - 1) & -align;
	talk->frame_size = talk->result_offset + entry->result_size;
	if (align > DEBUGCALL_FRAME_ALIGN || talk->frame_size > DEBUGCALL_FRAME_MAX)
		return error_make(DC_REFUSED, "%s",
				  debugcall_refusal_text(DEBUGCALL_FRAME_TOO_LARGE));
	return NULL;
}

// Points the thread at the entry, below the red zone of the interrupted code.
static struct dc_error *enter(struct talk *talk)
{
	struct hold *hold = talk->gort->hold;
	struct user_regs_struct regs;
	struct dc_error *err = hold_restore(hold);

	if (err)
		return err;
	regs = hold->regs;

	uint64_t words[] = { talk->frame_size, 0, regs.rip };

	_Static_assert(DEBUGCALL_SIZE_SLOT == -2 * (int)sizeof(uint64_t), "the words' order");
	regs.rsp -= DEBUGCALL_RED_ZONE + sizeof(uint64_t);
	regs.rip = talk->gort->descriptor->entry;
	if (talk->gort->is_idle) {
		// Its wait ends as if a signal had come, which it looks for more work after.
		regs.rax = (uint64_t)-EINTR;
		regs.rip = talk->gort->descriptor->idle_entry;
	}
	regs.orig_rax = (uint64_t)-1;
	err = memory_write(hold->process, regs.rsp + (uint64_t)DEBUGCALL_SIZE_SLOT, words,
			   sizeof(words));
	return err ? err : registers_set(hold->tid, &regs);
}

struct dc_error *gort_call(struct gort *gort, uint64_t addr, const char *name,
			   const struct abi_entry *entry, int64_t timeout_ns, int64_t *pause_ns,
			   bool *refused, struct abi_exit *ret)
{
	struct hold *hold = gort->hold;
	struct talk talk = {
		.gort = gort,
		.addr = addr,
		.name = name,
		.entry = entry,
		.exit = ret,
		.timeout_ns = timeout_ns,
		.deadline = timeout_ns ? tracer_now() + timeout_ns : 0,
		.pause_ns = pause_ns,
	};
	struct dc_error *err = lay_out(&talk);

	*refused = false;
	if (!err)
		err = enter(&talk);
	if (err) {
		// Nothing was begun: the thread is given back from here.
		dc_error_destroy(hold_release(hold, pause_ns));
		return error_in_state(err, DC_STATE_RUNNING);
	}
	err = converse(&talk);
	if (err) {
		// A system call of ours failed. The host needs none of them to go home.
		dc_error_destroy(talk.outcome);
		if (hold->tid) {
			hold_forget(hold, pause_ns);
			tracer_abandon(hold->tracer);
		}
		return error_in_state(err, DC_STATE_IN_CALLEE);
	}
	*refused = talk.refused;
	gort->avoid_idle = talk.refused && gort->is_idle;
	return talk.outcome;
}
