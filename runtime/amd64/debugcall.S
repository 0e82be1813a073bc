// SPDX-License-Identifier: MIT
// Where a debugger points a thread, and the places where the host speaks. See protocol/README.md.
#include "protocol/debugcall.h"
#include "runtime/amd64/asm.inc"
#include "runtime/amd64/offsets.h"

// enum dispatched
#define DISPATCH_RETURNED  1
#define DISPATCH_ABANDONED 2

	.macro SAVE reg
	pushq	%\reg
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %\reg, 0
	.endm
	.macro RESTORE reg
	popq	%\reg
	.cfi_adjust_cfa_offset -8
	.cfi_restore %\reg
	.endm

// [rsp] is the interrupted PC, [rsp + DEBUGCALL_SIZE_SLOT] the frame's size. The CFA is the interrupted
// stack pointer, so that unwinders go on in the caller.
FUNC gort__debugcall_entry
	.cfi_def_cfa %rsp, 8 + DEBUGCALL_RED_ZONE
	.cfi_offset %rip, -(8 + DEBUGCALL_RED_ZONE)
	pushfq
	.cfi_adjust_cfa_offset 8
	// The size lies where rax belongs.
	xchgq	%rax, -8(%rsp)
	subq	$8, %rsp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rax, 0
	.irp	reg, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
	SAVE	\reg
	.endr
	pushq	%rax
	.cfi_adjust_cfa_offset 8
	pushq	$0
	.cfi_adjust_cfa_offset 8
	cld
	movq	%rsp, %rbx
	.cfi_def_cfa_register %rbx
	andq	$-64, %rsp
	movq	%rbx, %rdi
	call	gort__debugcall_prepare
	movq	%rax, %r12
	testq	%rax, %rax
	jz	3f
	movl	$-1, %eax
	movl	$-1, %edx
	cmpl	$2, gort__debugcall_xsave(%rip)
	jne	1f
	xsavec64 (%r12)
	jmp	2f
1:	xsave64	(%r12)
2:	// The interrupted code may have left values in x87.
	fninit
	fldcw	(%r12)
	movq	%rbx, %rdi
	call	gort__debugcall
	movl	$-1, %eax
	movl	$-1, %edx
	xrstor64 (%r12)
	jmp	4f
3:	movq	%rbx, %rdi
	call	gort__debugcall_refuse
4:	movq	%rbx, %rsp
	.cfi_def_cfa_register %rsp
	addq	$16, %rsp
	.cfi_adjust_cfa_offset -16
	.irp	reg, r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax
	RESTORE	\reg
	.endr
	popfq
	.cfi_adjust_cfa_offset -8
	ret	$DEBUGCALL_RED_ZONE
END gort__debugcall_entry

// The same for a thread at the idle place whose parked callee is to be given up: nothing but the stack pointer lives
// across a system call of that kind. Behind it the thread sleeps on, or wakes for its caller.
FUNC gort__debugcall_abandon_entry
	.cfi_def_cfa %rsp, 8 + DEBUGCALL_RED_ZONE
	.cfi_offset %rip, -(8 + DEBUGCALL_RED_ZONE)
	SAVE	rbx
	movq	%rsp, %rbx
	.cfi_def_cfa_register %rbx
	andq	$-64, %rsp
	cld
	call	gort__debugcall_abandon
	movq	%rbx, %rsp
	.cfi_def_cfa_register %rsp
	RESTORE	rbx
	movl	$-EINTR, %eax
	ret	$DEBUGCALL_RED_ZONE
END gort__debugcall_abandon_entry

// void gort__attend_wait(const uint32_t *word, uint32_t value, const struct timespec *time)
FUNC gort__attend_wait
	movq	%rdx, %r10
	movl	%esi, %edx
	movl	$FUTEX_WAIT_PRIVATE, %esi
	movl	$NR_futex, %eax
	syscall
	.globl	gort__attend_pc
	.hidden	gort__attend_pc
gort__attend_pc:
	ret
END gort__attend_wait

// Sends the handshake of the struct speaker in rbx.
	.macro HANDSHAKE
	movl	CALL_PID(%rbx), %edi
	movl	CALL_TID(%rbx), %esi
	movl	$SIGINT, %edx
	movl	$NR_tgkill, %eax
	syscall
	.endm

// At ready: r13 points at the mask the callee is to have, r15 is 0 and becomes 1 when the debugger goes to the
// callee. At returned: r13 and r14 are what the callee left in rax and rdx.
FUNC gort__debugcall_dispatch
	SAVE	rbp
	movq	%rsp, %rbp
	.cfi_def_cfa_register %rbp
	pushq	%rbx
	.cfi_offset %rbx, -24
	pushq	%r12
	.cfi_offset %r12, -32
	pushq	%r13
	.cfi_offset %r13, -40
	pushq	%r14
	.cfi_offset %r14, -48
	pushq	%r15
	.cfi_offset %r15, -56
	movq	%rdi, %rbx
	subq	CALL_SIZE(%rbx), %rsp
	andq	$-DEBUGCALL_FRAME_ALIGN, %rsp
	leaq	CALL_MASK(%rbx), %r13
	movq	CALL_FLAG(%rbx), %rax
	movl	$(DEBUGCALL_STATUS_READY + 1), (%rax)
	xorl	%r15d, %r15d
	movl	$DEBUGCALL_STATUS_READY, %r12d
	HANDSHAKE
	.globl	gort__handshake_first
	.hidden	gort__handshake_first
gort__handshake_first:
	xorl	%ecx, %ecx
	testl	%r15d, %r15d
	jz	1f
	movq	%rax, %r13
	movq	%rdx, %r14
	// The callee may return in a child that it forked, too: there nothing goes on, and the parent must not
	// be signalled by it.
	movl	$NR_getpid, %eax
	syscall
	cmpl	CALL_PID(%rbx), %eax
	je	2f
	xorl	%edi, %edi
	movl	$NR_exit_group, %eax
	syscall
2:	movl	$DISPATCH_ABANDONED, %ecx
	cmpl	$0, CALL_ABANDONED(%rbx)
	jne	1f
	call	gort__debugcall_hush
	movq	CALL_FLAG(%rbx), %rax
	movl	$(DEBUGCALL_STATUS_RETURNED + 1), (%rax)
	movl	$DEBUGCALL_STATUS_RETURNED, %r12d
	HANDSHAKE
	.globl	gort__handshake_returned
	.hidden	gort__handshake_returned
gort__handshake_returned:
	movl	$DISPATCH_RETURNED, %ecx
1:	movl	%ecx, %eax
	leaq	-40(%rbp), %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	.cfi_def_cfa %rsp, 8
	ret
END gort__debugcall_dispatch

FUNC gort__debugcall_say
	SAVE	rbx
	SAVE	r12
	movq	%rdi, %rbx
	movq	%rsi, %r12
	movq	CALL_FLAG(%rbx), %rax
	leal	1(%rsi), %esi
	movl	%esi, (%rax)
	pushq	%rcx
	.cfi_adjust_cfa_offset 8
	pushq	%rdx
	.cfi_adjust_cfa_offset 8
	HANDSHAKE
	.globl	gort__handshake_last
	.hidden	gort__handshake_last
gort__handshake_last:
	addq	$16, %rsp
	.cfi_adjust_cfa_offset -16
	RESTORE	r12
	RESTORE	rbx
	ret
END gort__debugcall_say

	.section .note.GNU-stack, "", @progbits
