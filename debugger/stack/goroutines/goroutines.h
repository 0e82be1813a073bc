// SPDX-License-Identifier: MIT
// The goroutines and threads of a target's runtime as its memory shows them. Stops nothing: each
// structure is one copy, and neighbours may be from different moments.
#ifndef DEBUGGER_STACK_GOROUTINES_GOROUTINES_H
#define DEBUGGER_STACK_GOROUTINES_GOROUTINES_H

#include "debugger/target/process.h"
#include "protocol/descriptor.h"

#include <sys/user.h>

struct machine {
	uint64_t addr;
	uint64_t id;
	pid_t tid; // as the target sees it; 0: no thread
	uint64_t current; // the goroutine it runs, 0: none
	bool in_runtime;
};

struct goroutine {
	uint64_t addr;
	uint64_t id;
	uint32_t status; // index of the descriptor's statuses
	uint16_t wait_reason;
	bool is_system, waits;
	int64_t waited_ns; // -1: it does not wait, or nobody knows since when
	uint64_t m; // it runs on; stale while it does not
	uint64_t locked_m; // the only one that may run it, 0: any
	uint64_t stack_low, stack_high;
	uint64_t saved_sp; // while it does not run
	uint64_t saved_pc, saved_bp; // of Go's
	uint64_t creator_id, creator_pc;
	char label[64];
};

struct machines {
	struct machine *machine;
	size_t n;
};
// VALUE when the list is damaged: an address that cannot be read, or a circle.
struct dc_error *machines_read(struct process *process, const struct debugcall_descriptor *d,
			       struct machines *ret) DC_CHECK;
void machines_deinit(struct machines *machines);
// The one that has the thread, NULL: none.
const struct machine *machines_with(const struct machines *machines, pid_t tid);
// One of them anew.
struct dc_error *machine_read(struct process *process, const struct debugcall_descriptor *d,
			      uint64_t addr, struct machine *ret) DC_CHECK;

struct goroutines {
	struct goroutine *goroutine; // the newest first, without dead ones
	size_t n;
	// The runtime's own words, by index; "?" for what cannot be read.
	char (*statuses)[32], (*wait_reasons)[32];
	size_t nr_statuses, nr_wait_reasons;
};
struct dc_error *goroutines_read(struct process *process, const struct debugcall_descriptor *d,
				 struct goroutines *ret) DC_CHECK;
void goroutines_deinit(struct goroutines *goroutines);
struct dc_error *goroutine_read(struct process *process, const struct debugcall_descriptor *d,
				uint64_t addr, struct goroutine *ret) DC_CHECK;
// *addr 0: there is none of that id, or it has ended.
struct dc_error *goroutine_find(struct process *process, const struct debugcall_descriptor *d,
				uint64_t id, uint64_t *addr) DC_CHECK;
// The registers of one that does not run; false: they cannot be read.
bool goroutine_registers(struct process *process, const struct debugcall_descriptor *d,
			 const struct goroutine *g, struct user_regs_struct *ret);
// The runtime's word number i of an array of the descriptor's; "?" for what cannot be read.
void goroutine_word(struct process *process, uint64_t texts, uint64_t nr_texts, uint64_t i,
		    char *ret, size_t size);

#endif
