// SPDX-License-Identifier: MIT
// One system call on every thread, or on none. Ms run user code while the world is stopped, so
// those that may do so are first gathered in a signal handler; then one thread tries the call, then
// all make it, then all leave.
#include "runtime/gort.h"
#include "runtime/base/debug.h"
#include "runtime/base/print.h"
#include "runtime/base/raw.h"
#include "runtime/base/signal.h"
#include "runtime/base/trace.h"
#include "runtime/sched/core.h"

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum phase {
	GATHER, // handlers wait
	RUN, // they make the call,
	LEFT, // and go back to what they were doing
	PHASES = 4,
};

enum {
	PATIENCE = 50 * 1000 * 1000, // ns; a thread that has not come may block the signal
	LEAVING_MAX = 1000 * 1000 * 1000, // ns for an ended thread to vanish from /proc
	SPINS = 200,
};

// m->thread_call: how the M is to take part.
enum part {
	PART_NONE,
	PART_GATHERED, // by signal, at the barrier: it may run user code
	PART_SIGNALLED, // by signal, when the call is made: this thread never runs user code
	PART_ASLEEP, // asleep without a P, and so until the world starts: told through its note
};

static struct {
	// Generation times PHASES plus phase: only grows, so a handler that is slow to leave cannot
	// mistake the next call for its own.
	uint32_t step;
	uint32_t arrived, done; // futexes too
	uint32_t gathered, expected; // how many of each there will be
	long nr, arg[6], want;
	int bad_tid; // of one whose result differs, and that
	long bad;
} call;

static long raw_call(void)
{
	const long *a = call.arg;

	return gort__raw(call.nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static bool failed(long ret)
{
	return ret < 0 && ret >= -GORT__ERRNO_MAX;
}

// Sleeps at once: there may be more threads than CPUs, and those that spun would keep the others
// from coming.
static uint32_t wait_past(uint32_t step)
{
	uint32_t now;

	while ((int32_t)((now = gort__load_acquire(&call.step)) - step) <= 0)
		gort__futex_wait(&call.step, now, -1);
	return now;
}

static void make_call(struct m *m)
{
	long ret = raw_call();
	int none = 0;

	if (ret != call.want && gort__cas(&call.bad_tid, &none, m->tid))
		call.bad = ret;
}

static void count_done(void)
{
	if (gort__add(&call.done, 1u) == gort__load(&call.expected))
		gort__futex_wake(&call.done, 1);
}

// Anybody may send this signal at any time: it is answered only by who is to answer now.
static void on_signal(int sig, siginfo_t *info, void *uc)
{
	struct m *m = gort__self();
	uint32_t part = m ? gort__load_acquire(&m->thread_call) : PART_NONE;
	uint32_t step = gort__load_acquire(&call.step);

	(void)sig, (void)info, (void)uc;
	if (part != PART_GATHERED && (part != PART_SIGNALLED || step % PHASES != RUN))
		return;
	if (!gort__cas(&m->thread_call, &part, PART_NONE))
		return;
	if (part == PART_GATHERED) {
		if (gort__add(&call.arrived, 1u) == gort__load(&call.gathered))
			gort__futex_wake(&call.arrived, 1);
		step = wait_past(step);
		if (step % PHASES != RUN)
			return;
	}
	make_call(m);
	count_done();
	if (part == PART_GATHERED)
		wait_past(step);
}

void gort__allthreads_asleep(struct m *m)
{
	make_call(m);
	gort__store(&m->thread_call, PART_NONE);
	// Asleep again before it is counted: after that the world may start and wake it.
	gort__store_release(&m->park.word, NOTE_SLEPT_ON);
	count_done();
}

static void next_step(enum phase phase)
{
	uint32_t base = call.step / PHASES * PHASES;

	gort__store_release(&call.step, phase == GATHER ? base + PHASES : base + phase);
	gort__futex_wake(&call.step, INT_MAX);
}

// Waits until n threads are counted; false when it takes too long.
static bool wait_count(uint32_t *count, uint32_t n, int64_t ns)
{
	int64_t deadline = ns < 0 ? INT64_MAX : gort__nanotime() + ns;
	uint32_t have;

	for (int i = 0; (have = gort__load_acquire(count)) != n; i++) {
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

// ---- which threads ------------------------------------------------------------------------------

static bool on_its_way_out(int tid)
{
	for (struct m *m = gort__load_acquire(&sched.allm); m; m = m->allnext)
		if (gort__load(&m->last_tid) == tid)
			return true;
	return false;
}

// 0, or the id of a thread that cannot be reached. known: how many have been gathered, with this
// one.
static int unknown_thread(uint32_t known)
{
	static int task = -1; // kept; under threads_lock
	int64_t deadline = gort__nanotime() + LEAVING_MAX;
	struct stat st;
	int tid;

	// The links of that directory are its threads and two more: counting costs a tenth of
	// reading.
	if (task < 0)
		task = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (task >= 0 && !fstat(task, &st) && st.st_nlink == known + 2)
		return 0;

	while (gort__foreign_thread(&tid)) {
		if (!on_its_way_out(tid) || gort__nanotime() > deadline)
			return tid;
		sched_yield();
	}
	return 0;
}

static bool blocks_signal(int tid)
{
	char path[64], text[4096], *at;
	ssize_t n;
	int fd;

	gort__format(path, sizeof(path), "/proc/self/task/%d/status", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	at = strstr(text, "SigBlk:");
	return at && strtoull(at + strlen("SigBlk:"), NULL, 16) & GORT__SIG_BIT(GORT__SIG_THREADS);
}

static int blocking_thread(void)
{
	for (struct m *m = sched.allm; m; m = m->allnext)
		if (gort__load(&m->thread_call) == PART_GATHERED && blocks_signal(m->tid))
			return m->tid;
	return 0;
}

// ---- the call -----------------------------------------------------------------------------------

static void refuse(const char *why, int tid)
{
	if (gort__debug.threadtrace)
		gort__print("gort_all_threads_syscall: thread %d %s\n", tid, why);
}

static enum part part_of(const struct m *m)
{
	// The first thread may run user code only when the main goroutine was tied to it.
	if (m->kind == M_SYSMON || m->kind == M_TEMPLATE || (m->kind == M_MAIN && !m->sys_sp))
		return PART_SIGNALLED;
	// Whoever wakes it has a P for it, and every P is stopped.
	return gort__load_acquire(&m->park.word) == NOTE_SLEPT_ON ? PART_ASLEEP : PART_GATHERED;
}

static void gather(struct m *self)
{
	uint32_t n = 0, gathered = 0;

	call.arrived = call.done = 0;
	call.bad_tid = 0;
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
	gort__store(&call.expected, n);
	gort__store_release(&call.gathered, gathered);
	for (struct m *m = sched.allm; m; m = m->allnext)
		if (gort__load(&m->thread_call) == PART_GATHERED)
			gort__tgkill(m->tid, GORT__SIG_THREADS);
}

// One that was on its way to sleep when it was looked at, and blocks the signal, can be told there.
static bool asleep_after_all(void)
{
	bool any = false;

	for (struct m *m = sched.allm; m; m = m->allnext) {
		uint32_t part = PART_GATHERED;
		if (gort__load(&m->thread_call) != part || part_of(m) != PART_ASLEEP ||
		    !gort__cas(&m->thread_call, &part, PART_ASLEEP))
			continue;
		gort__add(&call.gathered, -1u);
		any = true;
	}
	return any;
}

// It must not find the call when it unblocks the signal much later.
static void give_up(void)
{
	for (struct m *m = sched.allm; m; m = m->allnext)
		if (gort__xchg(&m->thread_call, PART_NONE) == PART_GATHERED)
			gort__add(&call.gathered, -1u);
}

static void run_everywhere(void)
{
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
	wait_count(&call.done, call.expected, -1);
}

static long on_all_threads(struct m *self)
{
	long ret = 0;
	int tid = 0;

	gather(self);
	while (!wait_count(&call.arrived, call.gathered, PATIENCE)) {
		tid = asleep_after_all() ? 0 : blocking_thread();
		if (!tid)
			continue;
		refuse("blocks the runtime's signal", tid);
		give_up();
		ret = -EBUSY;
	}
	// Now nobody can make a thread unseen.
	if (!ret && (tid = unknown_thread(call.expected + 1))) {
		refuse("is not known", tid);
		ret = -ENOTSUP;
	}
	if (!ret)
		ret = raw_call();
	if (failed(ret)) {
		give_up();
	} else {
		call.want = ret;
		run_everywhere();
	}
	next_step(LEFT);
	return ret;
}

static void call_all(void *arg)
{
	long *ret = arg;

	gort__trace("all threads make", "call", call.nr, NULL);
	gort__lock(&gort__threads_lock);
	*ret = on_all_threads(gort__self());
	gort__unlock(&gort__threads_lock);
	gort__trace("all threads made it:", "result", *ret, NULL);
	if (call.bad_tid)
		gort__fatal("gort_all_threads_syscall: call %ld gave %ld on thread %d but %ld on "
			    "thread %d",
			    call.nr, call.want, gort__self()->tid, call.bad, call.bad_tid);
}

long gort_all_threads_syscall6(long nr, long a1, long a2, long a3, long a4, long a5, long a6)
{
	long ret = 0;

	gort__enter(__func__);
	gort__stop_world();
	call.nr = nr;
	memcpy(call.arg, (long[]){ a1, a2, a3, a4, a5, a6 }, sizeof(call.arg));
	gort__system(call_all, &ret);
	gort__start_world();
	gort__leave();
	return ret;
}

long gort_all_threads_syscall(long nr, long a1, long a2, long a3)
{
	return gort_all_threads_syscall6(nr, a1, a2, a3, 0, 0, 0);
}

void gort__allthreads_init(void)
{
	gort__sigaction(GORT__SIG_THREADS, on_signal, 0, ~GORT__SIG_BIT(GORT__SIG_FREEZE), NULL);
}

// ---- the nine -----------------------------------------------------------------------------------
// libc's own reach all of its threads, ours too: there must be one mechanism for them, or a later call of libc's
// would disagree about what the process's ids are.

struct ids {
	int which;
	uid_t id[3];
	size_t n;
	const gid_t *groups;
	int ret;
};

enum { SETUID, SETGID, SETREUID, SETREGID, SETRESUID, SETRESGID, SETGROUPS, SETEUID, SETEGID };

static void set_ids(void *arg)
{
	struct ids *s = arg;
	int ret = -1;

	gort__lock(&gort__threads_lock);
	switch (s->which) {
	case SETUID: ret = setuid(s->id[0]); break;
	case SETGID: ret = setgid(s->id[0]); break;
	case SETREUID: ret = setreuid(s->id[0], s->id[1]); break;
	case SETREGID: ret = setregid(s->id[0], s->id[1]); break;
	case SETRESUID: ret = setresuid(s->id[0], s->id[1], s->id[2]); break;
	case SETRESGID: ret = setresgid(s->id[0], s->id[1], s->id[2]); break;
	case SETGROUPS: ret = setgroups(s->n, s->groups); break;
	case SETEUID: ret = seteuid(s->id[0]); break;
	case SETEGID: ret = setegid(s->id[0]); break;
	}
	s->ret = ret ? -*gort__self()->errno_addr : 0;
	gort__unlock(&gort__threads_lock);
}

static int set_all(struct ids s)
{
	gort__enter("gort_set*id");
	gort__stop_world();
	gort__system(set_ids, &s);
	gort__start_world();
	gort__leave();
	return s.ret;
}

int gort_setuid(uid_t uid)
{
	return set_all((struct ids){ .which = SETUID, .id = { uid } });
}

int gort_setgid(gid_t gid)
{
	return set_all((struct ids){ .which = SETGID, .id = { gid } });
}

int gort_setreuid(uid_t ruid, uid_t euid)
{
	return set_all((struct ids){ .which = SETREUID, .id = { ruid, euid } });
}

int gort_setregid(gid_t rgid, gid_t egid)
{
	return set_all((struct ids){ .which = SETREGID, .id = { rgid, egid } });
}

int gort_setresuid(uid_t ruid, uid_t euid, uid_t suid)
{
	return set_all((struct ids){ .which = SETRESUID, .id = { ruid, euid, suid } });
}

int gort_setresgid(gid_t rgid, gid_t egid, gid_t sgid)
{
	return set_all((struct ids){ .which = SETRESGID, .id = { rgid, egid, sgid } });
}

int gort_setgroups(size_t n, const gid_t *groups)
{
	return set_all((struct ids){ .which = SETGROUPS, .n = n, .groups = groups });
}

int gort_seteuid(uid_t euid)
{
	return set_all((struct ids){ .which = SETEUID, .id = { euid } });
}

int gort_setegid(gid_t egid)
{
	return set_all((struct ids){ .which = SETEGID, .id = { egid } });
}
