// SPDX-License-Identifier: MIT
// Timers: the heaps, firing, and the public gort_timer.
#include "runtime/gort.h"
#include "runtime/base/sanitize.h"
#include "runtime/sched/given.h"
#include "runtime/sched/heap.h"
#include "runtime/sched/sched.h"
#include "runtime/sync/chan.h"

#include <sys/mman.h>

enum {
	ARY = 4, // children of a node: two cache lines hold them, and the heap is half as deep
	FIRST_CAP = 256, // entries: one page
	BATCH = 64, // waits ended per hold of the lock
	RETRY = 1000 * 1000, // ns until a goroutine is tried again that there was no memory for
};

struct timer_entry {
	int64_t when; // a copy: comparing touches no timer
	struct timer *timer;
};

_Static_assert(sizeof(struct timer) <= sizeof(gort_timer), "gort_timer is too small");

// ---- the heap; all with its lock ----------------------------------------------------------------

static void place(struct timers *ts, uint32_t i, struct timer_entry e)
{
	ts->heap[i] = e;
	// Looked at without the lock by gort__timer_remove.
	gort__store(&e.timer->at, i + 1);
}

static void sift_up(struct timers *ts, uint32_t i, struct timer_entry e)
{
	while (i) {
		uint32_t parent = (i - 1) / ARY;
		if (ts->heap[parent].when <= e.when)
			break;
		place(ts, i, ts->heap[parent]);
		i = parent;
	}
	place(ts, i, e);
}

static void sift_down(struct timers *ts, uint32_t i, struct timer_entry e)
{
	for (;;) {
		uint64_t child = (uint64_t)i * ARY + 1, end = child + ARY;
		if (child >= ts->n)
			break;
		if (end > ts->n)
			end = ts->n;
		uint64_t least = child;
		for (child++; child < end; child++)
			if (ts->heap[child].when < ts->heap[least].when)
				least = child;
		if (ts->heap[least].when >= e.when)
			break;
		place(ts, i, ts->heap[least]);
		i = (uint32_t)least;
	}
	place(ts, i, e);
}

static void moved(struct timers *ts, uint32_t i, struct timer_entry e)
{
	if (i && ts->heap[(i - 1) / ARY].when > e.when)
		sift_up(ts, i, e);
	else
		sift_down(ts, i, e);
}

static void publish(struct timers *ts)
{
	gort__store(&ts->when, ts->n ? ts->heap[0].when : INT64_MAX);
}

static gort__cold void grow(struct timers *ts)
{
	uint32_t cap = ts->cap ? ts->cap * 2 : FIRST_CAP;
	size_t bytes = (size_t)cap * sizeof(*ts->heap);
	void *mem;

	// Not malloc: this may be a timer's own firing, on any stack.
	if (!ts->cap)
		mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	else
		mem = mremap(ts->heap, bytes / 2, bytes, MREMAP_MAYMOVE);
	if (mem == MAP_FAILED)
		gort__fatal("no memory for %u timers", cap);
	ts->heap = mem;
	ts->cap = cap;
	gort__san_arena(mem, bytes);
}

static void insert(struct timers *ts, struct timer *t)
{
	if (gort__unlikely(ts->n == ts->cap))
		grow(ts);
	sift_up(ts, ts->n++, (struct timer_entry){ t->when, t });
	publish(ts);
}

// The last thing that is done to a timer that leaves: gort__timer_remove looks at it without the
// lock.
static void delete (struct timers *ts, struct timer *t)
{
	uint32_t i = t->at - 1;
	struct timer_entry last = ts->heap[--ts->n];

	if (i < ts->n)
		moved(ts, i, last);
	gort__store_release(&t->at, 0);
}

// ---- firing -------------------------------------------------------------------------------------

// Takes what is due out of the heap, up to a batch of it, as copies: the timers may be gone once
// the lock is free. Goroutines are made here, under the lock: when there is no memory for one its
// timer can still be put back.
static int collect(struct timers *ts, int64_t now, struct timer *due)
{
	int n = 0;

	gort__solo_lock(&ts->lock);
	while (n < BATCH && ts->n && ts->heap[0].when <= now) {
		struct timer *t = ts->heap[0].timer;
		if (t->kind == TIMER_SPAWN && !gort__spawn(t->fn, t->arg, NULL, t->pc, 0)) {
			t->when = now + RETRY;
			sift_down(ts, 0, (struct timer_entry){ t->when, t });
			continue;
		}
		if (t->kind != TIMER_SPAWN)
			due[n++] = *t;
		if (t->period) {
			int64_t late = (now - t->when) / t->period;
			if (__builtin_mul_overflow(late + 1, t->period, &late) ||
			    __builtin_add_overflow(t->when, late, &t->when))
				t->when = INT64_MAX;
			sift_down(ts, 0, (struct timer_entry){ t->when, t });
		} else {
			delete (ts, t);
		}
	}
	publish(ts);
	gort__solo_unlock(&ts->lock);
	return n;
}

int64_t gort__timers_check(struct p *p, int64_t now)
{
	struct timer due[BATCH];
	struct glist ready = { 0 };
	int n;

	do {
		n = collect(&p->timers, now, due);
		for (int i = 0; i < n; i++) {
			struct timer *t = &due[i];
			if (t->kind == TIMER_CALL) {
				t->fn(t->arg);
			} else if (gort__wait_claim(t->g, t->ticket)) {
				t->g->wake_result = -ETIMEDOUT;
				gort__solo_settle(t->g);
				gort__glist_push(&ready, t->g);
			}
		}
	} while (n == BATCH);
	gort__ready_list(&ready);
	return gort__load(&p->timers.when);
}

void gort__timers_init(struct p *p)
{
	gort__lock_init(&p->timers.lock, RANK_TIMERS);
	p->timers.when = INT64_MAX;
}

void gort__timers_move(struct p *from, struct p *to)
{
	// The stopped world stands for the locks.
	gort__san_acquire(&from->timers.lock);
	gort__san_acquire(&to->timers.lock);
	for (uint32_t i = 0; i < from->timers.n; i++) {
		struct timer *t = from->timers.heap[i].timer;
		gort__store(&t->owner, &to->timers);
		insert(&to->timers, t);
	}
	from->timers.n = 0;
	publish(&from->timers);
	gort__san_ready(&from->timers.lock);
	gort__san_ready(&to->timers.lock);
}

// ---- starting and stopping ----------------------------------------------------------------------

static struct timers *mine(void)
{
	return &gort__self()->p->timers;
}

// Locks the heap that t belongs to: another start may move it meanwhile.
static struct timers *lock_owner(struct timer *t)
{
	for (;;) {
		struct timers *ts = gort__load_acquire(&t->owner);
		if (!ts)
			return NULL;
		gort__solo_lock(&ts->lock);
		if (gort__load(&t->owner) == ts)
			return ts;
		gort__solo_unlock(&ts->lock);
	}
}

bool gort__timer_add(struct timer *t)
{
	struct timers *ts = mine();
	bool first;

	gort__solo_lock(&ts->lock);
	gort__store(&t->owner, ts);
	insert(ts, t);
	first = ts->heap[0].timer == t;
	gort__solo_unlock(&ts->lock);
	return first;
}

bool gort__timer_remove(struct timer *t)
{
	struct timers *ts;
	bool in;

	if (!gort__load_acquire(&t->at))
		return false;
	ts = lock_owner(t);
	in = t->at != 0;
	if (in) {
		delete (ts, t);
		publish(ts);
	}
	gort__solo_unlock(&ts->lock);
	return in;
}

// Locks this P's heap and makes it t's, unless t is in some heap: then that one is locked.
static struct timers *adopt(struct timer *t)
{
	struct timers *to = mine();

	for (;;) {
		struct timers *from = NULL;
		if (gort__cas(&t->owner, &from, to))
			from = to;
		if (from == to) {
			gort__solo_lock(&to->lock);
			if (gort__load(&t->owner) == to)
				return to;
			gort__solo_unlock(&to->lock);
			continue;
		}
		gort__solo_lock(from < to ? &from->lock : &to->lock);
		gort__solo_lock(from < to ? &to->lock : &from->lock);
		if (gort__load(&t->owner) == from) {
			if (t->at) {
				gort__solo_unlock(&to->lock);
				return from;
			}
			gort__store_release(&t->owner, to);
			gort__solo_unlock(&from->lock);
			return to;
		}
		gort__solo_unlock(&from->lock);
		gort__solo_unlock(&to->lock);
	}
}

int gort_timer_start(gort_timer *timer, int64_t deadline, int64_t period, void (*fn)(void *),
		     void *arg)
{
	struct timer *t = (struct timer *)timer;
	struct timers *ts;
	bool first = false;
	int ret = 0;

	if (!fn || period < 0)
		return -EINVAL;
	gort__enter(__func__);
	ts = adopt(t);
	if (t->at) {
		ret = -EBUSY;
	} else {
		t->kind = TIMER_SPAWN;
		t->when = deadline > 0 ? deadline : 0;
		t->period = period;
		t->fn = fn;
		t->arg = arg;
		t->pc = __builtin_return_address(0);
		insert(ts, t);
		first = ts->heap[0].timer == t;
	}
	gort__solo_unlock(&ts->lock);
	if (first)
		gort__wake_for_timer(deadline);
	gort__leave();
	return ret;
}

int gort_timer_stop(gort_timer *timer)
{
	int ret;

	gort__enter(__func__);
	ret = gort__timer_remove((struct timer *)timer);
	gort__leave();
	return ret;
}

int gort_timer_reset(gort_timer *timer, int64_t deadline)
{
	struct timer *t = (struct timer *)timer;
	struct timers *ts;
	bool first = false;
	int ret = -EINVAL;

	gort__enter(__func__);
	if (!gort__load_acquire(&t->owner))
		goto out;
	ts = adopt(t);
	if (t->fn) {
		t->when = deadline > 0 ? deadline : 0;
		ret = t->at != 0;
		if (ret) {
			moved(ts, t->at - 1, (struct timer_entry){ t->when, t });
			publish(ts);
		} else {
			insert(ts, t);
		}
		first = ts->heap[0].timer == t;
	}
	gort__solo_unlock(&ts->lock);
	if (first)
		gort__wake_for_timer(deadline);
out:
	gort__leave();
	return ret;
}

// ---- gort_after ---------------------------------------------------------------------------------

// In one piece, which goes with the last reference to the channel. That may be the timer's, whose
// firing holds a P.
struct after {
	struct timer t;
	struct gort_chan c;
	int64_t room; // of its buffer, at least
};

enum { AFTER_SIZE = (sizeof(struct after) + 63) / 64 * 64 };

static struct slab afters = GORT__SLAB_INIT(AFTER_SIZE);

static void drop_after(struct gort_chan *c)
{
	gort__slab_put(&afters, gort__container_of(c, struct after, c));
}

static void send_time(void *arg)
{
	struct after *a = arg;
	int64_t now = gort_now();

	gort__chan_trysend(&a->c, &now);
	gort_chan_release(&a->c);
}

gort_chan *gort_after(int64_t ns)
{
	struct after *a = gort__slab_get(&afters);
	int64_t when;

	if (!a) {
		errno = ENOMEM;
		return NULL;
	}
	gort__chan_init(&a->c, sizeof(int64_t), 1, drop_after);
	gort__enter(__func__);
	// Never: a timer would only keep the memory.
	if (!__builtin_add_overflow(gort_now(), ns, &when)) {
		a->t = (struct timer){
			.kind = TIMER_CALL, .when = when, .fn = send_time, .arg = a
		};
		gort_chan_retain(&a->c);
		if (gort__timer_add(&a->t))
			gort__wake_for_timer(when);
	}
	gort__leave();
	return &a->c;
}
