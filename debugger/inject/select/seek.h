// SPDX-License-Identifier: MIT
// The search for a thread that may be borrowed: candidates in their order, each stopped only where
// it is likely to be at a safe point and let go of where it is not.
#ifndef DEBUGGER_INJECT_SELECT_SEEK_H
#define DEBUGGER_INJECT_SELECT_SEEK_H

#include "debugger/inject/borrow.h"
#include "debugger/inject/select/candidate.h"
#include "debugger/target/tracee.h"

struct seek {
	struct tracer *tracer;
	struct process *process;
	struct safepoints *safepoints; // NULL: every place is safe
	struct unwind *unwind;
	const struct borrow_options *options;
	struct ground *ground; // read anew when it is out of date
	struct tracee *tracee;
	struct thread_info info; // of the thread that is held
	struct gort *gort; // not NULL: only a thread that its host can be entered on
	bool impatient; // gives up after passes that found nobody worth a stop
	bool is_hopeful; // the last pass found one that was worth a stop

	unsigned char scan[SAFEPOINT_SCAN];
	bool walked_cold; // the unwinder has this program's tables by now
};
// Until a thread is held at a safe point (thread: only that one; 0: the best) or the time to wait
// is over: then REFUSED with the reasons.
struct dc_error *seek_hold(struct seek *seek, pid_t thread) DC_CHECK;

// The restartable sequence that a held thread is in; a call would end it without its abort handler.
bool seek_in_sequence(const struct tracee *tracee);
// Reads of a held thread: its number cannot pass to another process.
bool seek_read(pid_t tid, uint64_t addr, void *buf, size_t n);

#endif
