// SPDX-License-Identifier: MIT
// Panics, deferred functions, gort_try, gort_recover and gort_exit, in all their combinations.
#include "runtime/gort.h"
#include "tests/runtime/fault_child.h"

#include <pthread.h>
#include <stdatomic.h>

// What happened, one letter each. A goroutine at a time.
static char events[256];

static void event(void *what)
{
	size_t n = strlen(events);

	snprintf(events + n, sizeof(events) - n, "%s", (char *)what);
}

static void begin(void)
{
	events[0] = '\0';
}

static bool happened(const char *expected)
{
	return !strcmp(events, expected);
}

// ---- functions to try ---------------------------------------------------------------------------

static void nothing(void *arg)
{
	(void)arg;
}

static void panic_with(void *arg)
{
	gort_panic("%s %d %.2f", (char *)arg, 42, 1.5);
}

static void recover_note(void *arg)
{
	const struct gort_panic *p = gort_recover();

	event(p ? (void *)p->msg : arg);
	event(gort_recover() ? "!" : "");
}

static void defers_and(void *arg)
{
	gort_defer(event, "a");
	gort_defer(event, "b");
	gort_defer(event, "c");
	if (arg)
		gort_panic("%s", (char *)arg);
	event("r");
}

static void recovers(void *arg)
{
	gort_defer(event, "a");
	gort_defer(recover_note, "?");
	gort_defer(event, "c");
	gort_panic("%s", (char *)arg);
}

static void panic_again(void *arg)
{
	event("p");
	gort_panic("%s", (char *)arg);
}

static void second_replaces(void *arg)
{
	(void)arg;
	gort_defer(event, "a");
	gort_defer(panic_again, "second");
	gort_defer(event, "c");
	gort_panic("first");
}

static void second_recovered(void *arg)
{
	(void)arg;
	gort_defer(recover_note, "?");
	gort_defer(panic_again, "second");
	gort_panic("first");
}

static void try_in_deferred(void *arg)
{
	struct gort_panic p;
	int ret = gort_try(arg ? defers_and : recovers, "inner", &p);

	event(ret ? p.msg : "0");
}

static void inner_try_leaves_outer(void *arg)
{
	gort_defer(event, "z");
	gort_defer(try_in_deferred, arg);
	gort_panic("outer");
}

static void only_its_own(void *arg)
{
	(void)arg;
	gort_defer(recover_note, "n");
}

static void try_only_its_own(void *arg)
{
	(void)arg;
	event(gort_try(only_its_own, NULL, NULL) ? "1" : "0");
}

static void recover_of_another_scope(void *arg)
{
	(void)arg;
	gort_defer(try_only_its_own, NULL);
	gort_panic("outer");
}

static void recovered_then_panics(void *arg)
{
	(void)arg;
	gort_defer(panic_again, "later");
	gort_defer(recover_note, "?");
	gort_panic("x");
}

static void repanic(void *arg)
{
	struct gort_panic p;

	if (gort_try(panic_with, arg, &p))
		gort_panic("again: %s", p.msg);
}

static void long_message(void *arg)
{
	(void)arg;
	gort_panic("%01000d", 7);
}

static void defers_many(void *arg)
{
	for (int i = 0; i < 100; i++)
		gort_defer(event, "x");
	(void)arg;
}

// ---- functions for goroutines -------------------------------------------------------------------

static void exit_in_try(void *arg)
{
	gort_defer(event, "i");
	if (arg)
		gort_exit();
	event("!");
}

static void exits(void *arg)
{
	gort_defer(event, "o");
	gort_try(exit_in_try, arg, NULL);
	event("!");
}

static void exit_meets_panic_in(void *arg)
{
	(void)arg;
	gort_defer(event, "d");
	gort_defer(panic_again, "in exit");
	gort_exit();
}

static void exit_meets_panic(void *arg)
{
	gort_defer(event, "o");
	gort_try(exit_meets_panic_in, arg, NULL);
	event("!");
}

static void exit_meets_recovered(void *arg)
{
	(void)arg;
	gort_defer(event, "o");
	gort_defer(recover_note, "?");
	gort_defer(panic_again, "x");
	gort_exit();
}

static void exit_again(void *arg)
{
	(void)arg;
	event("e");
	gort_exit();
}

static void exit_in_deferred(void *arg)
{
	(void)arg;
	gort_defer(event, "o");
	gort_defer(exit_again, NULL);
	gort_panic("gone");
}

struct run {
	void (*fn)(void *);
	void *arg;
};

static gort_wg run_wg;

static void run_done(void *arg)
{
	(void)arg;
	gort_wg_done(&run_wg);
}

// The first deferred is the last to run, whichever way the goroutine ends.
static void run_entry(void *arg)
{
	struct run *run = arg;

	gort_defer(run_done, NULL);
	run->fn(run->arg);
}

static void run_goroutine(void (*fn)(void *), void *arg)
{
	static struct run run;

	begin();
	run = (struct run){ fn, arg };
	gort_wg_add(&run_wg, 1);
	gort_go(run_entry, &run);
	gort_wg_wait(&run_wg);
}

static gort_wg churn_wg;
static atomic_int churn_bad;

static void churn_inner(void *arg)
{
	gort_defer(nothing, NULL);
	gort_yield();
	if ((long)arg % 3 == 0)
		gort_panic("%ld", (long)arg);
	gort_yield();
	if ((long)arg % 3 == 1)
		recovers("x");
}

static void churn(void *arg)
{
	gort_defer((void (*)(void *))gort_wg_done, &churn_wg);
	for (long i = 0; i < 60; i++) {
		struct gort_panic p = { 0 };
		long n = (long)arg + i;
		char msg[24];
		int ret;
		snprintf(msg, sizeof(msg), "%ld", n);
		gort_yield();
		ret = gort_try(churn_inner, (void *)(n - n % 3 + (n % 3 == 1 ? 2 : n % 3)), &p);
		if (n % 3 == 0 ? !ret || strcmp(p.msg, msg) : ret)
			atomic_fetch_add(&churn_bad, 1);
	}
	gort_exit();
}

static void suite(void *arg)
{
	struct gort_panic p = { 0 };
	int ret;

	(void)arg;
	report(gort_try(nothing, NULL, &p) == 0, NULL, "a function that returns gives 0");
	ret = gort_try(panic_with, "message", &p);
	report(ret == 1 && !strcmp(p.msg, "message 42 1.50") && p.signo == 0 && p.pc, p.msg,
	       "a panic gives 1 and its message");
	report(gort_try(panic_with, "x", NULL) == 1, NULL, "the panic need not be asked for");
	gort_try(long_message, NULL, &p);
	report(strlen(p.msg) == 255, p.msg, "a long message is cut and terminated");

	begin();
	ret = gort_try(defers_and, NULL, NULL);
	report(ret == 0 && happened("rcba"), events,
	       "deferred functions run at the return, last first");
	begin();
	ret = gort_try(defers_and, "x", NULL);
	report(ret == 1 && happened("cba"), events, "deferred functions run at a panic");
	begin();
	ret = gort_try(recovers, "P", &p);
	report(ret == 0 && happened("cPa"), events, "a recovered panic gives 0, the rest runs");
	begin();
	ret = gort_try(second_replaces, NULL, &p);
	report(ret == 1 && happened("cpa") && !strcmp(p.msg, "second"), events,
	       "a panic in a deferred function replaces the first");
	begin();
	ret = gort_try(second_recovered, NULL, &p);
	report(ret == 0 && happened("psecond"), events, "recovering the second ends the first too");
	begin();
	ret = gort_try(inner_try_leaves_outer, "x", &p);
	report(ret == 1 && happened("cbainnerz") && !strcmp(p.msg, "outer"), events,
	       "a panic caught inside a deferred function leaves the outer one");
	begin();
	ret = gort_try(inner_try_leaves_outer, NULL, &p);
	report(ret == 1 && happened("cinnera0z") && !strcmp(p.msg, "outer"), events,
	       "a panic recovered inside a deferred function leaves the outer one");
	begin();
	ret = gort_try(recover_of_another_scope, NULL, &p);
	report(ret == 1 && happened("n0") && !strcmp(p.msg, "outer"), events,
	       "the panic of an outer scope cannot be recovered from an inner one");
	begin();
	ret = gort_try(recovered_then_panics, NULL, &p);
	report(ret == 1 && happened("xp") && !strcmp(p.msg, "later"), events,
	       "a panic after a recovered one is caught by the same scope");
	begin();
	report(gort_recover() == NULL && gort_try(only_its_own, NULL, NULL) == 0 && happened("n"),
	       events, "without a panic there is nothing to recover");
	ret = gort_try(repanic, "x", &p);
	report(ret == 1 && !strcmp(p.msg, "again: x 42 1.50"), p.msg,
	       "a caught panic can be raised anew");
	begin();
	gort_try(defers_many, NULL, NULL);
	report(strlen(events) == 100, events, "a hundred deferred functions");

	run_goroutine(exits, "x");
	report(happened("io"), events, "gort_exit passes through gort_try, innermost first");
	run_goroutine(exit_meets_panic, NULL);
	report(happened("pdo"), events, "an exit goes on after a panic that a scope caught");
	run_goroutine(exit_meets_recovered, NULL);
	report(happened("pxo"), events, "an exit goes on after a recovered panic");
	run_goroutine(exit_in_deferred, NULL);
	report(happened("eo"), events, "an exit in a deferred function ends the panic");
	run_goroutine(recovers, "P");
	report(happened("cPa"), events,
	       "a panic recovered at a goroutine's entry ends the goroutine");
	run_goroutine(defers_and, NULL);
	report(happened("rcba"), events, "a goroutine's own deferred functions run");

	gort_wg_add(&churn_wg, 300);
	for (long i = 0; i < 300; i++)
		gort_go(churn, (void *)(i * 7));
	gort_wg_wait(&churn_wg);
	report(churn_bad == 0, NULL, "300 goroutines panic, recover and yield at once");
}

// ---- the end of the process ---------------------------------------------------------------------

static void uncaught(void *arg)
{
	(void)arg;
	gort_defer(event, "a");
	gort_panic("nobody %s", "catches this");
}

static void uncaught_chain(void *arg)
{
	(void)arg;
	gort_defer(panic_again, "third");
	gort_defer(panic_again, "second");
	gort_panic("first");
}

static void recover_and_panic(void *arg)
{
	(void)arg;
	gort_recover();
	gort_panic("worse");
}

static void uncaught_recovered(void *arg)
{
	(void)arg;
	gort_defer(recover_and_panic, NULL);
	gort_panic("bad");
}

static void uncaught_elsewhere(void *arg)
{
	gort_go(uncaught, arg);
	gort_recv(NULL, NULL);
}

static void *plain_thread(void *arg)
{
	(void)arg;
	gort_panic("on a plain thread");
}

static void uncaught_thread(void *arg)
{
	pthread_t t;

	(void)arg;
	pthread_create(&t, NULL, plain_thread, NULL);
	for (;;)
		pause();
}

static void uncaught_blocking(void *arg)
{
	(void)arg;
	gort_blocking(panic_with, "blocking");
}

static const struct fatal {
	const char *name;
	void (*fn)(void *);
	const char *expect[6];
} fatals[] = {
	{ "uncaught",
	  uncaught,
	  { "panic: nobody catches this\n", "goroutine 1 [running]:\n", "uncaught" } },
	{ "chain", uncaught_chain, { "panic: first\n\tpanic: second\n\tpanic: third\n" } },
	{ "recovered", uncaught_recovered, { "panic: bad [recovered]\n\tpanic: worse\n" } },
	{ "elsewhere",
	  uncaught_elsewhere,
	  { "panic: nobody catches this\n", "uncaught", "created by uncaught_elsewhere",
	    "goroutine 1 [waiting, chan null, " } },
	{ "thread", uncaught_thread, { "panic: on a plain thread\n", "thread " } },
	{ "blocking", uncaught_blocking, { "panic: blocking 42 1.50\n" } },
};

int main(int argc, char **argv)
{
	if (argc > 1) {
		if (!strcmp(argv[1], "suite")) {
			gort_main(suite, NULL);
			return tests_failed != 0;
		}
		for (size_t i = 0; i < sizeof(fatals) / sizeof(fatals[0]); i++)
			if (!strcmp(argv[1], fatals[i].name))
				return gort_main(fatals[i].fn, NULL);
		return 127;
	}
	run_suites();
	for (size_t i = 0; i < sizeof(fatals) / sizeof(fatals[0]); i++)
		for (int p = 0; p < PROCS; p++) {
			char set[32];
			struct child c;
			bool ok;
			snprintf(set, sizeof(set), "GORTMAXPROCS=%s", procs[p]);
			c = child_start(fatals[i].name, 2, set, NULL);
			child_end(&c);
			ok = exited(&c, 2);
			for (int j = 0; fatals[i].expect[j]; j++)
				ok = ok && strstr(c.text, fatals[i].expect[j]);
			ok = ok && strstr(c.text, fatals[i].expect[0]) == c.text;
			report(ok, c.text, "an uncaught panic ends the process: %s (%s)",
			       fatals[i].name, set);
			free(c.text);
		}
	return reported();
}
