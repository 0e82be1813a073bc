// SPDX-License-Identifier: MIT
// Moving one breakpoint along a thread's way.
#include "debugger/control/step.h"

#include "debugger/control/control.h"

#include <stdlib.h>

static struct kernel_breakpoint *armed(struct thread *thread)
{
	return &thread->slots[SLOT_STEP].event;
}

static struct dc_error *arm_at(struct thread *thread, uint64_t target)
{
	struct kernel_breakpoint *event = armed(thread);
	struct dc_error *err;
	int notice;

	thread->step.target = target;
	if (event->fd >= 0) {
		err = kernel_breakpoint_move(event, target);
	} else {
		err = thread_notice(thread, &notice);
		if (!err)
			err = kernel_breakpoint_arm(event, thread->tracee.tid, BREAKPOINT_EXECUTE,
						    target, 0, notice);
	}
	// What was counted before is another place's.
	if (!err)
		kernel_breakpoint_hits(event);
	return err;
}

// From pc on, by instructions; calls are run over unless they are gone into.
static struct dc_error *advance(struct thread *thread)
{
	struct step *step = &thread->step;
	struct user_regs_struct regs;
	struct successor next;
	struct dc_error *err = registers_get(thread->tracee.tid, &regs);

	if (!err)
		err = successor_of(thread->control->decoder, &regs, &next);
	if (err)
		return err;
	step->way = WAY_INSTRUCTIONS;
	step->sp = 0;
	if (!next.is_call || step->into)
		return arm_at(thread, next.addr);
	step->way = WAY_OVER;
	step->sp = registers_sp(&regs);
	return arm_at(thread, next.behind);
}

struct dc_error *step_begin(struct thread *thread, const struct step *step)
{
	struct dc_error *err;

	thread->step = *step;
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
	err = arm_at(thread, place);
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

struct dc_error *step_arrive(struct thread *thread, uint64_t pc, bool *ret)
{
	struct step *step = &thread->step;
	struct user_regs_struct regs;
	struct dc_error *err;

	*ret = false;
	if (!step->is_active || !kernel_breakpoint_hits(armed(thread)) || pc != step->target)
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
	kernel_breakpoint_disarm(armed(thread));
}
