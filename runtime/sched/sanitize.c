// SPDX-License-Identifier: MIT
// Tells the sanitizers about stack switches. Empty in other builds.
#include "runtime/base/sanitize.h"
#include "runtime/sched/core.h"

#ifdef GORT__ASAN
void __sanitizer_start_switch_fiber(void **save, const void *lo, size_t size);
void __sanitizer_finish_switch_fiber(void *saved, const void **lo_old, size_t *size_old);
void __asan_unpoison_memory_region(const volatile void *p, size_t n);
void __lsan_register_root_region(const void *p, size_t n);
#endif
#ifdef GORT__TSAN
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
void __tsan_acquire(void *p);
void __tsan_release(void *p);
#endif

#ifdef GORT__SAN
void gort__san_to_system(struct g *g, struct m *m, bool for_ever)
{
#ifdef GORT__ASAN
	__sanitizer_start_switch_fiber(for_ever ? NULL : &g->asan_fake_stack, m->asan_stack_lo,
				       m->asan_stack_size);
#endif
#ifdef GORT__TSAN
	__tsan_switch_to_fiber(m->tsan_fiber, 0);
#endif
	(void)g, (void)m, (void)for_ever;
}

void gort__san_on_system(struct m *m)
{
#ifdef GORT__ASAN
	__sanitizer_finish_switch_fiber(NULL, NULL, NULL);
#endif
	(void)m;
}

void gort__san_to_g(struct m *m, struct g *g)
{
#ifdef GORT__ASAN
	// The frames of the scheduler above are left for good, and their red zones with them.
	char *here = __builtin_frame_address(0);
	if (here < (char *)m->sys_sp)
		__asan_unpoison_memory_region(here, (size_t)((char *)m->sys_sp - here));
	__sanitizer_start_switch_fiber(NULL, g->stack.lo, (size_t)(g->stack.hi - g->stack.lo));
#endif
#ifdef GORT__TSAN
	m->tsan_fiber = __tsan_get_current_fiber();
	__tsan_acquire(g);
	__tsan_switch_to_fiber(g->tsan_fiber, 0);
#endif
	(void)m, (void)g;
}

void gort__san_on_g(void)
{
#ifdef GORT__ASAN
	struct m *m = gort__self();
	const void *lo;

	__sanitizer_finish_switch_fiber(m->curg->asan_fake_stack, &lo, &m->asan_stack_size);
	m->asan_stack_lo = (void *)lo;
#endif
}

void gort__san_make(struct g *g)
{
#ifdef GORT__ASAN
	g->asan_fake_stack = NULL;
#endif
#ifdef GORT__TSAN
	// Its memory's last user may have ended on another thread.
	__tsan_acquire(g);
	g->tsan_fiber = __tsan_create_fiber(0);
#endif
	(void)g;
}

void gort__san_ready(void *g)
{
#ifdef GORT__TSAN
	__tsan_release(g);
#endif
	(void)g;
}

void gort__san_acquire(void *p)
{
#ifdef GORT__TSAN
	__tsan_acquire(p);
#endif
	(void)p;
}

void gort__san_end(struct g *g)
{
#ifdef GORT__ASAN
	// The frames that ended with it were never left, so their red zones are still marked.
	__asan_unpoison_memory_region(g->stack.lo, (size_t)(g->stack.hi - g->stack.lo));
#endif
#ifdef GORT__TSAN
	__tsan_destroy_fiber(g->tsan_fiber);
	g->tsan_fiber = NULL;
	__tsan_release(g);
#endif
	(void)g;
}

void gort__san_arena(void *mem, size_t size)
{
#ifdef GORT__ASAN
	// Otherwise what only a goroutine's stack points to counts as leaked.
	__lsan_register_root_region(mem, size);
#endif
	(void)mem, (void)size;
}
#else
typedef int gort__nothing_to_tell;
#endif
