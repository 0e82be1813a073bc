// SPDX-License-Identifier: MIT
// What a signal handler needs of panics.
#ifndef RUNTIME_FAULT_PANIC_H
#define RUNTIME_FAULT_PANIC_H

#include "runtime/gort.h"
#include "runtime/base/base.h"

// Panics on the calling goroutine, on its stack, outside the runtime.
_Noreturn gort__hidden void gort__panic(const struct gort_panic *what);

#endif
