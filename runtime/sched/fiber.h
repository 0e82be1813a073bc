// SPDX-License-Identifier: MIT
// Telling the sanitizers about goroutines, which they call fibers, and about stack switches.
#ifndef RUNTIME_SCHED_FIBER_H
#define RUNTIME_SCHED_FIBER_H

#include "runtime/base/sanitize.h"

struct g;
struct m;

// gort__switch, with the sanitizer told of it.
gort__hidden void gort__switch_told(void (*fn)(struct g *, struct m *), bool for_ever);
gort__hidden void gort__tell_to_system(struct g *g, struct m *m, bool for_ever);
gort__hidden void gort__tell_on_system(struct m *m);
gort__hidden void gort__tell_to_g(struct m *m, struct g *g);
gort__hidden void gort__tell_on_g(void);
gort__hidden void gort__tell_make(struct g *g);
gort__hidden void gort__tell_end(struct g *g);

// Before leaving the system stack for a goroutine's, and after arriving there.
static inline void gort__san_to_g(struct m *m, struct g *g)
{
	if (gort__sanitized())
		gort__tell_to_g(m, g);
}

static inline void gort__san_on_g(void)
{
	if (gort__sanitized())
		gort__tell_on_g();
}

// A goroutine is made; its stack is free.
static inline void gort__san_make(struct g *g)
{
	if (gort__sanitized())
		gort__tell_make(g);
}

static inline void gort__san_end(struct g *g)
{
	if (gort__sanitized())
		gort__tell_end(g);
}

#endif
