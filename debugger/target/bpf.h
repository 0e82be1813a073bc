// SPDX-License-Identifier: MIT
// What the kernel tells by a small program of ours that it runs: of every thread of a process, its
// registers, while none is stopped.
#ifndef DEBUGGER_TARGET_BPF_H
#define DEBUGGER_TARGET_BPF_H

#include "debugger/target/process.h"

#include <sys/user.h>

// Of a thread that does not run on a CPU these are the registers it will go on with.
struct bpf_thread {
	pid_t tid;
	char name[16];
	bool is_on_cpu;
	bool is_asleep; // not waiting for a CPU either
	bool has_ended;
	// Equal in two reads, and not on a CPU in either: the thread has not run in between.
	struct bpf_marks {
		uint64_t voluntary, forced; // switches away
		uint64_t arrivals; // on a CPU
		uint64_t runtime;
		uint64_t execs;
	} marks;
	struct user_regs_struct regs;
};

struct bpf_threads;
// REFUSED, with the reason, where the kernel has no such iterator or keeps it from us; another
// way must be taken then. Whether the target may be looked at at all is not asked here.
struct dc_error *bpf_threads_create(const struct process *process,
				    struct bpf_threads **ret) DC_CHECK;
void bpf_threads_destroy(struct bpf_threads *threads); // NULL is fine
// All threads, each as it was at one moment of the read; malloc'd.
struct dc_error *bpf_threads_read(struct bpf_threads *threads, struct bpf_thread **ret,
				  size_t *n) DC_CHECK;

#endif
