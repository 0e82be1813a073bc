// SPDX-License-Identifier: MIT
// May this thread be borrowed here? Tables are made before any stop; at the stop a thread is judged
// by a scan of its stack for return addresses in unsafe ranges, which costs microseconds.
#ifndef DEBUGGER_INJECT_SAFEPOINT_SAFEPOINT_H
#define DEBUGGER_INJECT_SAFEPOINT_SAFEPOINT_H

#include "debugger/stack/unwind.h"
#include "debugger/target/maps.h"

enum safety {
	SAFETY_SAFE,
	SAFETY_GUARDED, // inside stdio, waiting: refused only for callees that may reach stdio
	SAFETY_SUSPECT, // an address in an unsafe range lies on the stack: confirm by unwinding
	SAFETY_UNSAFE,
};

struct verdict {
	enum safety safety;
	char reason[160]; // "thread 12 is inside malloc (libc.so.6)"
};

struct safepoints;
struct dc_error *safepoints_create(struct process *process, struct symbols *symbols,
				   struct safepoints **ret) DC_CHECK;
void safepoints_destroy(struct safepoints *safepoints);

enum { SAFEPOINT_SCAN = 16384 }; // bytes of stack that a scan reads, from the red zone up

// At the stop; no system call, no allocation. rseq_cs: the thread's active restartable sequence as
// read by the caller, {0, 0} for none.
void safepoints_scan(const struct safepoints *safepoints, const struct snapshot *snapshot,
		     uint64_t rseq_start, uint64_t rseq_end, struct verdict *ret);
// Settles SUSPECT by a walk of the snapshot, and finds signal frames; the thread need not be
// stopped.
struct dc_error *safepoints_confirm(const struct safepoints *safepoints, struct unwind *unwind,
				    const struct snapshot *snapshot, struct verdict *ret) DC_CHECK;
// Where a thread that is inside unsafe code comes out of it: the outermost such frame's return address.
// 0: it is not known, or not there.
struct dc_error *safepoints_way_out(const struct safepoints *safepoints, struct unwind *unwind,
				    const struct snapshot *snapshot, uint64_t *pc) DC_CHECK;
// A thread that sleeps in a system call, judged from /proc and its live stack, unstopped.
struct dc_error *safepoints_asleep(const struct safepoints *safepoints, struct unwind *unwind,
				   const struct thread_info *info, struct verdict *ret) DC_CHECK;
// The target has a runtime of its own.
bool safepoints_has_runtime(const struct safepoints *safepoints);
// Whether a callee stays away from stdio and from that runtime, as far as its code can be followed.
bool safepoints_callee_avoids_stdio(const struct safepoints *safepoints, uint64_t addr);

#endif
