// SPDX-License-Identifier: MIT
// A client's side of a mailbox: finding it in a target, taking a slot, asking and being answered.
// Nothing that stands in it is trusted, and it lies in memory that cannot shrink under us.
#ifndef DEBUGGER_INJECT_AGENT_POST_H
#define DEBUGGER_INJECT_AGENT_POST_H

#include "debugger/target/maps.h"
#include "protocol/mailbox.h"

struct post {
	struct process *process;
	int fd;
	struct mailbox_header *header; // NULL: not open
	struct mailbox_slot *slot; // NULL: none is ours
	uint32_t cancels; // of the slot's count, as we have set it
	bool spin_pays; // the last look for an answer was not in vain
	unsigned spins; // looks that did not seem worth it
	pid_t tid; // the host's thread that serves the slot, as we see it; 0: not looked for yet
};

// The target has a mailbox, or an agent that could make one.
bool post_is_there(const struct maps *maps);
// *found false: the target has none, and no agent that could make one. An error: it has, and it
// cannot be used. Nothing is taken yet.
struct dc_error *post_open(struct process *process, const struct maps *maps, struct post *ret,
			   bool *found) DC_CHECK;
// The thread comes by for calls; *ret: its number for the slot.
bool post_polls(const struct post *post, pid_t tid, pid_t *ret);
// It takes calls.
bool post_is_open(const struct post *post);
// Has it end its threads and let go of its memory, for good: REFUSED when callees are under way.
struct dc_error *post_put_to_sleep(struct post *post) DC_CHECK;
// Gives the slot back. What is under way in it goes on by itself.
void post_close(struct post *post);

// A slot, and a thread that serves it. REFUSED when there is none within that time.
struct dc_error *post_take(struct post *post, int64_t wait_ns) DC_CHECK;
// The host's thread runs with the same rights as the program's first thread.
struct dc_error *post_compare_rights(struct post *post) DC_CHECK;

// The request that stands in the slot is the host's now.
void post_ask(struct post *post, enum mailbox_request request);
// Waits until the turn is not the host's, or until that time; false: it is still.
bool post_wait(struct post *post, int64_t until);
enum mailbox_turn post_turn(const struct post *post);
// The host is to say where the callee is.
void post_cancel(struct post *post);
void post_judge(struct post *post, enum mailbox_verdict verdict);

#endif
