// SPDX-License-Identifier: MIT
// Steps by lines and frames: where one begins, and whether where it came to is its end.
#include "debugger/session/breakpoints.h"

#include "debugger/control/step.h"
#include "debugger/target/memory.h"

#include <string.h>

// What a step is about, from its beginning on; thread->step has it.
struct plan {
	enum dc_step how;
	uint64_t left; // steps still to be made, this one too
	const char *file; // of the line that is left
	int line;
	uint64_t cfa; // of the frame that it is left in
	const struct type *returns; // OUT: of the function that is left; NULL: not known
	uint64_t generation; // of the modules that it is from
};

struct steps_job {
	struct dc_session *session;
	const struct dc_step_options *options;
	struct plan *plan; // NULL: a thread has it
};

static struct dc_error *stands_not(pid_t tid)
{
	return error_make(DC_REFUSED, "thread %d does not stand", tid);
}

// The frames of a thread that stands, as far as wanted.
static struct dc_error *walk(struct dc_session *session, const struct thread *thread,
			     struct unwound *frames, size_t max, size_t *n)
{
	struct snapshot snapshot = { 0 };
	bool complete;
	struct dc_error *err = registers_get(thread->tracee.tid, &snapshot.regs);

	return err ? err : unwind_walk(session->unwind, &snapshot, frames, max, n, &complete);
}

// ---- where a step begins --------------------------------------------------------------------------

static struct dc_error *begin_out(struct dc_session *session, struct thread *thread,
				  unsigned number)
{
	_cleanup_free_ struct unwound *frames = calloc(UNWIND_MAX, sizeof(*frames));
	struct plan *plan = thread->step.plan;
	unsigned frame = 0, inlined;
	size_t n = 0;

	if (!frames)
		return &dc_out_of_memory;

	struct dc_error *err = walk(session, thread, frames, UNWIND_MAX, &n);

	if (!err)
		err = frame_find_number(session->symbols, number, frames, n, &frame, &inlined);
	if (!err && frame + 1 >= n)
		err = error_make(DC_REFUSED, "frame %u has no caller", number);
	if (err)
		return err;
	plan->returns = returned_type(session, frames[frame].frame.pc);
	plan->generation = session->generation;
	thread->step = (struct step){ .plan = plan };
	return step_to(thread, frames[frame + 1].frame.regs[REGISTER_PC], frames[frame].frame.cfa);
}

static bool goes_into(const struct plan *plan)
{
	return plan->how == DC_STEP_INTO || plan->how == DC_STEP_INSTRUCTION;
}

// The rest of the line, from where the thread stands.
static struct dc_error *begin_line(struct dc_session *session, struct thread *thread, uint64_t pc)
{
	struct plan *plan = thread->step.plan;
	struct step step = { .into = goes_into(plan), .plan = plan };
	struct line_block block;
	struct unwound frames[2];
	size_t n = 0;
	struct dc_error *err = walk(session, thread, frames, 2, &n);

	if (err)
		return err;
	// It may have been sent elsewhere since its stop.
	pc = n ? frames[0].frame.pc : pc;
	if (!symbols_line_block(session->symbols, pc, &block)) {
		// Nobody knows its lines: its end is what is left of them.
		plan->how = DC_STEP_OUT;
		err = begin_out(session, thread, 0);
		plan->returns = NULL;
		return err;
	}
	plan->file = block.file;
	plan->line = block.line;
	plan->cfa = n ? frames[0].frame.cfa : 0;
	step.start = block.start;
	step.end = block.end;
	if (plan->how == DC_STEP_UNTIL) {
		const struct dc_frame at = symbols_describe(session->symbols, pc);

		step.start = at.function ? pc - at.offset : step.start;
	}
	return step_begin(thread, &step);
}

static struct dc_error *begin_instruction(struct thread *thread)
{
	const struct step step = { .into = goes_into(thread->step.plan),
				   .plan = thread->step.plan };

	return step_begin(thread, &step);
}

static struct dc_error *begin(struct dc_session *session, struct thread *thread,
			      const struct dc_step_options *options)
{
	const struct plan *plan = thread->step.plan;

	switch (plan->how) {
	case DC_STEP_INSTRUCTION:
	case DC_STEP_INSTRUCTION_OVER: return begin_instruction(thread);
	case DC_STEP_OUT: return begin_out(session, thread, options->frame);
	default: return begin_line(session, thread, thread->stop.pc);
	}
}

// ---- where it came to -----------------------------------------------------------------------------

// A function was entered: behind its prologue, when its lines are known; else over it.
static struct dc_error *enter(struct dc_session *session, struct thread *thread, uint64_t pc,
			      bool *stays)
{
	enum { STUB_MAX = 4 }; // instructions of a stub that jumps on
	struct user_regs_struct regs;
	struct line_block block;
	struct successor next;
	uint64_t back;
	struct dc_error *err = registers_get(thread->tracee.tid, &regs);

	if (err)
		return err;
	for (int i = 0; i < STUB_MAX; i++) {
		if (symbols_line_block(session->symbols, registers_pc(&regs), &block)) {
			uint64_t body = symbols_body(session->symbols, registers_pc(&regs));

			*stays = body == pc;
			return *stays ? NULL : step_to(thread, body, 0);
		}
		err = successor_of(session->control->decoder, &regs, &next);
		if (err || next.is_call || next.is_return)
			break;
		regs.rip = next.addr;
	}
	dc_error_destroy(err);
	err = registers_get(thread->tracee.tid, &regs);
	if (!err)
		err = memory_read(session->process, registers_sp(&regs), &back, sizeof(back));
	return err ? err : step_over_to(thread, back, registers_sp(&regs) + sizeof(back));
}

static struct dc_error *judge_line(struct dc_session *session, struct thread *thread, bool *stays)
{
	struct plan *plan = thread->step.plan;
	uint64_t pc = thread->stop.pc, cfa;
	struct line_block block;
	struct unwound frames[2];
	size_t n = 0;
	struct dc_error *err = walk(session, thread, frames, 2, &n);
	const struct dc_frame at = symbols_describe(session->symbols, pc);

	if (err)
		return err;
	cfa = n ? frames[0].frame.cfa : 0;
	// Behind a prologue that was run to, or back in a caller.
	if (thread->step.way == WAY_PLACE || cfa > plan->cfa)
		return NULL;
	// Called, or jumped to as the last thing.
	if (cfa < plan->cfa || (at.function && !at.offset)) {
		*stays = false;
		return enter(session, thread, pc, stays);
	}
	if (!symbols_line_block(session->symbols, pc, &block))
		return NULL;
	if (block.is_start && (block.line != plan->line || block.file != plan->file))
		return NULL;
	*stays = false;
	return begin_line(session, thread, pc);
}

static struct dc_error *judge(struct dc_session *session, struct thread *thread, bool *stays)
{
	struct plan *plan = thread->step.plan;

	*stays = true;
	if (plan->how == DC_STEP_INTO || plan->how == DC_STEP_OVER || plan->how == DC_STEP_UNTIL) {
		struct dc_error *err = judge_line(session, thread, stays);

		if (err || !*stays)
			return err;
	}
	if (plan->how == DC_STEP_OUT && plan->returns && plan->generation == session->generation)
		thread->returned = returned_remember(session, thread, plan->returns);
	if (--plan->left == 0 || plan->how == DC_STEP_OUT)
		return NULL;
	*stays = false;
	return begin(session, thread, &(struct dc_step_options){ 0 });
}

struct dc_error *steps_judge(struct dc_session *session, struct thread *thread, bool *stays)
{
	struct dc_error *err = take_ptr(thread->failure);

	if (!err && thread->step.plan)
		err = judge(session, thread, stays);
	if (err)
		*stays = true;
	return err;
}

// ---- operations -----------------------------------------------------------------------------------

static struct dc_error *run_step(void *arg)
{
	struct steps_job *job = arg;
	struct control *control = job->session->control;
	pid_t tid = job->options->thread;
	struct thread *thread;
	struct dc_error *err;

	control_attend(control);
	thread = control_find(control, tid);
	if (!thread || !thread->stands || thread->is_undecided)
		return stands_not(tid);
	step_end(thread);
	thread->step.plan = take_ptr(job->plan);
	err = begin(job->session, thread, job->options);
	return err ? err
		   : session_go(job->session,
				job->session->stop_all && !job->options->alone ? 0 : tid);
}

struct dc_error *dc_step(struct dc_session *session, const struct dc_step_options *options)
{
	_turn_(session);
	struct plan *plan = calloc(1, sizeof(*plan));
	struct steps_job job = { .session = session, .options = options, .plan = plan };
	struct dc_error *err = plan ? NULL : &dc_out_of_memory;

	if (!err && !session->control)
		err = session_uncontrolled();
	if (!err)
		err = session_release(session);
	if (!err)
		err = session_refresh(session);
	if (plan)
		*plan = (struct plan){ .how = options->how, .left = options->count ?: 1 };
	if (!err)
		err = session_run(session, run_step, &job);
	free(job.plan);
	session->stale = true;
	session->epoch++;
	return session_conclude(session, err);
}
