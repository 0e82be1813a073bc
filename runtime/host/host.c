// SPDX-License-Identifier: MIT
// The host of debug calls: a debugger pointed a thread in user code of a goroutine at our entry.
// The call runs on a goroutine of its own, on the same thread throughout; without a debugger the
// thread goes home by itself.
#include "runtime/host/host.h"
#include "protocol/conversation.h"
#include "runtime/amd64/offsets.h"
#include "runtime/base/raw.h"
#include "runtime/base/trace.h"
#include "runtime/sched/core.h"
#include "runtime/sched/exceptions.h"

#include <cpuid.h>
#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

_Static_assert(offsetof(struct speaker, pid) == CALL_PID, "amd64/offsets.h");
_Static_assert(offsetof(struct speaker, tid) == CALL_TID, "amd64/offsets.h");
_Static_assert(offsetof(struct speaker, size) == CALL_SIZE, "amd64/offsets.h");
_Static_assert(offsetof(struct speaker, mask) == CALL_MASK, "amd64/offsets.h");
_Static_assert(offsetof(struct speaker, flag) == CALL_FLAG, "amd64/offsets.h");
_Static_assert(offsetof(struct speaker, abandoned) == CALL_ABANDONED, "amd64/offsets.h");
_Static_assert(sizeof(struct debugcall_entry) == 8 * (ENTRY_WORDS + 1), "amd64/offsets.h");
_Static_assert(DEBUGCALL_STATUS_READY == DEBUGCALL_READY &&
		       DEBUGCALL_STATUS_RETURNED == DEBUGCALL_RETURNED,
	       "protocol/debugcall.h");

enum {
	DEPTH_MAX = 4, // calls inside calls of one thread
	CALLEE_ROOM = 48 << 10, // stack beyond the argument frame
	XSTATE_ALIGN = 64,
};

// Across a handshake everything but the handshake itself is blocked: a handler that began first
// would make the saved PC its own. Faults must not be blocked, the kernel would reset their
// handlers; two are libc's.
static const uint64_t handshake_mask = ~(
	GORT__SIG_BIT(SIGINT) | GORT__SIG_BIT(SIGSEGV) | GORT__SIG_BIT(SIGBUS) |
	GORT__SIG_BIT(SIGFPE) | GORT__SIG_BIT(SIGILL) | GORT__SIG_BIT(SIGTRAP) |
	GORT__SIG_BIT(SIGSYS) | GORT__SIG_BIT(GORT__SIG_LIBC_CANCEL) |
	GORT__SIG_BIT(GORT__SIG_LIBC_SETID));

uint32_t gort__debugcall_xsave;
static size_t xstate_size;

extern gort__hidden const char __start_gort_text[], __stop_gort_text[], gort__idle_pc[];

// ---- speaking -----------------------------------------------------------------------------------

void gort__debugcall_hush(void)
{
	gort__sigint_renew();
	gort__sigmask(SIG_SETMASK, handshake_mask);
}

// A SIGINT that the program had blocked comes through with the second step, when it must be known
// that it was.
static void quiet(struct debugcall *call)
{
	call->speaker.mask = gort__sigmask(SIG_BLOCK, 0);
	gort__store(&call->quiet, 1);
	gort__debugcall_hush();
}

// Ends what quiet began: what became of the handshake.
static enum host_event heard(struct debugcall *call)
{
	bool unheard = gort__load(call->speaker.flag) == DEBUGCALL_UNHEARD;

	gort__store(call->speaker.flag, 0);
	gort__sigmask(SIG_SETMASK, call->speaker.mask);
	gort__store(&call->quiet, 0);
	gort__sigints_return(&call->kept, call->speaker.pid, call->speaker.tid);
	return unheard ? HOST_ON_UNHEARD : HOST_ON_HEARD;
}

// What happened goes to the machine, and what it answers is done next.
static void tell(struct debugcall *call, enum host_event event)
{
	call->next = host_step(&call->host, event);
	gort__trace("debug call", host_event_name(event), 0, call->pc);
	if (call->next == HOST_DO_FAIL)
		gort__throw("a debug call took a turn that it cannot take");
}

static void say(struct debugcall *call, enum debugcall_status status, const void *a,
		unsigned long b)
{
	quiet(call);
	gort__debugcall_say(&call->speaker, status, a, b);
	tell(call, heard(call));
}

static void say_refused(struct debugcall *call)
{
	const char *text = debugcall_refusal_text(call->refusal);
	unsigned long n = 0;

	while (text[n])
		n++;
	say(call, DEBUGCALL_REFUSED, text, n);
}

// ---- the callee's goroutine ---------------------------------------------------------------------

static void dispatch(void *arg)
{
	struct callee *callee = arg;
	struct debugcall *call = callee->call;

	tell(call, HOST_ON_ACCEPTS);
	quiet(call);
	callee->speaker = call->speaker;
	// Ready is said there, and so is returned, before the callee's registers are lost.
	switch (gort__debugcall_dispatch(&callee->speaker)) {
	case DISPATCH_RETURNED: tell(call, HOST_ON_RETURNS); break;
	case DISPATCH_DECLINED: break;
	case DISPATCH_ABANDONED: return;
	}
	tell(call, heard(call));
}

// What C++ throws in it is a panic, too.
static void dispatch_caught(void *arg)
{
	gort__call_caught(dispatch, arg);
}

// A panic of one that was abandoned has nobody to be told to, and ends its goroutine.
static void callee_main(void *arg)
{
	struct callee callee = { .call = arg };
	struct gort_panic panic;

	callee.call->callee = &callee;
	int panicked = gort_try(dispatch_caught, &callee, &panic);

	if (gort__load(&callee.speaker.abandoned))
		return;
	callee.call->panicked = panicked;
	callee.call->panic = panic;
}

// On the system stack: the callee's goroutine is over, the caller goes on where it was, at once.
static void back(struct g *g, struct m *m)
{
	struct debugcall *call = m->call;
	struct g *caller = call->caller;

	gort__detach(g, m);
	gort__store(&g->status, G_DEAD);
	g->lockedm = NULL;
	m->p->ended++;
	gort__san_end(g);
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
	struct debugcall *call = gort__self()->call;

	(void)g;
	// It neither returned nor was declined.
	if (call->next == HOST_DO_SAY_READY)
		tell(call, HOST_ON_PANICS);
	if (call->next == HOST_DO_SAY_PANICKED) {
		const void *panic = call->panicked ? &call->panic : NULL;
		gort__leave();
		// Not what the callee left of it, nor a debugger that died on its way into the
		// callee.
		gort__sigmask(SIG_SETMASK, call->speaker.mask);
		say(call, DEBUGCALL_PANICKED, panic, 0);
		gort__enter("debug call");
	}
	gort__switch_for_ever(back);
}

// On the system stack: the callee's goroutine takes the thread over.
static struct g *make_callee(struct debugcall *call)
{
	struct gort_attr attr = { .stack_size = call->speaker.size + CALLEE_ROOM,
				  .label = "debug call" };
	struct m *m = call->m;
	struct g *g = gort__g_make(callee_main, call, &attr, call->pc, G_DEBUGCALL);

	call->goroutine = g;
	if (g) {
		// The callee must not be able to unlock the caller's thread away.
		call->locks = m->locks;
		m->locks = 0;
		m->lockedg = g;
		g->lockedm = m;
		gort__m_tie(m);
	}
	return g;
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
	if (pc >= __start_gort_text && pc < __stop_gort_text && pc != gort__attend_pc)
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
	call->speaker.size = size;
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
	return call->goroutine ? DEBUGCALL_ACCEPTED : DEBUGCALL_NO_MEMORY;
}

// The thread sleeps without work, deep in its system stack: the scheduler gets what lies below.
static enum debugcall_refusal run_idle(struct debugcall *call)
{
	struct m *m = call->m;
	void *sys_sp = m->sys_sp;

	if (!gort__idle_borrow(m))
		return DEBUGCALL_NOT_IDLE;
	// Neither the callee's own unlock nor a call inside it ends the tie to this thread.
	m->locks_internal++;
	gort__sys_enter(m, begin_idle);
	m->locks_internal--;
	m->sys_sp = sys_sp;
	m->lockedg = NULL;
	gort__m_tie(m);
	gort__idle_return(m);
	return call->goroutine ? DEBUGCALL_ACCEPTED : DEBUGCALL_NO_MEMORY;
}

// Accepted, the callee's goroutine goes on with the conversation; it is over when this returns.
__attribute__((noinline)) static void look_and_run(struct debugcall *call,
						   const struct debugcall_entry *entry)
{
	bool idle = !call->caller;

	call->refusal = idle ? DEBUGCALL_ACCEPTED : check_place(entry);
	if (!call->refusal)
		call->refusal = check_size(call, entry);
	if (!call->refusal)
		call->refusal = idle ? run_idle(call) : run(call);
}

// For one that is refused already there may be hardly any stack: nothing above is on this way.
static void check(struct debugcall *call, const struct debugcall_entry *entry)
{
	call->refusal = (enum debugcall_refusal)entry->refusal;
	if (!call->refusal)
		look_and_run(call, entry);
	if (call->refusal)
		tell(call, HOST_ON_REFUSES);
}

// Does what the machine says until it says to go home.
static void converse(struct debugcall *call, const struct debugcall_entry *entry)
{
	tell(call, HOST_ON_ENTERED);
	while (call->next != HOST_DO_GO_HOME) {
		switch (call->next) {
		case HOST_DO_CHECK: check(call, entry); break;
		case HOST_DO_SAY_REFUSED: say_refused(call); break;
		case HOST_DO_SAY_RESTORED: say(call, DEBUGCALL_RESTORED, NULL, 0); break;
		default: gort__throw("a debug call was left in the middle");
		}
	}
}

static struct speaker speaker_of(uint32_t *flag)
{
	return (struct speaker){ .pid = (int32_t)gort__raw(SYS_getpid, 0, 0, 0, 0, 0, 0),
				 .tid = (int32_t)gort__raw(SYS_gettid, 0, 0, 0, 0, 0, 0),
				 .flag = flag };
}

void gort__debugcall(struct debugcall_entry *entry)
{
	struct m *m = gort__self();
	struct debugcall call = { .speaker = speaker_of(&m->handshake),
				  .outer = m->call,
				  .m = m,
				  .caller = m->curg,
				  .pc = (void *)entry->pc };
	int err = *m->errno_addr;

	m->call = &call;
	converse(&call, entry);
	m->call = call.outer;
	m->call_depth--;
	gort__sigint_disown();
	*m->errno_addr = err;
}

// ---- a callee that is parked --------------------------------------------------------------------

// With sched.lock. The thread sleeps for its callee, and nobody has woken it: whoever takes that
// goroutine from a queue gives it a P under the same lock.
static bool may_abandon(const struct m *m, const struct debugcall *call)
{
	return call && call->host.state == HOST_READY && !m->curg && !m->nextp &&
	       m->lockedg == call->goroutine &&
	       // Tied by the callee itself.
	       !m->locks;
}

static void set_aside(struct m *m, struct debugcall *call)
{
	struct g *caller = call->caller, *g = call->goroutine;

	gort__store(&call->callee->speaker.abandoned, 1);
	g->flags &= (uint8_t)~G_DEBUGCALL;
	gort__store_release(&g->lockedm, NULL);
	m->locks = call->locks;
	m->lockedg = caller;
	gort__m_tie(m);
	tell(call, HOST_ON_ABANDONED);
	if (!caller)
		return;
	caller->lockedm = m;
	gort__store(&caller->status, G_RUNNABLE);
	gort__glist_push(&sched.runq, caller);
}

void gort__debugcall_abandon(void)
{
	struct m *m = gort__self();
	struct debugcall *call = m ? m->call : NULL;
	bool done;

	gort__lock(&sched.lock);
	done = m && may_abandon(m, call);
	if (done)
		set_aside(m, call);
	gort__unlock(&sched.lock);
	if (!done)
		return;
	// The callee may have left another.
	gort__sigmask(SIG_SETMASK, call->speaker.mask);
	if (!call->caller)
		gort__sys_return(m);
	gort__wakep();
}

// ---- a caller that is parked --------------------------------------------------------------------

uint64_t gort__debugcall_wanted;

void gort__debugcall_attend(void)
{
	enum { PATIENCE_NS = 200 * 1000 * 1000 };
	static const struct timespec patience = { .tv_nsec = PATIENCE_NS };
	const struct g *g = gort__self()->curg;
	uint64_t id = g->id, wanted = id;

	// In the middle of stopping the world it is no caller.
	if (gort__load(&gort__debugcall_wanted) != id || g->wait_reason == WAIT_WORLD ||
	    g->wait_reason == WAIT_UPDATER)
		return;
	// As user code that has not gone on yet. Once is enough: a debugger that does not come is
	// dead.
	gort__leave();
	gort__attend_wait((const uint32_t *)&gort__debugcall_wanted, (uint32_t)id, &patience);
	gort__cas(&gort__debugcall_wanted, &wanted, 0);
	gort__enter("debug call");
}

void gort__debugcall_stand(void)
{
	// A debugger that has found another by then has no way to say so.
	enum { PATIENCE_NS = 20 * 1000 * 1000 };
	static const struct timespec patience = { .tv_nsec = PATIENCE_NS };
	static const uint32_t nobody;

	if (gort__g()->flags & G_SYSTEM)
		return;
	gort__leave();
	gort__attend_wait(&nobody, 0, &patience);
	gort__enter("debug call");
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
		long room = gort__raw(SYS_mmap, 0, (long)(DEPTH_MAX * xstate_size),
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
	// In the middle of another entry.
	else if (!gort__sigint_own())
		entry->refusal = DEBUGCALL_WITHIN_RUNTIME;
	if (entry->refusal)
		return NULL;
	room = room_of(m);
	if (!room) {
		entry->refusal = DEBUGCALL_NO_MEMORY;
		gort__sigint_disown();
		return NULL;
	}
	m->call_depth++;
	return room;
}

// Refused before there was anything to give back but general registers: they are all that this and
// what it calls may use, and clearing the structure would use others.
void gort__debugcall_refuse(struct debugcall_entry *entry)
{
	struct m *m = gort__self();
	uint32_t flag = 0;
	struct debugcall call;

	// A handshake whose disposition is not ours might end the program.
	if (!m || !gort__sigint_own())
		return;
	call.speaker = speaker_of(&flag);
	call.outer = m->call;
	call.pc = (void *)entry->pc;
	call.quiet = 0;
	call.kept.has_thread = call.kept.has_process = false;
	call.host.state = HOST_NOWHERE;
	m->call = &call;
	converse(&call, entry);
	m->call = call.outer;
	gort__sigint_disown();
}
