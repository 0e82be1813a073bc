// SPDX-License-Identifier: MIT
// The host of debug calls: what its assembly and the rest of the runtime need to know.
#ifndef RUNTIME_HOST_HOST_H
#define RUNTIME_HOST_HOST_H

#include "protocol/conversation.h"
#include "protocol/descriptor.h"
#include "runtime/gort.h"
#include "runtime/host/sigint.h"

struct g;
struct m;

// Whoever says a status: the caller's side of a call, and the callee's.
struct speaker {
	int32_t pid, tid;
	uint64_t size; // of the argument frame
	uint64_t mask; // the thread's own signal mask
	uint32_t *flag; // status + 1 while it is being said, UNHEARD once it came back
	uint32_t abandoned; // the callee: its caller went on without it
};

// On the callee's own stack, for as long as it runs.
struct callee {
	struct speaker speaker;
	struct debugcall *call; // not once it is abandoned
};

// One call, on the caller's stack; nested calls of one thread are linked.
struct debugcall {
	struct speaker speaker;
	struct debugcall *outer;
	struct host_conversation host;
	enum host_action next; // what the machine answered last
	enum debugcall_refusal refusal;
	struct m *m;
	struct g *caller; // NULL: the thread was idle
	struct g *goroutine; // the callee's
	struct callee *callee;
	void *pc;
	uint32_t locks; // gort_lock_os_thread nesting of the caller
	uint32_t quiet; // all but the handshake is blocked, or the callee runs
	int panicked;
	struct gort_panic panic;
	struct gort__sigints kept;
};

enum { DEBUGCALL_UNHEARD = 0x80000000u };

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
gort__hidden void gort__debugcall_abandon_entry(void);
// Says ready with the argument frame on this stack, and then what the callee returned.
enum dispatched { DISPATCH_DECLINED, DISPATCH_RETURNED, DISPATCH_ABANDONED };
gort__hidden enum dispatched gort__debugcall_dispatch(struct speaker *speaker);
// [RSP] and [RSP+8] are a and b at the handshake.
gort__hidden void gort__debugcall_say(struct speaker *speaker, unsigned long status, const void *a,
				      unsigned long b);
// The PCs behind the handshakes, lowest first.
extern gort__hidden const char gort__handshake_first[], gort__handshake_returned[],
	gort__handshake_last[];
// Sleeps while the word has the value, at most for the time; a debugger finds the thread at
// gort__attend_pc.
gort__hidden void gort__attend_wait(const uint32_t *word, uint32_t value,
				    const struct timespec *time);
extern gort__hidden const char gort__attend_pc[];

// ---- host.c -------------------------------------------------------------------------------------

// Called by the entry, general registers only. Room for this thread's extended state, or NULL when
// the call is refused, which entry->refusal then says.
gort__hidden void *gort__debugcall_prepare(struct debugcall_entry *entry);
gort__hidden void gort__debugcall_refuse(struct debugcall_entry *entry);
gort__hidden void gort__debugcall(struct debugcall_entry *entry);
// On the system stack of a thread that sleeps until its parked callee goes on: the caller goes home
// instead, and the callee becomes a goroutine like any other. Comes back when that cannot be, and
// when the caller has yet to wake.
gort__hidden void gort__debugcall_abandon(void);
// How to save the extended state: 2 by xsavec, 1 by xsave.
extern gort__hidden uint32_t gort__debugcall_xsave;

// Blocks all but the handshake, whose disposition is then ours. For the assembly: it leaves vector
// registers alone.
gort__hidden void gort__debugcall_hush(void);

// ---- descriptor.c -------------------------------------------------------------------------------

// What debugcall_descriptor.client takes: a handshake, as a signal handler takes a signal.
typedef void debugcall_client(int signo, siginfo_t *info, void *context);

extern __attribute__((visibility("default"))) struct debugcall_descriptor debugcall_descriptor;

#endif
