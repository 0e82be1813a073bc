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

struct dc_error *talk_unwind_callee(struct talk *talk)
{
	struct gort *gort = talk->gort;
	pid_t tid = gort->tracee->tid;
	struct user_regs_struct regs = talk->ready;
	struct dc_error *err;

	regs.r15 = 0;
	regs.orig_rax = (uint64_t)-1;
	err = registers_set_xstate(tid, gort->xstate_ready, gort->xstate_size);
	if (!err)
		err = registers_set_mask(tid, talk->ready_mask);
	return err ? err : registers_set(tid, &regs);
}

// Its return address and its stack arguments, which are the callee's to change.
static struct dc_error *write_frame(const struct talk *talk)
{
	struct process *process = talk->gort->tracee->process;
	const struct abi_entry *entry = talk->calls->entry;
	uint64_t frame = talk->ready.rsp, back = talk->ready.rip;
	struct dc_error *err = NULL;

	if (entry->stack_size)
		err = memory_write(process, frame, entry->stack, entry->stack_size);
	return err ? err : memory_write(process, frame - sizeof(back), &back, sizeof(back));
}

static void set_arguments(struct talk *talk)
{
	const struct abi_entry *entry = talk->calls->entry;
	const uint64_t *general = entry->general;
	uint64_t frame = talk->ready.rsp;
	struct user_regs_struct *regs = &talk->entered;

	*regs = talk->ready;
	regs->rdi = entry->result_size ? frame + talk->result_offset : general[0];
	regs->rsi = general[1];
	regs->rdx = general[2];
	regs->rcx = general[3];
	regs->r8 = general[4];
	regs->r9 = general[5];
	regs->rax = entry->al;
	regs->r15 = 1;
	regs->rsp = frame - sizeof(uint64_t);
	regs->rip = talk->calls->addr;
	regs->orig_rax = (uint64_t)-1;
}

static struct dc_error *prepare_callee(struct talk *talk)
{
	struct gort *gort = talk->gort;
	pid_t tid = gort->tracee->tid;
	struct process *process = gort->tracee->process;
	struct machine machine;
	struct goroutine g;
	struct dc_error *err;

	if (talk->ready.rsp % DEBUGCALL_FRAME_ALIGN)
		return error_make(DC_REFUSED, "the host's argument frame is not aligned");
	err = machine_read(process, gort->descriptor, gort->machine, &machine);
	if (!err)
		err = goroutine_read(process, gort->descriptor, machine.current, &g);
	if (err)
		return err;
	talk->callee = machine.current;
	talk->callee_id = g.id;
	err = registers_get_mask(tid, &talk->ready_mask);
	if (!err)
		err = memory_read(process, talk->ready.r13, &talk->mask, sizeof(talk->mask));
	if (!err)
		err = registers_get_xstate(tid, gort->xstate_ready, &gort->xstate_size);
	if (err)
		return err;
	memcpy(gort->xstate, gort->xstate_ready, gort->xstate_size);
	err = xstate_put(gort->xstate, gort->xstate_size, talk->calls->entry);
	set_arguments(talk);
	return err ? err : write_frame(talk);
}

// The general registers make the thread go to the callee, so they come after all else but the mask.
static struct dc_error *go_to_callee(struct talk *talk, bool with_xstate)
{
	struct gort *gort = talk->gort;
	pid_t tid = gort->tracee->tid;
	struct dc_error *err = NULL;

	if (with_xstate)
		err = registers_set_xstate(tid, gort->xstate, gort->xstate_size);
	if (!err)
		err = registers_set(tid, &talk->entered);
	return err ? err : registers_set_mask(tid, talk->mask);
}

struct dc_error *talk_enter_callee(struct talk *talk, const struct user_regs_struct *ready)
{
	talk->ready = *ready;
	struct dc_error *err = prepare_callee(talk);

	if (err) {
		// Resumed as it is, the host takes that for a refusal of ours.
		talk_conclude(talk, err);
		talk->client.abandoning = true;
		return NULL;
	}
	return go_to_callee(talk, true);
}

struct dc_error *talk_enter_again(struct talk *talk)
{
	const struct abi_entry *entry = talk->calls->entry;
	struct dc_error *err = write_frame(talk);

	// It is 11 KB, and what a callee leaves in it another may find, but for arguments and a
	// full x87 stack.
	return err ? err : go_to_callee(talk, entry->al || entry->leaves_x87);
}

struct dc_error *talk_take_result(struct talk *talk, const struct user_regs_struct *regs)
{
	struct gort *gort = talk->gort;
	const struct abi_entry *entry = talk->calls->entry;
	struct abi_exit *exit = talk->calls->exit;
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
	err = memory_read(gort->tracee->process, talk->ready.rsp + talk->result_offset, memory,
			  entry->result_size);
	if (!err)
		exit->memory = take_ptr(memory);
	return err;
}

struct dc_error *talk_lay_out(struct talk *talk)
{
	const struct abi_entry *entry = talk->calls->entry;
	uint64_t align = entry->result_align > 16 ? entry->result_align : 16;

	talk->result_offset = (entry->stack_size + align - 1) & -align;
	talk->frame_size = talk->result_offset + entry->result_size;
	if (align > DEBUGCALL_FRAME_ALIGN || talk->frame_size > DEBUGCALL_FRAME_MAX)
		return error_make(DC_REFUSED, "%s",
				  debugcall_refusal_text(DEBUGCALL_FRAME_TOO_LARGE));
	return NULL;
}

// The thread goes to regs->rip, from where it can come back.
static struct dc_error *push_and_go(struct talk *talk, struct user_regs_struct *regs, uint64_t back)
{
	struct tracee *tracee = talk->gort->tracee;
	uint64_t words[] = { talk->frame_size, 0, back };
	struct dc_error *err;

	_Static_assert(DEBUGCALL_SIZE_SLOT == -2 * (int)sizeof(uint64_t), "the words' order");
	regs->rsp -= DEBUGCALL_RED_ZONE + sizeof(uint64_t);
	regs->orig_rax = (uint64_t)-1;
	err = memory_write(tracee->process, regs->rsp + (uint64_t)DEBUGCALL_SIZE_SLOT, words,
			   sizeof(words));
	return err ? err : registers_set(tracee->tid, regs);
}

struct dc_error *talk_enter_host(struct talk *talk)
{
	struct tracee *tracee = talk->gort->tracee;
	struct user_regs_struct regs;
	struct dc_error *err = tracee_restore(tracee);

	if (err)
		return err;
	regs = tracee->regs;

	uint64_t back = regs.rip;

	regs.rip = talk->gort->descriptor->entry;
	// A wait ends as if a signal had come, which the runtime looks for more work after.
	if (talk->gort->place != GORT_IN_USER_CODE)
		regs.rax = (uint64_t)-EINTR;
	if (talk->gort->place == GORT_IDLE)
		regs.rip = talk->gort->descriptor->idle_entry;
	return push_and_go(talk, &regs, back);
}

struct dc_error *talk_enter_abandon(struct talk *talk)
{
	struct user_regs_struct regs;
	struct dc_error *err = registers_get(talk->gort->tracee->tid, &regs);
	uint64_t back = regs.rip;

	if (err)
		return err;
	regs.rip = talk->gort->descriptor->abandon_entry;
	regs.rax = (uint64_t)-EINTR;
	return push_and_go(talk, &regs, back);
}
