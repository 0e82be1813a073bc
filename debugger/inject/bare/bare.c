// SPDX-License-Identifier: MIT
// Entering the landing pad and taking out what the callee left.
#include "debugger/inject/bare/bare.h"

#include "debugger/inject/bare/bare_outcome.h"
#include "debugger/base/cleanup.h"
#include "debugger/target/memory.h"
#include "debugger/target/signals.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>

int bare_choose_handshake(uint64_t caught, uint64_t blocked, uint64_t pending)
{
	// SIGCONT would end a stop that is on its way.
	static const int candidates[] = { SIGURG, SIGWINCH, SIGCHLD };

	for (size_t i = 0; i < sizeof(candidates) / sizeof(*candidates); i++)
		if (!((caught | blocked | pending) & SIGNAL_BIT(candidates[i])))
			return candidates[i];
	// One that the thread blocks may be waited for elsewhere: ours must not be taken for it.
	return 0;
}

bool bare_has_own_stack(const struct bare *bare)
{
	enum { OWN_STACK_MIN = 256 * 1024 };

	return bare->room.low && bare->tracee->found.rsp > bare->room.low + OWN_STACK_MIN;
}

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
	bare->on_pad_stack = !bare_has_own_stack(bare);
	top = tracee->way->start;
	if (bare->on_pad_stack) {
		if (!bare->pad->stack.addr)
			return error_make(
				DC_REFUSED,
				"thread %d has no room on its stack and there is no other",
				tracee->tid);
		top = bare->pad->stack.addr + bare->pad->stack.size;
	}
	*stack = (top - entry->stack_size) & ~(uint64_t)(ALIGN_MAX - 1);
	return NULL;
}

struct dc_error *bare_prepare(struct bare *bare, uint64_t addr, const struct abi_entry *entry,
			      uint64_t *result_addr)
{
	struct tracee *tracee = bare->tracee;
	struct pad *pad = bare->pad;
	struct pad_data data = { .callee = addr, .al = entry->al, .vectors = bare->vectors };
	struct dc_error *err = tracee_write_home(tracee);

	if (!err)
		err = place_stack(bare, entry, &data.stack);
	if (err)
		return err;
	bare->callee_stack = data.stack;
	memcpy(data.general, entry->general, sizeof(data.general));
	*result_addr = 0;
	if (entry->result_size) {
		*result_addr = pad->base + PAD_RESULT;
		data.general[0] = *result_addr;
	}
	memcpy(data.vector_in, entry->vector, sizeof(data.vector_in));
	data.stack_bytes = (entry->stack_size + 7) & ~UINT64_C(7);
	// The thread's own rounding and masks, without the exceptions it has seen.
	memcpy(&data.fcw, tracee->xstate + FXSAVE_FCW, sizeof(data.fcw));
	memcpy(&data.mxcsr, tracee->xstate + FXSAVE_MXCSR, sizeof(data.mxcsr));
	data.mxcsr &= ~(uint32_t)MXCSR_FLAGS;
	data.mask = bare_wait_mask(bare);
	data.handshake = (uint64_t)bare->handshake;
	data.way_home = tracee->way->context;
	if (!pad->ready) {
		uint64_t size = PAD_SIZE + pad->literals[0].size;

		data.setup_size = size - PAD_DATA;
		data.name_size = pad->may_name ? size : 0;
	}
	err = memory_write(tracee->process, pad->base + PAD_DATA, &data,
			   offsetof(struct pad_data, vector_out));
	if (!err && entry->stack_size)
		err = memory_write(tracee->process, pad->base + PAD_ARGUMENTS, entry->stack,
				   entry->stack_size);
	return err;
}

static struct dc_error *conclude(struct bare *bare, const char *name, int64_t timeout_ns)
{
	int64_t deadline = timeout_ns ? tracer_now() + timeout_ns : 0;
	struct event event;
	enum outcome outcome;
	struct dc_error *err;
	bool is_over;

	bare->tracee->listening = false;
	do {
		err = bare_wait_wait(bare, deadline, &event, &outcome);
		is_over = (!err && outcome == OUTCOME_CANCELLED) ||
			  (deadline && tracer_now() >= deadline);
		if (!err && bare->tracee->running)
			err = bare_wait_stop(bare, &event, &outcome);
		// Stopped on a suspicion that proves wrong, it goes on.
	} while (!err && outcome == OUTCOME_OVERDUE && !is_over && !bare->tracee->running &&
		 !bare_outcome_has_left(bare));

	if (err) {
		bare->pad->kept = true;
		tracee_forget(bare->tracee);
		tracer_abandon(bare->tracee->tracer);
		return error_in_state(err, DC_STATE_IN_CALLEE);
	}
	return outcome == OUTCOME_RETURNED ? NULL
					   : bare_outcome(bare, name, &event, outcome, timeout_ns);
}

struct dc_error *bare_call(struct bare *bare, const char *name, int64_t timeout_ns)
{
	enum { EFLAGS_PLAIN = 0x202 };
	struct tracee *tracee = bare->tracee;
	struct pad *pad = bare->pad;
	struct user_regs_struct entry = tracee->regs;

	entry.rip = pad_address(pad, pad->ready ? pad_entry : pad_setup);
	entry.rsp = bare->callee_stack;
	entry.rbx = entry.rbp = entry.r12 = entry.r13 = entry.r14 = 0;
	entry.r15 = 1; // on from the setup to the entry
	entry.rax = 0;
	entry.orig_rax = (uint64_t)-1;
	entry.eflags = EFLAGS_PLAIN;

	// From here on the way home gives everything back, so that the mask may follow.
	struct dc_error *err = registers_set(tracee->tid, &entry);

	if (!err) {
		tracee->moved = tracee->masked = tracee->ran = true;
		err = registers_set_mask(tracee->tid, bare_wait_mask(bare));
	}
	if (err)
		return error_in_state(err, tracee_state(tracee));
	return conclude(bare, name, timeout_ns);
}

struct dc_error *bare_again(struct bare *bare, const char *name, int64_t timeout_ns)
{
	struct tracee *tracee = bare->tracee;
	struct dc_error *err = registers_poke(tracee->tid, offsetof(struct user_regs_struct, rbx),
					      1);

	if (err)
		return error_in_state(err, tracee_state(tracee));
	tracee->moved = tracee->masked = tracee->ran = true;
	return conclude(bare, name, timeout_ns);
}

struct dc_error *bare_results(struct bare *bare, const struct abi_entry *entry,
			      uint64_t result_addr, struct abi_exit *ret)
{
	enum { ST_STEP = 16 };
	struct tracee *tracee = bare->tracee;
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
	memcpy(ret->vector, data.vector_out, sizeof(ret->vector));
	for (size_t i = 0; i < 2; i++)
		memcpy(ret->st[i], data.legacy + FXSAVE_ST + i * ST_STEP, sizeof(ret->st[i]));
	if (!entry->result_size)
		return NULL;

	_cleanup_free_ void *memory = malloc(entry->result_size);

	if (!memory)
		return &dc_out_of_memory;
	err = memory_read(tracee->process, result_addr, memory, entry->result_size);
	if (!err)
		ret->memory = take_ptr(memory);
	return err;
}
