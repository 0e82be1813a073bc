// SPDX-License-Identifier: MIT
// What AddressSanitizer, ThreadSanitizer and Valgrind must be told about goroutine stacks. Nothing in other builds.
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
// sched/ itself is built without instrumentation under TSan (its frames on system stacks are never left in order), so
// build.mk names the sanitizer.
#if defined(__SANITIZE_THREAD__) || defined(GORT_TSAN)
#define GORT__TSAN 1
#endif

struct g;
struct m;

#if defined(GORT__ASAN) || defined(GORT__TSAN)
#define GORT__SAN 1
// Around every switch: before leaving a goroutine's stack for the system stack, after arriving there, and the reverse.
gort__hidden void gort__san_to_system(struct g *g, struct m *m, bool for_ever);
gort__hidden void gort__san_on_system(struct m *m);
gort__hidden void gort__san_to_g(struct m *m, struct g *g);
gort__hidden void gort__san_on_g(void);
// A goroutine is made; it was made runnable; its stack is free.
gort__hidden void gort__san_make(struct g *g);
gort__hidden void gort__san_ready(void *g);
gort__hidden void gort__san_end(struct g *g);
// Pairs with gort__san_ready where no goroutine is switched to.
gort__hidden void gort__san_acquire(void *p);
gort__hidden void gort__san_arena(void *mem, size_t size);
#else
static inline void gort__san_to_system(struct g *g, struct m *m, bool for_ever)
{
	(void)g, (void)m, (void)for_ever;
}
static inline void gort__san_on_system(struct m *m)
{
	(void)m;
}
static inline void gort__san_to_g(struct m *m, struct g *g)
{
	(void)m, (void)g;
}
static inline void gort__san_on_g(void)
{
}
static inline void gort__san_make(struct g *g)
{
	(void)g;
}
static inline void gort__san_ready(void *g)
{
	(void)g;
}
static inline void gort__san_acquire(void *p)
{
	(void)p;
}
static inline void gort__san_end(struct g *g)
{
	(void)g;
}
static inline void gort__san_arena(void *mem, size_t size)
{
	(void)mem, (void)size;
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
