// SPDX-License-Identifier: MIT
// A system call made by a stopped thread through an instruction of its own text.
#ifndef DEBUGGER_TARGET_REMOTE_SYSCALL_H
#define DEBUGGER_TARGET_REMOTE_SYSCALL_H

#include "debugger/base/error.h"

#include <sys/user.h>

struct tracee;
struct remote_syscall {
	long nr;
	uint64_t args[6];
};
// The registers with which the thread makes the call and goes home from the gadget.
struct user_regs_struct remote_syscall_entry(const struct tracee *tracee,
					     const struct remote_syscall *call);
// The thread's way home must be in the target, so that it is safe whenever the tracer dies. The
// thread is left stopped behind the call with every signal blocked that may be. *result is the
// call's: a negative errno when it failed. TARGET_ENDED, or DEADLINE when the call does not end:
// the thread is let go of then, and goes home by itself.
struct dc_error *remote_syscall(struct tracee *tracee, const struct remote_syscall *call,
				int64_t *result) DC_CHECK;
// The same in a chain, with one stop in place of two. REFUSED when none can be made: nothing was
// changed.
struct dc_error *remote_syscall_by_chain(struct tracee *tracee, const struct remote_syscall *call,
					 int64_t *result) DC_CHECK;

#endif
