// SPDX-License-Identifier: MIT
// Select: the default case, fairness, closing, null channels, many cases, cancelling, one channel
// in several cases.
#include "tests/runtime/sync.h"

static void default_case(void)
{
	gort_chan *c = gort_chan_make(sizeof(int), 1);
	int v = 5;
	struct gort_case cases[] = {
		{ NULL, GORT_SEND, &v, 77 },
		{ c, GORT_RECV, &v, 77 },
		{ NULL, GORT_RECV, &v, 77 },
	};

	expect_eq(gort_select(cases, 3, 0), -ETIMEDOUT);
	expect_eq(gort_select(cases, 0, 0), -ETIMEDOUT);
	expect_eq(gort_select(NULL, 0, 0), -ETIMEDOUT);
	expect_eq(gort_select(cases, 1, 0), -ETIMEDOUT);
	expect_eq(gort_send(c, &v), 0);
	v = 0;
	expect_eq(gort_select(cases, 3, 0), 1);
	expect(v == 5 && cases[1].result == 0);
	expect(cases[0].result == 77 && cases[2].result == 77);
	gort_chan_release(c);
}

static void bad_arguments(void)
{
	struct gort_case bad = { NULL, (enum gort_op)3, NULL, 0 };

	expect_eq(gort_select(&bad, -1, 0), -EINVAL);
	expect_eq(gort_select(&bad, 1, 0), -EINVAL);
	bad.op = (enum gort_op)0;
	expect_eq(gort_select(&bad, 1, GORT_FOREVER), -EINVAL);
}

static void deadlines(void)
{
	gort_chan *c = gort_chan_make(sizeof(int), 0);
	int v = 0;
	struct gort_case cases[] = {
		{ c, GORT_RECV, &v, 0 },
		{ c, GORT_SEND, &v, 0 },
		{ NULL, GORT_SEND, &v, 0 },
	};
	int64_t t = gort_now() + 2 * MS;

	expect_eq(gort_select(cases, 3, t), -ETIMEDOUT);
	expect(gort_now() >= t);
	t = gort_now() + 2 * MS;
	expect_eq(gort_select(cases + 2, 1, t), -ETIMEDOUT);
	expect(gort_now() >= t);
	expect_eq(gort_select(NULL, 0, gort_now() + MS), -ETIMEDOUT);
	// It left nothing behind.
	expect_eq(gort_trysend(c, &v), -EAGAIN);
	expect_eq(gort_tryrecv(c, &v), -EAGAIN);
	gort_chan_release(c);
}

static void is_fair(void)
{
	enum { N = 5, ROUNDS = 20000 };
	gort_chan *c[N];
	struct gort_case cases[N];
	int chosen[N] = { 0 };

	for (int i = 0; i < N; i++) {
		c[i] = gort_chan_make(0, 1);
		cases[i] = (struct gort_case){ c[i], GORT_RECV, NULL, 0 };
		// Two in the middle are never ready.
		if (i != 1 && i != 2)
			gort_send(c[i], NULL);
	}
	for (int i = 0; i < ROUNDS; i++) {
		int got = gort_select(cases, N, GORT_FOREVER);
		expect(got >= 0 && cases[got].result == 0);
		chosen[got]++;
		gort_send(c[got], NULL);
	}
	expect(!chosen[1] && !chosen[2]);
	// Six standard deviations: one false alarm in five hundred million runs.
	for (int i = 0; i < N; i++)
		if (i != 1 && i != 2)
			expect(abs(chosen[i] - ROUNDS / 3) < 400);
	for (int i = 0; i < N; i++)
		gort_chan_release(c[i]);
}

struct call {
	struct gort_case cases[3];
	int n, ret;
	int64_t deadline;
	atomic_bool done;
};

static void call(void *arg)
{
	struct call *c = arg;

	c->ret = gort_select(c->cases, c->n, c->deadline);
	atomic_store(&c->done, true);
}

static void waits_and_is_served(void)
{
	gort_chan *a = gort_chan_make(sizeof(long), 0), *b = gort_chan_make(sizeof(long), 0);
	long in = 0, out = 9, v = 8;
	struct call c = {
		.cases = { { a, GORT_RECV, &in, 1 },
			   { b, GORT_SEND, &out, 1 },
			   { a, GORT_RECV, &in, 1 } },
		.n = 3,
		.deadline = GORT_FOREVER,
	};

	until_in(gort_go(call, &c), "select");
	expect_eq(gort_trysend(a, &v), 0);
	until(c.done);
	expect((c.ret == 0 || c.ret == 2) && in == 8 && c.cases[c.ret].result == 0);
	expect_eq(gort_tryrecv(b, &v), -EAGAIN);
	c.done = false;
	until_in(gort_go(call, &c), "select");
	expect(gort_tryrecv(b, &v) == 0 && v == 9);
	until(c.done);
	expect_eq(c.ret, 1);
	expect_eq(gort_trysend(a, &v), -EAGAIN);
	gort_chan_release(a);
	gort_chan_release(b);
}

static void close_serves(void)
{
	gort_chan *a = gort_chan_make(sizeof(long), 0), *b = gort_chan_make(sizeof(long), 0);
	long in = 3, out = 9;
	struct call c = {
		.cases = { { a, GORT_RECV, &in, 1 }, { b, GORT_SEND, &out, 1 } },
		.n = 2,
		.deadline = GORT_FOREVER,
	};

	until_in(gort_go(call, &c), "select");
	gort_close(a);
	until(c.done);
	expect(c.ret == 0 && in == 0 && c.cases[0].result == -EPIPE);
	gort_chan_release(a);
	c.cases[0].chan = NULL;
	c.done = false;
	until_in(gort_go(call, &c), "select");
	gort_close(b);
	until(c.done);
	expect(c.ret == 1 && c.cases[1].result == -EPIPE);
	// A closed channel is always ready.
	expect_eq(gort_select(c.cases, 2, GORT_FOREVER), 1);
	expect_eq(gort_select(c.cases, 2, 0), 1);
	gort_chan_release(b);
}

static void cancel_ends_it(void)
{
	gort_chan *a = gort_chan_make(0, 0);
	struct call c = { .cases = { { a, GORT_RECV, NULL, 0 }, { a, GORT_SEND, NULL, 0 } },
			  .deadline = GORT_FOREVER };

	for (c.n = 0; c.n <= 2; c.n++) {
		c.done = false;
		uint64_t id = gort_go(call, &c);
		until_in(id, "select");
		expect_eq(gort_cancel(id), 0);
		until(c.done);
		expect_eq(c.ret, -ECANCELED);
	}
	expect_eq(gort_trysend(a, NULL), -EAGAIN);
	expect_eq(gort_tryrecv(a, NULL), -EAGAIN);
	gort_cancel(gort_id());
	expect_eq(gort_select(c.cases, 2, GORT_FOREVER), -ECANCELED);
	expect_eq(gort_select(c.cases, 2, 0), -ETIMEDOUT);
	gort_cancel_clear();
	gort_chan_release(a);
}

// Selects meet selects: each side offers both directions on both channels.
static struct {
	gort_chan *a, *b;
	gort_wg wg;
	atomic_long balance, meetings;
} meet;

static void meeter(void *arg)
{
	for (long i = 0; i < (long)arg; i++) {
		long in[2] = { 0, 0 }, out[2] = { 1000 + i, 2000 + i };
		struct gort_case cases[] = {
			{ meet.a, GORT_SEND, &out[0], 0 },
			{ meet.b, GORT_SEND, &out[1], 0 },
			{ meet.b, GORT_RECV, &in[1], 0 },
			{ meet.a, GORT_RECV, &in[0], 0 },
		};
		int got = gort_select(cases, 4, gort_now() + MS);
		if (got == 0 || got == 1) {
			atomic_fetch_add(&meet.balance, out[got]);
			atomic_fetch_add(&meet.meetings, 1);
		} else if (got == 2 || got == 3) {
			long v = in[got == 2];
			expect(v >= 1000);
			atomic_fetch_sub(&meet.balance, v);
		} else {
			expect_eq(got, -ETIMEDOUT);
		}
	}
	gort_wg_done(&meet.wg);
}

static void selects_meet(void)
{
	meet.a = gort_chan_make(sizeof(long), 0);
	meet.b = gort_chan_make(sizeof(long), 0);
	meet.balance = meet.meetings = 0;
	gort_wg_add(&meet.wg, 6);
	for (int i = 0; i < 6; i++)
		gort_go(meeter, (void *)5000);
	gort_wg_wait(&meet.wg);
	expect_eq(meet.balance, 0);
	expect(meet.meetings > 1000);
	expect_eq(gort_tryrecv(meet.a, NULL), -EAGAIN);
	gort_chan_release(meet.a);
	gort_chan_release(meet.b);
}

static void send_to(void *arg)
{
	gort_send(arg, NULL);
}

static void many_cases(void)
{
	enum { N = 1000 };
	static struct gort_case cases[N];
	gort_chan *c[N];

	for (int i = 0; i < N; i++) {
		c[i] = gort_chan_make(0, 0);
		cases[(i * 7) % N] = (struct gort_case){ c[i], GORT_RECV, NULL, 1 };
	}
	expect_eq(gort_select(cases, N, 0), -ETIMEDOUT);
	expect_eq(gort_select(cases, N, gort_now() + MS), -ETIMEDOUT);
	for (int i = 0; i < 50; i++) {
		int which = i * 19 % N;
		gort_go(send_to, c[which]);
		expect_eq(gort_select(cases, N, GORT_FOREVER), which * 7 % N);
	}
	for (int i = 0; i < N; i++)
		gort_chan_release(c[i]);
}

static const struct test tests[] = {
	TEST("deadline 0 is the default case", default_case),
	TEST("bad arguments", bad_arguments),
	TEST("deadlines end it", deadlines),
	TEST("each ready case is as likely", is_fair),
	TEST("a waiting select is served once", waits_and_is_served),
	TEST("close serves a select", close_serves),
	TEST("cancel ends it", cancel_ends_it),
	TEST("selects meet selects", selects_meet),
	TEST("a thousand cases", many_cases),
};

SYNC_MAIN(tests)
