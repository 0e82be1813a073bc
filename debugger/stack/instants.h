// SPDX-License-Identifier: MIT
// Threads that are not stopped, at one instant each: what was read between two looks at a thread
// belongs together if the thread has not run in between.
#ifndef DEBUGGER_STACK_INSTANTS_H
#define DEBUGGER_STACK_INSTANTS_H

#include "debugger/stack/unwind.h"
#include "debugger/target/bpf.h"

enum instant_state {
	INSTANT_STANDS, // off the CPUs, and nothing has told yet that it ran
	INSTANT_RUNS, // on a CPU
	INSTANT_MOVED, // it has run since
	INSTANT_ENDED,
};

struct instant {
	pid_t tid;
	char name[16]; // "": not read
	enum instant_state state;
	bool is_waiting; // not merely for a CPU
	struct user_regs_struct regs;
	uint32_t unknown; // as struct snapshot has it
	struct bpf_marks marks; // by /proc: arrivals, runtime
	// By /proc only: a system call's arguments, which are among the registers otherwise.
	uint64_t args[6];
};

// The registers as they are now, by BPF of all threads, else (NULL) by /proc of those named.
struct instants {
	struct instant *instant;
	size_t n;
};
struct dc_error *instants_begin(struct process *process, struct bpf_threads *bpf, const pid_t *tids,
				size_t n, struct instants *ret) DC_CHECK;
// Those that have run since then say so.
struct dc_error *instants_check(struct process *process, struct bpf_threads *bpf,
				struct instants *instants) DC_CHECK;
void instants_deinit(struct instants *instants);
struct instant *instants_find(const struct instants *instants, pid_t tid); // NULL: not there

#endif
