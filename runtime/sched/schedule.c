// SPDX-License-Identifier: MIT
// The scheduler's loop: choosing the next goroutine, parking, readying, yielding.
#include "runtime/amd64/offsets.h"
#include "runtime/sched/core.h"

#include <sched.h>

enum {
	GLOBAL_EVERY = 61, // of that many choices one looks at the global queue first
	TIMERS_EVERY = 8, // of that many choices one reads the clock for timers
	STEAL_ROUNDS = 4,
	AWAKE = 50 * 1000, // ns: about what it costs to sleep and be woken
	SOON = 20 * 1000, // ns: a timer this near fires before a sleep would have ended
	GAP = 3 * AWAKE, // a wait this short, its waking included, was not worth a sleep
	PAUSES = 8, // between two looks at what others write
	RIPE = 3 * 1000, // ns: what is next on a P for so long is not about to run there
	IDLE_BATCH = 0, // as many as is fair
};

// The M that waits for the next timer or descriptor sleeps here when there is no descriptor.
static struct note poll_note;

_Static_assert(offsetof(struct g, sp) == G_SP, "offsets.h");
_Static_assert(offsetof(struct m, curg) == M_CURG, "offsets.h");
_Static_assert(offsetof(struct m, sys_sp) == M_SYS_SP, "offsets.h");
_Static_assert(offsetof(struct m, mxcsr) == M_MXCSR, "offsets.h");
_Static_assert(offsetof(struct m, x87cw) == M_X87CW, "offsets.h");
_Static_assert(sizeof(struct switch_frame) == SWITCH_FRAME, "offsets.h");

// ---- looking for work ---------------------------------------------------------------------------

static void spin(struct m *m)
{
	m->spinning = true;
	gort__add(&sched.nspinning, 1u);
}

// From looking to having found: if it was the last that looked, somebody else must.
static void reset_spinning(struct m *m)
{
	m->spinning = false;
	if (gort__add(&sched.nspinning, -1u) == 0 && (gort__any_queue() || gort__must_poll()))
		gort__wakep();
}

static struct g *steal(struct m *m, int64_t now, int64_t *poll_until)
{
	struct p *p = m->p;
	uint32_t n = gort__load(&sched.nprocs);

	for (int round = 0; round < STEAL_ROUNDS; round++) {
		bool late = round == STEAL_ROUNDS - 1;
		uint32_t at = gort__rand(m) % n;
		for (uint32_t i = 0; i < n; i++, at = at + 1 == n ? 0 : at + 1) {
			struct p *victim = sched.allp[at];
			struct g *g;
			if (gort__load(&sched.stopping))
				return NULL;
			if (victim == p)
				continue;
			if (late && gort__load(&victim->timers.when) != INT64_MAX) {
				int64_t when = gort__timers_check(victim, now);
				if (when < *poll_until)
					*poll_until = when;
				// What was readied went to our own queue.
				g = gort__runq_get(p);
				if (g)
					return g;
			}
			g = gort__runq_steal(p, victim);
			if (g) {
				p->steals++;
				return g;
			}
		}
	}
	return NULL;
}

int64_t gort__earliest_timer(void)
{
	int64_t min = INT64_MAX;

	for (uint32_t i = 0; i < sched.nprocs; i++) {
		int64_t when = gort__load(&sched.allp[i]->timers.when);
		if (when < min)
			min = when;
	}
	return min;
}

bool gort__must_poll(void)
{
	return gort__load(&sched.lastpoll) &&
	       (gort__load(&gort__netpoll_waiters) || gort__earliest_timer() != INT64_MAX);
}

static struct p *idle_p_if(bool wanted)
{
	struct p *p = NULL;

	if (wanted && gort__load(&sched.npidle)) {
		gort__lock(&sched.lock);
		p = gort__pidle_get();
		gort__unlock(&sched.lock);
	}
	return p;
}

bool gort__any_queue(void)
{
	for (uint32_t i = 0; i < sched.nprocs; i++)
		if (!gort__runq_empty(sched.allp[i]))
			return true;
	return gort__load(&sched.runq.n) != 0;
}

// The next of another P is usually run by that P, within the microsecond: whoever made it runnable
// is about to park. Taking it then costs both more than it gains, so it is left to ripen.
struct ripening {
	struct g *g; // NULL: none
	uint32_t at; // the P
	uint32_t tick;
	int64_t since;
};

static struct g *steal_next(struct p *p, struct ripening *r, int64_t now)
{
	uint32_t n = gort__load(&sched.nprocs);

	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = (r->at + i) % n;
		struct p *victim = sched.allp[at];
		struct g *g = victim == p ? NULL : gort__load_acquire(&victim->runnext);
		uint32_t tick = gort__load(&victim->schedtick);

		if (!g)
			continue;
		if (i == 0 && g == r->g && tick == r->tick) {
			if (now - r->since < RIPE || !gort__cas(&victim->runnext, &g, NULL))
				return NULL;
			p->steals++;
			return g;
		}
		// This P gets on: another's turn to be watched, if there is one.
		if (i == 0 && r->g)
			continue;
		*r = (struct ripening){ g, at, tick, now };
		return NULL;
	}
	*r = (struct ripening){ .at = r->at + 1 };
	return NULL;
}

static bool ring_empty(const struct p *p)
{
	return gort__load_acquire(&p->runq_head) == gort__load_acquire(&p->runq_tail);
}

static bool look_worthwhile(int64_t now)
{
	if (gort__load(&sched.stopping) || gort__load(&sched.runq.n))
		return true;
	for (uint32_t i = 0; i < gort__load(&sched.nprocs); i++)
		if (!ring_empty(sched.allp[i]) || gort__load(&sched.allp[i]->timers.when) <= now)
			return true;
	return false;
}

// m found nothing. A sleep and the way out of it cost 30 to 140 us on a virtual machine, and
// whoever wakes it 5, so it stays awake when work is to be expected sooner: a timer is due, or its
// last wait was short as well. True: there is something to look at, or *g.
static bool linger(struct m *m, int64_t due, struct g **g)
{
	struct ripening r = { 0 };
	int64_t now = gort__nanotime(), until = now;
	uint32_t busy = gort__load(&sched.nprocs) - gort__load(&sched.npidle);

	if (m->patient && busy > 1 && busy <= (uint32_t)sched.ncpu) {
		m->patient = false;
		// Who ought to poll the network must not stay away from it.
		if (!gort__load(&gort__netpoll_waiters) || !gort__load(&sched.lastpoll))
			until += AWAKE;
	}
	if (due > until && due - now < SOON)
		until = due;
	*g = steal_next(m->p, &r, now);
	if (r.g && until < now + 2 * RIPE)
		until = now + 2 * RIPE;
	// The kernel may have woken it on the CPU of whoever woke it, and must not let that one
	// wait.
	if (until > now)
		sched_yield();
	while (now < until && !*g) {
		for (int i = 0; i < PAUSES; i++)
			gort__relax();
		now = gort__nanotime();
		if (look_worthwhile(now))
			return true;
		*g = steal_next(m->p, &r, now);
	}
	return *g || r.g;
}

static struct g *take_list(struct glist *l)
{
	struct g *g = gort__glist_pop(l);

	if (g)
		gort__store(&g->status, G_RUNNABLE);
	if (l->head)
		gort__ready_list(l);
	return g;
}

// m has no P and there was no work. Waits for the next timer or descriptor if nobody else does; a P
// and maybe a goroutine came of it, or m->p is still NULL.
static struct g *wait_for_events(struct m *m, int64_t poll_until)
{
	struct glist ready = { 0 };
	bool net = gort__load(&gort__netpoll_on) && gort__load(&gort__netpoll_waiters);
	int64_t last, now, delay = -1;
	struct p *p;

	if (!net && poll_until == INT64_MAX)
		return NULL;
	last = gort__xchg(&sched.lastpoll, 0);
	if (!last) {
		// Somebody waits already; it must not wait longer than this.
		gort__wake_for_timer(poll_until);
		return NULL;
	}
	// A timer or a first descriptor that came before the exchange was told to nobody.
	gort__note_clear(&poll_note);
	gort__fence();
	net = gort__load(&gort__netpoll_on) && gort__load(&gort__netpoll_waiters);
	now = gort__nanotime();
	int64_t when = gort__earliest_timer();
	if (when < poll_until)
		poll_until = when;
	gort__store(&sched.poll_until, poll_until);
	if (poll_until != INT64_MAX)
		delay = poll_until > now ? poll_until - now : 0;
	gort__san_acquire(&gort__netpoll_on);
	if (net)
		gort__netpoll(delay, &ready);
	else if (delay)
		gort__note_sleep(&poll_note, delay);
	now = gort__nanotime();
	gort__store(&sched.coarse_now, now);
	gort__store(&sched.poll_until, INT64_MAX);
	gort__store(&sched.lastpoll, now);
	p = idle_p_if(true);
	if (!p) {
		gort__ready_list(&ready);
		return NULL;
	}
	gort__p_acquire(m, p);
	return take_list(&ready);
}

static gort__cold struct g *find_runnable(struct m *m)
{
	int64_t idle_since = 0;
	struct g *g;

	for (;;) {
		struct p *p = m->p;
		int64_t now, poll_until;
		bool was_spinning;

		gort__freeze_check();
		if (gort__load(&sched.stopping)) {
			gort__lock(&sched.lock);
			if (sched.stopping)
				gort__gcstop(m);
			else
				gort__unlock(&sched.lock);
			continue;
		}
		now = 0;
		poll_until = gort__load(&p->timers.when);
		if (poll_until != INT64_MAX) {
			now = gort__nanotime();
			if (poll_until <= now)
				poll_until = gort__timers_check(p, now);
		}
		g = gort__runq_get(p);
		if (g)
			return g;
		if (gort__load(&sched.runq.n)) {
			gort__lock(&sched.lock);
			g = gort__globrunq_get(p, IDLE_BATCH);
			gort__unlock(&sched.lock);
			if (g)
				return g;
		}
		if (gort__load(&gort__netpoll_waiters) && gort__load(&gort__netpoll_on) &&
		    gort__load(&sched.lastpoll)) {
			struct glist ready = { 0 };
			gort__san_acquire(&gort__netpoll_on);
			if (gort__netpoll(0, &ready))
				return take_list(&ready);
		}
		// As in Go, at most half of the busy Ps' number look for work.
		if (m->spinning ||
		    2 * gort__load(&sched.nspinning) < sched.nprocs - gort__load(&sched.npidle)) {
			if (!m->spinning)
				spin(m);
			if (!now)
				now = gort__nanotime();
			g = steal(m, now, &poll_until);
			if (g)
				return g;
			idle_since = now;
			if (linger(m, poll_until, &g)) {
				m->patient = true;
				if (g)
					return g;
				continue;
			}
		}

		gort__lock(&sched.lock);
		if (sched.stopping || sched.runq.n) {
			gort__unlock(&sched.lock);
			continue;
		}
		if (!m->spinning && gort__load(&sched.needspinning)) {
			spin(m);
			gort__unlock(&sched.lock);
			continue;
		}
		gort__pidle_put(gort__p_release(m));
		gort__unlock(&sched.lock);

		was_spinning = m->spinning;
		if (was_spinning) {
			m->spinning = false;
			gort__add(&sched.nspinning, -1u);
			// Work made while we counted as looking was told to nobody: look once more.
			gort__fence();
			p = idle_p_if(gort__any_queue());
			if (p) {
				gort__p_acquire(m, p);
				spin(m);
				continue;
			}
			poll_until = gort__earliest_timer();
		}
		if (poll_until != INT64_MAX || gort__load(&gort__netpoll_waiters)) {
			g = wait_for_events(m, poll_until);
			if (g)
				return g;
			if (m->p) {
				if (was_spinning)
					spin(m);
				continue;
			}
		}
		gort__stopm(m);
		if (idle_since)
			m->patient = gort__nanotime() - idle_since < GAP;
		idle_since = 0;
	}
}

static struct g *choose(struct m *m)
{
	struct p *p = m->p;
	struct g *g = NULL;

	if (p->schedtick % GLOBAL_EVERY == 0) {
		if (gort__unlikely(gort__load(&p->turn)))
			gort__stack_turn(p);
		if (gort__load(&sched.runq.n)) {
			gort__lock(&sched.lock);
			g = gort__globrunq_get(p, 1);
			gort__unlock(&sched.lock);
			if (g)
				return g;
		}
	}
	if (p->schedtick % TIMERS_EVERY == 0 && gort__load(&p->timers.when) != INT64_MAX) {
		int64_t now = gort__nanotime();
		if (gort__load(&p->timers.when) <= now)
			gort__timers_check(p, now);
	}
	return gort__runq_get(p);
}

void gort__schedule(struct m *m)
{
	for (;;) {
		struct g *g = NULL;

		if (gort__unlikely(m->tied)) {
			if (m->lockedg) {
				gort__stop_locked(m);
				return;
			}
			// The process's first thread serves its locked goroutine only.
			if (m->kind == M_MAIN)
				gort__m_exit(m);
		}
		if (gort__likely(!gort__load(&sched.stopping)))
			g = choose(m);
		if (!g)
			g = find_runnable(m);
		if (gort__unlikely(m->spinning))
			reset_spinning(m);
		if (gort__unlikely(g->lockedm != NULL) && g->lockedm != m) {
			gort__start_locked(m, g);
			continue;
		}
		gort__execute(m, g);
		return;
	}
}

// ---- parking ------------------------------------------------------------------------------------

static void park(struct g *g, struct m *m)
{
	gort__detach(g, m);
	g->wait_since = gort__load(&sched.coarse_now);
	if (!m->unlockf) {
		gort__store_release(&g->status, G_WAITING);
		gort__go_on(m);
		return;
	}
	gort__store(&m->parking, g);
	gort__store_release(&g->status, G_WAITING);
	bool stay = m->unlockf(g, m->unlock_arg);
	// The callback looked at g's frames; who settles and readies g comes after it.
	gort__san_ready(g);
	gort__store_release(&m->parking, NULL);
	if (stay)
		gort__go_on(m);
	else
		gort__resume(m,
			     g); // its turn goes on, or those that wait for theirs would never come
}

void gort__park(gort__unlockf *unlockf, void *arg, enum wait_reason why)
{
	struct m *m = gort__self();

	m->curg->wait_reason = (uint16_t)why;
	m->unlockf = unlockf;
	m->unlock_arg = arg;
	gort__san_ready(m->curg);
	gort__switch(park);
	if (gort__unlikely(gort__load(&gort__debugcall_wanted)))
		gort__debugcall_attend();
}

static bool unlock_it(struct g *g, void *lock)
{
	(void)g;
	gort__unlock(lock);
	return true;
}

void gort__park_unlock(struct lock *l, enum wait_reason why)
{
	gort__park(unlock_it, l, why);
}

void gort__settle(struct g *g)
{
	while (gort__load_acquire(&g->status) != G_WAITING)
		gort__relax();
	// The one that ran it last, and nobody runs it before we do.
	while (gort__load_acquire(&g->m->parking) == g)
		gort__relax();
	gort__san_acquire(g);
}

void gort__ready(struct g *g, bool next)
{
	struct m *m = gort__self();
	struct p *p = m->p;

	gort__store(&g->status, G_RUNNABLE);
	gort__san_ready(g);
	if (gort__likely(p != NULL)) {
		gort__runq_put(p, g, next);
	} else {
		gort__lock(&sched.lock);
		gort__glist_push(&sched.runq, g);
		gort__unlock(&sched.lock);
	}
	gort__wakep();
}

void gort__ready_list(struct glist *l)
{
	struct m *m = gort__self();
	struct p *p = m->p;
	uint32_t n = l->n;

	if (!n)
		return;
	if (p) {
		for (struct g *g; (g = gort__glist_pop(l));) {
			gort__store(&g->status, G_RUNNABLE);
			gort__runq_put(p, g, false);
		}
		gort__wakep();
		return;
	}
	for (struct g *g = l->head; g; g = g->next) {
		gort__san_ready(g);
		gort__store(&g->status, G_RUNNABLE);
	}
	gort__lock(&sched.lock);
	if (sched.runq.tail)
		sched.runq.tail->next = l->head;
	else
		sched.runq.head = l->head;
	sched.runq.tail = l->tail;
	gort__store(&sched.runq.n, sched.runq.n + n);
	gort__unlock(&sched.lock);
	*l = (struct glist){ 0 };
	for (; n && gort__load(&sched.npidle); n--)
		gort__startm(NULL, false);
}

static void yield(struct g *g, struct m *m)
{
	gort__detach(g, m);
	gort__store(&g->status, G_RUNNABLE);
	gort__runq_put_tail(m->p, g);
	gort__go_on(m);
}

void gort__yield(void)
{
	gort__switch(yield);
}

// ---- waking -------------------------------------------------------------------------------------

static gort__cold void wakep_slow(void)
{
	uint32_t none = 0;

	if (gort__cas(&sched.nspinning, &none, 1))
		gort__startm(NULL, true);
}

void gort__wakep(void)
{
	if (gort__load(&sched.npidle) && !gort__load(&sched.nspinning))
		wakep_slow();
}

static void poll_break(void)
{
	gort__note_wake(&poll_note);
	if (gort__load(&gort__netpoll_on))
		gort__netpoll_break();
}

void gort__wake_for_timer(int64_t when)
{
	gort__fence();
	if (!gort__load(&sched.lastpoll)) {
		if (when < gort__load(&sched.poll_until))
			poll_break();
		return;
	}
	// Nobody waits for events: a woken M will, if all Ps stay busy then sysmon and they
	// themselves look.
	gort__wakep();
}

void gort__wake_for_netpoll(void)
{
	gort__fence();
	if (!gort__load(&sched.lastpoll))
		gort__note_wake(&poll_note);
	else
		gort__wakep();
}
