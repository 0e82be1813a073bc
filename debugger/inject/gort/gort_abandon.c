// SPDX-License-Identifier: MIT
// A callee whose time is up: one in user code is undone, one that is parked is left to itself and
// its caller goes home, and any other is looked at again, as goroutines come out of the runtime
// soon or not at all.
#include "debugger/stack/goroutines/goroutines.h"
#include "debugger/inject/gort/gort_conversation.h"
#include "debugger/base/cleanup.h"

#include <inttypes.h>

bool gort_may_unwind(struct gort_conversation *conversation, bool is_crash)
{
	struct gort *gort = conversation->gort;
	_cleanup_(snapshot_deinit) struct snapshot snapshot = { 0 };
	_cleanup_free_ struct unwound *frames = calloc(UNWIND_MAX, sizeof(*frames));
	_cleanup_error_ struct dc_error *err = NULL;
	struct frame_limit limit = gort_frame_limit(conversation);
	struct machine machine;
	bool complete;
	size_t n = 0;

	if (!frames)
		return false;
	err = machine_read(gort->tracee->process, gort->descriptor, gort->machine, &machine);
	if (err || machine.in_runtime || machine.current != conversation->callee)
		return false;
	err = gort_snapshot_callee(conversation, &snapshot);
	if (err || gort_in_runtime(gort, snapshot.regs.rip) ||
	    snapshot.regs.rsp >= conversation->ready.rsp ||
	    conversation->ready.rsp - snapshot.regs.rsp > (UINT64_C(1) << 30))
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
			return frame_is_limit(&limit, frames[i].frame.pc);
	}
	return false;
}

// ---- a callee that is parked ----------------------------------------------------------------------

enum parked {
	NOT_PARKED,
	PARKED, // and its thread sleeps for it
	SET_ASIDE, // its caller has the thread again, or is about to wake
};

static struct dc_error *look(struct gort_conversation *conversation, enum parked *ret)
{
	const struct gort *gort = conversation->gort;
	struct process *process = gort->tracee->process;
	struct user_regs_struct regs;
	struct machine machine;
	struct goroutine g;
	struct dc_error *err = machine_read(process, gort->descriptor, gort->machine, &machine);

	*ret = NOT_PARKED;
	if (!err)
		err = goroutine_read(process, gort->descriptor, conversation->callee, &g);
	if (!err)
		err = registers_get(gort->tracee->tid, &regs);
	if (err)
		return err;
	if (g.id != conversation->callee_id || !g.locked_m)
		*ret = SET_ASIDE;
	else if (!machine.current && gort_is_idle_place(gort, regs.rip) &&
		 (int64_t)regs.orig_rax >= 0 && (int64_t)regs.rax < 0)
		*ret = PARKED;
	return NULL;
}

static void set_aside(struct gort_conversation *conversation)
{
	if (conversation->set_aside || !conversation->outcome ||
	    conversation->outcome == &dc_out_of_memory)
		return;
	conversation->set_aside = true;
	conversation->outcome->goroutine = conversation->callee_id;
	conversation->outcome = error_note(
		conversation->outcome,
		"%s is left parked on goroutine %" PRIu64 ": gort_cancel(%" PRIu64
		") ends its wait, unless that is for a plain lock",
		conversation->request->name, conversation->callee_id, conversation->callee_id);
}

// ---- the deadline ---------------------------------------------------------------------------------

static struct dc_error *undo(struct gort_conversation *conversation)
{
	if (conversation->outcome && !conversation->outcome->frames)
		gort_add_frames(conversation, conversation->outcome);
	conversation->outcome = outcome_note_locks(conversation->outcome,
						   conversation->request->name);
	return gort_unwind_callee(conversation);
}

// The thread is stopped: what can be done for its caller there. *over: nothing more can or need be
// done.
static struct dc_error *help_home(struct gort_conversation *conversation, bool *over)
{
	enum parked parked;
	struct dc_error *err = look(conversation, &parked);

	*over = false;
	if (err)
		return err;
	switch (parked) {
	case SET_ASIDE:
		set_aside(conversation);
		*over = true;
		return NULL;
	case PARKED:
		if (!conversation->gort->descriptor->abandon_entry)
			return NULL;
		if (conversation->outcome && !conversation->outcome->frames)
			gort_add_parked_frames(conversation, conversation->outcome);
		return gort_enter_abandon(conversation);
	case NOT_PARKED: break;
	}
	*over = gort_may_unwind(conversation, false);
	return *over ? undo(conversation) : NULL;
}

static struct dc_error *leave_running(struct gort_conversation *conversation)
{
	conversation->outcome = error_note(conversation->outcome,
					   "%s goes on on its goroutine; its caller waits for it",
					   conversation->request->name);
	return gort_leave(conversation, DC_STATE_IN_CALLEE);
}

// What gort_on_event does; and the callee's own end is the outcome, where it came after all.
static struct dc_error *on_event(struct gort_conversation *conversation, const struct event *event)
{
	struct dc_error *err;

	if (event->kind == EVENT_SIGNAL && gort_is_handshake(conversation, event) &&
	    !conversation->set_aside) {
		enum parked parked;

		err = look(conversation, &parked);
		if (err)
			return err;
		if (parked == SET_ASIDE)
			set_aside(conversation);
		else
			dc_error_destroy(take_ptr(conversation->outcome));
	}
	return gort_on_event(conversation, event);
}

static struct dc_error *forget(struct gort_conversation *conversation)
{
	tracer_abandon(conversation->gort->tracee->tracer);
	tracee_forget(conversation->gort->tracee);
	conversation->is_over = true;
	conversation->outcome = error_in_state(conversation->outcome, DC_STATE_IN_CALLEE);
	return NULL;
}

static bool is_waiting(const struct gort_conversation *conversation)
{
	return !conversation->is_over && conversation->client.state == CLIENT_CALLING;
}

// What the thread does of itself for a while.
static struct dc_error *watch(struct gort_conversation *conversation, int64_t ns)
{
	struct dc_error *err = NULL;

	while (!err && is_waiting(conversation)) {
		struct event event;

		err = gort_step(conversation, tracer_now() + ns, &event);
		if (err || event.kind == EVENT_DEADLINE)
			break;
		err = on_event(conversation, &event);
	}
	return err;
}

struct dc_error *gort_abandon(struct gort_conversation *conversation)
{
	enum { TRIES = 40, PAUSE_NS = 1000 * 1000, PAUSE_MAX_NS = 8 * PAUSE_NS };
	int64_t pause = PAUSE_NS;

	for (int i = 0;; i++) {
		struct event event;
		bool over = false;
		struct dc_error *err = tracee_halt(conversation->gort->tracee, &event);

		if (err)
			return err;
		if (event.kind == EVENT_DEADLINE)
			return forget(conversation);
		err = on_event(conversation, &event);
		if (!err && is_waiting(conversation) && event.kind == EVENT_INTERRUPT)
			err = help_home(conversation, &over);
		if (err || over || !is_waiting(conversation))
			return err;
		if (i == TRIES || event.kind == EVENT_GROUP_STOP)
			return leave_running(conversation);
		err = watch(conversation, pause);
		if (err || !is_waiting(conversation))
			return err;
		if (pause < PAUSE_MAX_NS)
			pause += pause / 8;
	}
}
