// SPDX-License-Identifier: MIT
// How far a function has moved its stack pointer, read off its instructions: for code that comes
// without unwind tables.
#ifndef DEBUGGER_ARCH_X86_64_PROLOGUE_H
#define DEBUGGER_ARCH_X86_64_PROLOGUE_H

#include "debugger/debugcall.h"

enum { PROLOGUE_REACH = 65536 }; // no further from a function's start than this

struct prologue {
	bool by_rbp; // the CFA is rbp + offset, not rsp + offset
	int64_t offset;
	bool has_frame_pointer;
	int64_t frame_pointer; // the CFA minus rbp
	int64_t saved
		[17]; // by DWARF number: the register lies at CFA - saved; 0: still in the register
};

// code: n bytes from the function's start on, pc among them. false: the depth at pc is not certain.
bool prologue_follow(const unsigned char *code, size_t n, uint64_t start, uint64_t pc,
		     struct prologue *ret);

#endif
