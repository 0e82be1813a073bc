// SPDX-License-Identifier: MIT
// The program's allocator. It may be held by a goroutine that waits for a P, so nobody who has one
// inside the runtime may wait for it, and nobody who holds a lock of the runtime: it is called as if
// by the goroutine, outside of enter and leave. Debug builds see to that. What is made and dropped
// elsewhere comes from slabs.
#ifndef RUNTIME_SCHED_HEAP_H
#define RUNTIME_SCHED_HEAP_H

#include "runtime/base/base.h"
#include "runtime/base/lock.h"

#include <stdlib.h>

#ifdef GORT_DEBUG
gort__hidden void gort__may_allocate(void);
#else
static inline void gort__may_allocate(void)
{
}
#endif

static inline void *gort__malloc(size_t n)
{
	gort__may_allocate();
	return malloc(n);
}

static inline void *gort__realloc(void *p, size_t n)
{
	gort__may_allocate();
	return realloc(p, n);
}

// NULL: no memory.
static inline void *gort__memalign(size_t align, size_t n)
{
	void *p;

	gort__may_allocate();
	return posix_memalign(&p, align, n) ? NULL : p;
}

static inline void gort__free(void *p)
{
	gort__may_allocate();
	free(p);
}

// Objects of one size in memory of the runtime's own, reused for ever.
struct slab {
	struct lock lock; // RANK_LEAF
	size_t size; // a multiple of the alignment, which is at most a page
	void *free; // each begins with the next
	char *next, *end; // what is left of the newest mapping
};

#define GORT__SLAB_INIT(bytes)                                 \
	{                                                      \
		.lock = GORT__LOCK_INIT(LEAF), .size = (bytes) \
	}

// Anywhere. NULL: no memory. What is in it is not defined.
gort__hidden void *gort__slab_get(struct slab *slab);
gort__hidden void gort__slab_put(struct slab *slab, void *object);

#endif
