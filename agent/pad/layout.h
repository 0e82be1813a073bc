// SPDX-License-Identifier: MIT
// The landing pad as it lies in a target: one page of code, then data that both sides know.
// Read by the assembler too: offsets are macros, checked against the structure below.
#ifndef AGENT_PAD_LAYOUT_H
#define AGENT_PAD_LAYOUT_H

#define PAD_DATA	   0x1000 /* from the start of the code page */
#define PAD_DATA_SIZE	   0x2000
#define PAD_HOME	   (PAD_DATA + PAD_DATA_SIZE) /* a way home, when the thread's stack has none */
#define PAD_HOME_SIZE	   0x5000
#define PAD_ARGUMENTS	   (PAD_HOME + PAD_HOME_SIZE) /* stack bytes of a call */
#define PAD_ARGUMENTS_SIZE 0x10000
#define PAD_RESULT	   (PAD_ARGUMENTS + PAD_ARGUMENTS_SIZE) /* a result in memory */
#define PAD_RESULT_SIZE	   0x10000
#define PAD_TIMES	   (PAD_RESULT + PAD_RESULT_SIZE) /* ticks of each call of a loop, 4 bytes each */
#define PAD_TIMES_MAX	   0x8000
#define PAD_SIZE	   (PAD_TIMES + PAD_TIMES_MAX * 4)
#define PAD_LITERALS_FIRST 0x10000 /* bytes behind the pad that come with it and may stay */

#define PAD_CALLEE	0x00
#define PAD_STACK	0x08
#define PAD_GENERAL	0x10
#define PAD_AL		0x40
#define PAD_STACK_BYTES 0x48
#define PAD_VECTORS	0x50
#define PAD_CONTROL	0x58
#define PAD_MASK	0x60
#define PAD_HANDSHAKE	0x68
#define PAD_WAY_HOME	0x70
#define PAD_STACK_SIZE	0x78
#define PAD_NAME_SIZE	0x80
#define PAD_CALLS	0x88
#define PAD_SLICE	0x90
#define PAD_LITERALS	0x98
#define PAD_ERRNO	0xa0
#define PAD_ERRNO_OWN	0xa8
#define PAD_GET_GLOBALS 0xb0
#define PAD_END_CATCH	0xb8
#define PAD_FORCED	0xc0
#define PAD_PID		0xc8
#define PAD_TID		0xd0
#define PAD_RETURNED	0xd8
#define PAD_RAX		0xe0
#define PAD_RDX		0xe8
#define PAD_LOOPS	0xf0
#define PAD_BEGUN	0xf8
#define PAD_STARTED	0x100
#define PAD_ENDED	0x108
#define PAD_TSC		0x110
#define PAD_GLOBALS	0x118
#define PAD_THREW	0x120
#define PAD_VECTOR_IN	0x140
#define PAD_VECTOR_OUT	0x340
#define PAD_LEGACY	0x3c0
#define PAD_DATA_USED	0x5c0

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

struct pad_data {
	// What the debugger says: everything up to PAD_PID.
	uint64_t callee;
	uint64_t stack; // where the stack arguments begin; the return address goes below
	uint64_t general[6]; // rdi rsi rdx rcx r8 r9
	uint64_t al;
	uint64_t stack_bytes; // of PAD_ARGUMENTS that are copied to the stack, a multiple of 8
	uint64_t vectors; // enum vectors: the widest registers there are
	uint32_t mxcsr;
	uint16_t fcw, reserved;
	uint64_t mask; // signal mask of the conversation, bit signo-1
	uint64_t handshake; // signal; 0: none is sent, the system call alone is the handshake
	uint64_t way_home; // ucontext of the way home
	uint64_t stack_size; // bytes right below the pad that become writable
	uint64_t name_size; // bytes from the start on that get a name; 0: none
	uint64_t calls; // that the pad may make by itself; 1: it asks for no clock
	uint64_t slice; // ticks, after which it begins none any more
	uint64_t literals_size; // bytes behind PAD_SIZE that get a name of their own; 0: none
	uint64_t errno_addr; // of the thread, which has errno_own there when it is home; 0: none
	uint64_t errno_own;
	// Of the C++ runtime, where the callee may throw: __cxa_get_globals, __cxa_end_catch,
	// _Unwind_ForcedUnwind.
	uint64_t get_globals, end_catch, forced_unwind;
	// What the thread says.
	uint64_t pid, tid; // its own ids in its own namespace
	uint64_t returned; // counts calls that came back
	uint64_t rax, rdx;
	uint64_t loops; // it makes the calls by itself: it has a clock, and a fork wipes this
	uint64_t begun; // ticks when it began to
	uint64_t started, ended; // ticks of the last call
	uint64_t tsc; // what the kernel says of the thread's right to the clock
	uint64_t globals; // of its exceptions, while one is unwound
	uint64_t threw; // calls that an exception left
	uint64_t unused[3];
	unsigned char vector_in[8][64]; // zmm0-7, the caller's as far as they are used
	unsigned char vector_out[2][64]; // zmm0, zmm1
	unsigned char legacy[512]; // fxsave64: x87 registers, xmm
};
#define PAD_CHECK(offset, field) \
	_Static_assert(offsetof(struct pad_data, field) == (offset), #field)
PAD_CHECK(PAD_CALLEE, callee);
PAD_CHECK(PAD_STACK, stack);
PAD_CHECK(PAD_GENERAL, general);
PAD_CHECK(PAD_AL, al);
PAD_CHECK(PAD_STACK_BYTES, stack_bytes);
PAD_CHECK(PAD_VECTORS, vectors);
PAD_CHECK(PAD_CONTROL, mxcsr);
PAD_CHECK(PAD_MASK, mask);
PAD_CHECK(PAD_HANDSHAKE, handshake);
PAD_CHECK(PAD_WAY_HOME, way_home);
PAD_CHECK(PAD_STACK_SIZE, stack_size);
PAD_CHECK(PAD_NAME_SIZE, name_size);
PAD_CHECK(PAD_CALLS, calls);
PAD_CHECK(PAD_SLICE, slice);
PAD_CHECK(PAD_LITERALS, literals_size);
PAD_CHECK(PAD_ERRNO, errno_addr);
PAD_CHECK(PAD_ERRNO_OWN, errno_own);
PAD_CHECK(PAD_GET_GLOBALS, get_globals);
PAD_CHECK(PAD_END_CATCH, end_catch);
PAD_CHECK(PAD_FORCED, forced_unwind);
PAD_CHECK(PAD_PID, pid);
PAD_CHECK(PAD_TID, tid);
PAD_CHECK(PAD_RETURNED, returned);
PAD_CHECK(PAD_RAX, rax);
PAD_CHECK(PAD_RDX, rdx);
PAD_CHECK(PAD_LOOPS, loops);
PAD_CHECK(PAD_BEGUN, begun);
PAD_CHECK(PAD_STARTED, started);
PAD_CHECK(PAD_ENDED, ended);
PAD_CHECK(PAD_TSC, tsc);
PAD_CHECK(PAD_GLOBALS, globals);
PAD_CHECK(PAD_THREW, threw);
PAD_CHECK(PAD_VECTOR_IN, vector_in);
PAD_CHECK(PAD_VECTOR_OUT, vector_out);
PAD_CHECK(PAD_LEGACY, legacy);
_Static_assert(sizeof(struct pad_data) == PAD_DATA_USED, "pad_data");

// The code page's bytes, and places in them. Its first bytes are an undefined instruction and a
// version, by which a pad without a name is known too.
extern const unsigned char pad_start[], pad_setup[], pad_entry[], pad_return[], pad_handshake[],
	pad_unwind[], pad_end[];
extern const char pad_name_code[], pad_name_literals[];
#endif

#endif
