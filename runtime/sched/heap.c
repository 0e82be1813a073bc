// SPDX-License-Identifier: MIT
// Slabs, and debug builds' check of who allocates where.
#include "runtime/sched/heap.h"
#include "runtime/base/sanitize.h"
#include "runtime/base/throw.h"
#include "runtime/sched/sched.h"

#include <sys/mman.h>

enum { MAPPING = 64 << 10 };

void *gort__slab_get(struct slab *slab)
{
	void *object;

	gort__lock(&slab->lock);
	object = slab->free;
	if (object) {
		slab->free = *(void **)object;
	} else {
		if ((size_t)(slab->end - slab->next) < slab->size) {
			char *mem = mmap(NULL, MAPPING, PROT_READ | PROT_WRITE,
					 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			if (mem == MAP_FAILED) {
				gort__unlock(&slab->lock);
				return NULL;
			}
			gort__san_arena(mem, MAPPING);
			slab->next = mem;
			slab->end = mem + MAPPING;
		}
		object = slab->next;
		slab->next += slab->size;
	}
	gort__unlock(&slab->lock);
	gort__san_acquire(object);
	return object;
}

void gort__slab_put(struct slab *slab, void *object)
{
	gort__san_ready(object);
	gort__lock(&slab->lock);
	*(void **)object = slab->free;
	slab->free = object;
	gort__unlock(&slab->lock);
}

#ifdef GORT_DEBUG
void gort__may_allocate(void)
{
	struct m *m = gort__self();

	if (gort__locks_held())
		gort__throw("the allocator is called under a lock of the runtime");
	if (m && gort__load(&m->in_runtime) && m->p && gort__load(&m->retake) < RETAKE_TAKEN)
		gort__throw("the allocator is called inside the runtime with a P");
}
#endif
