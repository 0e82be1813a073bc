// SPDX-License-Identifier: MIT
// sysmon: a thread without a P that looks after the others. It takes Ps from Ms that block or
// compute for long, polls when nobody does, and notices that all goroutines are asleep.
#include "runtime/sched/core.h"
#include "runtime/sched/tasks.h"
#include "runtime/base/debug.h"
#include "runtime/base/print.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	TICK = 20 * 1000, // ns between looks while there is something to see
	TICK_MAX = 5 * 1000 * 1000, // after nothing happened for long
	CALM = 50, // looks without a find before they get rarer
	PAUSE_AFTER = 1000 * 1000, // of computing without a P, and then again
	SLICE = 5 * 1000 * 1000, // a turn, when others wait
	POLL_STALE = 10 * 1000 * 1000, // nobody polled for so long
	RELEASE = 10 * 1000 * 1000, // a blocked M keeps an unwanted P this long
	DEEP_AFTER = 50 * 1000 * 1000, // idle for so long: sleep until woken
	// But look again when only foreign threads prevent a deadlock, or stacks are to be given
	// back later.
	DEEP_NAP = 1000 * 1000 * 1000,
	TURN = 1000 * 1000 * 1000, // between two turns of the free stacks
	TRIM_SLICE = 200 * 1000, // of giving back at once
	TRIM_PAUSE = 1000 * 1000, // until the next
	KEPT = 64, // descriptors of threads' states
	STALE = -1,
};

int64_t gort__nanotime(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

void gort__sysmon_wake(void)
{
	gort__store(&sched.sysmon_asleep, 0);
	gort__note_wake(&sched.sysmon_note);
}

// /proc/self/task/TID/stat of the Ms asked last, by their numbers. Only so many stay open, for the
// program may need its descriptors, of which the usual limit is 1,024; two Ms that share a place
// cost 5 us more a look.
static struct kept {
	int tid; // 0: nothing is open; STALE: what is open is not what it was
	int fd;
	dev_t dev;
	ino_t ino;
} kept[KEPT];

static bool reopen(struct kept *k, int tid)
{
	char path[64];
	struct stat st;

	// A program that closes all descriptors it does not know may have the number for its own by
	// now.
	if (k->tid && !fstat(k->fd, &st) && st.st_dev == k->dev && st.st_ino == k->ino)
		close(k->fd);
	k->tid = 0;
	gort__format(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	k->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (k->fd < 0 || fstat(k->fd, &st))
		return false;
	*k = (struct kept){ tid, k->fd, st.st_dev, st.st_ino };
	return true;
}

// The state letter of m's thread: R when it runs or wants to. Reading costs a microsecond and
// disturbs nobody, where a signal would end poll, nanosleep and epoll_wait with EINTR.
static char thread_state(struct m *m)
{
	struct kept *k = &kept[m->id % KEPT];
	int tid = gort__load(&m->tid);
	char buf[64], *name_end;
	ssize_t n;

	if (!tid || (k->tid != tid && !reopen(k, tid)))
		return 'R';
	n = pread(k->fd, buf, sizeof(buf) - 1, 0);
	buf[n > 0 ? n : 0] = '\0';
	// The name is in brackets, may hold brackets, and nothing after it does.
	name_end = strrchr(buf, ')');
	if (!name_end || !name_end[1]) {
		k->tid = STALE;
		return 'R';
	}
	return name_end[2];
}

struct look {
	int64_t now;
	int64_t next; // look again then
	bool found;
};

static void look_again(struct look *look, int64_t when)
{
	if (when < look->next)
		look->next = when;
}

static uint32_t lost; // Ms with lost_p

static void look_at(struct p *p, struct look *look)
{
	struct m *m = gort__load_acquire(&p->m);
	uint32_t tick = gort__load(&p->schedtick);
	bool helpers, blocked, wanted;
	int64_t turn;

	if (gort__load(&p->status) != P_RUNNING || !m)
		return;
	if (p->sysmon_tick != tick) {
		p->sysmon_tick = tick;
		p->sysmon_when = look->now;
	}
	if (gort__load(&m->in_runtime))
		return;
	turn = look->now - p->sysmon_when;
	helpers = gort__load(&sched.npidle) + gort__load(&sched.nspinning) > 0;
	wanted = (!helpers && gort__any_queue()) || !gort__runq_empty(p) ||
		 gort__load(&p->timers.when) <= look->now ||
		 gort__load(&p->turn) == STACK_TURN_LATE;
	blocked = (wanted || !helpers || turn >= RELEASE) && thread_state(m) != 'R';
	if (blocked) {
		if (!wanted && helpers && turn < RELEASE)
			return;
		// It may have met it in a sleep of microseconds.
		if (!turn) {
			look_again(look, look->now + TICK);
			return;
		}
	} else if (!wanted || turn < SLICE) {
		if (wanted && turn)
			look_again(look, p->sysmon_when + SLICE);
		return;
	}
	p = gort__retake(p);
	if (!p)
		return;
	if (blocked) {
		look->found = true;
	} else {
		m->lost_p = true;
		m->lost_when = look->now;
		lost++;
		// The turn of the next begins now: where many compute, one look a turn is enough.
		p->sysmon_tick = gort__load(&p->schedtick) + 1;
		p->sysmon_when = look->now;
		look_again(look, look->now + SLICE);
	}
	gort__stack_turn(p);
	gort__handoff(p);
}

// Those that computed when they lost their P, and still do: they are asked again until they are met
// in program text. Waiting a while first makes sure that they are not about to sleep in a system
// call, which the signal would end.
static void pause_lost(struct look *look)
{
	if (!lost)
		return;
	lost = 0;
	for (struct m *m = gort__load_acquire(&sched.allm); m; m = m->allnext) {
		if (!m->lost_p)
			continue;
		if (look->now - m->lost_when >= PAUSE_AFTER) {
			m->lost_when = look->now;
			m->lost_p = thread_state(m) != 'R' || gort__pause(m);
		}
		if (m->lost_p) {
			lost++;
			look_again(look, m->lost_when + PAUSE_AFTER);
		}
	}
}

static void poll_network(int64_t now)
{
	struct glist ready = { 0 };
	int64_t last = gort__load(&sched.lastpoll);

	if (!gort__load(&gort__netpoll_on) || !last || last + POLL_STALE > now ||
	    !gort__cas(&sched.lastpoll, &last, now))
		return;
	gort__san_acquire(&gort__netpoll_on);
	gort__netpoll(0, &ready);
	gort__ready_list(&ready);
}

// ---- all asleep? --------------------------------------------------------------------------------

static bool all_idle(void)
{
	return gort__load(&sched.npidle) == gort__load(&sched.nprocs);
}

// With sched.lock no idle P can be taken, so what is seen stays.
static bool nobody_runs(void)
{
	int awake = 0;

	if (!sched.running || !all_idle() || sched.stopping || sched.runq.n ||
	    gort__load(&sched.nspinning) || gort__load(&sched.nodeadlock) ||
	    gort__load(&gort__netpoll_waiters))
		return false;
	for (uint32_t i = 0; i < sched.nprocs; i++)
		if (!gort__runq_empty(sched.allp[i]) ||
		    gort__load(&sched.allp[i]->timers.when) != INT64_MAX)
			return false;
	for (struct m *m = sched.allm; m; m = m->allnext) {
		if (!m->alive || m->kind == M_SYSMON || m->kind == M_TEMPLATE)
			continue;
		// A foreign thread outside of a callback may call back any time.
		if (m->kind == M_ATTACHED || (m->kind == M_EXTRA && !m->lockedg))
			return false;
		// In user code, without a P.
		if (gort__load(&m->curg))
			return false;
		awake += gort__load(&m->park.word) != NOTE_SLEPT_ON &&
			 (m->kind != M_MAIN || m->lockedg);
	}
	// One may wait in the netpoller for nothing; any other that is not asleep is on its way to
	// somewhere.
	return awake <= (gort__load(&sched.lastpoll) == 0);
}

// There is something to do, and nobody for it: no thread could be made.
static bool wants_thread(void)
{
	return gort__load(&sched.runq.n) || (all_idle() && gort__must_poll());
}

// True when only threads that the runtime does not know can still wake anybody.
static bool check_dead(void)
{
	bool dead;
	int tid;

	gort__lock(&sched.lock);
	dead = nobody_runs();
	gort__unlock(&sched.lock);
	if (!dead)
		return false;
	// Not to know is not to know that there is none.
	if (gort__foreign_thread(&tid))
		return true;
	// One of them may have called back and gone while the directory was read.
	gort__lock(&sched.lock);
	dead = nobody_runs();
	gort__unlock(&sched.lock);
	if (dead)
		gort__fatal("all goroutines are asleep - deadlock!");
	return false;
}

// ---- memory -------------------------------------------------------------------------------------

static int64_t last_turn;

// Free stacks that were not used for some turns give their pages back, a few at a time.
static void trim_stacks(struct look *look)
{
	if (look->now - last_turn >= TURN) {
		last_turn = look->now;
		gort__stack_turn_all();
	}
	gort__stack_collect();
	while (gort__stack_trim()) {
		if (gort__nanotime() - look->now < TRIM_SLICE || all_idle())
			continue;
		look_again(look, look->now + TRIM_PAUSE);
		return;
	}
}

// ---- sleeping and looking -----------------------------------------------------------------------

static void deep_sleep(bool again)
{
	gort__note_clear(&sched.sysmon_note);
	gort__xchg(&sched.sysmon_asleep, 1);
	if (all_idle())
		gort__note_sleep(&sched.sysmon_note, again ? DEEP_NAP : -1);
	gort__store(&sched.sysmon_asleep, 0);
}

void gort__sysmon(struct m *m)
{
	int64_t delay = TICK, idle_since = 0;
	int calm = 0;

	(void)m;
	for (;;) {
		struct look look = { .next = INT64_MAX };

		gort__note_sleep(&sched.sysmon_note, delay);
		gort__note_clear(&sched.sysmon_note);
		gort__freeze_check();
		look.now = gort__nanotime();
		gort__store(&sched.coarse_now, look.now);
		gort__schedtrace(look.now);
		if (sched.ended)
			return;
		if (all_idle()) {
			bool foreign = check_dead();
			if (wants_thread())
				idle_since = 0;
			else if (!idle_since)
				idle_since = look.now;
			else if (look.now - idle_since > DEEP_AFTER) {
				trim_stacks(&look);
				deep_sleep(foreign || gort__stack_trim_later());
				idle_since = 0;
				calm = 0;
				delay = TICK;
				continue;
			}
		} else {
			idle_since = 0;
		}
		poll_network(look.now);
		gort__procs_look(look.now);
		if (!gort__load(&sched.stopping))
			for (uint32_t i = 0; i < gort__load(&sched.nprocs); i++)
				look_at(sched.allp[i], &look);
		pause_lost(&look);
		trim_stacks(&look);
		// A paused M cannot make a thread for its own goroutine.
		if (wants_thread())
			gort__wakep();
		calm = look.found ? 0 : calm + 1;
		if (calm == 0)
			delay = TICK;
		else if (calm > CALM)
			delay = delay * 2 < TICK_MAX ? delay * 2 : TICK_MAX;
		int64_t left = look.next - look.now;
		if (left < delay)
			delay = left < TICK ? TICK : left;
	}
}
