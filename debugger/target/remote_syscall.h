// SPDX-License-Identifier: MIT
// A system call made by a stopped thread through an instruction of its own text.
#ifndef DEBUGGER_TARGET_REMOTE_SYSCALL_H
#define DEBUGGER_TARGET_REMOTE_SYSCALL_H

#include "debugger/target/gadgets.h"
#include "debugger/target/tracer.h"

struct remote_syscall {
	long nr;
	uint64_t args[6];
};
// The registers with which a thread makes the call and returns from the gadget to what lies at
// stack.
struct user_regs_struct remote_syscall_entry(const struct gadgets *gadgets,
					     const struct user_regs_struct *regs, uint64_t stack,
					     const struct remote_syscall *call);
// stack: what a return from the gadget finds (struct gadgets: pops, home), already in the target
// and leading home, so that the thread is safe whenever the tracer dies. The thread is left stopped
// behind the call with every signal blocked that may be; regs are the base of its registers.
// *result is the call's: a negative errno when it failed. TARGET_ENDED, or DEADLINE when the call
// does not end; the thread then goes home by itself.
struct dc_error *remote_syscall(struct tracer *tracer, pid_t tid, const struct gadgets *gadgets,
				const struct user_regs_struct *regs, uint64_t stack,
				const struct remote_syscall *call, int64_t *result) DC_CHECK;

#endif
