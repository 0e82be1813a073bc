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

struct borrowed {
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

static struct dc_error *probe(struct borrowed *borrowed, const struct host *host,
			      const struct host_context *context)
{
	bool is_named = borrowed->options.host == host->id;
	void *state = NULL;
	struct dc_error *err = host->probe(context, &state);

	if (err && !is_named) {
		// One that cannot be used; check says why.
		dc_error_destroy(err);
		return NULL;
	}
	if (!err && !state && is_named)
		return error_make(DC_REFUSED, "process %d %s", borrowed->process->pid,
				  host->absence);
	if (state)
		borrowed->hosts[borrowed->nr_hosts++] = (struct found_host){ host, state };
	return err;
}

static struct dc_error *find_hosts(struct borrowed *borrowed, const struct host_context *context)
{
	const struct borrow_options *options = &borrowed->options;
	bool needs_own = false;

	borrowed->hosts = calloc(nr_hosts, sizeof(*borrowed->hosts));
	if (!borrowed->hosts)
		return &dc_out_of_memory;
	for (size_t i = 0; i < nr_hosts; i++) {
		const struct host *host = hosts[i];
		struct dc_error *err;

		if (options->host != DC_HOST_AUTO && options->host != host->id)
			continue;
		// A callee that enters the target's runtime needs what only the target's own host
		// gives it: on any other it would end the process.
		if (needs_own && !host->is_targets_own)
			continue;
		err = probe(borrowed, host, context);
		if (err)
			return err;
		needs_own |= host->is_targets_own && borrowed->nr_hosts && !options->avoids_stdio;
	}
	return NULL;
}

static const struct found_host *current(const struct borrowed *borrowed)
{
	return &borrowed->hosts[borrowed->current];
}

static bool has_another(const struct borrowed *borrowed)
{
	return borrowed->current + 1 < borrowed->nr_hosts;
}

// How long the current host may look for a place to begin. Where another will do as well, not for
// long.
static int64_t patience(const struct borrowed *borrowed)
{
	enum { PATIENCE_NS = 20 * 1000 * 1000 };
	int64_t wait_ns = borrowed->options.wait_ns;

	return has_another(borrowed) && wait_ns > PATIENCE_NS ? PATIENCE_NS : wait_ns;
}

// The target's own host cannot begin, and no other was to be tried unasked.
static struct dc_error *note_others(const struct borrowed *borrowed, struct dc_error *err)
{
	const struct host *any = hosts[nr_hosts - 1]; // by which every target can be called

	if (borrowed->options.host != DC_HOST_AUTO || !current(borrowed)->host->is_targets_own)
		return err;
	return error_note(err,
			  "the callee may need a goroutine; --host %s --force calls it without one",
			  any->name);
}

// Some host can begin now. One that could not is asked again the next time.
static struct dc_error *make_ready(struct borrowed *borrowed)
{
	if (loan_is_held(&borrowed->loan))
		return NULL;
	for (borrowed->current = borrowed->first;; borrowed->current++) {
		const struct found_host *found = current(borrowed);
		struct dc_error *err = found->host->can(found->state, patience(borrowed));

		if (!err || err->code != DC_REFUSED)
			return err;
		if (!has_another(borrowed))
			return note_others(borrowed, err);
		dc_error_destroy(err);
	}
}

// ---- borrowing ------------------------------------------------------------------------------------

static void destroy(struct borrowed *borrowed)
{
	for (size_t i = 0; i < borrowed->nr_hosts; i++)
		borrowed->hosts[i].host->destroy(borrowed->hosts[i].state);
	free(borrowed->hosts);
	loan_deinit(&borrowed->loan);
	all_stop_deinit(&borrowed->all_stop);
	free(borrowed);
}

static struct dc_error *create(struct tracer *tracer, struct process *process,
			       struct symbols *symbols, struct safepoints *safepoints,
			       struct unwind *unwind, const struct borrow_options *options,
			       struct borrowed **ret)
{
	struct borrowed *borrowed = calloc(1, sizeof(*borrowed));
	struct host_context context = { .symbols = symbols, .unwind = unwind };
	struct dc_error *err;

	if (!borrowed)
		return &dc_out_of_memory;
	borrowed->tracer = tracer;
	borrowed->process = process;
	borrowed->symbols = symbols;
	borrowed->options = *options;
	borrowed->last = hosts[nr_hosts - 1]->name;
	err = loan_init(&borrowed->loan, tracer, process, safepoints, unwind, &borrowed->options);
	if (err) {
		free(borrowed);
		return err;
	}
	context.loan = &borrowed->loan;
	err = find_hosts(borrowed, &context);
	if (err) {
		destroy(borrowed);
		return err;
	}
	*ret = borrowed;
	return NULL;
}

struct dc_error *borrow_thread(struct tracer *tracer, struct process *process,
			       struct symbols *symbols, struct safepoints *safepoints,
			       struct unwind *unwind, const struct borrow_options *options,
			       struct borrowed **ret)
{
	struct borrowed *borrowed;
	struct dc_error *err = create(tracer, process, symbols, safepoints, unwind, options,
				      &borrowed);

	if (err)
		return err;
	if (options->all_stop)
		// Threads that the callee creates are born stopped.
		borrowed->loan.tracee.options |= PTRACE_O_TRACECLONE;
	err = make_ready(borrowed);
	if (!err && options->all_stop)
		err = all_stop_stop(&borrowed->all_stop, &borrowed->loan.tracee);
	if (err) {
		struct dc_departure departure;

		dc_error_destroy(borrowed_release(borrowed, &departure));
		return err;
	}
	*ret = borrowed;
	return NULL;
}

pid_t borrowed_tid(const struct borrowed *borrowed)
{
	return borrowed->loan.tid;
}

const char *borrowed_host(const struct borrowed *borrowed)
{
	return borrowed->last;
}

struct user_regs_struct *borrowed_regs(struct borrowed *borrowed)
{
	return &borrowed->loan.tracee.regs;
}

unsigned char *borrowed_xstate(struct borrowed *borrowed, size_t *size)
{
	*size = borrowed->loan.tracee.xstate_size;
	return borrowed->loan.tracee.xstate;
}

struct dc_error *borrowed_snapshot(struct borrowed *borrowed, struct snapshot *ret)
{
	enum { COPY = 256 * 1024 };
	const struct user_regs_struct *regs = &borrowed->loan.tracee.regs;
	unsigned char *stack = malloc(COPY);

	if (!stack)
		return &dc_out_of_memory;
	ret->regs = *regs;
	ret->stack = stack;
	ret->stack_start = registers_sp(regs) - RED_ZONE;
	ret->stack_size = memory_read_some(borrowed->process, ret->stack_start, stack, COPY);
	return NULL;
}

static struct dc_error *run_renew(void *arg)
{
	struct borrowed *borrowed = arg;

	return error_in_state(make_ready(borrowed), borrowed->loan.state);
}

struct dc_error *borrowed_renew(struct borrowed *borrowed)
{
	return loan_is_held(&borrowed->loan) ? NULL
					     : tracer_run(borrowed->tracer, run_renew, borrowed);
}

static struct dc_error *run_end(void *arg)
{
	return loan_end(arg);
}

struct dc_error *borrowed_release(struct borrowed *borrowed, struct dc_departure *ret)
{
	struct dc_error *err, *others;

	if (!borrowed)
		return NULL;
	err = tracer_run(borrowed->tracer, run_end, &borrowed->loan);
	others = all_stop_release(&borrowed->all_stop);
	*ret = (struct dc_departure){
		.pause_ns = borrowed->loan.tracee.pause_ns,
		.literals_left = pad_literal_bytes(&borrowed->loan.pad),
		.state = borrowed->loan.state,
	};
	if (!err)
		err = others;
	else
		dc_error_destroy(others);
	err = error_in_state(err, borrowed->loan.state);
	destroy(borrowed);
	return err;
}

// ---- calls ----------------------------------------------------------------------------------------

struct call_job {
	struct borrowed *borrowed;
	struct request request;
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
static struct dc_error *execute(struct borrowed *borrowed, struct request *request)
{
	const struct host *host = current(borrowed)->host;
	void *state = current(borrowed)->state;

	if (trace_on(TRACE_INJECT))
		trace_put(TRACE_INJECT, "is called on by host", borrowed_tid(borrowed), 0,
			  request->addr, host->name);

	struct dc_error *err = host->begin(state, request);

	while (!err && !request->is_over) {
		err = host->poll(state, request, 0);
		if (!err && !request->is_over && tracer_cancelled(borrowed->tracer))
			host->cancel(state, request);
	}
	if (!err)
		err = host->finish(state, request);
	if (!request->is_refused)
		borrowed->last = host->name;
	// What an error of a call says about the thread.
	if (err && !loan_is_held(&borrowed->loan))
		borrowed->loan.state = err->state;
	return err;
}

static struct dc_error *run_call(void *arg)
{
	struct call_job *job = arg;
	struct borrowed *borrowed = job->borrowed;
	struct request *request = &job->request;
	struct dc_error *err = refuse_by_name(request->name);
	int64_t began = tracer_now();

	if (err)
		return err;
	for (;;) {
		err = make_ready(borrowed);
		if (err)
			return error_in_state(err, borrowed->loan.state);
		if (borrowed->symbols && !symbols_stand(borrowed->symbols, request->addr)) {
			err = outcome_changed(borrowed->process, "loaded other libraries");
			return error_in_state(err, borrowed->loan.state);
		}
		request->is_over = request->is_refused = false;
		err = execute(borrowed, request);
		if (!err || !request->is_refused)
			return err;
		// What a host sees and we do not is gone at the next place, or stays.
		if (tracer_now() - began < patience(borrowed)) {
			dc_error_destroy(err);
			continue;
		}
		if (!has_another(borrowed))
			return err;
		dc_error_destroy(err);
		borrowed->first = borrowed->current + 1;
	}
}

static struct call_job make_job(struct borrowed *borrowed, uint64_t addr, const char *name,
				const struct abi_entry *entry, int64_t timeout_ns,
				struct abi_exit *ret)
{
	return (struct call_job){
		.borrowed = borrowed,
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

struct dc_error *borrowed_call(struct borrowed *borrowed, uint64_t addr, const char *name,
			       const struct abi_entry *entry, int64_t timeout_ns,
			       struct abi_exit *ret)
{
	struct call_job job = make_job(borrowed, addr, name, entry, timeout_ns, ret);

	return tracer_run(borrowed->tracer, run_call, &job);
}

struct dc_error *borrowed_repeat(struct borrowed *borrowed, uint64_t addr, const char *name,
				 const struct abi_entry *entry, int64_t timeout_ns, uint64_t n,
				 int64_t *nanoseconds, struct abi_exit *ret)
{
	enum { SLICE_NS = 9 * 1000 * 1000, OWN_TIME_NS = 1000 * 1000 }; // and the last call
	struct call_job job = make_job(borrowed, addr, name, entry, timeout_ns, ret);

	job.request.n = n;
	job.request.nanoseconds = nanoseconds;
	job.request.slice_ns = SLICE_NS;
	ret->memory = NULL;
	for (;;) {
		struct dc_error *err;

		free((void *)(uintptr_t)ret->memory);
		ret->memory = NULL;
		err = tracer_run(borrowed->tracer, run_call, &job);
		if (err || job.request.done >= n)
			return err;
		// The thread's own work goes on meanwhile.
		nanosleep(&(struct timespec){ .tv_nsec = OWN_TIME_NS }, NULL);
		err = make_ready(borrowed);
		if (err)
			return err;
	}
}

struct literal_job {
	struct borrowed *borrowed;
	const void *bytes;
	size_t n;
	uint64_t *addr;
};

static struct dc_error *run_literal(void *arg)
{
	struct literal_job *job = arg;
	struct borrowed *borrowed = job->borrowed;
	struct dc_error *err = make_ready(borrowed);

	if (!err)
		err = current(borrowed)->host->literal(current(borrowed)->state, job->bytes, job->n,
						       job->addr);
	return error_in_state(err, borrowed->loan.state);
}

struct dc_error *borrowed_literal(struct borrowed *borrowed, const void *bytes, size_t n,
				  uint64_t *addr)
{
	struct literal_job job = { borrowed, bytes, n, addr };

	return tracer_run(borrowed->tracer, run_literal, &job);
}
