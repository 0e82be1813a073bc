// SPDX-License-Identifier: MIT
// Borrowing one thread of a target, calling on it, giving it back as it was.
// Functions here run their work on the tracer thread; call them from any one thread at a time.
#ifndef DEBUGGER_INJECT_INJECTION_H
#define DEBUGGER_INJECT_INJECTION_H

#include "debugger/inject/classify.h"
#include "debugger/inject/host.h"

struct injection;
// Everything slow (gadgets, tables, thread states, seccomp filters) happens before the first stop.
// REFUSED with the reasons when no thread comes to a safe point within wait_ns; the target runs on.
struct dc_error *injection_begin(struct tracer *tracer, struct process *process,
				 struct symbols *symbols, struct safepoints *safepoints,
				 struct unwind *unwind, const struct borrow_options *options,
				 struct injection **ret) DC_CHECK;
// The same of a thread that stands, followed by others, only to look at it and set its registers.
// *ret NULL: it does not stand.
struct dc_error *injection_look(struct tracer *tracer, struct process *process, pid_t tid,
				struct injection **ret) DC_CHECK;
pid_t injection_tid(const struct injection *injection);
// Calls are made by a host that traces nobody, and no thread is held.
bool injection_is_untraced(const struct injection *injection);
// The name of the host that ran the last call.
const char *injection_host(const struct injection *injection);
// The thread is held: a call that the target's own host ran gave it back. It may then be another
// one.
struct dc_error *injection_renew(struct injection *injection) DC_CHECK;
// The caller context, as it will be given back. Writes change what is given back.
struct user_regs_struct *injection_regs(struct injection *injection);
unsigned char *injection_xstate(struct injection *injection, size_t *size); // NT_X86_XSTATE layout
// The target's memory was written, not by a callee: an errno that was is the thread's own from now on.
void injection_note_written(struct injection *injection, uint64_t addr, size_t n);
// A copy of the borrowed thread's registers and stack for unwinding.
struct dc_error *injection_snapshot(struct injection *injection, struct snapshot *ret) DC_CHECK;

// One call. CRASHED, THREAD_ENDED, LEFT, DEADLINE, TARGET_ENDED, TARGET_EXECED, CANCELLED say what
// became of it; frames are the callee's. result is where a memory result was put (abi exit->memory
// is malloc'd into it). After an error whose state is IN_CALLEE, AS_LEFT or ENDED nothing more can
// be called on this borrowing. is_last: once it has returned the thread goes home at once.
struct dc_error *injection_call(struct injection *injection, uint64_t addr, const char *name,
				const struct abi_entry *entry, int64_t timeout_ns, bool is_last,
				struct abi_exit *ret) DC_CHECK;
// The same by Go's calling convention. ret->stack is malloc'd.
struct dc_error *injection_call_go(struct injection *injection, uint64_t addr, const char *name,
				   const struct go_abi_entry *entry, int64_t timeout_ns,
				   struct go_abi_exit *ret) DC_CHECK;
// n calls with the same arguments in slices of at most 10 ms, the thread given back between them.
// nanoseconds[n] takes each call's time.
struct dc_error *injection_repeat(struct injection *injection, uint64_t addr, const char *name,
				  const struct abi_entry *entry, int64_t timeout_ns, uint64_t n,
				  int64_t *nanoseconds, struct abi_exit *ret) DC_CHECK;
struct dc_error *injection_repeat_go(struct injection *injection, uint64_t addr, const char *name,
				     const struct go_abi_entry *entry, int64_t timeout_ns,
				     uint64_t n, int64_t *nanoseconds,
				     struct go_abi_exit *ret) DC_CHECK;
// n calls of one function, at most MANY_MAX, each with arguments of its own, in registers alone. *done:
// how many have returned; of these nanoseconds and ret are filled in, also after an error.
struct dc_error *injection_many(struct injection *injection, uint64_t addr, const char *name,
				const struct abi_entry *entries, size_t n, int64_t timeout_ns,
				int64_t *nanoseconds, struct abi_exit *ret, size_t *done) DC_CHECK;
// Bytes placed in the target where they stay after the call (a program may keep pointers to them).
struct dc_error *injection_literal(struct injection *injection, const void *bytes, size_t n,
				   uint64_t *addr) DC_CHECK;
// Writable memory that goes with the borrowing, or is free again when it is cleared.
struct dc_error *injection_room(struct injection *injection, uint64_t size, uint64_t align,
				uint64_t *addr) DC_CHECK;
void injection_clear_room(struct injection *injection);
// Gives the thread back, exactly restored, and frees injection, also on error; NULL is fine.
struct dc_error *injection_release(struct injection *injection, struct dc_departure *ret) DC_CHECK;

#endif
