// SPDX-License-Identifier: MIT
// What the files of the scheduler share, and the host of debug calls, which switches goroutines
// itself. No other room needs it.
#ifndef RUNTIME_SCHED_CORE_H
#define RUNTIME_SCHED_CORE_H

#include "runtime/sched/fiber.h"
#include "runtime/sched/given.h"
#include "runtime/sched/sched.h"

struct gort_attr;

// ---- amd64/switch.S -----------------------------------------------------------------------------

gort__hidden void gort__mcall(void (*fn)(struct g *, struct m *));
// Does not return; not marked so, because the compiler takes the way to such a call for a cold one.
gort__hidden void gort__gogo(struct g *g, struct m *m);
gort__hidden void gort__go_start(void);
gort__hidden void gort__on_stack(void (*fn)(void *), void *arg, void *sp, struct g *g);
gort__hidden void gort__sys_enter(struct m *m, void (*fn)(struct m *));
_Noreturn gort__hidden void gort__sys_return(struct m *m);
gort__hidden void gort__idle_wait(uint32_t *word, uint32_t val);

// ---- schedule.c: the loop -----------------------------------------------------------------------

// On m's system stack with a P: runs goroutines, for ever.
gort__hidden void gort__schedule(struct m *m);
// After gort__mcall: takes the calling goroutine off its M.
gort__inline void gort__detach(struct g *g, struct m *m)
{
	g->err = *m->errno_addr;
	if (gort__unlikely(gort__exceptions_any(m->exceptions)))
		gort__exceptions_save(g, m);
	gort__store(&m->curg, NULL);
}

// Leaves the calling goroutine; comes back when it is executed again.
gort__inline void gort__switch(void (*fn)(struct g *, struct m *))
{
	if (gort__sanitized())
		gort__switch_told(fn, false);
	else
		gort__mcall(fn);
}

// The same for one that does not come back.
gort__inline _Noreturn void gort__switch_for_ever(void (*fn)(struct g *, struct m *))
{
	if (gort__sanitized())
		gort__switch_told(fn, true);
	gort__mcall(fn);
	__builtin_unreachable();
}

// ---- runq.c: queues -----------------------------------------------------------------------------

gort__hidden void gort__runq_put(struct p *p, struct g *g, bool next);
gort__hidden struct g *gort__runq_get(struct p *p);
gort__hidden void gort__runq_put_slow(struct p *p, struct g *g);

// With one P nobody steals, and who takes that P owns it whole: no locked instructions are needed.
gort__inline bool gort__alone(void)
{
	return gort__load(&sched.nprocs) == 1;
}

gort__inline void gort__runq_put_tail(struct p *p, struct g *g)
{
	uint32_t tail = p->runq_tail;

	gort__san_ready(g);
	if (gort__unlikely(tail - gort__load_acquire(&p->runq_head) >= P_RUNQ)) {
		gort__runq_put_slow(p, g);
		return;
	}
	gort__store(&p->runq[tail % P_RUNQ], g);
	gort__store_release(&p->runq_tail, tail + 1);
}

gort__inline struct g *gort__runq_get_head(struct p *p)
{
	uint32_t head = gort__load_acquire(&p->runq_head);

	while (head != p->runq_tail) {
		struct g *g = gort__load(&p->runq[head % P_RUNQ]);
		if (gort__alone()) {
			gort__store(&p->runq_head, head + 1);
			return g;
		}
		if (gort__cas(&p->runq_head, &head, head + 1))
			return g;
	}
	return NULL;
}
gort__hidden bool gort__runq_empty(const struct p *p);
// Half of victim's ring into p's; one of them is returned, not queued.
gort__hidden struct g *gort__runq_steal(struct p *p, struct p *victim);
// With sched.lock: one goroutine, and up to a fair share of the others into p's queue.
gort__hidden struct g *gort__globrunq_get(struct p *p, uint32_t max);
// With sched.lock: moves everything of p, which the caller has in hand, to the global queue.
gort__hidden void gort__runq_flush(struct p *p);
// With sched.lock: takes the first that is wanted out of the global queue.
gort__hidden struct g *gort__globrunq_take(bool (*wanted)(const struct g *));

// ---- proc.c: Ps ---------------------------------------------------------------------------------

// With sched.lock.
gort__hidden void gort__pidle_put(struct p *p);
gort__hidden struct p *gort__pidle_get(void);
// p, which nobody owns, becomes idle, or stops with the world.
gort__hidden void gort__p_rest(struct p *p);
// m takes p, which nobody owns.
gort__hidden void gort__p_acquire(struct m *m, struct p *p);
gort__hidden struct p *gort__p_release(struct m *m);
// Gives p, which nobody owns, to an M if there is anything to do.
gort__hidden void gort__handoff(struct p *p);
// The same for a P that is given up for a short while only: wakes nobody unless there is work.
gort__hidden void gort__p_leave(struct p *p);
// World stopped, sched.lock held: n Ps from now on, or as many as there is memory for. Returns those
// with work, linked.
gort__hidden struct p *gort__procresize(uint32_t n);

// Looked at without locks.
gort__hidden bool gort__any_queue(void);
gort__hidden int64_t gort__earliest_timer(void);
// Somebody waits for a timer or a descriptor, and no M for them.
gort__hidden bool gort__must_poll(void);

// ---- thread.c: Ms -------------------------------------------------------------------------------

gort__hidden struct m *gort__m_new(enum m_kind kind);
// Makes the calling thread m, and the reverse.
gort__hidden void gort__m_attach(struct m *m);
gort__hidden void gort__m_detach(struct m *m);
// The parts of it that do not touch the signal stack or the pool of Ms.
gort__hidden void gort__m_bind(struct m *m);
gort__hidden void gort__m_unbind(struct m *m);
// Has the template thread make a thread for m.
gort__hidden void gort__m_thread(struct m *m);
// By gort_main, before it has a P: makes the template thread.
gort__hidden int gort__template_start(void);
// Makes m's thread at once: 0, or -errno. Whoever has a P must not.
gort__hidden int gort__m_make(struct m *m);
// Held while a thread is being made: under it, every M is alive with a thread id soon or not at
// all. The maker allocates meanwhile, and the allocator may be held by a goroutine that waits for a
// P: so whoever has one tries only.
extern gort__hidden struct lock gort__threads_lock;
// Stops the world and takes gort__threads_lock; the reverse.
gort__hidden void gort__stop_threads(void);
gort__hidden void gort__start_threads(void);
// Runs an M with p (NULL: an idle one, or nothing happens). Where no M sleeps, p becomes idle and a
// thread is made that takes it when it is there. On any stack.
gort__hidden void gort__startm(struct p *p, bool spinning);
// m has no P: sleeps until it is given one.
gort__hidden void gort__stopm(struct m *m);
// m stops until its goroutine is runnable and somebody gives it a P for it; then runs it.
gort__hidden void gort__stop_locked(struct m *m);
// g belongs to another M: gives m's P to that one, and stops m. Its debug call may be abandoned
// meanwhile, which makes it anybody's: then it is queued, and m goes on.
gort__hidden void gort__start_locked(struct m *m, struct g *g);
gort__hidden void gort__m_sleep(struct m *m);
// The same, but not at the idle place: this M has a goroutine and cannot be borrowed.
gort__hidden void gort__m_sleep_in_place(struct m *m);
// m, which sleeps at the idle place, is taken off the idle list together with an idle P; false when
// it is being woken, or there is none. And back: it sleeps on.
gort__hidden bool gort__idle_borrow(struct m *m);
gort__hidden void gort__idle_return(struct m *m);
// The thread of m ends, or goes back to whoever called it into the scheduler.
_Noreturn gort__hidden void gort__m_exit(struct m *m);
extern gort__hidden uint64_t gort__initial_mask; // of gort_main's caller: every new M has it

// The only way into a goroutine, and the last door that a freeze may close. Does not return.
gort__inline void gort__resume(struct m *m, struct g *g)
{
	gort__freeze_check();
	gort__store(&m->curg, g);
	g->m = m;
	gort__store(&g->status, G_RUNNING);
	*m->errno_addr = g->err;
	if (gort__unlikely(g->flags & G_EXCEPTIONS))
		gort__exceptions_put_back(g, m);
	gort__san_to_g(m, g);
	gort__gogo(g, m);
}

// The same, and its turn on this P begins.
gort__inline void gort__execute(struct m *m, struct g *g)
{
	struct p *p = m->p;

	gort__store(&p->schedtick, p->schedtick + 1);
	gort__resume(m, g);
}

enum { LOOK_EVERY = 8 }; // a power of two: how often a busy P looks at more than its ring

// The commonest way on: the next of this P's ring, with nothing else to look after. All else is
// gort__schedule's.
gort__inline void gort__go_on(struct m *m)
{
	struct p *p = m->p;

	if (gort__likely(p->schedtick % LOOK_EVERY && !m->tied && !gort__load(&sched.stopping) &&
			 !gort__load(&p->runnext))) {
		struct g *g = gort__runq_get_head(p);
		if (gort__likely(g != NULL)) {
			if (gort__likely(!g->lockedm)) {
				gort__execute(m, g);
				return;
			}
			// Its turn must not go to the next in the ring.
			gort__start_locked(m, g);
		}
	}
	gort__schedule(m);
}

static inline void gort__m_tie(struct m *m)
{
	m->tied = m->lockedg || m->kind == M_MAIN;
}

// ---- enter.c ------------------------------------------------------------------------------------

// The running goroutine has no P: gets one, perhaps parking until there is one.
gort__hidden void gort__p_regain(struct m *m);

// ---- retake.c -----------------------------------------------------------------------------------

gort__hidden void gort__retake_init(void);
// Takes p from its M if that is outside the runtime. The P taken (perhaps another the M had got),
// or NULL.
gort__hidden struct p *gort__retake(struct p *p);
// Takes all running Ps but self's; how many.
gort__hidden int gort__retake_all(struct m *self);

// ---- pause.c ------------------------------------------------------------------------------------

gort__hidden void gort__pause_init(void);
extern gort__hidden uint32_t gort__paused; // Ms that wait in the handler, or are about to
// m computes without a P: asks it to wait for one. False when it need not be asked any more.
gort__hidden bool gort__pause(struct m *m);

// ---- sysmon.c, poll -----------------------------------------------------------------------------

gort__hidden void gort__sysmon(struct m *m);
gort__hidden void gort__sysmon_wake(void);
gort__hidden void gort__check_dead(void);

// With sched.lock: the world is being stopped; m gives its P in and sleeps.
gort__hidden void gort__gcstop(struct m *m);

gort__hidden int64_t gort__nanotime(void);

// ---- the ends of special goroutines -------------------------------------------------------------

// The main goroutine has returned, or a callback's has ended: does not come back.
_Noreturn gort__hidden void gort__main_end(void);
_Noreturn gort__hidden void gort__callback_end(struct g *g);

// ---- main.c and what it starts ------------------------------------------------------------------

gort__hidden int gort__callbacks_init(void);
gort__hidden void gort__fork_init(void);
gort__hidden struct m *gort__main_m_get(void);
// No thread could be made before one ran goroutines: gort_main returns that.
gort__hidden void gort__start_failed(int err);
gort__hidden int gort__procs_init(void);
// With a P, before the main goroutine runs; and sysmon's look for a changed default.
gort__hidden int gort__procs_updater_start(void);
gort__hidden void gort__procs_look(int64_t now);
gort__hidden void gort__start_world_with(uint32_t nprocs);
gort__hidden void gort__schedtrace(int64_t now);

#endif
