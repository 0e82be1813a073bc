// SPDX-License-Identifier: MIT
// Stopping all the other threads, and letting them go with what they were about to receive.
#include "debugger/inject/all_stop.h"

#include "debugger/base/cleanup.h"

#include <string.h>
#include <sys/ptrace.h>

static bool has(const struct all_stop *company, pid_t tid)
{
	for (size_t i = 0; i < company->n; i++)
		if (company->companions[i].tid == tid)
			return true;
	return false;
}

static struct dc_error *add(struct all_stop *company, pid_t tid, int signo)
{
	if (company->n == company->room) {
		size_t room = company->room ? company->room * 2 : 32;
		struct companion *grown = realloc(company->companions, room * sizeof(*grown));

		if (!grown)
			return &dc_out_of_memory;
		company->companions = grown;
		company->room = room;
	}
	company->companions[company->n++] = (struct companion){ tid, signo };
	return NULL;
}

// The first stop of a thread that is seized and interrupted, or was born traced.
static struct dc_error *take(struct all_stop *company, pid_t tid)
{
	struct event event;
	struct dc_error *err = tracer_wait_stop(company->tracer, tid, &event);

	if (err || event.kind == EVENT_GONE)
		return err;
	if (event.kind == EVENT_DEADLINE) {
		tracer_abandon(company->tracer);
		return error_make(DC_REFUSED, "thread %d cannot be stopped", tid);
	}
	return add(company, tid, event.kind == EVENT_SIGNAL ? event.signo : 0);
}

static struct dc_error *stop_one(struct all_stop *company, pid_t tid)
{
	struct dc_error *err = tracer_seize(company->tracer, tid, PTRACE_O_TRACESYSGOOD);

	if (err && err->code == DC_TARGET_ENDED) {
		dc_error_destroy(err);
		return NULL;
	}
	if (!err)
		err = tracer_interrupt(company->tracer, tid);
	return err ? err : take(company, tid);
}

struct stop_job {
	struct all_stop *company;
	struct process *process;
	pid_t except;
};

static struct dc_error *run_stop(void *arg)
{
	struct stop_job *job = arg;
	size_t before;

	// A thread that still runs may create another: until a look finds no new one.
	do {
		_cleanup_(process_threads_deinit) struct process_threads threads = { 0 };
		struct dc_error *err = process_threads(job->process, &threads);

		before = job->company->n;
		for (size_t i = 0; !err && i < threads.n; i++)
			if (threads.tids[i] != job->except && !has(job->company, threads.tids[i]))
				err = stop_one(job->company, threads.tids[i]);
		if (err)
			return err;
	} while (job->company->n != before);
	return NULL;
}

struct dc_error *all_stop_stop(struct all_stop *company, struct tracer *tracer,
			       struct process *process, pid_t except)
{
	struct stop_job job = { company, process, except };

	*company = (struct all_stop){ .tracer = tracer, .process = process };
	return tracer_run(tracer, run_stop, &job);
}

// Threads that the callee created were born stopped and are ours.
static void take_newborn(struct all_stop *company)
{
	_cleanup_(process_threads_deinit) struct process_threads threads = { 0 };
	_cleanup_error_ struct dc_error *err = process_threads(company->process, &threads);

	for (size_t i = 0; !err && i < threads.n; i++) {
		struct thread_info info;
		struct dc_error *failed = process_thread_info(company->process, threads.tids[i],
							      &info);

		if (!failed && info.tracer == gettid() && !has(company, threads.tids[i]))
			failed = take(company, threads.tids[i]);
		dc_error_destroy(failed);
	}
}

static struct dc_error *run_release(void *arg)
{
	struct all_stop *company = arg;
	struct dc_error *first = NULL;

	take_newborn(company);
	for (size_t i = 0; i < company->n; i++) {
		struct dc_error *err = tracer_detach(company->tracer, company->companions[i].tid,
						     company->companions[i].signo);

		// It was killed while it was stopped, or went with the tracer thread.
		if (err && err->code != DC_TARGET_ENDED && !first)
			first = err;
		else
			dc_error_destroy(err);
	}
	company->n = 0;
	return first;
}

struct dc_error *all_stop_release(struct all_stop *company)
{
	return company->tracer ? tracer_run(company->tracer, run_release, company) : NULL;
}

void all_stop_deinit(struct all_stop *company)
{
	free(company->companions);
	*company = (struct all_stop){ 0 };
}
