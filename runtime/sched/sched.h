// SPDX-License-Identifier: MIT
// The scheduler as the other rooms see it: who runs here, parking, readying, entering and leaving.
#ifndef RUNTIME_SCHED_SCHED_H
#define RUNTIME_SCHED_SCHED_H

#include "runtime/base/base.h"
#include "runtime/base/futex.h"
#include "runtime/base/lock.h"
#include "runtime/base/sanitize.h"
#include "runtime/base/throw.h"
#include "runtime/sched/g.h"
#include "runtime/sched/m.h"
#include "runtime/sched/p.h"

struct gort_attr;

#define GORT__LINE __attribute__((aligned(64)))

struct sched {
	// Read at every switch, hardly ever written.
	uint32_t nprocs; // gomaxprocs in force
	uint32_t stopping; // the world is being stopped or is stopped
	uint32_t started; // gort_main has been called
	uint32_t nodeadlock; // somebody outside may still wake goroutines: signals are awaited
	struct m *allm;
	struct g *allg;
	int64_t coarse_now; // gort_now, at most 10 ms old while anything runs
	int ncpu;
	bool forked; // this is the child of a fork
	bool ended; // the main goroutine has returned
	bool custom_procs; // gomaxprocs was set by the program or GORTMAXPROCS

	// Read by whoever makes work, written when Ms come and go.
	GORT__LINE uint32_t npidle;
	uint32_t nspinning; // atomic
	uint32_t needspinning;
	uint32_t nmidle;
	uint32_t sysmon_asleep;
	int64_t lastpoll; // 0 while an M waits in the netpoller
	int64_t poll_until; // when it will wake by itself

	// Under the lock, but for the length of the queue.
	GORT__LINE struct lock lock;
	struct glist runq; // global queue
	struct p *pidle; // idle Ps
	struct m *midle; // Ms asleep at gort__idle_wait, newest first
	uint32_t coming; // Ms whose threads are being made
	bool running; // an M has begun to run goroutines
	int32_t stopwait; // Ps still to stop
	struct note stopnote;

	GORT__LINE struct note sysmon_note;
	uint32_t nm; // Ms alive, sysmon and template included
	uint64_t nm_made;
	uint64_t made; // goroutines made without a P
	uint64_t retakes, pauses, world_stops;
	struct p *allp[P_MAX];
};

extern gort__hidden struct sched sched;

// ---- who runs here ------------------------------------------------------------------------------

// The calling thread's M, NULL on a thread the runtime does not know. Read anew by every call: the
// compiler must not keep it (nor any TLS address) across a park, which may come back on another
// thread.
static inline struct m *gort__self(void)
{
	struct m *m;
	__asm__ volatile("movq gort__tls_m@gottpoff(%%rip), %0\n\tmovq %%fs:(%0), %0" : "=r"(m));
	return m;
}

// The calling goroutine; only where there is one.
static inline struct g *gort__g(void)
{
	return gort__self()->curg;
}

// ---- entering and leaving -----------------------------------------------------------------------

gort__hidden void gort__enter_slow(struct m *m, const char *who);

// Every public function that needs a P brackets itself with these, exactly once: user code calls
// it, never the runtime. Callbacks into user code (gort_once, gort_try, defers) leave before and
// enter after. Returns the calling goroutine. Between the two nobody takes this M's P; between
// leave and the next enter anybody may, and enter then waits for one, maybe coming back on another
// thread.
static inline struct g *gort__enter(const char *who)
{
	struct m *m = gort__self();
	struct g *g;

	if (gort__unlikely(!m))
		gort__enter_slow(m, who);
	gort__store(&m->in_runtime, 1);
	gort__barrier();
	g = m->curg;
	if (gort__unlikely(gort__load(&m->retake)))
		gort__enter_slow(m, who);
	return g;
}

static inline void gort__leave(void)
{
	gort__barrier();
	gort__san_ready(&gort__self()->in_runtime);
	gort__store_release(&gort__self()->in_runtime, 0);
}

// ---- parking ------------------------------------------------------------------------------------
// All of this is called between enter and leave.

// Runs after the caller is parked, on the system stack; usually unlocks what protects the wait
// queue. From that unlock on the goroutine may already run elsewhere: touch neither it nor its
// stack after. false: do not park after all (nobody may have readied it then).
typedef bool gort__unlockf(struct g *g, void *arg);

// Parks the caller until gort__ready. Whoever readies it must have seen it through the lock that
// unlockf releases, or call gort__settle first.
gort__hidden void gort__park(gort__unlockf *unlockf, void *arg, enum wait_reason why);
// The same with the commonest callback: unlocks l.
gort__hidden void gort__park_unlock(struct lock *l, enum wait_reason why);

// Makes a WAITING goroutine runnable: next on this P when next is set (a hand-over), else at the
// queue's end. Also without a P (sysmon, netpoll): then it goes to the global queue.
gort__hidden void gort__ready(struct g *g, bool next);
// Many at once, to the global queue or this P, and wakes Ms for them. Empties the list.
gort__hidden void gort__ready_list(struct glist *l);

// A wait that several parties may end (a peer, a timer, a cancel) has a ticket. The waiter begins
// it before it becomes visible anywhere; whoever claims it alone may write wake_result and
// wake_data and ready the goroutine. When the wait is over without anybody having claimed (unlockf
// false), the waiter claims it itself.
// A new one every time: a late claimer of the last may still try its CAS.
static inline uint32_t gort__wait_begin(struct g *g)
{
	uint32_t t = (gort__load(&g->ticket) | 3) + 2;

	g->wake_result = 0;
	gort__store_release(&g->ticket, t);
	return t;
}

// The same for a wait that no cancel ends: the ticket says so.
static inline uint32_t gort__wait_begin_always(struct g *g)
{
	uint32_t t = (gort__load(&g->ticket) | 3) + 4;

	g->wake_result = 0;
	gort__store_release(&g->ticket, t);
	return t;
}

static inline bool gort__wait_ends_by_cancel(uint32_t ticket)
{
	return (ticket & 3) == 1;
}

static inline bool gort__wait_claim(struct g *g, uint32_t ticket)
{
	return gort__load(&g->ticket) == ticket && gort__cas(&g->ticket, &ticket, ticket + 1);
}

// unlockf of a wait with a ticket may return false only when it has claimed the ticket itself;
// where the claim fails it returns true, for the claimer is going to ready the goroutine. So too
// without unlockf: who has begun a wait and finds that it need not park claims it, or parks.
// gort_cancel claims and readies with wake_result -ECANCELED any goroutine that waits and has not
// begun so that no cancel ends it; the waiter must look at gort__cancelled after gort__wait_begin and before parking (the canceller
// issues the fence for both). The mark is of one generation: it does not cancel the next user of
// the structure.
static inline uint32_t gort__cancel_mark(uint64_t id)
{
	return (uint32_t)(id >> 24) + 1;
}

static inline bool gort__cancelled(const struct g *g)
{
	return gort__load(&g->cancelled) == gort__cancel_mark(g->id);
}

// Every CPU that runs this process passes a fence: the dear half of an asymmetric pair.
gort__hidden void gort__all_fence(void);

// Waits until the unlock callback of g's park is done. For claimers that did not take the lock it
// unlocks: timers, cancel, select peers. Bounded: the M that parks it is inside the runtime.
gort__hidden void gort__settle(struct g *g);

// Puts the caller at the end of this P's queue and schedules.
gort__hidden void gort__yield(void);

// New goroutine of the runtime itself or of a timer; like gort_go but inside the runtime (enter was
// called, or a system stack with a P). NULL: no memory.
gort__hidden struct g *gort__spawn(void (*fn)(void *), void *arg, const struct gort_attr *attr,
				   void *pc, uint8_t flags);
// The same, but in no queue yet.
gort__hidden struct g *gort__g_make(void (*fn)(void *), void *arg, const struct gort_attr *attr,
				    void *pc, uint8_t flags);
// Ends the caller; deferred functions have run.
_Noreturn gort__hidden void gort__goexit(void);

// ---- stacks -------------------------------------------------------------------------------------

// fn(arg) on this M's system stack; it must not park. On a system stack already: just calls it.
gort__hidden void gort__system(void (*fn)(void *), void *arg);

// The current M's big stack for user code that may block: gives the P away, runs, gets one again.
// The caller is between enter and leave.
gort__hidden void gort__blocking(void (*fn)(void *), void *arg);

// ---- time and polling ---------------------------------------------------------------------------

// A timer for when was added: if all who would notice sleep longer, wakes one.
gort__hidden void gort__wake_for_timer(int64_t when);
// An M that may look for work should do so: there is some.
gort__hidden void gort__wakep(void);
// The netpoller was switched on or has a first waiter: somebody must poll.
gort__hidden void gort__wake_for_netpoll(void);

// ---- the world ----------------------------------------------------------------------------------

// Every P is taken, so no goroutine runs runtime code and none starts; user code goes on until its
// next runtime call. Between enter and leave on a goroutine; may park while another stop is under
// way. The caller keeps its P.
gort__hidden void gort__stop_world(void);
gort__hidden void gort__start_world(void);

// ---- randomness ---------------------------------------------------------------------------------

// For fairness only; this M's own state.
static inline uint32_t gort__rand(struct m *m)
{
	uint32_t x = m->rng;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return m->rng = x;
}

#endif
