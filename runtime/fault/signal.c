// SPDX-License-Identifier: MIT
// SIGSEGV, SIGBUS and SIGFPE: a panic where that leaves no lock of somebody else's held, else the
// end.
#include "runtime/base/signal.h"
#include "runtime/base/print.h"
#include "runtime/fault/fatal.h"
#include "runtime/fault/freeze.h"
#include "runtime/fault/panic.h"
#include "runtime/sched/given.h"
#include "runtime/sched/sched.h"

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

enum {
	RED_ZONE = 128,
	ROOM = 8 << 10, // deferred functions want at least that much stack
	LEAVES = 32,
	ROWS = 16, // recursion has few different frames
};

// What the handler leaves on the goroutine's stack. gort__sigpanic's unwind information describes
// its head.
struct sigpanic {
	struct unwind_regs regs;
	struct gort_panic what;
};

gort__hidden void gort__sigpanic(void);
_Noreturn gort__hidden void gort__sigpanic_here(struct sigpanic *s);

static struct gort__sigaction former[64]; // by signal: who had it before us
static uint64_t leaves[LEAVES]; // entries of functions that hold nothing while they run
static bool own_allocator; // malloc is part of the program, and cannot be told from it

// ---- what it was --------------------------------------------------------------------------------

static const char *describe(int sig, const siginfo_t *info, bool overflow)
{
	if (overflow)
		return "stack overflow";
	switch (sig) {
	case SIGFPE:
		if (info->si_code == FPE_INTDIV)
			return "integer division by zero or overflow";
		return info->si_code == FPE_INTOVF ? "integer overflow"
						   : "floating-point exception";
	case SIGBUS:
		return info->si_code == BUS_ADRERR ? "bus error: beyond the end of a mapped file"
						   : "bus error";
	}
	if (info->si_code == SI_KERNEL)
		return "invalid memory address or protected instruction";
	if ((uintptr_t)info->si_addr < GORT__PAGE)
		return "null pointer dereference";
	return info->si_code == SEGV_ACCERR ? "memory access not permitted"
					    : "invalid memory address";
}

static const char *const signal_names[] = {
	[SIGSEGV] = "SIGSEGV",
	[SIGBUS] = "SIGBUS",
	[SIGFPE] = "SIGFPE",
};

// ---- whether it can be a panic ------------------------------------------------------------------

static bool starts(const char *s, const char *prefix)
{
	while (*prefix && *s == *prefix)
		s++, prefix++;
	return !*prefix;
}

// Modules whose code may hold locks that nobody would ever release.
static bool holds_locks(const struct link_map *map)
{
	static const char *const names[] = {
		"libc.so",     "libc-",	      "ld-linux",  "ld-",	"libpthread", "libdl",
		"linux-vdso",  "libasan",     "libtsan",   "libubsan",	"liblsan",    "libjemalloc",
		"libtcmalloc", "libmimalloc", "vgpreload", "libresolv",
	};
	const char *name = map->l_name, *base = name;

	for (; *name; name++)
		if (*name == '/')
			base = name + 1;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (starts(base, names[i]))
			return true;
	return false;
}

static bool is_leaf(uint64_t pc)
{
	uint64_t entry = gort__unwind_entry(pc);

	for (unsigned i = 0; entry && i < LEAVES && leaves[i]; i++)
		if (leaves[i] == entry)
			return true;
	return false;
}

static const char *const in_runtime = "in the runtime";

// NULL when the goroutine may go on by panicking.
static const char *why_not(const struct m *m, const struct g *g, const struct unwind_regs *regs)
{
	struct unwind_row rows[ROWS];
	bool top = true;
	struct unwind u;
	uint64_t pc = 0;

	if (m->on_system || gort__load(&m->in_runtime))
		return in_runtime;
	if (gort__load(&m->retake) == RETAKE_BLOCKING)
		return "in gort_blocking";
	if (g->in_overflow)
		return "in a deferred function after a stack overflow";
	if (own_allocator)
		return "the allocator is part of the program";
	memset(rows, 0, sizeof(rows));
	gort__unwind_begin(&u, regs, g, NULL);
	u.rows = rows;
	u.nrows = ROWS;
	do {
		struct dl_find_object object;
		pc = gort__unwind_lookup(&u);
		bool found = !_dl_find_object((void *)pc, &object) && object.dlfo_link_map;
		if (found && holds_locks(object.dlfo_link_map) && !(top && is_leaf(pc)))
			return "inside libc, the dynamic linker or an allocator";
		if (top && gort__in_runtime_text(pc))
			return in_runtime;
		top = false;
	} while (gort__unwind_step(&u));
	// Code that cannot be walked through may hold anything.
	return gort__in_runtime_text(pc) ? NULL : "its stack cannot be walked";
}

// ---- the handler --------------------------------------------------------------------------------

_Noreturn void gort__sigpanic_here(struct sigpanic *s)
{
	gort__panic(&s->what);
}

static void send_to_panic(struct g *g, ucontext_t *uc, const struct sigpanic *from, bool overflow)
{
	uintptr_t sp = from->regs.reg[UNWIND_RSP], lo = (uintptr_t)g->stack.lo;
	struct sigpanic *to;

	if (overflow || sp - RED_ZONE - sizeof(*to) < lo + ROOM) {
		gort__stack_guard_open(g);
		g->in_overflow = true;
	}
	// Below lo nothing was ever written, however far below it the stack pointer went.
	sp = sp > lo ? sp - RED_ZONE : lo;
	to = (struct sigpanic *)((sp - sizeof(*to)) & ~(uintptr_t)15);
	*to = *from;
	uc->uc_mcontext.gregs[REG_RSP] = (greg_t)to;
	uc->uc_mcontext.gregs[REG_RIP] = (greg_t)gort__sigpanic;
	// Direction and trap flag: C expects them clear.
	uc->uc_mcontext.gregs[REG_EFL] &= ~0x500ll;
}

static bool chain(int sig, siginfo_t *info, void *ucontext, bool foreign)
{
	const struct gort__sigaction *old = &former[sig];
	uintptr_t h = (uintptr_t)old->handler;

	if (h != (uintptr_t)SIG_DFL && h != (uintptr_t)SIG_IGN) {
		if (old->flags & SA_SIGINFO)
			((gort__handler *)h)(sig, info, ucontext);
		else
			((void (*)(int))h)(sig);
		return true;
	}
	if (!foreign)
		return false;
	// Not ours to explain: as if the runtime had never been, with the core file its owner
	// expects.
	gort__sigaction_restore(sig, &(struct gort__sigaction){ 0 });
	return true;
}

_Noreturn static void die(int sig, const siginfo_t *info, const struct unwind_regs *regs,
			  const char *what, const char *why)
{
	char reason[512];
	size_t n = gort__format(reason, sizeof(reason), "fatal error: %s: %s%s%s\n",
				signal_names[sig], what, why ? ", not recoverable: " : "",
				why ? why : "");

	if (n < sizeof(reason))
		gort__format(reason + n, sizeof(reason) - n,
			     "[signal %d, code %d, address %p, at 0x%lx]\n", sig, info->si_code,
			     info->si_addr, regs->reg[UNWIND_PC]);
	gort__die(reason, regs, why == in_runtime);
}

static void handler(int sig, siginfo_t *info, void *ucontext)
{
	struct m *m = gort__self();
	struct g *g = m ? m->curg : NULL;
	bool raised = info->si_code <= 0, overflow = false;
	struct sigpanic s;
	const char *why, *what;

	gort__unwind_context(&s.regs, ucontext);
	if (gort__dying_here())
		die(sig, info, &s.regs, describe(sig, info, false), NULL);
	if (raised) {
		if (chain(sig, info, ucontext, false))
			return;
		die(sig, info, &s.regs, "sent by a process", NULL);
	}
	if (!g && (!m || m->kind == M_ATTACHED || m->kind == M_EXTRA) &&
	    !gort__in_runtime_text(s.regs.reg[UNWIND_PC])) {
		chain(sig, info, ucontext, true);
		return;
	}
	if (g)
		overflow = sig != SIGFPE && gort__stack_in_guard(g, info->si_addr);
	what = describe(sig, info, overflow);
	why = g ? why_not(m, g, &s.regs) : in_runtime;
	if (why) {
		if (!chain(sig, info, ucontext, false))
			die(sig, info, &s.regs, what, why);
		return;
	}
	s.what = (struct gort_panic){
		.signo = sig,
		.code = info->si_code,
		.addr = info->si_addr,
		.pc = (void *)s.regs.reg[UNWIND_PC],
	};
	gort__format(s.what.msg, sizeof(s.what.msg), "%s", what);
	send_to_panic(g, ucontext, &s, overflow);
}

// ---- start --------------------------------------------------------------------------------------

static void find_leaves(void)
{
	// By pointer, so that each resolves to the variant that this processor uses.
	void *const functions[] = {
		(void *)memcpy,	 (void *)memmove,   (void *)memset,    (void *)memcmp,
		(void *)memchr,	 (void *)memrchr,   (void *)mempcpy,   (void *)memccpy,
		(void *)memmem,	 (void *)rawmemchr, (void *)strlen,    (void *)strnlen,
		(void *)strcpy,	 (void *)strncpy,   (void *)stpcpy,    (void *)stpncpy,
		(void *)strcmp,	 (void *)strncmp,   (void *)strchr,    (void *)strrchr,
		(void *)strcat,	 (void *)strncat,   (void *)strstr,    (void *)strspn,
		(void *)strcspn, (void *)strpbrk,   (void *)strchrnul,
	};
	unsigned n = 0;

	_Static_assert(sizeof(functions) / sizeof(functions[0]) <= LEAVES, "leaves");
	for (unsigned i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		leaves[n] = gort__unwind_entry((uintptr_t)functions[i]);
		n += leaves[n] != 0;
	}
}

// A static malloc's frames would look like the program's.
static bool allocator_is_ours(void)
{
	struct dl_find_object object;
	struct place at;
	void *volatile allocator = (void *)malloc;

	if (_dl_find_object((void *)allocator, &object) || !object.dlfo_link_map)
		return true;
	if (holds_locks(object.dlfo_link_map))
		return false;
	// In the program itself it may be just the jump to libc's, which has no symbol.
	gort__place(&at, (uintptr_t)allocator, (uintptr_t)allocator);
	return !object.dlfo_link_map->l_ld || at.name;
}

// Binds and loads what a report will use, while that may still take locks.
static void rehearse(void)
{
	struct unwind_regs regs;
	struct unwind u;

	gort__unwind_here(&regs);
	gort__unwind_begin(&u, &regs, NULL, NULL);
	u.stack[0] = (struct unwind_range){ regs.reg[UNWIND_RSP],
					    gort__page_of(regs.reg[UNWIND_RSP]) + GORT__PAGE };
	while (gort__unwind_step(&u))
		;
}

// Where everybody is, and the end: what a program that hangs is asked by ^\.
static void on_quit(int sig, siginfo_t *info, void *context)
{
	struct unwind_regs regs;

	(void)sig, (void)info;
	gort__unwind_context(&regs, context);
	gort__die("SIGQUIT: quit\n", &regs, false);
}

// A program that has an action of its own keeps it.
static void take_quit(void)
{
	struct gort__sigaction now;

	gort__sigaction_now(SIGQUIT, &now);
	if (now.handler == (void *)SIG_DFL)
		gort__sigaction(SIGQUIT, on_quit, 0, 0, NULL);
}

void gort__fault_init(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE };
	const uint64_t mask = GORT__SIG_BIT(GORT__SIG_PAUSE) | GORT__SIG_OWN;

	gort__image_init();
	find_leaves();
	own_allocator = allocator_is_ours();
	rehearse();
	gort__freeze_init();
	take_quit();
	// Not blocked meanwhile: a fault on the fatal path must come here, not kill the process.
	for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		gort__sigaction(signals[i], handler, SA_NODEFER, mask, &former[signals[i]]);
}
