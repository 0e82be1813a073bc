// SPDX-License-Identifier: MIT
// valgrind: one thread runs at a time there, and what is looked at is who runs
// timeout: 300 s
// What runs on, what stops and what a report shows while the process dies, with and without dontfreezetheworld.
//
// A dying process whose report nobody reads blocks in write(2) with the world as it froze it: then
// the test looks at counters in shared memory, reads on, and looks again when the process is gone.
#include "runtime/gort.h"
#include "tests/runtime/fault_child.h"
#include "tests/runtime/way.h"

#include <stdatomic.h>
#include <sys/mman.h>

enum { YIELDERS = 300, SPINNERS = 2, REPETITIONS = 50, CAMPAIGN = 500, SANITIZED = 8 };

static struct shared {
	_Atomic uint64_t ready;
	_Atomic uint64_t spins[SPINNERS];
	_Atomic uint64_t yields[YIELDERS];
} * shared;

// ---- the process that dies ----------------------------------------------------------------------

__attribute__((noinline)) static void spinner(void *counter)
{
	atomic_fetch_add(&shared->ready, 1);
	for (;;)
		atomic_fetch_add((_Atomic uint64_t *)counter, 1);
}

__attribute__((noinline)) static void yielder(void *counter)
{
	atomic_fetch_add(&shared->ready, 1);
	for (;;) {
		atomic_fetch_add((_Atomic uint64_t *)counter, 1);
		gort_yield();
	}
}

// Also inside malloc a thread must stop; nothing of the report may want the lock it holds.
__attribute__((noinline)) static void allocator(void *counter)
{
	atomic_fetch_add(&shared->ready, 1);
	for (;;) {
		void *volatile p = malloc(1 << 18);
		free(p);
		atomic_fetch_add((_Atomic uint64_t *)counter, 1);
	}
}

// Equal stacks would be told once.
struct apart {
	void (*fn)(void *);
	void *counter;
	unsigned number;
};

static void apart(void *arg)
{
	const struct apart *a = arg;

	way(a->fn, a->counter, a->number, 9);
}

static void dies(void *arg)
{
	static struct apart each[YIELDERS + SPINNERS];
	bool spin = !strcmp(arg, "spin"), alloc = !strcmp(arg, "alloc");
	unsigned n = YIELDERS;

	for (unsigned i = 0; i < YIELDERS; i++) {
		each[i] = (struct apart){ yielder, &shared->yields[i], i };
		gort_go(apart, &each[i]);
	}
	for (int i = 0; (spin || alloc) && i < SPINNERS; i++, n++) {
		each[n] = (struct apart){ spin ? spinner : allocator, &shared->spins[i], n };
		gort_go(apart, &each[n]);
	}
	while (atomic_load(&shared->ready) < n)
		gort_yield();
	gort_panic("now");
}

// ---- the test -----------------------------------------------------------------------------------

static uint64_t sum(_Atomic uint64_t *counters, int n)
{
	uint64_t all = 0;

	for (int i = 0; i < n; i++)
		all += atomic_load(&counters[i]);
	return all;
}

struct seen {
	struct child child;
	uint64_t spins, yields; // when the first stack was printed
	uint64_t each[YIELDERS];
};

// Without the pauses of SIGURG: one of them may hold a spinner when the end comes, and then for
// good.
static struct seen start(const char *mode, const char *set, bool freeze)
{
	struct seen s;

	memset(shared, 0, sizeof(*shared));
	s.child = child_start(mode, 2, set,
			      freeze ? "GORTDEBUG=dontfreezetheworld=0"
				     : "GORTDEBUG=dontfreezetheworld=1,asyncpreemptoff=1",
			      NULL);
	child_read(&s.child, "goroutine 1 [running]:\n");
	for (int i = 0; i < YIELDERS; i++)
		s.each[i] = atomic_load(&shared->yields[i]);
	s.yields = sum(shared->yields, YIELDERS);
	s.spins = sum(shared->spins, SPINNERS);
	return s;
}

// Every yielding goroutine is in the report once, from its first frame to its maker, whatever it
// did when it stopped.
static bool stacks_whole(const char *text, bool freeze)
{
	int whole = 0, unavailable = 0;

	for (const char *at = text; (at = strstr(at, "\n\ngoroutine "));) {
		const char *end = strstr(at + 2, "\n\n");
		char *block = strndup(at + 2, end ? (size_t)(end - at) : strlen(at + 2));
		if (strstr(block, "created by dies+")) {
			whole += strstr(block, "\tyielder+") != NULL;
			unavailable += strstr(block, "stack unavailable") != NULL;
		}
		free(block);
		at += 2;
	}
	return freeze ? whole == YIELDERS : whole + unavailable >= YIELDERS;
}

static struct {
	bool freezes, spins_on, stopped, stacks, unavailable, status, alloc;
} all = { true, true, true, true, true, true, true };

static void keep(bool *verdict, bool ok, struct child *c)
{
	if (!ok && *verdict)
		for (char *line = strtok(c->text, "\n"); line; line = strtok(NULL, "\n"))
			printf("# %s\n", line);
	*verdict = *verdict && ok;
}

static void once_spinning(const char *set, bool freeze)
{
	struct seen s = start("spin", set, freeze);
	uint64_t before = s.spins;

	// The report is blocked: a spinner that still runs shows it by counting.
	if (!freeze)
		while (sum(shared->spins, SPINNERS) == before)
			usleep(100);
	child_end(&s.child);
	keep(&all.status, exited(&s.child, 2), &s.child);
	if (freeze) {
		keep(&all.freezes, sum(shared->spins, SPINNERS) == before, &s.child);
		keep(&all.freezes, sum(shared->yields, YIELDERS) == s.yields, &s.child);
		keep(&all.freezes, !strstr(s.child.text, "stack unavailable"), &s.child);
		keep(&all.freezes, count(s.child.text, "\tspinner+") == SPINNERS, &s.child);
	} else {
		keep(&all.spins_on, sum(shared->spins, SPINNERS) > before, &s.child);
		keep(&all.unavailable,
		     count(s.child.text,
			   "goroutine running on other thread; stack unavailable\n") >= SPINNERS,
		     &s.child);
	}
	free(s.child.text);
}

// Who was between two doors of the scheduler when the end came, perhaps off its CPU, counts once
// more; nobody counts twice, because a door is in between, and there are no more of them than
// processors.
static bool none_came_back(const struct seen *s, int nprocs, bool freeze)
{
	int late = 0;

	for (int i = 0; i < YIELDERS; i++) {
		uint64_t more = atomic_load(&shared->yields[i]) - s->each[i];
		if (more > 1)
			return false;
		late += more == 1;
	}
	return late <= (freeze ? 0 : nprocs);
}

static void once_yielding(const char *set, bool freeze)
{
	struct seen s = start("yield", set, freeze);

	child_end(&s.child);
	keep(&all.status, exited(&s.child, 2), &s.child);
	keep(&all.stopped, none_came_back(&s, atoi(strchr(set, '=') + 1), freeze), &s.child);
	keep(&all.stacks, stacks_whole(s.child.text, freeze), &s.child);
	free(s.child.text);
}

static void once_allocating(const char *set)
{
	struct seen s = start("alloc", set, true);

	child_end(&s.child);
	keep(&all.alloc, exited(&s.child, 2), &s.child);
	keep(&all.alloc, sum(shared->spins, SPINNERS) == s.spins, &s.child);
	keep(&all.alloc, count(s.child.text, "\tallocator+") == SPINNERS, &s.child);
	free(s.child.text);
}

int main(int argc, char **argv)
{
	// A process of 300 goroutines takes a sanitizer seconds.
	int n = sanitized ? SANITIZED : getenv("DC_CAMPAIGN") ? CAMPAIGN : REPETITIONS;
	const char *fd = getenv("FREEZE_FD");
	char set[32];

	if (argc > 1) {
		shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, atoi(fd),
			      0);
		return gort_main(dies, argv[1]);
	}
	int mem = memfd_create("shared", 0);
	if (mem < 0 || ftruncate(mem, sizeof(*shared)))
		return 1;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, mem, 0);
	snprintf(set, sizeof(set), "%d", mem);
	setenv("FREEZE_FD", set, 1);
	for (int i = 0; i < n; i++) {
		snprintf(set, sizeof(set), "GORTMAXPROCS=%s", procs[i % PROCS]);
		once_spinning(set, true);
		once_spinning(set, false);
		once_yielding(set, true);
		once_yielding(set, false);
		once_allocating(set);
	}
	report(all.spins_on, NULL,
	       "dontfreezetheworld: a spinning goroutine makes progress (%d times)", n);
	report(all.freezes, NULL, "otherwise it is stopped, and its stack is shown (%d times)", n);
	report(all.stopped, NULL,
	       "who comes to the scheduler after the freeze never runs again (%d times)", n);
	report(all.stacks, NULL, "the stacks of %d yielding goroutines are whole (%d times)",
	       YIELDERS, n);
	report(all.unavailable, NULL, "running ones are said to be unavailable (%d times)", n);
	report(all.alloc, NULL, "threads are stopped inside malloc too (%d times)", n);
	report(all.status, NULL, "every exit status is 2");
	return reported();
}
