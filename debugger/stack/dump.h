// SPDX-License-Identifier: MIT
// The stacks of all threads of a process, each as it was at one instant. Threads are looked at while
// they run on; one is stopped only where that was asked for.
#ifndef DEBUGGER_STACK_DUMP_H
#define DEBUGGER_STACK_DUMP_H

#include "debugger/stack/unwind.h"
#include "debugger/target/bpf.h"
#include "debugger/target/tracer.h"

enum dump_way { DUMP_NONE, DUMP_BPF, DUMP_PROC, DUMP_SAMPLE, DUMP_STOP, NR_DUMP_WAYS };

struct dump_frame {
	uint64_t pc;
	uint64_t looked_up; // what tells its function: in the call, not behind it
	bool is_signal_frame, is_guess;
};

struct dump_thread {
	pid_t tid;
	char name[16]; // "": not read
	enum dump_way way; // NONE: there are no frames
	bool has_ended, is_waiting;
	long syscall; // it waits in; negative: none
	uint64_t args[6];
	bool complete;
	const char *why; // it is not complete, or there is nothing
	struct dump_frame *frames; // the innermost first
	size_t n;
};

struct dump {
	struct dump_thread *threads; // by id
	size_t n;
	size_t nr_stopped;
};

struct dump_options {
	struct bpf_threads *bpf; // NULL: not to be had
	pid_t thread; // only this one; 0: all
	// NULL: none may be stopped. Else those whose stack needs it, and whose wait does not end by
	// it; or whatever they do.
	struct tracer *tracer;
	bool stop_any;
};
struct dc_error *dump_take(struct process *process, struct unwind *unwind,
			   const struct dump_options *options, struct dump *ret) DC_CHECK;
void dump_deinit(struct dump *dump);
// What a walk has found, as the thread's.
struct dc_error *dump_keep_frames(struct dump_thread *thread, const struct unwound *frames,
				  size_t n) DC_CHECK;

#endif
