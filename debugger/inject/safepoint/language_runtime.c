// SPDX-License-Identifier: MIT
// Interpreters hold their heap and their frames half-changed between two points that only they
// know; a collector that is called there finds pointers that lead nowhere.
#include "debugger/inject/safepoint/language_runtime.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

bool language_runtime_is_module(const struct module *module)
{
	static const char *const names[] = { "libruby",	   "ruby",     "libpython", "python",
					     "libjvm",	   "libnode",  "node",	    "libv8",
					     "libperl",	   "perl",     "libphp",    "php",
					     "liblua",	   "lua",      "luajit",    "libmono",
					     "libcoreclr", "libmozjs", "libguile" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t n = strlen(names[i]);

		// "python3.11" and "libruby-3.1.so.3.1", but not "node_exporter".
		if (!strncmp(module->name, names[i], n) &&
		    (!module->name[n] || strchr("0123456789.-", module->name[n])))
			return true;
	}
	return false;
}

bool language_runtime_waits(const struct user_regs_struct *regs)
{
	// include/linux/errno.h: what an interrupted call returns, and programs never see
	enum { ERESTARTSYS = 512, ERESTARTNOHAND = 514, ERESTART_RESTARTBLOCK = 516 };

	switch ((int64_t)regs->rax) {
	case -ERESTARTSYS:
	case -ERESTARTNOHAND:
	case -ERESTART_RESTARTBLOCK:
	case -EINTR: break;
	default: return false;
	}
	switch ((int64_t)regs->orig_rax) {
	case SYS_read:
	case SYS_readv:
	case SYS_pread64:
	case SYS_write:
	case SYS_writev:
	case SYS_poll:
	case SYS_ppoll:
	case SYS_select:
	case SYS_pselect6:
	case SYS_epoll_wait:
	case SYS_epoll_pwait:
	case SYS_epoll_pwait2:
	case SYS_nanosleep:
	case SYS_clock_nanosleep:
	case SYS_restart_syscall:
	case SYS_futex:
	case SYS_pause:
	case SYS_accept:
	case SYS_accept4:
	case SYS_connect:
	case SYS_recvfrom:
	case SYS_recvmsg:
	case SYS_sendto:
	case SYS_sendmsg:
	case SYS_wait4:
	case SYS_waitid:
	case SYS_flock:
	case SYS_rt_sigsuspend:
	case SYS_rt_sigtimedwait:
	case SYS_io_uring_enter: return true;
	default: return false;
	}
}

static bool is_code_of(const struct module *module, const struct maps *maps, uint64_t addr)
{
	const struct mapping *mapping = addr - module->start < module->end - module->start
						? maps_find(maps, addr)
						: NULL;

	return mapping && mapping->executable;
}

bool language_runtime_is_inside(const struct module *module, const struct maps *maps,
				const struct snapshot *snapshot)
{
	uint64_t skipped = snapshot->regs.rsp > snapshot->stack_start
				   ? snapshot->regs.rsp - snapshot->stack_start
				   : 0;
	uint64_t word;

	if (is_code_of(module, maps, snapshot->regs.rip))
		return true;
	for (size_t at = (skipped + 7) & ~UINT64_C(7); at + sizeof(word) <= snapshot->stack_size;
	     at += sizeof(word)) {
		memcpy(&word, snapshot->stack + at, sizeof(word));
		if (is_code_of(module, maps, word))
			return true;
	}
	return false;
}
