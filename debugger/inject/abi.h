// SPDX-License-Identifier: MIT
// The System V x86-64 calling convention (psABI 3.2.3): argument values to registers and stack
// bytes, registers back to a result. Pure: knows nothing of hosts.
#ifndef DEBUGGER_INJECT_ABI_H
#define DEBUGGER_INJECT_ABI_H

#include "debugger/values/eval.h"

enum { ABI_GENERAL = 6, ABI_VECTOR = 8, ABI_VECTOR_BYTES = 64 };

// What a callee is entered with. Stack bytes go to [rsp+8 …) at entry; rsp+8 is 16-aligned (32 or
// 64 when a wider vector is passed in memory: stack_align).
struct abi_entry {
	uint64_t general[ABI_GENERAL]; // rdi rsi rdx rcx r8 r9
	unsigned char vector[ABI_VECTOR][ABI_VECTOR_BYTES];
	// 0 none, 16, 32, 64: the widest part of a vector register in use, also by the result.
	unsigned vector_width;
	uint8_t al; // vector registers used, for variadic callees
	bool leaves_x87; // a result on the x87 stack
	unsigned char *stack; // malloc'd
	size_t stack_size;
	unsigned stack_align;
	uint64_t result_size; // > 0: the result is in memory; put its address in general[0]
	uint64_t result_align;
};
void abi_entry_deinit(struct abi_entry *entry);

// What a callee leaves.
struct abi_exit {
	uint64_t rax, rdx;
	unsigned char vector[2][ABI_VECTOR_BYTES]; // xmm0/zmm0, xmm1
	unsigned char st[2][16]; // st0, st1: 10 bytes each
	const void *memory; // result_size bytes when it was in memory
};

// Code REFUSED, naming the type, when an argument or the result cannot be passed exactly
// (__float128, _Float16, decimal floats, incomplete types, non-trivial classes, …), or when
// compilers differ on it and function->compiler does not tell which.
struct dc_error *abi_check(const struct type *function) DC_CHECK;
struct dc_error *abi_classify_call(const struct eval_call *call, struct abi_entry *ret) DC_CHECK;
// bytes: as many as the result's type has, malloc'd; NULL for void.
struct dc_error *abi_result(const struct eval_call *call, const struct abi_exit *exit,
			    unsigned char **bytes) DC_CHECK;

#endif
