// SPDX-License-Identifier: MIT
// Stopping candidates one at a time and judging where they stand.
#include "debugger/inject/select/chooser.h"

#include "debugger/inject/safepoint/language_runtime.h"
#include "debugger/base/cleanup.h"
#include "debugger/base/trace.h"
#include "debugger/inject/outcome.h"
#include "debugger/target/encounter.h"
#include "debugger/target/memory.h"
#include "debugger/target/waits.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool read_all(struct process *process, uint64_t addr, void *buf, size_t n)
{
	return memory_read_some(process, addr, buf, n) == n;
}

struct sequence {
	uint64_t start, end;
};

static struct sequence read_sequence(const struct tracee *tracee)
{
	enum { OFFSET_CS = 8 };
	struct {
		uint32_t version, flags;
		uint64_t start_ip, post_commit_offset, abort_ip;
	} descriptor;
	struct process *process = tracee->process;
	uint64_t area = registers_rseq_area(tracee->tid), address;

	if (!area || !read_all(process, area + OFFSET_CS, &address, sizeof(address)) || !address ||
	    !read_all(process, address, &descriptor, sizeof(descriptor)))
		return (struct sequence){ 0 };
	return (struct sequence){ descriptor.start_ip,
				  descriptor.start_ip + descriptor.post_commit_offset };
}

static bool covers(const struct sequence *sequence, uint64_t pc)
{
	return pc - sequence->start < sequence->end - sequence->start;
}

bool chooser_in_sequence(const struct tracee *tracee)
{
	struct sequence sequence = read_sequence(tracee);

	return covers(&sequence, registers_pc(&tracee->regs));
}

enum attempt {
	ATTEMPT_HELD,
	ATTEMPT_NOT_NOW, // reason
	ATTEMPT_TAKEN, // by another debugger: reason
	ATTEMPT_ENDED, // reason
	ATTEMPT_STALE, // what is known of the mappings is out of date
};

// A thread of the program that was looked at is wanted, not of one that came after it.
static struct dc_error *refuse_another(struct process *process)
{
	if (!memory_is_anothers(process))
		return NULL;
	return outcome_changed(process, "became another program");
}

static void take_snapshot(struct chooser *chooser)
{
	const struct user_regs_struct *regs = &chooser->tracee->regs;
	struct snapshot *seen = &chooser->seen;

	*seen = (struct snapshot){ .regs = *regs,
				   .stack_start = registers_sp(regs) - RED_ZONE,
				   .stack = chooser->scan };
	seen->stack_size = memory_read_some(chooser->process, seen->stack_start, chooser->scan,
					    sizeof(chooser->scan));
	if (seen->stack_size)
		return;
	// The red zone may reach below what is mapped.
	seen->stack_start = registers_sp(regs);
	seen->stack_size = memory_read_some(chooser->process, seen->stack_start, chooser->scan,
					    sizeof(chooser->scan));
}

static bool will_do(const struct chooser *chooser, const struct verdict *verdict)
{
	return verdict->safety == SAFETY_SAFE ||
	       (verdict->safety == SAFETY_GUARDED && chooser->avoids_stdio);
}

// The first walk reads tables for milliseconds: the thread is let go of meanwhile, and the next time
// a walk costs microseconds.
static struct dc_error *release_for_walk(struct chooser *chooser)
{
	if (chooser->walked_cold)
		return NULL;
	chooser->walked_cold = true;
	chooser->tracee->awake_at = tracer_now();
	return tracee_release(chooser->tracee);
}

enum place {
	PLACE_SAFE,
	PLACE_UNSAFE, // reason
	PLACE_LEFT_SOON, // the same, but the thread comes out of it
};

// At the stop: may the thread be borrowed where it is? Not held any more: it may not.
static struct dc_error *judge_stopped(struct chooser *chooser, bool as_seen_asleep, bool at_rest,
				      enum place *ret, struct verdict *verdict)
{
	const struct tracee *tracee = chooser->tracee;
	struct sequence sequence = { 0 };
	bool in_vm = chooser->vm && !chooser->force && !at_rest;

	*ret = PLACE_SAFE;
	if (as_seen_asleep && !in_vm)
		return NULL;
	sequence = read_sequence(tracee);
	if (covers(&sequence, registers_pc(&tracee->regs))) {
		// Even by force: memory shared by all threads of a CPU would be damaged.
		*ret = PLACE_UNSAFE;
		snprintf(verdict->reason, sizeof(verdict->reason),
			 "is inside a restartable sequence");
		return NULL;
	}
	if (chooser->force || !chooser->safepoints)
		return NULL;
	take_snapshot(chooser);
	if (!chooser->seen.stack_size) {
		struct dc_error *err = refuse_another(chooser->process);

		if (err)
			return err;
	}
	if (in_vm &&
	    language_runtime_is_inside(chooser->vm, &chooser->space->maps, &chooser->seen)) {
		*ret = PLACE_UNSAFE;
		snprintf(verdict->reason, sizeof(verdict->reason),
			 "runs inside %s, to which the callee belongs; wait for it to block in a "
			 "system call (--wait), or --force",
			 chooser->vm->name);
		return NULL;
	}
	safepoints_scan(chooser->safepoints, &chooser->seen, sequence.start, sequence.end, verdict);
	*ret = will_do(chooser, verdict) ? PLACE_SAFE : PLACE_LEFT_SOON;
	// Only a walk tells a frame of stdio from what an earlier one left on the stack.
	if (*ret == PLACE_SAFE || verdict->safety == SAFETY_UNSAFE)
		return NULL;

	struct dc_error *err = release_for_walk(chooser);

	if (!err)
		err = safepoints_confirm(chooser->safepoints, chooser->unwind, &chooser->seen,
					 verdict);
	if (!err && will_do(chooser, verdict))
		*ret = tracee->tid ? PLACE_SAFE : PLACE_UNSAFE;
	return err;
}

// It is inside code in which it may not be borrowed, and met where it leaves that: one that does
// little else would be found outside only by luck.
static struct dc_error *meet_outside(struct chooser *chooser, const struct candidate *candidate,
				     enum place *place, struct verdict *verdict)
{
	enum { LEAVES_MAX = 4, PATIENCE_NS = 20 * 1000 * 1000 };
	struct rendezvous at = { .deadline = chooser->deadline, .patience_ns = PATIENCE_NS };
	struct tracee *tracee = chooser->tracee;
	struct dc_error *err = NULL;

	for (int i = 0; i < LEAVES_MAX && !err && *place == PLACE_LEFT_SOON; i++) {
		enum tracee_stop stop = TRACEE_ENDED;

		at.pc = 0;
		if (tracee->tid)
			err = release_for_walk(chooser);
		if (!err)
			err = safepoints_way_out(chooser->safepoints, chooser->unwind,
						 &chooser->seen, &at.pc);
		if (err || !at.pc)
			return err;
		err = tracee->tid ? encounter_further(tracee, &candidate->info, &at, &stop)
				  : encounter(tracee, candidate->tid, &candidate->info, &at, &stop);
		if (err && (err->code == DC_REFUSED || err->code == DC_ATTACH)) {
			// No breakpoint is to be had, or another debugger was quicker.
			dc_error_destroy(err);
			return NULL;
		}
		if (!err && stop == TRACEE_UNSTOPPABLE) {
			*place = PLACE_UNSAFE;
			return tracee_stop_followed(tracee, &stop);
		}
		if (!err && stop == TRACEE_STOPPED)
			err = judge_stopped(chooser, false, false, place, verdict);
		else
			*place = PLACE_UNSAFE;
	}
	return err;
}

// Unstopped: is a sleeping thread at a place where stopping it is worth while?
static struct dc_error *judge_asleep(struct chooser *chooser, const struct candidate *candidate,
				     bool *known_safe, bool *worth, struct verdict *verdict)
{
	*known_safe = false;
	*worth = true;
	if (!candidate->info.in_syscall || candidate->info.syscall < 0)
		return NULL;
	if (chooser->force || !chooser->safepoints) {
		*known_safe = true;
		return NULL;
	}

	struct dc_error *err = safepoints_asleep(chooser->safepoints, chooser->unwind,
						 &candidate->info, verdict);

	if (err)
		return err;
	chooser->walked_cold = true;
	*known_safe = will_do(chooser, verdict);
	*worth = *known_safe || verdict->safety == SAFETY_SUSPECT;
	return NULL;
}

static void explain(pid_t tid, const struct verdict *verdict, char *reason, size_t size)
{
	snprintf(reason, size, "thread %d %s%s", tid, verdict->reason,
		 verdict->safety == SAFETY_GUARDED ? ", and the callee may use stdio" : "");
}

static struct dc_error *cancelled(void)
{
	return error_make(DC_CANCELLED, "interrupted");
}

// A wait that a stop would end with EINTR is left to end by itself, for as long as there is time; with
// *returned the thread stands behind it. A host of the target's own knows its waits, and sees to them.
static struct dc_error *stop_candidate(struct chooser *chooser, const struct candidate *candidate,
				       bool has_filter, enum tracee_stop *ret, bool *returned)
{
	const struct rendezvous at = { candidate->info.pc, chooser->deadline, 0 };
	struct tracee *tracee = chooser->tracee;
	struct dc_error *err;

	*returned = false;
	tracee->awake_at = candidate->awake_at;
	if (candidate->rank != RANK_EINTR || has_filter)
		return tracee_stop(tracee, candidate->tid, ret);
	err = encounter(tracee, candidate->tid, &candidate->info, &at, ret);
	if (err && err->code == DC_REFUSED && !tracee->tid) {
		// There are no breakpoints for us.
		dc_error_destroy(err);
		return tracee_stop(tracee, candidate->tid, ret);
	}
	*returned = !err && *ret == TRACEE_STOPPED;
	if (err || *ret != TRACEE_UNSTOPPABLE)
		return err;
	if (!tracer_cancelled(chooser->tracer))
		return tracee_stop_followed(tracee, ret);
	// Whoever gives up does not end its wait.
	tracee_forget(tracee);
	tracer_abandon(chooser->tracer);
	return cancelled();
}

static struct dc_error *attempt(struct chooser *chooser, const struct candidate *candidate,
				const struct chooser_filter *filter, enum attempt *ret,
				char *reason, size_t size)
{
	struct tracee *tracee = chooser->tracee;
	struct verdict verdict = { 0 };
	bool known_safe, worth;
	enum place place;
	enum tracee_stop stop;
	bool returned;

	*ret = ATTEMPT_NOT_NOW;
	if (candidate->rank == RANK_NOT_NOW) {
		snprintf(reason, size, "%s", candidate->reason);
		if (candidate->info.state == 'Z' || candidate->info.state == 'X')
			*ret = ATTEMPT_ENDED;
		else if (candidate->info.tracer)
			*ret = ATTEMPT_TAKEN;
		return NULL;
	}
	if (filter && !filter->is_worth(filter->host, &candidate->info, reason, size))
		return NULL;
	chooser->is_hopeful = true;

	struct dc_error *err = judge_asleep(chooser, candidate, &known_safe, &worth, &verdict);

	if (err)
		return err;
	if (!worth) {
		explain(candidate->tid, &verdict, reason, size);
		return NULL;
	}
	chooser->space->noted = thread_stack_read(
		chooser->process, &chooser->space->maps,
		thread_stack_pointer(chooser->process, candidate->tid));
	err = stop_candidate(chooser, candidate, filter != NULL, &stop, &returned);
	if (err && err->code == DC_ATTACH) {
		// It was quicker, and may be gone already.
		*ret = ATTEMPT_TAKEN;
		snprintf(reason, size, "%s", err->message);
		dc_error_destroy(err);
		return NULL;
	}
	if (err)
		goto fail;
	if (stop != TRACEE_STOPPED) {
		static const char *const reasons[] = {
			[TRACEE_BUSY] = "was taking a signal",
			[TRACEE_ENDED] = "has ended",
			[TRACEE_UNSTOPPABLE] = "cannot be stopped",
		};

		snprintf(reason, size, "thread %d %s", candidate->tid, reasons[stop]);
		if (stop == TRACEE_ENDED)
			*ret = ATTEMPT_ENDED;
		return NULL;
	}

	const struct thread_info *info = &candidate->info;
	bool as_seen = known_safe && registers_pc(&tracee->regs) == info->pc &&
		       registers_sp(&tracee->regs) == info->sp &&
		       (returned || registers_syscall(&tracee->regs) == info->syscall);
	bool at_rest = returned ? waits_of(info->syscall) & WAIT_AT_REST
				: language_runtime_waits(&tracee->regs);

	err = judge_stopped(chooser, as_seen, at_rest, &place, &verdict);
	if (!err)
		err = meet_outside(chooser, candidate, &place, &verdict);
	if (err)
		goto fail;
	if (place != PLACE_SAFE || !tracee->tid) {
		explain(candidate->tid, &verdict, reason, size);
		return tracee->tid ? tracee_release(tracee) : NULL;
	}
	if (filter && !filter->suits(filter->host, info, reason, size))
		return tracee_release(tracee);
	if (!maps_find(&chooser->space->maps, registers_sp(&tracee->regs))) {
		*ret = ATTEMPT_STALE;
		return tracee_release(tracee);
	}
	chooser->info = *info;
	*ret = ATTEMPT_HELD;
	return NULL;
fail:
	if (tracee->tid)
		dc_error_destroy(tracee_release(tracee));
	return err;
}

struct reasons {
	char text[8][240];
	size_t n, more;
	bool all_ended, all_taken;
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

static struct dc_error *refuse(const struct chooser *chooser, const struct choice *choice,
			       const struct reasons *reasons)
{
	const struct chooser_filter *filter = choice->filter;
	const char *first = reasons->n ? reasons->text[0] : "";
	struct dc_error *err = NULL;

	// The process itself may take a moment longer than its last thread.
	if (!process_alive(chooser->process) || (reasons->all_ended && !choice->thread))
		return error_in_state(
			error_make(DC_TARGET_ENDED, "process %d has ended", chooser->process->pid),
			DC_STATE_ENDED);
	if (filter)
		err = filter->refusal(filter->host, choice->wait_ns, first);
	if (err)
		return err;
	if (reasons->all_taken && reasons->n)
		err = error_make(DC_ATTACH, "%s", first);
	else
		err = error_make(DC_REFUSED, "%s %d came to no safe point within %.3g s: %s",
				 choice->thread ? "thread" : "process",
				 choice->thread ?: chooser->process->pid,
				 (double)choice->wait_ns / 1e9,
				 reasons->n ? first : "it has no threads");
	for (size_t i = 1; i < reasons->n; i++)
		err = error_note(err, "%s", reasons->text[i]);
	if (reasons->more)
		err = error_note(err, "and %zu other threads", reasons->more);
	return err;
}

// Once through the candidates. A pass stops at most one thread at a time.
static struct dc_error *one_pass(struct chooser *chooser, const struct choice *choice,
				 struct reasons *reasons)
{
	_cleanup_(candidates_deinit) struct candidates candidates = { 0 };
	struct dc_error *err = refuse_another(chooser->process);

	if (!err)
		err = candidates_read(chooser->process, choice->thread, &candidates);
	reasons->n = reasons->more = 0;
	chooser->is_hopeful = false;
	reasons->all_ended = reasons->all_taken = true;
	for (size_t i = 0; !err && i < candidates.n && !chooser->tracee->tid; i++) {
		char reason[sizeof(*reasons->text)] = "";
		enum attempt result;

		if (tracer_cancelled(chooser->tracer))
			return cancelled();
		err = attempt(chooser, &candidates.candidate[i], choice->filter, &result, reason,
			      sizeof(reason));
		if (!err && result == ATTEMPT_STALE) {
			address_space_deinit(chooser->space);
			err = address_space_read(chooser->process, chooser->space);
		}
		if (!err && result != ATTEMPT_ENDED)
			reasons->all_ended = false;
		if (!err && result != ATTEMPT_TAKEN)
			reasons->all_taken = false;
		if (!err && *reason && result != ATTEMPT_HELD && result != ATTEMPT_STALE) {
			if (trace_on(TRACE_INJECT))
				trace_put(TRACE_INJECT, "is not borrowed",
					  candidates.candidate[i].tid, 0, 0, reason);
			reasons_add(reasons, reason);
		}
	}
	return err;
}

struct pass_job {
	struct chooser *chooser;
	const struct choice *choice;
	struct reasons *reasons;
};

static struct dc_error *run_pass(void *arg)
{
	struct pass_job *job = arg;

	return one_pass(job->chooser, job->choice, job->reasons);
}

static struct dc_error *search(struct chooser *chooser, const struct choice *choice)
{
	enum { PAUSE_MIN_NS = 50 * 1000, PAUSE_MAX_NS = 2 * 1000 * 1000, IDLE_MAX = 3 };
	const struct chooser_filter *filter = choice->filter;
	struct reasons reasons = { 0 };
	struct pass_job job = { chooser, choice, &reasons };
	long pause = PAUSE_MIN_NS;
	int idle = 0;

	chooser->deadline = tracer_now() + choice->wait_ns;
	for (;;) {
		struct dc_error *err = filter ? filter->before(filter->host) : NULL;

		if (!err)
			err = tracer_run(chooser->tracer, run_pass, &job);
		if (err || chooser->tracee->tid)
			return err;
		idle = chooser->is_hopeful ? 0 : idle + 1;
		if (filter)
			filter->after(filter->host, chooser->is_hopeful);
		if (choice->is_impatient && idle == IDLE_MAX)
			return refuse(chooser, choice, &reasons);
		// Within a job, what cannot be stopped stays seized until the job is over.
		if (tracer_now() >= chooser->deadline || tracer_is_abandoned(chooser->tracer))
			return refuse(chooser, choice, &reasons);
		// The target gets on with its work between two looks.
		nanosleep(&(struct timespec){ .tv_nsec = pause }, NULL);
		if (pause < PAUSE_MAX_NS)
			pause += pause / 8;
	}
}

struct dc_error *chooser_hold(struct chooser *chooser, const struct choice *choice)
{
	struct dc_error *err = search(chooser, choice);

	if (choice->filter)
		choice->filter->end(choice->filter->host);
	return err;
}
