// SPDX-License-Identifier: MIT
// Following a process: what each event of a thread means, who stands and who runs.
#include "debugger/control/control.h"

#include "debugger/base/cleanup.h"
#include "debugger/control/children.h"
#include "debugger/control/patch.h"
#include "debugger/control/step.h"
#include "debugger/control/syscalls.h"
#include "debugger/target/handover.h"
#include "debugger/target/memory.h"
#include "debugger/target/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/ptrace.h>

// ---- threads --------------------------------------------------------------------------------------

static void note_failure(struct control *control, struct dc_error *err)
{
	if (!err)
		return;
	if (control->failure || thread_is_end(err))
		dc_error_destroy(err);
	else
		control->failure = err;
}

static struct thread *enter(struct control *control, struct thread *thread)
{
	thread->next = control->threads;
	control->threads = thread;
	return thread;
}

// A call's thread comes by breakpoints as any does. Left in the counts, its hits would be found at
// the thread's own next stop.
static void on_loan(struct tracee *tracee, bool is_back)
{
	struct thread *thread = (struct thread *)tracee;

	thread->is_lent = !is_back;
	thread->was_lent |= is_back;
	patch_lift(thread->control, !is_back);
	tracee->callee_signals = is_back || !thread->control->pends
					 ? 0
					 : control_callee_signals(thread->control);
	if (is_back)
		thread->control->hits_in_callees += thread_pass_over(thread);
}

uint64_t control_hits_in_callees(struct control *control)
{
	for (struct thread *thread = control->threads; thread; thread = thread->next) {
		if (thread->is_lent)
			control->hits_in_callees += thread_pass_over(thread);
	}
	return control->hits_in_callees;
}

uint64_t control_callee_signals(const struct control *control)
{
	return control->stop_signals & ~(SIGNALS_OF_FAULTS | SIGNAL_BIT(SIGABRT));
}

static bool stands_at(struct control *control, struct thread *thread, uint64_t pc);
static void stand(struct control *control, struct thread *thread, const struct stop *stop);

// A callee on the thread has stopped: for one of our locations, where its step has led, or at a
// signal that was asked for?
static bool on_callee_stop(struct tracee *tracee, const struct event *event)
{
	struct thread *thread = (struct thread *)tracee;
	struct control *control = thread->control;
	const struct stand before = {
		.stands = thread->stands,
		.in_callee = thread->in_callee,
		.stop = thread->stop,
		.breakpoint = thread->breakpoint,
		.why = thread->why,
		.signo = tracee->signo,
		.info = thread->tracee.info,
	};
	bool is_notice, is_asked_for;

	if (!control->pends || event->kind != EVENT_SIGNAL)
		return false;
	is_notice = thread_is_notice(thread, event);
	is_asked_for = !is_notice && control_callee_signals(control) & SIGNAL_BIT(event->signo);
	if (is_asked_for)
		stand(control, thread,
		      &(struct stop){ .kind = STOP_SIGNAL, .info = event->info, .pc = event->pc });
	else if (!is_notice || !stands_at(control, thread, event->pc))
		return false;
	thread_forget_why(thread);
	thread->before = before;
	thread->in_callee = true;
	tracee->signo = is_asked_for ? event->signo : 0;
	thread->tracee.info = event->info;
	return true;
}

static struct dc_error *prepare(struct control *control, struct thread **ret)
{
	struct dc_error *err = thread_create(control, ret);

	if (err)
		return err;
	(*ret)->tracee.tracer = control->tracer;
	(*ret)->tracee.process = control->process;
	(*ret)->tracee.is_attended = true;
	(*ret)->tracee.on_loan = on_loan;
	(*ret)->tracee.on_stop = on_callee_stop;
	(*ret)->tracee.how = control->how;
	(*ret)->tracee.options = children_options(control);
	return NULL;
}

static void forget(struct control *control, struct thread *thread)
{
	struct thread **at = &control->threads;

	while (*at != thread)
		at = &(*at)->next;
	*at = thread->next;
	for (at = &control->undecided; *at; at = &(*at)->next_undecided) {
		if (*at != thread)
			continue;
		*at = thread->next_undecided;
		if (!*at)
			control->last_undecided = at;
		break;
	}
	thread_destroy(thread);
}

static struct dc_error *follow(struct control *control, pid_t tid)
{
	struct thread *thread;
	struct dc_error *err = prepare(control, &thread);

	if (err)
		return err;
	err = tracee_follow(&thread->tracee, tid);
	if (!err)
		err = thread_arm(thread, control->locations);
	if (!err) {
		enter(control, thread);
		return NULL;
	}
	if (thread->tracee.tid) {
		enter(control, thread);
	} else {
		thread_destroy(thread);
	}
	if (!thread_is_end(err))
		return err;
	dc_error_destroy(err);
	return NULL;
}

// It cannot be seized, because it is ours already, be its first stop still to come.
static bool was_born_followed(const struct control *control, pid_t tid)
{
	struct thread_info info;
	struct dc_error *err = process_thread_info(control->process, tid, &info);

	dc_error_destroy(err);
	return !err && info.tracer == gettid();
}

// A thread may make another while we look: until a look finds no new one. Those that are made by
// threads that are followed already are born followed.
static struct dc_error *follow_all(struct control *control)
{
	struct dc_error *err = NULL;
	bool grown = true;

	while (!err && grown) {
		_cleanup_(process_threads_deinit) struct process_threads threads = { 0 };

		err = process_threads(control->process, &threads);
		grown = false;
		for (size_t i = 0; !err && i < threads.n; i++) {
			if (events_find(tracer_events(control->tracer), threads.tids[i]))
				continue;
			grown = true;
			err = follow(control, threads.tids[i]);
			if (err && was_born_followed(control, threads.tids[i])) {
				dc_error_destroy(err);
				err = NULL;
			}
		}
	}
	return err;
}

struct thread *control_find(struct control *control, pid_t tid)
{
	for (struct thread *thread = control->threads; thread; thread = thread->next) {
		if (thread->tracee.tid == tid)
			return thread;
	}
	return NULL;
}

// ---- standing and running -------------------------------------------------------------------------

static void tell_stop(struct control *control)
{
	if (control->on_stop && !control->settles)
		control->on_stop(control->arg);
}

static void stand(struct control *control, struct thread *thread, const struct stop *stop)
{
	thread->stop = *stop;
	thread->stop.since = tracer_now();
	thread->stands = true;
	thread->was_lent = false;
	thread->halt = false;
	if (thread->is_undecided)
		return;
	thread->is_undecided = true;
	thread->next_undecided = NULL;
	*control->last_undecided = thread;
	control->last_undecided = &thread->next_undecided;
	tell_stop(control);
}

struct thread *control_next_stop(struct control *control)
{
	struct thread *thread = control->undecided;

	if (!thread)
		return NULL;
	control->undecided = thread->next_undecided;
	if (!control->undecided)
		control->last_undecided = &control->undecided;
	thread->is_undecided = false;
	return thread;
}

static void go_on(struct control *control, struct thread *thread)
{
	note_failure(control, thread_go(thread));
}

struct dc_error *control_halt(struct control *control, struct thread *thread)
{
	(void)control;
	if (thread->stands || thread->halt)
		return NULL;
	thread->halt = true;
	tracer_events(control->tracer)->expected_at = tracer_now();
	if (ptrace(PTRACE_INTERRUPT, thread->tracee.tid, NULL, NULL) && errno != ESRCH)
		return error_errno(errno, "thread %d cannot be stopped", thread->tracee.tid);
	return NULL;
}

bool control_all_stand(const struct control *control)
{
	const struct thread *thread = control->threads;

	while (thread && thread->stands)
		thread = thread->next;
	return !thread;
}

// What sleeps in the kernel stands when it comes back; one that only waits for a CPU is waited for.
static bool any_comes(const struct control *control)
{
	for (const struct thread *at = control->threads; at; at = at->next) {
		struct thread_info info;
		struct dc_error *err = at->stands ? NULL
						  : process_thread_info(control->process,
									at->tracee.tid, &info);

		if (!at->stands && !err && info.state != 'D' && info.state != 'Z')
			return true;
		dc_error_destroy(err);
	}
	return false;
}

void control_halt_others(struct control *control, const struct thread *thread)
{
	enum { LOOK_NS = 100 * 1000 * 1000, LOOKS_MAX = 50 };

	for (struct thread *at = control->threads; at; at = at->next) {
		if (at == thread || at->stands)
			continue;
		at->is_along = true;
		note_failure(control, control_halt(control, at));
	}
	for (int i = 0; i < LOOKS_MAX && any_comes(control); i++) {
		int64_t look = tracer_now() + LOOK_NS;

		while (!control_all_stand(control) && tracer_now() < look) {
			control_attend(control);
			if (!control_all_stand(control))
				events_await_any(tracer_events(control->tracer), look);
		}
	}
}

// ---- what events mean -----------------------------------------------------------------------------

// Whether the thread, stopped at pc, is to stand for where it came to.
static bool stands_at(struct control *control, struct thread *thread, uint64_t pc)
{
	bool arrived, late;
	const struct location *hit = thread_hit(thread, &pc, &late);
	struct dc_error *err = step_arrive(thread, pc, &arrived);

	// A step's breakpoint comes first, and the other is passed when the thread goes on.
	if (arrived && !hit)
		hit = control_location_at(control, pc);

	if (late)
		note_failure(control, thread_make_heard(thread, control->locations));
	if (err) {
		// It stands where it got, and why is said.
		dc_error_destroy(thread->failure);
		thread->failure = err;
		arrived = true;
	}
	if (hit && control->passes) {
		control->passed++;
		hit = NULL;
		// It goes on from before the instruction, which may be where it was put.
		thread->stop.pc = pc;
	}
	if (hit)
		stand(control, thread,
		      &(struct stop){ .kind = STOP_LOCATION,
				      .location = hit,
				      .pc = pc,
				      .arrived = arrived });
	else if (arrived)
		stand(control, thread, &(struct stop){ .kind = STOP_STEP, .pc = pc });
	return hit || arrived;
}

static void on_signal(struct control *control, struct thread *thread, const struct event *event)
{
	uint64_t pc = event->pc;
	bool is_notice = patch_claims(thread, event, &pc) || thread_is_notice(thread, event);
	bool is_owed = thread->owed == event->signo;

	if (is_owed)
		thread->owed = 0;
	if (!is_notice) {
		thread->tracee.signo = event->signo;
		thread->tracee.info = event->info;
	}
	if (stands_at(control, thread, pc))
		return;
	if (!is_notice && !is_owed && control->stop_signals >> (event->signo - 1) & 1)
		stand(control, thread,
		      &(struct stop){ .kind = STOP_SIGNAL, .info = event->info, .pc = pc });
	else if (thread->halt)
		stand(control, thread, &(struct stop){ .kind = STOP_INTERRUPT, .pc = pc });
	else
		go_on(control, thread);
}

static void on_interrupt(struct control *control, struct thread *thread)
{
	struct user_regs_struct regs;
	struct dc_error *err = registers_get(thread->tracee.tid, &regs);

	if (!err)
		err = tracee_renew_wait(&thread->tracee, &regs);
	if (err) {
		note_failure(control, err);
		go_on(control, thread);
		return;
	}
	thread->tracee.group_stopped = false;
	if (stands_at(control, thread, registers_pc(&regs)))
		return;
	if (thread->halt)
		stand(control, thread,
		      &(struct stop){ .kind = STOP_INTERRUPT, .pc = registers_pc(&regs) });
	else
		go_on(control, thread);
}

static void on_group_stop(struct control *control, struct thread *thread)
{
	thread->tracee.group_stopped = true;
	thread->tracee.listening = true;
	if (thread->halt)
		stand(control, thread, &(struct stop){ .kind = STOP_INTERRUPT });
	else
		go_on(control, thread);
}

static void on_syscall(struct control *control, struct thread *thread, const struct event *event)
{
	bool is_entry = event->kind == EVENT_SYSCALL_ENTRY;
	struct stop stop;

	if (is_entry ? syscalls_entered(thread, event, &stop) : syscalls_left(thread, event, &stop))
		stand(control, thread, &stop);
	else
		go_on(control, thread);
	if (!is_entry)
		thread->syscall = -1;
}

// Addresses are another program's now.
static void on_exec(struct control *control, struct thread *thread)
{
	for (struct thread *at = control->threads; at; at = at->next)
		thread_disarm(at);
	stand(control, thread, &(struct stop){ .kind = STOP_EXEC });
}

static bool is_thread_of_ours(const struct control *control, pid_t tid)
{
	char path[32];

	snprintf(path, sizeof(path), "task/%d", tid);
	_cleanup_close_ int fd = process_openat(control->process, path, O_PATH);
	return fd >= 0;
}

static struct thread *adopt(struct control *control, struct tracee *newborn,
			    const struct event *event);

// What the thread does next is not told before the child is, which may come to its first stop later.
static void on_fork(struct control *control, struct thread *thread, const struct event *event)
{
	enum { PATIENCE_NS = 100 * 1000 * 1000 };
	struct events *events = tracer_events(control->tracer);
	pid_t pid = (pid_t)event->message;
	int64_t until = tracer_now() + PATIENCE_NS;
	struct tracee *child = NULL;
	struct event first;

	while (control->children_wanted != CHILDREN_LEFT && !is_thread_of_ours(control, pid) &&
	       !children_was_born(control, pid) && !(child = events_find(events, pid)) &&
	       tracer_now() < until)
		events_gather(events);
	if (child && child->is_newborn && events_take(events, child, &first))
		adopt(control, child, &first);
	go_on(control, thread);
}

static void on_gone(struct control *control, struct thread *thread, const struct event *event)
{
	if (thread->tracee.tid == control->process->pid && control->status)
		atomic_store(control->status, event->status);
	if (control->on_thread)
		control->on_thread(control->arg, thread->tracee.tid, false);
	forget(control, thread);
	if (control->threads)
		return;
	control->has_ended = true;
	tell_stop(control);
}

static void on_event(struct control *control, struct thread *thread, const struct event *event)
{
	thread->nr_events++;
	if (event->kind != EVENT_EXIT)
		thread->tracee.running = false;
	switch (event->kind) {
	case EVENT_SIGNAL: on_signal(control, thread, event); break;
	case EVENT_INTERRUPT: on_interrupt(control, thread); break;
	case EVENT_GROUP_STOP: on_group_stop(control, thread); break;
	case EVENT_EXEC: on_exec(control, thread); break;
	case EVENT_GONE: on_gone(control, thread, event); break;
	case EVENT_FORK: on_fork(control, thread, event); break;
	case EVENT_SYSCALL_ENTRY:
	case EVENT_SYSCALL_EXIT: on_syscall(control, thread, event); break;
	case EVENT_EXIT: // it was let go on
	case EVENT_DEADLINE:
	case EVENT_CANCELLED: break;
	}
}

// A thread that was born followed: it is armed before its first instruction. What is no thread of
// the process is a child of it.
static struct thread *adopt(struct control *control, struct tracee *newborn,
			    const struct event *event)
{
	struct events *events = tracer_events(control->tracer);
	struct thread *thread = NULL;
	pid_t tid = newborn->tid;
	bool is_ours = is_thread_of_ours(control, tid);
	struct dc_error *err = is_ours ? prepare(control, &thread) : NULL;

	events_disregard(events, newborn);
	free(newborn);
	note_failure(control, err);
	if (!thread) {
		if (event->kind != EVENT_GONE && !is_ours) {
			patch_spare_child(control, tid);
			children_born(control, tid);
		} else if (event->kind != EVENT_GONE) {
			ptrace(PTRACE_DETACH, tid, NULL, NULL);
		}
		return NULL;
	}
	// Its maker may not have had them yet.
	thread->tracee.options_are_new = control->children_wanted != CHILDREN_LEFT ||
					 control->patches.nr_ever;
	thread->tracee.tid = tid;
	thread->tracee.since = tracer_now();
	thread->is_young = true;
	events_add(events, &thread->tracee);
	enter(control, thread);
	note_failure(control, thread_arm(thread, control->locations));
	if (control->on_thread)
		control->on_thread(control->arg, tid, true);
	return thread;
}

// What another thread of ours has asked for meanwhile.
static void obey(struct control *control)
{
	pid_t asked = tracer_requested_halt(control->tracer);

	for (struct thread *thread = asked ? control->threads : NULL; thread;
	     thread = thread->next) {
		if (asked == -1 || asked == thread->tracee.tid)
			note_failure(control, control_halt(control, thread));
	}
}

// A thread that blocks the notice has come by a location, and gone on.
static void look_for_unheard(struct control *control)
{
	enum { INTERVAL_NS = 50 * 1000 * 1000 };
	int64_t now = control->locations ? tracer_now() : 0;

	if (now <= control->next_look)
		return;
	control->next_look = now + INTERVAL_NS;
	for (struct thread *thread = control->threads; thread; thread = thread->next) {
		if (!thread->stands && !thread->is_lent && thread_is_unheard(thread))
			note_failure(control, thread_make_heard(thread, control->locations));
	}
}

void control_attend(struct control *control)
{
	struct events *events = tracer_events(control->tracer);
	struct tracee *tracee;
	struct event event;

	if (control->patches.steps_over)
		return;
	obey(control);
	look_for_unheard(control);

	while (events_next_of_any(events, &tracee, &event)) {
		struct thread *thread;

		if (tracee->is_child) {
			children_attend(tracee, &event);
			continue;
		}
		thread = tracee->is_newborn ? adopt(control, tracee, &event)
					    : (struct thread *)tracee;
		if (thread)
			on_event(control, thread, &event);
	}
}

// Once all that has happened is seen to: whoever is told may decide at once.
static void attend(void *arg)
{
	struct control *control = arg;
	bool settles = control->settles, had_ended = control->has_ended;

	control->settles = true;
	control_attend(control);
	control->settles = settles;
	if (control->undecided || control->has_ended != had_ended)
		tell_stop(control);
}

struct dc_error *control_wait_stop(struct control *control, int64_t until, struct thread **ret)
{
	enum { LOOK_NS = 50 * 1000 * 1000 };
	struct events *events = tracer_events(control->tracer);

	for (;;) {
		control_attend(control);
		*ret = control_next_stop(control);
		if (*ret)
			return NULL;
		if (control->failure)
			return take_ptr(control->failure);
		if (control->has_ended)
			return error_in_state(error_make(DC_TARGET_ENDED, "process %d has ended",
							 control->process->pid),
					      DC_STATE_ENDED);
		if (tracer_cancelled(control->tracer))
			return error_make(DC_CANCELLED, "interrupted");
		// Now and then somebody looks for hits that no stop tells of.
		int64_t now = tracer_now(), look = now + LOOK_NS;

		if (until && now >= until)
			return NULL;
		events_await_any(events, until && until < look ? until : look);
	}
}

// ---- beginning and end ----------------------------------------------------------------------------

static size_t read_code(void *arg, uint64_t addr, void *buf, size_t n)
{
	return memory_read_some(arg, addr, buf, n);
}

static struct dc_error *begin(void *arg)
{
	struct control *control = arg;

	tracer_attend(control->tracer, attend, control);
	return follow_all(control);
}

struct dc_error *control_create(struct tracer *tracer, struct process *process,
				enum children_wanted children, struct control **ret)
{
	struct control *control = calloc(1, sizeof(*control));
	struct dc_error *err;

	if (!control)
		return &dc_out_of_memory;
	control->tracer = tracer;
	control->process = process;
	control->last_undecided = &control->undecided;
	control->how = RESUME_RUN;
	control->children_wanted = children;
	control->may_judge = getenv("DC_JUDGE_IN_KERNEL") != NULL;
	err = decoder_create(read_code, process, &control->decoder);
	if (!err)
		err = tracer_run(tracer, begin, control);
	if (err) {
		control_destroy(control);
		return err;
	}
	*ret = control;
	return NULL;
}

static struct dc_error *receive(void *arg)
{
	enum { PATIENCE_NS = 1000 * 1000 * 1000 };
	struct control *control = arg;
	struct thread *thread = control->threads;
	struct user_regs_struct regs;
	bool slept = false;
	struct dc_error *err = thread ? control_halt(control, thread) : NULL;

	if (!err)
		err = control_wait_stop(control, tracer_now() + PATIENCE_NS, &thread);
	if (err || !thread)
		return err;
	if (thread->stop.kind == STOP_INTERRUPT)
		err = handover_take(&thread->tracee, &slept);
	if (!err && slept)
		err = registers_get(thread->tracee.tid, &regs);
	if (!err && slept)
		thread->stop.pc = registers_pc(&regs);
	if (!err && !slept)
		err = thread_go(thread);
	return err;
}

struct dc_error *control_receive(struct control *control)
{
	return tracer_run(control->tracer, receive, control);
}

// What has been taken from the kernel is given back: a thread at a signal still receives it.
static void release_standing(struct control *control)
{
	for (struct thread *thread = control->threads; thread; thread = thread->next) {
		if (!thread->tracee.running && thread->tracee.is_known)
			note_failure(control, tracee_leave(&thread->tracee));
	}
}

static struct dc_error *end(void *arg)
{
	struct control *control = arg;

	for (struct thread *thread = control->threads; thread; thread = thread->next)
		thread_disarm(thread);
	control->passes = true;
	control->on_stop = NULL;
	control->on_thread = NULL;
	control->on_child = NULL;
	patch_lift_for_good(control);
	control_attend(control);
	tracer_attend(control->tracer, NULL, NULL);
	release_standing(control);
	// A thread that runs cannot be detached from, and to stop it would end waits of its. When
	// the tracer thread ends the kernel lets go of all, and none notices.
	if (children_forget(control) || control->threads)
		tracer_abandon(control->tracer);
	while (control->threads)
		forget(control, control->threads);
	return NULL;
}

void control_destroy(struct control *control)
{
	if (!control)
		return;
	dc_error_destroy(tracer_run(control->tracer, end, control));
	control_forget_locations(control);
	free(control->patches.ever);
	dc_error_destroy(control->failure);
	decoder_destroy(control->decoder);
	free(control);
}
