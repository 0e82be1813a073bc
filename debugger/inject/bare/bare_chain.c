// SPDX-License-Identifier: MIT
// Entering a chain, and what it leaves.
#include "debugger/inject/bare/bare_chain.h"

#include "debugger/base/cleanup.h"
#include "debugger/inject/bare/bare_wait.h"
#include "debugger/target/memory.h"

#include <string.h>

// An exception that leaves the callee is looked for in the frame that its return address seems to
// belong to: there the search must find no caller, so that it ends the program's usual way.
static bool ends_search(const struct bare *bare, uint64_t pop_rbx)
{
	enum { WORDS = 64 };
	uint64_t stack[WORDS] = { bare->loan->gadgets.chain.rax.addr };
	struct snapshot snapshot = {
		.regs = registers_known_from(pop_rbx, (uint64_t)(uintptr_t)stack, -1),
		.stack = (unsigned char *)stack,
		.stack_start = (uint64_t)(uintptr_t)stack,
		.stack_size = sizeof(stack),
	};
	struct unwound frames[2];
	size_t n = 0;
	bool complete = false;
	struct dc_error *err = unwind_walk(bare->unwind, &snapshot, frames, 2, &n, &complete);

	if (err)
		dc_error_destroy(err);
	return !err && n == 1 && complete;
}

// Code and memory that are come by for the first time while a thread is held prolong that.
static void rehearse(struct bare *bare)
{
	const struct user_regs_struct nowhere = { 0 };
	const struct abi_entry nothing = { 0 };
	struct tracee *tracee = bare->tracee;
	const struct chain_request request = {
		.gadgets = tracee->gadgets,
		.home = &nowhere,
		.xstate = tracee->xstate,
		.xstate_size = XSTATE_EXTENDED,
		.top = CHAIN_ROOM,
		.callee = 1,
		.entry = &nothing,
		.pop_rbx = bare->chain_pop_rbx,
	};

	dc_error_destroy(chain_build(&request, tracee->chain));
}

void bare_chain_init(struct bare *bare)
{
	const struct chain_gadgets *gadgets = &bare->loan->gadgets.chain;
	unsigned i = 0;

	if (!bare->tracee->chain || !bare->unwind)
		return;
	while (i < gadgets->nr_pop_rbx && !ends_search(bare, gadgets->pop_rbx[i]))
		i++;
	bare->chain_pop_rbx = i;
	bare->may_chain = i < gadgets->nr_pop_rbx;
	if (bare->may_chain)
		rehearse(bare);
}

static bool is_for_chain(const struct bare *bare, const struct request *request)
{
	const struct loan *loan = bare->loan;

	// A pad that is there has to be unmapped anyway.
	return bare->may_chain && tracee_may_chain(bare->tracee) && request->n == 1 &&
	       !loan->pad.base && loan_has_own_stack(loan) &&
	       !chain_obstacle(&loan->gadgets, request->entry);
}

struct dc_error *bare_chain_enter(struct bare *bare, const struct request *request, bool *done)
{
	const struct chain *chain = bare->tracee->chain;
	struct chain_request wanted = {
		.callee = request->addr,
		.callee_mask = bare_wait_mask(bare),
		.entry = request->entry,
		.pop_rbx = bare->chain_pop_rbx,
	};
	struct dc_error *err;

	*done = false;
	if (!is_for_chain(bare, request))
		return NULL;
	err = tracee_enter_chain(bare->tracee, &wanted);
	if (err && err->code == DC_REFUSED) {
		// The pad may do what a chain cannot.
		dc_error_destroy(err);
		return NULL;
	}
	bare->is_chain = *done = true;
	bare->on_pad_stack = false;
	bare->callee_stack = chain->callee_sp + sizeof(uint64_t);
	bare->returns_to = chain->unwound_pc;
	bare->handshake_pc = chain->handshake_pc;
	bare->ours = (struct frame_limit){ chain->unwound_pc - 1, chain->unwound_pc + 1 };
	return err;
}

static bool is_place_of_chain(const struct bare *bare, uint64_t pc)
{
	const struct gadgets *gadgets = &bare->loan->gadgets;
	const uint64_t places[] = {
		gadgets->home[0],	  gadgets->syscall,	gadgets->chain.rax.addr,
		gadgets->chain.xmm0.addr, bare->returns_to - 1,
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		if (places[i] && pc - places[i] < GADGET_SIZE_MAX)
			return true;
	}
	return false;
}

bool bare_chain_is_passing(const struct bare *bare, const struct user_regs_struct *regs)
{
	const struct chain *chain = bare->tracee->chain;

	return bare->is_chain && registers_sp(regs) - chain->start <= chain->size &&
	       is_place_of_chain(bare, registers_pc(regs));
}

struct dc_error *bare_chain_results(struct bare *bare, const struct request *request)
{
	struct tracee *tracee = bare->tracee;
	struct process *process = tracee->process;
	const struct chain *chain = tracee->chain;
	uint64_t size = request->entry->result_size;
	struct abi_exit *ret = request->exit;
	struct dc_error *err;

	*ret = (struct abi_exit){ 0 };
	err = memory_read(process, chain->rax, &ret->rax, sizeof(ret->rax));
	if (!err && chain->xmm0)
		err = memory_read(process, chain->xmm0, ret->vector[0], 16);
	if (!err)
		tracee_came_through(tracee);
	if (err || !size)
		return err;

	_cleanup_free_ void *memory = malloc(size);

	if (!memory)
		return &dc_out_of_memory;
	err = memory_read(process, chain->memory, memory, size);
	if (!err)
		ret->memory = take_ptr(memory);
	return err;
}
