// SPDX-License-Identifier: MIT
// Waiting in memory that is shared with another process, by raw system calls: errno stays.
#ifndef AGENT_LIBRARY_FUTEX_H
#define AGENT_LIBRARY_FUTEX_H

#include <linux/futex.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>

static inline long raw_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

// While *word is value; timeout_ns < 0: for as long as it takes.
static inline void futex_wait(uint32_t *word, uint32_t value, int64_t timeout_ns)
{
	enum { SECOND_NS = 1000 * 1000 * 1000 };
	struct timespec timeout = { .tv_sec = timeout_ns / SECOND_NS,
				    .tv_nsec = timeout_ns % SECOND_NS };

	raw_syscall(SYS_futex, (long)word, FUTEX_WAIT, (long)value,
		    timeout_ns < 0 ? 0 : (long)&timeout, 0, 0);
}

static inline void futex_wake(uint32_t *word)
{
	raw_syscall(SYS_futex, (long)word, FUTEX_WAKE, INT32_MAX, 0, 0, 0);
}

static inline int64_t now_ns(void)
{
	enum { SECOND_NS = 1000 * 1000 * 1000 };
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * (int64_t)SECOND_NS + now.tv_nsec;
}

#endif
