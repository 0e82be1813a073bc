// SPDX-License-Identifier: MIT
// The runtime's own mutex: futex-based, ranked. Held for short stretches, only inside the runtime
// (between gort__enter and gort__leave, or on a system stack), never across a park except through
// its unlock callback.
#ifndef RUNTIME_BASE_LOCK_H
#define RUNTIME_BASE_LOCK_H

#include "runtime/base/base.h"

// The partial order, in one place: a lock may be taken only while every lock held has a smaller rank, or the same
// rank where SELF says so (by ascending address: a select holds several channels).
// Debug builds (DEBUG=1) check it and print both stacks when it is violated.
//
//	name		self
#define GORT__LOCK_RANKS(X)                                                           \
	X(WORLD, 0) /* world: one stop at a time                               */     \
	X(MAXPROCS, 0) /* gomaxprocs: the default is being computed                */ \
	X(UPDATER, 0) /* gomaxprocs: hand-over between sysmon and the updater     */  \
	X(THREADS, 0) /* threads: no thread is made or ends while this is held    */  \
	X(NOTIFY, 0) /* notify: the table of signals                            */    \
	X(POLLFD, 0) /* netpoll: one descriptor                                 */    \
	X(SEMA, 0) /* mutex, wg, sema, cond: the waiters of one               */      \
	X(CHAN, 1) /* channels                                                */      \
	X(TIMERS, 1) /* one P's timers                                          */    \
	X(FAULT, 0) /* panic bookkeeping                                       */     \
	X(RETAKE, 0) /* one taker of Ps at a time                               */    \
	X(SCHED, 0) /* idle lists, global queue                                */     \
	X(GTABLE, 0) /* goroutine table growth                                  */    \
	X(STACKS, 0) /* stack arenas and global free lists                      */    \
	X(LEAF, 0) /* nothing is taken under it                               */

enum lock_rank {
#define X(name, self) RANK_##name,
	GORT__LOCK_RANKS(X)
#undef X
		RANKS
};

// All-zero is unlocked, but has rank WORLD: static locks are written GORT__LOCK_INIT(RANK).
struct lock {
	uint32_t word; // 0 free, 1 held, 2 held and slept on
	uint8_t rank;
};

#define GORT__LOCK_INIT(r)                  \
	{                                   \
		.word = 0, .rank = RANK_##r \
	}

gort__hidden void gort__lock_slow(struct lock *l);
gort__hidden void gort__unlock_slow(struct lock *l);

#ifdef GORT_DEBUG
gort__hidden void gort__lock_rank_take(struct lock *l);
gort__hidden void gort__lock_rank_drop(struct lock *l);
gort__hidden bool gort__locks_held(void); // by this thread
#else
static inline void gort__lock_rank_take(struct lock *l)
{
	(void)l;
}
static inline void gort__lock_rank_drop(struct lock *l)
{
	(void)l;
}
#endif

static inline void gort__lock_init(struct lock *l, enum lock_rank rank)
{
	l->word = 0;
	l->rank = rank;
}

static inline void gort__lock(struct lock *l)
{
	uint32_t free = 0;
	gort__lock_rank_take(l);
	if (gort__unlikely(!gort__cas(&l->word, &free, 1)))
		gort__lock_slow(l);
}

static inline bool gort__trylock(struct lock *l)
{
	uint32_t free = 0;
	if (!gort__cas(&l->word, &free, 1))
		return false;
	gort__lock_rank_take(l);
	return true;
}

static inline void gort__unlock(struct lock *l)
{
	gort__lock_rank_drop(l);
	if (gort__unlikely(gort__xchg(&l->word, 0) == 2))
		gort__unlock_slow(l);
}

#endif
