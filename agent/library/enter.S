// SPDX-License-Identifier: MIT
// Into a callee and back. Unwinders pass: pthread_exit() goes through; what C++ throws ends here.
#include "agent/library/enter.h"

	.text
	.globl enter, enter_escape, enter_end
	.hidden enter, enter_escape, enter_end
	.type enter, @function
	.balign 16
enter:
	.cfi_startproc
	.cfi_personality 0x1b, caught_personality
	endbr64
	push	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset %rbp, -16
	mov	%rsp, %rbp
	.cfi_def_cfa_register %rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	sub	$8, %rsp
	.cfi_offset %rbx, -24
	.cfi_offset %r12, -32
	.cfi_offset %r13, -40
	.cfi_offset %r14, -48
	.cfi_offset %r15, -56
	stmxcsr	-48(%rbp)
	fnstcw	-44(%rbp)
	mov	%rdi, %rbx

	// The stack arguments, as aligned as the widest of them wants.
	mov	ENTRY_STACK_SIZE(%rbx), %rcx
	sub	%rcx, %rsp
	and	ENTRY_STACK_ALIGN(%rbx), %rsp
	test	%rcx, %rcx
	jz	1f
	mov	%rsp, %rdi
	mov	ENTRY_STACK(%rbx), %rsi
	cld
	rep movsb
1:	mov	ENTRY_VECTOR_WIDTH(%rbx), %rax
	test	%eax, %eax
	jz	4f
	cmp	$32, %eax
	ja	3f
	je	2f
	movups	ENTRY_VECTOR+0x000(%rbx), %xmm0
	movups	ENTRY_VECTOR+0x040(%rbx), %xmm1
	movups	ENTRY_VECTOR+0x080(%rbx), %xmm2
	movups	ENTRY_VECTOR+0x0c0(%rbx), %xmm3
	movups	ENTRY_VECTOR+0x100(%rbx), %xmm4
	movups	ENTRY_VECTOR+0x140(%rbx), %xmm5
	movups	ENTRY_VECTOR+0x180(%rbx), %xmm6
	movups	ENTRY_VECTOR+0x1c0(%rbx), %xmm7
	jmp	4f
2:	vmovups	ENTRY_VECTOR+0x000(%rbx), %ymm0
	vmovups	ENTRY_VECTOR+0x040(%rbx), %ymm1
	vmovups	ENTRY_VECTOR+0x080(%rbx), %ymm2
	vmovups	ENTRY_VECTOR+0x0c0(%rbx), %ymm3
	vmovups	ENTRY_VECTOR+0x100(%rbx), %ymm4
	vmovups	ENTRY_VECTOR+0x140(%rbx), %ymm5
	vmovups	ENTRY_VECTOR+0x180(%rbx), %ymm6
	vmovups	ENTRY_VECTOR+0x1c0(%rbx), %ymm7
	jmp	4f
3:	vmovups	ENTRY_VECTOR+0x000(%rbx), %zmm0
	vmovups	ENTRY_VECTOR+0x040(%rbx), %zmm1
	vmovups	ENTRY_VECTOR+0x080(%rbx), %zmm2
	vmovups	ENTRY_VECTOR+0x0c0(%rbx), %zmm3
	vmovups	ENTRY_VECTOR+0x100(%rbx), %zmm4
	vmovups	ENTRY_VECTOR+0x140(%rbx), %zmm5
	vmovups	ENTRY_VECTOR+0x180(%rbx), %zmm6
	vmovups	ENTRY_VECTOR+0x1c0(%rbx), %zmm7

4:	mov	ENTRY_GENERAL+0x00(%rbx), %rdi
	mov	ENTRY_GENERAL+0x08(%rbx), %rsi
	mov	ENTRY_GENERAL+0x10(%rbx), %rdx
	mov	ENTRY_GENERAL+0x18(%rbx), %rcx
	mov	ENTRY_GENERAL+0x20(%rbx), %r8
	mov	ENTRY_GENERAL+0x28(%rbx), %r9
	mov	ENTRY_AL(%rbx), %rax
	mov	%rbp, ENTRY_FRAME(%rbx)
	call	*ENTRY_ADDR(%rbx)
	movq	$0, ENTRY_FRAME(%rbx)
	mov	%rax, ENTRY_RAX(%rbx)
	mov	%rdx, ENTRY_RDX(%rbx)
	mov	ENTRY_VECTOR_WIDTH(%rbx), %rax
	cmp	$32, %eax
	ja	6f
	je	5f
	movups	%xmm0, ENTRY_LEFT+0x00(%rbx)
	movups	%xmm1, ENTRY_LEFT+0x40(%rbx)
	jmp	8f
5:	vmovups	%ymm0, ENTRY_LEFT+0x00(%rbx)
	vmovups	%ymm1, ENTRY_LEFT+0x40(%rbx)
	jmp	7f
6:	vmovups	%zmm0, ENTRY_LEFT+0x00(%rbx)
	vmovups	%zmm1, ENTRY_LEFT+0x40(%rbx)
7:	vzeroupper
8:	cmpq	$0, ENTRY_LEAVES_X87(%rbx)
	je	9f
	fnsave	ENTRY_X87(%rbx)
9:	xor	%eax, %eax
	jmp	1f

	// From an unwinder: an exception, in RAX, has left the callee's frames, whose destructors ran.
	.globl enter_caught
	.hidden enter_caught
enter_caught:
	movq	$0, ENTRY_FRAME(%rbx)
	mov	%rax, ENTRY_RAX(%rbx)
	mov	$2, %eax
	fninit
	jmp	1f

	// From a handler: RBP is ours again, nothing else is.
enter_escape:
	mov	$1, %eax
	fninit
1:	cld
	ldmxcsr	-48(%rbp)
	fldcw	-44(%rbp)
	lea	-40(%rbp), %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	.cfi_def_cfa %rsp, 8
	ret
enter_end:
	.cfi_endproc
	.size enter, . - enter

	.globl enter_leave
	.hidden enter_leave
	.type enter_leave, @function
enter_leave:
	.cfi_startproc
	endbr64
	mov	%rdi, %rbp
	jmp	enter_escape
	.cfi_endproc
	.size enter_leave, . - enter_leave

	.section .note.GNU-stack, "", @progbits
