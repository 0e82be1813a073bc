// SPDX-License-Identifier: MIT
// Calls into a target: the hosts that it can be called by, tried in their order.
#include "debugger/inject/injection.h"

#include "debugger/inject/outcome.h"
#include "debugger/base/cleanup.h"
#include "debugger/base/trace.h"
#include "debugger/inject/all_stop.h"
#include "debugger/target/memory.h"

#include <string.h>
#include <sys/ptrace.h>
#include <time.h>

struct found_host {
	const struct host *host;
	void *state;
};

struct injection {
	struct tracer *tracer;
	struct process *process;
	struct symbols *symbols;
	struct borrow_options options;
	struct loan loan;
	struct all_stop all_stop;
	struct found_host *hosts; // that may be used, the preferred first
	size_t nr_hosts;
	size_t first; // that is still asked
	size_t current; // the one that is asked to begin
	const char *last; // who ran the last call
};

// ---- hosts ----------------------------------------------------------------------------------------

static bool may_serve(const struct host *host, const struct borrow_options *options)
{
	return (options->host == DC_HOST_AUTO || options->host == host->id) &&
	       (!options->keeps_thread || host->keeps_thread) &&
	       (!options->goroutine || host->has_goroutines) && host->takes_go == options->is_go;
}

// The error says why the host does not serve.
static struct dc_error *probe(struct injection *injection, const struct host *host,
			      const struct host_context *context)
{
	struct found_host *found = &injection->hosts[injection->nr_hosts];
	struct dc_error *err;

	*found = (struct found_host){ .host = host };
	err = host->probe(context, &found->state);
	if (!err && !found->state)
		return error_make(DC_REFUSED, "process %d %s", injection->process->pid,
				  host->absence);
	if (found->state)
		injection->nr_hosts++;
	return err;
}

static struct dc_error *find_hosts(struct injection *injection, const struct host_context *context)
{
	const struct borrow_options *options = &injection->options;
	struct dc_error *problem =
		NULL; // of the first; only told when none serves, check tells all
	bool needs_own = false;

	injection->hosts = calloc(nr_hosts, sizeof(*injection->hosts));
	if (!injection->hosts)
		return &dc_out_of_memory;
	for (size_t i = 0; i < nr_hosts; i++) {
		const struct host *host = hosts[i];
		struct dc_error *err;

		if (!may_serve(host, options))
			continue;
		// A callee that enters the target's runtime needs what only the target's own host
		// gives it: on any other it would end the process.
		if (needs_own && !host->is_targets_own)
			continue;
		err = probe(injection, host, context);
		if (problem)
			dc_error_destroy(err);
		else
			problem = err;
		needs_own |= host->is_targets_own && injection->nr_hosts && !options->avoids_stdio;
	}
	if (!injection->nr_hosts && !problem && options->is_go && options->keeps_thread)
		return error_make(DC_REFUSED,
				  "Go functions are not called on a thread that is followed: Go's "
				  "debug call is to end without a debugger");
	if (!injection->nr_hosts && !problem)
		return error_make(DC_REFUSED, "no host that may be used here takes calls of %s",
				  options->is_go ? "Go functions" : "this kind");
	if (!injection->nr_hosts)
		return problem;
	dc_error_destroy(problem);
	return NULL;
}

static const struct found_host *current(const struct injection *injection)
{
	return &injection->hosts[injection->current];
}

static bool has_another(const struct injection *injection)
{
	return injection->current + 1 < injection->nr_hosts;
}

// How long the current host may look for a place to begin. Where another will do as well, not for
// long.
static int64_t patience(const struct injection *injection)
{
	enum { PATIENCE_NS = 20 * 1000 * 1000 };
	int64_t wait_ns = injection->options.wait_ns;

	return has_another(injection) && wait_ns > PATIENCE_NS ? PATIENCE_NS : wait_ns;
}

// The target's own host cannot begin, and no other was to be tried unasked.
static struct dc_error *note_others(const struct injection *injection, struct dc_error *err)
{
	const struct host *any = hosts[nr_hosts - 1]; // by which every target can be called

	if (injection->options.host != DC_HOST_AUTO || !current(injection)->host->is_targets_own ||
	    injection->options.is_go)
		return err;
	return error_note(err,
			  "the callee may need a goroutine; --host %s --force calls it without one",
			  any->name);
}

// Some host can begin now. One that could not is asked again the next time.
static struct dc_error *make_ready(struct injection *injection)
{
	if (loan_is_held(&injection->loan))
		return NULL;
	for (injection->current = injection->first;; injection->current++) {
		const struct found_host *found = current(injection);
		struct dc_error *err = found->host->can(found->state, patience(injection));

		if (!err || (err->code != DC_REFUSED && err->code != DC_ATTACH))
			return err;
		if (!has_another(injection))
			return note_others(injection, err);
		dc_error_destroy(err);
	}
}

// ---- borrowing ------------------------------------------------------------------------------------

static void destroy(struct injection *injection)
{
	for (size_t i = 0; i < injection->nr_hosts; i++)
		injection->hosts[i].host->destroy(injection->hosts[i].state);
	free(injection->hosts);
	loan_deinit(&injection->loan);
	all_stop_deinit(&injection->all_stop);
	free(injection);
}

static struct dc_error *create(struct tracer *tracer, struct process *process,
			       struct symbols *symbols, struct safepoints *safepoints,
			       struct unwind *unwind, const struct borrow_options *options,
			       struct injection **ret)
{
	struct injection *injection = calloc(1, sizeof(*injection));
	struct host_context context = { .symbols = symbols, .unwind = unwind };
	struct dc_error *err;

	if (!injection)
		return &dc_out_of_memory;
	injection->tracer = tracer;
	injection->process = process;
	injection->symbols = symbols;
	injection->options = *options;
	injection->last = hosts[nr_hosts - 1]->name;
	err = loan_init(&injection->loan, tracer, process, safepoints, unwind, &injection->options);
	if (err) {
		free(injection);
		return err;
	}
	injection->loan.has_errno = symbols &&
				    symbols_errno(symbols, &injection->loan.errno_offset);
	context.loan = &injection->loan;
	err = find_hosts(injection, &context);
	if (err) {
		destroy(injection);
		return err;
	}
	*ret = injection;
	return NULL;
}

struct dc_error *injection_begin(struct tracer *tracer, struct process *process,
				 struct symbols *symbols, struct safepoints *safepoints,
				 struct unwind *unwind, const struct borrow_options *options,
				 struct injection **ret)
{
	struct injection *injection;
	struct dc_error *err = create(tracer, process, symbols, safepoints, unwind, options,
				      &injection);

	if (err)
		return err;
	if (options->all_stop)
		// Threads that the callee creates are born stopped.
		injection->loan.tracee.options |= PTRACE_O_TRACECLONE;
	err = make_ready(injection);
	if (!err && options->all_stop)
		err = all_stop_stop(&injection->all_stop, &injection->loan.tracee);
	if (err) {
		struct dc_departure departure;

		dc_error_destroy(injection_release(injection, &departure));
		return err;
	}
	*ret = injection;
	return NULL;
}

struct dc_error *injection_look(struct tracer *tracer, struct process *process, pid_t tid,
				struct injection **ret)
{
	struct injection *injection = calloc(1, sizeof(*injection));
	struct dc_error *err;

	*ret = NULL;
	if (!injection)
		return &dc_out_of_memory;
	injection->tracer = tracer;
	injection->process = process;
	injection->options.thread = tid;
	injection->last = hosts[nr_hosts - 1]->name;
	err = loan_look(&injection->loan, tracer, process, &injection->options);
	if (!err && loan_is_held(&injection->loan))
		*ret = injection;
	else
		destroy(injection);
	return err;
}

pid_t injection_tid(const struct injection *injection)
{
	return injection->loan.tid;
}

bool injection_is_untraced(const struct injection *injection)
{
	return current(injection)->host->is_untraced && !loan_is_held(&injection->loan);
}

const char *injection_host(const struct injection *injection)
{
	return injection->last;
}

struct user_regs_struct *injection_regs(struct injection *injection)
{
	return &injection->loan.tracee.regs;
}

unsigned char *injection_xstate(struct injection *injection, size_t *size)
{
	*size = injection->loan.tracee.xstate_size;
	return injection->loan.tracee.xstate;
}

struct dc_error *injection_snapshot(struct injection *injection, struct snapshot *ret)
{
	enum { COPY = 256 * 1024 };
	const struct user_regs_struct *regs = &injection->loan.tracee.regs;
	unsigned char *stack;

	ret->regs = *regs;
	ret->stack_start = registers_sp(regs) - RED_ZONE;
	// It stands for as long as anybody looks.
	if (injection->loan.tracee.lender)
		return NULL;
	stack = malloc(COPY);
	if (!stack)
		return &dc_out_of_memory;
	ret->stack = stack;
	ret->stack_size = memory_read_some(injection->process, ret->stack_start, stack, COPY);
	return NULL;
}

void injection_note_written(struct injection *injection, uint64_t addr, size_t n)
{
	if (loan_is_held(&injection->loan))
		tracee_note_written(&injection->loan.tracee, addr, n);
}

// Where tracees are held, if there may be any.
static struct dc_error *run(struct injection *injection, struct dc_error *(*step)(void *),
			    void *arg)
{
	return injection_is_untraced(injection) ? step(arg)
						: tracer_run(injection->tracer, step, arg);
}

static struct dc_error *run_renew(void *arg)
{
	struct injection *injection = arg;

	return error_in_state(make_ready(injection), injection->loan.state);
}

struct dc_error *injection_renew(struct injection *injection)
{
	return loan_is_held(&injection->loan) ? NULL : run(injection, run_renew, injection);
}

static struct dc_error *run_end(void *arg)
{
	return loan_end(arg);
}

struct dc_error *injection_release(struct injection *injection, struct dc_departure *ret)
{
	struct dc_error *err, *others;

	if (!injection)
		return NULL;
	err = tracer_run(injection->tracer, run_end, &injection->loan);
	others = all_stop_release(&injection->all_stop);
	*ret = (struct dc_departure){
		.pause_ns = injection->loan.tracee.pause_ns,
		.literals_left = pad_literal_bytes(&injection->loan.pad),
		.state = injection->loan.state,
	};
	if (!err)
		err = others;
	else
		dc_error_destroy(others);
	err = error_in_state(err, injection->loan.state);
	destroy(injection);
	return err;
}

// ---- calls ----------------------------------------------------------------------------------------

// The kernel would make the system call in the place of the call.
static struct dc_error *refuse_place(const struct injection *injection)
{
	const struct tracee *tracee = &injection->loan.tracee;

	if (!loan_is_held(&injection->loan) || !tracee->lender || !tracee->at_entry)
		return NULL;
	return error_make(DC_REFUSED,
			  "thread %d stands before a system call, where nothing can be called",
			  tracee->tid);
}

// A host knows one calling convention.
static struct dc_error *refuse_convention(const struct host *host, const struct request *request)
{
	if (host->takes_go == !!request->go)
		return NULL;
	return error_make(DC_REFUSED, "host '%s' cannot call '%s': it is %s function", host->name,
			  request->name, request->go ? "a Go" : "no Go");
}

struct call_job {
	struct injection *injection;
	struct request request;
	bool is_last;
};

static struct dc_error *refuse_by_name(const char *name)
{
	// They return twice, on one stack.
	static const char *const names[] = { "vfork",	"__vfork", "clone",
					     "__clone", "clone3",  "__clone3" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(name, names[i]))
			return error_make(DC_REFUSED,
					  "%s returns in two places and cannot be called", name);
	return NULL;
}

// From begin to finish.
static struct dc_error *execute(struct injection *injection, struct request *request)
{
	const struct host *host = current(injection)->host;
	void *state = current(injection)->state;

	if (trace_on(TRACE_INJECT))
		trace_put(TRACE_INJECT, "is called on by host", injection_tid(injection), 0,
			  request->addr, host->name);

	struct dc_error *err = refuse_convention(host, request);

	if (!err)
		err = host->begin(state, request);

	while (!err && !request->is_over) {
		err = host->poll(state, request, 0);
		if (!err && request->stands) {
			request->stands = false;
			if (!injection->options.suspend(injection->options.arg))
				host->cancel(state, request);
		}
		if (!err && !request->is_over && tracer_cancelled(injection->tracer))
			host->cancel(state, request);
	}
	if (!err)
		err = host->finish(state, request);
	if (!request->is_refused)
		injection->last = host->name;
	// What an error of a call says about the thread.
	if (err && !loan_is_held(&injection->loan))
		injection->loan.state = err->state;
	return err;
}

static struct dc_error *run_execute(void *arg)
{
	struct call_job *job = arg;
	struct loan *loan = &job->injection->loan;
	struct dc_error *err = execute(job->injection, &job->request);

	if (!err && job->is_last && loan_is_held(loan))
		err = error_in_state(loan_end(loan), loan->state);
	return err;
}

static struct dc_error *run_call(void *arg)
{
	struct call_job *job = arg;
	struct injection *injection = job->injection;
	struct request *request = &job->request;
	struct dc_error *err = refuse_by_name(request->name);
	int64_t began = tracer_now();

	if (err)
		return err;
	for (;;) {
		err = make_ready(injection);
		if (!err)
			err = refuse_place(injection);
		if (err)
			return error_in_state(err, injection->loan.state);
		if (injection->symbols && !symbols_stand(injection->symbols, request->addr)) {
			err = outcome_changed(injection->process, "loaded other libraries");
			return error_in_state(err, injection->loan.state);
		}
		request->is_over = request->is_refused = false;
		err = run(injection, run_execute, job);
		if (!err || !request->is_refused)
			return err;
		// What a host sees and we do not is gone at the next place, or stays.
		if (tracer_now() - began < patience(injection)) {
			dc_error_destroy(err);
			continue;
		}
		if (!has_another(injection))
			return err;
		dc_error_destroy(err);
		injection->first = injection->current + 1;
	}
}

static struct call_job make_job(struct injection *injection, uint64_t addr, const char *name,
				const struct abi_entry *entry, int64_t timeout_ns,
				struct abi_exit *ret)
{
	return (struct call_job){
		.injection = injection,
		.request = {
			.addr = addr,
			.name = name ?: "the callee",
			.entry = entry,
			.timeout_ns = timeout_ns,
			.n = 1,
			.exit = ret,
		},
	};
}

struct dc_error *injection_call(struct injection *injection, uint64_t addr, const char *name,
				const struct abi_entry *entry, int64_t timeout_ns, bool is_last,
				struct abi_exit *ret)
{
	struct call_job job = make_job(injection, addr, name, entry, timeout_ns, ret);

	job.is_last = is_last && !injection->options.all_stop;
	return run(injection, run_call, &job);
}

struct dc_error *injection_call_go(struct injection *injection, uint64_t addr, const char *name,
				   const struct go_abi_entry *entry, int64_t timeout_ns,
				   struct go_abi_exit *ret)
{
	struct call_job job = make_job(injection, addr, name, NULL, timeout_ns, NULL);

	job.request.go = entry;
	job.request.go_exit = ret;
	return run(injection, run_call, &job);
}

static void drop_memory(struct abi_exit *exit)
{
	if (!exit)
		return;
	free((void *)(uintptr_t)exit->memory);
	exit->memory = NULL;
}

// In slices, the thread's own work going on between them.
static struct dc_error *repeat(struct call_job *job, uint64_t n, int64_t *nanoseconds)
{
	enum { SLICE_NS = 9 * 1000 * 1000, OWN_TIME_NS = 1000 * 1000 }; // and the last call
	struct injection *injection = job->injection;

	job->request.n = n;
	job->request.nanoseconds = nanoseconds;
	job->request.slice_ns = SLICE_NS;
	for (;;) {
		struct dc_error *err;

		drop_memory(job->request.exit);
		err = run(injection, run_call, job);
		if (err || job->request.done >= n)
			return err;
		nanosleep(&(struct timespec){ .tv_nsec = OWN_TIME_NS }, NULL);
		err = make_ready(injection);
		if (err)
			return err;
	}
}

struct dc_error *injection_repeat(struct injection *injection, uint64_t addr, const char *name,
				  const struct abi_entry *entry, int64_t timeout_ns, uint64_t n,
				  int64_t *nanoseconds, struct abi_exit *ret)
{
	struct call_job job = make_job(injection, addr, name, entry, timeout_ns, ret);

	ret->memory = NULL;
	return repeat(&job, n, nanoseconds);
}

struct dc_error *injection_repeat_go(struct injection *injection, uint64_t addr, const char *name,
				     const struct go_abi_entry *entry, int64_t timeout_ns,
				     uint64_t n, int64_t *nanoseconds, struct go_abi_exit *ret)
{
	struct call_job job = make_job(injection, addr, name, NULL, timeout_ns, NULL);

	job.request.go = entry;
	job.request.go_exit = ret;
	return repeat(&job, n, nanoseconds);
}

// One after the other, on hosts that take no more at once.
static struct dc_error *run_singly(struct call_job *job)
{
	struct request *request = &job->request;
	struct request whole = *request;
	struct dc_error *err = NULL;

	request->entries = NULL;
	request->exits = NULL;
	request->nanoseconds = NULL;
	request->n = 1;
	for (uint64_t i = 0; i < whole.n && !err; i++) {
		int64_t began = tracer_now();

		request->entry = &whole.entries[i];
		request->exit = &whole.exits[i];
		request->done = 0;
		err = run_call(job);
		whole.nanoseconds[i] = tracer_now() - began;
		whole.done += !err;
	}
	*request = whole;
	return err;
}

static struct dc_error *run_many(void *arg)
{
	struct call_job *job = arg;
	struct injection *injection = job->injection;
	struct dc_error *err = make_ready(injection);

	if (err)
		return error_in_state(err, injection->loan.state);
	return current(injection)->host->takes_many ? run_call(job) : run_singly(job);
}

struct dc_error *injection_many(struct injection *injection, uint64_t addr, const char *name,
				const struct abi_entry *entries, size_t n, int64_t timeout_ns,
				int64_t *nanoseconds, struct abi_exit *ret, size_t *done)
{
	struct call_job job = make_job(injection, addr, name, entries, timeout_ns, ret);

	job.request.n = n;
	job.request.entries = entries;
	job.request.exits = ret;
	job.request.nanoseconds = nanoseconds;

	struct dc_error *err = run(injection, run_many, &job);

	*done = job.request.done;
	return err;
}

// Something that is asked of the host that can begin.
struct place_job {
	struct injection *injection;
	const void *bytes; // of a literal; NULL: room is wanted
	uint64_t size, align;
	uint64_t *addr;
	bool is_traced; // on the tracer thread
};

static struct dc_error *ask_for_place(const struct place_job *job)
{
	const struct host *host = current(job->injection)->host;
	void *state = current(job->injection)->state;

	if (job->bytes)
		return host->literal(state, job->bytes, job->size, job->addr);
	return host->room ? host->room(state, job->size, job->align, job->addr)
			  : error_make(DC_REFUSED, "the %s host makes no objects", host->name);
}

static struct dc_error *run_place(void *arg)
{
	struct place_job *job = arg;
	struct injection *injection = job->injection;
	struct dc_error *err = make_ready(injection);

	// Another host may be the one that can.
	if (!err && !injection_is_untraced(injection) && !job->is_traced) {
		job->is_traced = true;
		return tracer_run(injection->tracer, run_place, job);
	}
	if (!err)
		err = refuse_place(injection);
	if (!err) {
		err = ask_for_place(job);
		if (err && !loan_is_held(&injection->loan))
			injection->loan.state = err->state;
	}
	return error_in_state(err, injection->loan.state);
}

struct dc_error *injection_literal(struct injection *injection, const void *bytes, size_t n,
				   uint64_t *addr)
{
	struct place_job job = { .injection = injection, .bytes = bytes, .size = n, .addr = addr };

	return run(injection, run_place, &job);
}

struct dc_error *injection_room(struct injection *injection, uint64_t size, uint64_t align,
				uint64_t *addr)
{
	struct place_job job = {
		.injection = injection, .size = size, .align = align, .addr = addr
	};

	return run(injection, run_place, &job);
}

void injection_clear_room(struct injection *injection)
{
	for (size_t i = 0; i < injection->nr_hosts; i++)
		if (injection->hosts[i].host->clear_room)
			injection->hosts[i].host->clear_room(injection->hosts[i].state);
}
