// SPDX-License-Identifier: MIT
// A goroutine. It lives at the top of its own stack, is never freed and is reused under a new id,
// so a debugger or a racing reader can always look at it.
#ifndef RUNTIME_SCHED_G_H
#define RUNTIME_SCHED_G_H

#include "runtime/base/base.h"
#include "runtime/sched/exceptions.h"
#include "runtime/sched/stack.h"

struct m;
struct scope; // runtime/fault: one gort_try or callback in progress
struct panicking; // runtime/fault: the panic under way
struct defer; // runtime/fault
struct locals; // runtime/sched/local.c
struct wait_chain; // runtime/sync: what a select waits on

//	name		text in tracebacks
#define GORT__G_STATUS(X)                                        \
	X(DEAD, "dead") /* free, or its end has come */          \
	X(RUNNABLE, "runnable") /* in a run queue */             \
	X(RUNNING, "running") /* on an M, with or without a P */ \
	X(WAITING, "waiting") /* parked, for the reason given */ \
	X(BLOCKING, "blocking") /* in gort_blocking */

enum g_status {
#define X(name, text) G_##name,
	GORT__G_STATUS(X)
#undef X
		G_STATUSES
};

#define GORT__WAIT_REASONS(X)                   \
	X(NONE, "")                             \
	X(SLEEP, "sleep")                       \
	X(PARK, "park")                         \
	X(CHAN_SEND, "chan send")               \
	X(CHAN_RECV, "chan receive")            \
	X(CHAN_NULL, "chan null")               \
	X(SELECT, "select")                     \
	X(SELECT_EMPTY, "select (no cases)")    \
	X(MUTEX, "mutex")                       \
	X(RWMUTEX_READ, "rwmutex read")         \
	X(RWMUTEX_WRITE, "rwmutex write")       \
	X(COND, "cond")                         \
	X(WG, "wait group")                     \
	X(ONCE, "once")                         \
	X(SEMA, "semaphore")                    \
	X(IO, "IO wait")                        \
	X(WORLD, "stopping the world")          \
	X(UPDATER, "gomaxprocs updater (idle)") \
	X(DEBUGCALL, "debug call")

enum wait_reason {
#define X(name, text) WAIT_##name,
	GORT__WAIT_REASONS(X)
#undef X
		WAIT_REASONS
};

extern gort__hidden const char *const gort__wait_reason_text[WAIT_REASONS];
extern gort__hidden const char *const gort__g_status_text[];

enum g_flag {
	G_SYSTEM = 1, // of the runtime: not counted, not a reason against a deadlock report
	G_CALLBACK = 2, // an extra M's goroutine: runs on that M only
	G_MAIN = 4,
	G_DEBUGCALL = 8, // the callee of a debug call; its end goes back to the caller
	G_EXCEPTIONS = 16, // C++ exceptions are in flight, and it does not run
};

// What gort__switch leaves at a parked goroutine's sp. A debugger and the traceback read it.
struct switch_frame {
	uint32_t mxcsr;
	uint32_t x87cw; // low 16 bits
	uint64_t r15, r14, r13, r12, rbx, rbp;
	uint64_t pc; // where it goes on; the frame's CFA is just above
};

struct g {
	// Touched by every switch.
	struct switch_frame *sp; // valid while not running
	struct g *next; // in whatever queue or list holds it
	uint64_t id; // table slot in the low 24 bits, generation above
	struct m *m; // running on; stale otherwise
	uint32_t status; // enum g_status
	uint16_t wait_reason; // enum wait_reason, while WAITING
	uint8_t flags; // enum g_flag
	uint8_t stack_class;
	int err; // errno while not running
	uint32_t cancelled; // gort__cancel_mark of the id that gort_cancel named
	int64_t wait_since; // sched.coarse_now when it parked

	// The wait in progress (sched.h: gort__wait_begin). Odd: somebody may end it by claiming
	// it.
	uint32_t ticket;
	int wake_result; // written by the claimer, result of the parking call
	void *wake_data; // written by the claimer, e.g. the waiter that won a select
	struct wait_chain *waiting; // what it waits on; owned by sync/

	void (*fn)(void *);
	void *arg;

	struct m *lockedm; // the only M that may run it, or NULL
	struct defer *defers; // of the innermost scope; owned by fault/
	struct scope *scope; // innermost gort_try or callback; NULL: goroutine entry
	struct panicking *panicking; // owned by fault/
	struct locals *locals;

	// The rest is cold.
	struct stack stack;
	uint64_t creator_id;
	void *creator_pc; // the gort_go call
	const char *label;
	struct g *allnext; // every goroutine ever made, newest first
	uint32_t permit; // gort_ready came before gort_park
	uint32_t permits; // so many were there already
	bool guard_open; // owned by sched/stack.c
	bool in_overflow; // owned by fault/: deferred functions run after a stack overflow
	uint64_t fault_scratch[2];
	struct exceptions exceptions; // with G_EXCEPTIONS
	void *asan_fake_stack;
	void *tsan_fiber;
};

// A queue of goroutines through g->next; all-zero is empty.
struct glist {
	struct g *head, *tail;
	uint32_t n;
};

static inline void gort__glist_push(struct glist *l, struct g *g)
{
	g->next = NULL;
	if (l->tail)
		l->tail->next = g;
	else
		l->head = g;
	l->tail = g;
	l->n++;
}

static inline struct g *gort__glist_pop(struct glist *l)
{
	struct g *g = l->head;

	if (!g)
		return NULL;
	l->head = g->next;
	if (!l->head)
		l->tail = NULL;
	l->n--;
	return g;
}

// The goroutine with this id, or NULL when it has ended. It may end at any time after.
gort__hidden struct g *gort__g_lookup(uint64_t id);

#endif
