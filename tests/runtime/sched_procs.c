// SPDX-License-Identifier: MIT
// How many Ps: the default's arithmetic, automatic updates, and the guarantee that gort_gomaxprocs ends them.
// The program's own sched_getaffinity and pread take the place of libc's and count.
#include "runtime/gort.h"
#include "tests/runtime/tap.h"
#include "runtime/sched/cgroup.h"

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

// ---- arithmetic and parsing ---------------------------------------------------------------------

static void test_arithmetic(void)
{
	static const struct {
		int cpus;
		int64_t quota, period;
		int want;
	} rows[] = {
		{ 8, 300000, 100000, 3 }, { 8, 200001, 100000, 3 }, { 8, 250000, 100000, 3 },
		{ 8, 299999, 100000, 3 }, { 8, 50000, 100000, 2 },  { 8, 100000, 100000, 2 },
		{ 8, 150000, 100000, 2 }, { 8, 900000, 100000, 8 }, { 2, 300000, 100000, 2 },
		{ 1, 50000, 100000, 1 },  { 8, -1, 100000, 8 },	    { 8, 0, 0, 8 },
		{ 64, 1, 1, 2 },	  { 8, 10000, 2000, 5 },
	};
	bool ok = true;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cpu_limit limit = { rows[i].quota, rows[i].period };
		ok &= gort__default_procs(rows[i].cpus, &limit) == rows[i].want;
	}
	ok &= gort__default_procs(5, NULL) == 5;
	check(ok, "the default of (cpus, quota, period)");
}

static void test_parsing(void)
{
	static const char v2[] = "0::/a/b\n";
	static const char v1[] = "12:memory:/m\n4:cpu,cpuacct:/docker/x\n0::/y\n";
	static const char only_acct[] = "4:cpuacct:/c\n";
	static const char mounts[] =
		"22 1 0:20 / /proc rw - proc proc rw\n"
		"30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
		"31 22 0:27 /docker /sys/fs/c\\040pu rw - cgroup cgroup rw,cpu,cpuacct\n";
	struct cpu_limit limit;
	char path[256], dir[256];
	bool ok;

	ok = gort__cgroup_parse_max("150000 100000\n", &limit) && limit.quota == 150000 &&
	     limit.period == 100000;
	ok &= !gort__cgroup_parse_max("max 100000\n", &limit) &&
	      !gort__cgroup_parse_max("", &limit) && !gort__cgroup_parse_max("x y\n", &limit);
	check(ok, "cpu.max");
	ok = gort__cgroup_parse_self(v2, path, sizeof(path)) == 2 && !strcmp(path, "/a/b");
	ok &= gort__cgroup_parse_self(v1, path, sizeof(path)) == 1 && !strcmp(path, "/docker/x");
	ok &= gort__cgroup_parse_self(only_acct, path, sizeof(path)) == 0;
	ok &= gort__cgroup_parse_self(v1, path, 4) == 2 && !strcmp(path, "/y");
	check(ok, "/proc/self/cgroup");
	ok = gort__cgroup_parse_mounts(mounts, 2, "/a/b", dir, sizeof(dir)) &&
	     !strcmp(dir, "/sys/fs/cgroup/a/b");
	ok &= gort__cgroup_parse_mounts(mounts, 1, "/docker/x", dir, sizeof(dir)) &&
	      !strcmp(dir, "/sys/fs/c pu/x");
	ok &= !gort__cgroup_parse_mounts(mounts, 1, "/other", dir, sizeof(dir));
	ok &= !gort__cgroup_parse_mounts(mounts, 2, "/a/b", dir, 8);
	check(ok, "/proc/self/mountinfo");
}

// ---- updates ------------------------------------------------------------------------------------

static void busy_until(int procs)
{
	while (gort_gomaxprocs(0) != procs)
		gort_yield();
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
	test_arithmetic();
	test_parsing();
	test_race(getenv("DC_CAMPAIGN") ? 10000 : 500);
	return gort_main(main_fn, NULL) ? 1 : finish();
}
