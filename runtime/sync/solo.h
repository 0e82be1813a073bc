// SPDX-License-Identifier: MIT
// Locks that are only ever taken with a P: with a single P there is nobody to exclude. What makes
// it safe: GORTMAXPROCS changes only while the world is stopped, that is, while nobody is between
// such a lock and its unlock.
#ifndef RUNTIME_SYNC_SOLO_H
#define RUNTIME_SYNC_SOLO_H

#include "runtime/base/sanitize.h"
#include "runtime/sched/sched.h"

// Debug builds check ranks and TSan needs to see the order, so they always lock.
static inline bool gort__solo(void)
{
#if defined(GORT_DEBUG) || defined(GORT__TSAN)
	return false;
#else
	return gort__load(&sched.nprocs) == 1;
#endif
}

static inline void gort__solo_lock(struct lock *l)
{
	if (!gort__solo())
		gort__lock(l);
}

static inline void gort__solo_unlock(struct lock *l)
{
	if (!gort__solo())
		gort__unlock(l);
}

// For claimers that hold a P: on the only P, whoever parks is done with it.
static inline void gort__solo_settle(struct g *g)
{
	if (!gort__solo())
		gort__settle(g);
}

// The same for claiming a wait that only holders of a P can claim (not one for a descriptor).
static inline bool gort__solo_claim(struct g *g, uint32_t ticket)
{
	if (!gort__solo())
		return gort__wait_claim(g, ticket);
	if (gort__load(&g->ticket) != ticket)
		return false;
	gort__store(&g->ticket, ticket + 1);
	return true;
}

#endif
