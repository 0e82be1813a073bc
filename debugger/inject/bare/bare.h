// SPDX-License-Identifier: MIT
// The bare host: one call by a held thread through the landing pad, and what can become of it.
#ifndef DEBUGGER_INJECT_BARE_BARE_H
#define DEBUGGER_INJECT_BARE_BARE_H

#include "debugger/arch/x86_64/cpu.h"
#include "debugger/inject/classify.h"
#include "debugger/inject/select/candidate.h"
#include "debugger/inject/bare/pad.h"
#include "debugger/stack/unwind.h"

struct bare {
	struct tracee *tracee;
	struct pad *pad;
	struct unwind *unwind; // NULL: reports carry no frames
	bool hold_signals; // false: the program's handlers run during the call
	uint64_t pass_faults; // faults that the program's handler sees first
	uint64_t fatal_start, fatal_end; // code whose faults are crashes all the same
	uint64_t caught; // signals the program handles
	int handshake; // signal; 0: system call stops alone
	pid_t inner_pid; // the target's id in its own namespace
	struct thread_stack room; // of the thread's own stack; low 0: callees run on the pad's
	enum cpu_vectors vectors;

	bool on_pad_stack; // where the last callee ran
	uint64_t callee_stack; // its first stack pointer
};

// What a call needs before the thread is pointed at it: room, sizes, way home, data.
struct dc_error *bare_prepare(struct bare *bare, uint64_t addr, const struct abi_entry *entry,
			      uint64_t *result_addr) DC_CHECK;
// One call as prepared. Errors carry the state: STOPPED or RUNNING when the thread is back in its
// caller context (and held still), otherwise it is not held any more.
struct dc_error *bare_call(struct bare *bare, const char *name, int64_t timeout_ns) DC_CHECK;
// The call that just returned, once more: the thread stands behind its handshake.
struct dc_error *bare_again(struct bare *bare, const char *name, int64_t timeout_ns) DC_CHECK;
// What the callee left.
struct dc_error *bare_results(struct bare *bare, const struct abi_entry *entry,
			      uint64_t result_addr, struct abi_exit *ret) DC_CHECK;

// Callees run on the thread's own stack: it is one, and 256 KB of it are free.
bool bare_has_own_stack(const struct bare *bare);

// The handshake signal for a thread: ignored by default, neither caught nor blocked nor pending.
int bare_choose_handshake(uint64_t caught, uint64_t blocked, uint64_t pending);

#endif
