// SPDX-License-Identifier: MIT
// What AddressSanitizer, ThreadSanitizer and Valgrind must be told. Of stack switches sched/fiber.h
// tells them.
#ifndef RUNTIME_BASE_SANITIZE_H
#define RUNTIME_BASE_SANITIZE_H

#include "runtime/base/base.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GORT__ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define GORT__TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define GORT__ASAN 1
#endif
// sched/ itself is built without instrumentation under TSan (its frames on system stacks are never
// left in order), so build.mk names the sanitizer.
#if defined(__SANITIZE_THREAD__) || defined(GORT_TSAN)
#define GORT__TSAN 1
#endif

// Weak: in a program with ASan the plain library finds them, in others there is nothing to tell.
// TSan follows every access, so that a program with it needs a library with it (gort.h sees to
// that).
void __sanitizer_start_switch_fiber(void **save, const void *lo, size_t size) __attribute__((weak));
void __sanitizer_finish_switch_fiber(void *saved, const void **lo_old, size_t *size_old)
	__attribute__((weak));
void __asan_unpoison_memory_region(const volatile void *p, size_t n) __attribute__((weak));
void __lsan_register_root_region(const void *p, size_t n) __attribute__((weak));

static inline bool gort__sanitized(void)
{
#if defined(GORT__ASAN) || defined(GORT__TSAN)
	return true;
#else
	return gort__unlikely(__sanitizer_start_switch_fiber != NULL);
#endif
}

// Memory that only goroutines' stacks point from.
gort__hidden void gort__tell_arena(void *mem, size_t size);
static inline void gort__san_arena(void *mem, size_t size)
{
	if (gort__sanitized())
		gort__tell_arena(mem, size);
}

// What happened before a release is seen after the acquire: of a goroutine that was made runnable
// and is switched to, and of other things where no goroutine is.
#ifdef GORT__TSAN
gort__hidden void gort__san_ready(void *p);
gort__hidden void gort__san_acquire(void *p);
#else
static inline void gort__san_ready(void *p)
{
	(void)p;
}

static inline void gort__san_acquire(void *p)
{
	(void)p;
}
#endif

// Valgrind's client requests: a few instructions that do nothing outside of it.
enum { VALGRIND_RUNNING = 0x1001, VALGRIND_STACK_REGISTER = 0x1501 };

static inline uint64_t gort__valgrind(uint64_t request, const void *a, const void *b)
{
	volatile uint64_t args[6] = { request, (uintptr_t)a, (uintptr_t)b, 0, 0, 0 };
	uint64_t ret = 0;

	__asm__ volatile(
		"rolq $3, %%rdi\n\trolq $13, %%rdi\n\trolq $61, %%rdi\n\trolq $51, %%rdi\n\t"
		"xchgq %%rbx, %%rbx"
		: "+d"(ret)
		: "a"(&args[0])
		: "cc", "memory", "rdi");
	return ret;
}

#endif
