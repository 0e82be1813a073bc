// SPDX-License-Identifier: MIT
// The kernel's rt_sigframe, as rt_sigreturn reads it: a ucontext, then the extended state.
#include "debugger/arch/x86_64/sigframe.h"

#include "debugger/arch/x86_64/restart.h"
#include "debugger/arch/x86_64/xstate.h"

#include <asm/sigcontext.h>
#include <string.h>

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
	FP_SSE = 1 << XSTATE_X87 | 1 << XSTATE_SSE,
};

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

struct dc_error *sigframe_build(const struct user_regs_struct *regs, const unsigned char *xstate,
				size_t xstate_size, uint64_t mask, const struct gadgets *gadgets,
				uint64_t top, struct sigframe *ret)
{
	enum { MAGIC2_SIZE = 4 };
	struct user_regs_struct home = *regs;
	size_t in_use = xstate_in_use(xstate, xstate_size);
	uint64_t fpstate = (top - in_use - MAGIC2_SIZE) & ~UINT64_C(63);
	uint64_t context = (fpstate - sizeof(struct kernel_context)) & ~UINT64_C(15);
	uint64_t start = context - 8 * (gadgets->pops + gadgets->nr_home);

	if (in_use > xstate_size || fpstate + in_use + MAGIC2_SIZE - start > sizeof(ret->bytes))
		return error_make(DC_REFUSED, "an extended state of %zu bytes is unknown", in_use);
	restart_by_hand(&home);

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
		.xfeatures = xstate_present(xstate, xstate_size) | FP_SSE,
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
	memcpy(out + FXSAVE_SOFTWARE, &sw, sizeof(sw));
	memcpy(out + in_use, &magic2, sizeof(magic2));
	return NULL;
}
