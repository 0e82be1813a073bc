// SPDX-License-Identifier: MIT
// Stacks that were deep once give their memory back, whatever the program does meanwhile, and are
// as good as before when they are used again.
// valgrind: its own memory is what counts there
#include "tests/runtime/sync.h"

#include <fcntl.h>

enum {
	GOROUTINES = 3000, // more than one P keeps
	DEPTH = 40 << 10, // bytes of stack that each touches
	PAGE = 4096,
	SPARE = 24 << 20, // what may stay of it all
};

static gort_wg started, ended;
static gort_chan *gate;

static long resident(void)
{
	char text[128] = "";
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);

	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	strtok(text, " ");
	return atol(strtok(NULL, " ")) * PAGE;
}

__attribute__((noinline)) static void touch(void)
{
	volatile char here[DEPTH];

	for (int at = 0; at < DEPTH; at += PAGE)
		here[at] = (char)at;
	(void)here[DEPTH - 1];
}

static void deep(void *arg)
{
	touch();
	gort_wg_done(&started);
	expect_eq(gort_recv(gate, NULL), -EPIPE);
	(void)arg;
	gort_wg_done(&ended);
}

// Returns how much was there before the first of them: what a test leaves the next has to its hand.
static long have_deep_ones(void)
{
	static uint64_t ids[GOROUTINES];
	static long before;

	before = before ?: resident();
	gate = gort_chan_make(0, 0);
	gort_wg_add(&started, GOROUTINES);
	gort_wg_add(&ended, GOROUTINES);
	for (int i = 0; i < GOROUTINES; i++)
		ids[i] = gort_go(deep, NULL);
	gort_wg_wait(&started);
	expect(resident() - before > (long)GOROUTINES * DEPTH / 2);
	gort_close(gate);
	gort_wg_wait(&ended);
	gort_chan_release(gate);
	// What struct g holds stays: an old id names nobody.
	for (int i = 0; i < GOROUTINES; i++)
		until(gort_ready(ids[i]) == -ESRCH);
	return before;
}

static void yields(void)
{
	gort_yield();
}

static void sleeps(void)
{
	gort_sleep(20 * MS);
}

// Calls nothing of the library.
static void computes(void)
{
	for (volatile int i = 0; i < 100000; i++)
		;
}

// All Ps but one go.
static void has_fewer(void)
{
	gort_gomaxprocs(1);
	gort_yield();
}

static void gives_back_while(void (*pass)(void))
{
	long before = have_deep_ones();

	while (resident() - before > SPARE)
		pass();
}

static void gives_back_while_one_yields(void)
{
	gives_back_while(yields);
}

static void gives_back_while_all_sleep(void)
{
	gives_back_while(sleeps);
}

static void gives_back_while_one_computes(void)
{
	gives_back_while(computes);
}

static void gives_back_with_fewer(void)
{
	int procs = gort_gomaxprocs(0);

	gives_back_while(has_fewer);
	gort_gomaxprocs(procs);
}

#ifdef UNDER_SANITIZER
#define CASE(text, fn) SKIP(text, fn, "a sanitizer's own memory is what counts")
#else
#define CASE(text, fn) TEST(text, fn)
#endif

static const struct test tests[] = {
	CASE("stacks give memory back while one goroutine yields", gives_back_while_one_yields),
	CASE("and while all sleep", gives_back_while_all_sleep),
	CASE("and while one computes", gives_back_while_one_computes),
	CASE("and those of Ps that went", gives_back_with_fewer),
};

// Each takes some seconds, so it is done with one number of Ps only.
int main(int argc, char **argv)
{
	setenv("GORTMAXPROCS", "2", false);
	return sync_main(argc, argv, tests, sizeof(tests) / sizeof(*tests));
}
