// SPDX-License-Identifier: MIT
// Runs one system call, or a loop, with every register holding a known pattern, and stores what the
// registers hold afterwards. The C side compares; whoever borrowed the thread must have left no trace.
//
// void victim_run(struct victim_state *state)      offsets: see victim.c
//   0   in.general[16]  rax rbx rcx rdx rsi rdi rbp r8..r15, [15] unused
//   128 in.vector[32][64]
//   2176 in.mask[8]
//   2240 out.general[16], out.flags at [15]
//   2368 out.vector[32][64]
//   4416 out.mask[8]
//   4480 redzone_ok
//   4488 wide: 1 when zmm and mask registers exist
//   4496 rounds: 0 makes a system call, else this many turns of a loop
//   4504 saved rsp
	.text
	.globl	victim_run
	.type	victim_run, @function
victim_run:
	.cfi_startproc
	push	%rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbx, 0
	push	%rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbp, 0
	push	%r12
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r12, 0
	push	%r13
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r13, 0
	push	%r14
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r14, 0
	push	%r15
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r15, 0
	push	%rdi
	.cfi_adjust_cfa_offset 8

	cmpq	$0, 4488(%rdi)
	je	1f
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	vmovdqu64 128+64*\n(%rdi), %zmm\n
	.endr
	.irp	n, 1,2,3,4,5,6,7
	kmovq	2176+8*\n(%rdi), %k\n
	.endr
	jmp	2f
1:	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	movdqu	128+64*\n(%rdi), %xmm\n
	.endr
2:
	// The 128 bytes below rsp belong to a leaf function (psABI 3.2.2).
	.irp	n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16
	movq	$(0x5a000000+\n), -8*\n(%rsp)
	.endr
	mov	4496(%rdi), %rcx
	mov	8(%rdi), %rbx
	mov	24(%rdi), %rdx
	mov	32(%rdi), %rsi
	mov	48(%rdi), %rbp
	mov	56(%rdi), %r8
	mov	64(%rdi), %r9
	mov	72(%rdi), %r10
	mov	80(%rdi), %r11
	mov	88(%rdi), %r12
	mov	96(%rdi), %r13
	mov	104(%rdi), %r14
	mov	112(%rdi), %r15
	mov	0(%rdi), %rax
	mov	40(%rdi), %rdi
	test	%rcx, %rcx
	jnz	3f
	syscall
	jmp	4f
3:	dec	%rcx
	jnz	3b
	stc
4:
	mov	%rdi, %rcx
	mov	(%rsp), %rdi
	lea	2240(%rdi), %rdi
	mov	%rax, 0(%rdi)
	mov	%rbx, 8(%rdi)
	mov	%rdx, 24(%rdi)
	mov	%rsi, 32(%rdi)
	mov	%rcx, 40(%rdi)
	mov	%rbp, 48(%rdi)
	mov	%r8, 56(%rdi)
	mov	%r9, 64(%rdi)
	mov	%r10, 72(%rdi)
	mov	%r12, 88(%rdi)
	mov	%r13, 96(%rdi)
	mov	%r14, 104(%rdi)
	mov	%r15, 112(%rdi)
	mov	(%rsp), %rdi
	xor	%eax, %eax
	.irp	n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16
	cmpq	$(0x5a000000+\n), -8*\n(%rsp)
	jne	5f
	.endr
	inc	%eax
5:	mov	%rax, 4480(%rdi)
	cmpq	$0, 4488(%rdi)
	je	6f
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	vmovdqu64 %zmm\n, 2368+64*\n(%rdi)
	.endr
	.irp	n, 1,2,3,4,5,6,7
	kmovq	%k\n, 4416+8*\n(%rdi)
	.endr
	vzeroupper
	jmp	7f
6:	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	movdqu	%xmm\n, 2368+64*\n(%rdi)
	.endr
7:
	pop	%rdi
	.cfi_adjust_cfa_offset -8
	pop	%r15
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r15
	pop	%r14
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r14
	pop	%r13
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r13
	pop	%r12
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r12
	pop	%rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbp
	pop	%rbx
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbx
	ret
	.cfi_endproc
	.size	victim_run, . - victim_run
	.section .note.GNU-stack, "", @progbits
