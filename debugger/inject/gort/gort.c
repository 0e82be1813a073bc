// SPDX-License-Identifier: MIT
// The host of a target's own runtime: found by its descriptor, entered by a thread in user code of a
// goroutine or an idle one, one conversation at a time.
#include "debugger/inject/gort/gort.h"

#include "debugger/base/cleanup.h"
#include "debugger/inject/gort/gort_conversation.h"
#include "debugger/stack/goroutines/descriptor.h"
#include "debugger/target/signals.h"

#include <inttypes.h>
#include <string.h>

static void destroy(void *host)
{
	struct gort *gort = host;

	if (!gort)
		return;
	free(gort->xstate);
	free(gort->xstate_ready);
	free(gort->conversation);
	free(gort);
}

static struct dc_error *create(const struct host_context *context, struct gort **ret)
{
	struct gort *gort = calloc(1, sizeof(*gort));
	struct loan *loan = context->loan;

	if (!gort)
		return &dc_out_of_memory;
	*gort = (struct gort){
		.descriptor = &gort->found,
		.loan = loan,
		.tracee = &loan->tracee,
		.symbols = context->symbols,
		.unwind = context->unwind,
		.goroutine = loan->options->goroutine,
		.xstate = malloc(XSTATE_ROOM),
		.xstate_ready = malloc(XSTATE_ROOM),
		.conversation = malloc(sizeof(*gort->conversation)),
	};
	*ret = gort;
	if (!gort->xstate || !gort->xstate_ready || !gort->conversation)
		return &dc_out_of_memory;
	// What is touched for the first time while a thread is held prolongs that.
	memset(gort->xstate, 0, XSTATE_ROOM);
	memset(gort->xstate_ready, 0, XSTATE_ROOM);
	memset(gort->conversation, 0, sizeof(*gort->conversation));
	return NULL;
}

static bool is_there(struct process *process, const struct maps *maps)
{
	struct debugcall_descriptor descriptor;
	bool found = false;

	dc_error_destroy(descriptor_find(process, maps, &descriptor, &found));
	return found;
}

static struct dc_error *probe(const struct host_context *context, void **ret)
{
	const struct loan *loan = context->loan;
	struct debugcall_descriptor descriptor;
	struct gort *gort = NULL;
	bool found = false;
	struct dc_error *err = descriptor_find(loan->process, &loan->space.maps, &descriptor,
					       &found);

	if (err || !found)
		return err;
	err = create(context, &gort);
	if (err) {
		destroy(gort);
		return err;
	}
	gort->found = descriptor;
	*ret = gort;
	return NULL;
}

// ---- a thread to begin on -------------------------------------------------------------------------

static bool is_worth(void *host, const struct thread_info *info, char *reason, size_t size)
{
	return gort_is_worth(host, info, reason, size);
}

static bool suits(void *host, const struct thread_info *info, char *reason, size_t size)
{
	return gort_suits(host, info, reason, size);
}

static struct dc_error *before_pass(void *host)
{
	struct gort *gort = host;

	return gort->goroutine ? gort_ask(gort) : NULL;
}

static void after_pass(void *host, bool any)
{
	struct gort *gort = host;

	// With nobody at work there is a P for those who sleep.
	if (!any)
		gort->avoid_idle = false;
}

static void end_search(void *host)
{
	struct gort *gort = host;

	if (gort->goroutine)
		gort_unask(gort);
}

static struct dc_error *refusal(void *host, int64_t wait_ns, const char *reason)
{
	struct gort *gort = host;

	if (!gort->goroutine)
		return NULL;
	return gort_explain(gort, error_make(DC_REFUSED,
					     "goroutine %" PRIu64
					     " came to no safe point within %.3g s%s%s",
					     gort->goroutine, (double)wait_ns / 1e9,
					     *reason ? ": " : "", reason));
}

// A fault in a callee that the program ignores takes that back, and here nothing puts it back.
static struct dc_error *obstacle(struct process *process)
{
	struct thread_info info;
	struct dc_error *err = process_thread_info(process, process->pid, &info);
	uint64_t ignored = err ? 0 : info.sig_ignored;
	int signo;

	// Without a filter no system call raises it; nginx, among others, ignores it.
	if (!err && !info.seccomp)
		ignored &= ~SIGNAL_BIT(SIGSYS);
	signo = signal_fault_among(ignored);
	// With the first thread gone there is nobody to ask, and none that is held by it.
	dc_error_destroy(err);
	if (!signo)
		return NULL;
	return error_make(DC_REFUSED,
			  "the program ignores SIG%s, and a fault in the callee would reset that",
			  sigabbrev_np(signo));
}

static struct dc_error *can(void *host, int64_t wait_ns)
{
	struct gort *gort = host;
	struct loan *loan = gort->loan;
	const struct chooser_filter filter = {
		.host = gort,
		.is_worth = is_worth,
		.suits = suits,
		.before = before_pass,
		.after = after_pass,
		.end = end_search,
		.refusal = refusal,
	};

	if (loan_is_held(loan))
		return NULL;

	struct dc_error *err = loan->options->force ? NULL : obstacle(loan->process);

	return err ? err : loan_hold(loan, loan->options->thread, wait_ns, &filter);
}

// ---- a request ------------------------------------------------------------------------------------

static struct dc_error *begin(void *host, struct request *request)
{
	struct gort *gort = host;
	struct dc_error *err;

	*gort->conversation = (struct gort_conversation){ .gort = gort, .request = request };
	err = gort_enter(gort->conversation);
	if (!err)
		return NULL;
	// Nothing was begun: the thread is given back from here.
	dc_error_destroy(tracee_release(gort->tracee));
	return error_in_state(err, DC_STATE_RUNNING);
}

static struct dc_error *attend(void *host, struct request *request, int64_t until)
{
	struct gort *gort = host;
	struct tracee *tracee = gort->tracee;
	struct dc_error *err = gort_attend(gort->conversation, until);

	request->is_over = gort->conversation->is_over;
	if (!err)
		return NULL;
	// A system call of ours failed. The host needs none of them to go home.
	dc_error_destroy(gort->conversation->outcome);
	if (tracee->tid) {
		tracee_forget(tracee);
		tracer_abandon(tracee->tracer);
	}
	return error_in_state(err, DC_STATE_IN_CALLEE);
}

static void cancel(void *host, struct request *request)
{
	(void)host;
	request->is_cancelled = true;
}

static struct dc_error *finish(void *host, struct request *request)
{
	struct gort *gort = host;

	gort->avoid_idle = request->is_refused && gort->place == GORT_IDLE;
	return gort->conversation->outcome;
}

static struct dc_error *literal(void *host, const void *bytes, size_t n, uint64_t *addr)
{
	return loan_literal(((struct gort *)host)->loan, bytes, n, addr);
}

static struct dc_error *room(void *host, uint64_t size, uint64_t align, uint64_t *addr)
{
	return loan_room(((struct gort *)host)->loan, size, align, addr);
}

static void clear_room(void *host)
{
	pad_clear_room(&((struct gort *)host)->loan->pad);
}

const struct host gort_host = {
	.id = DC_HOST_GORT,
	.name = "gort",
	.absence = "has no debug call host of its own",
	.is_targets_own = true,
	.has_goroutines = true,
	.is_there = is_there,
	.obstacle = obstacle,
	.probe = probe,
	.destroy = destroy,
	.can = can,
	.begin = begin,
	.poll = attend,
	.cancel = cancel,
	.finish = finish,
	.literal = literal,
	.room = room,
	.clear_room = clear_room,
};
