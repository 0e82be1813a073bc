// SPDX-License-Identifier: MIT
// Places that a thread may be sent to: another line of its function, a function that its line calls.
#include "debugger/front/dap/dap.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int add_target(struct request *request, uint64_t addr)
{
	return references_add(request->dap->references,
			      &(struct reference){ REFERENCE_TARGET, .target = addr });
}

bool dap_target(struct request *request, uint64_t *addr)
{
	int64_t number = argument_integer(request, request->arguments, "targetId", true, 0);
	const struct reference *target = references_find(request->dap->references, number,
							 REFERENCE_TARGET);

	if (!target)
		request_complain(request, "there is no target %jd any more: the program has run on",
				 (intmax_t)number);
	else
		*addr = target->target;
	return !request->complaint;
}

// ---- goto ----

struct lines {
	struct request *request;
	json_t *targets;
};

static bool add_line(const struct dc_line *line, void *arg)
{
	const struct lines *lines = arg;
	int base = lines->request->dap->lines_from_0;
	json_t *label = line->function ? json_sprintf("%s, line %d", line->function, line->line)
				       : json_sprintf("line %d", line->line);

	json_array_append_new(lines->targets,
			      json_pack("{si so* si so}", "id",
					add_target(lines->request, line->addr), "label", label,
					"line", line->line - base, "instructionPointerReference",
					json_sprintf("0x%" PRIx64, line->addr)));
	return true;
}

struct dc_error *dap_goto_targets(struct dc_session *session, void *arg)
{
	struct request *request = arg;
	const json_t *source = argument_object(request, request->arguments, "source");
	const char *path = argument_text(request, source, "path", true);
	int64_t line = argument_integer(request, request->arguments, "line", true, 0);
	struct lines lines = { request, NULL };

	if (request->complaint)
		return NULL;
	lines.targets = json_array();

	struct dc_error *err = dap_find_line(
		request, session, path, (int)line + request->dap->lines_from_0, add_line, &lines);

	request->body = json_pack("{so}", "targets", lines.targets);
	// That there is none is an answer.
	if (err && err->code == DC_NAME) {
		dc_error_destroy(err);
		err = NULL;
	}
	return err;
}

// Another function has another frame: only within its own a thread can go on elsewhere.
static struct dc_error *check_function(struct request *request, struct dc_session *session,
				       pid_t thread, uint64_t addr)
{
	struct dc_stack stack;
	struct dc_symbol from, to;
	struct dc_error *err = dc_frames(session, thread, &stack);
	uint64_t pc;

	if (err)
		return err;
	pc = stack.nr_frames ? stack.frames[0].at.pc : 0;
	dc_stack_deinit(&stack);
	err = dc_symbol_at(session, pc, &from);
	if (!err)
		err = dc_symbol_at(session, addr, &to);
	if (!err && (!from.name || !to.name || pc - from.offset != addr - to.offset))
		request_complain(request, "that is in another function, which has another frame");
	return err;
}

struct dc_error *dap_goto(struct dc_session *session, void *arg)
{
	struct request *request = arg;
	pid_t thread = (pid_t)argument_integer(request, request->arguments, "threadId", true, 0);
	const struct frame_reference frame = { .thread = thread, .stands = true };
	uint64_t addr;
	char value[32];
	struct dc_error *err;

	if (!request->complaint && !dap_stands(session, thread)) {
		request_complain(request, "thread %d does not stand", thread);
		request->message_id = "notStopped";
	}
	if (request->complaint || !dap_target(request, &addr))
		return NULL;
	err = check_function(request, session, thread, addr);
	if (err || request->complaint)
		return err;
	snprintf(value, sizeof(value), "0x%" PRIx64, addr);
	err = dap_assign(request, session, "$rip", value, &frame);
	if (err || request->complaint)
		return err;
	json_decref(request->body);
	request->body = NULL;
	dap_forget(request->dap);
	request_tell(request, "stopped",
		     json_pack("{ss si sb}", "reason", "goto", "threadId", thread,
			       "allThreadsStopped", 0));
	return NULL;
}

// ---- stepIn ----

struct calls {
	struct request *request;
	struct dc_session *session;
	json_t *targets;
	uint64_t start, end; // of the line's code that is looked at
};

static bool add_call(const struct dc_instruction *instruction, void *arg)
{
	struct calls *calls = arg;
	struct dc_frame frame;
	size_t n;

	if (strncmp(instruction->text, "call", 4) != 0 || !instruction->target)
		return true;

	struct dc_error *err = dc_describe(calls->session, instruction->target, &frame, 1, &n);

	// One without lines would be run through.
	if (!err && n && frame.function && frame.file)
		json_array_append_new(calls->targets,
				      json_pack("{si so*}", "id",
						add_target(calls->request, instruction->target),
						"label", json_text(frame.function)));
	dc_error_destroy(err);
	return true;
}

static bool note_end(const struct dc_line *line, void *arg)
{
	struct calls *calls = arg;

	if (line->end > calls->end)
		calls->end = line->end;
	return true;
}

// What the rest of the frame's line calls.
struct dc_error *dap_step_in_targets(struct dc_session *session, void *arg)
{
	struct request *request = arg;
	struct calls calls = { .request = request, .session = session };
	const struct frame_reference *frame = dap_frame(request);

	argument_integer(request, request->arguments, "frameId", true, 0);
	if (!request->complaint && (!frame || !frame->stands))
		request_complain(request, "the thread does not stand");
	if (request->complaint)
		return NULL;
	calls.targets = json_array();
	calls.start = calls.end = frame->pc;

	// Only the innermost frame's next steps lead there.
	struct dc_error *err = frame->index ? NULL
					    : dc_lines(session, calls.start, calls.start + 1,
						       note_end, &calls);

	if (!err && calls.end > calls.start)
		err = dc_disassemble(session, calls.start, calls.end, add_call, &calls);
	request->body = json_pack("{so}", "targets", calls.targets);
	return err;
}

struct body {
	uint64_t start, addr;
};

static bool find_body(const struct dc_line *line, void *arg)
{
	struct body *body = arg;

	if (line->addr <= body->start)
		return true;
	body->addr = line->addr;
	return false;
}

// Behind the prologue, where the second row of its lines begins.
struct dc_error *dap_step_to(struct dc_session *session, pid_t thread, uint64_t addr,
			     unsigned *breakpoint)
{
	struct body body = { addr, addr };
	struct dc_symbol symbol;
	struct dc_error *err = dc_symbol_at(session, addr, &symbol);
	char place[32];

	if (!err && symbol.name && symbol.size)
		err = dc_lines(session, addr, addr + symbol.size, find_body, &body);
	if (err)
		return err;
	snprintf(place, sizeof(place), "*0x%" PRIx64, body.addr);

	const struct dc_breakpoint_options options = {
		.kind = DC_BREAK, .place = place, .thread = thread, .temporary = true
	};

	return dc_breakpoint_set(session, &options, breakpoint);
}
