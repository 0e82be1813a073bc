// SPDX-License-Identifier: MIT
// Goroutines on foreign threads: any thread borrows an M, runs one goroutine on it and keeps the M
// until it ends.
#include "runtime/gort.h"
#include "runtime/base/signal.h"
#include "runtime/base/trace.h"
#include "runtime/sched/core.h"
#include "runtime/sched/heap.h"

#include <pthread.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	SPARE = 4, // Ms made at once when none is left
	STACK = 256 << 10, // of a callback's goroutine: C libraries call back in depth
	GUESS_BELOW = 32 << 10, // of an unknown stack that much below SP is taken to exist,
	GUESS_ABOVE = 1 << 10, // and that much above
	OWN_SIGSTACK_ROOM =
		16 << 10, // beyond the kernel's frame, for the thread's own to be enough
};

static struct {
	struct lock lock;
	struct m *free; // through schedlink
	pthread_key_t key;
	bool have_key;
} extra = { .lock = GORT__LOCK_INIT(LEAF) };

// ---- lending Ms to threads ----------------------------------------------------------------------

static struct m *take_spare(void)
{
	struct m *m;

	gort__lock(&extra.lock);
	m = extra.free;
	if (m)
		extra.free = m->schedlink;
	gort__unlock(&extra.lock);
	return m;
}

static void give_spare(struct m *m)
{
	gort__lock(&extra.lock);
	m->schedlink = extra.free;
	extra.free = m;
	gort__unlock(&extra.lock);
}

// One more than needed is kept, so that a first callback makes nothing.
static void keep_spare(void)
{
	for (int i = 0; i < SPARE && !gort__load(&extra.free); i++) {
		struct m *m = gort__m_new(M_EXTRA);
		if (!m)
			return;
		give_spare(m);
	}
}

static void unbind(void *arg)
{
	struct m *m = arg;
	stack_t ss;
	uint64_t mask;

	// A call on all threads that is under way reaches this one first. Then signals must not
	// find a thread that is half an M.
	gort__lock(&gort__threads_lock);
	mask = gort__sigmask(SIG_BLOCK, GORT__SIG_ALL);
	if (!sigaltstack(NULL, &ss) && ss.ss_sp == m->sigstack) {
		ss.ss_flags = SS_DISABLE;
		sigaltstack(&ss, NULL);
	}
	gort__m_unbind(m);
	m->sys_lo = m->sys_hi = m->thread_lo = m->thread_hi = NULL;
	m->sys_exact = false;
	m->kind = M_EXTRA;
	give_spare(m);
	gort__unlock(&gort__threads_lock);
	gort__sigmask(SIG_SETMASK, mask);
}

// Gives the thread m's signal stack. One system call where that is the thread's first; its own
// stays when it is large enough, for its owner may count on it. False on a signal stack, which
// cannot be changed.
static bool give_sigstack(struct m *m)
{
	stack_t ss = { .ss_sp = m->sigstack, .ss_size = m->sigstack_size }, old;

	if (sigaltstack(m->sigstack ? &ss : NULL, &old))
		return false;
	if (old.ss_flags & SS_ONSTACK)
		return false;
	m->own_sigstack = NULL;
	if (!(old.ss_flags & SS_DISABLE) &&
	    old.ss_size >= getauxval(AT_MINSIGSTKSZ) + OWN_SIGSTACK_ROOM) {
		sigaltstack(&old, NULL);
		m->own_sigstack = old.ss_sp;
		m->own_sigstack_size = old.ss_size;
	}
	return true;
}

static bool on_sigstack(const struct m *m, const char *sp)
{
	return (sp >= m->sigstack && sp < m->sigstack + m->sigstack_size) ||
	       (m->own_sigstack && sp >= m->own_sigstack &&
		sp < m->own_sigstack + m->own_sigstack_size);
}

// No signal is blocked meanwhile: that would be a third of the time. A handler finds a thread
// without an M until the very last, when all is in place.
static int bind_m(enum m_kind kind, struct m **ret)
{
	struct m *m;
	int err = -ENOMEM;

	if (!extra.have_key)
		return -ENOMEM;
	m = take_spare();
	if (!m) {
		keep_spare();
		m = take_spare();
	}
	gort__may_allocate();
	if (m)
		gort__exceptions_find(m);
	if (m && !give_sigstack(m))
		err = -EDEADLK;
	else if (m && !pthread_setspecific(extra.key, m))
		err = 0;
	if (err) {
		if (m)
			give_spare(m);
		return err;
	}
	gort__lock(&gort__threads_lock);
	m->kind = (uint8_t)kind;
	gort__m_bind(m);
	gort__unlock(&gort__threads_lock);
	keep_spare();
	*ret = m;
	return 0;
}

static void thread_bounds(struct m *m)
{
	pthread_attr_t attr;
	size_t size;
	void *lo;

	m->thread_lo = m->thread_hi = NULL;
	if (pthread_getattr_np(pthread_self(), &attr))
		return;
	if (!pthread_attr_getstack(&attr, &lo, &size)) {
		m->thread_lo = lo;
		m->thread_hi = m->thread_lo + size;
	}
	pthread_attr_destroy(&attr);
}

// The bounds follow the thread's present stack every time. A guess is never kept: another stack may
// overlap it in part, and SP would seem to be inside with hardly any room left.
static void update_bounds(struct m *m, char *sp)
{
	if (m->sys_exact && m->sys_lo < sp && sp <= m->sys_hi)
		return;
	if (!m->thread_hi)
		thread_bounds(m);
	m->sys_exact = m->thread_lo < sp && sp <= m->thread_hi;
	if (m->sys_exact) {
		m->sys_lo = m->thread_lo;
		m->sys_hi = m->thread_hi;
	} else {
		m->sys_lo = sp - GUESS_BELOW;
		m->sys_hi = sp + GUESS_ABOVE;
	}
}

// ---- the callback -------------------------------------------------------------------------------

// What a callback covers on its M, put back when it ends.
struct covered {
	void *sys_sp;
	char *sys_lo, *sys_hi;
	struct g *curg, *lockedg;
	uint32_t locks, locks_internal, retake, mxcsr, x87cw;
	bool sys_exact;
	int err;
	struct exceptions exceptions;
};

struct request {
	void (*fn)(void *);
	void *arg;
	void *pc;
	bool no_memory;
};

static void begin(struct m *m)
{
	const struct gort_attr attr = { .stack_size = STACK };
	struct request *r = m->request;
	struct p *p = NULL;
	struct g *g;

	gort__freeze_check();
	if (gort__load(&sched.npidle)) {
		gort__lock(&sched.lock);
		p = gort__pidle_get();
		gort__unlock(&sched.lock);
		if (p)
			gort__p_acquire(m, p);
	}
	g = gort__g_make(r->fn, r->arg, &attr, r->pc, G_CALLBACK);
	if (!g) {
		r->no_memory = true;
		if (m->p)
			gort__p_leave(gort__p_release(m));
		gort__sys_return(m);
	}
	g->lockedm = m;
	m->lockedg = g;
	gort__m_tie(m);
	if (m->p) {
		gort__execute(m, g);
		return;
	}
	// All Ps are busy: queue for one like anybody else.
	gort__lock(&sched.lock);
	gort__glist_push(&sched.runq, g);
	gort__unlock(&sched.lock);
	gort__wakep();
	gort__stop_locked(m);
}

static void finish(struct g *g, struct m *m)
{
	struct p *p = m->p;

	gort__detach(g, m);
	gort__store(&g->status, G_DEAD);
	g->lockedm = NULL;
	m->lockedg = NULL;
	p->ended++;
	gort__san_end(g);
	gort__stack_put(p, g);
	gort__p_leave(gort__p_release(m));
	gort__sys_return(m);
}

void gort__callback_end(struct g *g)
{
	(void)g;
	gort__switch_for_ever(finish);
}

__attribute__((noinline)) int gort_callback(void (*fn)(void *), void *arg)
{
	struct m *m = gort__self();
	char *sp = __builtin_frame_address(0);
	struct request r = { fn, arg, __builtin_return_address(0), false };
	struct covered c;

	if (gort__load(&sched.forked))
		gort__fatal("gort_callback: called after fork without exec");
	if (!gort__load(&sched.started) || !gort__load(&extra.have_key) || gort__load(&sched.ended))
		return -EAGAIN;
	if (!m) {
		int err = bind_m(M_EXTRA, &m);
		if (err)
			return err;
	} else {
		if (m->curg && gort__load(&m->retake) != RETAKE_BLOCKING)
			return -EDEADLK;
		if (gort__load(&m->in_runtime) || on_sigstack(m, sp))
			return -EDEADLK;
	}
	c = (struct covered){ m->sys_sp,    m->sys_lo,	       m->sys_hi,     m->curg,	m->lockedg,
			      m->locks,	    m->locks_internal, m->retake,     m->mxcsr, m->x87cw,
			      m->sys_exact, *m->errno_addr,    *m->exceptions };
	*m->exceptions = (struct exceptions){ 0 };
	gort__store(&m->in_runtime, 1);
	gort__store(&m->retake, RETAKE_TAKEN);
	gort__store(&m->curg, NULL);
	if (m->kind == M_EXTRA || m->kind == M_ATTACHED)
		update_bounds(m, sp);
	m->kind = m->kind == M_ATTACHED ? M_EXTRA : m->kind;
	m->locks = 0;
	m->locks_internal = 1;
	m->request = &r;
	gort__store(&m->callbacks, m->callbacks + 1);
	gort__trace("callback begins", NULL, 0, r.pc);
	gort__sys_enter(m, begin);
	gort__trace("callback ends", NULL, 0, r.pc);
	m->sys_sp = c.sys_sp;
	m->sys_lo = c.sys_lo;
	m->sys_hi = c.sys_hi;
	m->sys_exact = c.sys_exact;
	m->lockedg = c.lockedg;
	m->locks = c.locks;
	m->locks_internal = c.locks_internal;
	m->mxcsr = c.mxcsr;
	m->x87cw = c.x87cw;
	gort__m_tie(m);
	*m->errno_addr = c.err;
	if (gort__exceptions_any(&c.exceptions))
		*m->exceptions = c.exceptions;
	gort__store(&m->curg, c.curg);
	gort__store(&m->retake, c.retake);
	gort__store_release(&m->in_runtime, 0);
	return r.no_memory ? -ENOMEM : 0;
}

int gort_thread_attach(void)
{
	struct m *m;

	if (gort__self())
		return 0;
	if (!gort__load(&sched.started) || !gort__load(&extra.have_key))
		return -EAGAIN;
	return bind_m(M_ATTACHED, &m);
}

int gort__callbacks_init(void)
{
	if (pthread_key_create(&extra.key, unbind))
		return -EAGAIN;
	keep_spare();
	gort__store_release(&extra.have_key, true);
	return 0;
}
