// SPDX-License-Identifier: MIT
// The slow halves of the runtime's mutex, and the rank check of debug builds.
#include "runtime/base/lock.h"
#include "runtime/base/futex.h"
#include "runtime/base/print.h"
#include "runtime/base/sanitize.h"
#include "runtime/base/throw.h"

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

// Of this thread, oldest first. No goroutine is left while it holds one, but through the unlock
// callback of its park.
enum { HELD_MAX = 12 };
static __thread struct {
	unsigned n;
	struct lock *lock[HELD_MAX];
} held;

static gort__cold void out_of_order(unsigned outer, unsigned inner)
{
	char why[128];

	gort__format(why, sizeof(why), "runtime lock %s taken under %s", rank_names[inner],
		     rank_names[outer]);
	gort__throw(why);
}

void gort__lock_rank_take(struct lock *l)
{
	if (gort__load(&gort__freezing))
		return;
	for (unsigned i = 0; i < held.n; i++) {
		unsigned outer = held.lock[i]->rank;
		if (outer > l->rank || (outer == l->rank && !rank_self[outer]))
			out_of_order(outer, l->rank);
	}
	if (held.n == HELD_MAX)
		gort__throw("too many runtime locks held");
	held.lock[held.n++] = l;
}

void gort__lock_rank_drop(struct lock *l)
{
	if (gort__load(&gort__freezing))
		return;
	for (unsigned i = held.n; i-- > 0;) {
		if (held.lock[i] != l)
			continue;
		held.n--;
		for (; i < held.n; i++)
			held.lock[i] = held.lock[i + 1];
		return;
	}
	gort__throw("unlock of a runtime lock that is not held");
}

bool gort__locks_held(void)
{
	return held.n != 0;
}
#endif
