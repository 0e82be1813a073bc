// SPDX-License-Identifier: MIT
// A child with memory of its own sleeps from its birth on. One that has its parent's for now, as by
// vfork, is followed until it becomes another program: nothing may be written to that memory.
#include "debugger/control/children.h"

#include "debugger/base/cleanup.h"
#include "debugger/control/syscalls.h"
#include "debugger/target/gadgets.h"
#include "debugger/target/handover.h"

#include <linux/sched.h>
#include <stdlib.h>
#include <sys/ptrace.h>

// Until it is another program.
struct child {
	struct tracee tracee; // first: its events are found by it
	struct process *process;
	struct control *control;
	struct child *next;
	bool execed;
};

unsigned long children_options(const struct control *control)
{
	unsigned long forks = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK;

	return PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_TRACECLONE |
	       (control->children_wanted == CHILDREN_LEFT && !control->patches.nr_ever ? 0 : forks);
}

void children_follow(struct control *control, enum children_wanted wanted)
{
	bool was = control->children_wanted != CHILDREN_LEFT;

	control->children_wanted = wanted;
	for (struct thread *at = control->threads; at; at = at->next) {
		struct tracee *tracee = &at->tracee;

		tracee->options_are_new |= tracee->options != children_options(control);
		tracee->options = children_options(control);
		// Who wants none any more can wait for each thread's next stop.
		if (tracee->options_are_new && !was && !at->stands)
			ptrace(PTRACE_INTERRUPT, tracee->tid, NULL, NULL);
	}
}

// ---- left to others -------------------------------------------------------------------------------

static void tell(struct control *control, const struct born *born)
{
	// Of the first one everybody else is a stranger.
	if (control->children_wanted == CHILDREN_FIRST)
		children_follow(control, CHILDREN_LEFT);
	control->on_child(control->arg, born);
}

// It stands, and is in no table.
static void leave(struct control *control, struct process *process, pid_t pid, bool execed)
{
	struct born born = { .pid = pid, .execed = execed };
	struct dc_error *err = handover_leave(control->tracer, process, pid);

	born.problem = err ? err->message : NULL;
	if (!err || (err->code != DC_TARGET_ENDED && err->code != DC_THREAD_ENDED))
		tell(control, &born);
	dc_error_destroy(err);
}

// ---- followed -------------------------------------------------------------------------------------

static void forget(struct child *child)
{
	struct child **at = &child->control->children;

	while (*at != child)
		at = &(*at)->next;
	*at = child->next;
	events_disregard(tracer_events(child->control->tracer), &child->tracee);
	process_close(child->process);
	free(child);
}

bool children_forget(struct control *control)
{
	bool any = control->children;

	while (control->children)
		forget(control->children);
	return any;
}

// Takes the process over.
static void follow(struct control *control, struct process *process, pid_t pid)
{
	struct child *child = calloc(1, sizeof(*child));

	if (!child) {
		process_close(process);
		ptrace(PTRACE_DETACH, pid, NULL, NULL);
		return;
	}
	child->control = control;
	child->process = process;
	child->tracee = (struct tracee){ .tracer = control->tracer,
					 .process = process,
					 .tid = pid,
					 .options = children_options(control),
					 .how = RESUME_RUN,
					 .leaves_signals = true,
					 .is_attended = true,
					 .is_child = true };
	child->next = control->children;
	control->children = child;
	events_add(tracer_events(control->tracer), &child->tracee);
	dc_error_destroy(tracee_go_on(&child->tracee, RESUME_RUN));
}

// Where the new program begins: behind the system call, whose result is still to come at the event.
static void on_exec(struct child *child)
{
	child->execed = true;
	process_renew(child->process);
	ptrace(PTRACE_INTERRUPT, child->tracee.tid, NULL, NULL);
}

static void go_to_sleep(struct child *child)
{
	struct control *control = child->control;
	struct process *process = take_ptr(child->process);
	pid_t pid = child->tracee.tid;

	forget(child);
	leave(control, process, pid, true);
	process_close(process);
}

void children_attend(struct tracee *tracee, const struct event *event)
{
	struct child *child = (struct child *)tracee;

	tracee->running = false;
	switch (event->kind) {
	case EVENT_GONE: forget(child); return;
	case EVENT_INTERRUPT:
		if (child->execed) {
			go_to_sleep(child);
			return;
		}
		tracee->listening = false;
		break;
	case EVENT_EXEC: on_exec(child); break;
	case EVENT_SIGNAL: tracee->signo = event->signo; break;
	case EVENT_GROUP_STOP: tracee->listening = true; break;
	default: break;
	}
	dc_error_destroy(tracee_go_on(tracee, RESUME_RUN));
}

// ---- born -----------------------------------------------------------------------------------------

static bool any_is_lent(const struct control *control)
{
	const struct thread *at = control->threads;

	while (at && !at->is_lent)
		at = at->next;
	return at != NULL;
}

// How it was made: it stands where its maker stood.
static struct dc_error *flags_of(struct process *process, pid_t pid, uint64_t *ret)
{
	struct user_regs_struct regs;
	uint64_t args[6];
	struct dc_error *err = registers_get(pid, &regs);

	*ret = 0;
	if (err)
		return err;
	registers_arguments(&regs, args);
	if (!syscalls_clone_flags(process, registers_syscall(&regs), args[0], ret))
		err = error_make(DC_SYSTEM, "process %d was made in an unknown way", pid);
	return err;
}

enum { BORN_MAX = sizeof(((struct control *)NULL)->born) / sizeof(pid_t) };

bool children_was_born(const struct control *control, pid_t pid)
{
	size_t i = 0;

	while (i < BORN_MAX && control->born[i] != pid)
		i++;
	return i < BORN_MAX;
}

void children_born(struct control *control, pid_t pid)
{
	struct process *process = NULL;
	uint64_t flags;
	struct dc_error *err = NULL;

	control->born[control->nr_born++ % BORN_MAX] = pid;
	// A call's child is none of the program's.
	if (control->children_wanted == CHILDREN_LEFT || !control->on_child ||
	    any_is_lent(control)) {
		ptrace(PTRACE_DETACH, pid, NULL, NULL);
		return;
	}
	err = process_open(pid, &process);
	if (!err)
		err = flags_of(process, pid, &flags);
	if (!err && flags & CLONE_VM && flags & CLONE_VFORK) {
		follow(control, take_ptr(process), pid);
	} else if (!err && !(flags & CLONE_VM)) {
		gadgets_inherit(process, control->process);
		leave(control, process, pid, false);
	} else {
		ptrace(PTRACE_DETACH, pid, NULL, NULL);
	}
	dc_error_destroy(err);
	process_close(process);
}
