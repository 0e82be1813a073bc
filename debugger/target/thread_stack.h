// SPDX-License-Identifier: MIT
// What a thread's libc noted of it: above all where its own stack begins and ends, as libc noted when it made the thread. A mapping
// does not tell: stacks without a guard merge with their neighbours, and a program may have given
// the memory itself. Stops nothing.
#ifndef DEBUGGER_TARGET_THREAD_STACK_H
#define DEBUGGER_TARGET_THREAD_STACK_H

#include "debugger/target/maps.h"

// Usable addresses: [low, high), and the control block whose note it is. 0, 0: not known.
struct thread_stack {
	uint64_t low, high;
	uint64_t thread_pointer;
};

// The thread's pointer to its control block, without a stop; 0: not to be had. musl tells none
// before the thread's first robust mutex.
uint64_t thread_stack_pointer(struct process *process, pid_t tid);
// libc's note in that control block. Not known: there is none, as for a process's first thread.
struct thread_stack thread_stack_read(struct process *process, const struct maps *maps,
				      uint64_t thread_pointer);
// The stack that sp lies on: the noted one, which is read when it is not yet of this control block,
// or the first thread's [stack] down to what its limit (RLIMIT_STACK) allows. Not known when sp
// lies elsewhere: on a coroutine's stack, a signal stack.
struct thread_stack thread_stack_at(struct process *process, const struct maps *maps,
				    const struct thread_stack *noted, uint64_t thread_pointer,
				    uint64_t sp, uint64_t stack_limit);

// The signal by which the thread's libc changes the ids of all threads, one by one, each waited for;
// the one before it cancels threads. 0: its libc is none that is known.
int thread_setid_signal(struct process *process, uint64_t thread_pointer);

#endif
