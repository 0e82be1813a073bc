// SPDX-License-Identifier: MIT
// Keeping the CPU limit: an M that computes without a P is asked by SIGURG to wait for one. It
// waits in the handler, with its own goroutine, and takes no other: what it interrupted may hold
// thread-local state half changed.
#include "runtime/base/debug.h"
#include "runtime/base/signal.h"
#include "runtime/base/trace.h"
#include "runtime/sched/core.h"

#include <link.h>
#include <ucontext.h>

enum {
	PAUSED_MAX = 256,
	TEXTS = 8, // executable segments of the program
};

// All of the runtime's code; see gort.ld.
extern gort__hidden const char __start_gort_text[], __stop_gort_text[];

static struct {
	uintptr_t lo, hi;
} text[TEXTS];
static unsigned texts; // 0: never pause
uint32_t gort__paused;
static struct gort__sigaction former;

static bool in_program(uintptr_t pc)
{
	if (pc >= (uintptr_t)__start_gort_text && pc < (uintptr_t)__stop_gort_text)
		return false;
	for (unsigned i = 0; i < texts; i++)
		if (pc >= text[i].lo && pc < text[i].hi)
			return true;
	return false;
}

static void wait_for_p(struct m *m)
{
	struct g *g = m->curg, *lockedg = m->lockedg;

	gort__store(&m->in_runtime, 1);
	m->p = NULL;
	gort__store(&m->paused, 1);
	// Tied to its M it is found by whoever takes it from the queue, who hands over a P.
	m->lockedg = g;
	g->lockedm = m;
	gort__lock(&sched.lock);
	// An idle one is its own: there may be no other M to be handed it by.
	m->nextp = gort__pidle_get();
	if (!m->nextp) {
		gort__store(&g->status, G_RUNNABLE);
		gort__glist_push(&sched.runq, g);
		sched.pauses++;
	}
	gort__unlock(&sched.lock);
	if (!m->nextp)
		gort__m_sleep_in_place(m);
	gort__p_acquire(m, m->nextp);
	m->nextp = NULL;
	m->lockedg = lockedg;
	if (!lockedg)
		g->lockedm = NULL;
	gort__store(&g->status, G_RUNNING);
	gort__store(&m->p->schedtick, m->p->schedtick + 1);
	gort__store(&m->paused, 0);
	gort__store_release(&m->in_runtime, 0);
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
	struct m *m = gort__self();
	ucontext_t *uc = context;
	char *sp = (char *)uc->uc_mcontext.gregs[REG_RSP];

	if (!m || !gort__xchg(&m->pause, 0)) {
		// Not ours: the program's.
		gort__sigaction_pass(&former, sig, info, context);
		return;
	}
	if (gort__load(&m->in_runtime) || gort__load(&m->retake) != RETAKE_TAKEN || !m->curg ||
	    !in_program((uintptr_t)uc->uc_mcontext.gregs[REG_RIP]) ||
	    (sp >= m->sigstack && sp < m->sigstack + m->sigstack_size))
		return;
	// Where tracebacks find its registers.
	m->fault_data = context;
	gort__trace("pauses:", "goroutine", (long)m->curg->id,
		    (const void *)uc->uc_mcontext.gregs[REG_RIP]);
	if (gort__add(&gort__paused, 1u) <= PAUSED_MAX)
		wait_for_p(m);
	gort__trace("goes on:", "goroutine", (long)m->curg->id, NULL);
	gort__add(&gort__paused, -1u);
}

bool gort__pause(struct m *m)
{
	if (!texts || gort__load(&m->in_runtime) || gort__load(&m->retake) != RETAKE_TAKEN)
		return false;
	if (!gort__load(&m->paused)) {
		gort__store(&m->pause, 1);
		gort__tgkill(m->tid, GORT__SIG_PAUSE);
	}
	return true;
}

static int find_text(struct dl_phdr_info *info, size_t size, void *arg)
{
	bool interpreter = false;

	(void)size, (void)arg;
	for (int i = 0; i < info->dlpi_phnum; i++)
		interpreter |= info->dlpi_phdr[i].p_type == PT_INTERP;
	// In a static executable the allocator and stdio are program text as well.
	for (int i = 0; interpreter && i < info->dlpi_phnum && texts < TEXTS; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		if (ph->p_type != PT_LOAD || !(ph->p_flags & PF_X))
			continue;
		text[texts].lo = info->dlpi_addr + ph->p_vaddr;
		text[texts].hi = text[texts].lo + ph->p_memsz;
		texts++;
	}
	return 1; // the program comes first
}

void gort__pause_init(void)
{
	if (gort__debug.asyncpreemptoff)
		return;
	dl_iterate_phdr(find_text, NULL);
	if (texts)
		gort__sigaction(GORT__SIG_PAUSE, on_signal, 0, 0, &former);
}
