// SPDX-License-Identifier: MIT
// What a callee may reach, read off its code: a thread that waits inside stdio, with a FILE locked,
// can be called only by functions that stay away from stdio. Entering the target's own runtime
// counts as reaching everything: it needs a goroutine, and runs others meanwhile.
#ifndef DEBUGGER_INJECT_SAFEPOINT_CALLEE_REACH_H
#define DEBUGGER_INJECT_SAFEPOINT_CALLEE_REACH_H

#include "debugger/symbols/symbols.h"

// True: the function is a known leaf of libc, or its code and all that it calls was followed and
// ends in such. What cannot be followed (calls through registers, jump tables) counts as reaching
// everything. [runtime_start, runtime_end): the runtime's code, empty when there is none.
bool callee_avoids_stdio(struct process *process, struct symbols *symbols, uint64_t runtime_start,
			 uint64_t runtime_end, uint64_t addr);

#endif
