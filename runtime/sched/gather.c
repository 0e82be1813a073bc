// SPDX-License-Identifier: MIT
// The barrier.
#include "runtime/sched/gather.h"
#include "runtime/base/raw.h"
#include "runtime/base/signal.h"
#include "runtime/sched/core.h"
#include "runtime/sched/tasks.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>

enum phase {
	GATHER, // handlers wait
	RUN, // they run what is to be run,
	LEFT, // and go back to what they were doing
	PHASES = 4,
};

enum {
	PATIENCE = 50 * 1000 * 1000, // ns between two looks at those who have not come
	SPINS = 200,
};
// Nobody came for so long, and why is not known; and the same for a thread in the kernel that takes
// no signal: its vfork's child has to call exec first.
static const int64_t STUCK = 2000 * 1000 * 1000ll, ASLEEP_IN_KERNEL = 10 * 1000 * 1000 * 1000ll;

// m->thread_call: how the M is to take part.
enum part {
	PART_NONE,
	PART_GATHERED, // by signal, at the barrier: it may run user code
	PART_SIGNALLED, // by signal, when something is run: this thread never runs user code
	PART_ASLEEP, // asleep without a P, and so until the world starts: told through its note
	PART_LATE, // was given up: its signal may still come
	PART_LOST, // its thread is gone, and another has its id
};

static struct {
	// Generation times PHASES plus phase: only grows, so a handler that is slow to leave cannot
	// mistake the next barrier for its own.
	uint32_t step;
	uint32_t arrived, done; // futexes too
	uint32_t gathered, expected; // how many of each there will be
	void (*run)(struct m *);
	struct gort__sigaction program; // what the program has set on our signal
	bool late; // somebody was given up
} barrier;

// ---- those who are gathered ---------------------------------------------------------------------

// Sleeps at once: there may be more threads than CPUs, and those that spun would keep the others
// from coming.
static uint32_t wait_past(uint32_t step)
{
	uint32_t now;

	while ((int32_t)((now = gort__load_acquire(&barrier.step)) - step) <= 0)
		gort__futex_wait(&barrier.step, now, -1);
	return now;
}

static void count_done(void)
{
	if (gort__add(&barrier.done, 1u) == gort__load(&barrier.expected))
		gort__futex_wake(&barrier.done, 1);
}

// A thread that is no M got the signal of one: that one's thread has ended unseen, by a raw exit.
static void disown(void)
{
	int tid = (int)gort__raw(SYS_gettid, 0, 0, 0, 0, 0, 0);

	for (struct m *m = gort__load_acquire(&sched.allm); m; m = m->allnext) {
		uint32_t part = PART_GATHERED;
		if (gort__load(&m->tid) == tid)
			gort__cas(&m->thread_call, &part, PART_LOST);
	}
}

// True when the signal was for the barrier.
static bool take_part(struct m *m)
{
	uint32_t part = gort__load_acquire(&m->thread_call);
	uint32_t step = gort__load_acquire(&barrier.step);

	if (part == PART_LATE)
		return gort__cas(&m->thread_call, &part, PART_NONE);
	if (part != PART_GATHERED && (part != PART_SIGNALLED || step % PHASES != RUN))
		return false;
	if (!gort__cas(&m->thread_call, &part, PART_NONE))
		return false;
	if (part == PART_GATHERED) {
		if (gort__add(&barrier.arrived, 1u) == gort__load(&barrier.gathered))
			gort__futex_wake(&barrier.arrived, 1);
		step = wait_past(step);
		if (step % PHASES != RUN)
			return true;
	}
	barrier.run(m);
	count_done();
	if (part == PART_GATHERED)
		wait_past(step);
	return true;
}

// Anybody may send this signal at any time: it is answered only by who is to answer now.
static void on_signal(int sig, siginfo_t *info, void *context)
{
	struct m *m = gort__self();

	if (m && take_part(m))
		return;
	if (!m)
		disown();
	gort__sigaction_pass(&barrier.program, sig, info, context);
}

void gort__gather_asleep(struct m *m)
{
	barrier.run(m);
	gort__store(&m->thread_call, PART_NONE);
	// Asleep again before it is counted: after that the world may start and wake it.
	gort__store_release(&m->park.word, NOTE_SLEPT_ON);
	count_done();
}

// ---- whose the signal is ------------------------------------------------------------------------

// True when the program had set another handler, which comes behind ours meanwhile.
static bool take_signal(void)
{
	struct gort__sigaction now;

	gort__sigaction_now(GORT__SIG_THREADS, &now);
	if (now.handler == (void *)on_signal)
		return false;
	barrier.program = now;
	gort__gather_init();
	return true;
}

// Not while a signal of ours may still come, nor an action that would then end the process.
static void give_signal_back(void)
{
	void *handler = barrier.program.handler;

	if (barrier.late || handler == (void *)SIG_DFL || handler == (void *)SIG_IGN)
		return;
	gort__sigaction_restore(GORT__SIG_THREADS, &barrier.program);
}

void gort__gather_init(void)
{
	gort__sigaction(GORT__SIG_THREADS, on_signal, 0, ~GORT__SIG_BIT(GORT__SIG_FREEZE), NULL);
}

// ---- who gathers --------------------------------------------------------------------------------

static void next_step(enum phase phase)
{
	uint32_t base = barrier.step / PHASES * PHASES;

	gort__store_release(&barrier.step, phase == GATHER ? base + PHASES : base + phase);
	gort__futex_wake(&barrier.step, INT_MAX);
}

// Waits until as many are counted as there are to be; false when it takes too long.
static bool wait_count(uint32_t *count, const uint32_t *expected, int64_t ns)
{
	int64_t deadline = ns < 0 ? INT64_MAX : gort__nanotime() + ns;
	uint32_t have;

	for (int i = 0; (have = gort__load_acquire(count)) != gort__load(expected); i++) {
		if (i < SPINS) {
			gort__relax();
			continue;
		}
		if (gort__nanotime() > deadline)
			return false;
		gort__futex_wait(count, have, PATIENCE);
	}
	return true;
}

static enum part part_of(const struct m *m)
{
	// The first thread may run user code only when the main goroutine was tied to it.
	if (m->kind == M_SYSMON || m->kind == M_TEMPLATE || (m->kind == M_MAIN && !m->sys_sp))
		return PART_SIGNALLED;
	// Whoever wakes it has a P for it, and every P is stopped.
	return gort__load_acquire(&m->park.word) == NOTE_SLEPT_ON ? PART_ASLEEP : PART_GATHERED;
}

// Its thread is gone without having told: no M any more.
static void lose(struct m *m)
{
	gort__store(&m->thread_call, PART_NONE);
	gort__store(&m->tid, 0);
	gort__store_release(&m->alive, false);
	gort__add(&sched.nm, -1u);
	gort__add(&barrier.gathered, -1u);
	gort__add(&barrier.expected, -1u);
}

static void signal_all(void)
{
	for (struct m *m = sched.allm; m; m = m->allnext)
		if (gort__load(&m->thread_call) == PART_GATHERED &&
		    gort__tgkill(m->tid, GORT__SIG_THREADS) == -ESRCH)
			lose(m);
}

static void ask(const struct m *self)
{
	uint32_t n = 0, gathered = 0;

	barrier.arrived = barrier.done = 0;
	next_step(GATHER);
	for (struct m *m = sched.allm; m; m = m->allnext) {
		if (m == self || !gort__load_acquire(&m->alive))
			continue;
		// One that is being made has no id yet, but will have.
		while (!gort__load_acquire(&m->tid))
			sched_yield();
		enum part part = part_of(m);
		gort__store_release(&m->thread_call, part);
		gathered += part == PART_GATHERED;
		n++;
	}
	gort__store(&barrier.expected, n);
	gort__store_release(&barrier.gathered, gathered);
	signal_all();
}

// ---- those who do not come ----------------------------------------------------------------------

// One that was on its way to sleep when it was looked at, and blocks the signal, can be told there.
static bool asleep_after_all(void)
{
	bool any = false;

	for (struct m *m = sched.allm; m; m = m->allnext) {
		uint32_t part = PART_GATHERED;
		if (gort__load(&m->thread_call) != part || part_of(m) != PART_ASLEEP ||
		    !gort__cas(&m->thread_call, &part, PART_ASLEEP))
			continue;
		gort__add(&barrier.gathered, -1u);
		any = true;
	}
	return any;
}

static bool lost_after_all(void)
{
	bool any = false;

	for (struct m *m = sched.allm; m; m = m->allnext) {
		uint32_t part = gort__load(&m->thread_call);
		if (part != PART_LOST &&
		    (part != PART_GATHERED || gort__tgkill(m->tid, 0) != -ESRCH))
			continue;
		lose(m);
		any = true;
	}
	return any;
}

// It must not find the barrier when it unblocks the signal much later.
static void give_up(struct m *m)
{
	uint32_t part = PART_GATHERED;

	if (!gort__cas(&m->thread_call, &part, PART_LATE))
		return;
	gort__add(&barrier.gathered, -1u);
	gort__add(&barrier.expected, -1u);
	barrier.late = true;
}

// Looks for one that will not come: it has the signal blocked, now as at the last look, or there has
// been no news for too long.
struct looking {
	struct m *suspect;
	uint32_t arrived; // at the last look,
	int64_t since; // and since then
};

static bool will_not_come(const struct m *m, const struct looking *looking, int64_t now)
{
	struct task task;

	if (!gort__task_look(m->tid, &task))
		return now - looking->since > STUCK;
	// Masks are full for a moment in libc, and in a vfork until the child calls exec.
	if (task.state == 'D')
		return now - looking->since > ASLEEP_IN_KERNEL;
	return task.blocked & GORT__SIG_BIT(GORT__SIG_THREADS) ||
	       now - looking->since > ASLEEP_IN_KERNEL;
}

static struct m *hopeless(struct looking *looking)
{
	int64_t now = gort__nanotime();
	uint32_t arrived = gort__load(&barrier.arrived);
	struct m *m = sched.allm, *suspect = looking->suspect;

	if (arrived != looking->arrived || !looking->since) {
		looking->arrived = arrived;
		looking->since = now;
	}
	while (m &&
	       (gort__load(&m->thread_call) != PART_GATHERED || !will_not_come(m, looking, now)))
		m = m->allnext;
	looking->suspect = m;
	return m && m == suspect ? m : NULL;
}

int gort__gather(const struct m *self, bool strict, int *tid)
{
	struct looking looking = { 0 };

	take_signal();
	ask(self);
	while (!wait_count(&barrier.arrived, &barrier.gathered, PATIENCE)) {
		struct m *m;

		if (take_signal())
			signal_all();
		if (asleep_after_all() || lost_after_all())
			continue;
		m = hopeless(&looking);
		if (!m)
			continue;
		*tid = m->tid;
		give_up(m);
		looking.suspect = NULL;
		if (!strict)
			continue;
		for (m = sched.allm; m; m = m->allnext)
			give_up(m);
		return -EBUSY;
	}
	return 0;
}

uint32_t gort__gathered(void)
{
	return gort__load(&barrier.expected) + 1;
}

void gort__gather_run(void (*run)(struct m *))
{
	barrier.run = run;
	// First those that wait for it: they hold up the program.
	next_step(RUN);
	for (struct m *m = sched.allm; m; m = m->allnext) {
		uint32_t asleep = NOTE_SLEPT_ON;
		switch (gort__load(&m->thread_call)) {
		case PART_SIGNALLED: gort__tgkill(m->tid, GORT__SIG_THREADS); break;
		case PART_ASLEEP:
			if (!gort__cas(&m->park.word, &asleep, NOTE_CALL))
				gort__throw("a thread was woken while the world was stopped");
			gort__futex_wake(&m->park.word, 1);
			break;
		}
	}
	wait_count(&barrier.done, &barrier.expected, -1);
}

void gort__gather_release(void)
{
	for (struct m *m = sched.allm; m; m = m->allnext)
		if (gort__load(&m->thread_call) != PART_LATE)
			gort__store(&m->thread_call, PART_NONE);
	next_step(LEFT);
	give_signal_back();
}
