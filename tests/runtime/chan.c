// SPDX-License-Identifier: MIT
// Channels: every result of every operation, hand-over, order, closing, cancelling, deadlines, bad
// use.
#include "tests/runtime/sync.h"

// ---- making -------------------------------------------------------------------------------------

static void makes_and_refuses(void)
{
	errno = 0;
	expect(!gort_chan_make((64 << 10) + 1, 1) && errno == EINVAL);
	errno = 0;
	expect(!gort_chan_make(8, SIZE_MAX / 4) && errno == EINVAL);
	errno = 0;
	expect(!gort_chan_make(64 << 10, SIZE_MAX / (64 << 10)) && errno == EINVAL);
	gort_chan *c = gort_chan_make(64 << 10, 2);
	expect(c && gort_cap(c) == 2 && gort_len(c) == 0);
	expect(gort_chan_retain(c) == c);
	gort_chan_release(c);
	gort_chan_release(c);
	gort_chan_release(NULL);
	expect(!gort_chan_retain(NULL));
	expect(gort_len(NULL) == 0 && gort_cap(NULL) == 0);
}

static void no_memory(void)
{
	errno = 0;
	expect(!gort_chan_make(1, (size_t)1 << 46) && errno == ENOMEM);
}

static void zero_size_counts(void)
{
	gort_chan *c = gort_chan_make(0, SIZE_MAX);

	expect(c && gort_cap(c) == SIZE_MAX);
	for (int i = 0; i < 1000; i++)
		expect(gort_send(c, NULL) == 0);
	expect_eq(gort_len(c), 1000);
	for (int i = 0; i < 1000; i++)
		expect(gort_recv(c, NULL) == 0);
	expect(gort_tryrecv(c, NULL) == -EAGAIN);
	gort_chan_release(c);
}

static void every_size_survives(void)
{
	static const size_t sizes[] = { 1, 3, 4, 7, 8, 9, 16, 100, 4096, 64 << 10 };
	unsigned char *in = malloc(64 << 10), *out = malloc(64 << 10);

	for (size_t s = 0; s < sizeof(sizes) / sizeof(*sizes); s++) {
		gort_chan *c = gort_chan_make(sizes[s], 3);
		for (int round = 0; round < 10; round++) {
			for (size_t i = 0; i < sizes[s]; i++)
				in[i] = (unsigned char)(i * 7 + (size_t)round);
			expect(gort_send(c, in) == 0 && gort_send(c, NULL) == 0);
			memset(out, 0xee, sizes[s]);
			expect(gort_recv(c, out) == 0 && !memcmp(in, out, sizes[s]));
			memset(out, 0xee, sizes[s]);
			expect(gort_recv(c, out) == 0);
			for (size_t i = 0; i < sizes[s]; i++)
				if (out[i])
					expect(!"zeroes from a NULL element");
		}
		gort_chan_release(c);
	}
	free(in);
	free(out);
}

static void try_does_not_park(void)
{
	gort_chan *c = gort_chan_make(sizeof(int), 0), *d = gort_chan_make(sizeof(int), 1);
	int v = 1;

	expect_eq(gort_trysend(c, &v), -EAGAIN);
	expect_eq(gort_tryrecv(c, &v), -EAGAIN);
	expect_eq(gort_trysend(NULL, &v), -EAGAIN);
	expect_eq(gort_tryrecv(NULL, &v), -EAGAIN);
	expect_eq(gort_trysend(d, &v), 0);
	expect_eq(gort_trysend(d, &v), -EAGAIN);
	expect_eq(gort_tryrecv(d, &v), 0);
	expect_eq(gort_tryrecv(d, &v), -EAGAIN);
	gort_chan_release(c);
	gort_chan_release(d);
}

// ---- hand-over ----------------------------------------------------------------------------------

struct pair {
	gort_chan *c, *back;
	int result;
	long value;
	int64_t deadline;
	atomic_bool done;
};

static void receive(void *arg)
{
	struct pair *p = arg;

	p->result = gort_recv_until(p->c, &p->value, p->deadline);
	atomic_store(&p->done, true);
}

static void deliver(void *arg)
{
	struct pair *p = arg;

	p->result = gort_send_until(p->c, &p->value, p->deadline);
	atomic_store(&p->done, true);
}

static void hands_over_to_a_waiter(void)
{
	struct pair p = { .c = gort_chan_make(sizeof(long), 0), .deadline = GORT_FOREVER };
	long v = 41;
	uint64_t id = gort_go(receive, &p);

	until_in(id, "chan receive");
	expect_eq(gort_trysend(p.c, &v), 0);
	until(p.done);
	expect(p.result == 0 && p.value == 41);

	p.done = false;
	p.value = 42;
	id = gort_go(deliver, &p);
	until_in(id, "chan send");
	expect(gort_tryrecv(p.c, &v) == 0 && v == 42);
	until(p.done);
	expect_eq(p.result, 0);
	gort_chan_release(p.c);
}

static void a_full_ring_keeps_the_order(void)
{
	struct pair p[3];
	gort_chan *c = gort_chan_make(sizeof(long), 2);
	long v;

	for (v = 0; v < 2; v++)
		expect_eq(gort_send(c, &v), 0);
	for (long i = 0; i < 3; i++) {
		p[i] = (struct pair){ .c = c, .value = 2 + i, .deadline = GORT_FOREVER };
		until_in(gort_go(deliver, &p[i]), "chan send");
	}
	expect_eq(gort_len(c), 2);
	for (long i = 0; i < 5; i++)
		expect(gort_recv(c, &v) == 0 && v == i);
	for (int i = 0; i < 3; i++)
		until(p[i].done);
	expect_eq(gort_len(c), 0);
	gort_chan_release(c);
}

enum { SENDERS = 4, RECEIVERS = 4, EACH = 20000 };

static struct {
	gort_chan *c;
	gort_wg senders, receivers;
	atomic_long sum, count;
} mpmc;

static void mpmc_send(void *arg)
{
	for (long i = 0; i < EACH; i++) {
		long v = (long)arg * EACH + i;
		expect_eq(gort_send(mpmc.c, &v), 0);
	}
	gort_wg_done(&mpmc.senders);
}

static void mpmc_recv(void *arg)
{
	long v, last[SENDERS];

	(void)arg;
	for (int i = 0; i < SENDERS; i++)
		last[i] = -1;
	while (gort_recv(mpmc.c, &v) == 0) {
		// What one sender sends, one receiver sees in order.
		expect(v % EACH > last[v / EACH]);
		last[v / EACH] = v % EACH;
		atomic_fetch_add(&mpmc.sum, v);
		atomic_fetch_add(&mpmc.count, 1);
	}
	expect_eq(v, 0);
	gort_wg_done(&mpmc.receivers);
}

static void many_to_many(void)
{
	static const size_t caps[] = { 0, 1, 2, 128 };
	const long n = (long)SENDERS * EACH;

	for (size_t i = 0; i < sizeof(caps) / sizeof(*caps); i++) {
		mpmc.c = gort_chan_make(sizeof(long), caps[i]);
		mpmc.sum = mpmc.count = 0;
		gort_wg_add(&mpmc.senders, SENDERS);
		gort_wg_add(&mpmc.receivers, RECEIVERS);
		for (long k = 0; k < SENDERS; k++)
			gort_go(mpmc_send, (void *)k);
		for (long k = 0; k < RECEIVERS; k++)
			gort_go(mpmc_recv, NULL);
		expect_eq(gort_wg_wait(&mpmc.senders), 0);
		gort_close(mpmc.c);
		expect_eq(gort_wg_wait(&mpmc.receivers), 0);
		expect_eq(mpmc.count, n);
		expect_eq(mpmc.sum, n * (n - 1) / 2);
		gort_chan_release(mpmc.c);
	}
}

// ---- closing ------------------------------------------------------------------------------------

static void close_wakes_all(void)
{
	struct pair p[4];
	gort_chan *c = gort_chan_make(sizeof(long), 0);

	for (int i = 0; i < 4; i++) {
		p[i] = (struct pair){ .c = c, .value = 99, .deadline = GORT_FOREVER };
		until_in(gort_go(receive, &p[i]), "chan receive");
	}
	gort_close(c);
	for (int i = 0; i < 4; i++) {
		until(p[i].done);
		expect(p[i].result == -EPIPE && p[i].value == 0);
	}
	gort_chan_release(c);
	c = gort_chan_make(sizeof(long), 0);
	for (int i = 0; i < 4; i++) {
		p[i] = (struct pair){ .c = c, .value = 99, .deadline = GORT_FOREVER };
		until_in(gort_go(deliver, &p[i]), "chan send");
	}
	gort_close(c);
	for (int i = 0; i < 4; i++) {
		until(p[i].done);
		expect_eq(p[i].result, -EPIPE);
	}
	gort_chan_release(c);
}

static void closed_channels_drain(void)
{
	gort_chan *c = gort_chan_make(sizeof(long), 4);
	long v = 7;

	gort_send(c, &v);
	gort_close(c);
	expect_eq(gort_send(c, &v), -EPIPE);
	expect_eq(gort_trysend(c, &v), -EPIPE);
	expect_eq(gort_send_until(c, &v, 0), -EPIPE);
	v = 0;
	expect(gort_recv(c, &v) == 0 && v == 7);
	expect(gort_recv(c, &v) == -EPIPE && v == 0);
	v = 5;
	expect(gort_tryrecv(c, &v) == -EPIPE && v == 0);
	expect_eq(gort_recv(c, NULL), -EPIPE);
	gort_chan_release(c);
}

static void close_twice(void *arg)
{
	gort_close(arg);
	gort_close(arg);
}

static void bad_closes_panic(void)
{
	gort_chan *c = gort_chan_make(1, 0);
	struct gort_panic p;

	expect(gort_try(close_twice, c, &p) == 1 && strstr(p.msg, "closed channel"));
	expect(gort_try(close_twice, NULL, &p) == 1 && strstr(p.msg, "null channel"));
	gort_chan_release(c);
}

// ---- deadlines and cancelling -------------------------------------------------------------------

static void deadlines_end_waits(void)
{
	gort_chan *c = gort_chan_make(sizeof(long), 1);
	long v = 3;
	int64_t t = gort_now() + 2 * MS;

	expect_eq(gort_recv_until(c, &v, t), -ETIMEDOUT);
	expect(gort_now() >= t);
	expect_eq(gort_recv_until(c, &v, 0), -ETIMEDOUT);
	expect_eq(gort_recv_until(c, &v, INT64_MIN), -ETIMEDOUT);
	expect_eq(gort_send_until(c, &v, 0), 0);
	t = gort_now() + 2 * MS;
	expect_eq(gort_send_until(c, &v, t), -ETIMEDOUT);
	expect(gort_now() >= t);
	expect_eq(gort_len(c), 1);
	expect_eq(gort_recv_until(c, &v, 0), 0);
	t = gort_now() + 2 * MS;
	expect_eq(gort_recv_until(NULL, &v, t), -ETIMEDOUT);
	expect(gort_now() >= t);
	expect_eq(gort_send_until(NULL, &v, 0), -ETIMEDOUT);
	// What timed out waits no more.
	expect_eq(gort_send(c, &v), 0);
	expect_eq(gort_trysend(c, &v), -EAGAIN);
	gort_chan_release(c);
}

static void cancel_ends_waits(void)
{
	static const char *const reasons[] = { "chan receive", "chan send", "chan null",
					       "chan null" };
	gort_chan *c = gort_chan_make(sizeof(long), 0);

	for (int i = 0; i < 4; i++) {
		struct pair p = { .c = i < 2 ? c : NULL, .deadline = GORT_FOREVER };
		uint64_t id = gort_go(i % 2 ? deliver : receive, &p);
		until_in(id, reasons[i]);
		expect_eq(gort_cancel(id), 0);
		until(p.done);
		expect_eq(p.result, -ECANCELED);
		until(gort_cancel(id) == -ESRCH);
	}
	long v;
	expect_eq(gort_tryrecv(c, &v), -EAGAIN);
	expect_eq(gort_trysend(c, &v), -EAGAIN);
	gort_chan_release(c);
}

static void cancel_sticks(void)
{
	gort_chan *c = gort_chan_make(sizeof(long), 1);
	long v = 1;

	expect_eq(gort_cancel(gort_id()), 0);
	expect_eq(gort_send(c, &v), -ECANCELED);
	expect_eq(gort_recv_until(c, &v, 0), -ECANCELED);
	// What cannot park goes on.
	expect_eq(gort_trysend(c, &v), 0);
	expect_eq(gort_tryrecv(c, &v), 0);
	expect(gort_canceled());
	gort_cancel_clear();
	expect(!gort_canceled());
	expect_eq(gort_send(c, &v), 0);
	expect_eq(gort_recv(c, &v), 0);
	gort_chan_release(c);
}

// Deadlines, cancels and peers race for the same waits: every element that was taken was given,
// once.
static struct {
	gort_chan *c;
	gort_wg wg;
	atomic_long given, taken;
} race;

static void race_send(void *arg)
{
	long v = 1;

	for (long i = 0; i < (long)arg; i++) {
		int64_t deadline = i % 3 ? gort_now() + (i % 7) * 1000 : GORT_FOREVER;
		int ret = gort_send_until(race.c, &v, deadline);
		if (!ret)
			atomic_fetch_add(&race.given, v);
		else if (ret == -ECANCELED)
			gort_cancel_clear();
		else if (ret == -EPIPE)
			break;
		else
			expect_eq(ret, -ETIMEDOUT);
	}
	gort_wg_done(&race.wg);
}

static void race_recv(void *arg)
{
	for (long i = 0;; i++) {
		long v = 0;
		int64_t deadline = i % 3 ? gort_now() + (i % 5) * 1000 : GORT_FOREVER;
		int ret = gort_recv_until(race.c, &v, deadline);
		if (!ret)
			atomic_fetch_add(&race.taken, v);
		else if (ret == -ECANCELED)
			gort_cancel_clear();
		else if (ret == -EPIPE)
			break;
		else
			expect_eq(ret, -ETIMEDOUT);
	}
	(void)arg;
	gort_wg_done(&race.wg);
}

static void enders_race(void)
{
	for (size_t cap = 0; cap < 3; cap++) {
		uint64_t ids[8];
		race.c = gort_chan_make(sizeof(long), cap);
		race.given = race.taken = 0;
		gort_wg_add(&race.wg, 8);
		for (int i = 0; i < 4; i++) {
			ids[i] = gort_go(race_send, (void *)1000000);
			ids[4 + i] = gort_go(race_recv, NULL);
		}
		for (int i = 0; i < 2000; i++) {
			gort_cancel(ids[i % 8]);
			gort_yield();
		}
		gort_close(race.c);
		expect_eq(gort_wg_wait(&race.wg), 0);
		expect_eq(race.given, race.taken);
		gort_chan_release(race.c);
	}
}

// ---- deaths -------------------------------------------------------------------------------------

static void release_under_a_waiter(void)
{
	struct pair p = { .c = gort_chan_make(1, 0), .deadline = GORT_FOREVER };

	until_in(gort_go(receive, &p), "chan receive");
	gort_chan_release(p.c);
}

static void deadlock(void)
{
	gort_recv(NULL, NULL);
}

#ifdef GORT_DEBUG
static void use_after_release(void)
{
	gort_chan *c = gort_chan_make(1, 1);

	gort_chan_release(c);
	gort_trysend(c, NULL);
}
#endif

static const struct test tests[] = {
	TEST("makes channels and refuses impossible ones", makes_and_refuses),
#ifdef UNDER_SANITIZER
	SKIP("no memory is said so", no_memory, "the sanitizer's malloc ends the process"),
#else
	TEST("no memory is said so", no_memory),
#endif
	TEST("elements of no size only count", zero_size_counts),
	TEST("elements of every size survive", every_size_survives),
	TEST("try never parks", try_does_not_park),
	TEST("a waiter is handed its element", hands_over_to_a_waiter),
	TEST("a full ring keeps the order", a_full_ring_keeps_the_order),
	TEST("many senders, many receivers", many_to_many),
	TEST("close wakes every waiter", close_wakes_all),
	TEST("a closed channel drains", closed_channels_drain),
	TEST("bad closes panic", bad_closes_panic),
	TEST("deadlines end waits", deadlines_end_waits),
	TEST("cancel ends waits", cancel_ends_waits),
	TEST("cancel sticks", cancel_sticks),
	TEST("deadlines, cancels and peers race", enders_race),
	DEATH("release under a waiter is fatal", release_under_a_waiter, "still wait on channel"),
#ifdef UNDER_TSAN
	SKIP("a null channel blocks for ever", deadlock, "TSan's own thread might wake somebody"),
#else
	DEATH("a null channel blocks for ever", deadlock, "all goroutines are asleep - deadlock!"),
#endif
#ifdef GORT_DEBUG
	DEATH("use after release is fatal in debug builds", use_after_release, "was released"),
#endif
};

SYNC_MAIN(tests)
