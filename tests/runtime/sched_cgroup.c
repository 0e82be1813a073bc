// SPDX-License-Identifier: MIT
// How many Ps in a real cgroup: limits that were there at the start, and changes while the program
// runs. The cgroup is made below the test's own, and removed. The program pretends to have 8 CPUs.
#include "runtime/gort.h"
#include "tests/runtime/self.h"
#include "tests/runtime/tap.h"

#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CPUS = 8, PERIOD = 100000, UNLIMITED = -1 };

#define PREFIX "gort-test-"

static char dir[4096]; // of the test's cgroup
static bool v2;

int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
	(void)pid;
	memset(set, 0, size);
	for (int i = 0; i < CPUS; i++)
		CPU_SET_S(i, size, set);
	return 0;
}

// ---- the cgroup ---------------------------------------------------------------------------------

static bool put(const char *name, const char *text)
{
	char path[sizeof(dir) + 64];
	FILE *f;
	bool ok;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	if (!f)
		return false;
	ok = fputs(text, f) >= 0;
	return !fclose(f) && ok;
}

static bool limit(long quota)
{
	char text[64];

	if (v2) {
		if (quota == UNLIMITED)
			snprintf(text, sizeof(text), "max %d", PERIOD);
		else
			snprintf(text, sizeof(text), "%ld %d", quota, PERIOD);
		return put("cpu.max", text);
	}
	snprintf(text, sizeof(text), "%d", PERIOD);
	if (!put("cpu.cfs_period_us", text))
		return false;
	snprintf(text, sizeof(text), "%ld", quota);
	return put("cpu.cfs_quota_us", text);
}

static bool lists_cpu(char *list)
{
	for (char *word = strtok(list, ",\n"); word; word = strtok(NULL, ",\n"))
		if (!strcmp(word, "cpu"))
			return true;
	return false;
}

// The test's own cgroup: where its CPU time is limited. NULL, or why it cannot be found.
static const char *find_own(void)
{
	char line[8192], path[2048] = "", mount[2048], root[2048], type[64], super[1024];
	FILE *f = fopen("/proc/self/cgroup", "re");
	bool v1 = false;

	while (f && fgets(line, sizeof(line), f)) {
		char *list = strchr(line, ':'), *at = list ? strchr(list + 1, ':') : NULL;
		if (!at)
			continue;
		*at++ = '\0';
		at[strcspn(at, "\n")] = '\0';
		if (lists_cpu(list + 1)) {
			v1 = true;
			snprintf(path, sizeof(path), "%s", at);
		} else if (!v1 && !list[1]) {
			snprintf(path, sizeof(path), "%s", at);
		}
	}
	if (f)
		fclose(f);
	v2 = !v1;
	f = fopen("/proc/self/mountinfo", "re");
	while (f && fgets(line, sizeof(line), f)) {
		char *rest = strstr(line, " - ");
		if (!rest || sscanf(line, "%*s %*s %*s %2047s %2047s", root, mount) != 2 ||
		    sscanf(rest, " - %63s %*s %1023s", type, super) != 2)
			continue;
		if (strcmp(type, v2 ? "cgroup2" : "cgroup") || (v1 && !lists_cpu(super)))
			continue;
		size_t n = strcmp(root, "/") ? strlen(root) : 0;
		if (strncmp(path, root, n))
			continue;
		snprintf(dir, sizeof(dir), "%s%s", mount, path + n);
		fclose(f);
		return NULL;
	}
	if (f)
		fclose(f);
	return "no cgroup with the cpu controller is mounted";
}

// Those of tests that were killed.
static void sweep(void)
{
	DIR *d = opendir(dir);

	for (struct dirent *e; d && (e = readdir(d));) {
		char path[sizeof(dir) + 300];
		int pid;
		if (sscanf(e->d_name, PREFIX "%d", &pid) != 1 || !kill(pid, 0))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		rmdir(path);
	}
	if (d)
		closedir(d);
}

// NULL, or why it cannot be made.
static const char *make(void)
{
	const char *why = find_own();
	size_t n;

	if (why)
		return why;
	sweep();
	n = strlen(dir);
	snprintf(dir + n, sizeof(dir) - n, "/" PREFIX "%d", getpid());
	if (mkdir(dir, 0755))
		return "no cgroup can be made below the test's own";
	if (!limit(UNLIMITED)) {
		rmdir(dir);
		return "the cpu controller cannot be set below the test's own cgroup";
	}
	return NULL;
}

// ---- inside -------------------------------------------------------------------------------------

static bool comes_to(int procs)
{
	while (gort_gomaxprocs(0) != procs)
		gort_yield();
	return true;
}

static void changes(void *arg)
{
	(void)arg;
	check(gort_gomaxprocs(0) == 3, "live: starts with the limit of 3");
	check(limit(200000) && comes_to(2), "live: lowered to 2");
	check(limit(250000) && comes_to(3), "live: raised to 2.5, which is 3");
	check(limit(UNLIMITED) && comes_to(CPUS), "live: lifted, all CPUs");
	check(limit(400000) && comes_to(4), "live: set again");
	check(limit(10000) && comes_to(2), "live: a tenth of a CPU is 2 Ps");
	check(gort_gomaxprocs(5) == 2 && limit(300000) && gort_gomaxprocs(0) == 5,
	      "live: the program's own number stays");
	gort_set_default_gomaxprocs();
	check(gort_gomaxprocs(0) == 3, "live: the default is the present limit at once");
	check(limit(700000) && comes_to(7), "live: and is followed again");
}

static void is_told(void *arg)
{
	*(int *)arg = gort_gomaxprocs(0);
}

// ---- outside ------------------------------------------------------------------------------------

// Runs this program in the cgroup from its first instruction on; its exit status.
static int inside(const char *mode, const char *env)
{
	char pid[32];
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		snprintf(pid, sizeof(pid), "%d", getpid());
		if (!put("cgroup.procs", pid))
			_exit(99);
		if (env)
			putenv(strdup(env));
		execl(self_path(), "sched_cgroup", mode, dir, v2 ? "2" : "1", NULL);
		_exit(98);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void starts_with(long quota, const char *env, int procs)
{
	char name[128];
	int got = limit(quota) ? inside("start", env) : -1;

	snprintf(name, sizeof(name), "quota %ld of %d%s%s: %d Ps", quota, PERIOD, env ? ", " : "",
		 env ? env : "", procs);
	if (got != procs)
		printf("# %d\n", got);
	check(got == procs, name);
}

static void test_all(void)
{
	static const struct {
		long quota;
		int procs;
	} rows[] = {
		{ 300000, 3 }, { 200001, 3 }, { 250000, 3 }, { 299999, 3 },    { 50000, 2 },
		{ 100000, 2 }, { 150000, 2 }, { 900000, 8 }, { UNLIMITED, 8 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		starts_with(rows[i].quota, NULL, rows[i].procs);
	starts_with(300000, "GORTDEBUG=containermaxprocs=0", CPUS);
	starts_with(300000, "GORTMAXPROCS=5", 5);
	check(limit(300000) && inside("live", NULL) == 0, "all changes while it runs");
}

int main(int argc, char **argv)
{
	const char *why;
	int procs = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 3) {
		snprintf(dir, sizeof(dir), "%s", argv[2]);
		v2 = argv[3][0] == '2';
		if (strcmp(argv[1], "live"))
			return gort_main(is_told, &procs) ? 97 : procs;
		// Its lines are the parent's; so is the plan.
		gort_main(changes, NULL);
		printf("1..%d\n", checks);
		return failed;
	}
	unsetenv("GORTMAXPROCS");
	why = make();
	if (why) {
		skip("a real cgroup", why);
		return finish();
	}
	test_all();
	check(!rmdir(dir), "the cgroup is empty and removed");
	return finish();
}
