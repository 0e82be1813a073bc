// SPDX-License-Identifier: MIT
// The registers and stack bytes of the System V x86-64 calling convention (psABI 3.2.3). Where a
// value goes follows from the classes of its eightbytes; inject/classify finds those of a type.
#ifndef DEBUGGER_ARCH_X86_64_ABI_H
#define DEBUGGER_ARCH_X86_64_ABI_H

#include "debugger/base/error.h"

#include <stdbool.h>
#include <stdint.h>

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
	bool leaves_vector; // all or part of a result in xmm0
	bool leaves_more; // a result in rdx, xmm1 or the upper parts of a vector register
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

// What a function that returns an integer or a pointer gave back.
uint64_t abi_first_integer(const struct abi_exit *exit);

enum abi_class {
	ABI_NO_CLASS,
	ABI_INTEGER,
	ABI_SSE,
	ABI_SSEUP, // the next eightbyte of the same vector register
	ABI_X87,
	ABI_X87UP,
	ABI_COMPLEX_X87,
	ABI_MEMORY,
};

enum { ABI_WORDS = 8 }; // nothing above eight eightbytes is passed in registers

struct abi_value {
	enum abi_class word[ABI_WORDS];
	bool in_memory; // a member lies off its natural alignment, or the whole is too large
};
// One scalar at offset: first class in its first eightbyte, rest in those that follow.
void abi_put(struct abi_value *value, uint64_t offset, uint64_t size, uint64_t align,
	     enum abi_class first, enum abi_class rest);
// After the last scalar: what of the whole cannot be in registers (psABI 3.2.3, "post merger").
void abi_settle(struct abi_value *value, uint64_t size, bool is_aggregate);
// Registers an argument asks for; false: it goes to the stack, whatever is free.
bool abi_count(const struct abi_value *value, uint64_t words, unsigned *general, unsigned *vector);

struct abi_placer {
	struct abi_entry *entry;
	unsigned general, vector; // registers taken
};
// False: it does not fit in what is left.
bool abi_place_in_registers(struct abi_placer *placer, const struct abi_value *value,
			    const unsigned char *bytes, uint64_t size);
struct dc_error *abi_place_on_stack(struct abi_entry *entry, const unsigned char *bytes,
				    uint64_t size, uint64_t align) DC_CHECK;
// What of the entry depends on the result's type, which is not void.
void abi_expect_result(struct abi_entry *entry, const struct abi_value *value, uint64_t size,
		       uint64_t align);
void abi_take_result(const struct abi_value *value, const struct abi_exit *exit, uint64_t size,
		     unsigned char *result);

#endif
