// SPDX-License-Identifier: MIT
// Prints goroutines with their frames, for the living (gort_traceback) and for the dying.
#include "runtime/fault/traceback.h"
#include "runtime/gort.h"
#include "runtime/base/print.h"
#include "runtime/base/sanitize.h"
#include "runtime/fault/freeze.h"
#include "runtime/base/raw.h"
#include "runtime/sched/sched.h"

#include <string.h>

enum {
	TOP = 50, // frames shown at each end of a very deep stack
	BOTTOM = 50,
	LINE = 512,
	LINE_MODULE = 48, // of a place's text kept for module and offset
	G_LINES = 4, // cache lines of a goroutine that printing it reads
};

// ---- text ---------------------------------------------------------------------------------------

void gort__sink_flush(struct sink *out)
{
	size_t done = 0;

	while (out->fd >= 0 && done < out->len) {
		long n = gort__raw(SYS_write, out->fd, (long)(out->buf + done),
				   (long)(out->len - done), 0, 0, 0);
		if (n == -EINTR)
			continue;
		if (n == -EAGAIN) {
			// Somebody made stderr non-blocking and its reader is slow: some patience,
			// not for ever.
			struct {
				int fd;
				short events, revents;
			} poll = { out->fd, 4, 0 };
			if (gort__raw(SYS_poll, (long)&poll, 1, 1000, 0, 0, 0) == 1)
				continue;
		}
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	if (out->fd >= 0)
		out->len = 0;
}

static void append(struct sink *out, const char *text, size_t n)
{
	if (out->fd >= 0 && n > out->size - out->len)
		gort__sink_flush(out);
	if (n > out->size - out->len)
		n = out->size - out->len;
	memcpy(out->buf + out->len, text, n);
	out->len += n;
}

void gort__emit(struct sink *out, const char *fmt, ...)
{
	char line[LINE];
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	n = gort__vformat(line, sizeof(line), fmt, ap);
	va_end(ap);
	append(out, line, n < sizeof(line) ? n : sizeof(line) - 1);
}

// ---- frames -------------------------------------------------------------------------------------

extern const char start[] __asm__("__start_gort_text") __attribute__((visibility("hidden")));
extern const char stop[] __asm__("__stop_gort_text") __attribute__((visibility("hidden")));

bool gort__in_runtime_text(uint64_t pc)
{
	return pc >= (uintptr_t)start && pc < (uintptr_t)stop;
}

void gort__unwind_begin(struct unwind *u, const struct unwind_regs *regs, const struct g *g,
			const struct m *m)
{
	*u = (struct unwind){ .regs = *regs, .exact = true };
	if (g) {
		uintptr_t lo = (uintptr_t)g->stack.lo;
		// What was opened for deferred functions after an overflow is part of the stack
		// now.
		u->stack[0] = (struct unwind_range){ g->guard_open ? lo - STACK_GUARD_OPEN : lo,
						     (uintptr_t)g->stack.hi };
	} else if (m && m->sys_lo) {
		u->stack[0] = (struct unwind_range){ (uintptr_t)m->sys_lo, (uintptr_t)m->sys_hi };
	}
	if (m && m->sigstack)
		u->stack[1] = (struct unwind_range){ (uintptr_t)m->sigstack,
						     (uintptr_t)m->sigstack + m->sigstack_size };
}

static bool internal(const char *name, uint64_t lookup)
{
	static const char public[] = "gort_";
	unsigned i = 0;

	if (!name || !gort__in_runtime_text(lookup))
		return false;
	while (public[i] && name[i] == public[i])
		i++;
	return public[i] || name[i] == '_';
}

static size_t describe(char *text, size_t size, const struct place *at)
{
	size_t n = 0;

	text[0] = '\0';
	// A name too long for its place is left out rather than cut.
	if (at->name)
		n = gort__format(text, size, "%s+0x%lx ", at->name, at->name_off);
	if (n > size - LINE_MODULE)
		n = 0;
	if (at->module)
		n += gort__format(text + n, size - n, "%s+0x%lx", at->module, at->module_off);
	else
		n += gort__format(text + n, size - n, "0x%lx", at->module_off);
	return n < size ? n : size - 1;
}

static struct traced *look_up(struct trace *t, uint64_t pc, uint64_t lookup)
{
	unsigned first = (pc ^ pc >> 8) % TRACE_PLACES;
	struct traced *known = &t->places[first];
	struct place at;

	// Two places for each, as for rows.
	if (gort__likely(known->pc == pc && known->lookup == lookup))
		return known;
	if (known->pc)
		known = &t->places[first ^ 1];
	if (known->pc == pc && known->lookup == lookup)
		return known;
	known->pc = 0;
	gort__barrier();
	gort__place(&at, pc, lookup);
	known->printed = false;
	known->internal = internal(at.name, lookup);
	known->len = (uint8_t)describe(known->text, sizeof(known->text), &at);
	known->lookup = lookup;
	gort__barrier();
	known->pc = pc;
	return known;
}

// The different places printed, for the symboliser; beyond the limit some stay without a line.
static void remember(struct trace *t, uint64_t pc, uint64_t lookup)
{
	for (unsigned i = 0; i < t->nseen; i++)
		if (t->seen[i].pc == pc && t->seen[i].lookup == lookup)
			return;
	if (t->nseen < TRACE_SEEN)
		t->seen[t->nseen++] = (struct seen){ pc, lookup };
}

static void print_place(struct trace *t, struct traced *at)
{
	if (!at->printed) {
		at->printed = true;
		remember(t, at->pc, at->lookup);
	}
	append(&t->out, at->text, at->len);
}

bool gort__trace_hides(struct trace *t, uint64_t pc, uint64_t lookup)
{
	return !t->internals && look_up(t, pc, lookup)->internal;
}

static bool print_frame(struct trace *t, uint64_t pc, uint64_t lookup)
{
	struct traced *at = look_up(t, pc, lookup);

	if (!t->internals && at->internal)
		return false;
	append(&t->out, "\t", 1);
	print_place(t, at);
	append(&t->out, "\n", 1);
	return true;
}

bool gort__trace_frames(struct trace *t, struct unwind *u)
{
	struct seen ring[BOTTOM];
	bool any = false;
	unsigned n = 0;

	u->rows = t->rows;
	u->nrows = TRACE_ROWS;
	do {
		struct seen frame = { u->regs.reg[UNWIND_PC], gort__unwind_lookup(u) };
		if (n < TOP)
			any |= print_frame(t, frame.pc, frame.lookup);
		else
			ring[n % BOTTOM] = frame;
		n++;
	} while (gort__unwind_step(u));
	if (n <= TOP)
		return any;
	if (n > TOP + BOTTOM)
		gort__emit(&t->out, "\t... %u frames not shown ...\n", n - TOP - BOTTOM);
	for (unsigned i = n - TOP > BOTTOM ? n - BOTTOM : TOP; i < n; i++)
		any |= print_frame(t, ring[i % BOTTOM].pc, ring[i % BOTTOM].lookup);
	return any;
}

// ---- goroutines ---------------------------------------------------------------------------------

// The M in whose SIGURG handler g waits for a P.
static const struct m *paused_on(const struct g *g)
{
	const struct m *m = gort__load(&g->lockedm);

	return m && gort__load_acquire(&m->paused) && gort__load(&m->curg) == g ? m : NULL;
}

void gort__trace_header(struct trace *t, const struct g *g)
{
	uint32_t status = gort__load(&g->status);
	struct sink *out = &t->out;

	gort__emit(out, "goroutine %lu [%s", gort__load(&g->id), gort__g_status_text[status]);
	if (status == G_WAITING) {
		int64_t s = (t->now - g->wait_since) / 1000000000;
		if (g->wait_reason < WAIT_REASONS && g->wait_reason != WAIT_NONE)
			gort__emit(out, ", %s", gort__wait_reason_text[g->wait_reason]);
		if (s < 60)
			gort__emit(out, ", %ld s", s < 0 ? 0 : s);
		else
			gort__emit(out, ", %ld min", s / 60);
	}
	if (paused_on(g))
		gort__emit(out, ", paused");
	else if (g->lockedm)
		gort__emit(out, ", locked to thread");
	if (g->label)
		gort__emit(out, ", \"%s\"", g->label);
	gort__emit(out, "]:\n");
}

void gort__trace_creator(struct trace *t, const struct g *g)
{
	uint64_t pc = (uintptr_t)g->creator_pc;

	if (!pc)
		return;
	append(&t->out, "created by ", 11);
	print_place(t, look_up(t, pc, pc - 1));
	if (g->creator_id)
		gort__emit(&t->out, " in goroutine %lu", g->creator_id);
	gort__emit(&t->out, "\n");
}

static bool stands_on(const struct g *g, const struct m *m, const struct unwind_regs *regs)
{
	uint64_t sp = regs->reg[UNWIND_RSP];

	return (sp >= (uintptr_t)g->stack.lo - STACK_GUARD && sp < (uintptr_t)g->stack.hi) ||
	       (m && m->sigstack && sp - (uintptr_t)m->sigstack < m->sigstack_size);
}

bool gort__trace_begin(struct unwind *u, const struct g *g, const struct unwind_regs *regs)
{
	struct unwind_regs found;
	uint32_t status = gort__load_acquire(&g->status);
	const struct m *m = status == G_RUNNING ? gort__load(&g->m) : paused_on(g);
	const struct switch_frame *f = gort__load(&g->sp);

	if (status != G_RUNNING && m) {
		// Frozen in that handler it is walked from there, through the signal's frame.
		if (!regs)
			gort__unwind_context(&found, m->fault_data);
		regs = regs ? regs : &found;
	} else if (status != G_RUNNING || (regs && !stands_on(g, m, regs))) {
		// Parked, or its M is on the system stack: then regs are of that. What is read
		// while it may change is believed only if it lies in its stack.
		if ((char *)f < g->stack.lo || (char *)(f + 1) > g->stack.hi)
			return false;
		gort__unwind_switch(&found, f);
		regs = &found;
	}
	if (!regs)
		return false;
	gort__unwind_begin(u, regs, g, m);
	return true;
}

void gort__trace_goroutine(struct trace *t, const struct g *g, const struct unwind_regs *regs)
{
	struct unwind u;

	gort__trace_header(t, g);
	if (gort__trace_begin(&u, g, regs)) {
		// One that ends in a call of ours has left its frame; what it is, is still worth a
		// line.
		if (!gort__trace_frames(t, &u))
			print_frame(t, (uintptr_t)g->fn, (uintptr_t)g->fn);
	} else
		gort__emit(&t->out, "\tgoroutine running on other thread; stack unavailable\n");
	gort__trace_creator(t, g);
}

// ---- the living ---------------------------------------------------------------------------------

static struct lock lock = GORT__LOCK_INIT(FAULT);
static struct trace live; // under lock

// Each goroutine's lines are far from the others' and cold: ask for them two and one ahead.
static void prefetch(const struct g *g)
{
	const struct g *after;

	if (!g)
		return;
	for (unsigned i = 0; i < 3; i++)
		__builtin_prefetch((const char *)gort__load(&g->sp) + 64 * i);
	after = g->allnext;
	for (unsigned i = 0; after && i < G_LINES; i++)
		__builtin_prefetch((const char *)after + 64 * i);
}

void gort__trace_others(struct trace *t, const struct g *self, gort__trace_visit *visit, void *arg)
{
	for (struct g *g = gort__load_acquire(&sched.allg); g; g = g->allnext) {
		struct unwind_regs regs;
		prefetch(g->allnext);
		bool running = gort__load(&g->status) == G_RUNNING;
		if (g == self || gort__load(&g->status) == G_DEAD || g->flags & G_SYSTEM)
			continue;
		visit(t, g, running && gort__sample(gort__load(&g->m), g, &regs) ? &regs : NULL,
		      arg);
	}
}

struct trace *gort__trace_take(void)
{
	gort__lock(&lock);
	gort__san_acquire(&lock); // not seen by itself: this file is not instrumented
	// Names point into libraries that may have been unloaded since the last time.
	memset(&live, 0, sizeof(live));
	live.now = gort_now();
	return &live;
}

void gort__trace_give(void)
{
	gort__san_ready(&lock);
	gort__unlock(&lock);
}

static void print(struct trace *t, const struct g *g, const struct unwind_regs *regs, void *arg)
{
	(void)arg;
	gort__trace_goroutine(t, g, regs);
	gort__emit(&t->out, "\n");
}

size_t gort_traceback(char *buf, size_t n, bool all)
{
	struct g *g = gort__enter(__func__);
	struct unwind_regs regs;
	struct trace *t;
	size_t len;

	if (all)
		gort__stop_world();
	t = gort__trace_take();
	t->out = (struct sink){ .buf = buf, .size = n ? n - 1 : 0, .fd = -1 };
	gort__unwind_here(&regs);
	gort__trace_goroutine(t, g, &regs);
	if (all) {
		gort__emit(&t->out, "\n");
		gort__trace_others(t, g, print, NULL);
	}
	len = t->out.len;
	gort__trace_give();
	if (n)
		buf[len] = '\0';
	if (all)
		gort__start_world();
	gort__leave();
	return len;
}
