// SPDX-License-Identifier: MIT
// Channels. An element goes straight into the frame of a waiting peer, or through the ring.
#include "runtime/gort.h"
#include "runtime/sched/heap.h"
#include "runtime/sync/chan.h"

#include <string.h>

enum {
	ELEM_MAX = 64 << 10,
	KEPT = 4096, // released channels that debug builds keep to name their later users
};
static const size_t BUFFER_MAX = (size_t)1 << 47; // the address space

// ---- making and releasing -----------------------------------------------------------------------

void gort__chan_init(struct gort_chan *c, uint32_t elem, size_t cap,
		     void (*drop)(struct gort_chan *))
{
	memset(c, 0, sizeof(*c));
	gort__lock_init(&c->lock, RANK_CHAN);
	c->elem = elem;
	c->cap = cap;
	c->refs = 1;
	c->magic = CHAN_LIVE;
	c->drop = drop;
}

gort_chan *gort_chan_make(size_t elem, size_t cap)
{
	struct gort_chan *c;
	size_t bytes;

	if (elem > ELEM_MAX || __builtin_mul_overflow(elem, cap, &bytes) || bytes > BUFFER_MAX) {
		errno = EINVAL;
		return NULL;
	}
	c = gort__memalign(_Alignof(struct gort_chan), sizeof(*c) + bytes);
	if (!c) {
		errno = ENOMEM;
		return NULL;
	}
	gort__chan_init(c, (uint32_t)elem, cap, NULL);
	return c;
}

void gort__chan_dead(const struct gort_chan *c, const char *who)
{
	if (c->magic == CHAN_RELEASED)
		gort__fatal("%s: channel %p was released", who, (const void *)c);
	gort__fatal("%s: %p is no channel", who, (const void *)c);
}

#ifdef GORT_DEBUG
// Keeps c readable for a while, so that whoever uses it still is told so.
static void chan_free(struct gort_chan *c)
{
	static struct {
		struct lock lock;
		struct gort_chan *oldest, *newest;
		int n;
	} kept = { .lock = GORT__LOCK_INIT(LEAF) };
	struct gort_chan *old = NULL;

	gort__lock(&kept.lock);
	c->link = NULL;
	if (kept.newest)
		kept.newest->link = c;
	else
		kept.oldest = c;
	kept.newest = c;
	if (++kept.n > KEPT) {
		old = kept.oldest;
		kept.oldest = old->link;
		kept.n--;
	}
	gort__unlock(&kept.lock);
	gort__free(old);
}
#else
static void chan_free(struct gort_chan *c)
{
	gort__free(c);
}
#endif

gort_chan *gort_chan_retain(gort_chan *c)
{
	if (c) {
		gort__chan_check(c, __func__);
		__atomic_add_fetch(&c->refs, 1, __ATOMIC_RELAXED);
	}
	return c;
}

void gort_chan_release(gort_chan *c)
{
	if (!c)
		return;
	gort__chan_check(c, __func__);
	if (gort__add(&c->refs, -1u))
		return;
	if (c->receivers || c->senders)
		gort__fatal("%s: goroutines still wait on channel %p", __func__, (void *)c);
	gort__store(&c->magic, CHAN_RELEASED);
	if (c->drop)
		c->drop(c);
	else
		chan_free(c);
}

// ---- moving elements ----------------------------------------------------------------------------

// The usual sizes are one move; elem NULL means zeroes to send, and nowhere to receive into.
static inline void copy(void *to, const void *from, size_t n)
{
	if (gort__likely(n == 8))
		memcpy(to, from, 8);
	else if (n == 4)
		memcpy(to, from, 4);
	else if (n)
		memcpy(to, from, n);
}

static inline void give(void *to, const void *from, size_t n)
{
	if (!to)
		return;
	if (gort__likely(from != NULL))
		copy(to, from, n);
	else
		memset(to, 0, n);
}

static inline char *slot(struct gort_chan *c, size_t i)
{
	i += c->first;
	if (i >= c->cap)
		i -= c->cap;
	return c->buf + i * c->elem;
}

int gort__chan_send(struct gort_chan *c, const void *elem, struct waiter **peer)
{
	struct waiter *w;

	if (gort__unlikely(c->closed))
		return -EPIPE;
	w = c->receivers ? gort__queue_claim(&c->receivers) : NULL;
	if (w) {
		give(w->elem, elem, c->elem);
		w->g->wake_data = w;
		*peer = w;
		return 0;
	}
	if (c->n == c->cap)
		return -EAGAIN;
	give(slot(c, c->n), elem, c->elem);
	gort__store(&c->n, c->n + 1);
	return 0;
}

int gort__chan_recv(struct gort_chan *c, void *elem, struct waiter **peer)
{
	struct waiter *w;

	w = c->senders ? gort__queue_claim(&c->senders) : NULL;
	if (c->n) {
		char *oldest = slot(c, 0);
		if (elem)
			copy(elem, oldest, c->elem);
		if (++c->first == c->cap)
			c->first = 0;
		// The ring was full: the slot that is free now is the last.
		if (w)
			give(oldest, w->elem, c->elem);
		else
			gort__store(&c->n, c->n - 1);
	} else if (w) {
		give(elem, w->elem, c->elem);
	} else if (c->closed) {
		if (elem)
			memset(elem, 0, c->elem);
		return -EPIPE;
	} else {
		return -EAGAIN;
	}
	if (w) {
		w->g->wake_data = w;
		*peer = w;
	}
	return 0;
}

// ---- turns --------------------------------------------------------------------------------------

enum {
	TURN = 3000, // cycles: about a microsecond, some eighty elements
	PAUSES = 60, // at most, should the counters of two CPUs disagree
};

// Two Ps that stream through one channel would take its cache line from each other for every
// element, which costs ten times what the element does. So a P that has just begun to use it may go
// on for a microsecond.
static gort__cold void take_turn(struct gort_chan *c, uint32_t self)
{
	uint64_t since = gort__load(&c->since);

	// Without another look at the channel: that alone would take the line away.
	for (int i = 0; i < PAUSES && __builtin_ia32_rdtsc() - since < TURN; i++)
		gort__relax();
	gort__store(&c->since, __builtin_ia32_rdtsc());
	gort__store(&c->turn, self);
}

// Locks c to send (to: receivers) or receive. Nobody waits for his turn when that would keep a
// waiting peer, or when there is nothing to stream.
static inline void lock_in_turn(struct gort_chan *c, const struct g *g, bool send)
{
	uint32_t self;

	if (gort__solo())
		return;
	self = g->m->p->id + 1;
	if (gort__load(&c->turn) != self && c->cap > 1 &&
	    (send ? gort__load(&c->n) < c->cap && !gort__load(&c->receivers)
		  : gort__load(&c->n) > 0 && !gort__load(&c->senders)))
		take_turn(c, self);
	gort__lock(&c->lock);
}

// ---- sending and receiving ----------------------------------------------------------------------

// A null channel is never ready. Cancel and deadline end the wait; nothing else does.
static gort__cold int block(struct g *g, int64_t deadline)
{
	struct waiter w;
	int ret = gort__waiter_begin(&w, g, deadline);

	return ret ? ret : gort__waiter_park(&w, NULL, deadline, WAIT_CHAN_NULL);
}

// Waits in q with c->lock held, which is released.
static int wait(struct gort_chan *c, struct g *g, struct waiter **q, void *elem, int64_t deadline,
		enum wait_reason why)
{
	struct waiter w = { .elem = elem };
	int ret = gort__waiter_begin(&w, g, deadline);

	if (gort__unlikely(ret)) {
		gort__solo_unlock(&c->lock);
		return ret;
	}
	gort__queue_push(q, &w);
	ret = gort__waiter_park(&w, &c->lock, deadline, why);
	if (gort__unlikely(ret == -ECANCELED || ret == -ETIMEDOUT)) {
		gort__solo_lock(&c->lock);
		gort__queue_remove(q, &w);
		gort__solo_unlock(&c->lock);
	}
	return ret;
}

static inline int send_until(gort_chan *c, const void *elem, int64_t deadline, const char *who)
{
	struct g *g = gort__enter(who);
	struct waiter *peer = NULL;
	int ret;

	if (gort__unlikely(gort__cancelled(g))) {
		ret = -ECANCELED;
	} else if (gort__unlikely(!c)) {
		ret = block(g, deadline);
	} else {
		gort__chan_check(c, who);
		lock_in_turn(c, g, true);
		ret = gort__chan_send(c, elem, &peer);
		if (ret == -EAGAIN) {
			ret = wait(c, g, &c->senders, (void *)elem, deadline, WAIT_CHAN_SEND);
		} else {
			gort__solo_unlock(&c->lock);
			if (peer)
				gort__waiter_wake(peer, true);
		}
	}
	gort__leave();
	return ret;
}

static inline int recv_until(gort_chan *c, void *elem, int64_t deadline, const char *who)
{
	struct g *g = gort__enter(who);
	struct waiter *peer = NULL;
	int ret;

	if (gort__unlikely(gort__cancelled(g))) {
		ret = -ECANCELED;
	} else if (gort__unlikely(!c)) {
		ret = block(g, deadline);
	} else {
		gort__chan_check(c, who);
		lock_in_turn(c, g, false);
		ret = gort__chan_recv(c, elem, &peer);
		if (ret == -EAGAIN) {
			ret = wait(c, g, &c->receivers, elem, deadline, WAIT_CHAN_RECV);
		} else {
			gort__solo_unlock(&c->lock);
			if (peer)
				gort__waiter_wake(peer, true);
		}
	}
	gort__leave();
	return ret;
}

int gort_send(gort_chan *c, const void *elem)
{
	return send_until(c, elem, GORT_FOREVER, __func__);
}

int gort_send_until(gort_chan *c, const void *elem, int64_t deadline)
{
	return send_until(c, elem, deadline, __func__);
}

int gort_recv(gort_chan *c, void *elem)
{
	return recv_until(c, elem, GORT_FOREVER, __func__);
}

int gort_recv_until(gort_chan *c, void *elem, int64_t deadline)
{
	return recv_until(c, elem, deadline, __func__);
}

int gort__chan_trysend(struct gort_chan *c, const void *elem)
{
	struct waiter *peer = NULL;
	int ret;

	gort__solo_lock(&c->lock);
	ret = gort__chan_send(c, elem, &peer);
	gort__solo_unlock(&c->lock);
	if (peer)
		gort__waiter_wake(peer, true);
	return ret;
}

// Neither parks, so neither is cancelled. The looks without the lock are for those who poll.
// Whether it is closed is looked at last: a channel that is open then was open at the looks before.
int gort_trysend(gort_chan *c, const void *elem)
{
	int ret = -EAGAIN;

	gort__enter(__func__);
	if (c) {
		gort__chan_check(c, __func__);
		if (gort__load_acquire(&c->receivers) || gort__load_acquire(&c->n) != c->cap ||
		    gort__load(&c->closed))
			ret = gort__chan_trysend(c, elem);
	}
	gort__leave();
	return ret;
}

int gort_tryrecv(gort_chan *c, void *elem)
{
	struct waiter *peer = NULL;
	int ret = -EAGAIN;

	gort__enter(__func__);
	if (c) {
		gort__chan_check(c, __func__);
		if (gort__load_acquire(&c->n) || gort__load_acquire(&c->senders) ||
		    gort__load(&c->closed)) {
			gort__solo_lock(&c->lock);
			ret = gort__chan_recv(c, elem, &peer);
			gort__solo_unlock(&c->lock);
			if (peer)
				gort__waiter_wake(peer, true);
		}
	}
	gort__leave();
	return ret;
}

// ---- closing ------------------------------------------------------------------------------------

// Ends every wait in q with -EPIPE; receivers get zeroes.
static void end_all(struct gort_chan *c, struct waiter **q, bool receivers, struct glist *ready)
{
	struct waiter *w;

	while ((w = gort__queue_claim(q))) {
		if (receivers && w->elem)
			memset(w->elem, 0, c->elem);
		w->g->wake_result = -EPIPE;
		w->g->wake_data = w;
		if (w->settle)
			gort__solo_settle(w->g);
		gort__glist_push(ready, w->g);
	}
}

void gort_close(gort_chan *c)
{
	struct glist ready = { 0 };

	gort__enter(__func__);
	if (!c) {
		gort__leave();
		gort_panic("close of a null channel");
	}
	gort__chan_check(c, __func__);
	gort__solo_lock(&c->lock);
	if (c->closed) {
		gort__solo_unlock(&c->lock);
		gort__leave();
		gort_panic("close of a closed channel");
	}
	gort__store(&c->closed, 1);
	end_all(c, &c->receivers, true, &ready);
	end_all(c, &c->senders, false, &ready);
	gort__solo_unlock(&c->lock);
	gort__ready_list(&ready);
	gort__leave();
}

size_t gort_len(gort_chan *c)
{
	return c ? gort__load(&c->n) : 0;
}

size_t gort_cap(gort_chan *c)
{
	return c ? c->cap : 0;
}
