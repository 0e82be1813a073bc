// SPDX-License-Identifier: MIT
// The few words every room of the runtime uses: branch hints, plain-store atomics, visibility.
#ifndef RUNTIME_BASE_BASE_H
#define RUNTIME_BASE_BASE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Everything internal is hidden: only what gort.h marks leaves the library.

#define gort__hidden	  __attribute__((visibility("hidden")))
#define gort__inline	  static inline __attribute__((always_inline))
#define gort__cold	  __attribute__((cold, noinline))
#define gort__likely(x)	  __builtin_expect(!!(x), 1)
#define gort__unlikely(x) __builtin_expect(!!(x), 0)

#define gort__container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

// Relaxed and release forms that compile to plain moves on x86: the owner of a field may write it
// without a locked instruction while others look on.
#define gort__load(p)		  __atomic_load_n((p), __ATOMIC_RELAXED)
#define gort__load_acquire(p)	  __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define gort__store(p, v)	  __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define gort__store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define gort__xchg(p, v)	  __atomic_exchange_n((p), (v), __ATOMIC_ACQ_REL)
#define gort__add(p, v)		  __atomic_add_fetch((p), (v), __ATOMIC_ACQ_REL)
#define gort__cas(p, old, new) \
	__atomic_compare_exchange_n((p), (old), (new), false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)
#define gort__fence()	__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define gort__barrier() __asm__ volatile("" ::: "memory")

enum {
	GORT__PAGE = 4096,
	GORT__ERRNO_MAX = 4095, // a system call's result from -GORT__ERRNO_MAX to -1 is an error
};

// The first byte of an address's page.
static inline uintptr_t gort__page_of(uintptr_t address)
{
	return address & -(uintptr_t)GORT__PAGE;
}

static inline void gort__relax(void)
{
	__builtin_ia32_pause();
}

#endif
