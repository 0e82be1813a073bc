// SPDX-License-Identifier: MIT
// The bare host: entering the landing pad, and taking out what the callee left.
#include "debugger/inject/bare/bare.h"

#include "debugger/arch/x86_64/cpu.h"
#include "debugger/base/cleanup.h"
#include "debugger/inject/bare/bare_chain.h"
#include "debugger/inject/bare/bare_loop.h"
#include "debugger/inject/bare/bare_outcome.h"
#include "debugger/inject/bare/bare_throw.h"
#include "debugger/inject/bare/bare_wait.h"
#include "debugger/target/memory.h"
#include "debugger/target/signals.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

// By the landing pad, which it does not have yet, every target can be called.
static bool is_there(struct process *process, const struct maps *maps)
{
	(void)process;
	(void)maps;
	return true;
}

static struct dc_error *probe(const struct host_context *context, void **ret)
{
	struct bare *bare = calloc(1, sizeof(*bare));
	struct loan *loan = context->loan;

	if (!bare)
		return &dc_out_of_memory;
	*bare = (struct bare){
		.loan = loan,
		.tracee = &loan->tracee,
		.pad = &loan->pad,
		.unwind = context->unwind,
		.symbols = context->symbols,
	};
	bare_throw_init(bare);
	bare_chain_init(bare);
	bare_loop_init(bare);
	*ret = bare;
	return NULL;
}

static void destroy(void *host)
{
	struct bare *bare = host;

	if (bare)
		bare_throw_deinit(bare);
	free(bare);
}

static struct dc_error *can(void *host, int64_t wait_ns)
{
	struct loan *loan = ((struct bare *)host)->loan;

	if (loan_is_held(loan))
		return NULL;
	return loan_hold(loan, loan->tid ?: loan->options->thread, wait_ns, NULL);
}

static struct dc_error *literal(void *host, const void *bytes, size_t n, uint64_t *addr)
{
	return loan_literal(((struct bare *)host)->loan, bytes, n, addr);
}

static struct dc_error *room(void *host, uint64_t size, uint64_t align, uint64_t *addr)
{
	return loan_room(((struct bare *)host)->loan, size, align, addr);
}

static void clear_room(void *host)
{
	pad_clear_room(((struct bare *)host)->pad);
}

// ---- into the callee ------------------------------------------------------------------------------

static struct dc_error *place_stack(struct bare *bare, const struct abi_entry *entry,
				    uint64_t *stack)
{
	enum { ALIGN_MAX = 64 };
	struct tracee *tracee = bare->tracee;
	uint64_t top;

	if (entry->stack_size > PAD_ARGUMENTS_SIZE)
		return error_make(DC_REFUSED,
				  "%zu bytes of arguments are too many to pass by value",
				  entry->stack_size);
	if (entry->result_size > PAD_RESULT_SIZE)
		return error_make(DC_REFUSED, "a result of %" PRIu64 " bytes is too large",
				  entry->result_size);
	// Collectors scan from the stack pointer up, and want it to be in the thread's own stack.
	bare->on_pad_stack = !loan_has_own_stack(bare->loan);
	top = tracee->way->start;
	if (bare->on_pad_stack) {
		if (!bare->pad->stack.addr)
			return error_make(
				DC_REFUSED,
				"thread %d stands on a stack that is not its own, as code has that "
				"switches stacks by itself, or has no room on it, and there is no "
				"other",
				tracee->tid);
		top = bare->pad->stack.addr + bare->pad->stack.size;
	}
	*stack = (top - entry->stack_size) & ~(uint64_t)(ALIGN_MAX - 1);
	return NULL;
}

// What a call needs before the thread is pointed at it: sizes, way home, data.
static struct dc_error *prepare(struct bare *bare, const struct request *request)
{
	struct tracee *tracee = bare->tracee;
	struct pad *pad = bare->pad;
	const struct abi_entry *entry = request->entry;
	struct pad_data data = { .callee = request->addr,
				 .al = entry->al,
				 .vectors = cpu_features()->vectors };
	struct dc_error *err = tracee_write_home(tracee);

	if (!err)
		err = place_stack(bare, entry, &data.stack);
	if (err)
		return err;
	bare->callee_stack = data.stack;
	bare->returns_to = pad_address(pad, pad_return);
	bare->handshake_pc = pad_address(pad, pad_handshake);
	bare->ours = (struct frame_limit){ pad->base, pad->base + PAD_DATA };
	memcpy(data.general, entry->general, sizeof(data.general));
	if (entry->result_size)
		data.general[0] = pad->base + PAD_RESULT;
	memcpy(data.vector_in, entry->vector, sizeof(data.vector_in));
	data.stack_bytes = (entry->stack_size + 7) & ~UINT64_C(7);
	// The thread's own rounding and masks, without the exceptions it has seen.
	memcpy(&data.fcw, tracee->xstate + FXSAVE_FCW, sizeof(data.fcw));
	memcpy(&data.mxcsr, tracee->xstate + FXSAVE_MXCSR, sizeof(data.mxcsr));
	data.mxcsr &= ~(uint32_t)MXCSR_FLAGS;
	data.mask = bare_wait_mask(bare);
	data.handshake = (uint64_t)bare->loan->handshake;
	data.way_home = tracee->way->context;
	data.errno_addr = tracee->errno_addr;
	data.errno_own = (uint32_t)tracee->errno_own;
	data.get_globals = bare->throwing.get_globals;
	data.end_catch = bare->throwing.end_catch;
	data.forced_unwind = bare->throwing.forced_unwind;
	bare_loop_prepare(bare, request, &data);
	if (!pad->ready) {
		data.stack_size = pad_stack_below(pad);
		data.name_size = pad->may_name ? PAD_SIZE + pad->literals[0].size : 0;
		data.literals_size = pad_names_literals(pad) ? pad->literals[0].size : 0;
	}
	err = memory_write(tracee->process, pad->base + PAD_DATA, &data,
			   offsetof(struct pad_data, vector_out));
	if (!err && entry->stack_size)
		err = memory_write(tracee->process, pad->base + PAD_ARGUMENTS, entry->stack,
				   entry->stack_size);
	return err;
}

// Which faults the program's own handler sees first.
static void set_crash_rules(struct bare *bare)
{
	const struct loan *loan = bare->loan;
	const struct address_space *space = &loan->space;

	bare->crash = (struct crash_rules){
		.passed = loan->options->pass_signals,
		.inner_pid = loan->info.inner_pid,
	};
	if (!(bare->crash.passed & SIGNAL_BIT(SIGSEGV))) {
		bare->crash.fatal_start = space->fatal_start;
		bare->crash.fatal_end = space->fatal_end;
	}
	if (space->handles_faults)
		bare->crash.passed |= SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGFPE);
}

static void start_clock(struct bare *bare, const struct request *request)
{
	bare->begun = tracer_now();
	bare->deadline = request->timeout_ns ? bare->begun + request->timeout_ns : 0;
}

static struct dc_error *enter_pad(struct bare *bare, const struct request *request)
{
	enum { EFLAGS_PLAIN = 0x202 };
	struct tracee *tracee = bare->tracee;
	struct pad *pad = bare->pad;
	struct user_regs_struct entry = tracee->regs;
	struct dc_error *err = loan_ready_pad(bare->loan);

	bare->is_chain = false;
	if (!err)
		err = prepare(bare, request);
	if (err)
		return err;
	entry.rip = pad_address(pad, pad->ready ? pad_entry : pad_setup);
	entry.rsp = bare->callee_stack;
	entry.rbx = entry.rbp = entry.r12 = entry.r13 = entry.r14 = 0;
	entry.r15 = 1; // on from the setup to the entry
	entry.rax = 0;
	entry.orig_rax = (uint64_t)-1;
	entry.eflags = EFLAGS_PLAIN;

	// From here on the way home gives everything back, so that the mask may follow.
	err = registers_set(tracee->tid, &entry);
	if (err)
		return err;
	tracee->moved = tracee->masked = tracee->ran = true;
	return registers_set_mask(tracee->tid, bare_wait_mask(bare));
}

// The call that just returned, once more: the thread stands behind its handshake.
static struct dc_error *enter_again(struct bare *bare)
{
	struct tracee *tracee = bare->tracee;

	tracee->moved = tracee->masked = tracee->ran = true;
	return registers_poke(tracee->tid, offsetof(struct user_regs_struct, rbx), 1);
}

static struct dc_error *begin(void *host, struct request *request)
{
	struct bare *bare = host;
	bool done = false, may_throw = bare_throw_may(bare, request->addr);
	struct dc_error *err = may_throw ? NULL : bare_chain_enter(bare, request, &done);

	bare_throw_arm(bare, may_throw);
	set_crash_rules(bare);
	if (!err && !done)
		err = enter_pad(bare, request);
	if (err)
		return bare->tracee->tid ? error_in_state(err, tracee_state(bare->tracee)) : err;
	bare->tracee->listening = false;
	start_clock(bare, request);
	bare->seen = (struct bare_progress){ 0 };
	bare->answered = 0;
	bare->slice_end = request->slice_ns ? bare->begun + request->slice_ns : 0;
	return NULL;
}

// ---- back from it ---------------------------------------------------------------------------------

static bool is_overdue(struct bare *bare, const struct request *request)
{
	if (!bare->deadline || tracer_now() < bare->deadline)
		return false;
	bare_loop_renew_deadline(bare, request);
	return tracer_now() >= bare->deadline;
}

// *is_pending: nothing is decided yet.
static struct dc_error *wait_for_callee(struct bare *bare, const struct request *request,
					int64_t until, struct event *event, enum outcome *outcome,
					bool *is_pending)
{
	const struct tracee *tracee = bare->tracee;

	for (;;) {
		struct dc_error *err = NULL;
		int64_t deadline = bare->deadline;
		bool is_first = until && (!deadline || until < deadline);
		bool is_over;

		*outcome = OUTCOME_CANCELLED;
		if (!request->is_cancelled)
			err = bare_wait_wait(bare, is_first ? until : deadline, event, outcome);
		if (err || !tracee->running)
			return err;
		is_over = request->is_cancelled || is_overdue(bare, request);
		*is_pending = !is_over &&
			      (*outcome == OUTCOME_CANCELLED || (until && tracer_now() >= until));
		if (*is_pending)
			return NULL;
		if (!is_over && bare->deadline != deadline)
			continue;
		err = bare_wait_stop(bare, event, outcome);
		// Stopped on a suspicion that proves wrong, or in a later call, it goes on.
		if (err || *outcome != OUTCOME_OVERDUE || tracee->running ||
		    is_overdue(bare, request) || bare_outcome_has_left(bare))
			return err;
	}
}

// The callee returned: it is entered once more, or the request is over.
static struct dc_error *on_returned(struct bare *bare, struct request *request)
{
	int64_t now = tracer_now();
	bool is_there = bare->is_chain || bare->is_noted;
	struct dc_error *err;

	if (request->nanoseconds)
		request->nanoseconds[request->done] = now - bare->begun;
	request->done += bare->is_chain ? 1 : bare->seen.returned - bare->answered;
	bare->answered = bare->seen.returned;
	// The pad has seen to the end of its slice. Where nothing could be noted or read, that is
	// for finish to say.
	request->is_over = request->done == request->n || bare->thrown || now >= bare->slice_end ||
			   bare->seen.loops || !bare->answered || !is_there;
	if (request->is_over)
		return NULL;
	err = enter_again(bare);
	start_clock(bare, request);
	return error_in_state(err, tracee_state(bare->tracee));
}

static void on_failed(struct bare *bare, struct request *request, const struct event *event,
		      enum outcome outcome)
{
	bool is_there = !bare->is_chain && bare_loop_look(bare);

	request->is_over = true;
	if (is_there)
		request->done += bare->seen.returned - bare->answered;
	bare->failure = bare_outcome(bare, request, event, outcome);
	if (request->n > 1 && is_there)
		error_note(bare->failure, "%" PRIu64 " of %" PRIu64 " calls had returned",
			   request->done, request->n);
}

// What it has stood for is no time of the callee's. The signal that it then receives is what whoever
// follows it has made of the one that it stood at.
static void go_on(struct bare *bare)
{
	int64_t stood = bare->stood ? tracer_now() - bare->stood : 0;

	if (bare->stood)
		tracee_inherit_signal(bare->tracee, tracee_follower(bare->tracee));
	bare->stood = 0;
	bare->begun += stood;
	bare->deadline += bare->deadline ? stood : 0;
}

static struct dc_error *attend(void *host, struct request *request, int64_t until)
{
	struct bare *bare = host;
	struct tracee *tracee = bare->tracee;

	go_on(bare);
	while (!request->is_over) {
		struct event event;
		enum outcome outcome;
		bool is_pending = false;
		struct dc_error *err = wait_for_callee(bare, request, until, &event, &outcome,
						       &is_pending);

		if (err) {
			bare->pad->kept = true;
			tracee_forget(tracee);
			tracer_abandon(tracee->tracer);
			return error_in_state(err, DC_STATE_IN_CALLEE);
		}
		if (outcome == OUTCOME_STANDS) {
			bare->stood = tracer_now();
			request->stands = true;
			return NULL;
		}
		if (is_pending)
			return NULL;
		if (outcome != OUTCOME_RETURNED) {
			on_failed(bare, request, &event, outcome);
			return NULL;
		}
		err = on_returned(bare, request);
		if (err)
			return err;
	}
	return NULL;
}

static void cancel(void *host, struct request *request)
{
	(void)host;
	request->is_cancelled = true;
}

static struct dc_error *take_results(struct bare *bare, const struct request *request)
{
	enum { ST_STEP = 16 };
	struct tracee *tracee = bare->tracee;
	struct abi_exit *ret = request->exit;
	uint64_t size = request->entry->result_size;
	struct pad_data data;
	struct dc_error *err = memory_read(tracee->process, bare->pad->base + PAD_DATA, &data,
					   sizeof(data));

	if (err)
		return err;
	if (!data.returned)
		return error_make(DC_REFUSED, "process %d may not change its memory's protection",
				  tracee->process->pid);
	bare->pad->ready = true;
	*ret = (struct abi_exit){ .rax = data.rax, .rdx = data.rdx };
	if (data.threw)
		return error_in_state(bare_throw_outcome(bare, request), tracee_state(tracee));
	memcpy(ret->vector, data.vector_out, sizeof(ret->vector));
	for (size_t i = 0; i < 2; i++)
		memcpy(ret->st[i], data.legacy + FXSAVE_ST + i * ST_STEP, sizeof(ret->st[i]));
	if (!size)
		return NULL;

	_cleanup_free_ void *memory = malloc(size);

	if (!memory)
		return &dc_out_of_memory;
	err = memory_read(tracee->process, bare->pad->base + PAD_RESULT, memory, size);
	if (!err)
		ret->memory = take_ptr(memory);
	return err;
}

static struct dc_error *finish(void *host, struct request *request)
{
	struct bare *bare = host;
	struct dc_error *err = take_ptr(bare->failure);

	if (!err)
		err = bare->is_chain ? bare_chain_results(bare, request)
				     : take_results(bare, request);
	// Between two slices of a batch the thread's own work goes on.
	if (!err && request->done < request->n)
		err = tracee_release(bare->tracee);
	return err ? err : bare_loop_times(bare, request);
}

const struct host bare_host = {
	.id = DC_HOST_BARE,
	.name = "bare",
	.absence = "has no landing pad",
	.keeps_thread = true,
	.is_there = is_there,
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
