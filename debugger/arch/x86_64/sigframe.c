// SPDX-License-Identifier: MIT
// The kernel's rt_sigframe, as rt_sigreturn reads it: a ucontext, then the extended state.
#include "debugger/arch/x86_64/sigframe.h"

#include "debugger/arch/x86_64/registers.h"
#include "debugger/arch/x86_64/restart.h"
#include "debugger/arch/x86_64/xstate.h"

#include <asm/sigcontext.h>
#include <stddef.h>
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
_Static_assert(sizeof(struct kernel_context) == SIGFRAME_CONTEXT, "ucontext");
_Static_assert(offsetof(struct kernel_context, machine.sp) == SIGFRAME_SP, "ucontext");

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

void sigframe_put_context(void *to, const struct user_regs_struct *regs, uint64_t mask,
			  uint64_t fpstate)
{
	// An alternate stack cannot be read from outside. Flags that the kernel refuses make it
	// keep the one there is; SS_DISABLE would take it away.
	struct kernel_context kernel = {
		.flags = UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS,
		.stack_flags = SS_INVALID,
		.mask = mask,
	};

	fill_machine(&kernel.machine, regs, mask, fpstate);
	memcpy(to, &kernel, sizeof(kernel));
}

void sigframe_get_context(const void *from, struct user_regs_struct *regs)
{
	struct kernel_context kernel;

	memcpy(&kernel, from, sizeof(kernel));

	const struct sigcontext_64 *machine = &kernel.machine;

	regs->r8 = machine->r8;
	regs->r9 = machine->r9;
	regs->r10 = machine->r10;
	regs->r11 = machine->r11;
	regs->r12 = machine->r12;
	regs->r13 = machine->r13;
	regs->r14 = machine->r14;
	regs->r15 = machine->r15;
	regs->rdi = machine->di;
	regs->rsi = machine->si;
	regs->rbp = machine->bp;
	regs->rbx = machine->bx;
	regs->rdx = machine->dx;
	regs->rax = machine->ax;
	regs->rcx = machine->cx;
	regs->rsp = machine->sp;
	regs->rip = machine->ip;
	regs->eflags = machine->flags;
	registers_forget_syscall(regs);
}

void sigframe_put_xstate(void *to, const unsigned char *xstate, size_t in_use)
{
	struct _fpx_sw_bytes sw = {
		.magic1 = FP_XSTATE_MAGIC1,
		.extended_size = (uint32_t)in_use + SIGFRAME_MAGIC2,
		.xfeatures = xstate_present(xstate, in_use) | FP_SSE,
		.xstate_size = (uint32_t)in_use,
	};
	uint32_t magic2 = FP_XSTATE_MAGIC2;
	unsigned char *out = to;

	memcpy(out, xstate, in_use);
	memcpy(out + FXSAVE_SOFTWARE, &sw, sizeof(sw));
	memcpy(out + in_use, &magic2, sizeof(magic2));
}

struct dc_error *sigframe_build(const struct user_regs_struct *regs, const unsigned char *xstate,
				size_t xstate_size, uint64_t mask, const struct gadgets *gadgets,
				uint64_t top, struct sigframe *ret)
{
	struct user_regs_struct home = *regs;
	size_t in_use = xstate_in_use(xstate, xstate_size);
	uint64_t fpstate = (top - in_use - SIGFRAME_MAGIC2) & ~UINT64_C(63);
	uint64_t context = (fpstate - SIGFRAME_CONTEXT) & ~UINT64_C(15);
	uint64_t start = context - 8 * (gadgets->pops + gadgets->nr_home);

	if (in_use > xstate_size || fpstate + in_use + SIGFRAME_MAGIC2 - start > sizeof(ret->bytes))
		return error_make(DC_REFUSED, "an extended state of %zu bytes is unknown", in_use);
	restart_by_hand(&home);
	ret->start = start;
	ret->context = context;
	ret->size = fpstate + in_use + SIGFRAME_MAGIC2 - start;
	memset(ret->bytes, 0, ret->size);
	memcpy(ret->bytes + 8 * gadgets->pops, gadgets->home, 8 * gadgets->nr_home);
	sigframe_put_context(ret->bytes + (context - start), &home, mask, fpstate);
	sigframe_put_xstate(ret->bytes + (fpstate - start), xstate, in_use);
	return NULL;
}
