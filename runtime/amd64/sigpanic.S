// SPDX-License-Identifier: MIT
// Where a signal handler sends a goroutine whose fault becomes a panic: as if the faulting instruction had called it.
	.section gort_text, "ax", @progbits

// rsp points at a struct unwind_regs with the registers of the fault, so unwinders pass through as through a
// signal frame. The nop is for those that look up the address before the return address.
	.macro SAVED_REG reg, lo, hi
	.ifb	\hi
	.cfi_escape 0x10, \reg, 2, 0x77, \lo
	.else
	.cfi_escape 0x10, \reg, 3, 0x77, \lo, \hi
	.endif
	.endm
	.p2align 4
	.cfi_startproc
	.cfi_signal_frame
	.cfi_escape 0x0f, 3, 0x77, 56, 0x06
	SAVED_REG 0, 0
	SAVED_REG 1, 8
	SAVED_REG 2, 16
	SAVED_REG 3, 24
	SAVED_REG 4, 32
	SAVED_REG 5, 40
	SAVED_REG 6, 48
	SAVED_REG 7, 56
	SAVED_REG 8, 0xc0, 0x00
	SAVED_REG 9, 0xc8, 0x00
	SAVED_REG 10, 0xd0, 0x00
	SAVED_REG 11, 0xd8, 0x00
	SAVED_REG 12, 0xe0, 0x00
	SAVED_REG 13, 0xe8, 0x00
	SAVED_REG 14, 0xf0, 0x00
	SAVED_REG 15, 0xf8, 0x00
	SAVED_REG 16, 0x80, 0x01
	nop
	.globl	gort__sigpanic
	.hidden	gort__sigpanic
	.type	gort__sigpanic, @function
gort__sigpanic:
	movq	%rsp, %rdi
	call	gort__sigpanic_here
	ud2
	.size	gort__sigpanic, . - gort__sigpanic
	.cfi_endproc

	.section .note.GNU-stack, "", @progbits
