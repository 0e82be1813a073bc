// SPDX-License-Identifier: MIT
// A thread's seccomp filters: fetched, and asked about system calls before they are made.
#ifndef DEBUGGER_TARGET_SECCOMP_H
#define DEBUGGER_TARGET_SECCOMP_H

#include "debugger/base/error.h"

#include <linux/filter.h>
#include <linux/seccomp.h>

struct seccomp_program {
	struct sock_filter *code;
	size_t n;
};
struct seccomp {
	struct seccomp_program *programs;
	size_t n;
};
// On the tracer thread, with the thread stopped. REFUSED when the kernel does not show them to us
// (CAP_SYS_ADMIN is missing, or we are filtered ourselves).
struct dc_error *seccomp_fetch(pid_t tid, struct seccomp *ret) DC_CHECK;
void seccomp_deinit(struct seccomp *seccomp);

// SECCOMP_RET_… of the strictest filter, its data included.
uint32_t seccomp_decide(const struct seccomp *seccomp, const struct seccomp_data *data);
// One program, as the kernel runs it: SECCOMP_RET_KILL_PROCESS for what the kernel never accepts.
uint32_t seccomp_run(const struct sock_filter *code, size_t n, const struct seccomp_data *data);

#endif
