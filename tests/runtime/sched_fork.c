// SPDX-License-Identifier: MIT
// What a fork's child may do, and what a thread made later does not inherit from one that a
// goroutine changed.
#include "runtime/gort.h"
#include "tests/runtime/self.h"
#include "tests/runtime/tap.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	ROUNDS = 50,
	LEAKED_MASK = 0123, // nobody's umask
};

// ---- fork ---------------------------------------------------------------------------------------

// Forks, lets the child run fn, and gives back its status and the start of what it wrote to stderr.
static int in_child(void (*fn)(void), char *text, size_t room)
{
	size_t len = 0;
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	fflush(stdout);
	if (pipe(fds))
		return -1;
	pid = fork();
	if (!pid) {
		dup2(fds[1], STDERR_FILENO);
		close(fds[0]);
		close(fds[1]);
		fn();
		_exit(0);
	}
	close(fds[1]);
	while (len < room - 1 && (n = read(fds[0], text + len, room - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close(fds[0]);
	return pid < 0 || waitpid(pid, &status, 0) != pid ? -1 : status;
}

static void parks(void)
{
	gort_yield();
}

static void sleeps(void)
{
	gort_sleep(1);
}

static void execs(void)
{
	execl(self_path(), "sched_fork", "child", NULL);
}

static void refused(void (*fn)(void), const char *message, const char *name)
{
	char text[8192];
	int status = in_child(fn, text, sizeof(text));
	bool ok = WIFEXITED(status) && WEXITSTATUS(status) == 2 && strstr(text, message);

	if (!ok)
		printf("# status %x: %.200s\n", (unsigned)status, text);
	check(ok, name);
}

static void test_fork(void)
{
	char text[256];
	int status;

	refused(parks, "gort_yield: called after fork without exec", "a child may not yield");
	refused(sleeps, "called after fork without exec", "nor sleep");
	status = in_child(execs, text, sizeof(text));
	check(WIFEXITED(status) && WEXITSTATUS(status) == 42, "it may exec, and start anew there");
	gort_yield();
	check(true, "the parent goes on");
}

static void after_exec(void *arg)
{
	(void)arg;
	gort_yield();
	gort_sleep(1);
	exit(42);
}

// ---- the template thread ------------------------------------------------------------------------

static atomic_int looked, leaks;

static mode_t own_umask(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return mask;
}

// Ends with its thread, so that the next one needs a new thread.
static void looks(void *arg)
{
	char name[16];

	(void)arg;
	gort_lock_os_thread();
	prctl(PR_GET_NAME, name);
	if (!strcmp(name, "leaked") || own_umask() == LEAKED_MASK)
		atomic_fetch_add(&leaks, 1);
	atomic_fetch_add(&looked, 1);
}

static void wait_for_look(void *arg)
{
	while (atomic_load(&looked) <= *(int *)arg)
		usleep(100);
}

static void calls_back(void *arg)
{
	int none = 0;

	(void)arg;
	gort_go(looks, NULL);
	// The only P goes to a thread that is still to be made.
	gort_blocking(wait_for_look, &none);
}

static void *foreign(void *arg)
{
	*(int *)arg = unshare(CLONE_FS);
	umask(LEAKED_MASK);
	prctl(PR_SET_NAME, "leaked");
	return gort_callback(calls_back, NULL) ? arg : NULL;
}

static void runs_foreign(void *arg)
{
	pthread_t t;
	void *failed = NULL;

	if (pthread_create(&t, NULL, foreign, arg) || pthread_join(t, &failed) || failed)
		abort();
}

enum { FINE, LEAKED, REFUSED };

// In a process of its own, where no goroutine was tied to its thread before and all other threads
// are busy.
static void foreign_only(void *arg)
{
	int refused;

	gort_blocking(runs_foreign, &refused);
	*(int *)arg = refused ? REFUSED : atomic_load(&leaks) ? LEAKED : FINE;
}

static void test_foreign(void)
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		setenv("GORTMAXPROCS", "1", 1);
		execl(self_path(), "sched_fork", "foreign", NULL);
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == REFUSED)
		skip("a foreign thread is nobody's parent", "unshare(CLONE_FS) is refused");
	else
		check(!status, "a foreign thread is nobody's parent");
}

static void changed(void *arg)
{
	(void)arg;
	gort_lock_os_thread();
	if (unshare(CLONE_FS)) {
		skip("a changed thread is nobody's parent", "unshare(CLONE_FS) is refused");
		exit(finish());
	}
	umask(LEAKED_MASK);
	prctl(PR_SET_NAME, "leaked");
	for (int i = 0; i < ROUNDS; i++) {
		gort_go(looks, NULL);
		// Its turn goes to another thread, which it must make when there is none.
		gort_blocking(wait_for_look, &i);
	}
	check(!atomic_load(&leaks), "a changed thread is nobody's parent");
	check(own_umask() == LEAKED_MASK, "and keeps what it changed");
	exit(finish());
}

static void main_fn(void *arg)
{
	(void)arg;
	test_fork();
	gort_go(changed, NULL);
	gort_park();
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1 && !strcmp(argv[1], "foreign")) {
		int result = -1;
		gort_main(foreign_only, &result);
		return result;
	}
	if (argc > 1)
		return gort_main(after_exec, NULL);
	test_foreign();
	return gort_main(main_fn, NULL) ? 1 : finish();
}
