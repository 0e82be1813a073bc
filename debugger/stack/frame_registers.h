// SPDX-License-Identifier: MIT
// The registers of one frame, and which of them are known. One that is not is never taken for a
// value: what needs it is proven otherwise, or the walk ends there and says so.
#ifndef DEBUGGER_STACK_FRAME_REGISTERS_H
#define DEBUGGER_STACK_FRAME_REGISTERS_H

#include "debugger/arch/x86_64/registers.h"

struct frame_registers {
	uint64_t value[REGISTERS_DWARF]; // by DWARF number; 0 when unknown
	uint32_t known; // a bit for each
};

enum {
	REGISTERS_ALL = (1 << REGISTERS_DWARF) - 1,
	REGISTERS_PLACE = 1 << REGISTER_RSP | 1 << REGISTER_RIP, // what /proc tells of a sleeper
	// What a frame pointer tells of the caller.
	REGISTERS_POINTED = REGISTERS_PLACE | 1 << REGISTER_RBP,
	// What a function gives back to its caller as it was.
	REGISTERS_SAVED = REGISTERS_POINTED | 1 << REGISTER_RBX | 0xf << REGISTER_R12,
};

static inline bool register_is_known(const struct frame_registers *registers, int reg)
{
	return registers->known >> reg & 1;
}
static inline void register_learn(struct frame_registers *registers, int reg, uint64_t value)
{
	registers->value[reg] = value;
	registers->known |= UINT32_C(1) << reg;
}
// Those outside of the mask are not known from here on.
static inline void registers_keep(struct frame_registers *registers, uint32_t mask)
{
	registers->known &= mask;
	for (int i = 0; i < REGISTERS_DWARF; i++) {
		if (!register_is_known(registers, i))
			registers->value[i] = 0;
	}
}

#endif
