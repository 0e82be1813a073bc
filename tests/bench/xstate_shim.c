// SPDX-License-Identifier: MIT
// Preload for gdb 13, whose XSTATE buffer is a constant that is too short on processors with AMX,
// so that every call of its fails: writes the whole area, changed only where gdb has bytes for it.
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>

#ifndef NT_X86_XSTATE
#define NT_X86_XSTATE 0x202
#endif

long ptrace(enum __ptrace_request request, ...)
{
	static long (*real)(int, ...);
	static unsigned char whole[65536];
	va_list args;

	va_start(args, request);
	pid_t pid = va_arg(args, pid_t);
	void *addr = va_arg(args, void *);
	struct iovec *data = va_arg(args, void *);
	va_end(args);
	if (!real)
		real = (long (*)(int, ...))dlsym(RTLD_NEXT, "ptrace");
	if ((int)request == PTRACE_SETREGSET && (long)addr == NT_X86_XSTATE) {
		struct iovec area = { whole, sizeof(whole) };

		if (real(PTRACE_GETREGSET, pid, addr, &area))
			return -1;
		memcpy(whole, data->iov_base,
		       data->iov_len < area.iov_len ? data->iov_len : area.iov_len);
		return real(PTRACE_SETREGSET, pid, addr, &area);
	}
	return real((int)request, pid, addr, data);
}
