// SPDX-License-Identifier: MIT
// The words of a debug call that the target's runtime and the debugger share: registers, statuses,
// reasons of refusal. README.md draws the conversation. Read by the assembler too.
#ifndef PROTOCOL_DEBUGCALL_H
#define PROTOCOL_DEBUGCALL_H

// Where the debugger points a stopped thread: below the red zone (psABI 3.2.2) it pushes the
// interrupted PC, writes the size of the frame it wants below that, and sets RIP to the entry.
//
//	user RSP - 128 - 8    interrupted RIP             <- RSP at entry
//	           - 16       bytes of argument frame
#define DEBUGCALL_RED_ZONE  128
#define DEBUGCALL_SIZE_SLOT (-16) /* from RSP at entry */

// The argument frame: [RSP, RSP + size) at READY, on the new goroutine's stack, 64-aligned. The
// debugger puts stack arguments at its start and a result in memory wherever it likes in it. Sizes
// are rounded up to a power of two.
#define DEBUGCALL_FRAME_MIN   32
#define DEBUGCALL_FRAME_MAX   65536
#define DEBUGCALL_FRAME_ALIGN 64

// Free stack that the caller's goroutine needs below the interrupted RSP. Its extended state is
// kept elsewhere.
#define DEBUGCALL_STACK_ROOM 2048

// What R12 says at a handshake, the signal (SIGINT) that the host's thread sends to itself. The
// same numbers as in Go.
#define DEBUGCALL_STATUSES(X)                                                          \
	X(READY, 0, "ready") /* write arguments, push RIP, go to the callee */         \
	X(RETURNED, 1, "returned") /* results are in the registers and the frame */    \
	X(PANICKED, 2,                                                                 \
	  "panicked") /* [RSP] is a struct gort_panic *, NULL: the goroutine exited */ \
	X(REFUSED, 8, "refused") /* [RSP] is the reason's text, [RSP+8] its length */  \
	X(RESTORED, 16, "restored") /* resume, and the caller goes on as if nothing had happened */

#define DEBUGCALL_STATUS_READY	  0
#define DEBUGCALL_STATUS_RETURNED 1

// What RAX is made when the thread goes on behind a handshake that was heard, and takes another
// SIGINT with it. Right behind its tgkill RAX is 0.
#define DEBUGCALL_HEARD 1

// Reasons, in the order in which they are checked.
#define DEBUGCALL_REFUSALS(X)                             \
	X(RUNTIME_STACK, "executing on runtime stack")    \
	X(FREEZING, "the process is ending")              \
	X(FORKED, "child of a fork")                      \
	X(UNKNOWN_FUNCTION, "call from unknown function") \
	X(WITHIN_RUNTIME, "call from within the runtime") \
	X(NOT_SAFE, "call not at safe point")             \
	X(STACK_SPACE, "not enough stack space")          \
	X(FRAME_TOO_LARGE, "call frame too large")        \
	X(NOT_IDLE, "the thread is not idle any more")    \
	X(TOO_DEEP, "too many calls inside calls")        \
	X(NO_MEMORY, "out of memory")

#ifndef __ASSEMBLER__

enum debugcall_status {
#define X(name, value, text) DEBUGCALL_##name = value,
	DEBUGCALL_STATUSES(X)
#undef X
};

enum debugcall_refusal {
	DEBUGCALL_ACCEPTED,
#define X(name, text) DEBUGCALL_##name,
	DEBUGCALL_REFUSALS(X)
#undef X
		DEBUGCALL_REFUSALS_END
};

// "ready"; NULL when it is none of the statuses.
const char *debugcall_status_text(unsigned long status);
// The exact text that the host says; NULL when there is no such reason.
const char *debugcall_refusal_text(enum debugcall_refusal refusal);

#endif
#endif
