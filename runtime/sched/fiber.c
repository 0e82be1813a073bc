// SPDX-License-Identifier: MIT
// Tells the sanitizers about stack switches.
#include "runtime/sched/fiber.h"
#include "runtime/sched/core.h"

#ifdef GORT__TSAN
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
void __tsan_acquire(void *p);
void __tsan_release(void *p);

void gort__tell_to_system(struct g *g, struct m *m, bool for_ever)
{
	(void)g, (void)for_ever;
	__tsan_switch_to_fiber(m->tsan_fiber, 0);
}

void gort__tell_on_system(struct m *m)
{
	(void)m;
}

void gort__tell_to_g(struct m *m, struct g *g)
{
	m->tsan_fiber = __tsan_get_current_fiber();
	__tsan_acquire(g);
	__tsan_switch_to_fiber(g->tsan_fiber, 0);
}

void gort__tell_on_g(void)
{
}

void gort__tell_make(struct g *g)
{
	// Its memory's last user may have ended on another thread.
	__tsan_acquire(g);
	g->tsan_fiber = __tsan_create_fiber(0);
}

void gort__tell_end(struct g *g)
{
	__tsan_destroy_fiber(g->tsan_fiber);
	g->tsan_fiber = NULL;
	__tsan_release(g);
}

#else
void gort__tell_to_system(struct g *g, struct m *m, bool for_ever)
{
	__sanitizer_start_switch_fiber(for_ever ? NULL : &g->asan_fake_stack, m->asan_stack_lo,
				       m->asan_stack_size);
}

void gort__tell_on_system(struct m *m)
{
	(void)m;
	__sanitizer_finish_switch_fiber(NULL, NULL, NULL);
}

void gort__tell_to_g(struct m *m, struct g *g)
{
#ifdef GORT__ASAN
	// The frames of the scheduler above are left for good, and their red zones with them.
	char *here = __builtin_frame_address(0);
	if (here < (char *)m->sys_sp)
		__asan_unpoison_memory_region(here, (size_t)((char *)m->sys_sp - here));
#else
	(void)m;
#endif
	__sanitizer_start_switch_fiber(NULL, g->stack.lo, (size_t)(g->stack.hi - g->stack.lo));
}

void gort__tell_on_g(void)
{
	struct m *m = gort__self();
	const void *lo;

	__sanitizer_finish_switch_fiber(m->curg->asan_fake_stack, &lo, &m->asan_stack_size);
	m->asan_stack_lo = (void *)lo;
}

void gort__tell_make(struct g *g)
{
	g->asan_fake_stack = NULL;
}

void gort__tell_end(struct g *g)
{
	// The frames that ended with it were never left, so their red zones are still marked.
	__asan_unpoison_memory_region(g->stack.lo, (size_t)(g->stack.hi - g->stack.lo));
}

#endif

static void told(struct g *g, struct m *m)
{
	gort__tell_on_system(m);
	m->told(g, m);
}

void gort__switch_told(void (*fn)(struct g *, struct m *), bool for_ever)
{
	struct m *m = gort__self();

	m->told = fn;
	gort__tell_to_system(m->curg, m, for_ever);
	gort__mcall(told);
	gort__tell_on_g();
}
