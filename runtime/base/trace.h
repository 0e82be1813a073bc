// SPDX-License-Identifier: MIT
// GORTDEBUG=trace: a ring of what the runtime did, written to stderr when the process ends. Switches
// between goroutines are not in it: those are to cost nothing, and what is costs one test while it
// is off.
#ifndef RUNTIME_BASE_TRACE_H
#define RUNTIME_BASE_TRACE_H

#include "runtime/base/debug.h"

// Any thread, any stack, in signal handlers too, general registers only.
gort__hidden void gort__trace_add(const char *event, const char *status, long number,
				  const void *pc);

// event and status (may be NULL) are kept as they are, not copied. A number or PC of 0 is not
// printed.
gort__inline void gort__trace(const char *event, const char *status, long number, const void *pc)
{
	if (gort__unlikely(gort__debug.trace))
		gort__trace_add(event, status, number, pc);
}

gort__hidden void gort__trace_init(void);
// Oldest first. What is being added meanwhile is left out.
gort__hidden void gort__trace_write(void);

#endif
