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
	events->nr_held += !tracee->on_loan;
}

void events_init(struct events *events, const struct process *process)
{
	*events = (struct events){ .process = process };
	events->last_ready = &events->ready;
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
	events->nr_held -= !tracee->on_loan;
}

void events_clear(struct events *events)
{
	for (size_t i = 0; i < EVENTS_BUCKETS; i++) {
		while (events->tracees[i]) {
			struct tracee *tracee = events->tracees[i];

			events_disregard(events, tracee);
			tracee->tid = 0;
			if (tracee->is_newborn)
				free(tracee);
		}
	}
	events->expects_newborns = false;
}

// It has events, and whoever asks for anybody's is to see them.
static void make_ready(struct events *events, struct tracee *tracee)
{
	if (!tracee->is_attended || tracee->is_ready)
		return;
	tracee->is_ready = true;
	tracee->next_ready = NULL;
	*events->last_ready = tracee;
	events->last_ready = &tracee->next_ready;
}

static void make_unready(struct events *events, struct tracee *tracee)
{
	struct tracee **at = &events->ready;

	if (!tracee->is_ready)
		return;
	while (*at != tracee)
		at = &(*at)->next_ready;
	*at = tracee->next_ready;
	if (!*at)
		events->last_ready = at;
	tracee->is_ready = false;
}

static void push(struct events *events, struct tracee *tracee, const struct event *event)
{
	struct event_queue *queue = &tracee->queue;

	if (queue->n < sizeof(queue->event) / sizeof(*queue->event))
		queue->event[queue->n++] = *event;
	make_ready(events, tracee);
}

void events_put_back(struct events *events, struct tracee *tracee, const struct event *event)
{
	struct event_queue *queue = &tracee->queue;
	unsigned room = sizeof(queue->event) / sizeof(*queue->event);

	for (unsigned i = queue->n < room ? queue->n : room - 1; i > 0; i--)
		queue->event[i] = queue->event[i - 1];
	queue->event[0] = *event;
	if (queue->n < room)
		queue->n++;
	make_ready(events, tracee);
}

void events_disregard(struct events *events, struct tracee *tracee)
{
	events_remove(events, tracee);
	make_unready(events, tracee);
	tracee->queue.n = 0;
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

bool events_take(struct events *events, struct tracee *tracee, struct event *ret)
{
	if (!pop(tracee, ret))
		return false;
	if (!tracee->queue.n)
		make_unready(events, tracee);
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

static bool read_place(struct event *event, struct __ptrace_syscall_info *info)
{
	if (ptrace(PTRACE_GET_SYSCALL_INFO, event->tid, sizeof(*info), info) <= 0)
		return false;
	event->pc = info->instruction_pointer;
	event->sp = info->stack_pointer;
	return true;
}

static bool classify_syscall(struct event *event)
{
	struct __ptrace_syscall_info info;

	// Never by counting: an entry and its exit may lie on the two sides of other stops.
	if (!read_place(event, &info))
		return false;
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
	struct __ptrace_syscall_info info;

	event->kind = EVENT_SIGNAL;
	return read_place(event, &info) &&
	       !ptrace(PTRACE_GETSIGINFO, event->tid, NULL, &event->info) &&
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
	push(events, tracee, &event);
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
		tracee->is_attended = events->attendant.attend != NULL;
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

// A stop at the signal stays with the kernel until the thread goes on.
static bool leaves(const struct tracee *tracee, int signo)
{
	return tracee->leaves_signals || tracee->callee_signals >> (signo - 1) & 1;
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
	tracee->at_signal = event->kind == EVENT_SIGNAL;
	tracee->at_entry = event->kind == EVENT_SYSCALL_ENTRY;
	tracee->left = tracee->at_signal && leaves(tracee, event->signo) ? event->signo : 0;
	push(events, tracee, event);
	if (event->kind == EVENT_EXIT && tracee != awaited)
		ptrace(PTRACE_CONT, event->tid, NULL, NULL);
}

// ---- waiting --------------------------------------------------------------------------------------

// Whoever takes a stop takes its signal, too: should the tracer die before the thread goes on, the
// signal would be gone. So stops at signals are looked at and, but for those of threads that are led
// elsewhere, left where they are; the thread leaves them when it goes on.

enum { LOOK = WEXITED | WSTOPPED | WNOHANG | (int)__WALL | __WNOTHREAD };

// What has happened to one thread, 0: to any. False: nothing, or errno.
static bool look_at(pid_t tid, siginfo_t *ret, int how)
{
	errno = ret->si_pid = 0;
	return !waitid(tid ? P_PID : P_ALL, (id_t)tid, ret, how) && ret->si_pid;
}

static bool is_seen(const struct tracee *tracee, const siginfo_t *info)
{
	return tracee && tracee->left && info->si_code == CLD_TRAPPED &&
	       info->si_status == tracee->left;
}

// Somebody is to receive the signal that it stands at, or has yet to decide; who borrows the thread
// leaves it with the lender.
static bool is_kept(const struct tracee *tracee)
{
	return tracee->signo || tracee->queue.n || (tracee->lender && tracee->lender->signo);
}

// One that stands at a signal hides what happens to others: each is asked for.
static bool look_behind(struct events *events, siginfo_t *ret)
{
	for (unsigned i = 0; i < EVENTS_BUCKETS; i++) {
		unsigned bucket = events->next_bucket++ % EVENTS_BUCKETS;

		for (struct tracee *at = events->tracees[bucket]; at; at = at->next) {
			if (look_at(at->tid, ret, LOOK | WNOWAIT) && !is_seen(at, ret))
				return true;
		}
	}
	errno = 0;
	return false;
}

// What has happened and was not seen yet. False: nothing, or errno. *taken: it is not the kernel's
// any more.
static bool look(struct events *events, siginfo_t *ret, bool *taken)
{
	*taken = false;
	while (look_at(0, ret, LOOK | WNOWAIT)) {
		struct tracee *tracee = events_find(events, ret->si_pid);

		if (!is_seen(tracee, ret))
			return true;
		if (is_kept(tracee))
			return look_behind(events, ret);
		// A signal that nobody is to receive is out of the way. Killed, the thread may stand
		// elsewhere by now.
		*taken = look_at(tracee->tid, ret, LOOK & ~WEXITED) && !is_seen(tracee, ret);
		tracee->left = 0;
		if (*taken)
			return true;
	}
	return false;
}

// The event's status. False: the thread has gone on to another stop, which the next look shows.
static bool take(struct events *events, const siginfo_t *info, bool taken, struct event *event)
{
	const struct tracee *tracee = events_find(events, info->si_pid);
	bool is_left = tracee && info->si_code == CLD_TRAPPED && info->si_status < NSIG &&
		       leaves(tracee, info->si_status);

	event->tid = info->si_pid;
	if (!taken && !is_left)
		return waitpid(event->tid, &event->status, __WALL | __WNOTHREAD | WNOHANG) > 0;
	event->status = info->si_status << 8 | 0x7f;
	return true;
}

// Takes what one look brings. *none: nothing has happened.
static struct dc_error *gather(struct events *events, struct tracee *awaited, bool *none)
{
	struct event event = { 0 };
	siginfo_t info;
	bool taken;

	*none = !look(events, &info, &taken);
	if (!*none) {
		if (take(events, &info, taken, &event) && classify(&event)) {
			trace_event(&event);
			dispatch(events, &event, awaited);
		}
	} else if (errno) {
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

// The other tracees are not to stand until this wait is over.
static void have_attended(struct events *events)
{
	if (!events->ready || events->is_attending || !events->attendant.attend)
		return;
	events->is_attending = true;
	events->attendant.attend(events->attendant.arg);
	events->is_attending = false;
}

bool events_next_of_any(struct events *events, struct tracee **tracee, struct event *ret)
{
	for (;;) {
		bool none = false;

		while (events->ready) {
			*tracee = events->ready;
			make_unready(events, *tracee);
			if (!pop(*tracee, ret))
				continue;
			if ((*tracee)->queue.n)
				make_ready(events, *tracee);
			return true;
		}
		// Its error is told to whoever waits for one tracee; here the process's end shows.
		dc_error_destroy(gather(events, NULL, &none));
		if (none && !events->ready)
			return false;
	}
}

// How one waits: spins for longer than a stop on another CPU takes to come, then sleeps.
struct patience {
	bool crowded; // others want the CPU
	bool slept; // for so long nothing happens that dearer looks cost little
	int64_t begin, sleep_max;
};

// Nothing has happened. False: the deadline (0: none) has passed.
static bool have_patience(struct patience *patience, int64_t deadline)
{
	enum { SPIN_NS = 300 * 1000, CROWDED_NS = 100 * 1000 };
	int64_t now = tracer_now(), ns;

	if (deadline && now >= deadline)
		return false;
	if (!patience->begin)
		patience->begin = now;
	if (!patience->crowded && now - patience->begin <= SPIN_NS) {
		sched_yield();
		// Who yields to others waits for all of them. Who sleeps comes soon when he wakes.
		patience->crowded = tracer_now() - now > CROWDED_NS;
		return true;
	}
	ns = (now - patience->begin) / 16;
	if (ns > patience->sleep_max)
		ns = patience->sleep_max;
	if (deadline && ns > deadline - now)
		ns = deadline - now;
	nanosleep(&(struct timespec){ .tv_nsec = ns }, NULL);
	patience->slept = true;
	return true;
}

static struct dc_error *await(struct events *events, struct tracee *tracee, int64_t deadline,
			      bool may_cancel, struct event *ret)
{
	// Longer sleeps than anyone minds are of no use.
	struct patience patience = { .sleep_max = 5 * 1000 * 1000 };

	*ret = (struct event){ .tid = tracee->tid };
	for (;;) {
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
		have_attended(events);
		if (!none)
			continue;
		if (may_cancel && __atomic_load_n(&events->cancelled, __ATOMIC_RELAXED)) {
			ret->kind = EVENT_CANCELLED;
			return NULL;
		}
		if (!have_patience(&patience, deadline)) {
			ret->kind = EVENT_DEADLINE;
			return NULL;
		}
		if (patience.slept)
			look_for_leader(events, tracee);
	}
}

struct dc_error *events_next(struct events *events, struct tracee *tracee, int64_t deadline,
			     bool may_cancel, struct event *ret)
{
	bool is_attended = tracee->is_attended;

	// What comes meanwhile is this waiter's: seen to by whoever attends it would be gone.
	tracee->is_attended = false;
	struct dc_error *err = await(events, tracee, deadline, may_cancel, ret);

	tracee->is_attended = is_attended;
	return err;
}

bool events_await_any(struct events *events, int64_t until)
{
	// Whoever comes by a breakpoint stands for as long.
	struct patience patience = { .sleep_max = 500 * 1000 };

	while (!events->ready) {
		bool none = false;

		dc_error_destroy(gather(events, NULL, &none));
		if (!none)
			return true;
		if (__atomic_load_n(&events->cancelled, __ATOMIC_RELAXED) ||
		    !have_patience(&patience, until))
			return false;
	}
	return true;
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

bool events_gather(struct events *events)
{
	bool none = false, any = false;

	// An error of the wait is told to whoever waits for an event.
	while (!none) {
		dc_error_destroy(gather(events, NULL, &none));
		any |= !none;
	}
	return any;
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
