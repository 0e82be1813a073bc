// SPDX-License-Identifier: MIT
// The tracer thread: jobs run on it one at a time.
#include "debugger/target/tracer.h"

#include "debugger/target/events.h"
#include "debugger/target/tracee.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <time.h>
#include <unistd.h>

struct tracer {
	pthread_t thread;
	pid_t tid; // the tracer thread's own
	pthread_mutex_t lock;
	pthread_cond_t wake, done;
	struct dc_error *(*job)(void *);
	void *arg;
	struct dc_error *result;
	bool running, ending, abandon;
	bool has_seized;
	bool seizing; // the tracer thread is in a seize that may have to wait for the dead
	_Atomic pid_t halt; // asked for by another thread
	int64_t crowded_until; // others want the CPU: who yields to them waits for all of them
	struct events events;
};

int64_t tracer_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static bool is_crowded(const struct tracer *tracer)
{
	return tracer_now() < tracer->crowded_until;
}

static void yield(struct tracer *tracer)
{
	enum { CROWDED_NS = 100 * 1000, REMEMBER_NS = 20 * 1000 * 1000 };
	int64_t begin = tracer_now(), now;

	sched_yield();
	now = tracer_now();
	if (now - begin > CROWDED_NS)
		tracer->crowded_until = now + REMEMBER_NS;
}

// While a thread is held, the next job is moments away, and waking for it would prolong the hold.
static void expect_job(struct tracer *tracer)
{
	enum { EXPECT_NS = 300 * 1000 };
	int64_t end = tracer_now() + EXPECT_NS;

	while (!__atomic_load_n(&tracer->job, __ATOMIC_RELAXED) && tracer_now() < end &&
	       !is_crowded(tracer))
		yield(tracer);
}

// With the lock. What tracees do meanwhile is seen to; the longer nothing happens, the more rarely
// somebody looks, and only what is moments away is spun for.
static void wait_attending(struct tracer *tracer)
{
	enum {
		SPIN_NS = 200 * 1000,
		COSTS = 8,
		SLEEP_MIN_NS = 50 * 1000,
		SLEEP_MAX_NS = 1000 * 1000,
		SECOND_NS = 1000 * 1000 * 1000
	};
	int64_t last = tracer->events.expected_at; // that something happened

	while (!tracer->job && !tracer->ending && tracer->events.attendant.attend) {
		int64_t begin = tracer_now();
		bool busy;

		pthread_mutex_unlock(&tracer->lock);
		busy = events_gather(&tracer->events);
		tracer->events.attendant.attend(tracer->events.attendant.arg);
		pthread_mutex_lock(&tracer->lock);

		int64_t now = tracer_now(), idle = now - last, cost = now - begin;

		if (busy)
			last = now;
		if (busy || tracer->job || tracer->ending)
			continue;
		if (idle < SPIN_NS && !is_crowded(tracer)) {
			pthread_mutex_unlock(&tracer->lock);
			yield(tracer);
			pthread_mutex_lock(&tracer->lock);
			continue;
		}
		// A look at many threads takes its time, which whoever works beside us has not.
		idle = idle / 16 > COSTS * cost ? idle / 16 : COSTS * cost;
		idle = idle < SLEEP_MIN_NS   ? SLEEP_MIN_NS
		       : idle > SLEEP_MAX_NS ? SLEEP_MAX_NS
					     : idle;
		now += idle;
		pthread_cond_clockwait(&tracer->wake, &tracer->lock, CLOCK_MONOTONIC,
				       &(struct timespec){ now / SECOND_NS, now % SECOND_NS });
	}
}

void tracer_attend(struct tracer *tracer, void (*attend)(void *), void *arg)
{
	tracer->events.attendant = (struct attendant){ attend, arg };
}

void tracer_request_halt(struct tracer *tracer, pid_t tid)
{
	pid_t none = 0;

	// Two that were asked for one by one: all is what both want at least.
	if (!atomic_compare_exchange_strong(&tracer->halt, &none, tid) && none != tid)
		atomic_store(&tracer->halt, -1);
	pthread_cond_signal(&tracer->wake);
}

pid_t tracer_requested_halt(struct tracer *tracer)
{
	return atomic_load(&tracer->halt) ? atomic_exchange(&tracer->halt, 0) : 0;
}

static void *serve(void *arg)
{
	struct tracer *tracer = arg;

	pthread_mutex_lock(&tracer->lock);
	tracer->tid = gettid();
	tracer->running = true;
	pthread_cond_signal(&tracer->done);
	for (;;) {
		wait_attending(tracer);
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
		if (tracer->events.nr_held && !tracer->abandon) {
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
	events_clear(&tracer->events);
}

struct dc_error *tracer_create(struct process *process, struct tracer **ret)
{
	struct tracer *tracer = calloc(1, sizeof(*tracer));

	if (!tracer)
		return &dc_out_of_memory;
	events_init(&tracer->events, process);
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

// With the lock held. The tracer thread cannot reap while it is in a seize.
static void wait_for_job(struct tracer *tracer)
{
	enum { LOOK_NS = 100 * 1000 * 1000, SECOND_NS = 1000 * 1000 * 1000 };
	int64_t look = tracer_now() + LOOK_NS;
	struct timespec until = { look / SECOND_NS, look % SECOND_NS };

	if (pthread_cond_clockwait(&tracer->done, &tracer->lock, CLOCK_MONOTONIC, &until) &&
	    tracer->seizing)
		events_reap(&tracer->events);
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
		wait_for_job(tracer);

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
	__atomic_store_n(&tracer->events.cancelled, true, __ATOMIC_RELAXED);
}

void tracer_clear_cancel(struct tracer *tracer)
{
	__atomic_store_n(&tracer->events.cancelled, false, __ATOMIC_RELAXED);
}

bool tracer_cancelled(const struct tracer *tracer)
{
	return __atomic_load_n(&tracer->events.cancelled, __ATOMIC_RELAXED);
}

struct events *tracer_events(struct tracer *tracer)
{
	return &tracer->events;
}

// No tracee stops at its exit from now on, until it is resumed.
static void silence_exits(struct tracer *tracer)
{
	for (size_t i = 0; i < EVENTS_BUCKETS; i++) {
		struct tracee *next;

		for (struct tracee *tracee = tracer->events.tracees[i]; tracee; tracee = next) {
			next = tracee->next;
			if (!(tracee->options & PTRACE_O_TRACEEXIT) || tracee->exit_is_silent)
				continue;
			tracee->exit_is_silent = true;
			// Being killed, it is on its way to that stop.
			if (ptrace(PTRACE_SETOPTIONS, tracee->tid, NULL,
				   tracee->options & ~(unsigned long)PTRACE_O_TRACEEXIT))
				events_await(&tracer->events, tracee);
		}
	}
	// One that stood in it already took the options all the same.
	events_gather(&tracer->events);
}

static void set_seizing(struct tracer *tracer, bool seizing)
{
	pthread_mutex_lock(&tracer->lock);
	tracer->seizing = seizing;
	pthread_mutex_unlock(&tracer->lock);
}

int tracer_seize(struct tracer *tracer, pid_t tid, unsigned long options)
{
	bool has_tracees = tracer->events.n > 0;

	if (has_tracees) {
		silence_exits(tracer);
		set_seizing(tracer, true);
	}

	int cause = ptrace(PTRACE_SEIZE, tid, NULL, options) ? errno : 0;

	if (has_tracees)
		set_seizing(tracer, false);
	tracer->has_seized |= !cause;
	return cause;
}

bool tracer_has_seized(const struct tracer *tracer)
{
	return tracer->has_seized;
}
