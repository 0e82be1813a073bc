// SPDX-License-Identifier: MIT
// Meeting a thread where it comes by itself: it is seized and runs on, and a breakpoint that the
// kernel owns stops it there. No wait of it ends early, and whatever becomes of us it runs on.
#ifndef DEBUGGER_TARGET_ENCOUNTER_H
#define DEBUGGER_TARGET_ENCOUNTER_H

#include "debugger/target/tracee.h"

// Where a thread is awaited, and for how long.
struct rendezvous {
	uint64_t pc;
	int64_t deadline;
	int64_t patience_ns; // that it may run without coming, and it may not sleep; 0: no matter
};

// A thread that is not traced. *ret STOPPED: it stands at pc, whose instruction has not run, as
// after tracee_stop(). UNSTOPPABLE: it has not come in time, and is seized still, running: the
// caller halts it or ends the tracer thread. Else it is let go of. REFUSED when no breakpoint is to
// be had, or no signal for its notice; then nothing was done.
struct dc_error *encounter(struct tracee *tracee, pid_t tid, const struct thread_info *info,
			   const struct rendezvous *at, enum tracee_stop *ret) DC_CHECK;
// The same for a thread that is held and stopped, which is resumed.
struct dc_error *encounter_further(struct tracee *tracee, const struct thread_info *info,
				   const struct rendezvous *at, enum tracee_stop *ret) DC_CHECK;

#endif
