// SPDX-License-Identifier: MIT
// Once: once; everybody waits for it; panics and exits count; cancels do not.
#include "tests/runtime/sync.h"

#include <signal.h>

static gort_once once;
static gort_wg wg;
static atomic_int runs;
static atomic_bool go_on;

static void slow(void *arg)
{
	(void)arg;
	until(go_on);
	atomic_fetch_add(&runs, 1);
}

static void caller(void *arg)
{
	gort_once_do(&once, slow, arg);
	expect_eq(runs, 1);
	gort_wg_done(&wg);
}

static void all_wait_for_the_first(void)
{
	uint64_t ids[8];

	memset(&once, 0, sizeof(once));
	runs = 0;
	go_on = false;
	gort_wg_add(&wg, 8);
	ids[0] = gort_go(caller, NULL);
	for (int i = 1; i < 8; i++) {
		ids[i] = gort_go(caller, NULL);
		gort_yield();
	}
	int waiting = 0;
	do {
		gort_yield();
		waiting = 0;
		for (int i = 0; i < 8; i++)
			waiting += is_in(ids[i], "once");
	} while (waiting < 7);
	// No cancel ends this wait.
	for (int i = 0; i < 8; i++)
		gort_cancel(ids[i]);
	do {
		gort_yield();
		waiting = 0;
		for (int i = 0; i < 8; i++)
			waiting += is_in(ids[i], "once");
	} while (waiting < 7);
	go_on = true;
	gort_wg_wait(&wg);
	expect_eq(runs, 1);
	gort_once_do(&once, slow, NULL);
	expect_eq(runs, 1);
}

static void panics(void *arg)
{
	atomic_fetch_add(&runs, 1);
	gort_panic("once %s", (char *)arg);
}

static void call_panics(void *arg)
{
	gort_once_do(&once, panics, arg);
}

static void a_panic_counts(void)
{
	struct gort_panic p;

	memset(&once, 0, sizeof(once));
	runs = 0;
	expect(gort_try(call_panics, "more", &p) == 1 && !strcmp(p.msg, "once more"));
	expect(gort_try(call_panics, "more", &p) == 0);
	expect_eq(runs, 1);
}

static int *volatile null;

__attribute__((no_sanitize("address", "undefined", "thread"))) static void faults(void *arg)
{
	(void)arg;
	null[3] = 1;
}

static void call_faults(void *arg)
{
	gort_once_do(&once, faults, arg);
}

static void a_fault_is_told_whole(void)
{
	struct gort_panic p = { 0 };

	memset(&once, 0, sizeof(once));
	expect_eq(gort_try(call_faults, NULL, &p), 1);
	expect_eq(p.signo, SIGSEGV);
	expect_eq(p.code, SEGV_MAPERR);
	expect(p.addr == (void *)(3 * sizeof(int)));
	expect((char *)p.pc >= (char *)faults && (char *)p.pc < (char *)faults + 64);
	expect_eq(gort_try(call_faults, NULL, &p), 0);
}

static char order[8];

static void note(void *what)
{
	strcat(order, what);
}

static void defers(void *arg)
{
	gort_defer(note, arg);
}

static void call_defers(void *arg)
{
	gort_defer(note, "a");
	gort_once_do(&once, defers, arg);
	note("c");
	// Done, although what it deferred is still to run.
	gort_once_do(&once, defers, arg);
}

static void its_defers_are_the_callers(void)
{
	memset(&once, 0, sizeof(once));
	order[0] = '\0';
	expect_eq(gort_try(call_defers, "b", NULL), 0);
	expect(!strcmp(order, "cba"));
}

static void exits(void *arg)
{
	(void)arg;
	atomic_fetch_add(&runs, 1);
	gort_exit();
}

static void call_exits(void *arg)
{
	gort_defer((void (*)(void *))gort_wg_done, &wg);
	gort_once_do(&once, exits, arg);
	expect(!"gort_exit returned");
}

static void an_exit_counts(void)
{
	memset(&once, 0, sizeof(once));
	runs = 0;
	gort_wg_add(&wg, 1);
	gort_go(call_exits, NULL);
	gort_wg_wait(&wg);
	gort_once_do(&once, exits, NULL);
	expect_eq(runs, 1);
}

static const struct test tests[] = {
	TEST("all wait for the first, cancelled or not", all_wait_for_the_first),
	TEST("a panic counts and goes on", a_panic_counts),
	TEST("a fault keeps its signal, code, address and place", a_fault_is_told_whole),
	TEST("what it defers belongs to the caller's scope", its_defers_are_the_callers),
	TEST("gort_exit counts", an_exit_counts),
};

SYNC_MAIN(tests)
