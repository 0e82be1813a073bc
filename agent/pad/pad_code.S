// SPDX-License-Identifier: MIT
// The landing pad's code. Position-independent, calls nothing, and at any instruction it can go on to
// the caller context with no debugger present.
#include "agent/pad/layout.h"

#define FIELD(offset) pad_start + PAD_DATA + (offset)(%rip)

#define NR_mprotect	  10
#define NR_rt_sigprocmask 14
#define NR_rt_sigreturn	  15
#define NR_madvise	  28
#define NR_getpid	  39
#define NR_prctl	  157
#define NR_gettid	  186
#define NR_exit_group	  231
#define NR_tgkill	  234

#define SIG_SETMASK	     2
#define PROT_READ_WRITE	     3
#define PR_SET_VMA	     0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#define PR_GET_TSC	     25
#define PR_TSC_ENABLE	     1
#define MADV_WIPEONFORK	     18

	.section .rodata.pad, "a", @progbits
	.balign 4096
	.globl pad_start, pad_setup, pad_entry, pad_return, pad_handshake, pad_unwind, pad_end
	.globl pad_name_code, pad_name_literals
	.hidden pad_start, pad_setup, pad_entry, pad_return, pad_handshake, pad_unwind, pad_end
	.hidden pad_name_code, pad_name_literals

pad_start:
	ud2
	.ascii "debugcall pad 1\0"
pad_name_code:
	.asciz "debugcall pad"
pad_name_literals:
	.asciz "debugcall literals"

	.balign 16
// First entry into a fresh pad. All of it is still mapped r-x, with what the debugger put there: only
// taking the right to execute away is allowed under every policy.
pad_setup:
	mov	$NR_mprotect, %eax
	lea	FIELD(0), %rdi
	mov	$(PAD_SIZE - PAD_DATA + PAD_LITERALS_FIRST), %esi
	mov	$PROT_READ_WRITE, %edx
	syscall
	// Nothing can be stored then: the handshake comes with the count of returned calls unchanged.
	test	%rax, %rax
	jnz	4f
	// The stack that came with it; what is below stays as it is, and guards it.
	mov	FIELD(PAD_STACK_SIZE), %rsi
	test	%rsi, %rsi
	jz	6f
	mov	$NR_mprotect, %eax
	lea	pad_start(%rip), %rdi
	sub	%rsi, %rdi
	syscall
	test	%rax, %rax
	jnz	4f
6:
	mov	FIELD(PAD_NAME_SIZE), %r10
	test	%r10, %r10
	jz	1f
	mov	$NR_prctl, %eax
	mov	$PR_SET_VMA, %edi
	mov	$PR_SET_VMA_ANON_NAME, %esi
	lea	pad_start(%rip), %rdx
	lea	pad_name_code(%rip), %r8
	syscall
	// What stays when the pad goes.
	mov	FIELD(PAD_LITERALS), %r10
	test	%r10, %r10
	jz	1f
	mov	$NR_prctl, %eax
	lea	pad_start + PAD_SIZE(%rip), %rdx
	lea	pad_name_literals(%rip), %r8
	syscall
1:
	// The debugger has a call ready: no stop is needed in between.
	test	%r15d, %r15d
	jnz	pad_entry
	// Who we are, as the thread itself sees it: a child of fork is told apart by it.
4:	mov	$NR_gettid, %eax
	syscall
	mov	%eax, %r12d
	mov	$NR_getpid, %eax
	syscall
	mov	%eax, %r13d
	mov	%r12d, %esi
	mov	%r13d, %edi
	xor	%ebx, %ebx
	jmp	5f

	.balign 16
pad_entry:
	mov	$NR_gettid, %eax
	syscall
	mov	%rax, FIELD(PAD_TID)
	mov	$NR_getpid, %eax
	syscall
	mov	%rax, FIELD(PAD_PID)
	movq	$0, FIELD(PAD_LOOPS)
	cmpq	$1, FIELD(PAD_CALLS)
	jbe	pad_call
	// Many calls: by ourselves if we may read the clock, and if a child can be told without asking
	// the kernel each time.
	mov	$NR_prctl, %eax
	mov	$PR_GET_TSC, %edi
	lea	FIELD(PAD_TSC), %rsi
	syscall
	test	%rax, %rax
	jnz	pad_call
	cmpl	$PR_TSC_ENABLE, FIELD(PAD_TSC)
	jne	pad_call
	mov	$NR_madvise, %eax
	lea	FIELD(0), %rdi
	mov	$PAD_DATA_SIZE, %esi
	mov	$MADV_WIPEONFORK, %edx
	syscall
	test	%rax, %rax
	jnz	pad_call
	movq	$1, FIELD(PAD_LOOPS)
	rdtsc
	shl	$32, %rdx
	or	%rdx, %rax
	mov	%rax, FIELD(PAD_BEGUN)

pad_call:
	cld
	mov	FIELD(PAD_STACK), %rsp
	// x87 empty as the ABI wants it, then the thread's own control words.
	fninit
	fldcw	FIELD(PAD_CONTROL + 4)
	mov	FIELD(PAD_VECTORS), %eax
	lea	FIELD(PAD_VECTOR_IN), %rbx
	cmp	$1, %eax
	ja	3f
	je	2f
	movaps	(%rbx), %xmm0
	movaps	64(%rbx), %xmm1
	movaps	128(%rbx), %xmm2
	movaps	192(%rbx), %xmm3
	movaps	256(%rbx), %xmm4
	movaps	320(%rbx), %xmm5
	movaps	384(%rbx), %xmm6
	movaps	448(%rbx), %xmm7
	jmp	4f
2:	vzeroupper
	vmovaps	(%rbx), %ymm0
	vmovaps	64(%rbx), %ymm1
	vmovaps	128(%rbx), %ymm2
	vmovaps	192(%rbx), %ymm3
	vmovaps	256(%rbx), %ymm4
	vmovaps	320(%rbx), %ymm5
	vmovaps	384(%rbx), %ymm6
	vmovaps	448(%rbx), %ymm7
	jmp	4f
3:	vzeroupper
	vmovaps	(%rbx), %zmm0
	vmovaps	64(%rbx), %zmm1
	vmovaps	128(%rbx), %zmm2
	vmovaps	192(%rbx), %zmm3
	vmovaps	256(%rbx), %zmm4
	vmovaps	320(%rbx), %zmm5
	vmovaps	384(%rbx), %zmm6
	vmovaps	448(%rbx), %zmm7
4:	ldmxcsr	FIELD(PAD_CONTROL)
	mov	FIELD(PAD_STACK_BYTES), %rcx
	shr	$3, %rcx
	jz	5f
	lea	pad_start + PAD_ARGUMENTS(%rip), %rsi
	mov	%rsp, %rdi
	rep movsq
5:	cmpq	$0, FIELD(PAD_LOOPS)
	je	6f
	rdtsc
	shl	$32, %rdx
	or	%rdx, %rax
	mov	%rax, FIELD(PAD_STARTED)
6:	mov	FIELD(PAD_GENERAL + 0x00), %rdi
	mov	FIELD(PAD_GENERAL + 0x08), %rsi
	mov	FIELD(PAD_GENERAL + 0x10), %rdx
	mov	FIELD(PAD_GENERAL + 0x18), %rcx
	mov	FIELD(PAD_GENERAL + 0x20), %r8
	mov	FIELD(PAD_GENERAL + 0x28), %r9
	mov	FIELD(PAD_AL), %eax
	// Frame pointer walks end here, and callee-saved registers hold nothing of the caller's.
	xor	%ebx, %ebx
	xor	%ebp, %ebp
	call	*FIELD(PAD_CALLEE)

pad_return:
	cld
	mov	%rax, FIELD(PAD_RAX)
	mov	%rdx, FIELD(PAD_RDX)
	// A child of fork must not go home: two processes would run the same loop. In a child of a
	// loop all of this is wiped, and no process has the id 0.
	cmpq	$0, FIELD(PAD_LOOPS)
	jne	1f
	mov	$NR_getpid, %eax
	syscall
	cmp	FIELD(PAD_PID), %rax
	je	2f
	xor	%edi, %edi
	mov	$NR_exit_group, %eax
	syscall
1:	rdtsc
	shl	$32, %rdx
	or	%rdx, %rax
	mov	%rax, FIELD(PAD_ENDED)
	sub	FIELD(PAD_STARTED), %rax
	mov	FIELD(PAD_RETURNED), %rcx
	lea	pad_start + PAD_TIMES(%rip), %rdx
	mov	%eax, (%rdx, %rcx, 4)
2:	incq	FIELD(PAD_RETURNED)
	// The callee may have changed the mask; the handshake must pass.
	mov	$NR_rt_sigprocmask, %eax
	mov	$SIG_SETMASK, %edi
	lea	FIELD(PAD_MASK), %rsi
	xor	%edx, %edx
	mov	$8, %r10d
	syscall
	cmpq	$0, FIELD(PAD_LOOPS)
	je	3f
	cmpq	$0, FIELD(PAD_THREW)
	jne	3f
	mov	FIELD(PAD_RETURNED), %rax
	cmp	FIELD(PAD_CALLS), %rax
	jae	3f
	mov	FIELD(PAD_ENDED), %rax
	sub	FIELD(PAD_BEGUN), %rax
	cmp	FIELD(PAD_SLICE), %rax
	jb	pad_call
	// No instruction and no system call since the callee's return has touched these.
3:	mov	FIELD(PAD_VECTORS), %eax
	lea	FIELD(PAD_VECTOR_OUT), %rbx
	cmp	$1, %eax
	ja	2f
	je	1f
	movaps	%xmm0, (%rbx)
	movaps	%xmm1, 64(%rbx)
	jmp	3f
1:	vmovaps	%ymm0, (%rbx)
	vmovaps	%ymm1, 64(%rbx)
	jmp	3f
2:	vmovaps	%zmm0, (%rbx)
	vmovaps	%zmm1, 64(%rbx)
	// Takes no exception, however many registers hold a value.
3:	fxsave64 FIELD(PAD_LEGACY)
	mov	FIELD(PAD_PID), %edi
	mov	FIELD(PAD_TID), %esi
	xor	%ebx, %ebx
5:	mov	FIELD(PAD_HANDSHAKE), %edx
	mov	$NR_tgkill, %eax
	syscall
pad_handshake:
	// A debugger that wants the same call again has said so in this register by now; nobody else
	// can, so without one the thread goes home.
	test	%ebx, %ebx
	jnz	pad_call
	mov	FIELD(PAD_ERRNO), %rax
	test	%rax, %rax
	jz	6f
	mov	FIELD(PAD_ERRNO_OWN), %ecx
	mov	%ecx, (%rax)
6:	mov	FIELD(PAD_WAY_HOME), %rsp
	mov	$NR_rt_sigreturn, %eax
	syscall
	jmp	6b

	.balign 16
// An exception that no frame of the callee's catches: the thread is led here from where the C++
// runtime would end the program, with the exception in rdi and the stack as it was there. The
// callee's frames are left one by one, and what they hold is given up. Until then the exception is
// on its way, as its destructors may ask.
pad_unwind:
	push	%rdi
	call	*FIELD(PAD_GET_GLOBALS)
	mov	%rax, FIELD(PAD_GLOBALS)
	incl	8(%rax)
	pop	%rdi
	lea	pad_stop(%rip), %rsi
	xor	%edx, %edx
	jmp	*FIELD(PAD_FORCED)

// Asked at each frame; behind the last (_UA_END_OF_STACK) nothing of the callee is left.
pad_stop:
	test	$16, %esi
	jnz	1f
	xor	%eax, %eax
	ret
1:	mov	FIELD(PAD_STACK), %rsp
	mov	FIELD(PAD_GLOBALS), %rax
	decl	8(%rax)
	call	*FIELD(PAD_END_CATCH)
	incq	FIELD(PAD_THREW)
	jmp	pad_return
pad_end:

	.section .note.GNU-stack, "", @progbits
