// SPDX-License-Identifier: MIT
// What this runtime tells debuggers about itself.
#ifndef RUNTIME_DESCRIPTOR_H
#define RUNTIME_DESCRIPTOR_H

#include "protocol/descriptor.h"

#include <signal.h>

// Takes a handshake as a signal handler takes a signal.
typedef void debugcall_client(int signo, siginfo_t *info, void *context);

extern __attribute__((visibility("default"))) struct debugcall_descriptor debugcall_descriptor;

#endif
