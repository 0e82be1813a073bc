// SPDX-License-Identifier: MIT
// Ps: the idle list, acquiring, giving away, changing their number.
#include "runtime/sched/core.h"

#include <sys/mman.h>

void gort__pidle_put(struct p *p)
{
	p->status = P_IDLE;
	p->link = sched.pidle;
	sched.pidle = p;
	gort__store(&sched.npidle, sched.npidle + 1);
}

struct p *gort__pidle_get(void)
{
	struct p *p = sched.pidle;

	if (!p)
		return NULL;
	sched.pidle = p->link;
	p->link = NULL;
	gort__store(&sched.npidle, sched.npidle - 1);
	if (gort__unlikely(gort__load(&sched.sysmon_asleep)))
		gort__sysmon_wake();
	return p;
}

void gort__p_acquire(struct m *m, struct p *p)
{
	gort__san_acquire(p);
	m->p = p;
	m->tick++;
	gort__store(&p->m, m);
	gort__store_release(&p->status, P_RUNNING);
	if (gort__load(&m->retake) == RETAKE_TAKEN)
		gort__store(&m->retake, RETAKE_NONE);
}

struct p *gort__p_release(struct m *m)
{
	struct p *p = m->p;

	gort__san_ready(p);
	m->p = NULL;
	gort__store(&p->status, P_IDLE);
	gort__store(&p->m, NULL);
	gort__store(&m->retake, RETAKE_TAKEN);
	return p;
}

static bool become_only_spinner(void)
{
	uint32_t none = 0;

	return gort__load(&sched.nspinning) + gort__load(&sched.npidle) == 0 &&
	       gort__cas(&sched.nspinning, &none, 1);
}

void gort__p_rest(struct p *p)
{
	if (!sched.stopping) {
		gort__pidle_put(p);
		return;
	}
	p->status = P_STOPPED;
	if (--sched.stopwait == 0)
		gort__note_wake(&sched.stopnote);
}

void gort__handoff(struct p *p)
{
	int64_t when;

	if (!gort__runq_empty(p) || gort__load(&sched.runq.n)) {
		gort__startm(p, false);
		return;
	}
	// Nobody looks for work and nobody is free to: this P's share of looking must go on.
	if (become_only_spinner()) {
		gort__store(&sched.needspinning, 0);
		gort__startm(p, true);
		return;
	}
	gort__lock(&sched.lock);
	if (sched.stopping) {
		gort__p_rest(p);
		gort__unlock(&sched.lock);
		return;
	}
	if (sched.runq.n || (sched.npidle == sched.nprocs - 1 && gort__load(&sched.lastpoll))) {
		// Work came, or this is the last P and nobody would poll.
		gort__unlock(&sched.lock);
		gort__startm(p, false);
		return;
	}
	when = gort__load(&p->timers.when);
	gort__pidle_put(p);
	gort__unlock(&sched.lock);
	if (when != INT64_MAX)
		gort__wake_for_timer(when);
}

void gort__p_leave(struct p *p)
{
	bool last;

	if (!gort__runq_empty(p) || gort__load(&sched.runq.n)) {
		gort__startm(p, false);
		return;
	}
	gort__lock(&sched.lock);
	if (sched.stopping) {
		gort__p_rest(p);
		gort__unlock(&sched.lock);
		return;
	}
	gort__pidle_put(p);
	last = sched.npidle == sched.nprocs;
	gort__unlock(&sched.lock);
	// Who made work meanwhile saw no idle P. (Unlocking is a full fence.)
	if (gort__any_queue())
		gort__wakep();
	else if (last && gort__must_poll())
		gort__startm(NULL, false);
}

static struct p *p_new(uint32_t id)
{
	struct p *p = mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	p->id = id;
	gort__timers_init(p);
	gort__san_ready(p);
	return p;
}

struct p *gort__procresize(uint32_t n)
{
	struct m *m = gort__self();
	struct p *runnable = NULL;
	uint32_t old = sched.nprocs;

	for (uint32_t i = 0; i < n; i++) {
		if (!sched.allp[i])
			gort__store_release(&sched.allp[i], p_new(i));
		if (!sched.allp[i])
			n = i;
	}
	for (uint32_t i = n; i < old; i++) {
		struct p *p = sched.allp[i];
		gort__san_acquire(p);
		gort__runq_flush(p);
		gort__timers_move(p, sched.allp[0]);
		p->status = P_DEAD;
		gort__store(&p->m, NULL);
	}
	gort__store(&sched.nprocs, n);
	// The caller's P may be among those that went.
	if (m->p && m->p->id >= n) {
		m->p = sched.allp[0];
		gort__store(&m->p->m, m);
	}
	if (m->p)
		m->p->status = P_RUNNING;
	sched.pidle = NULL;
	gort__store(&sched.npidle, 0);
	for (uint32_t i = n; i-- > 0;) {
		struct p *p = sched.allp[i];
		if (p == m->p)
			continue;
		gort__store(&p->m, NULL);
		if (gort__runq_empty(p)) {
			gort__pidle_put(p);
		} else {
			p->status = P_IDLE;
			p->link = runnable;
			runnable = p;
		}
	}
	return runnable;
}
