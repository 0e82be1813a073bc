// SPDX-License-Identifier: MIT
// A callee whose time is up: one in user code is undone, one that is parked is left to itself and
// its caller goes home, and any other is looked at again, as goroutines come out of the runtime
// soon or not at all.
#include "debugger/stack/goroutines/goroutines.h"
#include "debugger/inject/gort/gort_conversation.h"
#include "debugger/base/cleanup.h"

#include <inttypes.h>

bool talk_may_unwind(struct talk *talk, bool is_crash)
{
	struct gort *gort = talk->gort;
	_cleanup_(snapshot_free) struct snapshot snapshot = { 0 };
	_cleanup_free_ struct unwound *frames = calloc(UNWIND_MAX, sizeof(*frames));
	_cleanup_error_ struct dc_error *err = NULL;
	struct machine machine;
	bool complete;
	size_t n = 0;

	if (!frames)
		return false;
	err = machine_read(gort->tracee->process, gort->descriptor, gort->machine, &machine);
	if (err || machine.in_runtime || machine.current != talk->callee)
		return false;
	err = talk_snapshot_callee(talk, &snapshot);
	if (err || gort_in_runtime(gort, snapshot.regs.rip) ||
	    snapshot.regs.rsp >= talk->ready.rsp ||
	    talk->ready.rsp - snapshot.regs.rsp > (UINT64_C(1) << 30))
		return false;
	if (is_crash || !gort->unwind)
		return is_crash;
	err = unwind_walk(gort->unwind, &snapshot, frames, UNWIND_MAX, &n, &complete);
	if (err)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (frames[i].is_signal_frame)
			return false;
		if (gort_in_runtime(gort, frames[i].frame.pc))
			return frames[i].frame.pc - talk->ready.rip + 1 <= 1;
	}
	return false;
}

// ---- a callee that is parked ----------------------------------------------------------------------

enum parked {
	NOT_PARKED,
	PARKED, // and its thread sleeps for it
	SET_ASIDE, // its caller has the thread again, or is about to wake
};

static struct dc_error *look(struct talk *talk, enum parked *ret)
{
	const struct gort *gort = talk->gort;
	struct process *process = gort->tracee->process;
	struct user_regs_struct regs;
	struct machine machine;
	struct goroutine g;
	struct dc_error *err = machine_read(process, gort->descriptor, gort->machine, &machine);

	*ret = NOT_PARKED;
	if (!err)
		err = goroutine_read(process, gort->descriptor, talk->callee, &g);
	if (!err)
		err = registers_get(gort->tracee->tid, &regs);
	if (err)
		return err;
	if (g.id != talk->callee_id || !g.locked_m)
		*ret = SET_ASIDE;
	else if (!machine.current && gort_is_idle_place(gort, regs.rip) &&
		 (int64_t)regs.orig_rax >= 0 && (int64_t)regs.rax < 0)
		*ret = PARKED;
	return NULL;
}

static void set_aside(struct talk *talk)
{
	if (talk->set_aside || !talk->outcome || talk->outcome == &dc_out_of_memory)
		return;
	talk->set_aside = true;
	talk->outcome->goroutine = talk->callee_id;
	talk->outcome = error_note(talk->outcome,
				   "%s is left parked on goroutine %" PRIu64
				   ": gort_cancel(%" PRIu64
				   ") ends its wait, unless that is for a plain lock",
				   talk->name, talk->callee_id, talk->callee_id);
}

// ---- the deadline ---------------------------------------------------------------------------------

static struct dc_error *undo(struct talk *talk)
{
	if (talk->outcome && !talk->outcome->frames)
		talk_add_frames(talk, talk->outcome);
	talk->outcome = error_note(talk->outcome, "locks that %s took stay taken", talk->name);
	return talk_unwind_callee(talk);
}

// The thread is stopped: what can be done for its caller there. *over: nothing more can or need be
// done.
static struct dc_error *help_home(struct talk *talk, bool *over)
{
	enum parked parked;
	struct dc_error *err = look(talk, &parked);

	*over = false;
	if (err)
		return err;
	switch (parked) {
	case SET_ASIDE:
		set_aside(talk);
		*over = true;
		return NULL;
	case PARKED:
		if (!talk->gort->descriptor->abandon_entry)
			return NULL;
		if (talk->outcome && !talk->outcome->frames)
			talk_add_parked_frames(talk, talk->outcome);
		return talk_enter_abandon(talk);
	case NOT_PARKED: break;
	}
	*over = talk_may_unwind(talk, false);
	return *over ? undo(talk) : NULL;
}

static struct dc_error *leave_running(struct talk *talk)
{
	talk->outcome = error_note(
		talk->outcome, "%s goes on on its goroutine; its caller waits for it", talk->name);
	return talk_leave(talk, DC_STATE_IN_CALLEE);
}

static struct dc_error *stop(struct talk *talk, struct event *ret)
{
	struct tracee *tracee = talk->gort->tracee;
	struct dc_error *err = tracee_interrupt(tracee);

	// Its end, or another stop, is the next event then.
	if (err && err->code == DC_TARGET_ENDED) {
		dc_error_destroy(err);
		err = NULL;
	}
	return err ? err : tracee_wait_stop(tracee, ret);
}

// What talk_on_event does; and the callee's own end is the outcome, where it came after all.
static struct dc_error *on_event(struct talk *talk, const struct event *event)
{
	struct dc_error *err;

	talk->running = false;
	if (event->kind == EVENT_SIGNAL && talk_is_handshake(talk, event) && !talk->set_aside) {
		enum parked parked;

		err = look(talk, &parked);
		if (err)
			return err;
		if (parked == SET_ASIDE)
			set_aside(talk);
		else
			dc_error_destroy(take_ptr(talk->outcome));
	}
	return talk_on_event(talk, event);
}

static struct dc_error *forget(struct talk *talk)
{
	tracer_abandon(talk->gort->tracee->tracer);
	tracee_forget(talk->gort->tracee);
	talk->is_over = true;
	talk->outcome = error_in_state(talk->outcome, DC_STATE_IN_CALLEE);
	return NULL;
}

static bool is_waiting(const struct talk *talk)
{
	return !talk->is_over && talk->client.state == CLIENT_CALLING;
}

// What the thread does of itself for a while.
static struct dc_error *watch(struct talk *talk, int64_t ns)
{
	struct dc_error *err = NULL;

	while (!err && is_waiting(talk)) {
		struct event event;

		err = talk_step(talk, tracer_now() + ns, &event);
		if (err || event.kind == EVENT_DEADLINE)
			break;
		err = on_event(talk, &event);
	}
	return err;
}

struct dc_error *talk_abandon(struct talk *talk)
{
	enum { TRIES = 40, PAUSE_NS = 1000 * 1000, PAUSE_MAX_NS = 8 * PAUSE_NS };
	int64_t pause = PAUSE_NS;

	for (int i = 0;; i++) {
		struct event event;
		bool over = false;
		struct dc_error *err = stop(talk, &event);

		if (err)
			return err;
		if (event.kind == EVENT_DEADLINE)
			return forget(talk);
		err = on_event(talk, &event);
		if (!err && is_waiting(talk) && event.kind == EVENT_INTERRUPT)
			err = help_home(talk, &over);
		if (err || over || !is_waiting(talk))
			return err;
		if (i == TRIES || event.kind == EVENT_GROUP_STOP)
			return leave_running(talk);
		err = watch(talk, pause);
		if (err || !is_waiting(talk))
			return err;
		if (pause < PAUSE_MAX_NS)
			pause += pause / 8;
	}
}
