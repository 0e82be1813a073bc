// SPDX-License-Identifier: MIT
// Borrowing: which thread, whether it is at a safe point, the pad it calls through, and its release.
#include "debugger/call/borrow.h"

#include "debugger/call/bare.h"
#include "debugger/call/company.h"
#include "debugger/call/filters.h"
#include "debugger/cleanup.h"
#include "debugger/target/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <time.h>

struct borrowed {
	struct tracer *tracer;
	struct process *process;
	struct safepoints *safepoints; // NULL: every place is safe
	struct unwind *unwind;
	struct borrow_options options;
	struct ground ground;
	struct gadgets gadgets;
	struct hold hold;
	struct pad pad;
	struct bare bare;
	struct company company; // --all-stop
	pid_t tid; // also when it is not held any more
	bool locked_memory;
	bool called; // the thread stands behind a handshake with its call in the pad
	int64_t pause_ns;
	enum dc_state state; // once it is not held

	unsigned char scan[SAFEPOINT_SCAN];
	bool walked_cold; // the unwinder has this program's tables by now
};

enum attempt {
	ATTEMPT_HELD,
	ATTEMPT_NOT_NOW, // reason
	ATTEMPT_STALE, // what is known of the mappings is out of date
};

// Reads of a thread that we hold: its number cannot pass to another.
static bool read_held(pid_t tid, uint64_t addr, void *buf, size_t n)
{
	struct iovec local = { buf, n }, remote = { (void *)(uintptr_t)addr, n };

	return process_vm_readv(tid, &local, 1, &remote, 1, 0) == (ssize_t)n;
}

struct sequence {
	uint64_t start, end;
};

// The restartable sequence that the thread may be in; a call would end it without its abort handler.
static struct sequence read_sequence(pid_t tid)
{
	enum { OFFSET_CS = 8 };
	struct {
		uint32_t version, flags;
		uint64_t start_ip, post_commit_offset, abort_ip;
	} descriptor;
	uint64_t area = registers_rseq_area(tid), address;

	if (!area || !read_held(tid, area + OFFSET_CS, &address, sizeof(address)) || !address ||
	    !read_held(tid, address, &descriptor, sizeof(descriptor)))
		return (struct sequence){ 0 };
	return (struct sequence){ descriptor.start_ip,
				  descriptor.start_ip + descriptor.post_commit_offset };
}

// At the stop: may the thread be borrowed where it is?
static struct dc_error *judge_stopped(struct borrowed *borrowed, bool as_seen_asleep, bool *safe,
				      struct verdict *verdict)
{
	const struct hold *hold = &borrowed->hold;
	struct sequence sequence = { 0 };

	*safe = true;
	if (as_seen_asleep)
		return NULL;
	sequence = read_sequence(hold->tid);
	if (sequence.end && hold->regs.rip >= sequence.start && hold->regs.rip < sequence.end) {
		// Even by force: memory shared by all threads of a CPU would be damaged.
		*safe = false;
		snprintf(verdict->reason, sizeof(verdict->reason),
			 "is inside a restartable sequence");
		return NULL;
	}
	if (borrowed->options.force || !borrowed->safepoints)
		return NULL;

	struct snapshot snapshot = { .regs = hold->regs,
				     .stack_start = hold->regs.rsp - WAYHOME_RED_ZONE,
				     .stack = borrowed->scan };
	struct iovec local = { borrowed->scan, sizeof(borrowed->scan) };
	struct iovec remote = { (void *)(uintptr_t)snapshot.stack_start, local.iov_len };
	ssize_t n = process_vm_readv(hold->tid, &local, 1, &remote, 1, 0);

	if (n <= 0) {
		// The red zone may reach below what is mapped.
		snapshot.stack_start = hold->regs.rsp;
		remote.iov_base = (void *)(uintptr_t)snapshot.stack_start;
		n = process_vm_readv(hold->tid, &local, 1, &remote, 1, 0);
	}
	snapshot.stack_size = n > 0 ? (size_t)n : 0;
	safepoints_scan(borrowed->safepoints, &snapshot, sequence.start, sequence.end, verdict);
	*safe = verdict->safety == SAFETY_SAFE ||
		(verdict->safety == SAFETY_GUARDED && borrowed->options.avoids_stdio);
	if (verdict->safety != SAFETY_SUSPECT)
		return NULL;

	// The first walk reads tables for milliseconds: the thread is let go of meanwhile, and the
	// next time a walk costs microseconds.
	bool cold = !borrowed->walked_cold;

	borrowed->walked_cold = true;
	if (cold) {
		struct dc_error *err = hold_release(&borrowed->hold, &borrowed->pause_ns);

		if (err)
			return err;
	}

	struct dc_error *err = safepoints_confirm(borrowed->safepoints, borrowed->unwind, &snapshot,
						  verdict);

	if (err)
		return err;
	*safe = !cold && (verdict->safety == SAFETY_SAFE ||
			  (verdict->safety == SAFETY_GUARDED && borrowed->options.avoids_stdio));
	return NULL;
}

// Unstopped: is a sleeping thread at a place where stopping it is worth while?
static struct dc_error *judge_asleep(struct borrowed *borrowed, const struct candidate *candidate,
				     bool *known_safe, bool *worth, struct verdict *verdict)
{
	*known_safe = false;
	*worth = true;
	if (!candidate->info.in_syscall || candidate->info.syscall < 0)
		return NULL;
	if (borrowed->options.force || !borrowed->safepoints) {
		*known_safe = true;
		return NULL;
	}

	struct dc_error *err = safepoints_asleep(borrowed->safepoints, borrowed->unwind,
						 &candidate->info, verdict);

	if (err)
		return err;
	borrowed->walked_cold = true;
	*known_safe = verdict->safety == SAFETY_SAFE ||
		      (verdict->safety == SAFETY_GUARDED && borrowed->options.avoids_stdio);
	*worth = *known_safe || verdict->safety == SAFETY_SUSPECT;
	return NULL;
}

static struct dc_error *refuse_ignored_faults(const struct thread_info *info)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS };

	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		// Without a filter no system call raises SIGSYS; nginx, among others, ignores it.
		if ((info->sig_ignored >> (signals[i] - 1) & 1) &&
		    (signals[i] != SIGSYS || info->seccomp))
			return error_make(DC_REFUSED,
					  "the program ignores SIG%s, and a fault in the callee "
					  "would reset that",
					  sigabbrev_np(signals[i]));
	return NULL;
}

// The thread is held at a safe point: what is needed to call on it.
static struct dc_error *settle(struct borrowed *borrowed, const struct thread_info *info)
{
	struct bare *bare = &borrowed->bare;
	struct hold *hold = &borrowed->hold;
	struct dc_error *err = hold_keep(hold);

	if (err)
		return err;
	*bare = (struct bare){
		.hold = hold,
		.pad = &borrowed->pad,
		.unwind = borrowed->unwind,
		.hold_signals = borrowed->options.signals == DC_SIGNALS_HOLD,
		.pass_faults = borrowed->options.pass_signals,
		.caught = info->sig_caught,
		.handshake = bare_choose_handshake(info->sig_caught, hold->mask,
						   info->sig_pending | info->shared_pending),
		.inner_pid = info->inner_pid,
		.room = ground_room(&borrowed->ground, hold->regs.rsp, hold->regs.fs_base),
		.vectors = registers_cpu()->vectors,
	};
	if (borrowed->ground.handles_faults)
		bare->pass_faults |= UINT64_C(1) << (SIGSEGV - 1) | UINT64_C(1) << (SIGBUS - 1) |
				     UINT64_C(1) << (SIGFPE - 1);
	borrowed->tid = hold->tid;
	borrowed->locked_memory = info->locked_bytes > 0;
	borrowed->called = false;
	borrowed->state = hold_state(hold);
	// It stays true once a name was refused; the next slice may have another filter.
	borrowed->pad.may_name = true;
	if (info->seccomp == 2 && !borrowed->options.assume_seccomp_ok)
		return filters_allow_pad(hold->tid, info, bare->handshake, &borrowed->pad.may_name);
	return NULL;
}

static void explain(pid_t tid, const struct verdict *verdict, char *reason, size_t size)
{
	snprintf(reason, size, "thread %d %s%s", tid, verdict->reason,
		 verdict->safety == SAFETY_GUARDED ? ", and the callee may use stdio" : "");
}

static struct dc_error *attempt(struct borrowed *borrowed, const struct candidate *candidate,
				enum attempt *ret, char *reason, size_t size)
{
	struct hold *hold = &borrowed->hold;
	struct verdict verdict = { 0 };
	bool known_safe, safe;
	enum hold_stop stop;

	*ret = ATTEMPT_NOT_NOW;
	if (candidate->rank == RANK_NOT_NOW) {
		snprintf(reason, size, "%s", candidate->reason);
		return NULL;
	}

	struct dc_error *err = judge_asleep(borrowed, candidate, &known_safe, &safe, &verdict);

	if (err)
		return err;
	if (!safe) {
		explain(candidate->tid, &verdict, reason, size);
		return NULL;
	}
	err = hold_stop(hold, candidate->tid, &stop);
	if (err)
		goto fail;
	if (stop != HOLD_STOPPED) {
		static const char *const reasons[] = {
			[HOLD_BUSY] = "was taking a signal",
			[HOLD_ENDED] = "has ended",
			[HOLD_UNSTOPPABLE] = "cannot be stopped",
		};

		snprintf(reason, size, "thread %d %s", candidate->tid, reasons[stop]);
		return NULL;
	}

	const struct thread_info *info = &candidate->info;
	bool as_seen = known_safe && hold->regs.rip == info->pc && hold->regs.rsp == info->sp &&
		       (long)hold->regs.orig_rax == info->syscall;

	err = judge_stopped(borrowed, as_seen, &safe, &verdict);
	if (err)
		goto fail;
	if (!safe || !hold->tid) {
		explain(candidate->tid, &verdict, reason, size);
		return hold->tid ? hold_release(hold, &borrowed->pause_ns) : NULL;
	}
	if (!maps_find(&borrowed->ground.maps, hold->regs.rsp)) {
		*ret = ATTEMPT_STALE;
		return hold_release(hold, &borrowed->pause_ns);
	}
	err = settle(borrowed, info);
	if (err)
		goto fail;
	*ret = ATTEMPT_HELD;
	return NULL;
fail:
	if (hold->tid)
		dc_error_destroy(hold_release(hold, &borrowed->pause_ns));
	return err;
}

static struct dc_error *cancelled(void)
{
	return error_make(DC_CANCELLED, "interrupted");
}

struct reasons {
	char text[8][240];
	size_t n, more;
};

static void reasons_add(struct reasons *reasons, const char *text)
{
	if (!*text)
		return;
	for (size_t i = 0; i < reasons->n; i++)
		if (!strcmp(reasons->text[i], text))
			return;
	if (reasons->n < sizeof(reasons->text) / sizeof(*reasons->text))
		snprintf(reasons->text[reasons->n++], sizeof(*reasons->text), "%s", text);
	else
		reasons->more++;
}

static struct dc_error *refuse(const struct borrowed *borrowed, const struct reasons *reasons)
{
	const char *first = reasons->n ? reasons->text[0] : "it has no threads";
	struct dc_error *err;

	if (!process_alive(borrowed->process))
		return error_in_state(
			error_make(DC_TARGET_ENDED, "process %d has ended", borrowed->process->pid),
			DC_STATE_ENDED);
	err = error_make(DC_REFUSED, "%s %d came to no safe point within %.3g s: %s",
			 borrowed->options.thread ? "thread" : "process",
			 borrowed->options.thread ?: borrowed->process->pid,
			 (double)borrowed->options.wait_ns / 1e9, first);
	for (size_t i = 1; i < reasons->n; i++)
		err = error_note(err, "%s", reasons->text[i]);
	if (reasons->more)
		err = error_note(err, "and %zu other threads", reasons->more);
	return err;
}

// Once through the candidates. A pass stops at most one thread at a time.
static struct dc_error *one_pass(struct borrowed *borrowed, pid_t thread, struct reasons *reasons)
{
	_cleanup_(candidates_deinit) struct candidates candidates = { 0 };
	struct dc_error *err = candidates_read(borrowed->process, thread, &candidates);

	reasons->n = reasons->more = 0;
	for (size_t i = 0; !err && i < candidates.n && !borrowed->hold.tid; i++) {
		char reason[sizeof(*reasons->text)] = "";
		enum attempt result;

		if (tracer_cancelled(borrowed->tracer))
			return cancelled();
		if (!i)
			err = borrowed->options.force
				      ? NULL
				      : refuse_ignored_faults(&candidates.candidate[i].info);
		if (!err)
			err = attempt(borrowed, &candidates.candidate[i], &result, reason,
				      sizeof(reason));
		if (!err && result == ATTEMPT_STALE) {
			ground_deinit(&borrowed->ground);
			err = ground_survey(borrowed->process, &borrowed->ground);
		}
		if (!err && result == ATTEMPT_NOT_NOW)
			reasons_add(reasons, reason);
	}
	return err;
}

struct pass_job {
	struct borrowed *borrowed;
	pid_t thread;
	struct reasons *reasons;
};

static struct dc_error *run_pass(void *arg)
{
	struct pass_job *job = arg;

	return one_pass(job->borrowed, job->thread, job->reasons);
}

// Until a thread is held or the time to wait is over.
static struct dc_error *hold_one(struct borrowed *borrowed, pid_t thread)
{
	enum { PAUSE_MIN_NS = 50 * 1000, PAUSE_MAX_NS = 2 * 1000 * 1000 };
	int64_t deadline = tracer_now() + borrowed->options.wait_ns;
	struct reasons reasons = { 0 };
	struct pass_job job = { borrowed, thread, &reasons };
	long pause = PAUSE_MIN_NS;

	for (;;) {
		struct dc_error *err = tracer_run(borrowed->tracer, run_pass, &job);

		if (err || borrowed->hold.tid)
			return err;
		// Within a job, what cannot be stopped stays seized until the job is over.
		if (tracer_now() >= deadline || tracer_is_abandoned(borrowed->tracer))
			return refuse(borrowed, &reasons);
		// The target gets on with its work between two looks.
		nanosleep(&(struct timespec){ .tv_nsec = pause }, NULL);
		if (pause < PAUSE_MAX_NS)
			pause += pause / 8;
	}
}

static struct dc_error *create(struct tracer *tracer, struct process *process,
			       struct safepoints *safepoints, struct unwind *unwind,
			       const struct borrow_options *options, struct borrowed **ret)
{
	struct borrowed *borrowed = calloc(1, sizeof(*borrowed));

	if (!borrowed)
		return &dc_out_of_memory;
	borrowed->tracer = tracer;
	borrowed->process = process;
	borrowed->safepoints = safepoints;
	borrowed->unwind = unwind;
	borrowed->options = *options;
	registers_cpu();

	struct dc_error *err = ground_survey(process, &borrowed->ground);

	if (!err)
		err = gadgets_find(process, &borrowed->ground.maps, &borrowed->gadgets);
	if (!err)
		err = hold_init(&borrowed->hold, tracer, process, &borrowed->gadgets);
	if (err) {
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
	hold_deinit(&borrowed->hold);
	ground_deinit(&borrowed->ground);
	company_deinit(&borrowed->company);
	free(borrowed);
}

struct dc_error *borrow_thread(struct tracer *tracer, struct process *process,
			       struct symbols *symbols, struct safepoints *safepoints,
			       struct unwind *unwind, const struct borrow_options *options,
			       struct borrowed **ret)
{
	struct borrowed *borrowed;
	struct dc_error *err = create(tracer, process, safepoints, unwind, options, &borrowed);

	(void)symbols;
	if (err)
		return err;
	if (options->all_stop)
		// Threads that the callee creates are born stopped.
		borrowed->hold.options = PTRACE_O_TRACECLONE;
	err = hold_one(borrowed, options->thread);
	if (!err && options->all_stop)
		err = company_stop(&borrowed->company, tracer, process, borrowed->tid);
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

struct user_regs_struct *borrowed_regs(struct borrowed *borrowed)
{
	return &borrowed->hold.regs;
}

unsigned char *borrowed_xstate(struct borrowed *borrowed, size_t *size)
{
	*size = borrowed->hold.xstate_size;
	return borrowed->hold.xstate;
}

struct dc_error *borrowed_snapshot(struct borrowed *borrowed, struct snapshot *ret)
{
	enum { COPY = 256 * 1024 };
	unsigned char *stack = malloc(COPY);

	if (!stack)
		return &dc_out_of_memory;
	ret->regs = borrowed->hold.regs;
	ret->stack = stack;
	ret->stack_start = ret->regs.rsp - WAYHOME_RED_ZONE;
	ret->stack_size = memory_read_some(borrowed->process, ret->stack_start, stack, COPY);
	return NULL;
}

// Another thread does for us what needs room on a stack: mapping the pad, or unmapping it.
static struct dc_error *by_helper(struct borrowed *borrowed,
				  struct dc_error *(*step)(struct borrowed *, struct hold *))
{
	enum { ROOM_MIN = 16 * 1024 };
	_cleanup_(candidates_deinit) struct candidates candidates = { 0 };
	_cleanup_(hold_deinit) struct hold helper = { 0 };
	struct dc_error *err = candidates_read(borrowed->process, 0, &candidates);

	if (!err)
		err = hold_init(&helper, borrowed->tracer, borrowed->process, &borrowed->gadgets);
	for (size_t i = 0; !err && i < candidates.n; i++) {
		const struct candidate *candidate = &candidates.candidate[i];
		enum hold_stop stop;
		int64_t pause_ns = 0;

		if (candidate->rank == RANK_NOT_NOW || candidate->tid == borrowed->hold.tid)
			continue;
		err = hold_stop(&helper, candidate->tid, &stop);
		if (err || stop != HOLD_STOPPED)
			continue;

		struct sequence sequence = read_sequence(helper.tid);
		struct room room = ground_room(&borrowed->ground, helper.regs.rsp,
					       helper.regs.fs_base);
		bool may_name;
		bool fits = room.low && helper.regs.rsp > room.low + ROOM_MIN &&
			    !(helper.regs.rip - sequence.start < sequence.end - sequence.start);

		if (fits)
			err = hold_keep(&helper);
		if (!err && fits && candidate->info.seccomp == 2 &&
		    !borrowed->options.assume_seccomp_ok)
			err = filters_allow_pad(helper.tid, &candidate->info, 0, &may_name);
		if (!err && fits)
			err = step(borrowed, &helper);

		struct dc_error *release = helper.tid ? hold_release(&helper, &pause_ns) : NULL;

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

static struct dc_error *map_all(struct borrowed *borrowed, struct hold *hold)
{
	struct dc_error *err = pad_map(&borrowed->pad, hold);

	return err ? err : pad_map_stack(&borrowed->pad, hold, call_stack_size(borrowed));
}

static struct dc_error *unmap_all(struct borrowed *borrowed, struct hold *hold)
{
	return pad_unmap(&borrowed->pad, hold, borrowed->options.drop_literals);
}

static bool has_room_for_frame(const struct borrowed *borrowed)
{
	enum { ROOM_MIN = 16 * 1024 };

	return borrowed->bare.room.low &&
	       borrowed->hold.regs.rsp > borrowed->bare.room.low + ROOM_MIN;
}

// The pad is mapped, and the thread's way home has a place.
static struct dc_error *ready_pad(struct borrowed *borrowed)
{
	struct hold *hold = &borrowed->hold;
	struct pad *pad = &borrowed->pad;
	bool own = bare_has_own_stack(&borrowed->bare);

	if (has_room_for_frame(borrowed)) {
		struct dc_error *err = pad_map(pad, hold);

		if (!err && !own)
			err = pad_map_stack(pad, hold, call_stack_size(borrowed));
		return err;
	}
	// A frame on a stack of unknown size would overwrite what lies below.
	if (!pad->stack.addr) {
		struct dc_error *err = by_helper(borrowed, map_all);

		if (err)
			return err;
	}
	hold->home_top = pad->base + PAD_HOME + PAD_HOME_SIZE;
	return NULL;
}

// A call that a signal cut short let the thread go for it.
static struct dc_error *hold_again(struct borrowed *borrowed)
{
	bool is_back = borrowed->state == DC_STATE_RUNNING || borrowed->state == DC_STATE_STOPPED;

	if (borrowed->hold.tid)
		return NULL;
	if (is_back && !borrowed->pad.kept)
		return hold_one(borrowed, borrowed->tid);
	return error_in_state(
		error_make(DC_REFUSED, "thread %d is not borrowed any more", borrowed->tid),
		borrowed->state);
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
	borrowed->called = false;
	if (!borrowed->hold.tid)
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

static struct dc_error *run_call(void *arg)
{
	struct call_job *job = arg;
	struct borrowed *borrowed = job->borrowed;
	const char *name = job->name ?: "the callee";
	uint64_t result_addr;
	struct dc_error *err = refuse_by_name(job->name);

	if (!err)
		err = prepare(job, &result_addr);
	if (err)
		return err;
	err = bare_call(&borrowed->bare, name, job->timeout_ns, &borrowed->pause_ns);
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
				.ret = ret };

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

	if (!err)
		err = prepare(job, &result_addr);
	for (int64_t now = tracer_now(), end = now + SLICE_NS; !err && job->done < job->n;
	     job->done++) {
		int64_t begin = now;

		if (done && now >= end)
			break;
		err = done++ ? bare_again(bare, name, job->timeout_ns, &borrowed->pause_ns)
			     : bare_call(bare, name, job->timeout_ns, &borrowed->pause_ns);
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
		err = hold_release(&borrowed->hold, &borrowed->pause_ns);
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
		err = pad_literal(&borrowed->pad, &borrowed->hold, job->bytes, job->n, job->addr);
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
	struct dc_error *err = hold_release_through(&borrowed->hold, unmap, &borrowed->pause_ns);
	int64_t limit = tracer_now() + LIMIT_S * INT64_C(1000000000);

	if (err)
		return err;
	while (read_held(borrowed->tid, base, &word, sizeof(word))) {
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
	struct hold *hold = &borrowed->hold;
	struct pad *pad = &borrowed->pad;
	struct dc_error *err = NULL, *release = NULL;
	bool by_itself = hold->tid && has_room_for_frame(borrowed);
	struct remote_syscall unmap;

	if (by_itself && hold_may_go_alone(hold) &&
	    pad_unmap_at_once(pad, borrowed->options.drop_literals, &unmap)) {
		borrowed->state = hold_state(hold);
		return go_through_unmap(borrowed, &unmap);
	}

	if (by_itself)
		err = unmap_all(borrowed, hold);
	if (hold->tid) {
		borrowed->state = hold_state(hold);
		release = hold_release(hold, &borrowed->pause_ns);
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
	company = company_release(&borrowed->company);
	*ret = (struct dc_departure){
		.pause_ns = borrowed->pause_ns,
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
