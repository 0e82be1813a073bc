// SPDX-License-Identifier: MIT
// The end of the process, with everybody's stack.
#ifndef RUNTIME_FAULT_FATAL_H
#define RUNTIME_FAULT_FATAL_H

#include "runtime/fault/traceback.h"

// Prints why, freezes, prints every goroutine, exits with status 2. reason ends in a newline. regs:
// where it happened, NULL for here. internals: the runtime itself is at fault, so its own frames
// matter.
_Noreturn gort__hidden void gort__die(const char *reason, const struct unwind_regs *regs,
				      bool internals);

// The calling thread is the one that dies.
gort__hidden bool gort__dying_here(void);

// After the report: file names and lines of all places in it, by a child with a deadline.
gort__hidden void gort__symbolise(struct trace *t);

#endif
