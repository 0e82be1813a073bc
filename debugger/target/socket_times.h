// SPDX-License-Identifier: MIT
// What a socket of the target is set to, asked of a copy of its descriptor.
#ifndef DEBUGGER_TARGET_SOCKET_TIMES_H
#define DEBUGGER_TARGET_SOCKET_TIMES_H

#include "debugger/target/process.h"

// A call that waits on it ends with EINTR for any stop, because it has a time limit (SO_RCVTIMEO,
// SO_SNDTIMEO). false also for what is no socket, or cannot be asked.
bool socket_times_out(const struct process *process, int fd);

#endif
