// SPDX-License-Identifier: MIT
// Goroutines begin, yield, park, are readied, are cancelled and end.
#include "runtime/gort.h"
#include "tests/runtime/tap.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

// TSan has room for 8,128 threads and fibers.
#ifdef __SANITIZE_THREAD__
enum { MANY = 1000, EACH = 50 };
#else
enum { MANY = 10000, EACH = 1000 };
#endif

static atomic_long done;

static void add_one(void *arg)
{
	for (long i = 0; i < (long)arg; i++)
		gort_yield();
	atomic_fetch_add(&done, 1);
}

static void wait_for(long n)
{
	while (atomic_load(&done) < n)
		gort_yield();
}

static void spawner(void *arg)
{
	for (long i = 0; i < EACH; i++)
		gort_go(add_one, arg);
	atomic_fetch_add(&done, 1);
}

static void parker(void *arg)
{
	for (int i = 0; i < 1000; i++)
		gort_park();
	atomic_fetch_add((atomic_long *)arg, 1);
}

static void errno_keeper(void *arg)
{
	long bad = 0;

	for (int i = 0; i < 1000; i++) {
		errno = (int)(long)arg;
		gort_yield();
		bad += errno != (int)(long)arg;
	}
	atomic_fetch_add(&done, bad ? 1000000 : 1);
}

static void until_cancelled(void *arg)
{
	(void)arg;
	while (!gort_canceled())
		gort_park();
	atomic_fetch_add(&done, 1);
}

static void exiter(void *arg)
{
	(void)arg;
	atomic_fetch_add(&done, 1);
	gort_exit();
}

static void destroyed(void *value)
{
	atomic_fetch_add(&done, (long)value);
}

static void with_local(void *arg)
{
	int key = *(int *)arg;

	gort_local_set(key, (void *)7);
	gort_yield();
	if (gort_local_get(key) != (void *)7)
		abort();
}

static void deep(void *arg)
{
	volatile char room[900 << 10];

	room[0] = 1;
	room[sizeof(room) - 1] = 1;
	atomic_fetch_add((atomic_long *)arg, room[0]);
}

static void main_fn(void *arg)
{
	uint64_t id;
	int key;

	(void)arg;
	check(gort_id() == 1, "the main goroutine has id 1");

	atomic_store(&done, 0);
	for (long i = 0; i < MANY; i++)
		gort_go(add_one, (void *)3);
	wait_for(MANY);
	check(atomic_load(&done) == MANY, "many goroutines yield and end");

	atomic_store(&done, 0);
	for (long i = 0; i < 20; i++)
		gort_go(spawner, (void *)1);
	wait_for(20 * EACH + 20);
	check(true, "goroutines make goroutines");

	atomic_long parked = 0;
	id = gort_go(parker, &parked);
	while (!atomic_load(&parked)) {
		gort_ready(id);
		gort_yield();
	}
	while (gort_ready(id) != -ESRCH)
		gort_yield();
	check(true, "park is ended by ready; an ended goroutine is unknown");

	atomic_store(&done, 0);
	for (long i = 1; i <= 50; i++)
		gort_go(errno_keeper, (void *)i);
	wait_for(50);
	check(atomic_load(&done) == 50, "errno survives switches");

	atomic_store(&done, 0);
	uint64_t ids[100];
	for (int i = 0; i < 100; i++)
		ids[i] = gort_go(until_cancelled, NULL);
	for (int i = 0; i < 100; i++) {
		gort_cancel(ids[i]);
		gort_yield();
	}
	wait_for(100);
	check(gort_cancel(ids[0]) == -ESRCH, "cancel ends every park");

	atomic_store(&done, 0);
	gort_go(exiter, NULL);
	wait_for(1);
	check(true, "gort_exit ends a goroutine");

	atomic_store(&done, 0);
	key = gort_local_key(destroyed);
	for (int i = 0; i < 10; i++)
		gort_go(with_local, &key);
	wait_for(70);
	check(gort_local_set(key + 1, NULL) == -EINVAL, "locals live and are destroyed");

	atomic_store(&done, 0);
	struct gort_attr big = { .stack_size = 1 << 20, .label = "deep" };
	for (int i = 0; i < 100; i++)
		gort_go_with(&big, deep, &done);
	wait_for(100);
	big.stack_size = 2ul << 30;
	check(!gort_go_with(&big, deep, &done) && errno == EINVAL, "stacks of other sizes");
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (gort_main(main_fn, NULL))
		return 1;
	check(gort_main(main_fn, NULL) == -EALREADY, "gort_main runs once");
	return finish();
}
