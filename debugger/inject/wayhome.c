// SPDX-License-Identifier: MIT
// The kernel's rt_sigframe, as rt_sigreturn reads it: a ucontext, then the extended state.
#include "debugger/inject/wayhome.h"

#include "debugger/target/registers.h"

#include <asm/sigcontext.h>
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

// What asm/ucontext.h and asm/sigcontext.h say; the C library's own types are other ones.
struct kernel_context {
	uint64_t flags, link;
	uint64_t stack_pointer;
	int32_t stack_flags, stack_padding;
	uint64_t stack_size;
	struct sigcontext_64 machine;
	uint64_t mask;
};
_Static_assert(sizeof(struct kernel_context) == 304, "ucontext");

enum {
	UC_FP_XSTATE = 1,
	UC_SIGCONTEXT_SS = 2,
	UC_STRICT_RESTORE_SS = 4,
	SS_INVALID = 7,
	LEGACY_SIZE = 512,
	SW_RESERVED = 464, // in the legacy area: struct _fpx_sw_bytes
	HEADER_SIZE = 64,
	FP_SSE = 3,
	// include/linux/errno.h: never seen by programs
	ERESTARTSYS = 512,
	ERESTARTNOINTR = 513,
	ERESTARTNOHAND = 514,
	ERESTART_RESTARTBLOCK = 516,
};

// End of the last component in use, in the standard format that ptrace and signal frames share.
static size_t xstate_in_use(uint64_t features)
{
	const struct cpu_features *cpu = registers_cpu();
	size_t end = LEGACY_SIZE + HEADER_SIZE;

	for (unsigned i = 2; i < 63; i++)
		if (features >> i & 1 && cpu->xstate_end[i] > end)
			end = cpu->xstate_end[i];
	return end;
}

bool wayhome_is_timed_wait(const struct user_regs_struct *regs)
{
	return (int64_t)regs->orig_rax >= 0 && (int64_t)regs->rax == -ERESTART_RESTARTBLOCK;
}

// rt_sigreturn restarts nothing, so the frame holds what the kernel would have made of the
// registers.
static void restart(struct user_regs_struct *regs)
{
	enum { SYSCALL_SIZE = 2, FUTEX_WAIT_BITSET = 9, FUTEX_COMMAND = 127 };

	if ((int64_t)regs->orig_rax < 0)
		return;
	switch ((int64_t)regs->rax) {
	case -ERESTART_RESTARTBLOCK:
		// The block is gone after rt_sigreturn. Only here is the time absolute, so that the
		// same call waits until the same moment.
		if (regs->orig_rax != SYS_futex ||
		    (regs->rsi & FUTEX_COMMAND) != FUTEX_WAIT_BITSET) {
			regs->rax = (uint64_t)-EINTR;
			return;
		}
		break;
	case -ERESTARTSYS:
	case -ERESTARTNOINTR:
	case -ERESTARTNOHAND: break;
	default: return;
	}
	regs->rax = regs->orig_rax;
	regs->rip -= SYSCALL_SIZE;
}

static void fill_machine(struct sigcontext_64 *machine, const struct user_regs_struct *regs,
			 uint64_t mask, uint64_t fpstate)
{
	*machine = (struct sigcontext_64){
		.r8 = regs->r8,
		.r9 = regs->r9,
		.r10 = regs->r10,
		.r11 = regs->r11,
		.r12 = regs->r12,
		.r13 = regs->r13,
		.r14 = regs->r14,
		.r15 = regs->r15,
		.di = regs->rdi,
		.si = regs->rsi,
		.bp = regs->rbp,
		.bx = regs->rbx,
		.dx = regs->rdx,
		.ax = regs->rax,
		.cx = regs->rcx,
		.sp = regs->rsp,
		.ip = regs->rip,
		.flags = regs->eflags,
		.cs = (uint16_t)regs->cs,
		.ss = (uint16_t)regs->ss,
		.oldmask = mask,
		.fpstate = fpstate,
	};
}

struct dc_error *wayhome_build(const struct user_regs_struct *regs, const unsigned char *xstate,
			       size_t xstate_size, uint64_t mask, const struct gadgets *gadgets,
			       uint64_t top, struct wayhome *ret)
{
	enum { MAGIC2_SIZE = 4 };
	struct user_regs_struct home = *regs;
	uint64_t features;

	memcpy(&features, xstate + LEGACY_SIZE, sizeof(features));

	size_t in_use = xstate_in_use(features);
	uint64_t fpstate = (top - in_use - MAGIC2_SIZE) & ~UINT64_C(63);
	uint64_t context = (fpstate - sizeof(struct kernel_context)) & ~UINT64_C(15);
	uint64_t start = context - 8 * (gadgets->pops + gadgets->nr_home);

	if (in_use > xstate_size || fpstate + in_use + MAGIC2_SIZE - start > sizeof(ret->bytes))
		return error_make(DC_REFUSED, "an extended state of %zu bytes is unknown", in_use);
	restart(&home);

	// An alternate stack cannot be read from outside. Flags that the kernel refuses make it
	// keep the one there is; SS_DISABLE would take it away.
	struct kernel_context kernel = {
		.flags = UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS,
		.stack_flags = SS_INVALID,
		.mask = mask,
	};
	struct _fpx_sw_bytes sw = {
		.magic1 = FP_XSTATE_MAGIC1,
		.extended_size = (uint32_t)in_use + MAGIC2_SIZE,
		.xfeatures = features | FP_SSE,
		.xstate_size = (uint32_t)in_use,
	};
	uint32_t magic2 = FP_XSTATE_MAGIC2;
	unsigned char *out = ret->bytes;

	fill_machine(&kernel.machine, &home, mask, fpstate);
	ret->start = start;
	ret->context = context;
	ret->size = fpstate + in_use + MAGIC2_SIZE - start;
	memset(out, 0, ret->size);
	memcpy(out + 8 * gadgets->pops, gadgets->home, 8 * gadgets->nr_home);
	memcpy(out + (context - start), &kernel, sizeof(kernel));
	out += fpstate - start;
	memcpy(out, xstate, in_use);
	memcpy(out + SW_RESERVED, &sw, sizeof(sw));
	memcpy(out + in_use, &magic2, sizeof(magic2));
	return NULL;
}
