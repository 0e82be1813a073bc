// SPDX-License-Identifier: MIT
// Fatal errors. Nothing here takes a lock, opens, or allocates but by mmap; a fault on the way is told
// and survived once.
#include "runtime/fault/fatal.h"
#include "runtime/base/print.h"
#include "runtime/base/signal.h"
#include "runtime/base/trace.h"
#include "runtime/fault/freeze.h"
#include "runtime/fault/groups.h"
#include "runtime/base/raw.h"
#include "runtime/gort.h"
#include "runtime/sched/sched.h"

enum { EXIT_STATUS = 2, TEXT = 4096, REASON = 1024 };

enum stage { STAGE_REASON, STAGE_SELF, STAGE_GROUPS, STAGE_OTHERS, STAGE_SYMBOLS };

static struct {
	uint32_t tid; // who dies
	uint32_t depth; // faults on the way
	enum stage stage;
	struct g *next; // of the list of goroutines, still to be looked at
	struct groups groups;
	uint32_t told; // of those groups
	char text[TEXT];
} dying;

static struct trace trace;

static uint32_t my_tid(void)
{
	return (uint32_t)gort__raw(SYS_gettid, 0, 0, 0, 0, 0, 0);
}

bool gort__dying_here(void)
{
	return gort__load(&dying.tid) && gort__load(&dying.tid) == my_tid();
}

_Noreturn static void leave(void)
{
	gort__sink_flush(&trace.out);
	gort__trace_write();
	for (;;)
		gort__raw(SYS_exit_group, EXIT_STATUS, 0, 0, 0, 0, 0);
}

static void print_self(const struct unwind_regs *regs)
{
	const struct m *m = gort__self();
	struct g *g = m ? m->curg : NULL;
	uint64_t sp = regs->reg[UNWIND_RSP];
	struct unwind u;

	gort__emit(&trace.out, "\n");
	if (g && sp >= (uintptr_t)g->stack.lo - STACK_GUARD && sp < (uintptr_t)g->stack.hi) {
		gort__trace_goroutine(&trace, g, regs);
		return;
	}
	// The scheduler, a blocking call, or a thread of the program: its bounds may be unknown, so
	// only as far up as a page that is certainly there when nothing better is known.
	gort__emit(&trace.out, "thread %u:\n", my_tid());
	gort__unwind_begin(&u, regs, NULL, m);
	if (!u.stack[0].hi || sp < u.stack[0].lo || sp >= u.stack[0].hi)
		u.stack[0] = (struct unwind_range){ sp, gort__page_of(sp) + GORT__PAGE };
	gort__trace_frames(&trace, &u);
	if (g) {
		gort__emit(&trace.out, "\n");
		gort__trace_goroutine(&trace, g, NULL);
	}
}

static void group_others(void)
{
	const struct m *m = gort__self();
	const struct g *self = m ? m->curg : NULL;

	while (dying.next) {
		struct g *g = dying.next;
		uint32_t status = gort__load(&g->status);
		// Moved on first: a fault in this one ends this one only.
		dying.next = g->allnext;
		if (g != self && status != G_DEAD && !(g->flags & G_SYSTEM))
			gort__groups_add(&trace, g, gort__frozen_at(gort__load(&g->m)),
					 &dying.groups);
	}
}

// One of each group with its stack, and how many stand where it does.
static void print_others(void)
{
	while (dying.told < dying.groups.n) {
		const struct gort_stack *s = &dying.groups.stacks[dying.told++];
		const struct g *g = gort__g_lookup(s->id);

		if (!g)
			continue;
		gort__emit(&trace.out, "\n");
		if (s->count > 1)
			gort__emit(&trace.out, "%lu goroutines stand here, one of them:\n",
				   s->count);
		gort__trace_goroutine(&trace, g, gort__frozen_at(gort__load(&g->m)));
	}
	if (dying.groups.failed)
		gort__emit(&trace.out, "\nsome goroutines are left out: no memory\n");
}

_Noreturn static void proceed(const struct unwind_regs *regs)
{
	switch (dying.stage) {
	case STAGE_REASON:
		gort__freeze_world();
		dying.stage = STAGE_SELF;
		print_self(regs);
		// fallthrough
	case STAGE_SELF:
		dying.stage = STAGE_GROUPS;
		gort__sink_flush(&trace.out);
		dying.next = gort__load_acquire(&sched.allg);
		dying.groups.apart = true;
		// fallthrough
	case STAGE_GROUPS:
		group_others();
		dying.stage = STAGE_OTHERS;
		// fallthrough
	case STAGE_OTHERS:
		print_others();
		gort__sink_flush(&trace.out);
		dying.stage = STAGE_SYMBOLS;
		gort__symbolise(&trace);
		// fallthrough
	case STAGE_SYMBOLS: break;
	}
	leave();
}

// A fault while dying: once it is told and what was not begun is still printed, then the end.
_Noreturn static void again(const char *reason, const struct unwind_regs *regs)
{
	if (++dying.depth == 1) {
		gort__emit(&trace.out, "\npanic during panic: %s", reason);
		gort__sink_flush(&trace.out);
		proceed(regs);
	}
	gort__emit(&trace.out, "\nstack trace unavailable\n");
	leave();
}

_Noreturn void gort__die(const char *reason, const struct unwind_regs *regs, bool internals)
{
	struct unwind_regs here;
	uint32_t nobody = 0, me = my_tid();

	gort__unwind_here(&here);
	if (!regs)
		regs = &here;
	// Nobody disturbs; but what is wrong here must come to the handler, not kill.
	gort__sigmask(SIG_SETMASK,
		      ~(GORT__SIG_BIT(SIGSEGV) | GORT__SIG_BIT(SIGBUS) | GORT__SIG_BIT(SIGFPE)));
	if (!gort__cas(&dying.tid, &nobody, me)) {
		if (nobody == me)
			again(reason, regs);
		gort__freeze_stop();
	}
	gort__trace("dies", NULL, 0, (const void *)regs->reg[UNWIND_PC]);
	trace.out = (struct sink){ .buf = dying.text, .size = TEXT, .fd = 2 };
	trace.now = gort_now();
	trace.internals = internals;
	gort__emit(&trace.out, "%s", reason);
	gort__sink_flush(&trace.out);
	proceed(regs);
}

_Noreturn void gort__throw(const char *msg)
{
	char reason[REASON];
	struct unwind_regs regs;

	gort__unwind_here(&regs);
	gort__format(reason, sizeof(reason), "fatal error: %s\n", msg);
	gort__die(reason, &regs, true);
}

_Noreturn void gort__fatal(const char *fmt, ...)
{
	char msg[REASON - 64], reason[REASON];
	struct unwind_regs regs;
	va_list ap;

	gort__unwind_here(&regs);
	va_start(ap, fmt);
	gort__vformat(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	gort__format(reason, sizeof(reason), "fatal error: %s\n", msg);
	gort__die(reason, &regs, false);
}
