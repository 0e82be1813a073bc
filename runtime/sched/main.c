// SPDX-License-Identifier: MIT
// Starting and ending the runtime.
#include "runtime/gort.h"
#include "runtime/base/debug.h"
#include "runtime/base/signal.h"
#include "runtime/base/trace.h"
#include "runtime/sched/core.h"
#include "runtime/sched/gather.h"

#include <sched.h>
#include <stdlib.h>

struct sched sched = {
	.lock = GORT__LOCK_INIT(SCHED),
	.poll_until = INT64_MAX,
	.nprocs = 0,
};

static struct note end_note;
static struct m *main_m; // the process's first thread, or who called gort_main

enum { MAIN_STACK = 1 << 20 };

static void m_first(struct m *m)
{
	gort__p_acquire(m, m->nextp);
	m->nextp = NULL;
	gort__execute(m, m->lockedg);
}

static int start_sysmon(void)
{
	struct m *m = gort__m_new(M_SYSMON);

	if (!m)
		return -ENOMEM;
	m->start = gort__sysmon;
	return gort__m_make(m);
}

static int start_error; // no thread for the main goroutine could be made

static void end_start(int err)
{
	start_error = err;
	gort__store_release(&sched.ended, true);
	gort__sysmon_wake();
}

void gort__start_failed(int err)
{
	end_start(err);
	gort__note_wake(&end_note);
}

// All that the main goroutine needs but its thread, and a P. What was started before an error stays and sleeps.
static int start(struct m *m)
{
	int err = gort__procs_init();

	if (err)
		return err;
	gort__fault_init();
	gort__gather_init();
	gort__fork_init();
	gort__pause_init();
	err = gort__template_start();
	if (!err)
		err = start_sysmon();
	if (!err)
		err = gort__callbacks_init();
	if (err)
		return err;
	gort__p_acquire(m, gort__pidle_get());
	return 0;
}

// With a P. Comes back when the main goroutine has ended.
static void run_main(struct m *m, struct g *g)
{
	struct p *p = m->p;

	if (m->locks) {
		m->lockedg = g;
		gort__m_tie(m);
		g->lockedm = m;
		sched.running = true;
		m->nextp = gort__p_release(m);
		gort__sys_enter(m, m_first);
	} else {
		gort__runq_put(p, g, false);
		gort__startm(gort__p_release(m), false);
	}
	// Not at the idle place: this thread runs nothing.
	if (!gort__load(&sched.ended))
		gort__note_sleep(&end_note, -1);
	gort__san_acquire(&sched);
}

int gort_main(void (*fn)(void *), void *arg)
{
	const struct gort_attr attr = { .stack_size = MAIN_STACK };
	struct g *g = NULL;
	uint32_t no = 0;
	struct m *m;
	int err;

	if (!gort__cas(&sched.started, &no, 1))
		return -EALREADY;
	gort__debug_parse();
	if (gort__debug.trace) {
		gort__trace_init();
		atexit(gort__trace_write);
	}
	sched.coarse_now = sched.lastpoll = gort__nanotime();
	// A program that blocks everything before it starts us does not mean these.
	gort__initial_mask = gort__sigmask(SIG_UNBLOCK, GORT__SIG_OWN) & ~GORT__SIG_OWN;
	gort__stack_init();
	gort__retake_init();
	m = gort__main_m_get();
	if (!m)
		return -ENOMEM;
	main_m = m;
	err = start(m);
	// First, so that its id is 1.
	if (!err)
		g = gort__g_make(fn, arg, &attr, __builtin_return_address(0), G_MAIN);
	if (!err)
		err = g ? gort__procs_updater_start() : -ENOMEM;
	if (err) {
		end_start(err);
	} else {
		run_main(m, g);
		err = start_error;
	}
	gort__m_detach(m);
	return err;
}

#ifdef GORT__TSAN
GORT_API int gort_main_for_thread_sanitizer(void (*fn)(void *), void *arg)
	__attribute__((alias("gort_main")));
#endif

static void halt(struct g *g, struct m *m)
{
	uint32_t word = 0;

	gort__detach(g, m);
	if (m == main_m)
		gort__sys_return(m);
	gort__note_wake(&end_note);
	for (;;)
		gort__futex_wait(&word, 0, -1);
}

void gort__main_end(void)
{
	gort__stop_world();
	gort__san_ready(&sched);
	gort__store_release(&sched.ended, true);
	gort__switch_for_ever(halt);
}
