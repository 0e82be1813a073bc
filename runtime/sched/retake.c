// SPDX-License-Identifier: MIT
// Taking a P from an M that runs user code, without asking it. The M sets in_runtime and then looks
// at retake; the taker sets retake, makes every CPU pass a fence, and then looks at in_runtime. One
// of the two sees the other; if both do, a CAS on retake decides.
#include "runtime/base/trace.h"
#include "runtime/sched/core.h"

#include <linux/membarrier.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct {
	struct lock lock; // one taker at a time: only it and the M itself change m->retake
	char *page; // NULL where membarrier works
} taker = { .lock = GORT__LOCK_INIT(RETAKE) };

void gort__retake_init(void)
{
	if (!syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0))
		return;
	// Refused, as by a seccomp filter: taking a page's rights away interrupts every CPU that
	// runs this process.
	taker.page = mmap(NULL, GORT__PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			  0);
	if (taker.page == MAP_FAILED)
		gort__fatal("no memory");
}

void gort__all_fence(void)
{
	if (!taker.page) {
		syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
		return;
	}
	mprotect(taker.page, GORT__PAGE, PROT_READ | PROT_WRITE);
	gort__store(taker.page, 1);
	mprotect(taker.page, GORT__PAGE, PROT_READ);
}

static bool ask(struct m *m)
{
	uint32_t was = gort__load(&m->retake);

	// A debugger that asks for a goroutine must wait.
	return !gort__load(&m->in_runtime) && (was == RETAKE_NONE || was == RETAKE_ATTEND) &&
	       gort__cas(&m->retake, &was, RETAKE_ASKED);
}

static struct p *resolve(struct m *m)
{
	uint32_t asked = RETAKE_ASKED;
	struct p *p;

	if (gort__load_acquire(&m->in_runtime)) {
		gort__cas(&m->retake, &asked, RETAKE_NONE);
		return NULL;
	}
	// Read before the exchange: after it the M may enter, see TAKEN and forget its P. Nor can
	// it change P unseen before, for to enter it must take the ASKED away.
	p = gort__load(&m->p);
	// From here the M cannot touch its P: what it does at its next entry is to see TAKEN.
	if (!gort__cas(&m->retake, &asked, RETAKE_TAKEN))
		return NULL;
	gort__san_acquire(&m->in_runtime);
	gort__san_ready(p);
	gort__store(&p->m, NULL);
	gort__store(&p->status, P_IDLE);
	sched.retakes++;
	gort__trace("P taken from a thread:", "id", m->tid, NULL);
	return p;
}

struct p *gort__retake(struct p *p)
{
	struct p *taken = NULL;
	struct m *m;

	gort__lock(&taker.lock);
	m = gort__load_acquire(&p->m);
	if (m && ask(m)) {
		gort__all_fence();
		taken = resolve(m);
	}
	gort__unlock(&taker.lock);
	return taken;
}

int gort__retake_all(struct m *self)
{
	struct m *asked[P_MAX];
	uint32_t n = 0;
	int taken = 0;

	gort__lock(&taker.lock);
	for (uint32_t i = 0; i < sched.nprocs; i++) {
		struct p *p = sched.allp[i];
		struct m *m = gort__load_acquire(&p->m);
		if (gort__load(&p->status) == P_RUNNING && m && m != self && ask(m))
			asked[n++] = m;
	}
	if (n)
		gort__all_fence();
	for (uint32_t i = 0; i < n; i++) {
		struct p *p = resolve(asked[i]);
		if (!p)
			continue;
		p->status = P_STOPPED;
		taken++;
	}
	gort__unlock(&taker.lock);
	return taken;
}
