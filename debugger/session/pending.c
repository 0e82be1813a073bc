// SPDX-License-Identifier: MIT
// An evaluation on a stack of its own, of the tracer's thread: it is left when a callee comes to
// stand, and entered again when that is to go on.
#include "debugger/session/pending.h"

#include "debugger/control/step.h"
#include "debugger/session/breakpoints.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

// The thread sanitizer has to be told whose stack it is.
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#else
#define __tsan_create_fiber(flags)	     NULL
#define __tsan_destroy_fiber(fiber)	     ((void)(fiber))
#define __tsan_get_current_fiber()	     NULL
#define __tsan_switch_to_fiber(fiber, flags) ((void)(fiber))
#endif

enum { STACK_SIZE = 8 * 1024 * 1024, GUARD_SIZE = 4096 };

struct pending {
	struct pending *next; // an older one
	unsigned number; // 0: none of its callees has come to stand yet
	pid_t thread; // that stands
	struct evaluation evaluation;
	struct dc_call_options options;
	struct dc_expression *expression;
	struct dc_result result;
	struct dc_error *err;

	ucontext_t here, back; // the evaluation; whoever runs it
	void *fiber, *fiber_back;
	unsigned char *stack;
	struct holding holding; // its own, while it is left
	struct stand before; // of the thread, when its first callee came to stand
	bool is_over;
	bool stands; // its callee does
	bool goes; // and is to go on
	bool is_abandoned; // and is to be undone
};

// ---- one ------------------------------------------------------------------------------------------

static void pending_free(struct pending *pending)
{
	dc_result_deinit(&pending->result);
	evaluation_deinit(&pending->evaluation);
	dc_expression_destroy(pending->expression);
	dc_error_destroy(pending->err);
	if (pending->fiber)
		__tsan_destroy_fiber(pending->fiber);
	if (pending->stack != MAP_FAILED)
		munmap(pending->stack, STACK_SIZE);
	free(pending);
}

static struct dc_error *make(const struct evaluation *evaluation, struct pending **ret)
{
	struct pending *pending = calloc(1, sizeof(*pending));

	if (!pending)
		return &dc_out_of_memory;
	pending->stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	if (pending->stack == MAP_FAILED || mprotect(pending->stack, GUARD_SIZE, PROT_NONE)) {
		pending_free(pending);
		return &dc_out_of_memory;
	}
	pending->fiber = __tsan_create_fiber(0);
	pending->options = *evaluation->options;
	pending->expression = expression_share(evaluation->expression);
	pending->evaluation = *evaluation;
	pending->evaluation.options = &pending->options;
	*ret = pending;
	return NULL;
}

// ---- its stack, on the tracer's thread ------------------------------------------------------------

static void leave(struct pending *pending)
{
	__tsan_switch_to_fiber(pending->fiber_back, 0);
	swapcontext(&pending->here, &pending->back);
}

static void evaluate(unsigned high, unsigned low)
{
	struct pending *pending = (struct pending *)(uintptr_t)((uint64_t)high << 32 | low);

	pending->err = evaluation_run_whole(&pending->evaluation, &pending->result);
	pending->is_over = true;
	leave(pending);
}

// Of borrow_options: on the evaluation's stack.
bool pending_suspend(void *arg)
{
	struct pending *pending = arg;

	pending->stands = true;
	leave(pending);
	return !pending->is_abandoned;
}

// Until its callee stands, or it is over. The session is as if there were no such call meanwhile.
static void enter(struct pending *pending)
{
	struct dc_session *session = pending->evaluation.session;
	struct pending *outer = session->pending_enters;

	dc_error_destroy(session_release(session));
	session->holding = pending->holding;
	session->pending_enters = pending;
	session->control->pends = !pending->is_abandoned;
	pending->stands = pending->goes = false;
	pending->fiber_back = __tsan_get_current_fiber();
	__tsan_switch_to_fiber(pending->fiber, 0);
	swapcontext(&pending->back, &pending->here);
	session->control->pends = false;
	session->pending_enters = outer;
	pending->holding = session->holding;
	session->holding = (struct holding){ 0 };
}

// It stands for the first time: it is known to users from now on.
static void announce(struct pending *pending)
{
	struct dc_session *session = pending->evaluation.session;

	pending->number = ++session->last_pending;
	pending->next = session->pending;
	session->pending = pending;
}

// Those that follow the thread decide whether it stays.
static struct dc_error *run(void *arg)
{
	struct pending *pending = arg;
	struct dc_session *session = pending->evaluation.session;
	struct dc_error *err = NULL;

	do {
		struct thread *thread;

		enter(pending);
		if (pending->is_over)
			break;
		pending->thread = injection_tid(pending->holding.injection);
		thread = control_find(session->control, pending->thread);
		if (!pending->number) {
			pending->before = thread->before;
			announce(pending);
		}
		err = session_decide(session);
	} while (!err && pending->goes);
	if (pending->is_over && pending->number) {
		struct thread *thread = control_find(session->control, pending->thread);

		if (thread)
			step_end(thread);
		if (thread)
			thread_stand_again(thread, &pending->before);
	}
	return err;
}

// ---- from outside ---------------------------------------------------------------------------------

static void forget(struct pending *pending)
{
	struct pending **at = &pending->evaluation.session->pending;

	while (*at && *at != pending)
		at = &(*at)->next;
	if (*at)
		*at = pending->next;
}

static struct dc_error *stands(const struct pending *pending)
{
	struct dc_error *err = error_make(
		DC_PENDING, "'%s' stands in what it calls, on thread %d: call %u is pending",
		dc_expression_text(pending->expression), pending->thread, pending->number);

	return error_in_state(err, DC_STATE_STANDS);
}

struct dc_error *pending_run(struct evaluation *evaluation, struct dc_result *ret)
{
	struct dc_session *session = evaluation->session;
	struct pending *pending;
	struct dc_error *err = make(evaluation, &pending);

	if (err)
		return err;
	session->control->on_go = pending_go;
	getcontext(&pending->here);
	pending->here.uc_stack.ss_sp = pending->stack;
	pending->here.uc_stack.ss_size = STACK_SIZE;
	pending->here.uc_link = NULL;
	makecontext(&pending->here, (void (*)(void))evaluate, 2,
		    (unsigned)((uint64_t)(uintptr_t)pending >> 32), (unsigned)(uintptr_t)pending);
	err = session_run(session, run, pending);
	if (!pending->is_over) {
		dc_error_destroy(err);
		return stands(pending);
	}
	dc_error_destroy(err);
	forget(pending);
	err = take_ptr(pending->err);
	*ret = pending->result;
	pending->result = (struct dc_result){ 0 };
	evaluation_deinit(evaluation);
	pending->evaluation.options = evaluation->options;
	*evaluation = pending->evaluation;
	pending->evaluation.value = (struct value){ 0 };
	pending_free(pending);
	return err;
}

// It is over, and nobody has waited for it.
static void tell_end(struct pending *pending)
{
	struct dc_session *session = pending->evaluation.session;
	struct dc_event event = { .kind = DC_EVENT_RETURNED,
				  .thread = pending->thread,
				  .call = pending->number };

	forget(pending);
	if (pending->err)
		event.failure = pending->err->message;
	else
		event.result = pending->evaluation.number;
	session->stale = true;
	session->epoch++;
	operations_tell(session, &event);
	pending_free(pending);
}

static struct dc_error *go_on(struct dc_session *session, void *arg)
{
	struct pending *pending;

	(void)arg;
	do {
		pending = session->pending;
		while (pending && !pending->goes)
			pending = pending->next;
		if (!pending)
			break;
		dc_error_destroy(session_run(session, run, pending));
		if (pending->is_over)
			tell_end(pending);
	} while (pending);
	return NULL;
}

static struct pending *of_thread(struct dc_session *session, pid_t thread)
{
	struct pending *pending = session->pending;

	// The last one that has come to stand there.
	while (pending && (pending->thread != thread || !pending->stands))
		pending = pending->next;
	return pending;
}

void pending_go(void *arg, struct thread *thread)
{
	struct dc_session *session = arg;
	struct pending *pending = of_thread(session, thread->tracee.tid);

	if (!pending)
		return;
	pending->goes = true;
	operations_leave_quietly(session, go_on);
}

static void abandon(struct pending *pending)
{
	struct dc_session *session = pending->evaluation.session;

	pending->is_abandoned = true;
	while (!pending->is_over) {
		struct dc_error *err = session_run(session, run, pending);

		dc_error_destroy(err);
	}
	tell_end(pending);
}

void pending_abandon_all(struct dc_session *session)
{
	while (session->pending)
		abandon(session->pending);
}

struct dc_error *dc_abandon(struct dc_session *session, unsigned number)
{
	_turn_(session);
	struct pending *pending = session->pending;
	struct dc_error *err = NULL;

	while (pending && pending->number != number)
		pending = pending->next;
	if (!pending)
		err = error_make(DC_NAME, "no call %u is pending", number);
	else if (of_thread(session, pending->thread) != pending)
		err = error_make(DC_REFUSED, "another call on thread %d began after it",
				 pending->thread);
	if (!err)
		abandon(pending);
	return session_conclude(session, err);
}

struct dc_error *dc_pending_calls(struct dc_session *session,
				  bool (*visit)(const struct dc_pending_call *, void *), void *arg)
{
	_turn_(session);

	for (const struct pending *at = session->pending; at; at = at->next) {
		const struct dc_pending_call call = { at->number, at->thread,
						      dc_expression_text(at->expression) };

		if (!visit(&call, arg))
			break;
	}
	return NULL;
}
