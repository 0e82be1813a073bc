// SPDX-License-Identifier: MIT
// Registers, extended state and signal mask of a stopped thread, by ptrace.
#include "debugger/target/registers.h"

#include "debugger/arch/x86_64/cpu.h"

#include <elf.h>
#include <errno.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#ifndef NT_X86_SHSTK
#define NT_X86_SHSTK 0x204
#endif

static struct dc_error *failed(pid_t tid, const char *what)
{
	return error_errno(errno, "thread %d: %s", tid, what);
}

struct dc_error *registers_get(pid_t tid, struct user_regs_struct *ret)
{
	return ptrace(PTRACE_GETREGS, tid, NULL, ret) ? failed(tid, "reading registers") : NULL;
}

struct dc_error *registers_set(pid_t tid, const struct user_regs_struct *regs)
{
	return ptrace(PTRACE_SETREGS, tid, NULL, regs) ? failed(tid, "writing registers") : NULL;
}

struct dc_error *registers_poke(pid_t tid, size_t offset, uint64_t value)
{
	return ptrace(PTRACE_POKEUSER, tid, offset, value) ? failed(tid, "writing a register")
							   : NULL;
}

struct dc_error *registers_get_xstate(pid_t tid, unsigned char *buf, size_t *size)
{
	struct iovec iov = { buf, XSTATE_ROOM };

	if (ptrace(PTRACE_GETREGSET, tid, NT_X86_XSTATE, &iov))
		return failed(tid, "reading the extended state");
	if (iov.iov_len < XSTATE_EXTENDED || iov.iov_len >= XSTATE_ROOM)
		return error_make(DC_REFUSED,
				  "thread %d: an extended state of %zu bytes is unknown", tid,
				  iov.iov_len);
	*size = iov.iov_len;
	return NULL;
}

struct dc_error *registers_set_xstate(pid_t tid, const unsigned char *buf, size_t size)
{
	struct iovec iov = { (void *)(uintptr_t)buf, size };

	return ptrace(PTRACE_SETREGSET, tid, NT_X86_XSTATE, &iov)
		       ? failed(tid, "writing the extended state")
		       : NULL;
}

struct dc_error *registers_get_mask(pid_t tid, uint64_t *mask)
{
	return ptrace(PTRACE_GETSIGMASK, tid, sizeof(*mask), mask)
		       ? failed(tid, "reading the signal mask")
		       : NULL;
}

struct dc_error *registers_set_mask(pid_t tid, uint64_t mask)
{
	return ptrace(PTRACE_SETSIGMASK, tid, sizeof(mask), &mask)
		       ? failed(tid, "writing the signal mask")
		       : NULL;
}

bool registers_has_shadow_stack(pid_t tid)
{
	uint64_t pointer;
	struct iovec iov = { &pointer, sizeof(pointer) };

	// Kernels without it, and threads that have it off, answer with an error.
	return cpu_features()->has_shadow_stacks &&
	       ptrace(PTRACE_GETREGSET, tid, NT_X86_SHSTK, &iov) == 0;
}

bool registers_has_dispatch(pid_t tid)
{
	// linux/ptrace.h: struct ptrace_sud_config
	enum { GET_DISPATCH = 0x4211, DISPATCH_ON = 1 };
	struct {
		uint64_t mode, selector, offset, len;
	} config;

	return ptrace((enum __ptrace_request)GET_DISPATCH, tid, sizeof(config), &config) == 0 &&
	       config.mode == DISPATCH_ON;
}

uint64_t registers_rseq_area(pid_t tid)
{
	struct __ptrace_rseq_configuration config;

	if (ptrace(PTRACE_GET_RSEQ_CONFIGURATION, tid, sizeof(config), &config) <= 0)
		return 0;
	return config.rseq_abi_pointer;
}
