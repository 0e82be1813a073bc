// SPDX-License-Identifier: MIT
// Into a runtime's host, into the callee and back. Before every commit point (setting the
// registers) memory is written first: a debugger that dies in between changes nothing.
#include "debugger/stack/goroutines/goroutines.h"
#include "debugger/inject/gort/gort_conversation.h"
#include "debugger/arch/x86_64/xstate.h"
#include "debugger/base/cleanup.h"
#include "debugger/target/memory.h"

#include <errno.h>
#include <string.h>

struct dc_error *gort_unwind_callee(struct gort_conversation *conversation)
{
	struct gort *gort = conversation->gort;
	pid_t tid = gort->tracee->tid;
	struct user_regs_struct regs = conversation->ready;
	struct dc_error *err;

	regs.r15 = 0;
	regs.orig_rax = (uint64_t)-1;
	err = registers_set_xstate(tid, gort->xstate_ready, gort->xstate_size);
	if (!err)
		err = registers_set_mask(tid, conversation->ready_mask);
	return err ? err : registers_set(tid, &regs);
}

// Its return address and its stack arguments, which are the callee's to change.
static struct dc_error *write_frame(const struct gort_conversation *conversation)
{
	struct process *process = conversation->gort->tracee->process;
	const struct abi_entry *entry = conversation->request->entry;
	uint64_t frame = conversation->ready.rsp, back = conversation->ready.rip;
	struct dc_error *err = NULL;

	if (entry->stack_size)
		err = memory_write(process, frame, entry->stack, entry->stack_size);
	return err ? err : memory_write(process, frame - sizeof(back), &back, sizeof(back));
}

static void set_arguments(struct gort_conversation *conversation)
{
	const struct abi_entry *entry = conversation->request->entry;
	const uint64_t *general = entry->general;
	uint64_t frame = conversation->ready.rsp;
	struct user_regs_struct *regs = &conversation->entered;

	*regs = conversation->ready;
	regs->rdi = entry->result_size ? frame + conversation->result_offset : general[0];
	regs->rsi = general[1];
	regs->rdx = general[2];
	regs->rcx = general[3];
	regs->r8 = general[4];
	regs->r9 = general[5];
	regs->rax = entry->al;
	regs->r15 = 1;
	regs->rsp = frame - sizeof(uint64_t);
	regs->rip = conversation->request->addr;
	regs->orig_rax = (uint64_t)-1;
}

static struct dc_error *prepare_callee(struct gort_conversation *conversation)
{
	struct gort *gort = conversation->gort;
	pid_t tid = gort->tracee->tid;
	struct process *process = gort->tracee->process;
	struct machine machine;
	struct goroutine g;
	struct dc_error *err;

	if (conversation->ready.rsp % DEBUGCALL_FRAME_ALIGN)
		return error_make(DC_REFUSED, "the host's argument frame is not aligned");
	err = machine_read(process, gort->descriptor, gort->machine, &machine);
	if (!err)
		err = goroutine_read(process, gort->descriptor, machine.current, &g);
	if (err)
		return err;
	conversation->callee = machine.current;
	conversation->callee_id = g.id;
	err = registers_get_mask(tid, &conversation->ready_mask);
	if (!err)
		err = memory_read(process, conversation->ready.r13, &conversation->mask,
				  sizeof(conversation->mask));
	if (!err)
		err = registers_get_xstate(tid, gort->xstate_ready, &gort->xstate_size);
	if (err)
		return err;
	memcpy(gort->xstate, gort->xstate_ready, gort->xstate_size);
	err = xstate_put(gort->xstate, gort->xstate_size, conversation->request->entry);
	set_arguments(conversation);
	return err ? err : write_frame(conversation);
}

// The general registers make the thread go to the callee, so they come after all else but the mask.
static struct dc_error *go_to_callee(struct gort_conversation *conversation, bool with_xstate)
{
	struct gort *gort = conversation->gort;
	pid_t tid = gort->tracee->tid;
	struct dc_error *err = NULL;

	if (with_xstate)
		err = registers_set_xstate(tid, gort->xstate, gort->xstate_size);
	if (!err)
		err = registers_set(tid, &conversation->entered);
	return err ? err : registers_set_mask(tid, conversation->mask);
}

struct dc_error *gort_enter_callee(struct gort_conversation *conversation,
				   const struct user_regs_struct *ready)
{
	conversation->ready = *ready;
	struct dc_error *err = prepare_callee(conversation);

	if (err) {
		// Resumed as it is, the host takes that for a refusal of ours.
		gort_conclude(conversation, err);
		conversation->client.abandoning = true;
		return NULL;
	}
	// Without arguments in vectors it is what the thread has; to set it takes longer than all
	// else here.
	return go_to_callee(conversation, conversation->request->entry->vector_width > 0);
}

struct dc_error *gort_enter_again(struct gort_conversation *conversation)
{
	const struct abi_entry *entry = conversation->request->entry;
	struct dc_error *err = write_frame(conversation);

	// It is 11 KB, and what a callee leaves in it another may find, but for arguments and a
	// full x87 stack.
	return err ? err : go_to_callee(conversation, entry->al || entry->leaves_x87);
}

struct dc_error *gort_take_result(struct gort_conversation *conversation,
				  const struct user_regs_struct *regs)
{
	struct gort *gort = conversation->gort;
	const struct abi_entry *entry = conversation->request->entry;
	struct abi_exit *exit = conversation->request->exit;
	struct dc_error *err = registers_get_xstate(gort->tracee->tid, gort->xstate,
						    &gort->xstate_size);

	if (err)
		return err;
	exit->rax = regs->r13;
	exit->rdx = regs->r14;
	xstate_take(gort->xstate, gort->xstate_size, exit);
	if (!entry->result_size)
		return NULL;

	_cleanup_free_ void *memory = malloc(entry->result_size);

	if (!memory)
		return &dc_out_of_memory;
	err = memory_read(gort->tracee->process,
			  conversation->ready.rsp + conversation->result_offset, memory,
			  entry->result_size);
	if (!err)
		exit->memory = take_ptr(memory);
	return err;
}

struct dc_error *gort_lay_out(struct gort_conversation *conversation)
{
	const struct abi_entry *entry = conversation->request->entry;
	uint64_t align = entry->result_align > 16 ? entry->result_align : 16;

	conversation->result_offset = (entry->stack_size + align - 1) & -align;
	conversation->frame_size = conversation->result_offset + entry->result_size;
	if (align > DEBUGCALL_FRAME_ALIGN || conversation->frame_size > DEBUGCALL_FRAME_MAX)
		return error_make(DC_REFUSED, "%s",
				  debugcall_refusal_text(DEBUGCALL_FRAME_TOO_LARGE));
	return NULL;
}

// The thread goes to regs->rip, from where it can come back.
static struct dc_error *push_and_go(struct gort_conversation *conversation,
				    struct user_regs_struct *regs, uint64_t back)
{
	struct tracee *tracee = conversation->gort->tracee;
	uint64_t words[] = { conversation->frame_size, 0, back };
	struct dc_error *err;

	_Static_assert(DEBUGCALL_SIZE_SLOT == -2 * (int)sizeof(uint64_t), "the words' order");
	regs->rsp -= DEBUGCALL_RED_ZONE + sizeof(uint64_t);
	regs->orig_rax = (uint64_t)-1;
	err = memory_write(tracee->process, regs->rsp + (uint64_t)DEBUGCALL_SIZE_SLOT, words,
			   sizeof(words));
	return err ? err : registers_set(tracee->tid, regs);
}

struct dc_error *gort_enter_host(struct gort_conversation *conversation)
{
	struct tracee *tracee = conversation->gort->tracee;
	struct user_regs_struct regs;
	struct dc_error *err = tracee_restore(tracee);

	if (err)
		return err;
	regs = tracee->regs;

	uint64_t back = regs.rip;

	regs.rip = conversation->gort->descriptor->entry;
	// A wait ends as if a signal had come, which the runtime looks for more work after.
	if (conversation->gort->place != GORT_IN_USER_CODE)
		regs.rax = (uint64_t)-EINTR;
	if (conversation->gort->place == GORT_IDLE)
		regs.rip = conversation->gort->descriptor->idle_entry;
	return push_and_go(conversation, &regs, back);
}

struct dc_error *gort_enter_abandon(struct gort_conversation *conversation)
{
	struct user_regs_struct regs;
	struct dc_error *err = registers_get(conversation->gort->tracee->tid, &regs);
	uint64_t back = regs.rip;

	if (err)
		return err;
	regs.rip = conversation->gort->descriptor->abandon_entry;
	regs.rax = (uint64_t)-EINTR;
	return push_and_go(conversation, &regs, back);
}
