// SPDX-License-Identifier: MIT
// What a callee may reach, read off its code: a thread that waits inside stdio, with a FILE locked, can
// be called only by functions that stay away from stdio.
#ifndef DEBUGGER_CALL_CALLEE_H
#define DEBUGGER_CALL_CALLEE_H

#include "debugger/symbols/symbols.h"

// True: the function is a known leaf of libc, or its code and all that it calls was followed and ends in
// such. What cannot be followed (calls through registers, jump tables) counts as reaching everything.
bool callee_avoids_stdio(struct process *process, struct symbols *symbols, uint64_t addr);

#endif
