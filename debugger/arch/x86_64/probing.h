// SPDX-License-Identifier: MIT
// On which instructions a uprobe may be. The kernel runs the instruction elsewhere, and a thread
// stops behind it: it must be one that runs there as it does here, and that the general registers as
// they were before undo, so that it can run once more.
#ifndef DEBUGGER_ARCH_X86_64_PROBING_H
#define DEBUGGER_ARCH_X86_64_PROBING_H

#include <stddef.h>
#include <stdint.h>

// Why none may be on the first instruction of code[0..n), which lies at addr; NULL: it may.
const char *probing_refuses(const unsigned char *code, size_t n, uint64_t addr);

#endif
