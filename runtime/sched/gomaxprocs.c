// SPDX-License-Identifier: MIT
// How many Ps there are: the default, the program's wish, and automatic updates. When
// gort_gomaxprocs(n) has returned, no update is applied and not one system call is made for one.
#include "runtime/gort.h"
#include "runtime/base/debug.h"
#include "runtime/sched/cgroup.h"
#include "runtime/sched/core.h"

#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	CPU_BYTES = 1024, // 8,192 CPUs
	UPDATE_EVERY = 1000 * 1000 * 1000, // ns
};

static struct cgroup cgroup = { -1, -1, -1 };

// Held while the default is computed, which makes system calls: taking it waits for such a
// computation.
static struct lock computing = GORT__LOCK_INIT(MAXPROCS);

// What sysmon hands to the goroutine that applies it: only a goroutine can stop the world.
static struct {
	struct lock lock;
	struct g *g;
	bool idle;
	uint32_t procs;
} updater = { .lock = GORT__LOCK_INIT(UPDATER) };

static int count_cpus(void)
{
	unsigned long set[CPU_BYTES / sizeof(unsigned long)] = { 0 };
	int n = 0;

	// Of the process's first thread: others may have been tied to a CPU by the program.
	if (sched_getaffinity(getpid(), sizeof(set), (cpu_set_t *)set))
		return 1;
	for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++)
		n += __builtin_popcountl(set[i]);
	return n ? n : 1;
}

int gort_num_cpu(void)
{
	int n = gort__load(&sched.ncpu);

	if (!n) {
		n = count_cpus();
		gort__store(&sched.ncpu, n);
	}
	return n;
}

static uint32_t default_procs(void)
{
	struct cpu_limit limit;
	bool limited = gort__debug.containermaxprocs && gort__cgroup_read(&cgroup, &limit);
	int n = gort__default_procs(count_cpus(), limited ? &limit : NULL);

	return (uint32_t)(n < P_MAX ? n : P_MAX);
}

int gort__procs_init(void)
{
	const char *env = getenv("GORTMAXPROCS");
	long n = env ? strtol(env, NULL, 10) : 0;

	gort_num_cpu();
	if (gort__debug.containermaxprocs)
		gort__cgroup_open(&cgroup);
	if (n > 0)
		sched.custom_procs = true;
	else
		n = default_procs();
	gort__lock(&sched.lock);
	gort__procresize((uint32_t)(n < P_MAX ? n : P_MAX));
	gort__unlock(&sched.lock);
	return sched.nprocs ? 0 : -ENOMEM;
}

// The program has decided: no update is wanted. It may want them again later.
static bool is_custom(void)
{
	bool custom;

	gort__lock(&sched.lock);
	custom = sched.custom_procs;
	gort__unlock(&sched.lock);
	return custom;
}

static void update(void *arg)
{
	(void)arg;
	gort__enter("gomaxprocs updater");
	for (;;) {
		gort__lock(&updater.lock);
		updater.idle = true;
		gort__park_unlock(&updater.lock, WAIT_UPDATER);
		if (is_custom())
			continue;
		gort__stop_world();
		gort__start_world_with(is_custom() ? sched.nprocs : updater.procs);
	}
}

int gort__procs_updater_start(void)
{
	struct g *g;

	if (!gort__debug.updatemaxprocs)
		return 0;
	g = gort__spawn(update, NULL, NULL, NULL, G_SYSTEM);
	if (!g)
		return -ENOMEM;
	updater.g = g;
	return 0;
}

static void hand_over(uint32_t procs)
{
	gort__lock(&updater.lock);
	if (updater.idle) {
		updater.idle = false;
		updater.procs = procs;
		gort__ready(updater.g, false);
	}
	gort__unlock(&updater.lock);
}

void gort__procs_look(int64_t now)
{
	static int64_t last;
	uint32_t procs;

	if (!gort__debug.updatemaxprocs || now - last < UPDATE_EVERY)
		return;
	last = now;
	gort__lock(&computing);
	if (!is_custom()) {
		procs = default_procs();
		if (procs != gort__load(&sched.nprocs))
			hand_over(procs);
	}
	gort__unlock(&computing);
}

// With custom_procs set: when this returns, whatever was under way for an update is done.
static void end_updates(void)
{
	bool idle;

	// Whoever saw the flag unset is computing under this lock, and wakes the updater under it.
	gort__lock(&computing);
	gort__unlock(&computing);
	while (updater.g) {
		gort__lock(&updater.lock);
		idle = updater.idle;
		gort__unlock(&updater.lock);
		if (idle)
			return;
		gort__yield();
	}
}

int gort_gomaxprocs(int n)
{
	uint32_t old;

	gort__enter(__func__);
	if (n > 0) {
		gort__lock(&sched.lock);
		sched.custom_procs = true;
		gort__unlock(&sched.lock);
		end_updates();
	}
	old = gort__load(&sched.nprocs);
	if (n > P_MAX)
		n = P_MAX;
	if (n > 0 && (uint32_t)n != old) {
		gort__stop_world();
		gort__start_world_with((uint32_t)n);
	}
	gort__leave();
	return (int)old;
}

void gort_set_default_gomaxprocs(void)
{
	uint32_t n;

	gort__enter(__func__);
	gort__lock(&computing);
	n = default_procs();
	gort__unlock(&computing);
	if (sched.custom_procs || n != sched.nprocs) {
		gort__stop_world();
		gort__lock(&sched.lock);
		sched.custom_procs = false;
		gort__unlock(&sched.lock);
		gort__start_world_with(n);
	}
	gort__leave();
}
