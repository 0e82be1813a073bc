// SPDX-License-Identifier: MIT
// Arming one thread, telling its hits from its signals, letting it go on.
#include "debugger/control/thread.h"

#include "debugger/base/cleanup.h"
#include "debugger/base/trace.h"
#include "debugger/control/control.h"
#include "debugger/control/patch.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

struct dc_error *thread_create(struct control *control, struct thread **ret)
{
	struct thread *thread = calloc(1, sizeof(*thread));

	if (!thread)
		return &dc_out_of_memory;
	thread->control = control;
	thread->tracee.leaves_signals = true;
	thread->syscall = -1;
	for (size_t i = 0; i < SLOTS; i++)
		thread->slots[i].event = KERNEL_BREAKPOINT_NONE;
	*ret = thread;
	return NULL;
}

bool thread_is_end(const struct dc_error *err)
{
	return err->code == DC_TARGET_ENDED || err->code == DC_THREAD_ENDED;
}

void thread_forget_why(struct thread *thread)
{
	thread->breakpoint = 0;
	thread->why = 0;
	thread->returned = 0;
	free(take_ptr(thread->problem));
	free(take_ptr(thread->was));
	free(take_ptr(thread->is));
}

void thread_destroy(struct thread *thread)
{
	thread_disarm(thread);
	events_disregard(tracer_events(thread->tracee.tracer), &thread->tracee);
	free(thread->step.plan);
	thread_forget_why(thread);
	dc_error_destroy(thread->failure);
	free(thread);
}

// ---- arming ---------------------------------------------------------------------------------------

static void disarm(struct slot *slot)
{
	kernel_breakpoint_disarm(&slot->event);
	slot->location = NULL;
}

void thread_disarm(struct thread *thread)
{
	for (size_t i = 0; i < SLOTS; i++)
		disarm(&thread->slots[i]);
	if (thread->seat.notice)
		uprobes_unseat(thread->control->uprobes, thread->tracee.tid);
	thread->seat.notice = 0;
}

static bool is_location(const struct location *locations, const struct location *wanted)
{
	while (locations && locations != wanted)
		locations = locations->next;
	return locations && locations->way == LOCATION_HARDWARE;
}

static bool is_armed_at(const struct thread *thread, const struct location *location)
{
	for (size_t i = 0; i < LOCATIONS_MAX; i++) {
		if (thread->slots[i].location == location)
			return true;
	}
	return false;
}

// NULL: a step has it, or others have all.
static struct slot *free_slot(struct thread *thread)
{
	for (size_t i = 0; i < LOCATIONS_MAX; i++) {
		if (!thread->slots[i].location && thread->slots[i].event.fd < 0)
			return &thread->slots[i];
	}
	return NULL;
}

// The signal that tells of hits. What a thread blocks for the moment, as all do while they are being
// made, it will not block when it comes to a place that anybody is interested in; one that always
// does is told of by SIGCONT, which stops a traced thread all the same.
struct dc_error *thread_notice(const struct thread *thread, int *ret)
{
	const struct tracee *tracee = &thread->tracee;
	struct thread_info info;
	struct dc_error *err = process_thread_info(tracee->process, tracee->tid, &info);

	if (err)
		return err;
	if (thread->is_young)
		info.sig_blocked = 0;
	*ret = (thread->is_deaf ? 0 : kernel_breakpoint_notice(&info)) ?: SIGCONT;
	return NULL;
}

// Uprobes are for all threads; each is told in its own way.
static struct dc_error *take_seat(struct thread *thread, int *notice)
{
	struct dc_error *err = *notice ? NULL : thread_notice(thread, notice);

	if (!err)
		err = uprobes_seat(thread->control->uprobes, thread->tracee.tid, *notice);
	if (err)
		return err;
	thread->seat.notice = *notice;
	thread->seat.seen = thread->seat.told = 0;
	thread->tracee.notices |= UINT64_C(1) << (*notice - 1);
	return NULL;
}

static struct dc_error *arm(struct thread *thread, struct slot *slot,
			    const struct location *location, int notice)
{
	struct dc_error *err = kernel_breakpoint_prepare(&slot->event, thread->tracee.tid,
							 location->kind, location->addr,
							 location->size, notice);

	// Where that cannot be, all its hits are told.
	if (!err && location->filter)
		dc_error_destroy(kernel_breakpoint_attach(&slot->event, location->filter));
	if (!err)
		err = kernel_breakpoint_enable(&slot->event);
	if (err) {
		kernel_breakpoint_disarm(&slot->event);
		return err;
	}
	slot->location = location;
	thread->tracee.notices |= UINT64_C(1) << (notice - 1);
	return NULL;
}

struct dc_error *thread_arm(struct thread *thread, const struct location *locations)
{
	struct dc_error *err = NULL;
	int notice = 0;

	for (size_t i = 0; i < LOCATIONS_MAX; i++) {
		struct slot *slot = &thread->slots[i];

		if (slot->location && !is_location(locations, slot->location))
			disarm(slot);
	}
	for (const struct location *at = locations; at && !err; at = at->next) {
		struct slot *slot = free_slot(thread);

		if (at->way != LOCATION_HARDWARE || is_armed_at(thread, at))
			continue;
		if (!slot)
			err = error_make(DC_REFUSED,
					 "thread %d is in the middle of a step that takes what "
					 "breakpoints are free",
					 thread->tracee.tid);
		if (!err && !notice)
			err = thread_notice(thread, &notice);
		if (!err)
			err = arm(thread, slot, at, notice);
	}
	if (!err && thread->control->uprobes && !thread->seat.notice)
		err = take_seat(thread, &notice);
	return err;
}

struct dc_error *thread_arm_anew(struct thread *thread, const struct location *location)
{
	struct dc_error *err = NULL;
	int notice;

	for (size_t i = 0; i < LOCATIONS_MAX && !err; i++) {
		struct slot *slot = &thread->slots[i];

		if (slot->location != location)
			continue;
		notice = slot->event.notice;
		disarm(slot);
		err = arm(thread, slot, location, notice);
	}
	if (!err || !thread_is_end(err))
		return err;
	dc_error_destroy(err);
	return NULL;
}

// ---- stops ----------------------------------------------------------------------------------------

// Hits that nobody has asked for yet.
static uint64_t untold_by_uprobes(const struct thread *thread, struct uprobe_hits *hits)
{
	if (!thread->seat.notice ||
	    !uprobes_look(thread->control->uprobes, thread->tracee.tid, hits))
		return 0;
	return hits->n - thread->seat.seen;
}

static uint64_t hits_of_uprobes(struct thread *thread, struct uprobe_hits *hits)
{
	uint64_t since = untold_by_uprobes(thread, hits);

	thread->seat.seen += since;
	thread->seat.is_due |= since && hits->n != thread->seat.told;
	return since;
}

// Whether the thread has stopped at its first occasion, right where the instruction led.
static bool is_right_behind(const struct thread *thread, const struct user_regs_struct *before,
			    uint64_t pc)
{
	struct successor next;
	struct dc_error *err = successor_of(thread->control->decoder, before, &next);
	bool is_known = !err;

	dc_error_destroy(err);
	return is_known && next.addr == pc;
}

// The instruction has run. It is one that these registers undo, and nobody is told before they have.
static const struct location *hit_by_uprobe(struct thread *thread, uint64_t *pc, bool *late)
{
	struct uprobe_hits hits;
	struct user_regs_struct now;

	if (!hits_of_uprobes(thread, &hits))
		return NULL;

	const struct location *hit = control_location_at(thread->control, hits.addr);
	struct dc_error *err = hit ? registers_get(thread->tracee.tid, &now) : NULL;

	if (!hit)
		return NULL;
	if (!err) {
		registers_take_segments(&hits.before, &now);
		if (is_right_behind(thread, &hits.before, registers_pc(&now)))
			err = registers_set(thread->tracee.tid, &hits.before);
		else
			*late = true;
	}
	if (err || *late) {
		dc_error_destroy(err);
		return NULL;
	}
	*pc = hit->addr;
	return hit;
}

const struct location *thread_hit(struct thread *thread, uint64_t *pc, bool *late)
{
	const struct location *ret = take_ptr(thread->trapped);

	*late = false;
	for (size_t i = 0; i < LOCATIONS_MAX; i++) {
		struct slot *slot = &thread->slots[i];

		if (!slot->location || !kernel_breakpoint_hits(&slot->event))
			continue;
		if (slot->location->kind != BREAKPOINT_EXECUTE || slot->location->addr == *pc)
			ret = slot->location;
		else
			*late = true;
	}
	return ret ?: hit_by_uprobe(thread, pc, late);
}

uint64_t thread_pass_over(struct thread *thread)
{
	struct uprobe_hits of_uprobes;
	uint64_t hits = hits_of_uprobes(thread, &of_uprobes);

	for (size_t i = 0; i < SLOTS; i++)
		hits += kernel_breakpoint_hits(&thread->slots[i].event);
	return hits;
}

bool thread_is_unheard(struct thread *thread)
{
	struct uprobe_hits hits;
	bool untold = untold_by_uprobes(thread, &hits) != 0, was = thread->was_untold;

	for (size_t i = 0; i < SLOTS; i++)
		untold |= kernel_breakpoint_untold(&thread->slots[i].event) != 0;
	// One that is being told of at this moment is at the next look.
	was = was && thread->nr_events == thread->nr_events_looked;
	thread->was_untold = untold;
	thread->nr_events_looked = thread->nr_events;
	return untold && was;
}

struct dc_error *thread_make_heard(struct thread *thread, const struct location *locations)
{
	if (thread->is_deaf)
		return NULL;
	thread->is_deaf = true;
	for (size_t i = 0; i < LOCATIONS_MAX; i++) {
		if (thread->slots[i].location)
			disarm(&thread->slots[i]);
	}
	thread->seat.notice = 0;
	return thread_arm(thread, locations);
}

// The kernel says of itself only, and others may say that, too: where a hit is told, the signal is
// one that does nothing else.
static bool is_notice_of_uprobe(struct thread *thread, const struct event *event)
{
	struct uprobe_hits hits;

	if (event->signo != thread->seat.notice || event->info.si_code != SI_KERNEL)
		return false;
	if (untold_by_uprobes(thread, &hits))
		thread->seat.told = hits.n;
	else if (!thread->seat.is_due)
		return false;
	thread->seat.is_due = false;
	return true;
}

bool thread_is_notice(struct thread *thread, const struct event *event)
{
	if (is_notice_of_uprobe(thread, event))
		return true;
	for (size_t i = 0; i < SLOTS; i++) {
		const struct kernel_breakpoint *armed = &thread->slots[i].event;

		// By the kernel alone, and about a descriptor of ours.
		if (armed->fd >= 0 && event->signo == armed->notice &&
		    (event->info.si_code > 0 || event->info.si_code == SI_SIGIO) &&
		    event->info.si_fd == armed->fd)
			return true;
	}
	return false;
}

// A breakpoint where the thread stands is not met by going on from it: the resume flag lets that one
// instruction run, as after a hit.
static struct dc_error *pass_here(struct thread *thread)
{
	uint64_t pc = thread->stop.pc;
	struct user_regs_struct regs;
	struct control *control = thread->control;
	const struct location *at = control_location_at(control, pc);
	bool is_here = false;

	// Around a system call it is still to come.
	if (thread->stop.kind >= STOP_SYSCALL)
		return NULL;
	for (size_t i = 0; i < SLOTS; i++) {
		const struct kernel_breakpoint *event = &thread->slots[i].event;

		is_here |= event->fd >= 0 && event->addr == pc;
	}
	if (!is_here && !at)
		return NULL;

	struct dc_error *err = registers_get(thread->tracee.tid, &regs);

	if (err || registers_pc(&regs) != pc)
		return err;
	if (at && at->way == LOCATION_UPROBE)
		uprobes_pass(control->uprobes, thread->tracee.tid, pc, registers_sp(&regs));
	else if (at && !control->patches.lifted)
		return patch_step_over(thread);
	return is_here ? registers_poke(thread->tracee.tid, REGISTER_FLAGS_OFFSET,
					regs.eflags | FLAG_RESUME)
		       : NULL;
}

// A call that was made where it stands has led it away from the stop at its signal, which is with us
// since then.
static struct dc_error *bring_signal(struct thread *thread)
{
	struct tracee *tracee = &thread->tracee;
	pid_t pid = tracee->process->pid, tid = tracee->tid;
	int signo = tracee->signo;
	bool is_told = thread->tracee.info.si_signo == signo;

	if (!signo || !thread->was_lent)
		return NULL;
	if (tracee->at_signal) {
		// In the place of the one that it stands at now, with all that it came with.
		if (is_told)
			ptrace(PTRACE_SETSIGINFO, tid, NULL, &thread->tracee.info);
		return NULL;
	}
	// At other stops the kernel takes none. Of many the kernel lets nobody say who sent them.
	tracee->signo = 0;
	thread->owed = signo;
	if ((is_told && !syscall(SYS_rt_tgsigqueueinfo, pid, tid, signo, &thread->tracee.info)) ||
	    !syscall(SYS_tgkill, pid, tid, signo) || errno == ESRCH)
		return NULL;
	return error_errno(errno, "thread %d is not sent its signal", tid);
}

void thread_stand_again(struct thread *thread, const struct stand *before)
{
	thread_forget_why(thread);
	thread->in_callee = before->in_callee;
	thread->stands = before->stands;
	thread->stop = before->stop;
	thread->breakpoint = before->breakpoint;
	thread->why = before->why;
	// Else it may have one of the callee's, which was undone.
	if (!before->signo)
		return;
	thread->tracee.signo = before->signo;
	thread->tracee.info = before->info;
}

struct dc_error *thread_go(struct thread *thread)
{
	bool in_callee = thread->in_callee;
	struct dc_error *err = in_callee ? NULL : bring_signal(thread);

	if (err)
		return err;
	thread->in_callee = false;
	thread->stands = thread->is_along = false;
	thread_forget_why(thread);
	err = pass_here(thread);
	thread->stop = (struct stop){ 0 };
	if (err && thread_is_end(err)) {
		dc_error_destroy(err);
		err = NULL;
	}
	if (err)
		return err;
	if (in_callee) {
		thread->control->on_go(thread->control->arg, thread);
		return NULL;
	}
	return tracee_go_on(&thread->tracee, thread->tracee.how);
}
