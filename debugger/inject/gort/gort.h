// SPDX-License-Identifier: MIT
// The client of a runtime's own host: a thread in user code of a goroutine is pointed at the
// descriptor's entry, and the call runs on a goroutine of its own. The host gives everything back
// by itself.
#ifndef DEBUGGER_INJECT_GORT_GORT_H
#define DEBUGGER_INJECT_GORT_GORT_H

#include "debugger/inject/host.h"
#include "protocol/descriptor.h"

// Where a thread may be entered.
enum gort_place {
	GORT_IN_USER_CODE,
	GORT_IDLE, // it sleeps without work
	GORT_ATTENDS, // the goroutine that was asked for waits for us
};

struct gort_conversation;
struct gort {
	struct debugcall_descriptor found;
	const struct debugcall_descriptor *descriptor; // that
	struct loan *loan;
	struct tracee *tracee; // the loan's
	struct symbols *symbols; // with unwind, for reports only
	struct unwind *unwind;
	unsigned char *xstate, *xstate_ready; // XSTATE_ROOM bytes each
	size_t xstate_size;

	// The goroutine that is to be the caller, 0: any; where it lies, once it was found.
	uint64_t goroutine, goroutine_addr;

	int64_t asked_ns; // when a thread was asked to wait for us; 0: never

	// Of the thread that is held.
	struct thread_info info;
	uint64_t machine; // address of its M
	enum gort_place place;
	bool avoid_idle; // an idle thread was refused: there is no P for it

	struct gort_conversation *conversation; // that is under way, or the next
};
extern const struct host gort_host;

// Unstopped: does the thread seem to be in user code of a goroutine? reason says why not.
bool gort_is_worth(struct gort *gort, const struct thread_info *info, char *reason, size_t size);
// At the stop, after that: may it be pointed at the entry where it is? Remembers what a call needs.
bool gort_suits(struct gort *gort, const struct thread_info *info, char *reason, size_t size);

bool gort_is_idle_place(const struct gort *gort, uint64_t pc);
static inline bool gort_in_runtime(const struct gort *gort, uint64_t pc)
{
	return pc >= gort->descriptor->text_start && pc < gort->descriptor->text_end;
}

// The goroutine that is to be the caller: REFUSED when there is none of that id, or it has ended.
// Asks the runtime to let it wait for us when it comes out of a park; asked for again and again, as
// another debugger may want one too.
struct dc_error *gort_ask(struct gort *gort) DC_CHECK;
// Takes the request back.
void gort_unask(struct gort *gort);
// Why the goroutine was not come by: its status, and what it waits for.
struct dc_error *gort_explain(struct gort *gort, struct dc_error *refusal) DC_CHECK;

#endif
