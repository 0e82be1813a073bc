// SPDX-License-Identifier: MIT
// The threads of the process as the kernel lists them, and which of them the runtime does not know.
#ifndef RUNTIME_SCHED_TASKS_H
#define RUNTIME_SCHED_TASKS_H

#include "runtime/base/base.h"

// 0 when the list can be had. It is opened once and stays open.
gort__hidden int gort__tasks_open(void);

// How many threads it holds; -errno.
gort__hidden int gort__tasks_count(void);

// 1 when it holds a thread that the runtime does not know and that can run the program's code; its
// id goes to *tid. 0: there is none. -errno: nobody knows.
gort__hidden int gort__foreign_thread(int *tid);

struct task {
	char state; // as in /proc: R, S, D, …
	uint64_t blocked; // signals
};
// False when it cannot be had.
gort__hidden bool gort__task_look(int tid, struct task *task);

#endif
