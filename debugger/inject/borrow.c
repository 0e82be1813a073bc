// SPDX-License-Identifier: MIT
// Borrowing: a thread that was found, the pad it calls through, its calls and its release.
#include "debugger/inject/borrow.h"

#include "debugger/inject/bare/bare.h"
#include "debugger/inject/all_stop.h"
#include "debugger/stack/goroutines/descriptor.h"
#include "debugger/inject/bare/filters.h"
#include "debugger/inject/gort/gort.h"
#include "debugger/inject/select/seek.h"
#include "debugger/base/cleanup.h"
#include "debugger/target/gadgets.h"
#include "debugger/target/memory.h"

#include <string.h>
#include <sys/ptrace.h>
#include <time.h>

struct borrowed {
	struct tracer *tracer;
	struct process *process;
	struct unwind *unwind;
	struct borrow_options options;
	struct ground ground;
	struct gadgets gadgets;
	struct tracee tracee;
	struct pad pad;
	struct bare bare;
	struct all_stop company; // --all-stop
	pid_t tid; // also when it is not held any more
	bool locked_memory;
	enum dc_state state; // once it is not held
	struct seek seek;

	struct debugcall_descriptor descriptor;
	struct gort gort; // initialised when has_host
	bool has_host; // the target's own; it is tried first
	bool on_host; // the thread is held where that one can be entered
	const char *host;
};

// The thread is held at a safe point: what is needed to call on it.
static struct dc_error *settle(struct borrowed *borrowed, const struct thread_info *info)
{
	struct bare *bare = &borrowed->bare;
	struct tracee *tracee = &borrowed->tracee;
	struct dc_error *err = tracee_keep(tracee);

	if (err)
		return err;
	*bare = (struct bare){
		.tracee = tracee,
		.pad = &borrowed->pad,
		.unwind = borrowed->unwind,
		.hold_signals = borrowed->options.signals == DC_SIGNALS_HOLD,
		.pass_faults = borrowed->options.pass_signals,
		.caught = info->sig_caught,
		.handshake = bare_choose_handshake(info->sig_caught, tracee->mask,
						   info->sig_pending | info->shared_pending),
		.inner_pid = info->inner_pid,
		.room = ground_stack(&borrowed->ground, &tracee->regs),
		.vectors = cpu_features()->vectors,
	};
	if (!(bare->pass_faults & UINT64_C(1) << (SIGSEGV - 1))) {
		bare->fatal_start = borrowed->ground.fatal_start;
		bare->fatal_end = borrowed->ground.fatal_end;
	}
	if (borrowed->ground.handles_faults)
		bare->pass_faults |= UINT64_C(1) << (SIGSEGV - 1) | UINT64_C(1) << (SIGBUS - 1) |
				     UINT64_C(1) << (SIGFPE - 1);
	borrowed->tid = tracee->tid;
	borrowed->locked_memory = info->locked_bytes > 0;
	borrowed->state = tracee_state(tracee);
	// It stays true once a name was refused; the next slice may have another filter.
	borrowed->pad.may_name = true;
	if (info->seccomp == 2 && !borrowed->options.assume_seccomp_ok)
		return filters_allow_pad(tracee->tid, info, bare->handshake,
					 &borrowed->pad.may_name);
	return NULL;
}

static struct dc_error *run_settle(void *arg)
{
	struct borrowed *borrowed = arg;
	struct dc_error *err = settle(borrowed, &borrowed->seek.info);

	if (err)
		dc_error_destroy(tracee_release(&borrowed->tracee));
	return err;
}

// A callee that enters the target's runtime needs a goroutine, which only the target's own host
// gives it: from any other place it would end the process.
static bool bare_will_do(const struct borrowed *borrowed)
{
	const struct borrow_options *options = &borrowed->options;

	return options->host == DC_HOST_AUTO && options->avoids_stdio;
}

// How long to look for a place where the target's own host can be entered. Where the bare one will
// do as well, not for long.
static int64_t host_patience(const struct borrowed *borrowed)
{
	enum { PATIENCE_NS = 20 * 1000 * 1000 };
	int64_t wait_ns = borrowed->options.wait_ns;

	return bare_will_do(borrowed) && wait_ns > PATIENCE_NS ? PATIENCE_NS : wait_ns;
}

// A thread for the target's own host. *found false: there is none now, and the bare host will do.
static struct dc_error *hold_for_host(struct borrowed *borrowed, bool *found)
{
	struct seek *seek = &borrowed->seek;
	struct borrow_options options = borrowed->options;

	seek->impatient = bare_will_do(borrowed);
	options.wait_ns = host_patience(borrowed);
	seek->gort = &borrowed->gort;
	seek->options = &options;

	struct dc_error *err = seek_hold(seek, options.thread);

	seek->gort = NULL;
	seek->options = &borrowed->options;
	seek->impatient = false;
	*found = !err;
	if (!err || err->code != DC_REFUSED)
		return err;
	if (bare_will_do(borrowed)) {
		dc_error_destroy(err);
		return NULL;
	}
	if (options.host == DC_HOST_AUTO)
		err = error_note(err, "the callee may need a goroutine; --host bare --force "
				      "calls it without one");
	return err;
}

static struct dc_error *hold_one(struct borrowed *borrowed, pid_t thread)
{
	struct dc_error *err = NULL;

	borrowed->on_host = false;
	if (borrowed->has_host)
		err = hold_for_host(borrowed, &borrowed->on_host);
	if (!err && !borrowed->on_host)
		err = seek_hold(&borrowed->seek, thread);
	return err ? err : tracer_run(borrowed->tracer, run_settle, borrowed);
}

static struct dc_error *find_host(struct borrowed *borrowed, struct symbols *symbols)
{
	enum dc_host host = borrowed->options.host;
	bool found = false;

	if (host == DC_HOST_BARE)
		return NULL;

	struct dc_error *err = descriptor_find(borrowed->process, &borrowed->ground.maps,
					       &borrowed->descriptor, &found);

	if (!err && !found && host == DC_HOST_GORT)
		return error_make(DC_REFUSED, "process %d has no debug call host of its own",
				  borrowed->process->pid);
	if (err && host == DC_HOST_AUTO) {
		// One that cannot be used; check says why.
		dc_error_destroy(err);
		return NULL;
	}
	if (!err && found)
		err = gort_init(&borrowed->gort, &borrowed->descriptor, &borrowed->tracee, symbols,
				borrowed->unwind);
	borrowed->has_host = !err && found;
	borrowed->gort.goroutine = borrowed->options.goroutine;
	return err;
}

static struct dc_error *create(struct tracer *tracer, struct process *process,
			       struct symbols *symbols, struct safepoints *safepoints,
			       struct unwind *unwind, const struct borrow_options *options,
			       struct borrowed **ret)
{
	struct borrowed *borrowed = calloc(1, sizeof(*borrowed));

	if (!borrowed)
		return &dc_out_of_memory;
	borrowed->tracer = tracer;
	borrowed->process = process;
	borrowed->unwind = unwind;
	borrowed->host = "bare";
	borrowed->options = *options;
	borrowed->seek = (struct seek){
		.tracer = tracer,
		.process = process,
		.safepoints = safepoints,
		.unwind = unwind,
		.options = &borrowed->options,
		.ground = &borrowed->ground,
		.tracee = &borrowed->tracee,
	};
	cpu_features();

	struct dc_error *err = ground_survey(process, &borrowed->ground);

	if (!err)
		err = gadgets_find(process, &borrowed->ground.maps, &borrowed->gadgets);
	if (!err)
		err = tracee_init(&borrowed->tracee, tracer, process, &borrowed->gadgets);
	if (!err)
		err = find_host(borrowed, symbols);
	if (err) {
		tracee_deinit(&borrowed->tracee);
		ground_deinit(&borrowed->ground);
		free(borrowed);
		return err;
	}
	*ret = borrowed;
	return NULL;
}

static void destroy(struct borrowed *borrowed)
{
	pad_deinit(&borrowed->pad);
	gort_deinit(&borrowed->gort);
	tracee_deinit(&borrowed->tracee);
	ground_deinit(&borrowed->ground);
	all_stop_deinit(&borrowed->company);
	free(borrowed);
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
		borrowed->tracee.options |= PTRACE_O_TRACECLONE;
	err = hold_one(borrowed, options->thread);
	if (!err && options->all_stop)
		err = all_stop_stop(&borrowed->company, &borrowed->tracee);
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
	return borrowed->tid;
}

const char *borrowed_host(const struct borrowed *borrowed)
{
	return borrowed->host;
}

struct user_regs_struct *borrowed_regs(struct borrowed *borrowed)
{
	return &borrowed->tracee.regs;
}

unsigned char *borrowed_xstate(struct borrowed *borrowed, size_t *size)
{
	*size = borrowed->tracee.xstate_size;
	return borrowed->tracee.xstate;
}

struct dc_error *borrowed_snapshot(struct borrowed *borrowed, struct snapshot *ret)
{
	enum { COPY = 256 * 1024 };
	unsigned char *stack = malloc(COPY);

	if (!stack)
		return &dc_out_of_memory;
	ret->regs = borrowed->tracee.regs;
	ret->stack = stack;
	ret->stack_start = registers_sp(&ret->regs) - RED_ZONE;
	ret->stack_size = memory_read_some(borrowed->process, ret->stack_start, stack, COPY);
	return NULL;
}

// Another thread does for us what needs room on a stack: mapping the pad, or unmapping it.
static struct dc_error *by_helper(struct borrowed *borrowed,
				  struct dc_error *(*step)(struct borrowed *, struct tracee *))
{
	enum { ROOM_MIN = 16 * 1024 };
	_cleanup_(candidates_deinit) struct candidates candidates = { 0 };
	_cleanup_(tracee_deinit) struct tracee helper = { 0 };
	struct dc_error *err = candidates_read(borrowed->process, 0, &candidates);

	if (!err)
		err = tracee_init(&helper, borrowed->tracer, borrowed->process, &borrowed->gadgets);
	for (size_t i = 0; !err && i < candidates.n; i++) {
		const struct candidate *candidate = &candidates.candidate[i];
		enum tracee_stop stop;

		if (candidate->rank == RANK_NOT_NOW || candidate->tid == borrowed->tracee.tid)
			continue;
		err = tracee_stop(&helper, candidate->tid, &stop);
		if (err || stop != TRACEE_STOPPED)
			continue;

		struct thread_stack room = ground_stack(&borrowed->ground, &helper.regs);
		bool may_name;
		bool fits = room.low && registers_sp(&helper.regs) > room.low + ROOM_MIN &&
			    !seek_in_sequence(&helper);

		if (fits)
			err = tracee_keep(&helper);
		if (!err && fits && candidate->info.seccomp == 2 &&
		    !borrowed->options.assume_seccomp_ok)
			err = filters_allow_pad(helper.tid, &candidate->info, 0, &may_name);
		if (!err && fits)
			err = step(borrowed, &helper);

		struct dc_error *release = helper.tid ? tracee_release(&helper) : NULL;

		if (err || !fits)
			dc_error_destroy(release);
		if (err || fits)
			return err ? err : release;
	}
	return err ? err
		   : error_make(
			     DC_REFUSED,
			     "no thread of process %d has room on its stack to make a landing pad",
			     borrowed->process->pid);
}

static uint64_t call_stack_size(const struct borrowed *borrowed)
{
	// Locked memory is really there, all of it.
	return borrowed->locked_memory ? 256 << 10 : 8 << 20;
}

static struct dc_error *map_all(struct borrowed *borrowed, struct tracee *tracee)
{
	struct dc_error *err = pad_map(&borrowed->pad, tracee);

	return err ? err : pad_map_stack(&borrowed->pad, tracee, call_stack_size(borrowed));
}

static struct dc_error *unmap_all(struct borrowed *borrowed, struct tracee *tracee)
{
	return pad_unmap(&borrowed->pad, tracee, borrowed->options.drop_literals);
}

static bool has_room_for_frame(const struct borrowed *borrowed)
{
	enum { ROOM_MIN = 16 * 1024 };

	return borrowed->bare.room.low &&
	       registers_sp(&borrowed->tracee.regs) > borrowed->bare.room.low + ROOM_MIN;
}

// The pad is mapped, and the thread's way home has a place.
static struct dc_error *ready_pad(struct borrowed *borrowed)
{
	struct tracee *tracee = &borrowed->tracee;
	struct pad *pad = &borrowed->pad;
	bool own = bare_has_own_stack(&borrowed->bare);

	if (has_room_for_frame(borrowed)) {
		struct dc_error *err = pad_map(pad, tracee);

		if (!err && !own)
			err = pad_map_stack(pad, tracee, call_stack_size(borrowed));
		return err;
	}
	// A frame on a stack of unknown size would overwrite what lies below.
	if (!pad->stack.addr) {
		struct dc_error *err = by_helper(borrowed, map_all);

		if (err)
			return err;
	}
	tracee->home_top = pad->base + PAD_HOME + PAD_HOME_SIZE;
	return NULL;
}

// A call that a signal cut short let the thread go for it.
static struct dc_error *hold_again(struct borrowed *borrowed)
{
	bool is_back = borrowed->state == DC_STATE_RUNNING || borrowed->state == DC_STATE_STOPPED;

	if (borrowed->tracee.tid)
		return NULL;
	if (is_back && !borrowed->pad.kept)
		return hold_one(borrowed, borrowed->tid);
	return error_in_state(
		error_make(DC_REFUSED, "thread %d is not borrowed any more", borrowed->tid),
		borrowed->state);
}

static struct dc_error *run_renew(void *arg)
{
	return hold_again(arg);
}

struct dc_error *borrowed_renew(struct borrowed *borrowed)
{
	return borrowed->tracee.tid ? NULL : tracer_run(borrowed->tracer, run_renew, borrowed);
}

struct call_job {
	struct borrowed *borrowed;
	uint64_t addr;
	const char *name;
	const struct abi_entry *entry;
	int64_t timeout_ns;
	struct abi_exit *ret;
	uint64_t n, done; // repeat
	int64_t *nanoseconds;
};

// What an error of a call says about the thread.
static struct dc_error *note_state(struct borrowed *borrowed, struct dc_error *err)
{
	if (!borrowed->tracee.tid)
		borrowed->state = err->state;
	return err;
}

static struct dc_error *prepare(const struct call_job *job, uint64_t *result_addr)
{
	struct dc_error *err;

	err = hold_again(job->borrowed);
	if (!err)
		err = ready_pad(job->borrowed);
	if (!err)
		err = bare_prepare(&job->borrowed->bare, job->addr, job->entry, result_addr);
	return error_in_state(err, job->borrowed->state);
}

static struct dc_error *refuse_by_name(const char *name)
{
	// They return twice, on one stack.
	static const char *const names[] = { "vfork",	"__vfork", "clone",
					     "__clone", "clone3",  "__clone3" };

	for (size_t i = 0; name && i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(name, names[i]))
			return error_make(DC_REFUSED,
					  "%s returns in two places and cannot be called", name);
	return NULL;
}

// By the target's own host: one call, or a slice of those that are left. *done false: the bare one
// has to do it, with the thread that is held.
static struct dc_error *call_by_host(struct call_job *job, int64_t slice_ns, bool *done)
{
	struct borrowed *borrowed = job->borrowed;
	int64_t limit = tracer_now() + host_patience(borrowed);
	struct gort_calls calls = {
		.addr = job->addr,
		.name = job->name,
		.entry = job->entry,
		.timeout_ns = job->timeout_ns,
		.n = job->n - job->done,
		.nanoseconds = job->nanoseconds ? job->nanoseconds + job->done : NULL,
		.slice_ns = slice_ns,
		.exit = job->ret,
	};

	*done = false;
	for (;;) {
		struct dc_error *err = hold_again(borrowed);

		if (err || !borrowed->on_host)
			return error_in_state(err, borrowed->state);
		borrowed->on_host = false;
		err = gort_call(&borrowed->gort, &calls);
		job->done += calls.done;
		if (!calls.refused) {
			borrowed->host = "gort";
			*done = true;
			return err ? note_state(borrowed, err) : NULL;
		}
		// What the host sees and we do not is gone at the next place, or stays.
		if (tracer_now() < limit) {
			dc_error_destroy(err);
			continue;
		}
		if (!bare_will_do(borrowed))
			return note_state(borrowed, err);
		dc_error_destroy(err);
		borrowed->has_host = false;
	}
}

static struct dc_error *run_call(void *arg)
{
	struct call_job *job = arg;
	struct borrowed *borrowed = job->borrowed;
	const char *name = job->name ?: "the callee";
	uint64_t result_addr;
	struct dc_error *err = refuse_by_name(job->name);
	bool done = false;

	if (!err)
		err = call_by_host(job, 0, &done);
	if (done)
		return err;
	borrowed->host = "bare";
	if (!err)
		err = prepare(job, &result_addr);
	if (err)
		return err;
	err = bare_call(&borrowed->bare, name, job->timeout_ns);
	if (err)
		return note_state(borrowed, err);
	return bare_results(&borrowed->bare, job->entry, result_addr, job->ret);
}

struct dc_error *borrowed_call(struct borrowed *borrowed, uint64_t addr, const char *name,
			       const struct abi_entry *entry, int64_t timeout_ns,
			       struct abi_exit *ret)
{
	struct call_job job = { .borrowed = borrowed,
				.addr = addr,
				.name = name,
				.entry = entry,
				.timeout_ns = timeout_ns,
				.ret = ret,
				.n = 1 };

	return tracer_run(borrowed->tracer, run_call, &job);
}

// One slice: calls by the held thread until the slice is over, then the last one's results.
static struct dc_error *run_slice(void *arg)
{
	enum { SLICE_NS = 9 * 1000 * 1000 }; // and the last call
	struct call_job *job = arg;
	struct borrowed *borrowed = job->borrowed;
	struct bare *bare = &borrowed->bare;
	const char *name = job->name ?: "the callee";
	uint64_t result_addr, done = 0;
	struct dc_error *err = refuse_by_name(job->name);
	bool by_host = false;

	if (!err) {
		free((void *)(uintptr_t)job->ret->memory);
		job->ret->memory = NULL;
		err = call_by_host(job, SLICE_NS, &by_host);
	}
	if (err || by_host)
		return err;
	borrowed->host = "bare";
	err = prepare(job, &result_addr);
	for (int64_t now = tracer_now(), end = now + SLICE_NS; !err && job->done < job->n;
	     job->done++) {
		int64_t begin = now;

		if (done && now >= end)
			break;
		err = done++ ? bare_again(bare, name, job->timeout_ns)
			     : bare_call(bare, name, job->timeout_ns);
		now = tracer_now();
		if (err)
			return note_state(borrowed, err);
		job->nanoseconds[job->done] = now - begin;
	}
	if (err)
		return err;
	free((void *)(uintptr_t)job->ret->memory);
	job->ret->memory = NULL;
	err = bare_results(bare, job->entry, result_addr, job->ret);
	if (!err && job->done < job->n)
		err = tracee_release(&borrowed->tracee);
	return err;
}

struct dc_error *borrowed_repeat(struct borrowed *borrowed, uint64_t addr, const char *name,
				 const struct abi_entry *entry, int64_t timeout_ns, uint64_t n,
				 int64_t *nanoseconds, struct abi_exit *ret)
{
	enum { OWN_TIME_NS = 1000 * 1000 };
	struct call_job job = { .borrowed = borrowed,
				.addr = addr,
				.name = name,
				.entry = entry,
				.timeout_ns = timeout_ns,
				.ret = ret,
				.n = n,
				.nanoseconds = nanoseconds };

	ret->memory = NULL;
	for (;;) {
		struct dc_error *err = tracer_run(borrowed->tracer, run_slice, &job);

		if (err || job.done >= n)
			return err;
		// The thread's own work goes on meanwhile.
		nanosleep(&(struct timespec){ .tv_nsec = OWN_TIME_NS }, NULL);
		err = hold_one(borrowed, borrowed->tid);
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
	struct dc_error *err = hold_again(borrowed);

	if (!err)
		err = ready_pad(borrowed);
	if (!err)
		err = pad_literal(&borrowed->pad, &borrowed->tracee, job->bytes, job->n, job->addr);
	return error_in_state(err, borrowed->state);
}

struct dc_error *borrowed_literal(struct borrowed *borrowed, const void *bytes, size_t n,
				  uint64_t *addr)
{
	struct literal_job job = { borrowed, bytes, n, addr };

	return tracer_run(borrowed->tracer, run_literal, &job);
}

// The thread unmaps the pad on its way home; its last step is seen by the pad's absence.
static struct dc_error *go_through_unmap(struct borrowed *borrowed,
					 const struct remote_syscall *unmap)
{
	enum { LIMIT_S = 10 };
	uint64_t base = borrowed->pad.base, word;
	struct dc_error *err = tracee_release_through(&borrowed->tracee, unmap);
	int64_t limit = tracer_now() + LIMIT_S * INT64_C(1000000000);

	if (err)
		return err;
	while (seek_read(borrowed->tid, base, &word, sizeof(word))) {
		struct thread_info info;

		err = process_thread_info(borrowed->process, borrowed->tid, &info);
		// Ended, or stopped by job control: what is left of it happens without us.
		if (err || info.state == 'T')
			break;
		if (tracer_now() > limit)
			return error_make(DC_REFUSED, "thread %d has not unmapped the landing pad",
					  borrowed->tid);
		nanosleep(&(struct timespec){ .tv_nsec = 20000 }, NULL);
	}
	dc_error_destroy(err);
	pad_unmapped(&borrowed->pad, borrowed->options.drop_literals);
	return NULL;
}

static struct dc_error *run_release(void *arg)
{
	struct borrowed *borrowed = arg;
	struct tracee *tracee = &borrowed->tracee;
	struct pad *pad = &borrowed->pad;
	struct dc_error *err = NULL, *release = NULL;
	bool by_itself = tracee->tid && has_room_for_frame(borrowed);
	struct remote_syscall unmap;

	if (by_itself && tracee_may_go_alone(tracee) &&
	    pad_unmap_at_once(pad, borrowed->options.drop_literals, &unmap)) {
		borrowed->state = tracee_state(tracee);
		return go_through_unmap(borrowed, &unmap);
	}

	if (by_itself)
		err = unmap_all(borrowed, tracee);
	if (tracee->tid) {
		borrowed->state = tracee_state(tracee);
		release = tracee_release(tracee);
	}
	if (!err && !release && pad->base && !pad->kept &&
	    (borrowed->state == DC_STATE_RUNNING || borrowed->state == DC_STATE_STOPPED))
		err = by_helper(borrowed, unmap_all);
	if (!err)
		return release;
	dc_error_destroy(release);
	return err;
}

struct dc_error *borrowed_release(struct borrowed *borrowed, struct dc_departure *ret)
{
	struct dc_error *err, *company;

	if (!borrowed)
		return NULL;
	err = tracer_run(borrowed->tracer, run_release, borrowed);
	company = all_stop_release(&borrowed->company);
	*ret = (struct dc_departure){
		.pause_ns = borrowed->tracee.pause_ns,
		.literals_left = pad_literal_bytes(&borrowed->pad),
		.state = borrowed->state,
	};
	if (!err)
		err = company;
	else
		dc_error_destroy(company);
	err = error_in_state(err, borrowed->state);
	destroy(borrowed);
	return err;
}
