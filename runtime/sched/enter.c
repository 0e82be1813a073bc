// SPDX-License-Identifier: MIT
// The slow path of entering the runtime, blocking calls, and work on the system stack.
#include "runtime/gort.h"
#include "runtime/sched/core.h"

#include <sys/mman.h>

static void wait_for_p(struct g *g, struct m *m)
{
	gort__detach(g, m);
	gort__store(&g->status, G_RUNNABLE);
	gort__lock(&sched.lock);
	gort__glist_push(&sched.runq, g);
	gort__unlock(&sched.lock);
	gort__wakep();
	if (m->lockedg) {
		gort__stop_locked(m);
		return;
	}
	gort__stopm(m);
	gort__schedule(m);
}

void gort__p_regain(struct m *m)
{
	struct p *p = NULL;

	gort__freeze_check();
	m->p = NULL;
	gort__exceptions_find(m);
	if (gort__load(&sched.npidle)) {
		gort__lock(&sched.lock);
		p = gort__pidle_get();
		gort__unlock(&sched.lock);
	}
	if (p)
		gort__p_acquire(m, p);
	else
		gort__switch(wait_for_p);
}

void gort__enter_slow(struct m *m, const char *who)
{
	uint32_t asked = RETAKE_ASKED, attend = RETAKE_ATTEND;

	if (!m || !m->curg)
		gort__fatal("%s: called on a thread that has no goroutine", who);
	for (;;) {
		switch (gort__load_acquire(&m->retake)) {
		case RETAKE_NONE: return;
		case RETAKE_ASKED:
			// Inside before the taker looked: keep the P.
			if (gort__cas(&m->retake, &asked, RETAKE_NONE))
				return;
			asked = RETAKE_ASKED;
			break;
		case RETAKE_ATTEND:
			if (gort__cas(&m->retake, &attend, RETAKE_NONE)) {
				gort__debugcall_stand();
				return;
			}
			attend = RETAKE_ATTEND;
			break;
		case RETAKE_TAKEN: gort__p_regain(m); return;
		case RETAKE_BLOCKING: gort__fatal("%s: called inside gort_blocking", who);
		case RETAKE_FORKED: gort__fatal("%s: called after fork without exec", who);
		}
	}
}

// With a sanitizer that has to be told of the switches.
struct hop {
	void (*fn)(void *);
	void *arg;
	struct m *m;
};

static void hop(void *arg)
{
	struct hop *h = arg;

	gort__tell_on_system(h->m);
	h->fn(h->arg);
	gort__tell_to_g(h->m, h->m->hopped);
}

static void hop_to(void *sp, void (*fn)(void *), void *arg, struct m *m)
{
	struct hop h = { fn, arg, m };
	struct g *outer = m->hopped;

	m->hopped = m->curg;
	gort__tell_to_system(m->curg, m, false);
	gort__on_stack(hop, &h, sp, m->curg);
	gort__tell_on_g();
	m->hopped = outer;
}

static void on_stack(void *sp, void (*fn)(void *), void *arg, struct m *m)
{
	if (gort__sanitized())
		hop_to(sp, fn, arg, m);
	else
		gort__on_stack(fn, arg, sp, m->curg);
}

void gort__system(void (*fn)(void *), void *arg)
{
	struct m *m = gort__self();

	if (!m || !m->curg || m->on_system) {
		fn(arg);
		return;
	}
	m->on_system = true;
	on_stack(m->sys_sp, fn, arg, m);
	m->on_system = false;
}

// ---- blocking -----------------------------------------------------------------------------------

enum { PROMISED = 1 << 20, ROOM_SIZE = PROMISED + (64 << 10), ROOM_GUARD = 64 << 10 };

// A stack for a thread that has too little left. At its own upper end; kept by the M.
struct room {
	struct room *next;
} __attribute__((aligned(64)));

// A callback has what its thread left it, and that may be anything.
static bool has_room(const struct m *m)
{
	if (m->kind != M_EXTRA && !(m->curg->flags & G_CALLBACK))
		return true;
	return m->sys_exact && (char *)m->sys_sp - m->sys_lo >= PROMISED;
}

static struct room *room_take(struct m *m)
{
	struct room *room = m->rooms;
	char *lo;

	if (room) {
		m->rooms = room->next;
		return room;
	}
	lo = mmap(NULL, ROOM_GUARD + ROOM_SIZE, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	if (lo == MAP_FAILED || mprotect(lo, ROOM_GUARD, PROT_NONE))
		gort__fatal("gort_blocking: no memory for a stack");
	room = (struct room *)(lo + ROOM_GUARD + ROOM_SIZE) - 1;
	gort__valgrind(VALGRIND_STACK_REGISTER, lo + ROOM_GUARD, room);
	return room;
}

// What is known of the stack in use follows.
static void in_room(void (*fn)(void *), void *arg, struct m *m)
{
	struct room *room = room_take(m);
	struct {
		char *lo, *hi;
		void *asan_lo;
		size_t asan_size;
		bool exact;
	} was = { m->sys_lo, m->sys_hi, m->asan_stack_lo, m->asan_stack_size, m->sys_exact };

	m->sys_hi = (char *)room;
	m->sys_lo = m->asan_stack_lo = (char *)(room + 1) - ROOM_SIZE;
	m->asan_stack_size = ROOM_SIZE - sizeof(*room);
	m->sys_exact = true;
	on_stack(room, fn, arg, m);
	m->sys_lo = was.lo;
	m->sys_hi = was.hi;
	m->sys_exact = was.exact;
	m->asan_stack_lo = was.asan_lo;
	m->asan_stack_size = was.asan_size;
	room->next = m->rooms;
	m->rooms = room;
}

static void leave_p(void *p)
{
	gort__p_leave(p);
}

struct blocking {
	void (*fn)(void *);
	void *arg;
};

// A door: back on the goroutine's stack it would run over frames that a traceback reads as parked.
static void block(void *arg)
{
	struct blocking *b = arg;

	b->fn(b->arg);
	gort__freeze_check();
}

void gort__blocking(void (*fn)(void *), void *arg)
{
	struct m *m = gort__self();
	struct g *g = m->curg;
	struct p *p = gort__p_release(m);
	struct blocking b = { fn, arg };

	gort__store(&g->status, G_BLOCKING);
	gort__system(leave_p, p);
	gort__store(&m->retake, RETAKE_BLOCKING);
	gort__store_release(&m->in_runtime, 0);
	if (has_room(m))
		on_stack(m->sys_sp, block, &b, m);
	else
		in_room(block, &b, m);
	gort__store(&m->in_runtime, 1);
	if (gort__load(&m->retake) == RETAKE_FORKED)
		gort__fatal("gort_blocking: returned after fork without exec");
	gort__store(&m->retake, RETAKE_TAKEN);
	gort__store(&g->status, G_RUNNING);
	bool loaded = gort__exceptions_loaded();
	gort__p_regain(m);
	// Everybody comes by without a P, and looks.
	if (gort__unlikely(loaded)) {
		gort__stop_world();
		gort__start_world();
	}
}

void gort_blocking(void (*fn)(void *), void *arg)
{
	gort__enter(__func__);
	gort__blocking(fn, arg);
	gort__leave();
}
