// SPDX-License-Identifier: MIT
// Taking all stacks: registers, a copy of each stack, and the proof that the thread did not run in
// between; what is copied is walked afterwards, when time does not matter any more.
#include "debugger/stack/dump.h"

#include "debugger/base/cleanup.h"
#include "debugger/stack/halted.h"
#include "debugger/stack/instants.h"
#include "debugger/target/memory.h"
#include "debugger/target/sample.h"
#include "debugger/target/waits.h"

#include <string.h>
#include <time.h>

enum {
	ROUNDS = 4, // looks at a thread that runs each time
	COPIED = 16384, // bytes: few stacks are deeper while their thread sleeps
};

static const char MOVING[] = "moving: it ran each time that it was looked at";

// What is not known yet of a thread, beside its row of the dump.
struct pending {
	struct dump_thread *thread;
	bool runs; // on a CPU, when it was looked at last
	bool is_deep; // its frames reach beyond a copy: it is walked as it stands
};

struct taking {
	struct process *process;
	struct unwind *unwind;
	const struct dump_options *options;
	struct pending *pending;
	size_t nr_pending;
	struct unwound *frames; // UNWIND_MAX
	bool no_samples; // the kernel gives none
	int64_t sampling_ns; // how long samples were waited for, all in all
};

static int compare(const void *a, const void *b)
{
	const struct dump_thread *x = a, *y = b;

	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

static void forget_frames(struct dump_thread *thread)
{
	free(thread->frames);
	thread->frames = NULL;
	thread->n = 0;
}

struct dc_error *dump_keep_frames(struct dump_thread *thread, const struct unwound *frames,
				  size_t n)
{
	forget_frames(thread);
	thread->frames = calloc(n ?: 1, sizeof(*thread->frames));
	if (!thread->frames)
		return &dc_out_of_memory;
	thread->n = n;
	for (size_t i = 0; i < n; i++)
		thread->frames[i] = (struct dump_frame){
			.pc = frames[i].frame.regs[REGISTER_RIP],
			.looked_up = frames[i].frame.pc,
			.is_signal_frame = frames[i].is_signal_frame,
			.is_guess = frames[i].is_guess,
		};
	return NULL;
}

// Walks and keeps what was found; without a copy in the snapshot the stack is read as it stands.
static struct dc_error *walk(struct taking *taking, const struct snapshot *snapshot,
			     struct dump_thread *thread)
{
	size_t n;
	struct dc_error *err = unwind_walk(taking->unwind, snapshot, taking->frames, UNWIND_MAX, &n,
					   &thread->complete);

	if (err)
		return err;
	thread->why = thread->complete ? NULL : unwind_why_incomplete(taking->unwind);
	return dump_keep_frames(thread, taking->frames, n);
}

static struct snapshot snapshot_of(const struct instant *instant)
{
	return (struct snapshot){
		.regs = instant->regs,
		.unknown = instant->unknown,
		.stack_start = registers_sp(&instant->regs) - RED_ZONE,
	};
}

// While the instant is not over yet: the copy, or else the walk.
static struct dc_error *look(struct taking *taking, const struct pending *pending,
			     const struct instant *instant, struct snapshot *ret)
{
	*ret = snapshot_of(instant);
	if (pending->is_deep)
		return walk(taking, ret, pending->thread);
	ret->stack = malloc(COPIED);
	if (!ret->stack)
		return &dc_out_of_memory;
	ret->stack_size = memory_read_some(taking->process, ret->stack_start, ret->stack, COPIED);
	return NULL;
}

// The instant is over. *settled: the thread needs no other.
static struct dc_error *settle(struct taking *taking, struct pending *pending,
			       const struct instant *instant, const struct snapshot *snapshot,
			       bool *settled)
{
	struct dump_thread *thread = pending->thread;
	struct dc_error *err = NULL;

	*settled = false;
	pending->runs = instant->state == INSTANT_RUNS;
	memcpy(thread->name, instant->name, sizeof(thread->name));
	if (instant->state == INSTANT_ENDED) {
		thread->has_ended = *settled = true;
		return NULL;
	}
	if (instant->state != INSTANT_STANDS) {
		forget_frames(thread);
		thread->why = MOVING;
		return NULL;
	}
	if (!pending->is_deep) {
		err = walk(taking, snapshot, thread);
		if (!err && unwind_strayed(taking->unwind)) {
			forget_frames(thread);
			thread->why = MOVING;
			pending->is_deep = true;
			return NULL;
		}
	}
	thread->way = taking->options->bpf ? DUMP_BPF : DUMP_PROC;
	thread->is_waiting = instant->is_waiting;
	thread->syscall = instant->is_waiting ? registers_syscall(&instant->regs) : -1;
	memcpy(thread->args, instant->args, sizeof(thread->args));
	*settled = true;
	return err;
}

// One look at some of the pending; which are settled then.
static struct dc_error *look_at(struct taking *taking, struct pending *pending, size_t n,
				bool *settled)
{
	_cleanup_(instants_deinit) struct instants instants = { 0 };
	_cleanup_free_ pid_t *tids = calloc(n, sizeof(*tids));
	struct snapshot *snapshots = calloc(n, sizeof(*snapshots));
	struct bpf_threads *bpf = taking->options->bpf;
	struct dc_error *err = tids && snapshots ? NULL : &dc_out_of_memory;

	for (size_t i = 0; !err && i < n; i++)
		tids[i] = pending[i].thread->tid;
	if (!err)
		err = instants_begin(taking->process, bpf, tids, n, &instants);
	for (size_t i = 0; !err && i < n; i++) {
		const struct instant *instant = instants_find(&instants, tids[i]);

		if (instant && instant->state == INSTANT_STANDS)
			err = look(taking, &pending[i], instant, &snapshots[i]);
	}
	if (!err)
		err = instants_check(taking->process, bpf, &instants);
	for (size_t i = 0; !err && i < n; i++) {
		static const struct instant ended = { .state = INSTANT_ENDED };
		const struct instant *instant = instants_find(&instants, tids[i]);

		err = settle(taking, &pending[i], instant ?: &ended, &snapshots[i], &settled[i]);
	}
	for (size_t i = 0; snapshots && i < n; i++)
		free(snapshots[i].stack);
	free(snapshots);
	return err;
}

// One look at all that are pending. By BPF all registers are read at once; by /proc a thread's are
// read next to its stack.
static struct dc_error *look_around(struct taking *taking)
{
	enum { AT_ONCE = 512 }; // copies in our memory
	size_t chunk = taking->options->bpf ? AT_ONCE : 1, left = 0;
	bool settled[AT_ONCE];

	for (size_t i = 0; i < taking->nr_pending; i += chunk) {
		size_t n = taking->nr_pending - i < chunk ? taking->nr_pending - i : chunk;
		struct dc_error *err = look_at(taking, taking->pending + i, n, settled);

		if (err)
			return err;
		for (size_t k = 0; k < n; k++) {
			if (!settled[k])
				taking->pending[left++] = taking->pending[i + k];
		}
	}
	taking->nr_pending = left;
	return NULL;
}

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

// One that runs is sampled by the kernel.
static struct dc_error *sample(struct taking *taking, struct dump_thread *thread, bool *settled)
{
	enum { WAIT_NS = 20000000, WAIT_ALL_NS = 1000000000 };
	int64_t since = now();
	struct sample sample;
	struct dc_error *err;

	*settled = false;
	if (taking->no_samples || taking->sampling_ns > WAIT_ALL_NS)
		return NULL;
	err = sample_take(thread->tid, WAIT_NS, &sample, settled);
	taking->sampling_ns += now() - since;
	if (err) {
		dc_error_destroy(err);
		taking->no_samples = true;
	}
	if (!*settled)
		return NULL;

	const struct snapshot snapshot = {
		.regs = sample.regs,
		.stack_start = registers_sp(&sample.regs),
		.stack = sample.stack,
		.stack_size = sample.size,
	};

	err = walk(taking, &snapshot, thread);
	free(sample.stack);
	thread->way = DUMP_SAMPLE;
	thread->is_waiting = false;
	// It may stand elsewhere when it is sampled again.
	if (!err && unwind_strayed(taking->unwind)) {
		forget_frames(thread);
		*settled = false;
		thread->way = DUMP_NONE;
		thread->complete = false;
		thread->why = "running, and its frames lie beyond what a sample holds";
	}
	return err;
}

static struct dc_error *sample_running(struct taking *taking)
{
	size_t left = 0;
	struct dc_error *err = NULL;

	for (size_t i = 0; i < taking->nr_pending; i++) {
		struct pending *pending = &taking->pending[i];
		bool settled = false;

		if (!err && pending->runs)
			err = sample(taking, pending->thread, &settled);
		if (!settled)
			taking->pending[left++] = *pending;
		if (!settled && pending->runs && taking->no_samples)
			pending->thread->why = "running, and the kernel takes no samples for us";
	}
	taking->nr_pending = left;
	return err;
}

// Only a stop tells more of it, and it may be stopped. Where not all may, it must wait at this very
// moment in what goes on after a stop as if nothing had been.
static bool wants_stop(struct taking *taking, const struct dump_thread *thread)
{
	_cleanup_(instants_deinit) struct instants instants = { 0 };

	if (!taking->options->tracer || thread->has_ended || thread->complete ||
	    (thread->way != DUMP_NONE && thread->way != DUMP_PROC))
		return false;
	if (taking->options->stop_any)
		return true;

	_cleanup_error_ struct dc_error *err = instants_begin(taking->process, NULL, &thread->tid,
							      1, &instants);

	return !err && instants.instant[0].state == INSTANT_STANDS &&
	       waits_of(registers_syscall(&instants.instant[0].regs)) & WAIT_STEADY;
}

static struct dc_error *stop(struct taking *taking, struct dump_thread *thread, size_t *nr_stopped)
{
	struct snapshot snapshot;
	bool taken;
	struct dc_error *err = halted_snapshot(taking->options->tracer, taking->process,
					       thread->tid, &snapshot, &taken);

	if (!err && taken) {
		++*nr_stopped;
		thread->way = DUMP_STOP;
		thread->syscall = registers_syscall(&snapshot.regs);
		thread->is_waiting = thread->syscall >= 0;
		memcpy(thread->args,
		       (uint64_t[]){ snapshot.regs.rdi, snapshot.regs.rsi, snapshot.regs.rdx,
				     snapshot.regs.r10, snapshot.regs.r8, snapshot.regs.r9 },
		       sizeof(thread->args));
		err = walk(taking, &snapshot, thread);
	}
	free(snapshot.stack);
	return err;
}

static struct dc_error *stop_incomplete(struct taking *taking, struct dump *dump)
{
	struct dc_error *err = NULL;

	for (size_t i = 0; !err && i < dump->n; i++) {
		if (wants_stop(taking, &dump->threads[i]))
			err = stop(taking, &dump->threads[i], &dump->nr_stopped);
	}
	return err;
}

static struct dc_error *list(struct process *process, const struct dump_options *options,
			     struct dump *dump)
{
	_cleanup_(process_threads_deinit) struct process_threads threads = { 0 };
	struct dc_error *err = process_threads(process, &threads);

	if (err)
		return err;
	dump->threads = calloc(threads.n ?: 1, sizeof(*dump->threads));
	if (!dump->threads)
		return &dc_out_of_memory;
	for (size_t i = 0; i < threads.n; i++) {
		if (!options->thread || threads.tids[i] == options->thread)
			dump->threads[dump->n++] = (struct dump_thread){ .tid = threads.tids[i],
									 .syscall = -1 };
	}
	qsort(dump->threads, dump->n, sizeof(*dump->threads), compare);
	return NULL;
}

static struct dc_error *take(struct taking *taking, struct dump *dump)
{
	struct dc_error *err = NULL;

	taking->pending = calloc(dump->n ?: 1, sizeof(*taking->pending));
	taking->frames = calloc(UNWIND_MAX, sizeof(*taking->frames));
	if (!taking->pending || !taking->frames)
		return &dc_out_of_memory;
	for (size_t i = 0; i < dump->n; i++)
		taking->pending[taking->nr_pending++].thread = &dump->threads[i];
	for (int round = 0; !err && taking->nr_pending && round < ROUNDS; round++) {
		err = look_around(taking);
		if (!err)
			err = sample_running(taking);
	}
	return err ? err : stop_incomplete(taking, dump);
}

struct dc_error *dump_take(struct process *process, struct unwind *unwind,
			   const struct dump_options *options, struct dump *ret)
{
	struct taking taking = { .process = process, .unwind = unwind, .options = options };
	struct dump dump = { 0 };
	struct dc_error *err = list(process, options, &dump);

	if (!err)
		err = take(&taking, &dump);
	free(taking.pending);
	free(taking.frames);
	if (err) {
		dump_deinit(&dump);
		return err;
	}
	*ret = dump;
	return NULL;
}

void dump_deinit(struct dump *dump)
{
	for (size_t i = 0; i < dump->n; i++)
		free(dump->threads[i].frames);
	free(dump->threads);
	*dump = (struct dump){ 0 };
}
