// SPDX-License-Identifier: MIT
// The one place that waits. It asks for every tracee of the tracer thread at once; a program that
// embeds the library keeps its own children, because they are those of its other threads.
#include "debugger/target/events.h"

#include "debugger/base/trace.h"
#include "debugger/target/tracee.h"
#include "debugger/target/tracer.h"

#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

// ---- the table ------------------------------------------------------------------------------------

static struct tracee **slot(struct events *events, pid_t tid)
{
	struct tracee **slot = &events->tracees[(unsigned)tid % EVENTS_BUCKETS];

	while (*slot && (*slot)->tid != tid)
		slot = &(*slot)->next;
	return slot;
}

struct tracee *events_find(const struct events *events, pid_t tid)
{
	return *slot((struct events *)(uintptr_t)events, tid);
}

static void enter(struct events *events, struct tracee *tracee)
{
	struct tracee **bucket = &events->tracees[(unsigned)tracee->tid % EVENTS_BUCKETS];

	tracee->is_known = true;
	tracee->next = *bucket;
	*bucket = tracee;
	events->n++;
}

void events_add(struct events *events, struct tracee *tracee)
{
	enum { BEARS = PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK };

	tracee->queue.n = 0;
	events->expects_newborns |= (tracee->options & BEARS) != 0;
	enter(events, tracee);
}

void events_remove(struct events *events, struct tracee *tracee)
{
	struct tracee **at = &events->tracees[(unsigned)tracee->tid % EVENTS_BUCKETS];

	if (!tracee->is_known)
		return;
	while (*at != tracee)
		at = &(*at)->next;
	*at = tracee->next;
	tracee->is_known = false;
	events->n--;
}

void events_clear(struct events *events)
{
	for (size_t i = 0; i < EVENTS_BUCKETS; i++) {
		while (events->tracees[i]) {
			struct tracee *tracee = events->tracees[i];

			events_remove(events, tracee);
			tracee->tid = 0;
			if (tracee->is_newborn)
				free(tracee);
		}
	}
	events->expects_newborns = false;
}

static void push(struct tracee *tracee, const struct event *event)
{
	struct event_queue *queue = &tracee->queue;

	if (queue->n < sizeof(queue->event) / sizeof(*queue->event))
		queue->event[queue->n++] = *event;
}

static bool pop(struct tracee *tracee, struct event *ret)
{
	struct event_queue *queue = &tracee->queue;

	if (!queue->n)
		return false;
	*ret = queue->event[0];
	queue->n--;
	for (unsigned i = 0; i < queue->n; i++)
		queue->event[i] = queue->event[i + 1];
	return true;
}

// ---- what a stop means ----------------------------------------------------------------------------

static uint64_t peek(pid_t tid, size_t offset)
{
	// All ones is an error's value, no place where a thread can be and no system call.
	return (uint64_t)ptrace(PTRACE_PEEKUSER, tid, offset, NULL);
}

// A kill ends a stop that was reported, and the thread may stand in its last one by now: what is
// asked of it then is about that one, which the next wait reports. So each of these tells whether
// the stop still is.

static bool classify_syscall(struct event *event)
{
	struct __ptrace_syscall_info info;

	// Never by counting: an entry and its exit may lie on the two sides of other stops.
	if (ptrace(PTRACE_GET_SYSCALL_INFO, event->tid, sizeof(info), &info) <= 0)
		return false;
	event->pc = info.instruction_pointer;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		event->kind = EVENT_SYSCALL_ENTRY;
		event->syscall = (long)info.entry.nr;
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
		event->kind = EVENT_SYSCALL_EXIT;
		event->result = info.exit.rval;
	}
	return info.op == PTRACE_SYSCALL_INFO_ENTRY || info.op == PTRACE_SYSCALL_INFO_EXIT;
}

static bool classify_signal(struct event *event)
{
	event->kind = EVENT_SIGNAL;
	event->pc = peek(event->tid, offsetof(struct user_regs_struct, rip));
	return !ptrace(PTRACE_GETSIGINFO, event->tid, NULL, &event->info) &&
	       event->info.si_signo == event->signo;
}

static bool classify(struct event *event)
{
	int status = event->status;

	if (!WIFSTOPPED(status)) {
		event->kind = EVENT_GONE;
		return true;
	}
	event->signo = WSTOPSIG(status);
	switch (status >> 16) {
	case PTRACE_EVENT_STOP:
		event->kind = event->signo == SIGTRAP ? EVENT_INTERRUPT : EVENT_GROUP_STOP;
		return true;
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE: event->kind = EVENT_FORK; break;
	case PTRACE_EVENT_EXEC: event->kind = EVENT_EXEC; break;
	case PTRACE_EVENT_EXIT:
		event->kind = EVENT_EXIT;
		event->syscall = (long)peek(event->tid,
					    offsetof(struct user_regs_struct, orig_rax));
		break;
	default:
		return event->signo == (SIGTRAP | 0x80) ? classify_syscall(event)
							: classify_signal(event);
	}
	ptrace(PTRACE_GETEVENTMSG, event->tid, NULL, &event->message);
	return true;
}

static void trace_event(const struct event *event)
{
	switch (event->kind) {
	case EVENT_SIGNAL:
		trace(TRACE_TARGET, "stops for signal", event->tid, event->signo, event->pc);
		break;
	case EVENT_GROUP_STOP:
		trace(TRACE_TARGET, "is stopped by signal", event->tid, event->signo, 0);
		break;
	case EVENT_INTERRUPT: trace(TRACE_TARGET, "is interrupted", event->tid, 0, 0); break;
	case EVENT_SYSCALL_ENTRY:
		trace(TRACE_TARGET, "enters system call", event->tid, event->syscall, event->pc);
		break;
	case EVENT_SYSCALL_EXIT:
		trace(TRACE_TARGET, "system call gives", event->tid, event->result, event->pc);
		break;
	case EVENT_FORK:
		trace(TRACE_TARGET, "has child", event->tid, (int64_t)event->message, 0);
		break;
	case EVENT_EXEC:
		trace(TRACE_TARGET, "executes; was thread", event->tid, (int64_t)event->message, 0);
		break;
	case EVENT_EXIT:
		trace(TRACE_TARGET, "ends with", event->tid, (int64_t)event->message, 0);
		break;
	case EVENT_GONE: trace(TRACE_TARGET, "is gone with", event->tid, event->status, 0); break;
	case EVENT_DEADLINE:
	case EVENT_CANCELLED: break; // nothing has happened
	}
}

// ---- whom it is about -----------------------------------------------------------------------------

static void note_gone(struct events *events, struct tracee *tracee, struct event event)
{
	event.tid = tracee->tid;
	events_remove(events, tracee);
	push(tracee, &event);
}

// A thread that executes a program takes its leader's id. The leader itself vanishes unreported.
static struct tracee *rename_executor(struct events *events, const struct event *event)
{
	struct tracee *leader = events_find(events, event->tid);
	struct tracee *tracee = leader;

	if ((pid_t)event->message != event->tid)
		tracee = events_find(events, (pid_t)event->message);
	if (leader && leader != tracee)
		note_gone(events, leader, (struct event){ .kind = EVENT_GONE });
	if (tracee && tracee != leader) {
		events_remove(events, tracee);
		tracee->tid = event->tid;
		enter(events, tracee);
	}
	return tracee;
}

// One that was born traced, and is nobody's yet.
static struct tracee *newborn(struct events *events, pid_t tid)
{
	struct tracee *tracee = calloc(1, sizeof(*tracee));

	if (tracee) {
		tracee->tid = tid;
		tracee->is_newborn = true;
		events_add(events, tracee);
	}
	return tracee;
}

// Nobody waits for it any more: it goes on with what it was about to receive.
static void let_go(const struct event *event)
{
	int signo = event->kind == EVENT_SIGNAL ? event->signo : 0;

	if (event->kind != EVENT_GONE)
		ptrace(PTRACE_DETACH, event->tid, NULL, (void *)(intptr_t)signo);
}

static void dispatch(struct events *events, const struct event *event, const struct tracee *awaited)
{
	struct tracee *tracee = event->kind == EVENT_EXEC ? rename_executor(events, event)
							  : events_find(events, event->tid);

	if (!tracee && event->kind == EVENT_INTERRUPT && events->expects_newborns)
		tracee = newborn(events, event->tid);
	if (!tracee) {
		let_go(event);
		return;
	}
	if (event->kind == EVENT_GONE) {
		note_gone(events, tracee, *event);
		return;
	}
	push(tracee, event);
	if (event->kind == EVENT_EXIT && tracee != awaited)
		ptrace(PTRACE_CONT, event->tid, NULL, NULL);
}

// ---- waiting --------------------------------------------------------------------------------------

// Takes what one look brings. *none: nothing has happened.
static struct dc_error *gather(struct events *events, struct tracee *awaited, bool *none)
{
	struct event event = { 0 };

	event.tid = waitpid(-1, &event.status, __WALL | __WNOTHREAD | WNOHANG);
	*none = event.tid <= 0;
	if (event.tid > 0) {
		if (classify(&event)) {
			trace_event(&event);
			dispatch(events, &event, awaited);
		}
	} else if (event.tid < 0) {
		if (errno != ECHILD)
			return error_errno(errno, "waiting for threads of process %d",
					   events->process->pid);
		if (awaited)
			note_gone(events, awaited, (struct event){ .kind = EVENT_GONE });
	}
	return NULL;
}

// A leader vanishes without a word when a thread that is not traced executes a program.
static void look_for_leader(struct events *events, struct tracee *tracee)
{
	siginfo_t info;

	if (tracee->is_known && tracee->tid == events->process->pid && !tracee->queue.n &&
	    waitid(P_PID, (id_t)tracee->tid, &info,
		   WEXITED | WSTOPPED | WNOHANG | WNOWAIT | __WALL | __WNOTHREAD) &&
	    errno == ECHILD)
		note_gone(events, tracee, (struct event){ .kind = EVENT_GONE });
}

struct dc_error *events_next(struct events *events, struct tracee *tracee, int64_t deadline,
			     bool may_cancel, struct event *ret)
{
	// Longer than a stop on another CPU takes to come, shorter than anyone minds.
	enum { SPIN_NS = 300 * 1000, SLEEP_MAX_NS = 5 * 1000 * 1000 };
	int64_t begin = 0;

	*ret = (struct event){ .tid = tracee->tid };
	for (unsigned round = 0;; round++) {
		bool none = false;

		if (pop(tracee, ret))
			return NULL;
		if (!tracee->is_known) {
			ret->kind = EVENT_GONE;
			return NULL;
		}

		struct dc_error *err = gather(events, tracee, &none);

		if (err)
			return err;
		if (!none)
			continue;
		if (may_cancel && __atomic_load_n(&events->cancelled, __ATOMIC_RELAXED)) {
			ret->kind = EVENT_CANCELLED;
			return NULL;
		}
		// The clock is not read before the stop has had time to come.
		if (round % 8 == 7) {
			int64_t now = tracer_now();

			if (!begin)
				begin = now;
			if (deadline && now >= deadline) {
				ret->kind = EVENT_DEADLINE;
				return NULL;
			}
			if (now - begin > SPIN_NS) {
				int64_t ns = (now - begin) / 16;

				if (ns > SLEEP_MAX_NS)
					ns = SLEEP_MAX_NS;
				if (deadline && ns > deadline - now)
					ns = deadline - now;
				nanosleep(&(struct timespec){ .tv_nsec = ns }, NULL);
				look_for_leader(events, tracee);
				round = 6; // look, then read the clock again
				continue;
			}
		}
		sched_yield();
	}
}

void events_await(struct events *events, struct tracee *tracee)
{
	enum { LIMIT_NS = 100 * 1000 * 1000 };
	int64_t limit = tracer_now() + LIMIT_NS;

	while (tracee->is_known && !tracee->queue.n && tracer_now() < limit) {
		bool none;

		dc_error_destroy(gather(events, NULL, &none));
		sched_yield();
	}
}

void events_gather(struct events *events)
{
	bool none = false;

	// An error of the wait is told to whoever waits for an event.
	while (!none)
		dc_error_destroy(gather(events, NULL, &none));
}

bool events_is_lost(struct events *events, struct tracee *tracee)
{
	events_gather(events);
	look_for_leader(events, tracee);
	for (unsigned i = 0; i < tracee->queue.n; i++)
		if (tracee->queue.event[i].kind == EVENT_EXEC)
			return true;
	return !tracee->is_known;
}

static bool has_ended(const struct tracee *tracee)
{
	siginfo_t info = { 0 };

	// A stop is left for the tracer thread.
	return !waitid(P_PID, (id_t)tracee->tid, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) &&
	       info.si_pid &&
	       (info.si_code == CLD_EXITED || info.si_code == CLD_KILLED ||
		info.si_code == CLD_DUMPED);
}

void events_reap(struct events *events)
{
	for (size_t i = 0; i < EVENTS_BUCKETS; i++) {
		struct tracee *next;

		for (struct tracee *tracee = events->tracees[i]; tracee; tracee = next) {
			struct event event = { .kind = EVENT_GONE };

			next = tracee->next;
			if (has_ended(tracee) &&
			    waitpid(tracee->tid, &event.status, __WALL | WNOHANG) > 0)
				note_gone(events, tracee, event);
		}
	}
}
