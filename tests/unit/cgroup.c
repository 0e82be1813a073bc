// SPDX-License-Identifier: MIT
// How many Ps a CPU limit gives, and reading the limit: pure functions of text and numbers.
#include "runtime/sched/cgroup.h"
#include "tests/runtime/tap.h"

#include <string.h>

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

int main(void)
{
	test_arithmetic();
	test_parsing();
	return finish();
}
