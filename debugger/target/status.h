// SPDX-License-Identifier: MIT
// The text of /proc/TID/stat, status and syscall as fields. Pure: any text is accepted or refused,
// whatever a program put into its name.
#ifndef DEBUGGER_TARGET_STATUS_H
#define DEBUGGER_TARGET_STATUS_H

#include "debugger/debugcall.h"

struct status_stat {
	char name[16];
	char state;
	pid_t parent;
	bool is_kernel_thread;
	uint64_t start_time; // clock ticks since boot
	uint64_t start_stack; // where the first thread's frames end; 0: not for our eyes
	int last_cpu;
};
bool status_parse_stat(const char *text, struct status_stat *ret) DC_CHECK;

// Fields that the kernel does not print stay zero.
struct status {
	pid_t tgid, tracer;
	pid_t inner_pid, inner_tid; // the innermost PID namespace's
	uint32_t uid[4], gid[4]; // real, effective, saved, file system
	uint64_t sig_pending, shared_pending, sig_blocked, sig_ignored, sig_caught;
	uint64_t cap_permitted, cap_effective;
	uint64_t locked_bytes;
	int seccomp;
	bool shadow_stack;
};
bool status_parse(const char *text, struct status *ret) DC_CHECK;

struct status_syscall {
	bool is_running; // nothing below is known
	long nr; // -1: blocked outside of a system call (a page fault); args are zero
	uint64_t args[6];
	uint64_t sp, pc;
};
bool status_parse_syscall(const char *text, struct status_syscall *ret) DC_CHECK;

#endif
