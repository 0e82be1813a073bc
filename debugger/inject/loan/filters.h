// SPDX-License-Identifier: MIT
// Do a thread's seccomp filters let the landing pad make its system calls?
#ifndef DEBUGGER_INJECT_LOAN_FILTERS_H
#define DEBUGGER_INJECT_LOAN_FILTERS_H

#include "debugger/target/process.h"

// The thread is stopped. REFUSED, naming the system call. What the pad can do without:
// *may_name, its mappings have names; *may_loop, it makes many calls by itself.
struct dc_error *filters_allow_pad(pid_t tid, const struct thread_info *info, int handshake,
				   bool *may_name, bool *may_loop) DC_CHECK;

#endif
