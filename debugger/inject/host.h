// SPDX-License-Identifier: MIT
// A host: what runs injected calls inside a target. Those above iterate over the table of hosts and
// know none by name; another host is a folder of its own and a line in hosts.c.
#ifndef DEBUGGER_INJECT_HOST_H
#define DEBUGGER_INJECT_HOST_H

#include "debugger/arch/x86_64/abi.h"
#include "debugger/arch/x86_64/go_abi.h"
#include "debugger/inject/loan/loan.h"
#include "debugger/symbols/symbols.h"

// What a host is told of a target. It outlives the host's state.
struct host_context {
	struct symbols *symbols; // with unwind for reports only
	struct unwind *unwind; // NULL: reports carry no frames
	struct loan *loan; // for hosts whose calls are begun by a thread that is borrowed
};

// One call, or a batch of the same call. Whoever asks keeps it alive until it is finished; a host
// may have many under way.
struct request {
	uint64_t addr;
	const char *name; // of the callee, for messages
	const struct abi_entry *entry;
	int64_t timeout_ns; // of each call; 0: none
	uint64_t n; // calls; a batch
	int64_t slice_ns; // in which no call of a batch begins any more; 0: a single call
	int64_t *nanoseconds; // of each call; NULL: nobody asks
	struct abi_exit *exit; // of the last call; memory is malloc'd
	// Calls that differ in their arguments, on hosts that take many: of each what it is entered
	// with, registers alone, and what it leaves. NULL: entry and exit are for all.
	const struct abi_entry *entries;
	struct abi_exit *exits;
	// A call by Go's convention has these instead of entry and exit. NULL: it is System V's.
	const struct go_abi_entry *go;
	struct go_abi_exit *go_exit;

	// What the host answers.
	uint64_t done; // calls that returned
	bool is_over; // finish is next
	bool is_refused; // nothing ran: the error says why, at another moment or on another host it may
	bool is_cancelled; // cancel was called
	bool stands; // at a stop of whoever follows the thread; the next poll has it go on
};

enum { MANY_MAX = 64 };

struct host {
	enum dc_host id;
	const char *name; // as users say it: --host NAME
	const char *absence; // "has no …": why a target cannot be called by it
	// The target brings it along, and callees may enter the target's own runtime on it. On any
	// other host of the same target only callees that stay away from the runtime run unasked.
	bool is_targets_own;
	// A thread of the program's stays stopped from one call to the next, as registers that are
	// assigned, frames, and threads that all stand still need it.
	bool keeps_thread;
	bool is_untraced; // its steps trace nobody: any thread of ours may take them
	bool takes_many; // requests with entries, MANY_MAX at the most
	bool has_goroutines; // of which one may be the caller
	bool takes_go; // requests with go, and no others

	// For a pre-flight: is it in this target? Reads, and makes nothing.
	bool (*is_there)(struct process *process, const struct maps *maps);
	// Likewise: what of the program bars all calls by it that are not forced; NULL: nothing, here or
	// in any.
	struct dc_error *(*obstacle)(struct process *process);
	// Is it in this target? *ret NULL: no; else the host's state for the target. Stops nothing.
	// An error: it is there, and cannot be used.
	struct dc_error *(*probe)(const struct host_context *context, void **ret);
	void (*destroy)(void *host); // NULL is fine

	// Can a call begin now? NULL is yes, and what is needed for that is taken (a thread); else
	// REFUSED with the reason. Looks for it no longer than wait_ns.
	struct dc_error *(*can)(void *host, int64_t wait_ns);
	// On the tracer thread. After an error of begin or poll the request is over without a
	// finish; the error's state says where the thread is.
	struct dc_error *(*begin)(void *host, struct request *request);
	// Attends to the request until it is over, until the time is until (0: no such time), or
	// until the tracer is cancelled, and says which by is_over. Keeps the deadline of each call.
	struct dc_error *(*poll)(void *host, struct request *request, int64_t until);
	// The callee is to be undone; polls see to that.
	void (*cancel)(void *host, struct request *request);
	// The last call's results; or, as an error, what became of it.
	struct dc_error *(*finish)(void *host, struct request *request);
	// Bytes put into the target where they stay (a program may keep pointers to them).
	struct dc_error *(*literal)(void *host, const void *bytes, size_t n, uint64_t *addr);
	// Writable room that is the borrowing's, and goes with it. Each piece of it is used once; clear
	// makes all of it free again. NULL: it has none.
	struct dc_error *(*room)(void *host, uint64_t size, uint64_t align, uint64_t *addr);
	void (*clear_room)(void *host);
};

// All of them, the preferred first.
extern const struct host *const hosts[];
extern const size_t nr_hosts;
// NULL: DC_HOST_AUTO.
const struct host *host_by_id(enum dc_host id);
// The one that keeps a thread.
const struct host *host_that_keeps(void);

#endif
