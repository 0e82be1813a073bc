// SPDX-License-Identifier: MIT
// A breakpoint that the kernel owns: a perf event of one thread, which vanishes with our descriptor
// and so with us, and whose notice is a signal that does nothing when it is not received. No text
// is changed and no debug register is armed through ptrace.
#ifndef DEBUGGER_TARGET_KERNEL_BREAKPOINT_H
#define DEBUGGER_TARGET_KERNEL_BREAKPOINT_H

#include "debugger/target/filter.h"
#include "debugger/target/process.h"

enum kernel_breakpoint_kind {
	BREAKPOINT_EXECUTE, // the thread stops at the address, before the instruction
	BREAKPOINT_WRITE, // it stops behind the instruction that wrote
	BREAKPOINT_ACCESS, // read or written
};

struct kernel_breakpoint {
	int fd; // -1: not armed
	pid_t tid;
	uint64_t addr;
	int notice; // the signal by which a hit shows
	uint64_t seen; // hits that were asked for
	struct filter *filter; // the kernel tells only some; NULL: all
	uint32_t place; // of its counts there
};
#define KERNEL_BREAKPOINT_NONE ((struct kernel_breakpoint){ .fd = -1 })

// The signal that a thread neither blocks nor has a handler for, of those that are ignored by
// default; 0: there is none, and a hit shows only in the count.
int kernel_breakpoint_notice(const struct thread_info *info);
// From now on a hit sends notice to the thread, which must be one that it ignores by default: with
// a handler the program's own code would run. size: 1, 2, 4 or 8 bytes, aligned; of no meaning for
// EXECUTE. REFUSED, with the reason, when the kernel allows no event or has no place left (four a
// thread, shared with whoever else uses them).
struct dc_error *kernel_breakpoint_arm(struct kernel_breakpoint *breakpoint, pid_t tid,
				       enum kernel_breakpoint_kind kind, uint64_t addr, size_t size,
				       int notice) DC_CHECK;
// The same in two steps: all that can be refused, and the moment from which hits are told. A thread
// that nobody traces does not stop for them, and where they are many the kernel throttles the
// breakpoint, which it may then never take back (hw_breakpoint_add() keeps a stopped one stopped).
struct dc_error *kernel_breakpoint_prepare(struct kernel_breakpoint *breakpoint, pid_t tid,
					   enum kernel_breakpoint_kind kind, uint64_t addr,
					   size_t size, int notice) DC_CHECK;
// Before it is enabled: hits that the filter keeps to itself are none. It must outlive the breakpoint.
struct dc_error *kernel_breakpoint_attach(struct kernel_breakpoint *breakpoint,
					  struct filter *filter) DC_CHECK;
struct dc_error *kernel_breakpoint_enable(struct kernel_breakpoint *breakpoint) DC_CHECK;
// To another address, in a third of the time that arming takes. EXECUTE only.
struct dc_error *kernel_breakpoint_move(struct kernel_breakpoint *breakpoint,
					uint64_t addr) DC_CHECK;
// Hits since it was last asked. With the thread stopped at the address, a number above zero says
// that the breakpoint is why; the signal alone proves nothing.
uint64_t kernel_breakpoint_hits(struct kernel_breakpoint *breakpoint);
// Hits that nobody has asked for yet.
uint64_t kernel_breakpoint_untold(const struct kernel_breakpoint *breakpoint);
// Hits so far that the filter should have judged and did not; exact while the thread stands.
uint64_t kernel_breakpoint_unjudged(const struct kernel_breakpoint *breakpoint);
// Notices that were sent and not received do nothing. Not armed: does nothing.
void kernel_breakpoint_disarm(struct kernel_breakpoint *breakpoint);

#endif
