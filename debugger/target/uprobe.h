// SPDX-License-Identifier: MIT
// Breakpoints of the kernel's beyond the processor's few: uprobes, one for all threads of a process.
// A program of ours that the kernel runs at each hit notes the thread's registers and sends it the
// notice. They go with us and with our keeper, which is spared the threads that we had stopped.
#ifndef DEBUGGER_TARGET_UPROBE_H
#define DEBUGGER_TARGET_UPROBE_H

#include "debugger/target/memory.h"

#include <sys/user.h>

struct uprobes; // of a process, with a seat for each thread that is to be told of hits

// REFUSED, with the reason, where the kernel has none for us.
struct dc_error *uprobes_create(struct process *process, struct uprobes **ret) DC_CHECK;
// All are disarmed. NULL is fine.
void uprobes_destroy(struct uprobes *uprobes);

// From now on each thread with a seat that comes there is sent its notice. REFUSED: the text is no
// file's, or not as it is in the file, or the instruction is one that a uprobe may not be on.
struct dc_error *uprobes_arm(struct uprobes *uprobes, uint64_t addr) DC_CHECK;
void uprobes_disarm(struct uprobes *uprobes, uint64_t addr);

// The thread, which does not run, or was never seated, is told by notice. Nothing is known of hits
// before.
struct dc_error *uprobes_seat(struct uprobes *uprobes, pid_t tid, int notice) DC_CHECK;
void uprobes_unseat(struct uprobes *uprobes, pid_t tid);

struct uprobe_hits {
	uint64_t n; // so far
	uint64_t addr; // of the last
	// General registers and flags as they were before the instruction there, which has run when a
	// thread stops for the notice. The bases of segments are not told.
	struct user_regs_struct before;
};
// False: it has no seat.
bool uprobes_look(const struct uprobes *uprobes, pid_t tid, struct uprobe_hits *ret);
// The thread, which does not run, goes by the place once, with that stack pointer, and is not told.
// addr 0: by none.
void uprobes_pass(struct uprobes *uprobes, pid_t tid, uint64_t addr, uint64_t sp);

#endif
