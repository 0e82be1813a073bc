// SPDX-License-Identifier: MIT
// Every system call of the pad, with its arguments, put to the filters before it is made: a filter
// may end the whole process for one.
#include "debugger/inject/loan/filters.h"

#include "agent/pad/layout.h"
#include "debugger/base/cleanup.h"
#include "debugger/target/seccomp.h"
#include "debugger/target/signals.h"

#include <linux/audit.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

static const struct {
	int nr;
	const char *name;
	uint64_t args[6];
} calls[] = {
	{ SYS_mmap,
	  "mmap",
	  { 0, PAD_SIZE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
	    (uint64_t)-1 } },
	{ SYS_mprotect, "mprotect", { 0x10000, PAD_SIZE, PROT_READ | PROT_WRITE } },
	{ SYS_munmap, "munmap", { 0x10000, PAD_SIZE } },
	{ SYS_rt_sigprocmask, "rt_sigprocmask", { 2, 0x10000, 0, 8 } },
	{ SYS_rt_sigreturn, "rt_sigreturn", { 0 } },
	{ SYS_getpid, "getpid", { 0 } },
	{ SYS_gettid, "gettid", { 0 } },
	{ SYS_exit_group, "exit_group", { 0 } },
	{ SYS_tgkill, "tgkill", { 0 } },
	// Only after a fault that the program ignores.
	{ SYS_rt_sigaction, "rt_sigaction", { SIGSEGV, 0x10000, 0x10000, 8 } },
};

static bool allows(const struct seccomp *seccomp, int nr, const uint64_t args[6])
{
	struct seccomp_data data = { .nr = nr, .arch = AUDIT_ARCH_X86_64 };

	for (int i = 0; i < 6; i++)
		data.args[i] = args[i];

	uint32_t action = seccomp_decide(seccomp, &data) & SECCOMP_RET_ACTION_FULL;

	return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
}

struct dc_error *filters_allow_pad(pid_t tid, const struct thread_info *info, int handshake,
				   bool *may_name, bool *may_loop)
{
	_cleanup_(seccomp_deinit) struct seccomp seccomp = { 0 };
	struct dc_error *err = seccomp_fetch(tid, &seccomp);

	if (err)
		return error_note(err, "--assume-seccomp-ok calls without having seen them");
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		uint64_t args[6];

		for (int j = 0; j < 6; j++)
			args[j] = calls[i].args[j];
		if (calls[i].nr == SYS_tgkill) {
			args[0] = (uint64_t)info->inner_pid;
			args[1] = (uint64_t)info->inner_tid;
			args[2] = (uint64_t)handshake;
		}
		if (calls[i].nr == SYS_rt_sigaction)
			args[0] = (uint64_t)signal_fault_among(info->sig_ignored);
		if (calls[i].nr == SYS_rt_sigaction && !args[0])
			continue;
		if (!allows(&seccomp, calls[i].nr, args))
			return error_make(
				DC_REFUSED,
				"the seccomp filter of thread %d forbids %s, which a call needs",
				tid, calls[i].name);
	}
	*may_name = allows(&seccomp, SYS_prctl, (const uint64_t[6]){ PR_SET_VMA });
	*may_loop = allows(&seccomp, SYS_prctl, (const uint64_t[6]){ PR_GET_TSC }) &&
		    allows(&seccomp, SYS_madvise,
			   (const uint64_t[6]){ 0x10000, PAD_DATA_SIZE, MADV_WIPEONFORK });
	return NULL;
}
