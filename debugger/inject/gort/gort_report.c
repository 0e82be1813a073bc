// SPDX-License-Identifier: MIT
// What became of a call into a runtime's host, in words: frames, panics, reasons.
#include "debugger/inject/bare/bare_wait.h"
#include "debugger/stack/goroutines/goroutines.h"
#include "debugger/inject/gort/gort_conversation.h"
#include "debugger/base/cleanup.h"
#include "debugger/target/memory.h"

#include <inttypes.h>
#include <string.h>

void snapshot_free(struct snapshot *snapshot)
{
	free(snapshot->stack);
}

struct dc_error *talk_snapshot_callee(const struct talk *talk, struct snapshot *ret)
{
	enum { RED_ZONE = 128, COPY_MAX = 256 * 1024, ABOVE = 1024 };
	struct tracee *tracee = talk->gort->tracee;
	struct dc_error *err = registers_get(tracee->tid, &ret->regs);
	uint64_t size;

	ret->stack = NULL;
	if (err)
		return err;
	ret->stack_start = ret->regs.rsp - RED_ZONE;
	size = talk->ready.rsp + ABOVE - ret->stack_start;
	if (ret->regs.rsp > talk->ready.rsp || size > COPY_MAX)
		size = COPY_MAX;
	ret->stack = malloc(size);
	if (!ret->stack)
		return &dc_out_of_memory;
	ret->stack_size = memory_read_some(tracee->process, ret->stack_start, ret->stack, size);
	return NULL;
}

void talk_add_frames(const struct talk *talk, struct dc_error *err)
{
	_cleanup_(snapshot_free) struct snapshot snapshot = { 0 };
	_cleanup_error_ struct dc_error *failure = NULL;

	if (!talk->gort->unwind || err == &dc_out_of_memory)
		return;
	failure = talk_snapshot_callee(talk, &snapshot);
	if (failure || !snapshot.stack_size)
		return;
	err->frames = unwind_describe(talk->gort->unwind, &snapshot, &err->nr_frames);
	// The host's own begin where it said READY.
	for (size_t i = 0; i < err->nr_frames; i++)
		if (err->frames[i].pc - talk->ready.rip + 1 <= 1)
			err->nr_frames = i;
}

void talk_add_parked_frames(const struct talk *talk, struct dc_error *err)
{
	const struct gort *gort = talk->gort;
	struct snapshot snapshot = { 0 };
	struct goroutine g;
	struct dc_error *failure = goroutine_read(gort->tracee->process, gort->descriptor,
						  talk->callee, &g);
	size_t skip = 0;

	if (!gort->unwind || err == &dc_out_of_memory || failure ||
	    !goroutine_registers(gort->tracee->process, gort->descriptor, &g, &snapshot.regs)) {
		dc_error_destroy(failure);
		return;
	}
	err->frames = unwind_describe(gort->unwind, &snapshot, &err->nr_frames);
	// What it called in the runtime, to park, is seen in what it waits for.
	while (skip < err->nr_frames && gort_in_runtime(gort, err->frames[skip].pc))
		skip++;
	for (size_t i = skip; i < err->nr_frames; i++) {
		if (gort_in_runtime(gort, err->frames[i].pc))
			err->nr_frames = i;
		else
			err->frames[i - skip] = err->frames[i];
	}
	err->nr_frames -= skip;
}

struct dc_error *talk_crashed(const struct talk *talk, const struct event *event)
{
	const siginfo_t *info = &event->info;
	bool has_addr = (bare_wait_faults() & signal_bit(event->signo)) && info->si_code > 0 &&
			event->signo != SIGSYS;
	struct dc_error *err;

	if (has_addr)
		err = error_make(DC_CRASHED, "%s crashed with SIG%s at address 0x%" PRIxPTR,
				 talk->name, sigabbrev_np(event->signo), (uintptr_t)info->si_addr);
	else
		err = error_make(DC_CRASHED, "%s ended with SIG%s", talk->name,
				 sigabbrev_np(event->signo) ?: "?");
	if (err == &dc_out_of_memory)
		return err;
	err->signo = event->signo;
	err->addr = has_addr ? (uint64_t)(uintptr_t)info->si_addr : 0;
	talk_add_frames(talk, err);
	return err;
}

struct dc_error *talk_overdue(const struct talk *talk, bool cancelled)
{
	int64_t ns = talk->calls->timeout_ns;
	const char *what = talk->client.state == CLIENT_ENTERING ? "was not entered"
								 : "did not return";

	if (cancelled)
		return error_make(DC_CANCELLED, "%s was cancelled", talk->name);
	if (ns % 1000000000 == 0)
		return error_make(DC_DEADLINE, "%s %s within %" PRId64 " s", talk->name, what,
				  ns / 1000000000);
	return error_make(DC_DEADLINE, "%s %s within %" PRId64 " ms", talk->name, what,
			  ns / 1000000);
}

static void no_controls(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

// The layout of struct gort_panic, which is part of the protocol.
struct panic {
	char message[256];
	int32_t signo, code;
	uint64_t addr, pc;
};

struct dc_error *talk_panicked(const struct talk *talk, uint64_t addr)
{
	struct process *process = talk->gort->tracee->process;
	struct panic panic;
	struct dc_error *err;

	if (!addr)
		return error_make(DC_EXITED, "%s ended its goroutine", talk->name);
	err = memory_read(process, addr, &panic, sizeof(panic));
	if (err)
		return err;
	panic.message[sizeof(panic.message) - 1] = '\0';
	no_controls(panic.message);
	err = error_make(DC_PANICKED, "%s panicked: %s", talk->name, panic.message);
	if (err == &dc_out_of_memory)
		return err;
	if (panic.signo > 0) {
		err->signo = panic.signo;
		err->addr = panic.addr;
	}
	err->frames = calloc(1, sizeof(*err->frames));
	if (err->frames) {
		// Without a signal it is where a call returns to.
		err->frames[0] = symbols_describe(talk->gort->symbols,
						  panic.pc - (panic.signo == 0));
		err->frames[0].pc = panic.pc;
		err->nr_frames = 1;
	}
	return err;
}

struct dc_error *talk_reason(const struct talk *talk, const uint64_t words[2])
{
	char text[256] = "";
	size_t n = words[1] < sizeof(text) ? words[1] : sizeof(text) - 1;

	text[memory_read_some(talk->gort->tracee->process, words[0], text, n)] = '\0';
	no_controls(text);
	return error_make(DC_REFUSED, "thread %d: %s", talk->gort->tracee->tid, text);
}

struct dc_error *talk_ended(const struct talk *talk, const struct event *event, pid_t tid,
			    bool thread_only)
{
	struct process *process = talk->gort->tracee->process;
	int status = event->kind == EVENT_EXIT ? (int)event->message : event->status;
	struct machine machine;
	struct dc_error *err = NULL;

	// Of a program that another thread started anew, too, this thread alone seems to have
	// ended.
	if (event->kind != EVENT_EXEC && thread_only)
		err = machine_read(process, talk->gort->descriptor, talk->gort->machine, &machine);
	if (event->kind == EVENT_EXEC || err) {
		dc_error_destroy(err);
		return error_in_state(error_make(DC_TARGET_EXECED,
						 "process %d became another program", process->pid),
				      DC_STATE_EXECED);
	}
	if (thread_only)
		return error_in_state(
			error_make(DC_THREAD_ENDED, "%s ended thread %d", talk->name, tid),
			DC_STATE_RUNNING);
	if (status & 0x7f)
		err = error_make(DC_TARGET_ENDED, "process %d was ended by SIG%s in %s",
				 process->pid, sigabbrev_np(status & 0x7f) ?: "?", talk->name);
	else
		err = error_make(DC_TARGET_ENDED, "%s ended process %d with status %d", talk->name,
				 process->pid, status >> 8 & 0xff);
	return error_in_state(err, DC_STATE_ENDED);
}
