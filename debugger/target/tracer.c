// SPDX-License-Identifier: MIT
// The tracer thread: jobs run on it one at a time, and every stop of a tracee is read here. It
// installs no signal handler and waits per thread id, so that a host program's children are its
// own.
#include "debugger/target/tracer.h"

#include "debugger/arch/x86_64/registers.h"
#include "debugger/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

struct tracer {
	struct process *process;
	pthread_t thread;
	pid_t tid; // the tracer thread's own
	pthread_mutex_t lock;
	pthread_cond_t wake, done;
	struct dc_error *(*job)(void *);
	void *arg;
	struct dc_error *result;
	bool running, ending, abandon;
	bool cancelled; // atomic
	unsigned attached; // tracees; the tracer thread's own count
};

int64_t tracer_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

// While a thread is held, the next job is moments away, and waking for it would prolong the hold.
static void expect_job(struct tracer *tracer)
{
	enum { EXPECT_NS = 300 * 1000 };
	int64_t end = tracer_now() + EXPECT_NS;

	while (!__atomic_load_n(&tracer->job, __ATOMIC_RELAXED) && tracer_now() < end)
		sched_yield();
}

static void *serve(void *arg)
{
	struct tracer *tracer = arg;

	pthread_mutex_lock(&tracer->lock);
	tracer->tid = gettid();
	tracer->running = true;
	pthread_cond_signal(&tracer->done);
	for (;;) {
		while (!tracer->job && !tracer->ending)
			pthread_cond_wait(&tracer->wake, &tracer->lock);
		if (tracer->ending)
			break;
		pthread_mutex_unlock(&tracer->lock);

		struct dc_error *result = tracer->job(tracer->arg);

		pthread_mutex_lock(&tracer->lock);
		tracer->result = result;
		__atomic_store_n(&tracer->job, NULL, __ATOMIC_RELAXED);
		pthread_cond_signal(&tracer->done);
		if (tracer->attached && !tracer->abandon) {
			pthread_mutex_unlock(&tracer->lock);
			expect_job(tracer);
			pthread_mutex_lock(&tracer->lock);
		}
	}
	pthread_mutex_unlock(&tracer->lock);
	return NULL;
}

static struct dc_error *start(struct tracer *tracer)
{
	sigset_t all, old;

	tracer->running = tracer->ending = false;
	tracer->attached = 0;
	// The host program's signals are not for this thread.
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);

	int failed = pthread_create(&tracer->thread, NULL, serve, tracer);

	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (failed)
		return error_errno(failed, "cannot start the tracer thread");
	pthread_mutex_lock(&tracer->lock);
	while (!tracer->running)
		pthread_cond_wait(&tracer->done, &tracer->lock);
	pthread_mutex_unlock(&tracer->lock);
	return NULL;
}

static void stop(struct tracer *tracer)
{
	char path[48];

	pthread_mutex_lock(&tracer->lock);
	tracer->ending = true;
	pthread_cond_signal(&tracer->wake);
	pthread_mutex_unlock(&tracer->lock);
	pthread_join(tracer->thread, NULL);
	// A join returns when the thread's memory is released, which is before the kernel lets go
	// of its tracees; a seize in between would find them traced still.
	snprintf(path, sizeof(path), "/proc/self/task/%d", tracer->tid);
	while (access(path, F_OK) == 0)
		sched_yield();
}

struct dc_error *tracer_create(struct process *process, struct tracer **ret)
{
	struct tracer *tracer = calloc(1, sizeof(*tracer));

	if (!tracer)
		return &dc_out_of_memory;
	tracer->process = process;
	pthread_mutex_init(&tracer->lock, NULL);
	pthread_cond_init(&tracer->wake, NULL);
	pthread_cond_init(&tracer->done, NULL);

	struct dc_error *err = start(tracer);

	if (err) {
		free(tracer);
		return err;
	}
	*ret = tracer;
	return NULL;
}

void tracer_destroy(struct tracer *tracer)
{
	if (!tracer)
		return;
	if (tracer->running)
		stop(tracer);
	pthread_cond_destroy(&tracer->done);
	pthread_cond_destroy(&tracer->wake);
	pthread_mutex_destroy(&tracer->lock);
	free(tracer);
}

struct dc_error *tracer_run(struct tracer *tracer, struct dc_error *(*job)(void *), void *arg)
{
	if (tracer->running && pthread_equal(pthread_self(), tracer->thread))
		return job(arg);
	if (!tracer->running) {
		struct dc_error *err = start(tracer);

		if (err)
			return err;
	}
	pthread_mutex_lock(&tracer->lock);
	tracer->arg = arg;
	__atomic_store_n(&tracer->job, job, __ATOMIC_RELAXED);
	pthread_cond_signal(&tracer->wake);
	while (tracer->job)
		pthread_cond_wait(&tracer->done, &tracer->lock);

	struct dc_error *result = tracer->result;
	bool abandon = tracer->abandon;

	tracer->result = NULL;
	tracer->abandon = false;
	pthread_mutex_unlock(&tracer->lock);
	if (abandon) {
		stop(tracer);
		// The next job starts a new thread, and reports it if that fails.
		tracer->running = false;
	}
	return result;
}

void tracer_abandon(struct tracer *tracer)
{
	tracer->abandon = true;
}

bool tracer_is_abandoned(const struct tracer *tracer)
{
	return tracer->abandon;
}

void tracer_cancel(struct tracer *tracer)
{
	__atomic_store_n(&tracer->cancelled, true, __ATOMIC_RELAXED);
}

void tracer_clear_cancel(struct tracer *tracer)
{
	__atomic_store_n(&tracer->cancelled, false, __ATOMIC_RELAXED);
}

bool tracer_cancelled(const struct tracer *tracer)
{
	return __atomic_load_n(&tracer->cancelled, __ATOMIC_RELAXED);
}

struct dc_error *tracer_seize(struct tracer *tracer, pid_t tid, unsigned long options)
{
	if (ptrace(PTRACE_SEIZE, tid, NULL, options) == 0) {
		tracer->attached++;
		return NULL;
	}

	int saved = errno;

	if (saved == ESRCH)
		return error_errno(saved, "thread %d cannot be attached to", tid);

	// The kernel says EPERM for many causes; the one that others can see is a tracer.
	_cleanup_error_ struct dc_error *unknown = NULL;
	struct thread_info info;

	unknown = process_thread_info(tracer->process, tid, &info);
	if (unknown)
		return error_make(DC_ATTACH, "thread %d cannot be attached to: %s", tid,
				  strerror(saved));
	if (info.state == 'Z' || info.state == 'X')
		return error_errno(ESRCH, "thread %d cannot be attached to", tid);
	if (info.tracer)
		return error_make(DC_ATTACH, "thread %d is being traced already, by process %d",
				  tid, info.tracer);
	return error_make(DC_ATTACH, "thread %d cannot be attached to: %s", tid, strerror(saved));
}

struct dc_error *tracer_interrupt(struct tracer *tracer, pid_t tid)
{
	(void)tracer;
	if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL))
		return error_errno(errno, "thread %d cannot be stopped", tid);
	return NULL;
}

struct dc_error *tracer_resume(struct tracer *tracer, pid_t tid, enum resume how, int signo)
{
	(void)tracer;
	if (ptrace((int)how, tid, NULL, (void *)(intptr_t)signo))
		return error_errno(errno, "thread %d cannot be resumed", tid);
	return NULL;
}

struct dc_error *tracer_listen(struct tracer *tracer, pid_t tid)
{
	(void)tracer;
	if (ptrace(PTRACE_LISTEN, tid, NULL, NULL))
		return error_errno(errno, "thread %d cannot be left in its stop", tid);
	return NULL;
}

struct dc_error *tracer_detach(struct tracer *tracer, pid_t tid, int signo)
{
	// One that is gone instead is none either.
	if (tracer->attached)
		tracer->attached--;
	if (ptrace(PTRACE_DETACH, tid, NULL, (void *)(intptr_t)signo))
		return error_errno(errno, "thread %d cannot be detached from", tid);
	return NULL;
}

static uint64_t program_counter(pid_t tid)
{
	// A pc of all ones is an error's value and no place where a thread can be.
	return (uint64_t)ptrace(PTRACE_PEEKUSER, tid, REGISTER_PC_OFFSET, NULL);
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
	event->pc = program_counter(event->tid);
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
	case PTRACE_EVENT_EXIT: event->kind = EVENT_EXIT; break;
	default:
		return event->signo == (SIGTRAP | 0x80) ? classify_syscall(event)
							: classify_signal(event);
	}
	ptrace(PTRACE_GETEVENTMSG, event->tid, NULL, &event->message);
	return true;
}

// A thread that executes a program takes the leader's id, and its own is gone.
static pid_t poll_events(struct tracer *tracer, pid_t tid, int *status)
{
	pid_t got = waitpid(tid, status, __WALL | WNOHANG);

	if (got < 0 && errno == ECHILD && tid != tracer->process->pid)
		got = waitpid(tracer->process->pid, status, __WALL | WNOHANG);
	return got;
}

static struct dc_error *next_event(struct tracer *tracer, pid_t tid, int64_t deadline,
				   bool may_cancel, struct event *ret)
{
	// Longer than a stop on another CPU takes to come, shorter than anyone minds.
	enum { SPIN_NS = 300 * 1000, SLEEP_MAX_NS = 5 * 1000 * 1000 };
	int64_t begin = 0;

	*ret = (struct event){ .tid = tid };
	for (unsigned round = 0;; round++) {
		pid_t got = poll_events(tracer, tid, &ret->status);

		if (got > 0) {
			ret->tid = got;
			if (classify(ret))
				return NULL;
			continue;
		}
		if (got < 0) {
			if (errno != ECHILD)
				return error_errno(errno, "waiting for thread %d", tid);
			ret->kind = EVENT_GONE;
			return NULL;
		}
		if (may_cancel && tracer_cancelled(tracer)) {
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
				round = 6; // look, then read the clock again
				continue;
			}
		}
		sched_yield();
	}
}

struct dc_error *tracer_wait(struct tracer *tracer, pid_t tid, int64_t deadline, struct event *ret)
{
	return next_event(tracer, tid, deadline, true, ret);
}

struct dc_error *tracer_wait_through(struct tracer *tracer, pid_t tid, int64_t deadline,
				     struct event *ret)
{
	return next_event(tracer, tid, deadline, false, ret);
}

struct dc_error *tracer_wait_stop(struct tracer *tracer, pid_t tid, struct event *ret)
{
	enum { LOOK_NS = 100 * 1000 * 1000, LOOKS_MAX = 50 };

	for (int i = 0; i < LOOKS_MAX; i++) {
		struct dc_error *err = next_event(tracer, tid, tracer_now() + LOOK_NS, false, ret);
		struct thread_info info;

		if (err || ret->kind != EVENT_DEADLINE)
			return err;
		err = process_thread_info(tracer->process, tid, &info);
		if (err) {
			// It is ending: that is its next event.
			dc_error_destroy(err);
			continue;
		}
		if (info.state == 'D')
			break;
	}
	return NULL;
}
