// SPDX-License-Identifier: MIT
// Where a thread-local variable lies, read off a function that does nothing but give its address:
// C libraries export such a one for errno, and not the variable.
#ifndef DEBUGGER_ARCH_X86_64_THREAD_LOCAL_H
#define DEBUGGER_ARCH_X86_64_THREAD_LOCAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct thread_local_place {
	int64_t offset; // from the thread pointer
	uint64_t slot; // not 0: the word there is to be added
};
// code: n bytes from the function's first instruction, at addr, on. false: it does something else.
bool thread_local_follow(const unsigned char *code, size_t n, uint64_t addr,
			 struct thread_local_place *ret);

#endif
