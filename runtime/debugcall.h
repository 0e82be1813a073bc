// SPDX-License-Identifier: MIT
// The host of debug calls: what its assembly and the rest of the runtime need to know.
#ifndef RUNTIME_DEBUGCALL_H
#define RUNTIME_DEBUGCALL_H

// struct debugcall, as the assembly reads it.
#define CALL_PID  0
#define CALL_TID  4
#define CALL_SIZE 8
#define CALL_MASK 16
#define CALL_FLAG 24

// What the entry pushes below the interrupted PC, in 8-byte words.
#define ENTRY_WORDS 18

#ifndef __ASSEMBLER__
#include "runtime/base/base.h"

struct g;
struct debugcall;

// What the entry left on the caller's stack, lowest first. The red zone follows above pc.
struct debugcall_entry {
	uint64_t refusal; // enum debugcall_refusal
	uint64_t size; // of the argument frame, as asked for
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
	uint64_t flags;
	uint64_t pc;
};

// ---- amd64/debugcall.S --------------------------------------------------------------------------

gort__hidden void gort__debugcall_entry(void);
// Says ready with the argument frame on this stack. False when nothing was called, else what the callee
// returned was said.
gort__hidden bool gort__debugcall_dispatch(struct debugcall *call);
// [RSP] and [RSP+8] are a and b at the handshake.
gort__hidden void gort__debugcall_say(struct debugcall *call, unsigned long status, const void *a,
				      unsigned long b);
// The first and the last PC behind a handshake.
extern gort__hidden const char gort__handshake_first[], gort__handshake_last[];
extern gort__hidden const uint64_t gort__handshake_mask;

// ---- debugcall.c --------------------------------------------------------------------------------

// Called by the entry, general registers only. Room for this thread's extended state, or NULL when the
// call is refused, which entry->refusal then says.
gort__hidden void *gort__debugcall_prepare(struct debugcall_entry *entry);
gort__hidden void gort__debugcall_refuse(struct debugcall_entry *entry);
gort__hidden void gort__debugcall(struct debugcall_entry *entry);
// How to save the extended state: 2 by xsavec, 1 by xsave.
extern gort__hidden uint32_t gort__debugcall_xsave;

// A goroutine with G_DEBUGCALL ends, in whatever way; inside the runtime.
_Noreturn gort__hidden void gort__debugcall_end(struct g *g);

#endif
#endif
