// SPDX-License-Identifier: MIT
// gort_profile: stacks of all goroutines, equal ones together, while goroutines park, run, come and
// go.
#include "tests/runtime/sync.h"

enum { MANY = 1000, DEEP = 100, WATCHERS = 8, ROUNDS = 30, ROOM = 256 };

static struct gort_stack stacks[4096];
static gort_wg wg, churn_wg;
static atomic_int here, quit, sink, parked;

// A function whose frames are looked for has a section of its own, which says where it ends.
#define FINDABLE(name)                                                 \
	extern const char __start_text_##name[], __stop_text_##name[]; \
	__attribute__((noinline, section("text_" #name)))

#define BOUNDS(name) __start_text_##name, __stop_text_##name

FINDABLE(in_recv) static void in_recv(void *c)
{
	atomic_fetch_add(&parked, 1);
	gort_recv(c, NULL);
	gort_wg_done(&wg);
}

FINDABLE(in_send) static void in_send(void *c)
{
	atomic_fetch_add(&parked, 1);
	gort_send(c, NULL);
	gort_wg_done(&wg);
}

FINDABLE(deeper) static void deeper(long n, gort_chan *c)
{
	if (n)
		deeper(n - 1, c);
	else
		gort_recv(c, NULL);
	sink = (int)n;
}

struct deep {
	gort_chan *c;
	long depth;
};

static void in_deep(void *arg)
{
	struct deep *d = arg;

	atomic_fetch_add(&parked, 1);
	deeper(d->depth, d->c);
	gort_wg_done(&wg);
}

FINDABLE(in_spin) static void in_spin(void *arg)
{
	(void)arg;
	atomic_store(&here, 1);
	while (!atomic_load(&quit))
		sink++;
	gort_wg_done(&wg);
}

static bool stands_in(const struct gort_stack *s, const char *start, const char *end)
{
	for (uint32_t i = 0; i < s->depth; i++)
		if ((char *)s->pc[i] > start && (char *)s->pc[i] <= end)
			return true;
	return false;
}

static uint64_t count_of(const struct gort_stack *some, ssize_t n, const char *start,
			 const char *end)
{
	uint64_t sum = 0;

	for (ssize_t i = 0; i < n; i++)
		sum += stands_in(&some[i], start, end) ? some[i].count : 0;
	return sum;
}

static uint64_t count_in(const char *start, const char *end, ssize_t n)
{
	return count_of(stacks, n, start, end);
}

static uint64_t count_all(ssize_t n)
{
	uint64_t sum = 0;

	for (ssize_t i = 0; i < n; i++)
		sum += stacks[i].count;
	return sum;
}

static uint64_t goroutines(void)
{
	struct gort_stats s;

	gort_stats(&s);
	return s.goroutines;
}

FINDABLE(profile) static ssize_t profile(void)
{
	ssize_t n = gort_profile(stacks, sizeof(stacks) / sizeof(*stacks));

	expect(n > 0 && n <= (ssize_t)(sizeof(stacks) / sizeof(*stacks)));
	return n;
}

// Looks until cond holds: one that was off its CPU may still be on its way to park.
#define profile_until(n, cond)   \
	do {                     \
		gort_yield();    \
		(n) = profile(); \
	} while (!(cond))

// n goroutines of the test have come to where they wait, and no other P runs.
static void until_parked(int n)
{
	struct gort_stats s;

	do {
		gort_yield();
		gort_stats(&s);
	} while (atomic_load(&parked) < n || s.procs_idle < s.procs - 1 || s.runnable);
	atomic_store(&parked, 0);
}

static void equal_stacks_are_one(void)
{
	gort_chan *in = gort_chan_make(0, 0), *out = gort_chan_make(0, 0);
	uint64_t first = 0;
	ssize_t n;

	gort_wg_add(&wg, MANY + MANY / 2);
	for (int i = 0; i < MANY; i++) {
		uint64_t id = gort_go(in_recv, in);
		first = first ? first : id;
	}
	for (int i = 0; i < MANY / 2; i++)
		gort_go(in_send, out);
	until_parked(MANY / 2 * 3);
	profile_until(n, stacks[0].count == MANY && stacks[1].count == MANY / 2);
	expect(stands_in(&stacks[0], BOUNDS(in_recv)) && stands_in(&stacks[1], BOUNDS(in_send)));
	// Of the library no more is shown than its door.
	expect(stacks[0].depth <= 2 && stacks[1].depth <= 2);
	expect(stacks[0].id >= first);
	expect_eq(count_all(n), goroutines());
	for (ssize_t i = 1; i < n; i++)
		expect(stacks[i].count <= stacks[i - 1].count && stacks[i].count);
	// The caller is in it, and stands where it asks.
	expect_eq(count_in(BOUNDS(profile), n), 1);
	gort_close(in);
	for (int i = 0; i < MANY / 2; i++)
		gort_recv(out, NULL);
	gort_wg_wait(&wg);
	gort_chan_release(in);
	gort_chan_release(out);
}

static void different_depths_are_different(void)
{
	gort_chan *c = gort_chan_make(0, 0);
	struct deep deep[DEEP];
	ssize_t n;

	gort_wg_add(&wg, DEEP * 2);
	for (long i = 0; i < DEEP; i++)
		deep[i] = (struct deep){ c, i };
	for (long i = 0; i < DEEP * 2; i++)
		gort_go(in_deep, &deep[i / 2]);
	until_parked(DEEP * 2);
	profile_until(n, count_in(BOUNDS(deeper), n) == DEEP * 2);
	uint32_t cut = 0, pairs = 0, least = GORT_STACK_DEPTH;
	for (ssize_t i = 0; i < n; i++) {
		if (!stands_in(&stacks[i], BOUNDS(deeper)))
			continue;
		pairs += stacks[i].count == 2;
		if (stacks[i].depth < least)
			least = stacks[i].depth;
		if (stacks[i].depth == GORT_STACK_DEPTH)
			cut += (uint32_t)stacks[i].count;
	}
	// One stack is just whole at the limit; those deeper show no more than its inner end, and
	// are alike.
	expect_eq(pairs, GORT_STACK_DEPTH - least + 1);
	expect_eq(cut, 2 * (DEEP - (GORT_STACK_DEPTH - least)));
	gort_close(c);
	gort_wg_wait(&wg);
	gort_chan_release(c);
}

static void a_small_buffer_gets_the_most_frequent(void)
{
	gort_chan *c = gort_chan_make(0, 0);
	struct gort_stack two[3];
	ssize_t n;

	gort_wg_add(&wg, 3);
	for (int i = 0; i < 3; i++)
		gort_go(in_recv, c);
	until_parked(3);
	profile_until(n, count_in(BOUNDS(in_recv), n) == 3 && stacks[0].count == 3);
	memset(two, 0x5a, sizeof(two));
	expect_eq(gort_profile(two, 1), n);
	expect(two[0].count == 3 && stands_in(&two[0], BOUNDS(in_recv)));
	expect_eq(two[1].count, 0x5a5a5a5a5a5a5a5a);
	expect_eq(gort_profile(NULL, 0), n);
	gort_close(c);
	gort_wg_wait(&wg);
	gort_chan_release(c);
}

static void who_computes_is_counted(void)
{
	ssize_t n;

	here = quit = 0;
	gort_wg_add(&wg, 1);
	gort_go(in_spin, NULL);
	while (!atomic_load(&here))
		gort_yield();
	// Off its CPU it may not answer in time: then it is the stack without a frame.
	profile_until(n, count_in(BOUNDS(in_spin), n));
	expect_eq(count_all(n), goroutines());
	atomic_store(&quit, 1);
	gort_wg_wait(&wg);
}

static void brief(void *c)
{
	gort_recv_until(c, NULL, gort_now() + 1000);
	gort_wg_done(&churn_wg);
}

static void churn(void *c)
{
	struct gort_stack *own = malloc(ROOM * sizeof(*own));

	for (int i = 0; i < ROUNDS; i++) {
		ssize_t n = gort_profile(own, ROOM);

		expect(n > 0 && n <= ROOM);
		for (ssize_t k = 0; k < n; k++)
			expect(own[k].count > 0 && own[k].depth <= GORT_STACK_DEPTH);
		// Those that stay parked are all there, whatever the others do.
		expect_eq(count_of(own, n, BOUNDS(in_recv)), MANY);
		gort_wg_add(&churn_wg, 3);
		for (int k = 0; k < 3; k++)
			gort_go(brief, c);
		gort_yield();
	}
	free(own);
	gort_wg_done(&churn_wg);
}

static void counts_hold_under_churn(void)
{
	gort_chan *c = gort_chan_make(0, 0), *never = gort_chan_make(0, 0);

	gort_wg_add(&wg, MANY);
	for (int i = 0; i < MANY; i++)
		gort_go(in_recv, c);
	until_parked(MANY);
	ssize_t n;
	profile_until(n, count_in(BOUNDS(in_recv), n) == MANY && stacks[0].count == MANY);
	gort_wg_add(&churn_wg, WATCHERS);
	for (int i = 0; i < WATCHERS; i++)
		gort_go(churn, never);
	gort_wg_wait(&churn_wg);
	gort_close(c);
	gort_wg_wait(&wg);
	gort_chan_release(c);
	gort_chan_release(never);
}

static const struct test tests[] = {
	TEST("equal stacks are one with their number", equal_stacks_are_one),
	TEST("stacks of different depth are different", different_depths_are_different),
	TEST("a small buffer gets the most frequent", a_small_buffer_gets_the_most_frequent),
	TEST("who computes is counted", who_computes_is_counted),
	TEST("the counts hold while others come and go", counts_hold_under_churn),
};

SYNC_MAIN(tests)
