// SPDX-License-Identifier: MIT
// Into a callee and back. Read by the assembler too: offsets are macros, checked below.
#ifndef AGENT_LIBRARY_ENTER_H
#define AGENT_LIBRARY_ENTER_H

#define ENTRY_ADDR	   0x00
#define ENTRY_GENERAL	   0x08
#define ENTRY_AL	   0x38
#define ENTRY_VECTOR_WIDTH 0x40
#define ENTRY_STACK	   0x48
#define ENTRY_STACK_SIZE   0x50
#define ENTRY_STACK_ALIGN  0x58 /* negated: a mask */
#define ENTRY_LEAVES_X87   0x60
#define ENTRY_FRAME	   0x68
#define ENTRY_RAX	   0x70
#define ENTRY_RDX	   0x78
#define ENTRY_X87	   0x80
#define ENTRY_LEFT	   0x100
#define ENTRY_VECTOR	   0x180

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

struct entry {
	uint64_t addr;
	uint64_t general[6];
	uint64_t al;
	uint64_t vector_width;
	const void *stack;
	uint64_t stack_size, stack_align;
	uint64_t leaves_x87;
	uint64_t frame; // of enter(), to which an escape leads; 0: the callee is not under way
	uint64_t rax, rdx;
	unsigned char x87[128]; // as fnsave stores it
	unsigned char left[2][64];
	unsigned char vector[8][64];
} __attribute__((aligned(64)));

#define ENTRY_AT(field, offset) _Static_assert(offsetof(struct entry, field) == offset, #field)
ENTRY_AT(addr, ENTRY_ADDR);
ENTRY_AT(general, ENTRY_GENERAL);
ENTRY_AT(al, ENTRY_AL);
ENTRY_AT(vector_width, ENTRY_VECTOR_WIDTH);
ENTRY_AT(stack, ENTRY_STACK);
ENTRY_AT(stack_size, ENTRY_STACK_SIZE);
ENTRY_AT(stack_align, ENTRY_STACK_ALIGN);
ENTRY_AT(leaves_x87, ENTRY_LEAVES_X87);
ENTRY_AT(frame, ENTRY_FRAME);
ENTRY_AT(rax, ENTRY_RAX);
ENTRY_AT(rdx, ENTRY_RDX);
ENTRY_AT(x87, ENTRY_X87);
ENTRY_AT(left, ENTRY_LEFT);
ENTRY_AT(vector, ENTRY_VECTOR);

// 0 when the callee has returned; 1 when a signal handler led to enter_escape; 2 when an exception
// left it, which rax is then.
int enter(struct entry *entry);
// Where the unwinder of an exception leads.
extern const char enter_caught[];
// Where a handler points RIP, with RBP = entry->frame, to take a callee back.
extern const char enter_escape[], enter_end[];
// The same without a handler: on the thread itself.
_Noreturn void enter_leave(uint64_t frame);
#endif
#endif
