// SPDX-License-Identifier: MIT
// Dying: what every floor may need. fault/ defines it.
#ifndef RUNTIME_BASE_THROW_H
#define RUNTIME_BASE_THROW_H

#include "runtime/base/base.h"

// Set once the process is dying; every door of the scheduler looks at it (gort__freeze_check).
extern gort__hidden uint32_t gort__freezing;

// Stops the calling M for good.
_Noreturn gort__hidden void gort__freeze_stop(void);

static inline void gort__freeze_check(void)
{
	if (gort__unlikely(gort__load(&gort__freezing)))
		gort__freeze_stop();
}

// A defect of the runtime itself: "fatal error: msg", freeze, every stack, exit 2. Any stack, any
// lock held.
_Noreturn gort__hidden void gort__throw(const char *msg);
// The same for a mistake of the program that cannot be a panic.
_Noreturn gort__hidden void gort__fatal(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
