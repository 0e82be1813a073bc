// SPDX-License-Identifier: MIT
// The client of a runtime's own host: a thread in user code of a goroutine is pointed at the descriptor's
// entry, and the call runs on a goroutine of its own. The host gives everything back by itself.
#ifndef DEBUGGER_CALL_GORT_H
#define DEBUGGER_CALL_GORT_H

#include "debugger/call/abi.h"
#include "debugger/call/hold.h"
#include "debugger/stack/unwind.h"
#include "protocol/descriptor.h"

struct gort {
	const struct debugcall_descriptor *descriptor;
	struct hold *hold;
	struct symbols *symbols; // with unwind, for reports only
	struct unwind *unwind;
	unsigned char *xstate, *xstate_ready; // XSTATE_ROOM bytes each
	size_t xstate_size;

	// Of the thread that is held.
	struct thread_info info;
	uint64_t machine; // address of its M
	bool is_idle; // it sleeps without work
	bool avoid_idle; // such a thread was refused: there is no P for it
};
struct dc_error *gort_init(struct gort *gort, const struct debugcall_descriptor *descriptor,
			   struct hold *hold, struct symbols *symbols,
			   struct unwind *unwind) DC_CHECK;
void gort_deinit(struct gort *gort);

// Unstopped: does the thread seem to be in user code of a goroutine? reason says why not.
bool gort_is_worth(const struct gort *gort, const struct thread_info *info, char *reason,
		   size_t size);
// At the stop: may it be pointed at the entry where it is? Remembers what a call needs.
bool gort_suits(struct gort *gort, const struct thread_info *info, char *reason, size_t size);

static inline bool gort_in_runtime(const struct gort *gort, uint64_t pc)
{
	return pc >= gort->descriptor->text_start && pc < gort->descriptor->text_end;
}

// One call by the held thread, which is not held any more afterwards. *refused: the host said no, and
// the error is its reason.
struct dc_error *gort_call(struct gort *gort, uint64_t addr, const char *name,
			   const struct abi_entry *entry, int64_t timeout_ns, int64_t *pause_ns,
			   bool *refused, struct abi_exit *ret) DC_CHECK;

#endif
