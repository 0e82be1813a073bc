// SPDX-License-Identifier: MIT
// printf for places where stdio may not go: no allocation, no lock, no locale, async-signal-safe.
#ifndef RUNTIME_BASE_PRINT_H
#define RUNTIME_BASE_PRINT_H

#include "runtime/base/base.h"

#include <stdarg.h>

// %s %c %d %u %x %p %% with l/ll/z and a width; always terminates; returns the length it would have
// had.
gort__hidden size_t gort__vformat(char *buf, size_t n, const char *fmt, va_list ap);
gort__hidden size_t gort__format(char *buf, size_t n, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
// At most 1,024 bytes to stderr by one write(2).
gort__hidden void gort__print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
