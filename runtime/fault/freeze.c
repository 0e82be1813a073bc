// SPDX-License-Identifier: MIT
// The freeze signal and the doors.
#include "runtime/fault/freeze.h"
#include "runtime/base/debug.h"
#include "runtime/base/print.h"
#include "runtime/base/signal.h"
#include "runtime/base/trace.h"
#include "runtime/base/raw.h"
#include "runtime/sched/sched.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <time.h>

enum {
	SETTLE_NS = 1000000, // those between two doors reach one
	ROUNDS = 1000, // of waiting that long for the signal to arrive everywhere
	SAMPLE_ROUNDS = 50,
	SAMPLE_NS = 100000,
};

uint32_t gort__freezing;

static struct {
	struct m *m; // whose registers are wanted
	struct unwind_regs regs;
	struct g *g; // what it ran
	uint32_t state;
} sample;

enum sample_state { SAMPLE_IDLE, SAMPLE_ASKED, SAMPLE_WRITING, SAMPLE_DONE };

static void nap(int64_t ns)
{
	struct timespec ts = { .tv_nsec = ns };

	gort__raw(SYS_nanosleep, (long)&ts, 0, 0, 0, 0, 0);
}

_Noreturn static void stay(struct m *m, struct unwind_regs *regs)
{
	uint32_t word = 0;

	if (m) {
		m->fault_data = regs;
		gort__store_release(&m->frozen, 1);
	}
	for (;;)
		gort__raw(SYS_futex, (long)&word, FUTEX_WAIT_PRIVATE, 0, 0, 0, 0);
}

_Noreturn void gort__freeze_stop(void)
{
	struct unwind_regs regs;

	gort__unwind_here(&regs);
	stay(gort__self(), &regs);
}

static void answer(struct m *m, const void *ucontext)
{
	uint32_t asked = SAMPLE_ASKED;

	if (sample.m != m || !gort__cas(&sample.state, &asked, SAMPLE_WRITING))
		return;
	gort__unwind_context(&sample.regs, ucontext);
	sample.g = m->on_system ? NULL : m->curg;
	gort__store_release(&sample.state, SAMPLE_DONE);
}

static void handler(int sig, siginfo_t *info, void *ucontext)
{
	struct m *m = gort__self();
	struct unwind_regs regs;

	(void)sig;
	(void)info;
	if (!m)
		return;
	if (!gort__load_acquire(&gort__freezing)) {
		answer(m, ucontext);
		return;
	}
	gort__unwind_context(&regs, ucontext);
	stay(m, &regs);
}

void gort__freeze_init(void)
{
	gort__sigaction(GORT__SIG_FREEZE, handler, 0, ~0ull, NULL);
}

static bool all_stopped(const struct m *self, int pid)
{
	for (struct m *m = gort__load_acquire(&sched.allm); m; m = m->allnext) {
		int tid = gort__load(&m->tid);
		if (m == self || !tid || gort__load_acquire(&m->frozen))
			continue;
		// Ended meanwhile, or never came to life in this forked child.
		if (gort__raw(SYS_tgkill, pid, tid, 0, 0, 0, 0) == -ESRCH)
			continue;
		return false;
	}
	return true;
}

void gort__freeze_world(void)
{
	const struct m *self = gort__self();
	int pid = (int)gort__raw(SYS_getpid, 0, 0, 0, 0, 0, 0);

	gort__trace("freeze", NULL, 0, NULL);
	gort__store(&gort__freezing, 1);
	gort__fence();
	nap(SETTLE_NS);
	if (gort__debug.dontfreezetheworld)
		return;
	for (struct m *m = gort__load_acquire(&sched.allm); m; m = m->allnext) {
		int tid = gort__load(&m->tid);
		if (m != self && tid && !gort__load(&m->frozen))
			gort__raw(SYS_tgkill, pid, tid, GORT__SIG_FREEZE, 0, 0, 0);
	}
	for (int i = 0; i < ROUNDS && !all_stopped(self, pid); i++)
		nap(SETTLE_NS);
}

const struct unwind_regs *gort__frozen_at(const struct m *m)
{
	return m && gort__load_acquire(&m->frozen) ? m->fault_data : NULL;
}

// A sleeping thread must not be signalled: poll, nanosleep and others return EINTR even with
// SA_RESTART.
static bool runs(int tid)
{
	char path[48], stat[256];
	long fd, n;

	gort__format(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	fd = gort__raw(SYS_open, (long)path, O_RDONLY | O_CLOEXEC, 0, 0, 0, 0);
	if (fd < 0)
		return false;
	n = gort__raw(SYS_read, fd, (long)stat, sizeof(stat) - 1, 0, 0, 0);
	gort__raw(SYS_close, fd, 0, 0, 0, 0, 0);
	// The name in parentheses may hold anything.
	while (n-- > 2)
		if (stat[n - 2] == ')' && stat[n - 1] == ' ')
			return stat[n] == 'R';
	return false;
}

bool gort__sample(struct m *m, const struct g *g, struct unwind_regs *regs)
{
	uint32_t asked = SAMPLE_ASKED;
	int tid = m ? gort__load(&m->tid) : 0;

	if (!tid || !runs(tid))
		return false;
	sample.m = m;
	gort__store_release(&sample.state, SAMPLE_ASKED);
	if (gort__tgkill(tid, GORT__SIG_FREEZE))
		return false;
	for (int i = 0; i < SAMPLE_ROUNDS && gort__load_acquire(&sample.state) != SAMPLE_DONE; i++)
		nap(SAMPLE_NS);
	// Taken back, unless it is being answered just now: that ends soon.
	if (gort__cas(&sample.state, &asked, SAMPLE_IDLE))
		return false;
	while (gort__load_acquire(&sample.state) != SAMPLE_DONE)
		nap(SAMPLE_NS);
	*regs = sample.regs;
	return sample.g == g;
}
