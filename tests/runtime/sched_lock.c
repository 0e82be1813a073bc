// SPDX-License-Identifier: MIT
// Goroutines tied to threads. As "ctor" in argv[1], the lock is taken before gort_main.
#include "runtime/gort.h"
#include "tests/runtime/tap.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int tid(void)
{
	return (int)syscall(SYS_gettid);
}

static bool thread_alive(int id)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d", id);
	return !access(path, F_OK);
}

static atomic_int count, moved, tids[64];

static void noise(void *arg)
{
	for (long i = 0; i < (long)arg; i++)
		gort_yield();
	atomic_fetch_add(&count, 1);
}

static void locked(void *arg)
{
	int me, nest = (int)(long)arg;

	for (int i = 0; i < nest; i++)
		gort_lock_os_thread();
	me = tid();
	for (int i = 0; i < 200; i++) {
		gort_yield();
		if (tid() != me)
			atomic_fetch_add(&moved, 1);
		if (i == 100 && nest > 1)
			gort_unlock_os_thread();
	}
	for (int i = 0; i < nest - (nest > 1); i++)
		gort_unlock_os_thread();
	atomic_fetch_add(&count, 1);
}

static void ends_locked(void *arg)
{
	gort_lock_os_thread();
	atomic_store(&tids[(long)arg], tid());
	gort_yield();
}

static pthread_key_t ending;
static _Atomic uint64_t blocked_at_end;

static void note_mask(void *arg)
{
	uint64_t mask = 0;

	// libc's own call would leave out the signals it uses itself.
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, sizeof(mask));
	atomic_store(&blocked_at_end, mask | (uintptr_t)arg);
}

static void notes_its_end(void *arg)
{
	(void)arg;
	gort_lock_os_thread();
	// SIGHUP is blocked at the end anyway: its bit says that the rest is known.
	pthread_setspecific(ending, (void *)1);
}

// libc waits in setuid() and pthread_cancel() for every thread's answer, and its signals are 32 and
// 33.
static void passes_signals_of_libc(void)
{
	pthread_key_create(&ending, note_mask);
	gort_go(notes_its_end, NULL);
	while (!atomic_load(&blocked_at_end))
		gort_yield();
	check(!(atomic_load(&blocked_at_end) & UINT64_C(3) << 31),
	      "a thread that ends lets pass what libc needs");
}

static uint64_t parked_id;
static atomic_int rounds;

static void parks_locked(void *arg)
{
	int me;

	(void)arg;
	gort_lock_os_thread();
	me = tid();
	while (atomic_load(&rounds) < 1000) {
		gort_park();
		if (tid() != me)
			atomic_fetch_add(&moved, 1);
		atomic_fetch_add(&rounds, 1);
	}
	gort_unlock_os_thread();
	atomic_fetch_add(&count, 1);
}

static void others(void)
{
	for (int i = 0; i < 50; i++)
		gort_go(noise, (void *)100);
	for (long i = 0; i < 20; i++)
		gort_go(locked, (void *)(1 + i % 3));
	while (atomic_load(&count) < 70)
		gort_yield();
	check(!atomic_load(&moved), "a locked goroutine stays on its thread, nested too");

	for (long i = 0; i < 10; i++)
		gort_go(ends_locked, (void *)i);
	for (long i = 0; i < 10; i++) {
		while (!atomic_load(&tids[i]) || thread_alive(atomic_load(&tids[i])))
			gort_yield();
	}
	check(true, "a goroutine that ends locked takes its thread with it");

	passes_signals_of_libc();

	atomic_store(&count, 0);
	parked_id = gort_go(parks_locked, NULL);
	while (!gort_ready(parked_id))
		gort_yield();
	check(atomic_load(&count) == 1 && !atomic_load(&moved), "its wake goes to its own thread");
}

static void main_fn(void *arg)
{
	bool early = arg != NULL;

	if (early) {
		for (int i = 0; i < 100; i++) {
			if (tid() != getpid())
				atomic_fetch_add(&moved, 1);
			gort_yield();
		}
		check(!atomic_load(&moved), "locked before gort_main: runs on that thread");
	}
	others();
	if (early) {
		check(tid() == getpid(), "still there");
		gort_unlock_os_thread();
		while (tid() == getpid())
			gort_yield();
		check(true, "leaves it when unlocked");
		check(thread_alive(getpid()), "the first thread waits");
	}
}

static void exit_locked(void *arg)
{
	(void)arg;
	gort_yield();
	check(thread_alive(getpid()), "the first thread waits when its goroutine has ended");
	exit(finish());
}

static void main_exits(void *arg)
{
	gort_go(exit_locked, arg);
	gort_exit();
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!*how) {
		// The other ways to start are processes of their own.
		char cmd[4096];
		for (int i = 0; i < 2; i++) {
			snprintf(cmd, sizeof(cmd), "'%s' %s", argv[0], i ? "exit" : "ctor");
			fflush(stdout);
			check(!system(cmd), i ? "main ends locked" : "locked in a constructor");
		}
		return gort_main(main_fn, NULL) ? 1 : finish();
	}
	gort_lock_os_thread();
	return gort_main(strcmp(how, "exit") ? main_fn : main_exits, "") ? 1 : finish();
}
