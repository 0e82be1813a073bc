// SPDX-License-Identifier: MIT
// On which instructions a breakpoint may be that is none of the processor's.
#ifndef DEBUGGER_ARCH_X86_64_PROBING_H
#define DEBUGGER_ARCH_X86_64_PROBING_H

#include <stddef.h>
#include <stdint.h>

// Why no uprobe may be on the first instruction of code[0..n), which lies at addr; NULL: it may. The
// kernel runs the instruction elsewhere, and a thread stops behind it: it must be one that runs there
// as it does here, and that the general registers as they were before undo, so that it can run once
// more.
const char *probing_refuses(const unsigned char *code, size_t n, uint64_t addr);
// Why the trap flag may lead no thread over it, as is done where code is patched.
const char *stepping_refuses(const unsigned char *code, size_t n, uint64_t addr);

#endif
