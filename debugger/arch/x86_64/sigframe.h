// SPDX-License-Identifier: MIT
// The signal frame from which rt_sigreturn gives a thread a context with no debugger present: a way
// home. Pure: builds bytes, writes nothing.
#ifndef DEBUGGER_ARCH_X86_64_SIGFRAME_H
#define DEBUGGER_ARCH_X86_64_SIGFRAME_H

#include "debugger/arch/x86_64/gadgets.h"
#include "debugger/base/error.h"

#include <sys/user.h>

enum {
	SIGFRAME_ROOM = 0x5000, // more than any frame takes
	SIGFRAME_CONTEXT = 304, // bytes of the kernel's struct ucontext
	SIGFRAME_SP = 160, // where it keeps the stack pointer
	SIGFRAME_MAGIC2 = 4, // bytes behind the extended state (asm/sigcontext.h)
};
// The parts of a frame. The extended state lies at fpstate, 64-aligned; fpstate 0: the initial one.
void sigframe_put_context(void *to, const struct user_regs_struct *regs, uint64_t mask,
			  uint64_t fpstate);
// The registers that such a context gives back; what it does not have stays.
void sigframe_get_context(const void *from, struct user_regs_struct *regs);
void sigframe_put_xstate(void *to, const unsigned char *xstate, size_t in_use);

struct sigframe {
	uint64_t start; // stack pointer for a gadget whose return ends in rt_sigreturn
	uint64_t context; // stack pointer for rt_sigreturn itself
	size_t size;
	unsigned char bytes[SIGFRAME_ROOM]; // what belongs at start
};
// The frame ends at or below top. A system call that regs were interrupted in is begun again, or
// ends with EINTR, as restart_by_hand() says. Only the extended state that the thread has in use is
// claimed: for more the kernel would quietly restore nothing but the legacy part. REFUSED when it
// does not fit.
struct dc_error *sigframe_build(const struct user_regs_struct *regs, const unsigned char *xstate,
				size_t xstate_size, uint64_t mask, const struct gadgets *gadgets,
				uint64_t top, struct sigframe *ret) DC_CHECK;

#endif
