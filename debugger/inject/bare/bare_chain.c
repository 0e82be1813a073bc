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

struct dc_error *bare_chain_init(struct bare *bare)
{
	const struct gadgets *gadgets = &bare->loan->gadgets;

	if (!gadgets_make_chain(gadgets) || !bare->unwind)
		return NULL;
	for (unsigned i = 0; i < gadgets->chain.nr_pop_rbx; i++) {
		if (!ends_search(bare, gadgets->chain.pop_rbx[i]))
			continue;
		bare->chain = malloc(sizeof(*bare->chain));
		if (!bare->chain)
			return &dc_out_of_memory;
		// What is touched for the first time while a thread is held prolongs that.
		memset(bare->chain, 0, sizeof(*bare->chain));
		bare->chain_pop_rbx = i;
		return NULL;
	}
	return NULL;
}

void bare_chain_deinit(struct bare *bare)
{
	free(bare->chain);
}

static bool is_for_chain(const struct bare *bare, const struct request *request)
{
	const struct loan *loan = bare->loan;

	// A pad that is there has to be unmapped anyway. A wait whose time the kernel notes ends
	// with any rt_sigreturn. Filters are asked about the pad's calls only.
	return bare->chain && request->n == 1 && !loan->pad.base && loan->handshake &&
	       !(loan->info.seccomp && !loan->options->assume_seccomp_ok) &&
	       loan_has_own_stack(loan) && !restart_is_timed(&bare->tracee->regs) &&
	       !chain_obstacle(&loan->gadgets, request->entry);
}

struct dc_error *bare_chain_enter(struct bare *bare, const struct request *request, bool *done)
{
	struct tracee *tracee = bare->tracee;
	struct chain *chain = bare->chain;

	*done = false;
	if (!is_for_chain(bare, request))
		return NULL;

	// A second chain in the place of the first: while it is written the thread must not stand
	// in that one.
	struct dc_error *err = tracee_restore(tracee);
	struct user_regs_struct home = tracee_caller_context(tracee);
	struct chain_request wanted = {
		.gadgets = &bare->loan->gadgets,
		.home = &home,
		.xstate = tracee->xstate,
		.xstate_size = tracee->xstate_size,
		.mask = tracee->mask,
		.top = tracee->home_top,
		.callee = request->addr,
		.callee_mask = bare_wait_mask(bare),
		.entry = request->entry,
		.pid = bare->loan->info.inner_pid,
		.tid = bare->loan->info.inner_tid,
		.signo = bare->loan->handshake,
		.pop_rbx = bare->chain_pop_rbx,
	};

	if (!err)
		err = chain_build(&wanted, chain);
	if (err && err->code == DC_REFUSED) {
		// The pad may do what a chain cannot.
		dc_error_destroy(err);
		return NULL;
	}
	if (!err)
		err = memory_write(tracee->process, chain->start, chain->bytes, chain->size);
	if (!err)
		err = registers_set(tracee->tid, &chain->entry);
	if (err)
		return err;
	tracee->moved = tracee->masked = tracee->ran = true;
	// Until the entry frame sets it: a storm of signals would keep the thread at its first
	// instruction.
	err = registers_set_mask(tracee->tid, wanted.callee_mask);
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
	return bare->is_chain && registers_sp(regs) - bare->chain->start <= bare->chain->size &&
	       is_place_of_chain(bare, registers_pc(regs));
}

struct dc_error *bare_chain_results(struct bare *bare, const struct request *request)
{
	struct tracee *tracee = bare->tracee;
	struct process *process = tracee->process;
	const struct chain *chain = bare->chain;
	uint64_t size = request->entry->result_size;
	struct abi_exit *ret = request->exit;
	struct dc_error *err;

	*ret = (struct abi_exit){ 0 };
	err = memory_read(process, chain->rax, &ret->rax, sizeof(ret->rax));
	if (!err && chain->xmm0)
		err = memory_read(process, chain->xmm0, ret->vector[0], 16);
	// Left where it is, the thread goes home with all that it had.
	tracee->leads_home = !err;
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
