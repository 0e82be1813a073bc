// SPDX-License-Identifier: MIT
// What the sanitizers are told of memory and of order.
#include "runtime/base/sanitize.h"

#ifdef GORT__TSAN
void __tsan_acquire(void *p);
void __tsan_release(void *p);

void gort__tell_arena(void *mem, size_t size)
{
	(void)mem, (void)size;
}

void gort__san_ready(void *p)
{
	__tsan_release(p);
}

void gort__san_acquire(void *p)
{
	__tsan_acquire(p);
}
#else
void gort__tell_arena(void *mem, size_t size)
{
	// Otherwise what only a goroutine's stack points to counts as leaked.
	__lsan_register_root_region(mem, size);
}
#endif
