// SPDX-License-Identifier: MIT
// System calls without libc: no errno, no cancellation point, no lazy binding, nothing a sanitizer
// wraps.
#ifndef RUNTIME_BASE_RAW_H
#define RUNTIME_BASE_RAW_H

#include "runtime/base/base.h"

#include <sys/syscall.h>

// Always in line, so that a function without instrumentation calls none with it.
gort__inline long gort__raw(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

#endif
