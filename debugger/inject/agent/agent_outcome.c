// SPDX-License-Identifier: MIT
// What became of a callee on the agent's thread, from what the agent has written down, and whether
// it may be undone where it stands.
#include "debugger/inject/agent/agent.h"

#include "debugger/base/cleanup.h"
#include "debugger/inject/outcome.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

// ---- frames -------------------------------------------------------------------------------------

// In the order of the kernel's ucontext.
static const size_t registers[MAILBOX_REGISTERS] = {
	offsetof(struct user_regs_struct, r8),	offsetof(struct user_regs_struct, r9),
	offsetof(struct user_regs_struct, r10), offsetof(struct user_regs_struct, r11),
	offsetof(struct user_regs_struct, r12), offsetof(struct user_regs_struct, r13),
	offsetof(struct user_regs_struct, r14), offsetof(struct user_regs_struct, r15),
	offsetof(struct user_regs_struct, rdi), offsetof(struct user_regs_struct, rsi),
	offsetof(struct user_regs_struct, rbp), offsetof(struct user_regs_struct, rbx),
	offsetof(struct user_regs_struct, rdx), offsetof(struct user_regs_struct, rax),
	offsetof(struct user_regs_struct, rcx), offsetof(struct user_regs_struct, rsp),
	offsetof(struct user_regs_struct, rip), offsetof(struct user_regs_struct, eflags),
};

static struct frame_limit limit_of(const struct mailbox_scene *scene)
{
	return (struct frame_limit){ scene->limit_start, scene->limit_end };
}

// What lies beyond the place that called the callee is the host's own.
static size_t cut(const unsigned char *stack, size_t size, const struct frame_limit *limit)
{
	uint64_t word;

	for (size_t i = 0; i + sizeof(word) <= size; i += sizeof(word)) {
		memcpy(&word, stack + i, sizeof(word));
		if (frame_is_limit(limit, word))
			return i + sizeof(word);
	}
	return size;
}

static struct dc_error *take_snapshot(const struct agent *agent, const struct mailbox_scene *scene,
				      struct snapshot *ret)
{
	enum { CODE_64 = 0x33 }; // the selector: no other code runs there
	struct frame_limit limit = limit_of(scene);
	size_t size = scene->stack_size < MAILBOX_STACK ? scene->stack_size : MAILBOX_STACK;

	*ret = (struct snapshot){ .stack = malloc(size ?: 1), .stack_start = scene->stack_start };
	if (!ret->stack)
		return &dc_out_of_memory;
	memcpy(ret->stack, agent->post.slot->stack, size);
	ret->stack_size = cut(ret->stack, size, &limit);
	for (int i = 0; i < MAILBOX_REGISTERS; i++)
		memcpy((char *)&ret->regs + registers[i], &scene->registers[i], sizeof(uint64_t));
	ret->regs.orig_rax = (uint64_t)-1;
	ret->regs.cs = CODE_64;
	return NULL;
}

static void add_frames(const struct agent *agent, struct dc_error *err,
		       const struct snapshot *snapshot, const struct mailbox_scene *scene)
{
	struct frame_limit limit = limit_of(scene);

	outcome_add_frames(err, agent->unwind, snapshot, &limit);
}

// ---- a deadline ---------------------------------------------------------------------------------

struct dc_error *agent_overdue(const struct agent *agent)
{
	const struct request *request = agent->request;

	return outcome_overdue(request->name, "did not return", request->timeout_ns,
			       request->is_cancelled);
}

// It would leave these half done, and others wait for them for ever.
static const char *find_half_done(const struct dc_error *err)
{
	static const char *const names[] = { "pthread_cond_", "pthread_rwlock_", "pthread_barrier_",
					     "pthread_once", "pthread_join" };

	for (size_t i = 0; i < err->nr_frames; i++) {
		const char *name = err->frames[i].function;

		while (name && *name == '_')
			name++;
		for (size_t j = 0; name && j < sizeof(names) / sizeof(*names); j++)
			if (!strncmp(name, names[j], strlen(names[j])))
				return names[j];
	}
	return NULL;
}

static bool is_safe(const struct agent *agent, const struct snapshot *snapshot,
		    struct dc_error *err)
{
	const struct safepoints *safepoints = agent->loan->chooser.safepoints;
	struct verdict verdict;
	const char *half_done;

	safepoints_scan(safepoints, snapshot, 0, 0, &verdict);
	if (verdict.safety == SAFETY_SUSPECT) {
		_cleanup_error_ struct dc_error *failed = safepoints_confirm(
			safepoints, agent->unwind, snapshot, &verdict);

		if (failed)
			return false;
	}
	half_done = find_half_done(err);
	if (verdict.safety != SAFETY_SAFE)
		error_note(err, "it cannot be undone there: %s", verdict.reason);
	else if (half_done)
		error_note(err, "it cannot be undone there: it waits in %s", half_done);
	return verdict.safety == SAFETY_SAFE && !half_done;
}

bool agent_judge(struct agent *agent)
{
	const struct mailbox_scene scene = agent->post.slot->scene;
	_cleanup_(snapshot_deinit) struct snapshot snapshot = { 0 };
	_cleanup_error_ struct dc_error *failed = take_snapshot(agent, &scene, &snapshot);
	struct dc_error *err = agent_overdue(agent);
	bool safe = false;

	if (!failed && err != &dc_out_of_memory) {
		add_frames(agent, err, &snapshot, &scene);
		safe = is_safe(agent, &snapshot, err);
	}
	if (safe)
		err = error_in_state(outcome_note_locks(err, agent->request->name),
				     DC_STATE_RUNNING);
	else
		err = error_in_state(err, DC_STATE_IN_CALLEE);
	agent->outcome = err;
	return safe;
}

// ---- an answer ----------------------------------------------------------------------------------

static struct dc_error *crashed(const struct agent *agent)
{
	const struct mailbox_scene scene = agent->post.slot->scene;
	_cleanup_(snapshot_deinit) struct snapshot snapshot = { 0 };
	_cleanup_error_ struct dc_error *failed = take_snapshot(agent, &scene, &snapshot);
	struct event event = { .kind = EVENT_SIGNAL, .signo = scene.signo };
	struct dc_error *err;

	event.info.si_signo = scene.signo;
	event.info.si_code = scene.code;
	event.info.si_addr = (void *)(uintptr_t)scene.addr;
	err = outcome_crashed(agent->request->name, &event);
	if (!failed && err != &dc_out_of_memory)
		add_frames(agent, err, &snapshot, &scene);
	return error_in_state(outcome_note_locks(err, agent->request->name), DC_STATE_RUNNING);
}

static struct dc_error *exited(const struct agent *agent)
{
	enum { LIMIT_NS = 5000000000, LOOK_NS = 1000 * 1000 };
	struct process *process = agent->post.process;
	int64_t limit = tracer_now() + LIMIT_NS;
	uint32_t status = agent->post.slot->value & 0xff;

	// What the program does at its exit takes time.
	while (process_alive(process) && tracer_now() < limit)
		nanosleep(&(struct timespec){ .tv_nsec = LOOK_NS }, NULL);
	return error_in_state(error_make(DC_TARGET_ENDED, "%s ended process %d with status %u",
					 agent->request->name, process->pid, status),
			      process_alive(process) ? DC_STATE_IN_CALLEE : DC_STATE_ENDED);
}

static struct dc_error *threw(struct agent *agent)
{
	const struct mailbox_slot *slot = agent->post.slot;
	uint64_t exception = slot->calls[slot->current % MAILBOX_CALLS].rax;
	_cleanup_free_ char *text = agent->symbols ? thrown_text(agent->symbols,
								 agent->post.process, exception)
						   : NULL;

	agent->thrown = exception;
	return error_in_state(
		error_make(DC_THREW, "%s threw %s", agent->request->name, text ?: "an exception"),
		DC_STATE_RUNNING);
}

struct dc_error *agent_outcome(struct agent *agent)
{
	const struct request *request = agent->request;
	uint32_t outcome = agent->post.slot->outcome;

	switch (outcome) {
	case MAILBOX_RETURNED: return NULL;
	case MAILBOX_NOTHING:
		if (agent->thread)
			return error_make(DC_REFUSED, "thread %d did not come to debugcall_poll()",
					  agent->thread);
		break;
	case MAILBOX_CRASHED: return crashed(agent);
	case MAILBOX_THREW: return threw(agent);
	case MAILBOX_UNDONE: return error_in_state(agent_overdue(agent), DC_STATE_RUNNING);
	case MAILBOX_EXITING: return exited(agent);
	case MAILBOX_THREAD_ENDED:
		return error_in_state(
			error_make(DC_THREAD_ENDED, "%s ended the agent's thread", request->name),
			DC_STATE_RUNNING);
	case MAILBOX_LEFT:
		return error_in_state(
			outcome_note_locks(
				error_make(DC_LEFT,
					   "%s was left by longjmp, to the program's own "
					   "stack; it was undone instead",
					   request->name),
				request->name),
			DC_STATE_RUNNING);
	}
	return error_make(DC_REFUSED, "the agent of process %d refused the call: the process ends",
			  agent->post.process->pid);
}
