// SPDX-License-Identifier: MIT
// Processes that a process under control makes: born followed, and left for whoever is told of them
// to take, asleep before their first instruction. On the tracer thread.
#ifndef DEBUGGER_CONTROL_CHILDREN_H
#define DEBUGGER_CONTROL_CHILDREN_H

#include "debugger/control/control.h"

// From now on; the threads that run are stopped for it.
void children_follow(struct control *control, enum children_wanted wanted);
// PTRACE_O_… by which they are born so.
unsigned long children_options(const struct control *control);
// One that shares no threads with the process stands in its first stop, and is in no table.
void children_born(struct control *control, pid_t pid);
// It was, and whoever wanted it has been told.
bool children_was_born(const struct control *control, pid_t pid);
// What happens to one that is still followed.
void children_attend(struct tracee *tracee, const struct event *event);
// They are let go of with the tracer thread. True: there were some.
bool children_forget(struct control *control);

#endif
