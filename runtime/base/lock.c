// SPDX-License-Identifier: MIT
// The slow halves of the runtime's mutex, and the rank check of debug builds.
#include "runtime/base/lock.h"
#include "runtime/base/futex.h"
#include "runtime/base/sanitize.h"
#include "runtime/sched/sched.h"

#include <sched.h>

enum {
	SPINS = 40, // of a pause each: a critical section is shorter than a sleep
	YIELDS = 2, // the holder may be off its CPU
};

static void take_slow(struct lock *l)
{
	for (int i = 0; i < SPINS; i++) {
		uint32_t free = 0;
		if (gort__load(&l->word) == 0 && gort__cas(&l->word, &free, 1))
			return;
		gort__relax();
	}
	for (int i = 0; i < YIELDS; i++) {
		uint32_t free = 0;
		sched_yield();
		if (gort__load(&l->word) == 0 && gort__cas(&l->word, &free, 1))
			return;
	}
	while (gort__xchg(&l->word, 2) != 0)
		gort__futex_wait(&l->word, 2, -1);
}

void gort__lock_slow(struct lock *l)
{
	take_slow(l);
	// This file is not instrumented; the fast halves, where they are inlined, are.
	gort__san_acquire(l);
}

void gort__unlock_slow(struct lock *l)
{
	gort__futex_wake(&l->word, 1);
}

#ifdef GORT_DEBUG
static const char *const rank_names[] = {
#define X(name, self) #name,
	GORT__LOCK_RANKS(X)
#undef X
};

static const bool rank_self[] = {
#define X(name, self) self,
	GORT__LOCK_RANKS(X)
#undef X
};

void gort__lock_rank_take(struct lock *l)
{
	struct m *m = gort__self();

	// Foreign threads hold one lock at a time at most.
	if (!m || gort__load(&gort__freezing))
		return;
	for (unsigned i = 0; i < m->held_n; i++) {
		unsigned held = m->held[i]->rank;
		if (held > l->rank || (held == l->rank && !rank_self[held]))
			gort__fault_lock_order(rank_names[held], rank_names[l->rank]);
	}
	if (m->held_n == M_LOCKS_HELD)
		gort__throw("too many runtime locks held");
	m->held[m->held_n++] = l;
}

void gort__lock_rank_drop(struct lock *l)
{
	struct m *m = gort__self();

	if (!m || gort__load(&gort__freezing))
		return;
	for (unsigned i = m->held_n; i-- > 0;) {
		if (m->held[i] != l)
			continue;
		m->held_n--;
		for (; i < m->held_n; i++)
			m->held[i] = m->held[i + 1];
		return;
	}
	gort__throw("unlock of a runtime lock that is not held");
}
#endif
