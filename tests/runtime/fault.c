// SPDX-License-Identifier: MIT
// valgrind: its faults on purpose are errors there
// SIGSEGV, SIGBUS, SIGFPE and stack overflow: panics where that is safe, the end of the process
// where not.
#include "runtime/gort.h"
#include "tests/runtime/fault_child.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>

static int *volatile null;
static volatile int zero, sink;

// What is wrong on purpose is to reach the processor.
#define RAW __attribute__((no_sanitize("address", "undefined", "thread")))

// ---- faults -------------------------------------------------------------------------------------

RAW static void read_null(void *arg)
{
	(void)arg;
	sink = *null;
}

RAW static void write_null(void *arg)
{
	(void)arg;
	*null = 1;
}

RAW static void call_null(void *arg)
{
	void (*volatile fn)(void) = NULL;

	(void)arg;
	fn();
	sink = 1;
}

RAW static void write_readonly(void *arg)
{
	*(volatile char *)arg = 1;
}

RAW static void non_canonical(void *arg)
{
	(void)arg;
	sink = *(volatile int *)0x8123456789abcdefull;
}

RAW static void divide(void *arg)
{
	(void)arg;
	sink = 5 / zero;
}

RAW static void beyond_file(void *arg)
{
	sink = ((volatile char *)arg)[4096];
}

RAW static void copy_to_null(void *arg)
{
	memcpy(null, arg, 4000);
	sink = *(volatile char *)arg;
}

RAW static void length_of_null(void *arg)
{
	(void)arg;
	sink = (int)strlen((char *)null);
}

RAW static int recurse(int n)
{
	volatile char frame[200];

	frame[0] = (char)n;
	return zero ? 0 : recurse(n + 1) + frame[0];
}

static void overflow(void *arg)
{
	(void)arg;
	sink = recurse(0);
}

static char trail[16];

static void mark(void *arg)
{
	size_t n = strlen(trail);

	snprintf(trail + n, sizeof(trail) - n, "%s", (char *)arg);
}

// Wants a good part of what is opened for deferred functions.
static void use_stack(void *arg)
{
	volatile char room[6000];

	for (unsigned i = 0; i < sizeof(room); i++)
		room[i] = 1;
	mark(arg);
}

static void overflow_with_defers(void *arg)
{
	gort_defer(mark, "a");
	gort_defer(use_stack, "b");
	overflow(arg);
}

static void recover_it(void *arg)
{
	const struct gort_panic *p = gort_recover();

	mark(p && !strcmp(p->msg, "stack overflow") ? arg : "?");
}

static void overflow_recovered(void *arg)
{
	gort_defer(recover_it, "r");
	overflow(arg);
}

// ---- recoverable --------------------------------------------------------------------------------

static void expect(void (*fn)(void *), void *arg, int signo, const char *msg, void *addr,
		   const char *name)
{
	struct gort_panic p = { 0 };
	int ret = gort_try(fn, arg, &p);

	report(ret == 1 && p.signo == signo && !strcmp(p.msg, msg) && (!addr || p.addr == addr) &&
		       (p.pc || fn == call_null),
	       p.msg, "%s", name);
}

static gort_wg wg;
static atomic_int wrong;

static void storm(void *arg)
{
	for (long i = 0; i < 50; i++) {
		struct gort_panic p;
		void (*fns[])(void *) = { read_null, divide, overflow };
		gort_yield();
		if (gort_try(fns[(i + (long)arg) % 3], NULL, &p) != 1 || !p.signo)
			atomic_fetch_add(&wrong, 1);
	}
	gort_wg_done(&wg);
}

static void recover_quietly(void *arg)
{
	(void)arg;
	gort_recover();
}

static void exit_quietly(void *arg)
{
	(void)arg;
	gort_exit();
}

static void done(void *arg)
{
	(void)arg;
	gort_wg_done(&wg);
}

static void overflow_at_entry(void *arg)
{
	gort_defer(done, NULL);
	gort_defer(recover_quietly, NULL);
	overflow(arg);
}

static void overflow_and_exit(void *arg)
{
	gort_defer(done, NULL);
	gort_defer(exit_quietly, NULL);
	overflow(arg);
}

static void map_short_file(char **at)
{
	int fd = (int)syscall(SYS_memfd_create, "short", 0);

	*at = MAP_FAILED;
	if (!ftruncate(fd, 10))
		*at = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
}

static void suite(void *arg)
{
	static const char constant[] = "constant";
	char *file, from[4000] = "";
	uint64_t id;

	(void)arg;
	map_short_file(&file);
	expect(read_null, NULL, SIGSEGV, "null pointer dereference", NULL, "a read through NULL");
	expect(write_null, NULL, SIGSEGV, "null pointer dereference", NULL, "a write through NULL");
	expect(call_null, NULL, SIGSEGV, "null pointer dereference", NULL, "a call of NULL");
	expect(write_readonly, (void *)constant, SIGSEGV, "memory access not permitted",
	       (void *)constant, "a write to a constant");
	expect(non_canonical, NULL, SIGSEGV, "invalid memory address or protected instruction",
	       NULL, "a non-canonical address");
	expect(divide, NULL, SIGFPE, "integer division by zero or overflow", NULL,
	       "a division by zero");
	expect(beyond_file, file, SIGBUS, "bus error: beyond the end of a mapped file", file + 4096,
	       "a read beyond a mapped file's end");
	if (sanitized) {
		printf("ok - memcpy to NULL # SKIP %s replaces it\n", sanitized);
		tests_run++;
	} else {
		expect(copy_to_null, from, SIGSEGV, "null pointer dereference", NULL,
		       "memcpy to NULL");
		expect(length_of_null, NULL, SIGSEGV, "null pointer dereference", NULL,
		       "strlen of NULL");
	}
	expect(overflow, NULL, SIGSEGV, "stack overflow", NULL, "a stack overflow");
	expect(overflow, NULL, SIGSEGV, "stack overflow", NULL, "a second one: the guard is back");
	trail[0] = '\0';
	expect(overflow_with_defers, NULL, SIGSEGV, "stack overflow", NULL,
	       "a stack overflow under deferred functions");
	report(!strcmp(trail, "ba"), trail, "which have room to run");
	trail[0] = '\0';
	report(gort_try(overflow_recovered, NULL, NULL) == 0 && !strcmp(trail, "r"), trail,
	       "a stack overflow can be recovered");
	// The same stack comes back to the next goroutine, so a guard left open would be noticed.
	gort_wg_add(&wg, 200);
	for (int i = 0; i < 100; i++) {
		gort_go(overflow_at_entry, NULL);
		id = gort_go(overflow_and_exit, NULL);
		while (gort_ready(id) != -ESRCH)
			gort_yield();
	}
	gort_wg_wait(&wg);
	report(true, NULL, "goroutines end after a stack overflow");
	gort_wg_add(&wg, 100);
	for (long i = 0; i < 100; i++)
		gort_go(storm, (void *)i);
	gort_wg_wait(&wg);
	report(wrong == 0, NULL, "a hundred goroutines fault at once");
}

// ---- fatal --------------------------------------------------------------------------------------

RAW static void bad_free(void *arg)
{
	char *volatile nowhere = (char *)0x12345670;

	(void)arg;
	free(nowhere);
}

RAW static int compare_fault(const void *a, const void *b)
{
	(void)a;
	return *(const int *)b + *null;
}

static void sort_fault(void *arg)
{
	int array[] = { 3, 2, 1 };

	(void)arg;
	qsort(array, 3, sizeof(array[0]), compare_fault);
}

RAW static void print_null(void *arg)
{
	(void)arg;
	fputs((char *)null, stderr);
}

// All of them are tried: what cannot be caught must not be.
static void in_try(void *fn)
{
	gort_try((void (*)(void *))fn, NULL, NULL);
	printf("went on\n");
}

static void uncaught(void *arg)
{
	read_null(arg);
}

static void blocking(void *arg)
{
	(void)arg;
	gort_blocking(read_null, NULL);
}

static void overflow_twice(void *arg)
{
	gort_defer(overflow, NULL);
	overflow(arg);
}

static void sent(void *arg)
{
	(void)arg;
	kill(getpid(), SIGSEGV);
	for (;;)
		gort_yield();
}

RAW static void *faulting_thread(void *arg)
{
	(void)arg;
	*null = 1;
	return NULL;
}

static void foreign(void *arg)
{
	pthread_t t;

	(void)arg;
	pthread_create(&t, NULL, faulting_thread, NULL);
	for (;;)
		pause();
}

static void program_handler(int sig)
{
	static const char text[] = "the program's handler\n";

	(void)sig;
	if (write(2, text, sizeof(text) - 1) < 0)
		_exit(1);
	_exit(7);
}

static void *handled_thread(void *arg)
{
	return faulting_thread(arg);
}

static void foreign_handled(void *arg)
{
	pthread_t t;

	(void)arg;
	pthread_create(&t, NULL, handled_thread, NULL);
	for (;;)
		pause();
}

static const struct fatal {
	const char *name;
	void (*fn)(void *);
	bool tried, handled;
	int status; // exit status, or minus the signal
	const char *expect[4];
} fatals[] = {
	{ "uncaught",
	  uncaught,
	  false,
	  false,
	  2,
	  { "panic: null pointer dereference\n[signal 11, code 1,", "read_null",
	    "goroutine 1 [running]:" } },
	{ "overflow",
	  overflow,
	  false,
	  false,
	  2,
	  { "panic: stack overflow\n", "recurse", "frames not shown" } },
	{ "free",
	  bad_free,
	  true,
	  false,
	  2,
	  { "fatal error: SIGSEGV: ", "not recoverable: inside libc", "bad_free" } },
	{ "stdio",
	  print_null,
	  true,
	  false,
	  2,
	  { "fatal error: SIGSEGV: null pointer dereference, not recoverable: inside libc",
	    "print_null" } },
	{ "qsort",
	  sort_fault,
	  true,
	  false,
	  2,
	  { "fatal error: SIGSEGV: null pointer dereference, not recoverable: inside libc",
	    "compare_fault", "sort_fault" } },
	{ "blocking",
	  blocking,
	  true,
	  false,
	  2,
	  { "fatal error: SIGSEGV: null pointer dereference, not recoverable: in gort_blocking",
	    "read_null" } },
	{ "overflow-twice",
	  overflow_twice,
	  true,
	  false,
	  2,
	  { "fatal error: SIGSEGV: stack overflow, not recoverable: in a deferred function",
	    "recurse" } },
	{ "sent",
	  sent,
	  false,
	  false,
	  2,
	  { "fatal error: SIGSEGV: sent by a process\n", "goroutine 1 [" } },
	{ "foreign", foreign, false, false, -SIGSEGV, { "" } },
	{ "foreign-handled", foreign_handled, false, true, 7, { "the program's handler\n" } },
	{ "free-handled", bad_free, true, true, 7, { "the program's handler\n" } },
	{ "caught-handled", uncaught, true, true, 0, { "" } },
};

int main(int argc, char **argv)
{
	if (argc > 1) {
		if (!strcmp(argv[1], "suite")) {
			gort_main(suite, NULL);
			return tests_failed != 0;
		}
		for (size_t i = 0; i < sizeof(fatals) / sizeof(fatals[0]); i++) {
			const struct fatal *f = &fatals[i];
			if (strcmp(argv[1], f->name))
				continue;
			if (f->handled)
				signal(SIGSEGV, program_handler);
			return gort_main(f->tried ? in_try : f->fn,
					 f->tried ? (void *)f->fn : NULL);
		}
		return 127;
	}
	run_suites();
	for (size_t i = 0; i < sizeof(fatals) / sizeof(fatals[0]); i++)
		for (int p = 0; p < PROCS; p++) {
			const struct fatal *f = &fatals[i];
			char set[32];
			struct child c;
			bool ok;
			// What is not recovered goes to whoever had the signal before.
			if (sanitized &&
			    (f->tried || f->status < 0 || f->handled || f->fn == sent)) {
				printf("ok - a fault and the process's end: %s # SKIP %s reports "
				       "it\n",
				       f->name, sanitized);
				tests_run++;
				continue;
			}
			snprintf(set, sizeof(set), "GORTMAXPROCS=%s", procs[p]);
			c = child_start(f->name, 2, set, NULL);
			child_end(&c);
			ok = f->status < 0
				     ? WIFSIGNALED(c.status) && WTERMSIG(c.status) == -f->status
				     : exited(&c, f->status);
			for (int j = 0; j < 4 && f->expect[j]; j++)
				ok = ok && strstr(c.text, f->expect[j]);
			report(ok, c.text, "a fault and the process's end: %s (%s)", f->name, set);
			free(c.text);
		}
	return reported();
}
