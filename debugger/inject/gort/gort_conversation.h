// SPDX-License-Identifier: MIT
// One conversation with a runtime's host while it is under way: what its parts share. gort.h is the
// way in.
#ifndef DEBUGGER_INJECT_GORT_GORT_CONVERSATION_H
#define DEBUGGER_INJECT_GORT_GORT_CONVERSATION_H

#include "debugger/inject/gort/gort.h"
#include "debugger/inject/outcome.h"
#include "protocol/conversation.h"

struct gort_conversation {
	struct gort *gort;
	struct request *request;
	struct client_conversation client;
	uint64_t heard_at; // the PC behind the last handshake
	int64_t deadline; // of the call under way, or of the way home
	int64_t begin; // of the call under way
	int64_t slice_end; // 0: nothing is repeated
	uint64_t result_offset; // in the argument frame
	uint64_t frame_size;

	bool is_over;
	bool is_late; // what is waited for now is only the way home
	bool set_aside; // the callee's goroutine goes on without its caller

	// At READY, where an abandoned callee is taken back to; and how a callee is entered.
	struct user_regs_struct ready, entered;
	uint64_t ready_mask, mask;
	uint64_t callee, callee_id; // the goroutine that the call got
	struct dc_error *outcome; // NULL: it returned
};

// ---- gort_conversation.c ---------------------------------------------------------------------------------------

bool gort_is_handshake(const struct gort_conversation *conversation, const struct event *event);
// Begins a conversation on the thread that is held; attends to it until it is over, the time is
// until, or the tracer is cancelled.
struct dc_error *gort_enter(struct gort_conversation *conversation) DC_CHECK;
struct dc_error *gort_attend(struct gort_conversation *conversation, int64_t until) DC_CHECK;
// The first outcome stays.
void gort_conclude(struct gort_conversation *conversation, struct dc_error *err);
struct dc_error *gort_leave(struct gort_conversation *conversation, enum dc_state state) DC_CHECK;
// A stop of the thread: what is to be done for it, done.
struct dc_error *gort_on_event(struct gort_conversation *conversation,
			       const struct event *event) DC_CHECK;
// Resumes the thread, if it is stopped, and waits.
struct dc_error *gort_step(struct gort_conversation *conversation, int64_t deadline,
			   struct event *ret) DC_CHECK;

// ---- gort_callee.c --------------------------------------------------------------------------------

// The frame: stack arguments at its start, behind them the result that is in memory.
struct dc_error *gort_lay_out(struct gort_conversation *conversation) DC_CHECK;
// Points the thread at the host's entry, below the red zone of the interrupted code.
struct dc_error *gort_enter_host(struct gort_conversation *conversation) DC_CHECK;
// Points it, at the idle place, at the host's entry to abandon its parked callee.
struct dc_error *gort_enter_abandon(struct gort_conversation *conversation) DC_CHECK;
// At READY. What cannot be done is the outcome, and the host is declined.
struct dc_error *gort_enter_callee(struct gort_conversation *conversation,
				   const struct user_regs_struct *ready) DC_CHECK;
// At RETURNED: the same once more.
struct dc_error *gort_enter_again(struct gort_conversation *conversation) DC_CHECK;
struct dc_error *gort_take_result(struct gort_conversation *conversation,
				  const struct user_regs_struct *regs) DC_CHECK;
// Back to where READY was said, as if nothing had been called: the host then goes home.
struct dc_error *gort_unwind_callee(struct gort_conversation *conversation) DC_CHECK;

// ---- gort_abandon.c -------------------------------------------------------------------------------

// May the callee be left where it is? Only in user code of its own goroutine, with no frame of the
// runtime below it, which would be left with what it has begun.
bool gort_may_unwind(struct gort_conversation *conversation, bool is_crash);
// The callee's time is up. It may end by itself meanwhile.
struct dc_error *gort_abandon(struct gort_conversation *conversation) DC_CHECK;

// ---- gort_report.c --------------------------------------------------------------------------------

struct dc_error *gort_snapshot_callee(const struct gort_conversation *conversation,
				      struct snapshot *ret) DC_CHECK;
struct frame_limit
gort_frame_limit(const struct gort_conversation *conversation); // where the callee returns to
// The callee's frames, from its innermost to the host's.
void gort_add_frames(const struct gort_conversation *conversation, struct dc_error *err);
// The same for a callee that is parked.
void gort_add_parked_frames(const struct gort_conversation *conversation, struct dc_error *err);
struct dc_error *gort_crashed(const struct gort_conversation *conversation,
			      const struct event *event);
struct dc_error *gort_overdue(const struct gort_conversation *conversation, bool cancelled);
struct dc_error *gort_panicked(const struct gort_conversation *conversation, uint64_t addr);
struct dc_error *gort_reason(const struct gort_conversation *conversation, const uint64_t words[2]);
// The thread or the process ended, or became another program.
struct dc_error *gort_ended(const struct gort_conversation *conversation, const struct event *event,
			    pid_t tid, bool thread_only);

#endif
