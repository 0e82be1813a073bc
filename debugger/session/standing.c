// SPDX-License-Identifier: MIT
// Looking at threads under control: which of them stand, and why, and the stack of one that does.
#include "debugger/session/breakpoints.h"

#include <string.h>

// ---- threads --------------------------------------------------------------------------------------

struct threads_job {
	struct dc_session *session;
	bool (*is_meant)(const struct threads_job *job, const struct thread *thread);
	pid_t only; // 0: any
	struct dc_thread *list;
	size_t n;
};

static bool is_any(const struct threads_job *job, const struct thread *thread)
{
	(void)job;
	(void)thread;
	return true;
}

static bool stands(const struct thread *thread)
{
	return thread->stands && !thread->is_undecided;
}

static bool is_standing(const struct threads_job *job, const struct thread *thread)
{
	return stands(thread) && (!job->only || thread->tracee.tid == job->only);
}

static void threads_free(struct threads_job *job)
{
	for (size_t i = 0; job->list && i < job->n; i++)
		stop_forget_texts(&job->list[i].stop);
	free(job->list);
}

static int by_tid(const void *a, const void *b)
{
	const struct dc_thread *left = a, *right = b;

	return left->tid < right->tid ? -1 : left->tid > right->tid;
}

static struct dc_error *run_threads(void *arg)
{
	struct threads_job *job = arg;
	struct dc_session *session = job->session;
	size_t n = 0;

	control_attend(session->control);
	for (struct thread *at = session->control->threads; at; at = at->next)
		n += job->is_meant(job, at);
	job->list = calloc(n ?: 1, sizeof(*job->list));
	if (!job->list)
		return &dc_out_of_memory;
	for (struct thread *at = session->control->threads; at; at = at->next) {
		struct dc_thread *thread;

		if (!job->is_meant(job, at))
			continue;
		thread = &job->list[job->n++];
		thread->tid = at->tracee.tid;
		thread->stands = stands(at);
		if (thread->stands)
			stop_describe(session, at, &thread->stop);
		stop_keep_texts(&thread->stop);
	}
	qsort(job->list, job->n, sizeof(*job->list), by_tid);
	return NULL;
}

static struct dc_error *each_thread(struct threads_job *job, bool named,
				    bool (*visit)(const struct dc_thread *, void *), void *arg)
{
	struct dc_session *session = job->session;
	struct dc_error *err = session->control ? session_run(session, run_threads, job)
						: session_uncontrolled();

	for (size_t i = 0; !err && i < job->n; i++) {
		if (named)
			process_thread_name(session->process, job->list[i].tid, job->list[i].name);
		if (!visit(&job->list[i], arg))
			break;
	}
	threads_free(job);
	return session_conclude(session, err);
}

struct dc_error *dc_threads(struct dc_session *session,
			    bool (*visit)(const struct dc_thread *, void *), void *arg)
{
	_turn_(session);
	struct threads_job job = { .session = session, .is_meant = is_any };

	return each_thread(&job, true, visit, arg);
}

struct dc_error *dc_standing(struct dc_session *session, pid_t thread,
			     bool (*visit)(const struct dc_thread *, void *), void *arg)
{
	_turn_(session);
	struct threads_job job = { .session = session, .is_meant = is_standing, .only = thread };

	return each_thread(&job, false, visit, arg);
}

// ---- frames ---------------------------------------------------------------------------------------

struct frames_job {
	struct dc_session *session;
	pid_t tid;
	struct unwound *frames; // UNWIND_MAX
	size_t n;
	bool complete;
};

static struct dc_error *run_frames(void *arg)
{
	struct frames_job *job = arg;
	struct thread *thread = control_find(job->session->control, job->tid);
	struct snapshot snapshot = { 0 };

	if (!thread || !thread->stands)
		return error_make(DC_REFUSED, "thread %d does not stand", job->tid);

	struct dc_error *err = registers_get(job->tid, &snapshot.regs);

	// It stands still for the walk.
	return err ? err
		   : unwind_walk(job->session->unwind, &snapshot, job->frames, UNWIND_MAX, &job->n,
				 &job->complete);
}

static struct dc_error *add_frame(struct dc_session *session, const struct unwound *frame,
				  struct dc_stack *stack, size_t *room)
{
	uint64_t pc = frame->frame.regs[REGISTER_PC];
	size_t n;
	const struct dc_frame *at = session_describe(session, frame->frame.pc, &n);

	if (!at)
		return &dc_out_of_memory;
	if (stack->nr_frames + n > *room) {
		size_t more = 2 * (*room + n);
		struct dc_stack_frame *grown = reallocarray(stack->frames, more, sizeof(*grown));

		if (!grown)
			return &dc_out_of_memory;
		stack->frames = grown;
		*room = more;
	}
	for (size_t k = 0; k < n; k++) {
		struct dc_stack_frame *shown = &stack->frames[stack->nr_frames++];

		*shown = (struct dc_stack_frame){
			.at = at[k],
			.is_inlined = k + 1 < n,
			.is_signal = frame->is_signal_frame,
			.is_guess = frame->is_guess,
		};
		shown->at.pc = pc;
		// The offset is the one of the address that is shown.
		if (k + 1 == n)
			shown->at.offset += pc - frame->frame.pc;
	}
	return NULL;
}

static struct dc_error *fill_frames(struct dc_session *session, const struct frames_job *job,
				    struct dc_stack *stack)
{
	struct dc_error *err = NULL;
	size_t room = 0;

	for (size_t i = 0; !err && i < job->n; i++)
		err = add_frame(session, &job->frames[i], stack, &room);
	return err;
}

struct dc_error *dc_frames(struct dc_session *session, pid_t thread, struct dc_stack *ret)
{
	_turn_(session);
	_cleanup_free_ struct unwound *frames = calloc(UNWIND_MAX, sizeof(*frames));
	struct frames_job job = { .session = session, .tid = thread, .frames = frames };
	struct dc_error *err = session->control ? NULL : session_uncontrolled();

	*ret = (struct dc_stack){ .thread = thread, .how = "stop" };
	if (!frames)
		return &dc_out_of_memory;
	if (!err)
		err = session_run(session, run_frames, &job);
	if (!err)
		err = fill_frames(session, &job, ret);
	ret->complete = job.complete;
	if (!err && !ret->complete)
		ret->why = strdup(unwind_why_incomplete(session->unwind) ?: "the walk ended");
	if (err)
		dc_stack_deinit(ret);
	return session_conclude(session, err);
}

void dc_stack_deinit(struct dc_stack *stack)
{
	free(stack->wait);
	free(stack->detail);
	free(stack->why);
	free(stack->frames);
	*stack = (struct dc_stack){ 0 };
}
