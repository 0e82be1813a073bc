// SPDX-License-Identifier: MIT
// Scopes, deferred functions, panics. A panic runs the deferred functions of the innermost scope on
// top of the stack that panicked, so that a report shows it; only then does it leave by longjmp.
#include "runtime/fault/panic.h"
#include "runtime/base/print.h"
#include "runtime/fault/fatal.h"
#include "runtime/sched/given.h"
#include "runtime/sched/exceptions.h"
#include "runtime/sched/heap.h"
#include "runtime/sched/sched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

struct defer {
	struct defer *next;
	void (*fn)(void *);
	void *arg;
};

// On the stack of its gort_try.
struct scope {
	struct scope *outer;
	struct defer *defers; // of the scope outside
	int result;
	struct gort_panic *out;
	jmp_buf env;
};

// A panic, or a gort_exit, under way; on the stack that does it. A deferred function may begin
// another.
struct panicking {
	struct panicking *older;
	struct scope *scope; // whose deferred functions it runs; NULL: the goroutine's
	bool recovered;
	bool exiting; // gort_exit
	struct gort_panic what;
};

static struct g *current(const char *who)
{
	struct m *m = gort__self();

	if (!m || !m->curg)
		gort__fatal("%s: called on a thread that has no goroutine", who);
	if (gort__load(&m->retake) == RETAKE_BLOCKING)
		gort__fatal("%s: called inside gort_blocking", who);
	return m->curg;
}

// ---- deferred functions -------------------------------------------------------------------------

void gort_defer(void (*fn)(void *), void *arg)
{
	struct g *g = current(__func__);
	struct defer *d = gort__malloc(sizeof(*d));

	if (!d)
		gort_panic("gort_defer: no memory");
	*d = (struct defer){ .next = g->defers, .fn = fn, .arg = arg };
	g->defers = d;
}

void gort__defer_drop(void (*fn)(void *), void *arg)
{
	struct defer **at = &gort__g()->defers, *d;

	while ((d = *at) && (d->fn != fn || d->arg != arg))
		at = &d->next;
	if (d)
		*at = d->next;
	gort__free(d);
}

void *gort__defer_newest(void (*fn)(void *))
{
	struct defer *d = gort__g()->defers;

	while (d && d->fn != fn)
		d = d->next;
	return d ? d->arg : NULL;
}

// Taken off first: what fn does, it does without itself in the list.
static void run_one(struct g *g)
{
	struct defer d = *g->defers;

	gort__free(g->defers);
	g->defers = d.next;
	gort__call_deferred(d.fn, d.arg);
}

static void run_all(struct g *g)
{
	while (g->defers)
		run_one(g);
}

void gort__defers_run(struct g *g)
{
	gort__leave();
	run_all(g);
	gort__enter("deferred functions");
}

// Runs on at the top of g's stack, which holds nothing any more: also when it had overflown.
_Noreturn static void restart(struct g *g, void (*fn)(struct g *))
{
	// A return address of 0 is where unwinders stop.
	__asm__ volatile("movq %0, %%rsp\n\t"
			 "xorl %%ebp, %%ebp\n\t"
			 "pushq $0\n\t"
			 "jmpq *%1"
			 :
			 : "r"(((uintptr_t)g->stack.hi - 64) & ~(uintptr_t)15), "r"(fn), "D"(g)
			 : "memory");
	__builtin_unreachable();
}

static void close_guard(struct g *g)
{
	if (gort__unlikely(g->guard_open))
		gort__stack_guard_close(g);
	g->in_overflow = false;
}

static void exit_again(struct g *g)
{
	close_guard(g);
	gort_exit();
}

void gort__defers_exit(struct g *g)
{
	struct panicking p = { .older = g->panicking, .scope = g->scope, .exiting = true };

	if (!g->defers && !g->scope) {
		g->panicking = NULL;
		return;
	}
	g->panicking = &p;
	gort__leave();
	for (;;) {
		struct scope *s = g->scope;
		run_all(g);
		if (!s)
			break;
		g->scope = p.scope = s->outer;
		g->defers = s->defers;
	}
	g->panicking = NULL;
	if (g->guard_open)
		restart(g, exit_again);
	gort__enter("gort_exit");
}

// ---- scopes -------------------------------------------------------------------------------------

// Returned, recovered, or left by a C++ exception. One of these may panic in turn, which comes back
// to the scope with nothing left to run.
static void end_scope(struct g *g)
{
	struct scope *s = g->scope;

	if (!s->result)
		run_all(g);
	g->scope = s->outer;
	g->defers = s->defers;
}

// An exception goes on after it: those deeper in the stack have ended, so this is the innermost.
GORT__LEFT(try)
{
	if (actions & _UA_CLEANUP_PHASE)
		end_scope(gort__g());
	return _URC_CONTINUE_UNWIND;
}

int gort_try(void (*fn)(void *), void *arg, struct gort_panic *out)
{
	struct g *g = current(__func__);
	struct scope s = { .outer = g->scope, .defers = g->defers, .out = out };

	g->scope = &s;
	g->defers = NULL;
	if (!_setjmp(s.env))
		gort__call_try(fn, arg);
	else
		close_guard(g);
	end_scope(g);
	return s.result;
}

static void entry_returns(struct g *g)
{
	close_guard(g);
	gort__enter("goroutine entry");
	gort__defers_run(g);
	gort__goexit();
}

static void print_chain(char *buf, size_t n, const struct panicking *p)
{
	size_t at = 0;

	if (p->older && !p->older->exiting)
		print_chain(buf, n, p->older);
	while (at < n && buf[at])
		at++;
	at += gort__format(buf + at, n - at, "%spanic: %s%s\n", at ? "\t" : "", p->what.msg,
			   p->recovered ? " [recovered]" : "");
	if (p->what.signo && at < n)
		gort__format(buf + at, n - at, "[signal %d, code %d, address %p, at %p]\n",
			     p->what.signo, p->what.code, p->what.addr, p->what.pc);
}

_Noreturn static gort__cold void uncaught(const struct panicking *p)
{
	char reason[2048];

	reason[0] = '\0';
	print_chain(reason, sizeof(reason), p);
	gort__die(reason, NULL, false);
}

// The scope's end is reached by p: caught there, or recovered.
_Noreturn static void finish(struct g *g, struct panicking *p)
{
	struct scope *s = g->scope;
	bool exiting = false;

	if (!s && !p->recovered)
		uncaught(p);
	if (s) {
		s->result = !p->recovered;
		if (!p->recovered && s->out)
			*s->out = p->what;
	}
	// Whatever else was under way deeper in the stack ends with it; but an exit goes on.
	for (; g->panicking && (!s || (char *)g->panicking < (char *)s);
	     g->panicking = g->panicking->older)
		exiting |= g->panicking->exiting;
	// From here: the scopes outside lie on this stack, and their functions are still to run.
	if (exiting)
		gort_exit();
	if (!s)
		restart(g, entry_returns);
	longjmp(s->env, 1);
}

_Noreturn static void run(struct g *g, struct panicking *p)
{
	p->older = g->panicking;
	p->scope = g->scope;
	g->panicking = p;
	while (g->defers && !p->recovered)
		run_one(g);
	finish(g, p);
}

_Noreturn void gort__panic(const struct gort_panic *what)
{
	struct panicking p = { .what = *what };

	run(gort__g(), &p);
}

_Noreturn void gort_panic(const char *fmt, ...)
{
	struct panicking p = { .what.pc = __builtin_return_address(0) };
	struct m *m = gort__self();
	va_list ap;

	// It may allocate.
	if (m && gort__load(&m->in_runtime) && m->curg)
		gort__leave();
	va_start(ap, fmt);
	vsnprintf(p.what.msg, sizeof(p.what.msg), fmt, ap);
	va_end(ap);
	if (!m || !m->curg || gort__load(&m->retake) == RETAKE_BLOCKING)
		uncaught(&p);
	run(m->curg, &p);
}

const struct gort_panic *gort_recover(void)
{
	struct g *g = current(__func__);
	struct panicking *p = g->panicking;

	if (!p || p->exiting || p->recovered || p->scope != g->scope)
		return NULL;
	p->recovered = true;
	return &p->what;
}
