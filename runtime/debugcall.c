// SPDX-License-Identifier: MIT
// The host of debug calls: a debugger pointed a thread in user code of a goroutine at our entry. The call runs on a
// goroutine of its own, on the same thread throughout; without a debugger the thread goes home by itself.
#include "runtime/debugcall.h"
#include "protocol/conversation.h"
#include "runtime/base/signal.h"
#include "runtime/descriptor.h"
#include "runtime/gort.h"
#include "runtime/sched/core.h"

#include <cpuid.h>
#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

// One call, on the caller's stack; nested calls of one thread are linked.
struct debugcall {
	int32_t pid, tid;
	uint64_t size; // of the argument frame
	uint64_t mask; // the thread's own signal mask
	uint32_t *flag; // status + 1 while it is being said, UNHEARD once it came back
	struct debugcall *outer;
	struct host_conversation host;
	struct m *m;
	struct g *caller; // NULL: the thread was idle
	struct g *callee;
	void *pc;
	uint32_t locks; // gort_lock_os_thread nesting of the caller
	int panicked;
	struct gort_panic panic;
	bool has_interrupt; // a SIGINT that the program has blocked came meanwhile
	siginfo_t interrupt;
};
_Static_assert(offsetof(struct debugcall, pid) == CALL_PID, "debugcall.h");
_Static_assert(offsetof(struct debugcall, tid) == CALL_TID, "debugcall.h");
_Static_assert(offsetof(struct debugcall, size) == CALL_SIZE, "debugcall.h");
_Static_assert(offsetof(struct debugcall, mask) == CALL_MASK, "debugcall.h");
_Static_assert(offsetof(struct debugcall, flag) == CALL_FLAG, "debugcall.h");
_Static_assert(sizeof(struct debugcall_entry) == 8 * (ENTRY_WORDS + 1), "debugcall.h");
_Static_assert(DEBUGCALL_STATUS_READY == DEBUGCALL_READY &&
		       DEBUGCALL_STATUS_RETURNED == DEBUGCALL_RETURNED,
	       "protocol/debugcall.h");

enum {
	UNHEARD = 0x80000000u,
	DEPTH_MAX = 4, // calls inside calls of one thread
	CALLEE_ROOM = 48 << 10, // stack beyond the argument frame
	XSTATE_ALIGN = 64,
};

#define SIG_BIT(sig) (UINT64_C(1) << ((sig)-1))

// Across a handshake everything but the handshake itself is blocked: a handler that began first would make the
// saved PC its own. Faults must not be blocked, the kernel would reset their handlers; 32 and 33 are libc's.
const uint64_t gort__handshake_mask = ~(SIG_BIT(SIGINT) | SIG_BIT(SIGSEGV) | SIG_BIT(SIGBUS) |
					SIG_BIT(SIGFPE) | SIG_BIT(SIGILL) | SIG_BIT(SIGTRAP) |
					SIG_BIT(SIGSYS) | SIG_BIT(32) | SIG_BIT(33));

uint32_t gort__debugcall_xsave;
static size_t xstate_size;

extern gort__hidden const char __start_gort_text[], __stop_gort_text[], gort__idle_pc[];

static long raw(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

// ---- SIGINT -------------------------------------------------------------------------------------
// While a call is under way the disposition is ours, so that a handshake that nobody swallows does not end the
// program. A disposition of SIG_IGN does that already.

static struct {
	uint32_t lock; // the holder's thread id
	uint32_t users;
	bool ignored;
	struct gort__sigaction program;
} interrupt;

static bool is_handshake(const struct debugcall *call, const siginfo_t *info, uintptr_t pc)
{
	return call && gort__load(call->flag) && info->si_code == SI_TKILL &&
	       info->si_pid == call->pid && pc >= (uintptr_t)gort__handshake_first &&
	       pc <= (uintptr_t)gort__handshake_last;
}

static void to_program(int sig, siginfo_t *info, void *context)
{
	struct gort__sigaction program = interrupt.program;

	if (program.handler == (void *)SIG_IGN)
		return;
	if (program.handler == (void *)SIG_DFL) {
		gort__sigaction_restore(sig, &program);
		gort__tgkill((int)raw(SYS_gettid, 0, 0, 0, 0, 0, 0), sig);
		gort__sigmask(SIG_UNBLOCK, SIG_BIT(sig));
		return;
	}
	gort__sigmask(SIG_BLOCK, program.mask);
	((gort__handler *)program.handler)(sig, info, context);
}

static void on_interrupt(int sig, siginfo_t *info, void *context)
{
	struct m *m = gort__self();
	struct debugcall *call = m ? m->call : NULL;
	const ucontext_t *uc = context;

	if (is_handshake(call, info, (uintptr_t)uc->uc_mcontext.gregs[REG_RIP])) {
		debugcall_client *client = (debugcall_client *)(uintptr_t)gort__load(
			&debugcall_descriptor.client);
		if (client)
			client(sig, info, context);
		else
			gort__store(call->flag, UNHEARD);
		return;
	}
	// Only we have it unblocked: whoever waits for it by sigwait or a signalfd gets it afterwards.
	if (call && gort__load(call->flag) && (call->mask & SIG_BIT(SIGINT))) {
		call->has_interrupt = true;
		call->interrupt = *info;
		return;
	}
	to_program(sig, info, context);
}

// Held for two system calls. False when this very thread was interrupted while it held it, or when the
// holder does not go on, as a thread that another debugger stopped.
static bool interrupt_lock(void)
{
	enum { TRIES = 1 << 22 };
	uint32_t self = (uint32_t)raw(SYS_gettid, 0, 0, 0, 0, 0, 0);

	for (int i = 0; i < TRIES; i++) {
		uint32_t holder = 0;
		if (gort__cas(&interrupt.lock, &holder, self))
			return true;
		if (holder == self)
			return false;
		gort__relax();
	}
	return false;
}

static void interrupt_unlock(void)
{
	gort__store_release(&interrupt.lock, 0);
}

static bool is_ours(const struct gort__sigaction *sa)
{
	return sa->handler == (void *)on_interrupt;
}

static enum debugcall_refusal own_interrupt(void)
{
	enum debugcall_refusal refusal = DEBUGCALL_ACCEPTED;
	struct gort__sigaction now;

	if (!interrupt_lock())
		return DEBUGCALL_SIGNAL_OWNED;
	raw(SYS_rt_sigaction, SIGINT, 0, (long)&now, 8, 0, 0);
	if (interrupt.users) {
		// The program has taken it while another call is under way, and may count on it.
		if (!interrupt.ignored && !is_ours(&now))
			refusal = DEBUGCALL_SIGNAL_OWNED;
	} else {
		interrupt.program = now;
		interrupt.ignored = now.handler == (void *)SIG_IGN && !debugcall_descriptor.client;
		if (!interrupt.ignored)
			gort__sigaction(SIGINT, on_interrupt, 0, ~0ull, NULL);
	}
	interrupt.users += !refusal;
	interrupt_unlock();
	return refusal;
}

static void disown_interrupt(void)
{
	struct gort__sigaction now;

	while (!interrupt_lock())
		gort__relax();
	raw(SYS_rt_sigaction, SIGINT, 0, (long)&now, 8, 0, 0);
	if (--interrupt.users == 0 && is_ours(&now))
		gort__sigaction_restore(SIGINT, &interrupt.program);
	interrupt_unlock();
}

// ---- speaking -----------------------------------------------------------------------------------

static void quiet(struct debugcall *call)
{
	call->mask = gort__sigmask(SIG_SETMASK, gort__handshake_mask);
}

// Ends what quiet began: what became of the handshake.
static enum host_event heard(struct debugcall *call)
{
	bool unheard = gort__load(call->flag) == UNHEARD;

	gort__store(call->flag, 0);
	gort__sigmask(SIG_SETMASK, call->mask);
	if (call->has_interrupt) {
		call->has_interrupt = false;
		// With its siginfo where the kernel lets us, which is for queued ones; else as a plain one.
		if (raw(SYS_rt_sigqueueinfo, call->pid, SIGINT, (long)&call->interrupt, 0, 0, 0))
			raw(SYS_kill, call->pid, SIGINT, 0, 0, 0, 0);
	}
	return unheard ? HOST_ON_UNHEARD : HOST_ON_HEARD;
}

static enum host_action say(struct debugcall *call, enum debugcall_status status, const void *a,
			    unsigned long b)
{
	quiet(call);
	gort__debugcall_say(call, status, a, b);
	return host_step(&call->host, heard(call));
}

static enum host_action say_refused(struct debugcall *call, enum debugcall_refusal refusal)
{
	const char *text = debugcall_refusal_text(refusal);
	unsigned long n = 0;

	while (text[n])
		n++;
	host_step(&call->host, HOST_ON_REFUSES);
	return say(call, DEBUGCALL_REFUSED, text, n);
}

// ---- the callee's goroutine ---------------------------------------------------------------------

static void dispatch(void *arg)
{
	struct debugcall *call = arg;

	host_step(&call->host, HOST_ON_ACCEPTS);
	quiet(call);
	bool returned = gort__debugcall_dispatch(call);
	if (returned)
		host_step(&call->host, HOST_ON_RETURNS);
	host_step(&call->host, heard(call));
}

static void callee_main(void *arg)
{
	struct debugcall *call = arg;

	call->panicked = gort_try(dispatch, call, &call->panic);
}

// On the system stack: the callee's goroutine is over, the caller goes on where it was, at once.
static void back(struct g *g, struct m *m)
{
	struct debugcall *call = g->arg;
	struct g *caller = call->caller;

	gort__detach(g, m);
	gort__store(&g->status, G_DEAD);
	g->lockedm = NULL;
	m->p->ended++;
	gort__stack_put(m->p, g);
	m->locks = call->locks;
	if (!caller)
		gort__sys_return(m);
	m->lockedg = caller;
	caller->lockedm = m;
	gort__m_tie(m);
	gort__execute(m, caller);
}

void gort__debugcall_end(struct g *g)
{
	struct debugcall *call = g->arg;

	if (call->host.state == HOST_READY) {
		const void *panic = call->panicked ? &call->panic : NULL;
		gort__leave();
		host_step(&call->host, HOST_ON_PANICS);
		say(call, DEBUGCALL_PANICKED, panic, 0);
		gort__enter("debug call");
	}
	gort__switch_for_ever(back);
}

// On the system stack: the callee's goroutine takes the thread over.
static struct g *make_callee(struct debugcall *call)
{
	struct gort_attr attr = { .stack_size = call->size + CALLEE_ROOM, .label = "debug call" };
	struct m *m = call->m;

	call->callee = gort__g_make(callee_main, call, &attr, call->pc, G_DEBUGCALL);
	if (call->callee) {
		// The callee must not be able to unlock the caller's thread away.
		call->locks = m->locks;
		m->locks = 0;
		m->lockedg = call->callee;
		call->callee->lockedm = m;
		gort__m_tie(m);
	}
	return call->callee;
}

static void begin(struct g *caller, struct m *m)
{
	struct g *callee;

	gort__detach(caller, m);
	callee = make_callee(m->call);
	if (!callee) {
		gort__execute(m, caller);
		return;
	}
	callee->creator_id = caller->id;
	caller->wait_since = gort__load(&sched.coarse_now);
	caller->wait_reason = WAIT_DEBUGCALL;
	caller->lockedm = NULL;
	gort__store_release(&caller->status, G_WAITING);
	gort__execute(m, callee);
}

static void begin_idle(struct m *m)
{
	struct g *callee = make_callee(m->call);

	if (!callee)
		gort__sys_return(m);
	gort__execute(m, callee);
}

// ---- the caller ---------------------------------------------------------------------------------

static bool in_library(const void *pc, const void *function)
{
	struct dl_find_object of_pc, of_function;

	return !_dl_find_object((void *)pc, &of_pc) &&
	       !_dl_find_object((void *)function, &of_function) &&
	       of_pc.dlfo_map_start == of_function.dlfo_map_start;
}

static enum debugcall_refusal check_place(const struct debugcall_entry *entry)
{
	const char *pc = (const char *)entry->pc;
	struct dl_find_object object;

	if (_dl_find_object((void *)pc, &object))
		return DEBUGCALL_UNKNOWN_FUNCTION;
	if (pc >= __start_gort_text && pc < __stop_gort_text)
		return DEBUGCALL_WITHIN_RUNTIME;
	// The C library and the dynamic linker hold locks that a callee may want.
	if (object.dlfo_link_map && object.dlfo_link_map->l_name[0] &&
	    (in_library(pc, (const void *)(uintptr_t)malloc) ||
	     in_library(pc, (const void *)(uintptr_t)_dl_find_object)))
		return DEBUGCALL_NOT_SAFE;
	return DEBUGCALL_ACCEPTED;
}

static enum debugcall_refusal check_size(struct debugcall *call,
					 const struct debugcall_entry *entry)
{
	uint64_t size = DEBUGCALL_FRAME_MIN;

	if (entry->size > DEBUGCALL_FRAME_MAX)
		return DEBUGCALL_FRAME_TOO_LARGE;
	while (size < entry->size)
		size *= 2;
	call->size = size;
	return DEBUGCALL_ACCEPTED;
}

static enum debugcall_refusal run(struct debugcall *call)
{
	struct m *m = call->m;
	struct g *g = call->caller;

	// Tied first: getting a P may park, and must come back on this thread.
	m->locks_internal++;
	m->lockedg = g;
	g->lockedm = m;
	gort__m_tie(m);
	gort__enter("debug call");
	gort__switch(begin);
	if (--m->locks_internal == 0 && !m->locks) {
		m->lockedg = NULL;
		g->lockedm = NULL;
	}
	gort__m_tie(m);
	gort__leave();
	return call->callee ? DEBUGCALL_ACCEPTED : DEBUGCALL_NO_MEMORY;
}

// The thread sleeps without work, deep in its system stack: the scheduler gets what lies below.
static enum debugcall_refusal run_idle(struct debugcall *call)
{
	struct m *m = call->m;
	void *sys_sp = m->sys_sp;

	if (!gort__idle_borrow(m))
		return DEBUGCALL_NOT_IDLE;
	gort__sys_enter(m, begin_idle);
	m->sys_sp = sys_sp;
	m->lockedg = NULL;
	gort__m_tie(m);
	gort__idle_return(m);
	return call->callee ? DEBUGCALL_ACCEPTED : DEBUGCALL_NO_MEMORY;
}

static void converse(struct debugcall *call, const struct debugcall_entry *entry)
{
	bool idle = !call->caller;
	enum debugcall_refusal refusal = idle ? DEBUGCALL_ACCEPTED : check_place(entry);

	if (!refusal)
		refusal = check_size(call, entry);
	if (!refusal)
		refusal = idle ? run_idle(call) : run(call);
	if (refusal)
		say_refused(call, refusal);
	if (call->host.state == HOST_RESTORING)
		say(call, DEBUGCALL_RESTORED, NULL, 0);
}

void gort__debugcall(struct debugcall_entry *entry)
{
	struct m *m = gort__self();
	struct debugcall call = { .pid = (int32_t)raw(SYS_getpid, 0, 0, 0, 0, 0, 0),
				  .tid = (int32_t)raw(SYS_gettid, 0, 0, 0, 0, 0, 0),
				  .flag = &m->handshake,
				  .outer = m->call,
				  .m = m,
				  .caller = m->curg,
				  .pc = (void *)entry->pc };
	int err = *m->errno_addr;

	m->call = &call;
	host_step(&call.host, HOST_ON_ENTERED);
	converse(&call, entry);
	m->call = call.outer;
	m->call_depth--;
	disown_interrupt();
	*m->errno_addr = err;
}

// ---- before the extended state is saved ---------------------------------------------------------

static bool on_goroutine(const struct m *m, const struct debugcall_entry *entry)
{
	const struct g *g = m ? m->curg : NULL;
	const char *sp = (const char *)entry;

	return g && sp > g->stack.lo && sp < g->stack.hi;
}

static bool is_idle(const struct m *m, const struct debugcall_entry *entry)
{
	return m && entry->pc == (uintptr_t)gort__idle_pc && !m->curg && !m->lockedg &&
	       (m->kind == M_ORDINARY || m->kind == M_MAIN);
}

static void *room_of(struct m *m)
{
	if (!gort__load_acquire(&xstate_size)) {
		unsigned a, b, size, d;
		__cpuid_count(0xd, 1, a, b, size, d);
		uint32_t how = a & 2 ? 2 : 1;
		__cpuid_count(0xd, 0, a, b, size, d);
		gort__store(&gort__debugcall_xsave, how);
		gort__store_release(&xstate_size,
				    (size + XSTATE_ALIGN) / XSTATE_ALIGN * XSTATE_ALIGN);
	}
	if (!m->call_room) {
		long room = raw(SYS_mmap, 0, (long)(DEPTH_MAX * xstate_size),
				PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (room < 0)
			return NULL;
		m->call_room = (char *)room;
	}
	return m->call_room + m->call_depth * xstate_size;
}

void *gort__debugcall_prepare(struct debugcall_entry *entry)
{
	struct m *m = gort__self();
	void *room;

	bool idle = is_idle(m, entry);

	if (!idle && !on_goroutine(m, entry))
		entry->refusal = DEBUGCALL_RUNTIME_STACK;
	else if (gort__load(&gort__freezing))
		entry->refusal = DEBUGCALL_FREEZING;
	else if (gort__load(&m->retake) == RETAKE_FORKED)
		entry->refusal = DEBUGCALL_FORKED;
	else if (!idle && gort__load(&m->in_runtime))
		entry->refusal = DEBUGCALL_WITHIN_RUNTIME;
	else if (!idle && (const char *)entry - m->curg->stack.lo < DEBUGCALL_STACK_ROOM)
		entry->refusal = DEBUGCALL_STACK_SPACE;
	else if (m->call_depth == DEPTH_MAX)
		entry->refusal = DEBUGCALL_TOO_DEEP;
	else
		entry->refusal = own_interrupt();
	if (entry->refusal)
		return NULL;
	room = room_of(m);
	if (!room) {
		entry->refusal = DEBUGCALL_NO_MEMORY;
		disown_interrupt();
		return NULL;
	}
	m->call_depth++;
	return room;
}

// Refused before there was anything to give back but general registers.
void gort__debugcall_refuse(struct debugcall_entry *entry)
{
	struct m *m = gort__self();
	uint32_t flag = 0;
	struct debugcall *call, local;

	// A handshake whose disposition is not ours might end the program.
	if (!m || own_interrupt())
		return;
	call = &local;
	call->pid = (int32_t)raw(SYS_getpid, 0, 0, 0, 0, 0, 0);
	call->tid = (int32_t)raw(SYS_gettid, 0, 0, 0, 0, 0, 0);
	call->flag = &flag;
	call->outer = m->call;
	call->has_interrupt = false;
	call->host.state = HOST_NOWHERE;
	m->call = call;
	host_step(&call->host, HOST_ON_ENTERED);
	say_refused(call, (enum debugcall_refusal)entry->refusal);
	if (call->host.state == HOST_RESTORING)
		say(call, DEBUGCALL_RESTORED, NULL, 0);
	m->call = call->outer;
	disown_interrupt();
}
