// SPDX-License-Identifier: MIT
// Machine code as text, with the names of what it refers to.
#ifndef DEBUGGER_CONTROL_DISASSEMBLE_H
#define DEBUGGER_CONTROL_DISASSEMBLE_H

#include "debugger/symbols/symbols.h"

// The instructions of code[0..n), which lies at addr. What is none is one of a byte, "(bad)".
struct dc_error *disassemble(struct symbols *symbols, const unsigned char *code, size_t n,
			     uint64_t addr, bool (*visit)(const struct dc_instruction *, void *),
			     void *arg) DC_CHECK;

#endif
