// SPDX-License-Identifier: MIT
// The registers and stack bytes of Go's ABIInternal on amd64: what a callee is entered with, and
// what it leaves. Which value goes where follows from the types; lang/go finds that.
#ifndef DEBUGGER_ARCH_X86_64_GO_ABI_H
#define DEBUGGER_ARCH_X86_64_GO_ABI_H

#include <stdbool.h>
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

// One scalar of a value.
struct go_abi_scalar {
	uint64_t offset;
	uint8_t size; // at most eight bytes
	bool is_float;
};
enum { GO_ABI_SCALARS = GO_ABI_GENERAL + GO_ABI_FLOATS };
struct go_abi_value {
	uint64_t size;
	uint32_t align;
	// An array of more than one element, or more than there can be registers for.
	bool in_memory;
	struct go_abi_scalar scalar[GO_ABI_SCALARS];
	unsigned nr_scalars;
	// Where it goes, by go_abi_assign().
	bool in_registers;
	unsigned general, floats; // the first ones
	uint64_t stack; // its offset there; of an argument in registers: where it is spilled
};
// Receiver and arguments in order, then the results, each on its own; returns the stack's size.
size_t go_abi_assign(struct go_abi_value *args, size_t nr_args, struct go_abi_value *results,
		     size_t nr_results);
// The registers of a value by their DWARF numbers (psABI figure 3.36), a bit for each.
uint64_t go_abi_registers(const struct go_abi_value *value);
// The bytes of an argument to where they go; those of a result from there.
void go_abi_put(const struct go_abi_value *value, const unsigned char *bytes,
		struct go_abi_entry *entry);
void go_abi_get(const struct go_abi_value *value, const struct go_abi_exit *exit,
		unsigned char *bytes);

#endif
