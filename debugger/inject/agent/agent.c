// SPDX-License-Identifier: MIT
// One request after the other through the slot that is ours; the deadline of each call is kept here.
#include "debugger/inject/agent/agent.h"

#include "debugger/base/cleanup.h"
#include "debugger/inject/outcome.h"
#include "debugger/target/memory.h"
#include "protocol/debugcall.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

// Nobody waits for the answer longer than it takes an agent that is there.
static void drop_room(struct agent *agent)
{
	enum { LIMIT_NS = 200 * 1000 * 1000 };
	struct mailbox_slot *slot = agent->post.slot;
	enum mailbox_turn turn = agent->room ? post_turn(&agent->post) : MAILBOX_RUNNING;

	if ((turn != MAILBOX_FREE && turn != MAILBOX_ANSWERED) ||
	    !process_alive(agent->post.process))
		return;
	slot->size = MAILBOX_DATA;
	slot->address = agent->room;
	post_ask(&agent->post, MAILBOX_DROP);
	post_wait(&agent->post, tracer_now() + LIMIT_NS);
}

static void destroy(void *host)
{
	struct agent *agent = host;

	if (!agent)
		return;
	drop_room(agent);
	post_close(&agent->post);
	dc_error_destroy(agent->outcome);
	free(agent);
}

static bool is_there(struct process *process, const struct maps *maps)
{
	(void)process;
	return post_is_there(maps);
}

static struct dc_error *probe(const struct host_context *context, void **ret)
{
	const struct borrow_options *options = context->loan->options;
	struct agent *agent;
	struct dc_error *err;
	bool found;

	agent = calloc(1, sizeof(*agent));
	if (!agent)
		return &dc_out_of_memory;
	agent->loan = context->loan;
	agent->symbols = context->symbols;
	agent->unwind = context->unwind;
	if (agent->symbols)
		throwing_find(agent->symbols, context->loan->process, &agent->throwing);
	err = post_open(context->loan->process, &context->loan->space.maps, &agent->post, &found);
	if (err || !found) {
		agent->post.fd = -1;
		destroy(agent);
		return err;
	}
	// The agent's threads are none of the program's; one of these it has only where it polls.
	if (options->own_thread ||
	    (options->thread && !post_polls(&agent->post, options->thread, &agent->thread))) {
		destroy(agent);
		return options->host == DC_HOST_AGENT
			       ? error_make(
					 DC_REFUSED,
					 "the agent calls on a thread of its own, or on one that "
					 "calls debugcall_poll()")
			       : NULL;
	}
	*ret = agent;
	return NULL;
}

static struct dc_error *can(void *host, int64_t wait_ns)
{
	enum { TRUST_NS = 1000 * 1000 };
	struct agent *agent = host;
	struct dc_error *err = post_take(&agent->post, wait_ns);

	agent->wait_ns = wait_ns;

	if (err || (agent->compared_ns && tracer_now() - agent->compared_ns < TRUST_NS))
		return err;
	err = post_compare_rights(&agent->post);
	agent->compared_ns = tracer_now();
	return err;
}

// ---- a request ----------------------------------------------------------------------------------

// Calls that differ: a record each.
static void fill_many(const struct agent *agent, struct mailbox_slot *slot)
{
	const struct request *request = agent->request;

	for (uint64_t i = 0; i < request->n && i < MAILBOX_CALLS; i++) {
		const struct abi_entry *entry = &request->entries[i];
		struct mailbox_call *call = &slot->calls[i];

		// What a record does not use of its vectors nobody reads.
		memset(call, 0, offsetof(struct mailbox_call, vector));
		call->addr = request->addr;
		call->al = entry->al;
		call->vector_width = entry->vector_width;
		call->repeat = 1;
		call->pass = agent->loan->options->pass_signals;
		memcpy(call->general, entry->general, sizeof(call->general));
		if (entry->vector_width)
			memcpy(call->vector, entry->vector, sizeof(call->vector));
	}
}

static struct dc_error *fill(const struct agent *agent, struct mailbox_slot *slot)
{
	const struct request *request = agent->request;
	const struct abi_entry *entry = request->entry;
	uint64_t align = entry->result_align > 16 ? entry->result_align : 16;
	uint64_t result = (entry->stack_size + align - 1) & -align;
	struct mailbox_call *call = &slot->calls[0];

	if (result + entry->result_size > MAILBOX_DATA || align > 4096)
		return error_make(DC_REFUSED, "%s",
				  debugcall_refusal_text(DEBUGCALL_FRAME_TOO_LARGE));
	*call = (struct mailbox_call){
		.addr = request->addr,
		.al = entry->al,
		.vector_width = entry->vector_width,
		.leaves_x87 = entry->leaves_x87,
		.stack_align = entry->stack_align,
		.stack_size = (uint32_t)entry->stack_size,
		.result = (uint32_t)result,
		.result_size = (uint32_t)entry->result_size,
		.result_align = (uint32_t)entry->result_align,
		.pass = agent->loan->options->pass_signals,
	};
	memcpy(call->general, entry->general, sizeof(call->general));
	memcpy(call->vector, entry->vector, sizeof(call->vector));
	if (entry->stack_size)
		memcpy(slot->data, entry->stack, entry->stack_size);
	return NULL;
}

// The time that it takes to come by is not the call's.
static void ask_thread(struct agent *agent, struct mailbox_slot *slot, int64_t now)
{
	slot->thread = agent->thread;
	slot->thread_until_ns = now + agent->wait_ns;
	if (agent->thread && agent->deadline)
		agent->deadline += agent->wait_ns;
}

static void ask_many(struct agent *agent)
{
	struct mailbox_slot *slot = agent->post.slot;
	int64_t now = tracer_now();

	fill_many(agent, slot);
	agent->asked = (uint32_t)agent->request->n;
	agent->seen = 0;
	agent->deadline = agent->request->timeout_ns ? now + agent->request->timeout_ns : 0;
	slot->current = 0;
	slot->nr_calls = agent->asked;
	slot->deadline_ns = agent->deadline ?: now;
	ask_thread(agent, slot, now);
	post_ask(&agent->post, MAILBOX_CALL);
}

static void ask(struct agent *agent)
{
	const struct request *request = agent->request;
	struct mailbox_slot *slot = agent->post.slot;
	uint64_t left = request->n - request->done;
	int64_t now = tracer_now();

	agent->asked = left < MAILBOX_TIMES ? (uint32_t)left : MAILBOX_TIMES;
	agent->seen = 0;
	agent->deadline = request->timeout_ns ? now + request->timeout_ns : 0;
	slot->calls[0].repeat = agent->asked;
	slot->calls[0].done = 0;
	slot->calls[0].outcome = MAILBOX_NOTHING;
	slot->nr_calls = 1;
	slot->deadline_ns = agent->deadline ?: now;
	ask_thread(agent, slot, now);
	post_ask(&agent->post, MAILBOX_CALL);
}

static struct dc_error *begin(void *host, struct request *request)
{
	struct agent *agent = host;

	agent->request = request;
	agent->outcome = NULL;
	agent->cancelled_ns = 0;

	if (request->entries) {
		ask_many(agent);
		return NULL;
	}

	struct dc_error *err = fill(agent, agent->post.slot);

	if (!err)
		ask(agent);
	return err;
}

static void end(struct agent *agent, struct dc_error *outcome)
{
	dc_error_destroy(agent->outcome);
	agent->outcome = outcome;
	agent->request->is_over = true;
}

// Of the call that is under way how many have returned before it.
static uint32_t count_done(const struct agent *agent)
{
	const struct mailbox_slot *slot = agent->post.slot;
	const uint32_t *count = agent->request->entries ? &slot->current : &slot->calls[0].done;

	return __atomic_load_n(count, __ATOMIC_RELAXED);
}

static void take_exit(const struct mailbox_call *call, struct abi_exit *exit)
{
	exit->rax = call->rax;
	exit->rdx = call->rdx;
	memcpy(exit->vector, call->left, sizeof(exit->vector));
	memcpy(exit->st, call->st, sizeof(exit->st));
}

static void note_many(struct agent *agent)
{
	struct request *request = agent->request;
	const struct mailbox_slot *slot = agent->post.slot;

	while (request->done < request->n &&
	       slot->calls[request->done].outcome == MAILBOX_RETURNED) {
		take_exit(&slot->calls[request->done], &request->exits[request->done]);
		request->nanoseconds[request->done] = slot->times[request->done];
		request->done++;
	}
}

static void note_calls(struct agent *agent)
{
	struct request *request = agent->request;
	const struct mailbox_slot *slot = agent->post.slot;
	uint32_t done = __atomic_load_n(&slot->calls[0].done, __ATOMIC_RELAXED);

	if (done > agent->asked)
		done = agent->asked;
	for (uint32_t i = 0; i < done && request->nanoseconds; i++)
		request->nanoseconds[request->done + i] = slot->times[i];
	request->done += done;
}

static void hear(struct agent *agent)
{
	struct request *request = agent->request;

	switch (post_turn(&agent->post)) {
	case MAILBOX_ANSWERED:
		if (request->entries)
			note_many(agent);
		else
			note_calls(agent);
		if (!agent->outcome)
			agent->outcome = agent_outcome(agent);
		if (!agent->outcome && !request->entries && request->done < request->n &&
		    agent->seen < agent->asked)
			ask(agent);
		else
			end(agent, take_ptr(agent->outcome));
		break;
	case MAILBOX_HELD: {
		bool undo = agent_judge(agent);

		post_judge(&agent->post, undo ? MAILBOX_UNDO : MAILBOX_RESUME);
		if (!undo)
			end(agent, take_ptr(agent->outcome));
		break;
	}
	default:
		end(agent, error_make(DC_REFUSED, "the agent of process %d has lost its way",
				      agent->post.process->pid));
	}
}

// The process, or the program in it, may be gone, and nobody answers then.
static struct dc_error *look_for_end(struct agent *agent)
{
	struct process *process = agent->post.process;

	if (!process_alive(process))
		return error_in_state(error_make(DC_TARGET_ENDED, "process %d ended in %s",
						 process->pid, agent->request->name),
				      DC_STATE_ENDED);
	return process->mem_fd >= 0 && memory_is_gone(process) ? outcome_execed(process) : NULL;
}

static void keep_deadline(struct agent *agent)
{
	enum { ANSWER_NS = 1000 * 1000 * 1000 };
	uint32_t done = count_done(agent);
	int64_t now = tracer_now();

	if (agent->cancelled_ns) {
		// It is where no signal comes to.
		if (now - agent->cancelled_ns > ANSWER_NS)
			end(agent, error_in_state(agent_overdue(agent), DC_STATE_IN_CALLEE));
		return;
	}
	if (done != agent->seen && agent->deadline) {
		agent->seen = done;
		agent->deadline = now + agent->request->timeout_ns;
	}
	if (agent->request->is_cancelled || (agent->deadline && now >= agent->deadline)) {
		agent->cancelled_ns = now;
		post_cancel(&agent->post);
	}
}

static struct dc_error *attend(void *host, struct request *request, int64_t until)
{
	enum { LOOK_NS = 20 * 1000 * 1000 };
	struct agent *agent = host;

	while (!request->is_over) {
		int64_t limit = tracer_now() + LOOK_NS;
		struct dc_error *gone;

		if (agent->deadline && !agent->cancelled_ns && agent->deadline < limit)
			limit = agent->deadline;
		if (until && until < limit)
			limit = until;
		if (post_wait(&agent->post, limit)) {
			hear(agent);
			continue;
		}
		gone = look_for_end(agent);
		if (gone)
			end(agent, gone);
		else
			keep_deadline(agent);
		if (!request->is_cancelled && tracer_cancelled(agent->loan->tracer))
			break;
		if (until && tracer_now() >= until)
			break;
	}
	return NULL;
}

static void cancel(void *host, struct request *request)
{
	(void)host;
	request->is_cancelled = true;
}

static struct dc_error *take_result(const struct agent *agent)
{
	const struct abi_entry *entry = agent->request->entry;
	const struct mailbox_call *call = &agent->post.slot->calls[0];
	struct abi_exit *exit = agent->request->exit;
	uint64_t align = entry->result_align > 16 ? entry->result_align : 16;
	uint64_t result = (entry->stack_size + align - 1) & -align;

	if (agent->request->entries)
		return agent->request->done == agent->request->n
			       ? NULL
			       : error_make(DC_REFUSED,
					    "the agent of process %d made %llu calls of %llu",
					    agent->post.process->pid,
					    (unsigned long long)agent->request->done,
					    (unsigned long long)agent->request->n);
	take_exit(call, exit);
	if (!entry->result_size)
		return NULL;

	void *memory = malloc(entry->result_size);

	if (!memory)
		return &dc_out_of_memory;
	memcpy(memory, agent->post.slot->data + result, entry->result_size);
	exit->memory = memory;
	return NULL;
}

// A call of the C++ runtime's, on the same thread.
static void call_runtime(struct agent *agent, uint64_t addr, const char *name, uint64_t arg)
{
	enum { LIMIT_NS = 1000 * 1000 * 1000 };
	const struct abi_entry entry = { .general = { arg }, .stack_align = 16 };
	struct abi_exit exit = { 0 };
	struct request request = { .addr = addr,
				   .name = name,
				   .entry = &entry,
				   .timeout_ns = LIMIT_NS,
				   .n = 1,
				   .exit = &exit };

	dc_error_destroy(begin(agent, &request));
	dc_error_destroy(attend(agent, &request, 0));
	dc_error_destroy(take_ptr(agent->outcome));
}

// It was unwound, and counts as on its way until somebody has caught and ended it.
static void end_exception(struct agent *agent)
{
	uint64_t exception = agent->thrown;

	agent->thrown = 0;
	if (!exception || !agent->throwing.terminate)
		return;
	call_runtime(agent, agent->throwing.begin_catch, "__cxa_begin_catch", exception);
	call_runtime(agent, agent->throwing.end_catch, "__cxa_end_catch", 0);
}

static struct dc_error *finish(void *host, struct request *request)
{
	struct agent *agent = host;
	struct dc_error *err = take_ptr(agent->outcome);

	end_exception(agent);
	if (err)
		request->is_refused = err->code == DC_REFUSED && !request->done;
	return err ? err : take_result(agent);
}

static struct dc_error *literal(void *host, const void *bytes, size_t n, uint64_t *addr)
{
	enum { LIMIT_NS = 1000 * 1000 * 1000 };
	struct agent *agent = host;
	struct mailbox_slot *slot = agent->post.slot;

	if (n > MAILBOX_DATA)
		return error_make(DC_REFUSED, "a literal of %zu bytes is too large for the agent",
				  n);
	memcpy(slot->data, bytes, n);
	slot->size = (uint32_t)n;
	slot->outcome = MAILBOX_NOTHING;
	post_ask(&agent->post, MAILBOX_LITERAL);
	if (!post_wait(&agent->post, tracer_now() + LIMIT_NS) || slot->outcome != MAILBOX_RETURNED)
		return error_make(DC_REFUSED,
				  "the agent of process %d finds no place for a literal",
				  agent->post.process->pid);
	*addr = slot->address;
	return NULL;
}

static struct dc_error *room(void *host, uint64_t size, uint64_t align, uint64_t *addr)
{
	static const unsigned char nothing[MAILBOX_DATA];
	struct agent *agent = host;
	uint64_t start;
	struct dc_error *err = agent->room ? NULL
					   : literal(host, nothing, MAILBOX_DATA, &agent->room);

	if (err)
		return err;
	if (align < 16)
		align = 16;
	start = (agent->room + agent->room_used + align - 1) & ~(align - 1);
	if (start + size > agent->room + MAILBOX_DATA || size > MAILBOX_DATA)
		return error_make(DC_REFUSED,
				  "%" PRIu64 " bytes are too many for an object by value", size);
	agent->room_used = start + (size ?: 1) - agent->room;
	*addr = start;
	return NULL;
}

static void clear_room(void *host)
{
	((struct agent *)host)->room_used = 0;
}

const struct host agent_host = {
	.id = DC_HOST_AGENT,
	.name = "agent",
	.absence = "has no agent: start it with LD_PRELOAD=libdebugcall-agent.so",
	.is_there = is_there,
	.is_untraced = true,
	.takes_many = true,
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
