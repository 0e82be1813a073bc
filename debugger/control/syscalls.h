// SPDX-License-Identifier: MIT
// Threads that stand at system calls: whoever catches any has all threads run from one to the next.
#ifndef DEBUGGER_CONTROL_SYSCALLS_H
#define DEBUGGER_CONTROL_SYSCALLS_H

#include "debugger/control/control.h"

// From now on these, and forks when wanted, are what threads stand for. None: they run as usual.
void syscalls_catch(struct control *control, const struct syscall_set *set, bool forks);
// A thread's stop at one. False: it is nobody's, and the thread is to go on.
// The flags of clone(2) by which that system call makes a process or thread. False: it makes none.
bool syscalls_clone_flags(struct process *process, long nr, uint64_t first, uint64_t *ret);
bool syscalls_entered(struct thread *thread, const struct event *event, struct stop *ret);
bool syscalls_left(struct thread *thread, const struct event *event, struct stop *ret);

#endif
