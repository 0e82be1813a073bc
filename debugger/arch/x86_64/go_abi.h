// SPDX-License-Identifier: MIT
// The registers and stack bytes of Go's ABIInternal on amd64: what a callee is entered with, and
// what it leaves. Which value goes where follows from the types; lang/go finds that.
#ifndef DEBUGGER_ARCH_X86_64_GO_ABI_H
#define DEBUGGER_ARCH_X86_64_GO_ABI_H

#include <stddef.h>
#include <stdint.h>

enum { GO_ABI_GENERAL = 9, GO_ABI_FLOATS = 15 };

// What a callee is entered with. The stack bytes are at [rsp+8 ...) of its first instruction:
// arguments, then room for results and for spilling the registers.
struct go_abi_entry {
	uint64_t general[GO_ABI_GENERAL]; // rax rbx rcx rdi rsi r8 r9 r10 r11
	uint64_t floats[GO_ABI_FLOATS]; // the low eight bytes of xmm0 to xmm14
	unsigned char *stack; // malloc'd
	size_t stack_size;
	uint64_t context; // rdx: the closure's funcval, or 0
};

// What a callee leaves; the stack bytes are the same ones, as they are then.
struct go_abi_exit {
	uint64_t general[GO_ABI_GENERAL];
	uint64_t floats[GO_ABI_FLOATS];
	unsigned char *stack; // malloc'd
	size_t stack_size;
};

#endif
