// SPDX-License-Identifier: MIT
// timeout: 300 s. Random programs of channels, selects and mutexes. What every operation saw, and
// when, is held against a single-threaded reference: some order of the operations that respects
// their times must explain every outcome, and whoever was still blocked when nothing moved must
// have had nothing to go on with.
#include "tests/runtime/sync.h"

enum { GOROUTINES = 4, OPS = 6, CHANS = 3, MUTEXES = 2, CASES = 3, CAP = 2 };

enum kind { OP_CHAN, OP_CLOSE, OP_LOCK, OP_UNLOCK, OP_YIELD };
enum mode { MODE_BLOCK, MODE_TRY, MODE_UNTIL };

struct op_case {
	int chan; // -1: null
	enum gort_op dir;
	int value; // sent
};

struct op {
	enum kind kind;
	enum mode mode;
	bool select; // by gort_select, else by the single calls
	int n, mutex;
	struct op_case cases[CASES];
	// What happened.
	int chosen; // case; or -errno
	int result; // of the case, or 0 or 1 for a close that panicked
	int value; // received
	bool last; // cancelled because nothing moved
	uint64_t begin, end;
};

struct program {
	uint64_t seed;
	int goroutines, chans, mutexes;
	int cap[CHANS];
	int n[GOROUTINES];
	struct op ops[GOROUTINES][OPS];
	int cancels; // in the middle of it
};

static struct program prog;
static gort_chan *chans[CHANS];
static gort_mutex mutexes[MUTEXES];
static atomic_uint_fast64_t clock_now;
static atomic_bool nothing_moves;
static gort_wg wg;
static atomic_int ended;
static atomic_int timed; // operations with a deadline that are under way

// ---- making a program ---------------------------------------------------------------------------

static uint64_t rng;

static unsigned pick(unsigned n)
{
	uint64_t z = rng += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (unsigned)((z ^ z >> 31) >> 32) % n;
}

static void make_op(struct op *op, int value)
{
	unsigned what = pick(100);

	memset(op, 0, sizeof(*op));
	op->mode = pick(10) < 6 ? MODE_BLOCK : pick(2) ? MODE_TRY : MODE_UNTIL;
	if (what < 70) {
		op->kind = OP_CHAN;
		op->select = what >= 40;
		op->n = op->select ? 1 + (int)pick(CASES) : 1;
		for (int i = 0; i < op->n; i++) {
			op->cases[i].chan = pick(25) ? (int)pick((unsigned)prog.chans) : -1;
			op->cases[i].dir = pick(2) ? GORT_SEND : GORT_RECV;
			op->cases[i].value = value * CASES + i + 1;
		}
	} else if (what < 74) {
		op->kind = OP_CLOSE;
		op->cases[0].chan = (int)pick((unsigned)prog.chans);
	} else if (what < 95 && prog.mutexes) {
		op->kind = what < 86 ? OP_LOCK : OP_UNLOCK;
		op->mutex = (int)pick((unsigned)prog.mutexes);
	} else {
		op->kind = OP_YIELD;
	}
}

static void make(uint64_t seed)
{
	rng = seed;
	memset(&prog, 0, sizeof(prog));
	prog.seed = seed;
	prog.goroutines = 2 + (int)pick(GOROUTINES - 1);
	prog.chans = 1 + (int)pick(CHANS);
	prog.mutexes = (int)pick(MUTEXES + 1);
	prog.cancels = pick(4) ? 0 : (int)pick(6);
	for (int c = 0; c < prog.chans; c++)
		prog.cap[c] = (int)pick(CAP + 1);
	for (int g = 0; g < prog.goroutines; g++) {
		prog.n[g] = 1 + (int)pick(OPS);
		for (int i = 0; i < prog.n[g]; i++)
			make_op(&prog.ops[g][i], g * OPS + i);
	}
}

// ---- running it ---------------------------------------------------------------------------------

static void do_close(void *c)
{
	gort_close(c);
}

static int64_t soon(const struct op *op)
{
	return gort_now() + op->cases[0].value % 8 * 2000;
}

static void do_chan(struct op *op)
{
	struct gort_case cases[CASES];
	int values[CASES];

	for (int i = 0; i < op->n; i++) {
		values[i] = op->cases[i].dir == GORT_SEND ? op->cases[i].value : -1;
		cases[i] = (struct gort_case){ op->cases[i].chan < 0 ? NULL
								     : chans[op->cases[i].chan],
					       op->cases[i].dir, &values[i], 1 };
	}
	if (op->select) {
		int64_t deadline = op->mode == MODE_TRY	    ? 0
				   : op->mode == MODE_UNTIL ? soon(op)
							    : GORT_FOREVER;
		op->chosen = gort_select(cases, op->n, deadline);
		if (op->chosen >= 0)
			op->result = cases[op->chosen].result;
	} else {
		int ret;
		bool send = cases[0].op == GORT_SEND;
		if (op->mode == MODE_TRY)
			ret = send ? gort_trysend(cases[0].chan, values)
				   : gort_tryrecv(cases[0].chan, values);
		else if (op->mode == MODE_UNTIL)
			ret = send ? gort_send_until(cases[0].chan, values, soon(op))
				   : gort_recv_until(cases[0].chan, values, soon(op));
		else
			ret = send ? gort_send(cases[0].chan, values)
				   : gort_recv(cases[0].chan, values);
		op->chosen = ret == 0 || ret == -EPIPE ? 0 : ret;
		op->result = ret;
	}
	if (op->chosen >= 0)
		op->value = values[op->chosen];
}

static void do_lock(struct op *op)
{
	gort_mutex *m = &mutexes[op->mutex];

	op->chosen = op->mode == MODE_TRY     ? gort_mutex_trylock(m)
		     : op->mode == MODE_UNTIL ? gort_mutex_lock_until(m, soon(op))
					      : gort_mutex_lock_cancellable(m);
}

static void goroutine(void *arg)
{
	int g = (int)(intptr_t)arg;
	bool held[MUTEXES] = { false };

	for (int i = 0; i < prog.n[g]; i++) {
		struct op *op = &prog.ops[g][i];
		// Only what is held is unlocked, and what is held is not locked again for ever.
		if (op->kind == OP_UNLOCK && !held[op->mutex])
			op->kind = OP_YIELD;
		atomic_fetch_add(&timed, op->mode == MODE_UNTIL);
		op->begin = atomic_fetch_add(&clock_now, 1);
		switch (op->kind) {
		case OP_CHAN: do_chan(op); break;
		case OP_CLOSE:
			op->result = gort_try(do_close, chans[op->cases[0].chan], NULL);
			break;
		case OP_LOCK:
			do_lock(op);
			held[op->mutex] |= op->chosen == 0;
			break;
		case OP_UNLOCK:
			gort_mutex_unlock(&mutexes[op->mutex]);
			held[op->mutex] = false;
			break;
		case OP_YIELD: gort_yield(); break;
		}
		op->end = atomic_fetch_add(&clock_now, 1);
		atomic_fetch_sub(&timed, op->mode == MODE_UNTIL);
		if (op->chosen == -ECANCELED) {
			if (atomic_load(&nothing_moves)) {
				op->last = true;
				prog.n[g] = i + 1;
				break;
			}
			gort_cancel_clear();
		}
	}
	atomic_fetch_add(&ended, 1);
	gort_wg_done(&wg);
}

// True when every goroutine of the program has ended or is parked, all at one time, and no deadline
// will change that. With the clock the same before and after, no operation began or ended
// meanwhile.
static bool quiet(const uint64_t *ids)
{
	enum { SIZE = 256 << 10 };
	static char text[SIZE];
	char start[64];
	uint64_t before = atomic_load(&clock_now);

	if (atomic_load(&timed))
		return false;
	gort_traceback(text, SIZE, true);
	for (int g = 0; g < prog.goroutines; g++) {
		snprintf(start, sizeof(start), "goroutine %llu [", (unsigned long long)ids[g]);
		char *line = strstr(text, start);
		if (line && strncmp(line + strlen(start), "waiting", 7))
			return false;
	}
	return atomic_load(&clock_now) == before;
}

static void run(void)
{
	uint64_t ids[GOROUTINES];

	memset(mutexes, 0, sizeof(mutexes));
	atomic_store(&nothing_moves, false);
	atomic_store(&ended, 0);
	for (int c = 0; c < prog.chans; c++)
		chans[c] = gort_chan_make(sizeof(int), (size_t)prog.cap[c]);
	gort_wg_add(&wg, prog.goroutines);
	for (int g = 0; g < prog.goroutines; g++)
		ids[g] = gort_go(goroutine, (void *)(intptr_t)g);
	for (int i = 0; i < prog.cancels; i++) {
		for (unsigned k = pick(3); k; k--)
			gort_yield();
		gort_cancel(ids[pick((unsigned)prog.goroutines)]);
	}
	for (int i = 0; i < 20 && atomic_load(&ended) < prog.goroutines; i++)
		gort_yield();
	while (atomic_load(&ended) < prog.goroutines && !quiet(ids))
		gort_yield();
	atomic_store(&nothing_moves, true);
	for (int g = 0; g < prog.goroutines; g++)
		gort_cancel(ids[g]);
	gort_wg_wait(&wg);
	for (int c = 0; c < prog.chans; c++)
		gort_chan_release(chans[c]);
}

// ---- the reference ------------------------------------------------------------------------------

struct state {
	uint8_t at[GOROUTINES]; // operations explained so far
	uint8_t n[CHANS], closed[CHANS], locked[MUTEXES];
	int32_t buf[CHANS][CAP];
};

static bool at_end(const struct state *s, int g)
{
	return s->at[g] == prog.n[g] || prog.ops[g][s->at[g]].last;
}

// Nothing else that is still to be explained had ended before this began.
static bool may_be_next(const struct state *s, int g)
{
	const struct op *op = &prog.ops[g][s->at[g]];

	for (int k = 0; k < prog.goroutines; k++)
		if (k != g && !at_end(s, k) && prog.ops[k][s->at[k]].end < op->begin)
			return false;
	return true;
}

// A case that can go on whoever else waits.
static bool surely_ready(const struct state *s, const struct op_case *c)
{
	if (c->chan < 0)
		return false;
	if (s->closed[c->chan])
		return true;
	return c->dir == GORT_SEND ? s->n[c->chan] < prog.cap[c->chan] : s->n[c->chan] > 0;
}

static bool any_surely_ready(const struct state *s, const struct op *op)
{
	for (int i = 0; i < op->n; i++)
		if (surely_ready(s, &op->cases[i]))
			return true;
	return false;
}

static bool apply_chan(struct state *s, const struct op *op)
{
	const struct op_case *c = &op->cases[op->chosen];
	int ch = c->chan;

	if (ch < 0)
		return false;
	if (op->result == -EPIPE)
		return s->closed[ch] && (c->dir == GORT_SEND || (s->n[ch] == 0 && op->value == 0));
	if (op->result != 0 || prog.cap[ch] == 0)
		return false;
	if (c->dir == GORT_SEND) {
		if (s->closed[ch] || s->n[ch] == prog.cap[ch])
			return false;
		s->buf[ch][s->n[ch]++] = c->value;
		return true;
	}
	if (s->n[ch] == 0 || s->buf[ch][0] != op->value)
		return false;
	s->n[ch]--;
	memmove(s->buf[ch], s->buf[ch] + 1, sizeof(s->buf[ch]) - sizeof(s->buf[ch][0]));
	s->buf[ch][CAP - 1] = 0;
	return true;
}

// Whether the outcome is allowed here; then s is what it leaves.
static bool apply(struct state *s, const struct op *op)
{
	switch (op->kind) {
	case OP_CHAN:
		if (op->chosen >= 0)
			return apply_chan(s, op);
		if (op->mode == MODE_TRY)
			return op->chosen == (op->select ? -ETIMEDOUT : -EAGAIN) &&
			       !any_surely_ready(s, op);
		return op->chosen == -ECANCELED ||
		       (op->mode == MODE_UNTIL && op->chosen == -ETIMEDOUT);
	case OP_CLOSE:
		if (s->closed[op->cases[0].chan] != op->result)
			return false;
		s->closed[op->cases[0].chan] = 1;
		return true;
	case OP_LOCK:
		if (op->chosen == 0) {
			if (s->locked[op->mutex])
				return false;
			s->locked[op->mutex] = 1;
			return true;
		}
		if (op->mode == MODE_TRY)
			return op->chosen == -EBUSY && s->locked[op->mutex];
		return op->chosen == -ECANCELED ||
		       (op->mode == MODE_UNTIL && op->chosen == -ETIMEDOUT);
	case OP_UNLOCK: s->locked[op->mutex] = 0; return true;
	case OP_YIELD: return true;
	}
	return false;
}

// A send and a receive that met on a channel without a buffer.
static bool meet(const struct state *s, const struct op *a, const struct op *b)
{
	if (a->kind != OP_CHAN || b->kind != OP_CHAN || a->chosen < 0 || b->chosen < 0 ||
	    a->result || b->result)
		return false;
	const struct op_case *x = &a->cases[a->chosen], *y = &b->cases[b->chosen];
	return x->chan >= 0 && x->chan == y->chan && prog.cap[x->chan] == 0 &&
	       !s->closed[x->chan] && x->dir == GORT_SEND && y->dir == GORT_RECV &&
	       x->value == b->value;
}

// Those that nothing moved any more: none of them could have gone on, alone or with another of
// them.
static bool rightly_stuck(const struct state *s)
{
	for (int g = 0; g < prog.goroutines; g++) {
		if (s->at[g] == prog.n[g])
			continue;
		const struct op *op = &prog.ops[g][s->at[g]];
		if (op->mode == MODE_TRY)
			return false;
		if (op->kind == OP_LOCK && !s->locked[op->mutex])
			return false;
		if (op->kind == OP_CHAN && any_surely_ready(s, op))
			return false;
		for (int k = 0; k < prog.goroutines; k++) {
			const struct op *other = &prog.ops[k][s->at[k]];
			if (k == g || s->at[k] == prog.n[k] || op->kind != OP_CHAN ||
			    other->kind != OP_CHAN)
				continue;
			for (int i = 0; i < op->n; i++)
				for (int j = 0; j < other->n; j++)
					if (op->cases[i].chan >= 0 &&
					    op->cases[i].chan == other->cases[j].chan &&
					    op->cases[i].dir != other->cases[j].dir)
						return false;
		}
	}
	return true;
}

enum { SEEN = 1 << 16 };

static uint64_t seen[SEEN];
static unsigned n_seen;

// False when the search was here before.
static bool first_visit(const struct state *s)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < sizeof(*s); i++)
		h = (h ^ ((const uint8_t *)s)[i]) * UINT64_C(1099511628211);
	h |= 1;
	for (unsigned i = (unsigned)(h >> 40) % SEEN;; i = (i + 1) % SEEN) {
		if (seen[i] == h)
			return false;
		if (!seen[i]) {
			if (++n_seen > SEEN / 2) {
				fprintf(stderr, "the search is too large\n");
				abort();
			}
			seen[i] = h;
			return true;
		}
	}
}

static bool explain(const struct state *s)
{
	bool all = true;

	if (!first_visit(s))
		return false;
	for (int g = 0; g < prog.goroutines; g++) {
		if (at_end(s, g))
			continue;
		all = false;
		if (!may_be_next(s, g))
			continue;
		const struct op *op = &prog.ops[g][s->at[g]];
		struct state next = *s;
		next.at[g]++;
		if (apply(&next, op)) {
			if (explain(&next))
				return true;
			continue;
		}
		for (int k = 0; k < prog.goroutines; k++) {
			if (k == g || at_end(s, k) || !may_be_next(s, k) ||
			    !meet(s, op, &prog.ops[k][s->at[k]]))
				continue;
			next = *s;
			next.at[g]++;
			next.at[k]++;
			if (explain(&next))
				return true;
		}
	}
	return all && rightly_stuck(s);
}

static bool allowed(void)
{
	struct state s;

	memset(&s, 0, sizeof(s));
	memset(seen, 0, sizeof(seen));
	n_seen = 0;
	return explain(&s);
}

// ---- telling ------------------------------------------------------------------------------------

static void tell(void)
{
	static const char *const modes[] = { "block", "try", "until" };

	fprintf(stderr, "seed %llu: no order explains this\n", (unsigned long long)prog.seed);
	for (int c = 0; c < prog.chans; c++)
		fprintf(stderr, "  chan %d has room for %d\n", c, prog.cap[c]);
	for (int g = 0; g < prog.goroutines; g++) {
		for (int i = 0; i < prog.n[g]; i++) {
			const struct op *op = &prog.ops[g][i];
			fprintf(stderr, "  g%d %3llu-%3llu ", g, (unsigned long long)op->begin,
				(unsigned long long)op->end);
			switch (op->kind) {
			case OP_CHAN:
				fprintf(stderr, "%s %s:", op->select ? "select" : "chan",
					modes[op->mode]);
				for (int k = 0; k < op->n; k++)
					fprintf(stderr, " %s %d (%d)",
						op->cases[k].dir == GORT_SEND ? "send" : "recv",
						op->cases[k].chan, op->cases[k].value);
				fprintf(stderr, " -> %d, %d, value %d%s\n", op->chosen, op->result,
					op->value, op->last ? " (stuck)" : "");
				break;
			case OP_CLOSE:
				fprintf(stderr, "close %d -> %s\n", op->cases[0].chan,
					op->result ? "panic" : "ok");
				break;
			case OP_LOCK:
				fprintf(stderr, "lock %s %d -> %d%s\n", modes[op->mode], op->mutex,
					op->chosen, op->last ? " (stuck)" : "");
				break;
			case OP_UNLOCK: fprintf(stderr, "unlock %d\n", op->mutex); break;
			case OP_YIELD: fprintf(stderr, "yield\n"); break;
			}
		}
	}
}

static void programs(void)
{
	const char *fixed = getenv("MODEL_SEED");
	int n = getenv("DC_CAMPAIGN") ? 1000000 : 10000;
	uint64_t seed = fixed ? strtoull(fixed, NULL, 0) : (uint64_t)gort_now() << 20;

	fprintf(stderr, "%d programs from seed %llu\n", n, (unsigned long long)seed);
	for (int i = 0; i < n; i++) {
		make(fixed ? seed : seed + (uint64_t)i);
		run();
		if (!allowed()) {
			tell();
			expect(!"an outcome that the reference does not allow");
			return;
		}
	}
}

// The reference must be able to say no: histories that are wrong in one place.
static void the_reference_refuses(void)
{
	memset(&prog, 0, sizeof(prog));
	prog.goroutines = 2;
	prog.chans = prog.mutexes = 1;
	prog.cap[0] = 1;
	prog.n[0] = prog.n[1] = 1;
	struct op *send = &prog.ops[0][0], *recv = &prog.ops[1][0];
	*send = (struct op){ .kind = OP_CHAN, .n = 1, .cases = { { 0, GORT_SEND, 7 } }, .end = 1 };
	*recv = (struct op){ .kind = OP_CHAN,
			     .n = 1,
			     .cases = { { 0, GORT_RECV, 0 } },
			     .value = 7,
			     .begin = 2,
			     .end = 3 };
	expect(allowed());
	recv->value = 8;
	expect(!allowed());
	recv->value = 7;
	recv->begin = 0;
	recv->end = 1;
	send->begin = 2;
	send->end = 3;
	expect(!allowed());
	// A lost wake-up: stuck although the element is there.
	recv->last = true;
	recv->chosen = -ECANCELED;
	expect(!allowed());
	send->last = true;
	send->chosen = -ECANCELED;
	expect(!allowed());
	send->kind = recv->kind = OP_LOCK;
	expect(!allowed());
	send->last = recv->last = false;
	send->chosen = recv->chosen = 0;
	expect(!allowed());
}

static const struct test tests[] = {
	TEST("the reference can say no", the_reference_refuses),
	TEST("random programs behave as the reference allows", programs),
};

SYNC_MAIN(tests)
