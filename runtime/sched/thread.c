// SPDX-License-Identifier: MIT
// Ms: making threads, letting them sleep, waking them, ending them.
#include "runtime/sched/core.h"
#include "runtime/sched/gather.h"
#include "runtime/base/print.h"
#include "runtime/base/signal.h"
#include "runtime/base/trace.h"
#include "runtime/sched/heap.h"

#include <errno.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// Initial-exec, so that gort__self is one load; hidden, so that the linker can make it a constant.
__thread struct m *gort__tls_m __attribute__((tls_model("initial-exec"), visibility("hidden")));

uint64_t gort__initial_mask;
struct lock gort__threads_lock = GORT__LOCK_INIT(THREADS);

static struct {
	struct lock lock;
	char *next, *end; // memory for Ms; never given back
	struct m *free; // ended, to be used again
} pool = { .lock = GORT__LOCK_INIT(LEAF) };

enum {
	POOL_CHUNK = 64 << 10,
	SIGSTACK_ROOM =
		64
		<< 10, // beyond the kernel's frame; handlers nest, each with a frame of 3 to 11 KB
};

struct m *gort__m_new(enum m_kind kind)
{
	const size_t size = (sizeof(struct m) + 63) / 64 * 64;
	struct m *m;

	gort__lock(&pool.lock);
	m = pool.free;
	if (m) {
		pool.free = m->freelink;
	} else {
		if ((size_t)(pool.end - pool.next) < size) {
			char *mem = mmap(NULL, POOL_CHUNK, PROT_READ | PROT_WRITE,
					 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			if (mem == MAP_FAILED) {
				gort__unlock(&pool.lock);
				return NULL;
			}
			pool.next = mem;
			pool.end = mem + POOL_CHUNK;
		}
		m = (struct m *)pool.next;
		pool.next += size;
	}
	gort__unlock(&pool.lock);
	if (!m->sigstack) {
		size_t bytes = getauxval(AT_MINSIGSTKSZ) + SIGSTACK_ROOM;
		char *mem;

		bytes = gort__page_of(bytes + GORT__PAGE - 1);
		mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		m->sigstack = mem == MAP_FAILED ? NULL : mem;
		m->sigstack_size = bytes;
	}
	m->kind = (uint8_t)kind;
	m->start = NULL;
	m->spinning = false;
	m->patient = false;
	m->lockedg = NULL;
	gort__m_tie(m);
	m->in_runtime = 1;
	m->retake = RETAKE_TAKEN;
	gort__lock(&sched.lock);
	if (!m->id) {
		m->id = ++sched.nm_made;
		m->rng = (uint32_t)m->id * 2654435761u | 1;
		m->allnext = sched.allm;
		gort__store_release(&sched.allm, m);
	}
	gort__unlock(&sched.lock);
	return m;
}

static void pool_put(struct m *m)
{
	gort__lock(&pool.lock);
	m->freelink = pool.free;
	pool.free = m;
	gort__unlock(&pool.lock);
}

static void m_free(struct m *m)
{
	gort__m_unbind(m);
	pool_put(m);
}

void gort__m_bind(struct m *m)
{
	m->errno_addr = &errno;
	gort__store(&m->in_runtime, m->kind != M_EXTRA && m->kind != M_ATTACHED);
	gort__store(&m->tid, (int)syscall(SYS_gettid));
	gort__add(&sched.nm, 1u);
	gort__store_release(&m->alive, true);
	// Last: a signal's handler takes what it finds here to be whole.
	gort__barrier();
	gort__tls_m = m;
}

void gort__m_unbind(struct m *m)
{
	gort__tls_m = NULL;
	gort__add(&sched.nm, -1u);
	gort__store(&m->in_runtime, 1);
	gort__store(&m->last_tid, m->tid);
	m->exceptions = NULL;
	gort__store(&m->tid, 0);
	gort__store_release(&m->alive, false);
}

void gort__m_attach(struct m *m)
{
	stack_t ss = { .ss_sp = m->sigstack, .ss_size = m->sigstack_size };

	if (m->sigstack)
		sigaltstack(&ss, NULL);
	gort__exceptions_find(m);
	gort__m_bind(m);
}

void gort__m_detach(struct m *m)
{
	stack_t ss = { .ss_flags = SS_DISABLE };

	if (m->sigstack)
		sigaltstack(&ss, NULL);
	m_free(m);
}

static void mput(struct m *m)
{
	m->schedlink = sched.midle;
	sched.midle = m;
	gort__store(&sched.nmidle, sched.nmidle + 1);
}

static struct m *mget(void)
{
	struct m *m = sched.midle;

	if (m) {
		sched.midle = m->schedlink;
		m->schedlink = NULL;
		gort__store(&sched.nmidle, sched.nmidle - 1);
	}
	return m;
}

static void sleep_until_given(struct m *m)
{
	gort__exceptions_find(m);
	gort__m_sleep(m);
	gort__exceptions_find(m);
	gort__p_acquire(m, m->nextp);
	m->nextp = NULL;
}

static void stop_spinning(struct m *m)
{
	if (m->spinning) {
		m->spinning = false;
		gort__add(&sched.nspinning, -1u);
	}
}

static void m_begin(struct m *m)
{
	struct p *p;

	if (m->start) {
		m->start(m);
		gort__sys_return(m);
	}
	gort__lock(&sched.lock);
	sched.coming--;
	sched.running = true;
	p = gort__pidle_get();
	if (!p)
		mput(m);
	gort__unlock(&sched.lock);
	if (p) {
		gort__p_acquire(m, p);
	} else {
		stop_spinning(m);
		sleep_until_given(m);
	}
	gort__schedule(m);
}

static void *m_main(void *arg)
{
	struct m *m = arg;

	// Timers are to be exact; the kernel's default slack is 50 us.
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	gort__m_attach(m);
	gort__sigmask(SIG_SETMASK, gort__initial_mask);
	gort__sys_enter(m, m_begin);
	gort__trace("thread ends:", "M", (long)m->id, NULL);
	// A call on all threads that is under way reaches this one first.
	gort__lock(&gort__threads_lock);
	gort__sigmask(SIG_SETMASK, GORT__SIG_ALL);
	gort__m_detach(m);
	gort__unlock(&gort__threads_lock);
	return NULL;
}

int gort__m_make(struct m *m)
{
	pthread_attr_t attr;
	uint64_t mask;
	int err;

	gort__may_allocate();
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, M_STACK_SIZE);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	// The new thread inherits the mask: no handler runs on it before it is an M.
	gort__lock(&gort__threads_lock);
	gort__store(&m->alive, true);
	gort__trace("thread made:", "M", (long)m->id, NULL);
	mask = gort__sigmask(SIG_SETMASK, GORT__SIG_ALL);
	err = pthread_create(&m->thread, &attr, m_main, m);
	gort__sigmask(SIG_SETMASK, mask);
	if (err)
		gort__store(&m->alive, false);
	gort__unlock(&gort__threads_lock);
	pthread_attr_destroy(&attr);
	return -err;
}

// ---- the template thread ------------------------------------------------------------------------
// It makes all threads. A new one inherits from its maker: namespaces, capabilities, filters, CPU affinity, and a
// goroutine may have changed those of its thread, or borrow one that is not ours. And making one allocates: the
// allocator may be held by a goroutine that waits for a P, so that nobody who has one may wait for it.

static struct {
	struct lock lock;
	struct m *first, *last; // whose threads are wanted, through schedlink
	struct note note;
} template = { .lock = GORT__LOCK_INIT(LEAF) };

static struct m *next_wanted(void)
{
	struct m *m;

	gort__lock(&template.lock);
	m = template.first;
	if (m)
		template.first = m->schedlink;
	else
		gort__note_clear(&template.note);
	gort__unlock(&template.lock);
	if (m)
		m->schedlink = NULL;
	return m;
}

static void no_more_coming(bool spinning)
{
	gort__lock(&sched.lock);
	sched.coming--;
	gort__unlock(&sched.lock);
	if (spinning)
		gort__add(&sched.nspinning, -1u);
}

// The P that it was to take is idle, and what is to be done there is in the global queue: the threads
// that there are do it, and sysmon asks for another as long as there is any.
static void not_made(struct m *m, int err)
{
	enum { NAP = 1000 * 1000 };
	static bool said;
	uint32_t never = 0;

	no_more_coming(m->spinning);
	pool_put(m);
	if (!sched.running)
		gort__start_failed(err);
	else if (!said)
		gort__print("gort: cannot make a thread (error %d); those that there are go on\n",
			    -err);
	said = true;
	gort__futex_wait(&never, 0, NAP);
}

static void template_main(struct m *self)
{
	struct m *m;
	int err;

	(void)self;
	for (;;) {
		m = next_wanted();
		if (!m) {
			gort__note_sleep(&template.note, -1);
			continue;
		}
		err = gort__m_make(m);
		if (err)
			not_made(m, err);
	}
}

int gort__template_start(void)
{
	struct m *m = gort__m_new(M_TEMPLATE);

	if (!m)
		return -ENOMEM;
	m->start = template_main;
	return gort__m_make(m);
}

void gort__m_thread(struct m *m)
{
	gort__lock(&template.lock);
	m->schedlink = NULL;
	if (template.first)
		template.last->schedlink = m;
	else
		template.first = m;
	template.last = m;
	gort__unlock(&template.lock);
	gort__note_wake(&template.note);
}

void gort__stop_threads(void)
{
	for (;;) {
		gort__stop_world();
		if (gort__trylock(&gort__threads_lock))
			return;
		gort__start_world();
		gort__yield();
	}
}

void gort__start_threads(void)
{
	gort__unlock(&gort__threads_lock);
	gort__start_world();
}

// ---- sleeping and waking ------------------------------------------------------------------------

static void sleep_until_woken(struct m *m, bool idle)
{
	uint32_t word = NOTE_CLEAR;

	if (gort__cas(&m->park.word, &word, NOTE_SLEPT_ON))
		while ((word = gort__load_acquire(&m->park.word)) != NOTE_WOKEN) {
			if (gort__unlikely(word == NOTE_CALL))
				gort__gather_asleep(m);
			else if (idle)
				gort__idle_wait(&m->park.word, NOTE_SLEPT_ON);
			else
				gort__futex_wait(&m->park.word, NOTE_SLEPT_ON, -1);
		}
	gort__note_clear(&m->park);
	gort__freeze_check();
}

void gort__m_sleep(struct m *m)
{
	sleep_until_woken(m, true);
}

void gort__m_sleep_in_place(struct m *m)
{
	sleep_until_woken(m, false);
}

static void wake_with(struct m *m, struct p *p, bool spinning)
{
	m->spinning = spinning;
	m->nextp = p;
	gort__note_wake(&m->park);
}

bool gort__idle_borrow(struct m *m)
{
	struct p *p = NULL;

	gort__lock(&sched.lock);
	for (struct m **at = &sched.midle; *at && !sched.stopping; at = &(*at)->schedlink) {
		if (*at != m)
			continue;
		p = gort__pidle_get();
		if (!p)
			break;
		*at = m->schedlink;
		m->schedlink = NULL;
		gort__store(&sched.nmidle, sched.nmidle - 1);
		break;
	}
	gort__unlock(&sched.lock);
	if (!p)
		return false;
	gort__note_clear(&m->park);
	gort__p_acquire(m, p);
	return true;
}

void gort__idle_return(struct m *m)
{
	// None when its callee was given up while it slept.
	struct p *p = m->p ? gort__p_release(m) : NULL;

	// The futex call that was interrupted looks at the word again.
	gort__store(&m->park.word, NOTE_SLEPT_ON);
	gort__lock(&sched.lock);
	mput(m);
	gort__unlock(&sched.lock);
	if (p)
		gort__handoff(p);
}

static bool is_paused(const struct g *g)
{
	return g->lockedm && gort__load(&g->lockedm->paused);
}

// With sched.lock: the M of a goroutine that waits in its midst for a P.
static struct m *take_paused(struct p *p)
{
	struct g *g = gort__load(&gort__paused) ? gort__globrunq_take(is_paused) : NULL;

	if (g)
		gort__store(&g->lockedm->nextp, p);
	return g ? g->lockedm : NULL;
}

void gort__startm(struct p *p, bool spinning)
{
	struct m *m;
	bool make;

	gort__lock(&sched.lock);
	if (!p)
		p = gort__pidle_get();
	m = p ? mget() : NULL;
	if (m) {
		gort__unlock(&sched.lock);
		wake_with(m, p, spinning);
		return;
	}
	// The caller counted a spinner that does not come to be.
	if (!p) {
		gort__unlock(&sched.lock);
		if (spinning)
			gort__add(&sched.nspinning, -1u);
		return;
	}
	// It takes a while to make a thread, and may have to wait for what a paused goroutine
	// holds: that one goes first, and the P belongs to nobody meanwhile.
	gort__runq_flush(p);
	m = take_paused(p);
	if (!m)
		gort__p_rest(p);
	// With no thread to be given Ps but paused ones, those would pass them around among themselves,
	// and nobody would look at timers and at whoever else is ready.
	make = m ? !sched.coming : sched.coming < sched.npidle;
	sched.coming += make;
	gort__unlock(&sched.lock);
	if (m)
		gort__note_wake(&m->park);
	if (make) {
		m = gort__m_new(M_ORDINARY);
		if (!m) {
			no_more_coming(spinning);
			return;
		}
		m->spinning = spinning;
		gort__m_thread(m);
	} else if (spinning) {
		gort__add(&sched.nspinning, -1u);
	}
}

void gort__stopm(struct m *m)
{
	stop_spinning(m);
	gort__lock(&sched.lock);
	mput(m);
	gort__unlock(&sched.lock);
	sleep_until_given(m);
}

void gort__gcstop(struct m *m)
{
	stop_spinning(m);
	gort__p_release(m)->status = P_STOPPED;
	if (--sched.stopwait == 0)
		gort__note_wake(&sched.stopnote);
	gort__unlock(&sched.lock);
	gort__stopm(m);
}

void gort__stop_locked(struct m *m)
{
	if (m->p)
		gort__handoff(gort__p_release(m));
	gort__m_sleep(m);
	gort__p_acquire(m, m->nextp);
	m->nextp = NULL;
	gort__execute(m, m->lockedg);
}

void gort__start_locked(struct m *m, struct g *g)
{
	struct m *owner;

	if (m->spinning) {
		m->spinning = false;
		gort__add(&sched.nspinning, -1u);
		gort__wakep();
	}
	gort__lock(&sched.lock);
	owner = g->lockedm;
	if (owner) {
		owner->spinning = false;
		gort__store(&owner->nextp, gort__p_release(m));
	}
	gort__unlock(&sched.lock);
	if (!owner) {
		gort__runq_put(m->p, g, false);
		return;
	}
	gort__note_wake(&owner->park);
	gort__stopm(m);
}

void gort__m_exit(struct m *m)
{
	m->lockedg = NULL;
	gort__m_tie(m);
	m->locks = 0;
	if (m->p)
		gort__handoff(gort__p_release(m));
	gort__sys_return(m);
}
