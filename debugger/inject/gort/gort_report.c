// SPDX-License-Identifier: MIT
// What became of a call into a runtime's host, in words: frames, panics, reasons.
#include "debugger/stack/goroutines/goroutines.h"
#include "debugger/inject/gort/gort_conversation.h"
#include "debugger/base/cleanup.h"
#include "debugger/target/memory.h"

#include <inttypes.h>
#include <string.h>

struct dc_error *gort_snapshot_callee(const struct gort_conversation *conversation,
				      struct snapshot *ret)
{
	enum { ABOVE = 1024 }; // of the host's frames, through which an unwinder comes to READY

	return outcome_snapshot(conversation->gort->tracee, conversation->ready.rsp + ABOVE, ret);
}

struct frame_limit gort_frame_limit(const struct gort_conversation *conversation)
{
	// As a return address, and as where READY was said.
	return (struct frame_limit){ conversation->ready.rip - 1, conversation->ready.rip + 1 };
}

void gort_add_frames(const struct gort_conversation *conversation, struct dc_error *err)
{
	_cleanup_(snapshot_deinit) struct snapshot snapshot = { 0 };
	struct frame_limit limit = gort_frame_limit(conversation);
	_cleanup_error_ struct dc_error *failure = gort_snapshot_callee(conversation, &snapshot);

	if (!failure)
		outcome_add_frames(err, conversation->gort->unwind, &snapshot, &limit);
}

void gort_add_parked_frames(const struct gort_conversation *conversation, struct dc_error *err)
{
	const struct gort *gort = conversation->gort;
	struct snapshot snapshot = { 0 };
	struct goroutine g;
	struct dc_error *failure = goroutine_read(gort->tracee->process, gort->descriptor,
						  conversation->callee, &g);
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

struct dc_error *gort_crashed(const struct gort_conversation *conversation,
			      const struct event *event)
{
	struct dc_error *err = outcome_crashed(conversation->request->name, event);

	gort_add_frames(conversation, err);
	return err;
}

struct dc_error *gort_overdue(const struct gort_conversation *conversation, bool cancelled)
{
	const char *what = conversation->client.state == CLIENT_ENTERING ? "was not entered"
									 : "did not return";

	return outcome_overdue(conversation->request->name, what, conversation->request->timeout_ns,
			       cancelled);
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

// "TYPE: TEXT" as the host says it of an exception of C++'s, which it has ended.
static const char exception[] = "a C++ exception ";
static struct dc_error *threw(const struct gort_conversation *conversation, char *what)
{
	char *text = strstr(what, ": ");
	_cleanup_free_ char *type = NULL;

	if (text)
		*text++ = '\0';
	type = symbols_type_name(what);
	return error_make(DC_THREW, "%s threw %s%s%s", conversation->request->name, type ?: what,
			  text ? ":" : "", text ?: "");
}

struct dc_error *gort_panicked(const struct gort_conversation *conversation, uint64_t addr)
{
	struct process *process = conversation->gort->tracee->process;
	struct panic panic;
	struct dc_error *err;

	if (!addr)
		return error_make(DC_EXITED, "%s ended its goroutine", conversation->request->name);
	err = memory_read(process, addr, &panic, sizeof(panic));
	if (err)
		return err;
	panic.message[sizeof(panic.message) - 1] = '\0';
	no_controls(panic.message);
	if (!strncmp(panic.message, exception, sizeof(exception) - 1))
		return threw(conversation, panic.message + sizeof(exception) - 1);
	err = error_make(DC_PANICKED, "%s panicked: %s", conversation->request->name,
			 panic.message);
	if (err == &dc_out_of_memory)
		return err;
	if (panic.signo > 0) {
		err->signo = panic.signo;
		err->addr = panic.addr;
	}
	err->frames = calloc(1, sizeof(*err->frames));
	if (err->frames) {
		// Without a signal it is where a call returns to.
		err->frames[0] = symbols_describe(conversation->gort->symbols,
						  panic.pc - (panic.signo == 0));
		err->frames[0].pc = panic.pc;
		err->nr_frames = 1;
	}
	return err;
}

struct dc_error *gort_reason(const struct gort_conversation *conversation, const uint64_t words[2])
{
	char text[256] = "";
	size_t n = words[1] < sizeof(text) ? words[1] : sizeof(text) - 1;

	text[memory_read_some(conversation->gort->tracee->process, words[0], text, n)] = '\0';
	no_controls(text);
	return error_make(DC_REFUSED, "thread %d: %s", conversation->gort->tracee->tid, text);
}

struct dc_error *gort_ended(const struct gort_conversation *conversation, const struct event *event,
			    pid_t tid, bool thread_only)
{
	struct process *process = conversation->gort->tracee->process;
	struct machine machine;
	struct dc_error *err = NULL;

	// Of a program that another thread started anew, too, this thread alone seems to have
	// ended.
	if (event->kind != EVENT_EXEC && thread_only)
		err = machine_read(process, conversation->gort->descriptor,
				   conversation->gort->machine, &machine);
	if (event->kind == EVENT_EXEC || err) {
		dc_error_destroy(err);
		return outcome_execed(process);
	}
	return outcome_ended(process, conversation->request->name, tid, event, thread_only);
}
