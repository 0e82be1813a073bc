// SPDX-License-Identifier: MIT
// A way home: the signal frame by which rt_sigreturn gives a thread its caller context back with no
// debugger present. Pure: builds bytes, writes nothing.
#ifndef DEBUGGER_INJECT_WAYHOME_H
#define DEBUGGER_INJECT_WAYHOME_H

#include "debugger/target/gadgets.h"

#include <sys/user.h>

enum {
	WAYHOME_RED_ZONE = 128,
	WAYHOME_ROOM = 0x5000, // more than any frame takes
};

struct wayhome {
	uint64_t start; // stack pointer for a gadget whose return ends in rt_sigreturn
	uint64_t context; // stack pointer for rt_sigreturn itself
	size_t size;
	unsigned char bytes[WAYHOME_ROOM]; // what belongs at start
};
// The frame ends at or below top. Only the extended state that the thread has in use is claimed:
// for more the kernel would quietly restore nothing but the legacy part. REFUSED when it does not
// fit.
struct dc_error *wayhome_build(const struct user_regs_struct *regs, const unsigned char *xstate,
			       size_t xstate_size, uint64_t mask, const struct gadgets *gadgets,
			       uint64_t top, struct wayhome *ret) DC_CHECK;

// The interrupted system call begins again with a time that counts from then, or ends with EINTR,
// when the thread goes home alone; the kernel would have gone on with what was left.
bool wayhome_is_timed_wait(const struct user_regs_struct *regs);

#endif
