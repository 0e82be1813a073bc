// SPDX-License-Identifier: MIT
// set*id on all threads, row by row, read back from every thread while threads come and go.
// The process that changes its ids is a child, so that whoever runs the test keeps theirs.
#include "runtime/gort.h"
#include "tests/runtime/self.h"
#include "tests/runtime/tap.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	CHURNERS = 2,
	ENDED_PER_ROW = 5,
	GONE_MAX = 20, // s; a thread with other ids that lives so long is none that is ending
};

// ---- threads that come and go -------------------------------------------------------------------

static atomic_int stop, stopped, ended;

static void ends_locked(void *arg)
{
	(void)arg;
	gort_lock_os_thread();
	gort_yield();
	atomic_fetch_add(&ended, 1);
}

static void churn(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop)) {
		int before = atomic_load(&ended);
		gort_go(ends_locked, NULL);
		while (atomic_load(&ended) == before)
			gort_yield();
	}
	atomic_fetch_add(&stopped, 1);
}

// ---- what the kernel says -----------------------------------------------------------------------

struct ids {
	char uid[64], gid[64], groups[256];
};

// The numbers of one line, separated by single spaces.
static void numbers(const char *text, const char *name, char *to, size_t room)
{
	const char *at = strstr(text, name);
	size_t n = 0;

	for (at = at ? at + strlen(name) : "?"; *at && *at != '\n' && n + 2 < room; at++) {
		if (*at != ' ' && *at != '\t')
			to[n++] = *at;
		else if (n && to[n - 1] != ' ')
			to[n++] = ' ';
	}
	while (n && to[n - 1] == ' ')
		n--;
	to[n] = '\0';
}

// False when the thread has vanished.
static bool ids_of(const char *tid, struct ids *ids)
{
	char path[300], text[4096];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%s/status", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	if (n <= 0)
		return false;
	text[n] = '\0';
	numbers(text, "\nUid:", ids->uid, sizeof(ids->uid));
	numbers(text, "\nGid:", ids->gid, sizeof(ids->gid));
	numbers(text, "\nGroups:", ids->groups, sizeof(ids->groups));
	return true;
}

static bool equal(const struct ids *a, const struct ids *b)
{
	return !strcmp(a->uid, b->uid) && !strcmp(a->gid, b->gid) && !strcmp(a->groups, b->groups);
}

// libc passes over a thread that is already ending, so one that differs may only vanish: that its
// ids become right later would mean that the call had returned too early.
static bool vanishes(const char *tid, const struct ids *want)
{
	int64_t deadline = gort_now() + GONE_MAX * 1000000000LL;
	struct ids ids;

	while (ids_of(tid, &ids)) {
		if (equal(&ids, want) || gort_now() > deadline) {
			printf("# thread %s: Uid %s, Gid %s, Groups %s\n", tid, ids.uid, ids.gid,
			       ids.groups);
			return false;
		}
		gort_yield();
	}
	return true;
}

static bool all_threads_have(const struct ids *want)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	struct ids ids;
	bool ok = true;
	int seen = 0;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || !ids_of(entry->d_name, &ids))
			continue;
		seen++;
		if (!equal(&ids, want) && !vanishes(entry->d_name, want))
			ok = false;
	}
	if (dir)
		closedir(dir);
	// The one that reads, sysmon and the first thread are always there.
	return ok && seen >= 3;
}

// ---- the table ----------------------------------------------------------------------------------

static const gid_t four[] = { 0, 1, 2, 3 };

// The call, then the line that it changes and what is in it: real, effective, saved, file system.
#define ROWS(X)                                         \
	X(setegid, (1), gid, "0 1 0 1")                 \
	X(setegid, (0), gid, "0 0 0 0")                 \
	X(seteuid, (1), uid, "0 1 0 1")                 \
	X(setuid, (0), uid, "0 0 0 0")                  \
	X(setgid, (1), gid, "1 1 1 1")                  \
	X(setgid, (0), gid, "0 0 0 0")                  \
	X(setgroups, (4, four), groups, "0 1 2 3")      \
	X(setgroups, (0, NULL), groups, "")             \
	X(setgroups, (1, four), groups, "0")            \
	X(setregid, (101, 0), gid, "101 0 0 0")         \
	X(setregid, (0, 102), gid, "0 102 102 102")     \
	X(setregid, (0, 0), gid, "0 0 0 0")             \
	X(setreuid, (1, 0), uid, "1 0 0 0")             \
	X(setreuid, (0, 2), uid, "0 2 2 2")             \
	X(setreuid, (0, 0), uid, "0 0 0 0")             \
	X(setresgid, (101, 0, 102), gid, "101 0 102 0") \
	X(setresgid, (1, 2, 3), gid, "1 2 3 2")         \
	X(setresgid, (0, 0, 0), gid, "0 0 0 0")         \
	X(setresuid, (101, 0, 102), uid, "101 0 102 0") \
	X(setresuid, (1, 2, 0), uid, "1 2 0 2")         \
	X(setresuid, (0, 0, 0), uid, "0 0 0 0")

// Those that come next meet threads made before and after the call before.
static void wait_for_ends(void)
{
	int before = atomic_load(&ended);

	while (atomic_load(&ended) < before + ENDED_PER_ROW)
		gort_yield();
}

static void row(const char *name, int ret, const struct ids *want)
{
	bool ok = ret == 0 && all_threads_have(want);

	// Threads made after the call inherit it.
	wait_for_ends();
	ok = all_threads_have(want) && ok;
	if (ret)
		printf("# %s: %d\n", name, ret);
	check(ok, name);
}

static void main_fn(void *arg)
{
	struct ids want = { "0 0 0 0", "0 0 0 0", "" };

	(void)arg;
	check(gort_setgroups(0, NULL) == 0 && gort_setresgid(0, 0, 0) == 0 &&
		      gort_setresuid(0, 0, 0) == 0 && all_threads_have(&want),
	      "all ids are 0 at first");
	for (int i = 0; i < CHURNERS; i++)
		gort_go(churn, NULL);
	wait_for_ends();
#define ROW(call, args, line, expected)                         \
	snprintf(want.line, sizeof(want.line), "%s", expected); \
	row(#call #args, gort_##call args, &want);
	ROWS(ROW)
#undef ROW

	check(gort_setresuid(0, 1, 0) == 0, "setresuid(0, 1, 0)");
	snprintf(want.uid, sizeof(want.uid), "0 1 0 1");
	check(gort_setuid(2) == -EPERM && gort_setgroups(1, four) == -EPERM &&
		      all_threads_have(&want),
	      "a call that fails changes no thread");
	check(gort_setresuid(0, 0, 0) == 0, "and back");
	atomic_store(&stop, 1);
	while (atomic_load(&stopped) < CHURNERS)
		gort_yield();
	// Otherwise a leak checker may not look at the process any more.
	prctl(PR_SET_DUMPABLE, 1);
}

int main(int argc, char **argv)
{
	int status;
	pid_t pid;

	setvbuf(stdout, NULL, _IOLBF, 0);
#ifdef __SANITIZE_THREAD__
	skip("set*id", "TSan has a thread of its own and defers signals");
	return finish();
#endif
	if (geteuid()) {
		skip("set*id", "needs root");
		return finish();
	}
	if (argc > 1)
		return gort_main(main_fn, NULL) ? 1 : finish();
	pid = fork();
	if (!pid) {
		execl(self_path(), argv[0], "child", NULL);
		_exit(127);
	}
	// The child prints the results and their number.
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 1;
	return WEXITSTATUS(status);
}
