// SPDX-License-Identifier: MIT
// Run queues: a ring per P with one slot in front (runnext), and the global list.
#include "runtime/sched/core.h"

static struct g *swap_next(struct p *p, struct g *g)
{
	struct g *old;

	if (gort__alone()) {
		old = p->runnext;
		gort__store(&p->runnext, g);
		return old;
	}
	return gort__xchg(&p->runnext, g);
}

// The ring is full: half of it and g go to the global queue.
gort__cold void gort__runq_put_slow(struct p *p, struct g *g)
{
	struct glist batch = { 0 };
	uint32_t head = gort__load_acquire(&p->runq_head);
	uint32_t n = (p->runq_tail - head) / 2;

	if (!gort__cas(&p->runq_head, &head, head + n)) {
		// Thieves made room meanwhile.
		gort__runq_put_tail(p, g);
		return;
	}
	// Only now are they ours to link; nobody but us overwrites their slots.
	for (uint32_t i = 0; i < n; i++)
		gort__glist_push(&batch, p->runq[(head + i) % P_RUNQ]);
	gort__glist_push(&batch, g);
	gort__lock(&sched.lock);
	if (sched.runq.tail)
		sched.runq.tail->next = batch.head;
	else
		sched.runq.head = batch.head;
	sched.runq.tail = batch.tail;
	gort__store(&sched.runq.n, sched.runq.n + batch.n);
	gort__unlock(&sched.lock);
}

void gort__runq_put(struct p *p, struct g *g, bool next)
{
	if (next) {
		g = swap_next(p, g);
		if (!g)
			return;
	}
	gort__runq_put_tail(p, g);
}

struct g *gort__runq_get(struct p *p)
{
	struct g *g = gort__load(&p->runnext);

	// Two that wake each other through runnext would starve the ring.
	if (g && (p->next_streak < P_STREAK || p->runq_head == p->runq_tail)) {
		p->next_streak++;
		if (gort__alone()) {
			gort__store(&p->runnext, NULL);
			return g;
		}
		if (gort__cas(&p->runnext, &g, NULL))
			return g;
	}
	p->next_streak = 0;
	return gort__runq_get_head(p);
}

bool gort__runq_empty(const struct p *p)
{
	// runnext can be kicked into the ring between two looks, hence the order and the second
	// look.
	for (;;) {
		uint32_t head = gort__load_acquire(&p->runq_head);
		uint32_t tail = gort__load_acquire(&p->runq_tail);
		struct g *next = gort__load_acquire(&p->runnext);
		if (tail == gort__load_acquire(&p->runq_tail))
			return head == tail && !next;
	}
}

struct g *gort__runq_steal(struct p *p, struct p *victim)
{
	for (;;) {
		uint32_t head = gort__load_acquire(&victim->runq_head);
		uint32_t tail = gort__load_acquire(&victim->runq_tail);
		uint32_t n = tail - head;
		uint32_t mine = p->runq_tail;

		n -= n / 2;
		if (!n)
			return NULL;
		// head and tail were not read at one time.
		if (n > P_RUNQ / 2)
			continue;
		for (uint32_t i = 0; i < n; i++)
			gort__store(&p->runq[(mine + i) % P_RUNQ],
				    gort__load(&victim->runq[(head + i) % P_RUNQ]));
		if (!gort__cas(&victim->runq_head, &head, head + n))
			continue;
		n--;
		gort__store_release(&p->runq_tail, mine + n);
		return p->runq[(mine + n) % P_RUNQ];
	}
}

struct g *gort__globrunq_get(struct p *p, uint32_t max)
{
	uint32_t n = sched.runq.n / sched.nprocs + 1;
	struct g *first;

	if (!sched.runq.n)
		return NULL;
	if (n > sched.runq.n)
		n = sched.runq.n;
	if (max && n > max)
		n = max;
	if (n > P_RUNQ / 2)
		n = P_RUNQ / 2;
	first = gort__glist_pop(&sched.runq);
	while (--n) {
		uint32_t tail = p->runq_tail;
		if (tail - gort__load_acquire(&p->runq_head) >= P_RUNQ)
			break;
		gort__store(&p->runq[tail % P_RUNQ], gort__glist_pop(&sched.runq));
		gort__store_release(&p->runq_tail, tail + 1);
	}
	return first;
}

void gort__runq_flush(struct p *p)
{
	struct g *g = gort__xchg(&p->runnext, NULL);
	uint32_t head = gort__load_acquire(&p->runq_head);

	if (g)
		gort__glist_push(&sched.runq, g);
	while (!gort__cas(&p->runq_head, &head, p->runq_tail))
		;
	for (; head != p->runq_tail; head++)
		gort__glist_push(&sched.runq, p->runq[head % P_RUNQ]);
}

struct g *gort__globrunq_take(bool (*wanted)(const struct g *))
{
	struct g *before = NULL, *g = sched.runq.head;

	for (; g && !wanted(g); g = g->next)
		before = g;
	if (!g)
		return NULL;
	if (before)
		before->next = g->next;
	else
		sched.runq.head = g->next;
	if (sched.runq.tail == g)
		sched.runq.tail = before;
	gort__store(&sched.runq.n, sched.runq.n - 1);
	return g;
}
