// SPDX-License-Identifier: MIT
// One system call on every thread.
#include "runtime/gort.h"
#include "tests/runtime/tap.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_int wrong, done, stop;
static atomic_long value, waiting;

// Sees the value on its own thread, then ends its thread or not.
static void watcher(void *arg)
{
	gort_lock_os_thread();
	for (int round = 1; round <= 20; round++) {
		atomic_fetch_add(&waiting, 1);
		while (atomic_load(&value) < round)
			gort_yield();
		if (prctl(PR_GET_KEEPCAPS) != round % 2)
			atomic_fetch_add(&wrong, 1);
		atomic_fetch_add(&done, 1);
	}
	if ((long)arg % 5)
		gort_unlock_os_thread();
}

static void killer(void *arg)
{
	gort_lock_os_thread();
	gort_yield();
	(void)arg;
}

static void churn(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop)) {
		gort_go(killer, NULL);
		for (int i = 0; i < 10; i++)
			gort_yield();
	}
	atomic_fetch_add(&done, 1);
}

static void reader(void *arg)
{
	char c;

	atomic_fetch_add(&waiting, 1);
	if (read(*(int *)arg, &c, 1))
		atomic_fetch_add(&wrong, 1);
	atomic_fetch_add(&done, 1);
}

static void *foreign(void *arg)
{
	if (arg)
		gort_thread_attach();
	atomic_fetch_add(&waiting, 1);
	while (!atomic_load(&stop))
		usleep(1000);
	return NULL;
}

static void *blocks_all(void *arg)
{
	sigset_t set;

	sigfillset(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	return foreign(arg);
}

// Blocks every signal on its thread, where it first sleeps and then computes.
static void blocker(void *arg)
{
	sigset_t set;

	gort_lock_os_thread();
	sigfillset(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	gort_recv(arg, NULL);
	gort_recv(arg, NULL);
	atomic_fetch_add(&wrong, prctl(PR_GET_KEEPCAPS) != 1);
	atomic_fetch_add(&waiting, 1);
	while (!atomic_load(&stop))
		;
	atomic_fetch_add(&done, 1);
}

static void test_blocked(void)
{
	gort_chan *gate = gort_chan_make(0, 0);

	atomic_store(&waiting, 0);
	atomic_store(&done, 0);
	atomic_store(&stop, 0);
	gort_go(blocker, gate);
	while (gort_trysend(gate, NULL) == -EAGAIN)
		gort_yield();
	check(gort_all_threads_syscall(SYS_prctl, PR_SET_KEEPCAPS, 1, 0) == 0,
	      "a thread that blocks all signals, asleep in the scheduler");
	gort_send(gate, NULL);
	while (!atomic_load(&waiting))
		gort_yield();
	check(!atomic_load(&wrong), "takes part");
	check(gort_all_threads_syscall(SYS_prctl, PR_SET_KEEPCAPS, 0, 0) == -EBUSY,
	      "but not while it computes: -EBUSY");
	check(prctl(PR_GET_KEEPCAPS) == 1, "and nothing is done then");
	atomic_store(&stop, 1);
	while (!atomic_load(&done))
		gort_yield();
	gort_chan_release(gate);
}

static void join(void *arg)
{
	pthread_join(*(pthread_t *)arg, NULL);
}

static void main_fn(void *arg)
{
	int fds[2], n = 0;
	pthread_t t;

	(void)arg;
	gort_go(churn, NULL);
	for (long i = 0; i < 11; i++)
		gort_go(watcher, (void *)i);
	for (int round = 1; round <= 20; round++) {
		while (atomic_load(&waiting) < 11 * round)
			gort_yield();
		long ret = round % 3 ? gort_all_threads_syscall(SYS_prctl, PR_SET_KEEPCAPS,
								round % 2, 0)
				     : gort_all_threads_syscall6(SYS_prctl, PR_SET_KEEPCAPS,
								 round % 2, 0, 0, 0, 0);
		n += ret == 0;
		atomic_store(&value, round);
		while (atomic_load(&done) < 11 * round)
			gort_yield();
	}
	atomic_store(&stop, 1);
	while (atomic_load(&done) < 11 * 20 + 1)
		gort_yield();
	check(n == 20, "every call succeeds while threads come and go");
	check(!atomic_load(&wrong), "every thread sees the value");
	check(gort_all_threads_syscall(SYS_capget, 0, 0, 0) == -EFAULT, "an error is returned");

	atomic_store(&waiting, 0);
	atomic_store(&done, 0);
	if (pipe(fds))
		abort();
	gort_go(reader, fds);
	while (!atomic_load(&waiting))
		gort_yield();
	n = 0;
	for (int i = 0; i < 100; i++)
		n += gort_all_threads_syscall(SYS_getpid, 0, 0, 0) == getpid();
	check(n == 100, "beside a thread that blocks in read");
	close(fds[1]);
	while (!atomic_load(&done))
		gort_yield();
	check(!atomic_load(&wrong), "its read goes on and ends at the end of the pipe");

	for (int kind = 0; kind < 3; kind++) {
		atomic_store(&waiting, 0);
		atomic_store(&stop, 0);
		pthread_create(&t, NULL, kind == 2 ? blocks_all : foreign, kind ? &t : NULL);
		while (!atomic_load(&waiting))
			gort_yield();
		long ret = gort_all_threads_syscall(SYS_getpid, 0, 0, 0);
		if (kind == 0)
			check(ret == -ENOTSUP, "an unknown thread: -ENOTSUP");
		else if (kind == 1)
			check(ret == getpid(), "an attached thread takes part");
		else
			check(ret == -EBUSY, "a thread that blocks the signal: -EBUSY");
		atomic_store(&stop, 1);
		gort_blocking(join, &t);
		check(gort_all_threads_syscall(SYS_getpid, 0, 0, 0) == getpid(),
		      "again without it");
	}
	test_blocked();
	if (geteuid()) {
		skip("set*id", "needs root");
		return;
	}
	gid_t groups[2] = { 5, 6 };
	check(gort_setgroups(2, groups) == 0 && gort_setresgid(7, 8, 9) == 0 &&
		      gort_setregid(8, 7) == 0 && gort_setegid(8) == 0 && gort_setgid(8) == 0 &&
		      gort_seteuid(3) == 0 && gort_seteuid(0) == 0 && gort_setreuid(0, 0) == 0 &&
		      gort_setresuid(4, 4, 0) == 0 && gort_setuid(11) == -EPERM,
	      "set*id");
	char line[256];
	FILE *ids = popen("cat /proc/$PPID/task/*/status | grep -E '^(Uid|Gid|Groups)' | sort -u",
			  "r");
	n = 0;
	while (fgets(line, sizeof(line), ids))
		n++;
	pclose(ids);
	check(n == 3, "all threads have the same ids");
	// As we were: otherwise a leak checker may not look at us any more.
	check(!gort_seteuid(0) && !gort_setresuid(0, 0, 0) && !gort_setresgid(0, 0, 0), "and back");
	prctl(PR_SET_DUMPABLE, 1);
}

int main(void)
{
	sigset_t all;

	setvbuf(stdout, NULL, _IOLBF, 0);
	// As a program does that waits for its signals by sigwait: it cannot mean the runtime's
	// own.
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
#ifdef __SANITIZE_THREAD__
	skip("all threads", "TSan has a thread of its own and defers signals");
	return finish();
#endif
	return gort_main(main_fn, NULL) ? 1 : finish();
}
