// SPDX-License-Identifier: MIT
// Why the kernel would refuse an attach: the facts that its checks use, and the verdict on them.
// The verdict is pure, because most of its cases cannot be staged on one machine.
#ifndef DEBUGGER_TARGET_PERMISSION_H
#define DEBUGGER_TARGET_PERMISSION_H

#include "debugger/base/error.h"

struct permission_facts {
	pid_t pid;
	const char *name;
	bool opens; // the kernel grants ptrace rights: /proc/PID/mem opens for writing
	bool shadow_stack;
	bool frozen; // by its cgroup
	const char *translator; // the program that runs its code as it sees fit; NULL: a processor
	pid_t tracer; // 0: none, or none that is ours to know
	const char *tracer_name;
	uint32_t our_uid, our_gid;
	uint32_t uid[3], gid[3]; // the target's real, effective, saved
	const char *user; // the name of uid[0]; NULL when it has none
	bool have_ptrace; // CAP_SYS_PTRACE, effective
	bool more_capable; // the target may do what we may not
	bool same_user_namespace;
	bool is_dumpable;
	bool is_descendant; // of ours
	int yama; // kernel.yama.ptrace_scope, -1: no Yama
};
// A program file that translates another program's code: valgrind's tools, qemu's user emulation.
bool permission_is_translator(const char *path);
// REFUSED for a shadow stack, a frozen process or one that is translated, else ATTACH; cause and remedy in one line. NULL: nothing in the way.
struct dc_error *permission_judge(const struct permission_facts *facts) DC_CHECK;
// Process and thread ids as we see them are the kernel's own, which its BPF programs are told.
bool permission_is_first_pid_namespace(void);

#endif
