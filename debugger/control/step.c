// SPDX-License-Identifier: MIT
// Moving one breakpoint along a thread's way.
#include "debugger/control/step.h"

#include "debugger/control/control.h"

#include <stdlib.h>

static struct dc_error *point(struct thread *thread, struct kernel_breakpoint *event,
			      uint64_t place)
{
	struct dc_error *err;
	int notice;

	if (event->fd >= 0) {
		err = kernel_breakpoint_move(event, place);
	} else {
		err = thread_notice(thread, &notice);
		if (!err)
			err = kernel_breakpoint_arm(event, thread->tracee.tid, BREAKPOINT_EXECUTE,
						    place, 0, notice);
		if (!err)
			thread->tracee.notices |= UINT64_C(1) << (notice - 1);
	}
	// What was counted before is another place's.
	if (!err)
		kernel_breakpoint_hits(event);
	return err;
}

// At all these places, and nowhere else: by the one that is kept for steps, and by what no location
// uses.
static struct dc_error *arm(struct thread *thread, const uint64_t *places, unsigned n)
{
	struct dc_error *err = NULL;
	unsigned done = 0;

	for (int i = SLOT_STEP; i >= 0 && !err; i--) {
		struct slot *slot = &thread->slots[i];

		if (slot->location)
			continue;
		if (done < n)
			err = point(thread, &slot->event, places[done++]);
		else
			kernel_breakpoint_disarm(&slot->event);
	}
	return err ?: done < n ? error_make(DC_REFUSED, "no breakpoint is free") : NULL;
}

// The ways out serve from where none of them is, and when there is a breakpoint for each.
static bool by_exits(const struct thread *thread, uint64_t pc)
{
	const struct exits *exits = &thread->step.exits;
	unsigned room = 0;

	for (int i = 0; i < SLOTS; i++)
		room += !thread->slots[i].location;
	for (unsigned i = 0; i < exits->n; i++) {
		if (exits->at[i] == pc)
			return false;
	}
	return exits->n && exits->n <= room;
}

// From pc on, by the ways out or by instructions; calls are run over unless they are gone into.
static struct dc_error *advance(struct thread *thread)
{
	struct step *step = &thread->step;
	struct user_regs_struct regs;
	struct successor next;
	struct dc_error *err = registers_get(thread->tracee.tid, &regs);

	if (err)
		return err;
	if (by_exits(thread, registers_pc(&regs))) {
		step->way = WAY_EXITS;
		step->sp = step->exits.moves_sp ? 0 : registers_sp(&regs);
		err = arm(thread, step->exits.at, step->exits.n);
		if (!err)
			return NULL;
		// Others may use the processor's, too.
		dc_error_destroy(err);
		step->exits.n = 0;
	}
	err = successor_of(thread->control->decoder, &regs, &next);
	if (err)
		return err;
	step->way = WAY_INSTRUCTIONS;
	step->sp = 0;
	if (!next.is_call || step->into)
		return arm(thread, &next.addr, 1);
	step->way = WAY_OVER;
	step->sp = registers_sp(&regs);
	return arm(thread, &next.behind, 1);
}

struct dc_error *step_begin(struct thread *thread, const struct step *step)
{
	struct dc_error *err;

	thread->step = *step;
	if (!exits_of(thread->control->decoder, step->start, step->end, step->into,
		      &thread->step.exits))
		thread->step.exits.n = 0;
	err = advance(thread);
	if (err)
		step_end(thread);
	else
		thread->step.is_active = true;
	return err;
}

static struct dc_error *lead(struct thread *thread, enum step_way way, uint64_t place, uint64_t sp)
{
	struct dc_error *err;

	thread->step.way = way;
	thread->step.sp = sp;
	err = arm(thread, &place, 1);
	if (err)
		step_end(thread);
	else
		thread->step.is_active = true;
	return err;
}

struct dc_error *step_to(struct thread *thread, uint64_t place, uint64_t sp)
{
	return lead(thread, WAY_PLACE, place, sp);
}

struct dc_error *step_over_to(struct thread *thread, uint64_t place, uint64_t sp)
{
	return lead(thread, WAY_OVER, place, sp);
}

static bool is_at_target(struct thread *thread, uint64_t pc)
{
	bool ret = false;

	for (int i = 0; i < SLOTS; i++) {
		struct kernel_breakpoint *event = &thread->slots[i].event;

		if (!thread->slots[i].location && kernel_breakpoint_hits(event))
			ret |= event->addr == pc;
	}
	return ret;
}

struct dc_error *step_arrive(struct thread *thread, uint64_t pc, bool *ret)
{
	struct step *step = &thread->step;
	struct user_regs_struct regs;
	struct dc_error *err;

	*ret = false;
	if (!step->is_active || !is_at_target(thread, pc))
		return NULL;
	if (step->sp) {
		err = registers_get(thread->tracee.tid, &regs);
		// Another call of the same function, from within.
		if (err || registers_sp(&regs) < step->sp)
			return err;
	}
	if (step->way != WAY_PLACE && pc - step->start < step->end - step->start)
		return advance(thread);
	*ret = true;
	return NULL;
}

void step_end(struct thread *thread)
{
	free(thread->step.plan);
	thread->step = (struct step){ 0 };
	for (int i = 0; i < SLOTS; i++) {
		if (!thread->slots[i].location)
			kernel_breakpoint_disarm(&thread->slots[i].event);
	}
}
