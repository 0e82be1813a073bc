// SPDX-License-Identifier: MIT
// Goroutines on threads that somebody else made.
#include "runtime/gort.h"
#include "tests/runtime/tap.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

static atomic_long count;

static void add(void *arg)
{
	for (long i = 0; i < (long)arg; i++)
		gort_yield();
	atomic_fetch_add(&count, 1);
}

static void *caller(void *arg)
{
	for (int i = 0; i < 200; i++)
		if (gort_callback(add, arg))
			abort();
	return NULL;
}

static void join(void *arg)
{
	pthread_join(*(pthread_t *)arg, NULL);
}

static void run_threads(int n, void *(*fn)(void *), void *arg)
{
	pthread_t t[64];

	for (int i = 0; i < n; i++)
		if (pthread_create(&t[i], NULL, fn, arg))
			abort();
	for (int i = 0; i < n; i++)
		gort_blocking(join, &t[i]);
}

static void same_thread(void *arg)
{
	if (!pthread_equal(*(pthread_t *)arg, pthread_self()))
		abort();
	gort_yield();
	if (!pthread_equal(*(pthread_t *)arg, pthread_self()))
		abort();
}

static void nested_inner(void *arg)
{
	(void)arg;
	gort_yield();
	atomic_fetch_add(&count, 1);
}

static void nested_blocking(void *arg)
{
	if (gort_callback(nested_inner, arg))
		abort();
}

static void nested_outer(void *arg)
{
	if (gort_callback(nested_inner, arg) != -EDEADLK)
		abort();
	gort_blocking(nested_blocking, arg);
	gort_yield();
	gort_blocking(nested_blocking, arg);
}

static void *nested_caller(void *arg)
{
	pthread_t self = pthread_self();

	for (int i = 0; i < 50; i++)
		if (gort_callback(nested_outer, arg) || gort_callback(same_thread, &self))
			abort();
	return NULL;
}

// A thread that hops between stacks of its own, two of them overlapping in part.
static ucontext_t home, there;

static void on_other_stack(void)
{
	for (int i = 0; i < 10; i++)
		if (gort_callback(nested_outer, NULL))
			abort();
	swapcontext(&there, &home);
}

static void on_stack(char *stack, size_t size)
{
	getcontext(&there);
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = size;
	there.uc_link = &home;
	makecontext(&there, on_other_stack, 0);
	swapcontext(&home, &there);
}

static void *hopper(void *arg)
{
	char *room = mmap(NULL, 512 << 10, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			  0);

	(void)arg;
	if (gort_callback(add, NULL))
		abort();
	on_stack(room, 256 << 10);
	// Its top lies inside what was guessed of the former one.
	on_stack(room, (256 << 10) - (30 << 10));
	on_stack(room + (256 << 10), 256 << 10);
	if (gort_callback(add, NULL))
		abort();
	munmap(room, 512 << 10);
	return NULL;
}

static pthread_key_t key;

static void late(void *arg)
{
	if (gort_callback(add, NULL))
		abort();
	(void)arg;
}

static void *with_destructor(void *arg)
{
	pthread_setspecific(key, &key);
	caller(arg);
	return NULL;
}

static void *parker(void *arg)
{
	caller(arg);
	return NULL;
}

static void exits(void *arg)
{
	(void)arg;
	atomic_fetch_add(&count, 1);
	gort_exit();
}

static void *exit_caller(void *arg)
{
	return gort_callback(exits, arg) ? (void *)1 : NULL;
}

static void on_signal(int sig)
{
	(void)sig;
}

static atomic_int signals_done;

static void *first_callback(void *arg)
{
	if (gort_callback(add, arg))
		abort();
	return NULL;
}

static void *signaller(void *arg)
{
	(void)arg;
	while (!atomic_load(&signals_done)) {
		kill(getpid(), SIGCHLD);
		usleep(50);
	}
	return NULL;
}

static void main_fn(void *arg)
{
	pthread_t t[10];

	(void)arg;
	atomic_store(&count, 0);
	run_threads(10, caller, (void *)3);
	check(atomic_load(&count) == 2000, "ten threads call back");
	atomic_store(&count, 0);
	run_threads(10, nested_caller, NULL);
	check(atomic_load(&count) == 10 * 50 * 2,
	      "nested in gort_blocking, refused on a goroutine");
	run_threads(1, hopper, NULL);
	check(true, "a thread hops between stacks");
	pthread_key_create(&key, late);
	atomic_store(&count, 0);
	run_threads(4, with_destructor, NULL);
	check(atomic_load(&count) == 804, "from a key's destructor");
	atomic_store(&count, 0);
	run_threads(2, exit_caller, NULL);
	check(atomic_load(&count) == 2, "gort_exit ends a callback");
	for (int i = 0; i < 40; i++)
		run_threads(5, parker, (void *)0);
	check(true, "threads come and go");
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK | SA_RESTART };
	sigaction(SIGCHLD, &sa, NULL);
	for (int i = 0; i < 10; i++)
		pthread_create(&t[i], NULL, signaller, NULL);
	for (int i = 0; i < 20; i++)
		run_threads(10, first_callback, (void *)1);
	atomic_store(&signals_done, 1);
	for (int i = 0; i < 10; i++)
		gort_blocking(join, &t[i]);
	check(true, "ten signallers during first callbacks");
	struct gort_stats s;
	gort_stats(&s);
	printf("# %lu callbacks, %lu threads now, %lu made\n", s.callbacks, s.threads,
	       s.threads_made);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	check(gort_callback(add, NULL) == -EAGAIN, "before gort_main: -EAGAIN");
	if (gort_main(main_fn, NULL))
		return 1;
	check(gort_callback(add, NULL) == -EAGAIN, "after gort_main: -EAGAIN");
	return finish();
}
