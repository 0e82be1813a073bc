// SPDX-License-Identifier: MIT
// The life of a goroutine, as gort.h offers it.
#include "runtime/gort.h"
#include "runtime/sched/core.h"
#include "runtime/sched/local.h"

const char *const gort__wait_reason_text[WAIT_REASONS] = {
#define X(name, text) text,
	GORT__WAIT_REASONS(X)
#undef X
};

const char *const gort__g_status_text[] = {
#define X(name, text) text,
	GORT__G_STATUS(X)
#undef X
};

// ---- beginning ----------------------------------------------------------------------------------

enum { MXCSR_DEFAULT = 0x1f80, X87CW_DEFAULT = 0x37f };

struct g *gort__g_make(void (*fn)(void *), void *arg, const struct gort_attr *attr, void *pc,
		       uint8_t flags)
{
	struct m *m = gort__self();
	struct p *p = m->p;
	int class = attr ? gort__stack_class(attr->stack_size) : 0;
	struct switch_frame *f;
	struct g *g;

	if (class < 0)
		return NULL;
	g = gort__stack_get(p, class);
	if (!g)
		return NULL;
	f = (struct switch_frame *)(g->stack.hi - sizeof(*f));
	f->mxcsr = MXCSR_DEFAULT;
	f->x87cw = X87CW_DEFAULT;
	f->rbp = 0;
	f->pc = (uintptr_t)gort__go_start;
	g->sp = f;
	g->fn = fn;
	g->arg = arg;
	g->flags = flags;
	g->err = 0;
	gort__store(&g->cancelled, 0);
	g->wait_reason = WAIT_NONE;
	g->permit = 0;
	g->creator_pc = pc;
	g->creator_id = m->curg ? m->curg->id : 0;
	g->label = attr ? attr->label : NULL;
	gort__san_make(g);
	gort__store(&g->status, G_RUNNABLE);
	if (gort__likely(p != NULL))
		p->made += !(flags & G_SYSTEM);
	else
		gort__add(&sched.made, 1u);
	return g;
}

struct g *gort__spawn(void (*fn)(void *), void *arg, const struct gort_attr *attr, void *pc,
		      uint8_t flags)
{
	struct g *g = gort__g_make(fn, arg, attr, pc, flags);

	if (g) {
		// At the end of the ring, without a locked instruction: a batch runs in the order
		// of its making.
		gort__runq_put_tail(gort__self()->p, g);
		gort__wakep();
	}
	return g;
}

// Called by gort__go_start on the new stack.
_Noreturn void gort__entry(void);
void gort__entry(void)
{
	struct g *g = gort__g();

	gort__san_on_g();
	gort__leave();
	g->fn(g->arg);
	gort__enter("goroutine entry");
	if (gort__unlikely(g->defers != NULL))
		gort__defers_run(g);
	gort__goexit();
}

uint64_t gort_go_with(const struct gort_attr *attr, void (*fn)(void *), void *arg)
{
	struct g *g;
	uint64_t id;

	gort__enter(__func__);
	g = gort__spawn(fn, arg, attr, __builtin_return_address(0), 0);
	id = g ? g->id : 0;
	if (!g)
		*gort__self()->errno_addr = attr && gort__stack_class(attr->stack_size) < 0
						    ? EINVAL
						    : ENOMEM;
	gort__leave();
	return id;
}

uint64_t gort_go(void (*fn)(void *), void *arg)
{
	struct g *g;
	uint64_t id;

	gort__enter(__func__);
	g = gort__spawn(fn, arg, NULL, __builtin_return_address(0), 0);
	id = g ? g->id : 0;
	if (gort__unlikely(!g))
		*gort__self()->errno_addr = ENOMEM;
	gort__leave();
	return id;
}

// ---- end ----------------------------------------------------------------------------------------

static void end(struct g *g, struct m *m)
{
	struct p *p = m->p;
	bool locked = m->lockedg != NULL;

	gort__detach(g, m);
	gort__store(&g->status, G_DEAD);
	g->lockedm = NULL;
	p->ended += !(g->flags & G_SYSTEM);
	gort__san_end(g);
	gort__stack_put(p, g);
	// Its thread may be in a state that only it knows how to use.
	if (gort__unlikely(locked))
		gort__m_exit(m);
	gort__go_on(m);
}

void gort__goexit(void)
{
	struct g *g = gort__g();

	if (gort__unlikely(g->locals != NULL))
		gort__locals_end(g);
	if (gort__unlikely(g->flags & G_MAIN))
		gort__main_end();
	if (gort__unlikely(g->flags & G_CALLBACK))
		gort__callback_end(g);
	if (gort__unlikely(g->flags & G_DEBUGCALL))
		gort__debugcall_end(g);
	gort__switch_for_ever(end);
}

void gort_exit(void)
{
	struct g *g = gort__enter(__func__);

	gort__defers_exit(g);
	// Only its return ends the process.
	g->flags &= (uint8_t)~G_MAIN;
	gort__goexit();
}

// ---- small ones ---------------------------------------------------------------------------------

void gort_yield(void)
{
	gort__enter(__func__);
	gort__yield();
	gort__leave();
}

uint64_t gort_id(void)
{
	struct m *m = gort__self();

	return m && m->curg ? m->curg->id : 0;
}

__attribute__((noinline)) int *gort_errno_location(void)
{
	struct m *m = gort__self();

	return m ? m->errno_addr : (__errno_location)();
}

// ---- park, ready, cancel ------------------------------------------------------------------------

// g->permit: nothing, a gort_ready that nobody has waited for yet, or the ticket of the park in
// progress. One word, so that gort_ready needs no lock and cannot end a later wait by mistake.
enum { PERMIT_NONE = 0, PERMIT_GIVEN = 2 }; // tickets of waits are odd
enum { PERMITS_EVERY = 64 };

static bool commit_park(struct g *g, void *arg)
{
	uint32_t none = PERMIT_NONE, ticket = *(uint32_t *)arg;

	if (gort__cas(&g->permit, &none, ticket))
		return true;
	// A canceller that has claimed is going to ready: then park all the same.
	return !gort__wait_claim(g, ticket);
}

// An exchange: what a gort_ready that comes just now tells of is seen by the caller after.
static bool take_permit(struct g *g)
{
	return gort__xchg(&g->permit, PERMIT_NONE) == PERMIT_GIVEN;
}

void gort_park(void)
{
	struct g *g = gort__enter(__func__);
	uint32_t ticket;

	// Without a switch; but one that is always ready before it parks lets others run, too.
	if (take_permit(g)) {
		if (++g->permits % PERMITS_EVERY == 0)
			gort__yield();
		gort__leave();
		return;
	}
	ticket = gort__wait_begin(g);
	if (!gort__cancelled(g) || !gort__wait_claim(g, ticket))
		gort__park(commit_park, &ticket, WAIT_PARK);
	take_permit(g);
	gort__leave();
}

int gort_ready(uint64_t id)
{
	struct g *g;
	uint32_t was;
	int ret = 0;

	gort__enter(__func__);
	g = gort__g_lookup(id);
	if (!g) {
		ret = -ESRCH;
	} else {
		was = gort__xchg(&g->permit, PERMIT_GIVEN);
		if (was & 1 && gort__wait_claim(g, was))
			gort__ready(g, true);
	}
	gort__leave();
	return ret;
}

int gort_cancel(uint64_t id)
{
	struct g *g;
	int ret = 0;

	gort__enter(__func__);
	g = gort__g_lookup(id);
	if (g) {
		gort__store(&g->cancelled, gort__cancel_mark(id));
		// Either the waiter sees the mark before it parks, or we see its ticket.
		gort__all_fence();
		uint32_t ticket = gort__load_acquire(&g->ticket);
		// The ticket is this goroutine's if the id still is: it was read before. One that has
		// ended since may have done so because it saw the mark.
		if (gort__load_acquire(&g->id) == id && gort__wait_ends_by_cancel(ticket) &&
		    gort__wait_claim(g, ticket)) {
			g->wake_result = -ECANCELED;
			gort__settle(g);
			gort__ready(g, false);
		}
	} else {
		ret = -ESRCH;
	}
	gort__leave();
	return ret;
}

void gort_cancel_clear(void)
{
	struct g *g = gort__enter(__func__);

	gort__store(&g->cancelled, 0);
	gort__leave();
}

bool gort_canceled(void)
{
	struct g *g = gort__enter(__func__);
	bool yes = gort__cancelled(g);

	gort__leave();
	return yes;
}
