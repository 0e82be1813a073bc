// SPDX-License-Identifier: MIT
// Waiting on several channels. All of them are locked, by address, while the cases are looked at
// and queued; who claims the wait through one of them leaves the others for the waiter to clean up.
#include "runtime/gort.h"
#include "runtime/sched/heap.h"
#include "runtime/sync/chan.h"

enum { FEW = 16 }; // cases that fit in the frame; more cost an allocation

struct select {
	struct gort_case *cases;
	int n;
	uint32_t *order; // of the cases that have a channel, by its address
	uint32_t used;
	struct waiter *waiters; // by case
};

// The lock of rank CHAN that is taken first stands for the others: ascending addresses are their
// order, and debug builds have no room to note any number of them.
static void lock_more(struct lock *l)
{
	uint32_t free = 0;

	if (!gort__cas(&l->word, &free, 1))
		gort__lock_slow(l);
}

static void unlock_more(struct lock *l)
{
	if (gort__xchg(&l->word, 0) == 2)
		gort__unlock_slow(l);
}

static struct gort_chan *chan_at(const struct select *s, uint32_t i)
{
	return s->cases[s->order[i]].chan;
}

static void lock_all(const struct select *s)
{
	if (gort__solo())
		return;
	gort__lock(&chan_at(s, 0)->lock);
	for (uint32_t i = 1; i < s->used; i++)
		if (chan_at(s, i) != chan_at(s, i - 1))
			lock_more(&chan_at(s, i)->lock);
}

static void unlock_all(const struct select *s)
{
	if (gort__solo())
		return;
	for (uint32_t i = s->used - 1; i > 0; i--)
		if (chan_at(s, i) != chan_at(s, i - 1))
			unlock_more(&chan_at(s, i)->lock);
	gort__unlock(&chan_at(s, 0)->lock);
}

// Whoever claims a select's wait settles before it readies, so s and its frame stay until this has
// returned.
static bool unlock_for_park(struct g *g, void *arg)
{
	(void)g;
	unlock_all(arg);
	return true;
}

// Shell sort: short, in place, and fast enough for thousands.
static void sort(struct select *s)
{
	uint32_t gap = 1;

	while (gap < s->used / 3)
		gap = gap * 3 + 1;
	for (; gap; gap /= 3) {
		for (uint32_t i = gap; i < s->used; i++) {
			uint32_t one = s->order[i], at = i;
			while (at >= gap &&
			       (uintptr_t)chan_at(s, at - gap) > (uintptr_t)s->cases[one].chan) {
				s->order[at] = s->order[at - gap];
				at -= gap;
			}
			s->order[at] = one;
		}
	}
}

static bool possible(const struct gort_case *c)
{
	const struct gort_chan *chan = c->chan;
	struct waiter *const *q = c->op == GORT_SEND ? &chan->receivers : &chan->senders;

	if (chan->closed || (c->op == GORT_SEND ? chan->n < chan->cap : chan->n > 0))
		return true;
	// A waiter whose wait has ended serves nobody; it goes, so that what is counted is sure.
	while (*q && gort__load(&(*q)->g->ticket) != (*q)->ticket)
		gort__queue_remove((struct waiter **)q, *q);
	return *q != NULL;
}

// Of the cases that can go on each is chosen with the same chance.
static int choose(const struct select *s)
{
	struct m *m = gort__self();
	uint32_t seen = 0;
	int chosen = -1;

	for (uint32_t i = 0; i < s->used; i++) {
		if (!possible(&s->cases[s->order[i]]))
			continue;
		seen++;
		if (seen == 1 || (uint64_t)gort__rand(m) * seen >> 32 == 0)
			chosen = (int)s->order[i];
	}
	return chosen;
}

static int perform(struct gort_case *c, struct waiter **peer)
{
	return c->op == GORT_SEND ? gort__chan_send(c->chan, c->elem, peer)
				  : gort__chan_recv(c->chan, c->elem, peer);
}

static struct waiter **queue_of(const struct gort_case *c)
{
	return c->op == GORT_SEND ? &c->chan->senders : &c->chan->receivers;
}

// With all locks, which are released.
static int wait(struct select *s, struct g *g, int64_t deadline)
{
	struct waiter first;
	int ret = gort__waiter_begin(&first, g, deadline);

	if (ret) {
		unlock_all(s);
		return ret;
	}
	for (uint32_t i = 0; i < s->used; i++) {
		struct waiter *w = &s->waiters[s->order[i]];
		*w = first;
		w->elem = s->cases[s->order[i]].elem;
		w->tag = s->order[i];
		w->settle = true;
		gort__queue_push(queue_of(&s->cases[s->order[i]]), w);
	}
	ret = gort__waiter_park_with(&first, unlock_for_park, s, deadline, WAIT_SELECT);
	struct waiter *won = ret == -ECANCELED || ret == -ETIMEDOUT ? NULL : g->wake_data;
	for (uint32_t i = 0; i < s->used; i++) {
		struct waiter *w = &s->waiters[s->order[i]];
		struct gort_case *c = &s->cases[s->order[i]];
		if (w == won)
			continue;
		gort__solo_lock(&c->chan->lock);
		gort__queue_remove(queue_of(c), w);
		gort__solo_unlock(&c->chan->lock);
	}
	if (!won)
		return ret;
	s->cases[won->tag].result = ret;
	return (int)won->tag;
}

static int run(struct select *s, struct g *g, int64_t deadline)
{
	struct waiter *peer = NULL;
	int chosen, ret;

	for (int i = 0; i < s->n; i++) {
		if (!s->cases[i].chan)
			continue;
		gort__chan_check(s->cases[i].chan, "gort_select");
		s->order[s->used++] = (uint32_t)i;
	}
	if (!s->used) {
		struct waiter w;
		ret = deadline ? gort__waiter_begin(&w, g, deadline) : -ETIMEDOUT;
		return ret ? ret : gort__waiter_park(&w, NULL, deadline, WAIT_SELECT_EMPTY);
	}
	sort(s);
	lock_all(s);
	do {
		chosen = choose(s);
		if (chosen < 0 && deadline != 0)
			return wait(s, g, deadline);
		if (chosen < 0) {
			unlock_all(s);
			return -ETIMEDOUT;
		}
		ret = perform(&s->cases[chosen], &peer);
		// Again if the peer's wait ended between the look and the claim.
	} while (ret == -EAGAIN);
	unlock_all(s);
	if (peer)
		gort__waiter_wake(peer, true);
	s->cases[chosen].result = ret;
	return chosen;
}

static int enter_and_run(struct select *s, int64_t deadline)
{
	struct g *g = gort__enter("gort_select");
	int ret = s->n < 0 ? -EINVAL : 0;

	for (int i = 0; i < s->n && !ret; i++)
		if (s->cases[i].op != GORT_SEND && s->cases[i].op != GORT_RECV)
			ret = -EINVAL;
	// With deadline 0 it never parks, so it is not cancelled either.
	if (!ret && deadline != 0 && gort__cancelled(g))
		ret = -ECANCELED;
	if (!ret)
		ret = run(s, g, deadline);
	gort__leave();
	return ret;
}

static gort__cold int run_many(struct select *s, int64_t deadline)
{
	size_t n = (size_t)s->n;
	int ret;

	s->waiters = gort__malloc(n * (sizeof(*s->waiters) + sizeof(*s->order)));
	if (!s->waiters)
		return -ENOMEM;
	s->order = (uint32_t *)(s->waiters + n);
	ret = enter_and_run(s, deadline);
	gort__free(s->waiters);
	return ret;
}

int gort_select(struct gort_case *cases, int n, int64_t deadline)
{
	struct select s = { .cases = cases, .n = n };
	struct waiter waiters[FEW];
	uint32_t order[FEW];

	if (gort__unlikely(n > FEW))
		return run_many(&s, deadline);
	s.waiters = waiters;
	s.order = order;
	return enter_and_run(&s, deadline);
}
