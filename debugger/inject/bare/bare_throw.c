// SPDX-License-Identifier: MIT
// From std::terminate() to the unwinder: only registers are changed.
#include "debugger/inject/bare/bare_throw.h"

#include "debugger/base/cleanup.h"
#include "debugger/base/trace.h"
#include "debugger/inject/bare/bare_wait.h"

#include <stdlib.h>
#include <string.h>

enum { NR_ENDS = 2 };

void bare_throw_init(struct bare *bare)
{
	for (int i = 0; i < NR_ENDS; i++)
		bare->ends[i] = KERNEL_BREAKPOINT_NONE;
	if (bare->symbols)
		throwing_find(bare->symbols, bare->tracee->process, &bare->throwing);
}

static void disarm(struct bare *bare)
{
	for (int i = 0; i < NR_ENDS; i++) {
		kernel_breakpoint_disarm(&bare->ends[i]);
		bare->ends[i] = KERNEL_BREAKPOINT_NONE;
	}
}

void bare_throw_deinit(struct bare *bare)
{
	disarm(bare);
	dc_error_destroy(bare->thrown);
}

bool bare_throw_may(const struct bare *bare, uint64_t addr)
{
	return bare->symbols && throwing_may(&bare->throwing, bare->symbols, addr);
}

void bare_throw_arm(struct bare *bare, bool may)
{
	const uint64_t places[NR_ENDS] = { bare->throwing.terminate, bare->throwing.end };
	int notice = bare->loan->handshake;
	pid_t tid = bare->tracee->tid;

	dc_error_destroy(bare->thrown);
	bare->thrown = NULL;
	bare->was_unwound = false;
	// One that is armed serves for all calls on its thread.
	if (!may || !notice || (bare->ends[0].fd >= 0 && bare->ends[0].tid == tid))
		return;
	disarm(bare);
	for (int i = 0; i < NR_ENDS && places[i]; i++) {
		struct dc_error *err = kernel_breakpoint_arm(
			&bare->ends[i], tid, BREAKPOINT_EXECUTE, places[i], sizeof(long), notice);

		dc_error_destroy(err);
		if (err)
			return;
	}
}

bool bare_throw_meets(struct bare *bare, const struct event *event)
{
	if (event->kind != EVENT_SIGNAL || event->signo != bare->loan->handshake)
		return false;
	for (int i = 0; i < NR_ENDS; i++) {
		if (bare->ends[i].fd >= 0 && event->pc == bare->ends[i].addr &&
		    kernel_breakpoint_hits(&bare->ends[i]))
			return true;
	}
	return false;
}

static struct dc_error *describe(struct bare *bare, uint64_t exception)
{
	_cleanup_(snapshot_deinit) struct snapshot snapshot = { 0 };
	_cleanup_free_ char *text = thrown_text(bare->symbols, bare->tracee->process, exception);
	struct dc_error *thrown = text ? error_make(DC_THREW, "%s", text) : &dc_out_of_memory;
	struct dc_error *err = outcome_snapshot(bare->tracee, bare->callee_stack, &snapshot);

	if (!err)
		outcome_add_frames(thrown, bare->unwind, &snapshot, &bare->ours);
	dc_error_destroy(err);
	return thrown;
}

bool bare_throw_unwind(struct bare *bare)
{
	struct tracee *tracee = bare->tracee;
	struct user_regs_struct regs;
	struct dc_error *err = registers_get(tracee->tid, &regs);
	uint64_t exception = err ? 0 : thrown_exception(&bare->throwing, tracee->process, &regs);

	// Once more would be without end. In a chain there is no place that it could be unwound to.
	if (err || !exception || bare->was_unwound || bare->is_chain) {
		dc_error_destroy(err);
		return false;
	}
	bare->was_unwound = true;
	bare->thrown = describe(bare, exception);
	trace(TRACE_INJECT, "threw, and is unwound", tracee->tid, 0, exception);
	regs.rdi = exception;
	regs.rip = pad_address(bare->pad, pad_unwind);
	regs.orig_rax = (uint64_t)-1;
	err = registers_set(tracee->tid, &regs);
	dc_error_destroy(err);
	return !err;
}

// The first frames are std::terminate's and __cxa_throw's.
static void drop_runtime(struct dc_error *err)
{
	enum { RUNTIME = 2 };

	if (err->nr_frames <= RUNTIME)
		return;
	err->nr_frames -= RUNTIME;
	memmove(err->frames, err->frames + RUNTIME, err->nr_frames * sizeof(*err->frames));
}

struct dc_error *bare_throw_outcome(struct bare *bare, const struct request *request)
{
	struct dc_error *thrown = take_ptr(bare->thrown), *err;

	if (!thrown || thrown == &dc_out_of_memory)
		return error_make(DC_THREW, "%s threw an exception", request->name);
	err = error_make(DC_THREW, "%s threw %s", request->name, thrown->message);
	if (err != &dc_out_of_memory) {
		err->frames = take_ptr(thrown->frames);
		err->nr_frames = thrown->nr_frames;
		thrown->nr_frames = 0;
		drop_runtime(err);
	}
	dc_error_destroy(thrown);
	return err;
}
