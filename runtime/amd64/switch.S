// SPDX-License-Identifier: MIT
// Leaving a goroutine's stack and coming back to one. Every stack change carries CFI; bottom frames have an
// undefined return address, which is where unwinders stop.
#include "runtime/amd64/asm.inc"
#include "runtime/amd64/offsets.h"

// Exceptions that have been; the rest of MXCSR is how to compute.
#define MXCSR_FLAGS 0x3f

	.macro SELF reg
	movq	gort__tls_m@gottpoff(%rip), \reg
	movq	%fs:(\reg), \reg
	.endm

// struct switch_frame, built downwards: return address (there already), rbp, rbx, r12-r15, control words.
	.macro PUSH_FRAME
	pushq	%rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbp, 0
	pushq	%rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbx, 0
	pushq	%r12
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r12, 0
	pushq	%r13
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r13, 0
	pushq	%r14
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r14, 0
	pushq	%r15
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r15, 0
	subq	$8, %rsp
	.cfi_adjust_cfa_offset 8
	stmxcsr	(%rsp)
	fnstcw	4(%rsp)
	.endm
	.macro POP_REGS
	addq	$8, %rsp
	.cfi_adjust_cfa_offset -8
	popq	%r15
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r15
	popq	%r14
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r14
	popq	%r13
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r13
	popq	%r12
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r12
	popq	%rbx
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbx
	popq	%rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbp
	.endm

	// At a place that comes with a whole frame at rsp, whatever stood before.
	.macro FRAME_IS_HERE
	.cfi_def_cfa %rsp, SWITCH_FRAME
	.cfi_offset %rip, -8
	.cfi_offset %rbp, -16
	.cfi_offset %rbx, -24
	.cfi_offset %r12, -32
	.cfi_offset %r13, -40
	.cfi_offset %r14, -48
	.cfi_offset %r15, -56
	.endm

	// An exception that comes by here is told to routine (sched/exceptions.h).
	.macro TELLS routine
	.hidden	\routine
	.cfi_personality 0x1b, \routine
	.endm

	// void gort__call_NAME(void (*fn)(void *), void *arg): fn(arg).
	.macro CALL_TOLD name
FUNC gort__call_\name
	TELLS gort__left_\name
	subq	$8, %rsp
	.cfi_adjust_cfa_offset 8
	movq	%rdi, %rax
	movq	%rsi, %rdi
	call	*%rax
	addq	$8, %rsp
	.cfi_adjust_cfa_offset -8
	ret
END gort__call_\name
	.endm
	CALL_TOLD deferred
	CALL_TOLD try
	CALL_TOLD once

// The same, but an exception of C++'s ends here: gort__left_caught() leads the unwinder to gort__caught with it in
// rax.
FUNC gort__call_caught
	TELLS gort__left_caught
	subq	$8, %rsp
	.cfi_adjust_cfa_offset 8
	movq	%rdi, %rax
	movq	%rsi, %rdi
	call	*%rax
	addq	$8, %rsp
	.cfi_adjust_cfa_offset -8
	ret
	.cfi_adjust_cfa_offset 8
	.globl	gort__caught
	.hidden	gort__caught
gort__caught:
	movq	%rax, %rdi
	call	gort__exception_panics
	ud2
END gort__call_caught

// void gort__mcall(void (*fn)(struct g *, struct m *)): saves the calling goroutine and runs fn on the system
// stack. Returns when somebody runs gort__gogo on it.
FUNC gort__mcall
	PUSH_FRAME
	SELF	%rsi
	movq	%rdi, %rax
	movq	M_CURG(%rsi), %rdi
	// What the hardware holds from here to the next goroutine, to compare that one's with.
	movl	(%rsp), %ecx
	movl	%ecx, M_MXCSR(%rsi)
	movzwl	4(%rsp), %ecx
	movl	%ecx, M_X87CW(%rsi)
	movq	%rsp, G_SP(%rdi)
	movq	M_SYS_SP(%rsi), %rsp
	.cfi_undefined %rip
	xorl	%ebp, %ebp
	// A jump: nothing returns here, and a call would leave the CPU's stack of return addresses one off, so that
	// the goroutine's own returns were mispredicted.
	leaq	1f(%rip), %rcx
	pushq	%rcx
	jmp	*%rax
	nop
1:	ud2
END gort__mcall

// _Noreturn void gort__gogo(struct g *g, struct m *m): goes on where g was saved.
FUNC gort__gogo
	movq	G_SP(%rdi), %rsp
	FRAME_IS_HERE
	// Loading control words costs more than comparing them, and they hardly ever differ.
	movl	M_MXCSR(%rsi), %eax
	xorl	(%rsp), %eax
	andl	$~MXCSR_FLAGS, %eax
	movzwl	4(%rsp), %ecx
	xorl	M_X87CW(%rsi), %ecx
	orl	%ecx, %eax
	jne	2f
1:
	POP_REGS
	// A return pairs with the call of gort__mcall and is predicted when both goroutines called from the same
	// place. A beginning has no such call.
	leaq	gort__go_start(%rip), %rcx
	cmpq	%rcx, (%rsp)
	je	3f
	ret
3:
	addq	$8, %rsp
	.cfi_adjust_cfa_offset -8
	.cfi_undefined %rip
	jmp	*%rcx
2:
	FRAME_IS_HERE
	ldmxcsr	(%rsp)
	fldcw	4(%rsp)
	jmp	1b
END gort__gogo

// Where a new goroutine begins: its first switch_frame points here.
FUNC gort__go_start
	TELLS gort__left_goroutine
	.cfi_undefined %rip
	nop
	xorl	%ebp, %ebp
	call	gort__entry
	ud2
END gort__go_start

// void gort__on_stack(void (*fn)(void *), void *arg, void *sp, struct g *g): fn(arg) at sp, then back. g is saved
// as if it were parked, so that its stack can be walked meanwhile.
FUNC gort__on_stack
	TELLS gort__left_blocking
	PUSH_FRAME
	movq	%rsp, G_SP(%rcx)
	movq	%rsp, %rbx
	.cfi_def_cfa %rbx, SWITCH_FRAME
	movq	%rdx, %rsp
	movq	%rdi, %rax
	movq	%rsi, %rdi
	call	*%rax
	movq	%rbx, %rsp
	.cfi_def_cfa %rsp, SWITCH_FRAME
	POP_REGS
	ret
END gort__on_stack

// void gort__sys_enter(struct m *m, void (*fn)(struct m *)): makes the stack here m's system stack and runs
// fn(m) on it, which never returns: gort__sys_return(m) does, to this caller.
FUNC gort__sys_enter
	PUSH_FRAME
	movl	(%rsp), %ecx
	movl	%ecx, M_MXCSR(%rdi)
	movzwl	4(%rsp), %ecx
	movl	%ecx, M_X87CW(%rdi)
	movq	%rsp, M_SYS_SP(%rdi)
	call	*%rsi
	ud2
END gort__sys_enter

FUNC gort__sys_return
	movq	M_SYS_SP(%rdi), %rsp
	FRAME_IS_HERE
	ldmxcsr	(%rsp)
	fldcw	4(%rsp)
	POP_REGS
	ret
END gort__sys_return

// void gort__idle_wait(uint32_t *word, uint32_t val): the one place where Ms without work sleep.
// A debugger finds idle Ms by gort__idle_pc.
FUNC gort__idle_wait
	movl	%esi, %edx
	movl	$FUTEX_WAIT_PRIVATE, %esi
	xorl	%r10d, %r10d
	movl	$NR_futex, %eax
	syscall
	.globl	gort__idle_pc
	.hidden	gort__idle_pc
gort__idle_pc:
	ret
END gort__idle_wait

// The restorer of the runtime's signal handlers. What the kernel pushed is a ucontext at rsp; its registers begin
// 40 bytes in. The nop is for unwinders that look up the address before the return address.
	.macro SAVED_REG reg, lo, hi
	.cfi_escape 0x10, \reg, 3, 0x77, \lo, \hi
	.endm
	.p2align 4
	.cfi_startproc
	.cfi_signal_frame
	.cfi_escape 0x0f, 4, 0x77, 0xa0, 0x01, 0x06
	SAVED_REG 8, 0xa8, 0x00
	SAVED_REG 9, 0xb0, 0x00
	SAVED_REG 10, 0xb8, 0x00
	SAVED_REG 11, 0xc0, 0x00
	SAVED_REG 12, 0xc8, 0x00
	SAVED_REG 13, 0xd0, 0x00
	SAVED_REG 14, 0xd8, 0x00
	SAVED_REG 15, 0xe0, 0x00
	SAVED_REG 5, 0xe8, 0x00
	SAVED_REG 4, 0xf0, 0x00
	SAVED_REG 6, 0xf8, 0x00
	SAVED_REG 3, 0x80, 0x01
	SAVED_REG 1, 0x88, 0x01
	SAVED_REG 0, 0x90, 0x01
	SAVED_REG 2, 0x98, 0x01
	SAVED_REG 7, 0xa0, 0x01
	SAVED_REG 16, 0xa8, 0x01
	nop
	.globl	gort__sigreturn
	.hidden	gort__sigreturn
	.type	gort__sigreturn, @function
gort__sigreturn:
	movq	$NR_rt_sigreturn, %rax
	syscall
	.size	gort__sigreturn, . - gort__sigreturn
	.cfi_endproc

	.section .note.GNU-stack, "", @progbits
