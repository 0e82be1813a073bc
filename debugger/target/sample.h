// SPDX-License-Identifier: MIT
// One sample of a thread that runs on a CPU: its registers and the top of its stack at one instant
// of its own code, as the kernel's profiler takes them. It is not stopped, and no wait of it ends.
#ifndef DEBUGGER_TARGET_SAMPLE_H
#define DEBUGGER_TARGET_SAMPLE_H

#include "debugger/base/error.h"

#include <sys/user.h>

struct sample {
	struct user_regs_struct regs; // without segment bases and orig_rax
	unsigned char *stack; // malloc'd, from RSP on
	size_t size;
};
// *taken false: it has not run in user mode for so long. REFUSED, with the reason, where the kernel
// takes no samples for us.
struct dc_error *sample_take(pid_t tid, int64_t wait_ns, struct sample *ret, bool *taken) DC_CHECK;

#endif
