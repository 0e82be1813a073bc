// SPDX-License-Identifier: MIT
// int3 in the program's code. To lead a thread over one, all others are stopped for the time that the
// instruction is back in its place.
#include "debugger/control/patch.h"

#include "debugger/arch/x86_64/probing.h"
#include "debugger/base/cleanup.h"
#include "debugger/control/children.h"
#include "debugger/target/memory.h"
#include "debugger/target/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { INT3 = 0xcc };

static bool is_ours(const struct patches *patches, uint64_t place)
{
	for (size_t i = 0; i < patches->nr_ever; i++) {
		if (patches->ever[i] == place)
			return true;
	}
	return false;
}

// It has stopped, or sleeps where nothing wakes it and runs no code; one that only waits for a CPU is
// waited for.
static void await_stop(struct control *control, struct thread *thread)
{
	enum { LOOKS_MAX = 50 }; // of a tenth of a second
	struct events *events = tracer_events(control->tracer);

	for (int i = 0; i < LOOKS_MAX && thread->tracee.is_known && !thread->tracee.queue.n; i++) {
		struct thread_info info = { 0 };

		events_await(events, &thread->tracee);
		dc_error_destroy(process_thread_info(control->process, thread->tracee.tid, &info));
		if (info.state == 'D' || info.state == 'Z')
			return;
	}
}

// Each has stopped, for this or what else happens, which is seen to later.
static void halt_others(struct control *control, const struct thread *thread)
{
	for (struct thread *at = control->threads; at; at = at->next) {
		if (at != thread && at->tracee.running && !at->is_lent)
			ptrace(PTRACE_INTERRUPT, at->tracee.tid, NULL, NULL);
	}
	for (struct thread *at = control->threads; at; at = at->next) {
		if (at != thread && at->tracee.running && !at->is_lent)
			await_stop(control, at);
	}
}

// From now on children are spared, which the threads that make them must be stopped for once.
static void expect_children(struct control *control)
{
	halt_others(control, NULL);
	for (struct thread *at = control->threads; at; at = at->next) {
		at->tracee.options = children_options(control);
		if (!at->is_lent)
			ptrace(PTRACE_SETOPTIONS, at->tracee.tid, NULL, at->tracee.options);
	}
}

static struct dc_error *remember(struct control *control, uint64_t place)
{
	struct patches *patches = &control->patches;
	uint64_t *more = is_ours(patches, place)
				 ? patches->ever
				 : realloc(patches->ever, (patches->nr_ever + 1) * sizeof(*more));

	if (!more)
		return &dc_out_of_memory;
	patches->ever = more;
	if (is_ours(patches, place))
		return NULL;
	more[patches->nr_ever++] = place;
	if (patches->nr_ever == 1)
		expect_children(control);
	return NULL;
}

struct dc_error *patch_arm(struct control *control, const struct location *location)
{
	enum { INSTRUCTION_MAX = 15 };
	unsigned char code[INSTRUCTION_MAX];
	struct process *process = control->process;
	size_t n = memory_read_some(process, location->addr, code, sizeof(code));
	const char *why = stepping_refuses(code, n, location->addr);
	struct dc_error *err;

	if (why)
		return error_make(DC_REFUSED, "no int3 can be at 0x%jx: %s",
				  (uintmax_t)location->addr, why);
	if (!control->patches.may) {
		err = error_make(DC_REFUSED,
				 "it could only be patched into the code, which the process does "
				 "not survive when debugcall is killed");
		err->wants_patch = true;
		return err;
	}
	err = remember(control, location->addr);
	if (!err)
		err = memory_note_patch(process, location->addr, code[0]);
	if (!err && !control->patches.lifted)
		err = memory_patch(process, location->addr, INT3);
	if (err)
		memory_forget_patch(process, location->addr);
	return err;
}

static struct dc_error *put_back(struct process *process, uint64_t place)
{
	unsigned char was;
	struct dc_error *err = memory_read(process, place, &was, 1);

	return err ? err : memory_patch(process, place, was);
}

void patch_disarm(struct control *control, const struct location *location)
{
	dc_error_destroy(put_back(control->process, location->addr));
	memory_forget_patch(control->process, location->addr);
}

void patch_lift(struct control *control, bool lifts)
{
	bool was_lifted = control->patches.lifted;

	control->patches.lifted += lifts ? 1 : -1;
	if (was_lifted == (control->patches.lifted != 0))
		return;
	for (const struct location *at = control->locations; at; at = at->next) {
		if (at->way != LOCATION_PATCH)
			continue;
		dc_error_destroy(was_lifted ? memory_patch(control->process, at->addr, INT3)
					    : put_back(control->process, at->addr));
	}
}

bool patch_claims(struct thread *thread, const struct event *event, uint64_t *pc)
{
	struct control *control = thread->control;
	uint64_t place = event->pc - 1;
	const struct location *location;
	unsigned char now;
	struct dc_error *err;

	// The end of a step that took too long to be waited for.
	if (thread->is_stepped && event->kind == EVENT_SIGNAL && event->signo == SIGTRAP &&
	    event->info.si_code == TRAP_TRACE) {
		thread->is_stepped = false;
		return true;
	}
	if (event->kind != EVENT_SIGNAL || event->signo != SIGTRAP ||
	    event->info.si_code != SI_KERNEL || !is_ours(&control->patches, place))
		return false;
	location = control_location_at(control, place);
	// By now it may be the program's own.
	if (!location && (memory_read_some(control->process, place, &now, 1) != 1 || now == INT3))
		return false;
	err = registers_poke(thread->tracee.tid, REGISTER_PC_OFFSET, place);
	if (err) {
		dc_error_destroy(err);
		return false;
	}
	thread->trapped = location;
	*pc = place;
	return true;
}

// What it was told to receive is received when it goes on: until then only what the instruction
// itself brings about.
static struct dc_error *step(struct thread *thread, struct event *event)
{
	enum { PATIENCE_NS = 1000 * 1000 * 1000 };
	struct tracee *tracee = &thread->tracee;
	uint64_t mask;
	struct dc_error *err = registers_get_mask(tracee->tid, &mask);

	if (!err)
		err = registers_set_mask(tracee->tid, ~(SIGNALS_OF_FAULTS | SIGNAL_BIT(SIGTRAP)));
	// An interrupt that others were stopped by before may still be to come, or one that the thread
	// is to stand for: that comes once more.
	event->kind = EVENT_INTERRUPT;
	for (bool again = false; !err && event->kind == EVENT_INTERRUPT; again = true) {
		err = tracee_resume(tracee, RESUME_STEP, 0);
		if (!err)
			err = tracee_wait_through(tracee, tracer_now() + PATIENCE_NS, event);
		if (!err && again && thread->halt && event->kind != EVENT_GONE)
			ptrace(PTRACE_INTERRUPT, tracee->tid, NULL, NULL);
	}
	if (!err && event->kind != EVENT_GONE && event->kind != EVENT_DEADLINE)
		err = registers_set_mask(tracee->tid, mask);
	return err;
}

struct dc_error *patch_step_over(struct thread *thread)
{
	struct control *control = thread->control;
	uint64_t place = thread->stop.pc;
	unsigned char was;
	struct event event;
	struct dc_error *err = memory_read(control->process, place, &was, 1);

	if (err)
		return err;
	control->patches.steps_over = true;
	halt_others(control, thread);
	err = memory_patch(control->process, place, was);
	if (!err)
		err = step(thread, &event);
	control->patches.steps_over = false;

	struct dc_error *again = memory_patch(control->process, place, INT3);

	if (err || again) {
		if (err)
			dc_error_destroy(again);
		return err ? err : again;
	}
	if (event.kind == EVENT_SIGNAL && event.signo == SIGTRAP &&
	    event.info.si_code == TRAP_TRACE) {
		// In the place of which it receives what it was told to.
		if (thread->tracee.signo && thread->tracee.info.si_signo == thread->tracee.signo)
			ptrace(PTRACE_SETSIGINFO, thread->tracee.tid, NULL, &thread->tracee.info);
		return NULL;
	}
	// A fault of the instruction's, or its end: that is still to be seen to.
	thread->tracee.running = true;
	thread->is_stepped = event.kind == EVENT_DEADLINE;
	if (!thread->is_stepped)
		events_put_back(tracer_events(control->tracer), &thread->tracee, &event);
	return NULL;
}

// A thread may have stopped for another reason with its trap still to be told.
static bool any_is_trapped(const struct control *control)
{
	for (const struct thread *at = control->threads; at; at = at->next) {
		struct thread_info info = { 0 };

		dc_error_destroy(process_thread_info(control->process, at->tracee.tid, &info));
		if (info.sig_pending & SIGNAL_BIT(SIGTRAP))
			return true;
	}
	return false;
}

void patch_lift_for_good(struct control *control)
{
	bool any = control->patches.nr_ever;

	if (any)
		patch_lift(control, true);
	while (any) {
		// Who has come by one says so, and is put before the instruction.
		halt_others(control, NULL);
		any = any_is_trapped(control);
		control_attend(control);
	}
}

// One that shares its parent's memory until it is another program is not spared: the parent's are
// the same. Uprobes' are in a child's copy, too, where they do nothing but hide the code from whoever
// follows it.
void patch_spare_child(const struct control *control, pid_t pid)
{
	_cleanup_close_ int fd = -1;
	char path[32];

	if (syscall(SYS_kcmp, control->process->pid, pid, KCMP_VM, 0, 0) <= 0)
		return;
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	for (const struct location *at = control->locations; at; at = at->next) {
		unsigned char was;

		if (at->way == LOCATION_HARDWARE ||
		    memory_read_some(control->process, at->addr, &was, 1) != 1)
			continue;
		if (fd < 0)
			fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0 || pwrite(fd, &was, 1, (off_t)at->addr) != 1)
			return; // it has ended
	}
}
