// SPDX-License-Identifier: MIT
// valgrind: five hundred processes that race for two milliseconds each
// How many Ps: automatic updates, and the guarantee that gort_gomaxprocs ends them.
// The program's own sched_getaffinity and pread take the place of libc's and count.
#include "runtime/gort.h"
#include "tests/runtime/tap.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static atomic_int cpus = 3, calls;

int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
	(void)pid;
	atomic_fetch_add(&calls, 1);
	memset(set, 0, size);
	for (int i = 0; i < atomic_load(&cpus); i++)
		CPU_SET_S(i, size, set);
	return 0;
}

ssize_t pread(int fd, void *buf, size_t n, off_t at)
{
	ssize_t ret = syscall(SYS_pread64, fd, buf, n, at);

	// Threads' stat files begin with a number and a bracket; what is left are the limits.
	if (ret > 0 && !memchr(buf, '(', (size_t)ret))
		atomic_fetch_add(&calls, 1);
	return ret;
}

// ---- updates ------------------------------------------------------------------------------------

static void busy_until(int procs)
{
	while (gort_gomaxprocs(0) != procs)
		gort_yield();
}

// The updater has been readied, but has not run: its processor is busy with us, and every other with the spinner.
static atomic_int spins;

// A turn that is young is not ended by sysmon.
static void keep_turn(int64_t *since)
{
	if (gort_now() < *since + 1000000)
		return;
	gort_yield();
	*since = gort_now();
}

static void spinner(void *arg)
{
	int64_t since = 0;

	(void)arg;
	atomic_store(&spins, 1);
	while (atomic_load(&spins))
		keep_turn(&since);
	atomic_store(&spins, 2);
}

static bool updates_end(int wanted)
{
	struct gort_stats stats, later;
	int64_t since = 0;
	int before;

	atomic_store(&spins, 0);
	gort_set_default_gomaxprocs();
	gort_go(spinner, NULL);
	while (!atomic_load(&spins))
		gort_yield();
	before = atomic_load(&calls);
	atomic_store(&cpus, wanted);
	do {
		keep_turn(&since);
		gort_stats(&stats);
	} while ((atomic_load(&calls) == before || !stats.runnable) && stats.procs == 2);
	gort_gomaxprocs(2);
	gort_stats(&stats);
	atomic_store(&spins, 0);
	while (atomic_load(&spins) != 2)
		gort_yield();
	for (int i = 0; i < 1000; i++)
		gort_yield();
	gort_stats(&later);
	return later.world_stops == stats.world_stops && gort_gomaxprocs(0) == 2;
}

static void main_fn(void *arg)
{
	(void)arg;
	check(gort_gomaxprocs(0) == 3 && gort_num_cpu() == 3, "starts with the default");
	atomic_store(&cpus, 2);
	busy_until(2);
	atomic_store(&cpus, 3);
	busy_until(3);
	check(true, "follows the affinity down and up");
	check(gort_gomaxprocs(4) == 3 && gort_gomaxprocs(0) == 4, "is set by the program");
	atomic_store(&cpus, 2);
	int before = atomic_load(&calls);
	int64_t end = gort_now() + 2500000000;
	while (gort_now() < end)
		gort_yield();
	check(gort_gomaxprocs(0) == 4, "then nothing is applied");
	check(atomic_load(&calls) == before, "then no call is made");
	gort_set_default_gomaxprocs();
	check(gort_gomaxprocs(0) == 2, "the default comes back at once");
	atomic_store(&cpus, 3);
	busy_until(3);
	check(true, "and is followed again");
	bool none = true;
	for (int round = 0; round < 4; round++) {
		atomic_store(&cpus, 2);
		none &= updates_end(1 + round % 2 * 2);
	}
	check(none,
	      "an update that waits for its turn stops no world once the program has decided");
}

// ---- the race at the start ----------------------------------------------------------------------

static void racer(void *arg)
{
	long at = *(long *)arg;
	int64_t now = gort_now();
	int before;

	// What sysmon's first look would change.
	atomic_store(&cpus, 2);
	while (gort_now() < now + at)
		gort_yield();
	gort_gomaxprocs(at & 1 ? 4 : gort_gomaxprocs(0));
	int procs = gort_gomaxprocs(0);
	before = atomic_load(&calls);
	now = gort_now();
	while (gort_now() < now + 1000000)
		gort_yield();
	if (gort_gomaxprocs(0) != procs || atomic_load(&calls) != before)
		_exit(1);
}

static void test_race(int n)
{
	int bad = 0;

	fflush(stdout);
	for (int i = 0; i < n; i++) {
		long at = (long)(random() % 2000000);
		int status;
		pid_t pid = fork();
		if (!pid)
			_exit(gort_main(racer, &at));
		waitpid(pid, &status, 0);
		bad += status != 0;
	}
	check(!bad, "however the call races with the first look");
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	unsetenv("GORTMAXPROCS");
#ifdef __SANITIZE_THREAD__
	// It sleeps for a second at the end of each process.
	test_race(10);
#else
	test_race(getenv("DC_CAMPAIGN") ? 10000 : 500);
#endif
	return gort_main(main_fn, NULL) ? 1 : finish();
}
