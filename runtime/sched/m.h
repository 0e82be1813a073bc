// SPDX-License-Identifier: MIT
// An M: a thread the runtime knows. Never freed, so that walkers need no lock; reused for later
// threads.
#ifndef RUNTIME_SCHED_M_H
#define RUNTIME_SCHED_M_H

#include "runtime/base/base.h"
#include "runtime/base/futex.h"
#include "runtime/base/lock.h"

#include <pthread.h>

struct g;
struct p;
struct request;
struct room; // runtime/sched/enter.c

// m->retake: why gort__enter must take the slow path.
enum retake {
	RETAKE_NONE = 0,
	RETAKE_ASKED = 1, // a taker looks whether the M is outside; the M may veto by CAS to NONE
	RETAKE_TAKEN = 2, // its P is gone: get one before going on
	RETAKE_BLOCKING = 3, // in gort_blocking: on the system stack, no calls
	RETAKE_FORKED = 4, // a fork's child: no calls until exec
	RETAKE_ATTEND =
		5, // a debugger asks for a goroutine: written from outside in place of NONE, while the M is inside
};

enum m_kind {
	M_ORDINARY,
	M_MAIN, // the process's first thread: waits in gort_main
	M_EXTRA, // lent to a foreign thread by gort_callback
	M_ATTACHED, // a foreign thread known by gort_thread_attach
	M_SYSMON,
	M_TEMPLATE, // makes all other threads, but sysmon's
};

enum {
	M_STACK_SIZE =
		1536 << 10, // of threads the runtime makes; gort_blocking promises 1 MB of it
};

struct m {
	// Read by gort__enter: one line.
	uint32_t
		in_runtime; // written by this M only: 1 between gort__enter and gort__leave and in the scheduler
	uint32_t retake; // enum retake
	struct g *curg; // the goroutine it runs, NULL in the scheduler
	struct p *p; // written by this M only; stale while retake is TAKEN
	void *sys_sp; // gort__mcall and gort__system start here on the system stack
	uint32_t mxcsr, x87cw; // what the hardware holds, as the last switch away saw it
	int *errno_addr;
	struct exceptions *exceptions; // the thread's, or some that are always empty
	bool (*unlockf)(struct g *, void *); // of the park in progress
	void *unlock_arg;
	struct g *parking; // its unlock callback is still running (gort__settle)
	uint32_t tick;

	uint64_t id;
	int tid; // 0 until the thread runs
	int last_tid; // of the thread it was last; that one may still be on its way out
	uint8_t kind;
	bool spinning; // looks for work without having any
	bool patient; // its last wait for work was short
	bool alive;
	bool on_system; // in gort__system: curg is set but the system stack is in use
	bool tied; // lockedg, or kind M_MAIN: the scheduler's short cuts are not for it
	uint32_t locks; // gort_lock_os_thread nesting
	uint32_t locks_internal;
	struct g *lockedg;
	struct p *nextp; // given by who wakes it
	struct note park;
	struct note *stop_note;
	struct m *schedlink; // idle list or extra list
	struct m *allnext; // every M ever made, newest first
	struct m *freelink;
	char *sys_lo, *sys_hi; // bounds of the system stack
	bool sys_exact; // not guessed
	char *thread_lo, *thread_hi; // of the foreign thread's first stack, once known
	uint64_t callbacks;
	struct request *request; // of the callback that begins
	struct room *rooms; // stacks for gort_blocking in callbacks
	char *sigstack; // lowest byte
	size_t sigstack_size;
	char *own_sigstack; // of a foreign thread that keeps its own; NULL: it has this one
	size_t own_sigstack_size;
	uint64_t sigmask; // at the start of a callback or in gort_blocking

	void (*start)(struct m *); // instead of scheduling: sysmon, template
	pthread_t thread;
	uint32_t pause; // SIGURG is under way to it
	uint32_t paused; // waits in the handler
	bool lost_p; // sysmon took its P while it computed
	int64_t lost_when;

	uint32_t thread_call; // owned by sched/gather.c
	uint32_t frozen; // owned by fault/
	uint32_t dying; // owned by fault/: depth of panics during panics
	uint32_t fault_depth; // owned by fault/
	void *fault_data; // owned by fault/

	struct debugcall *call; // the innermost debug call under way
	uint32_t handshake; // owned by host/host.c: what is being said
	uint32_t call_depth;
	char *call_room; // for the extended state of callers; stays

	uint32_t rng;
	void (*told)(struct g *, struct m *); // with a sanitizer: where gort__switch goes
	struct g *hopped; // with a sanitizer: to which gort__system returns
	void *asan_stack_lo; // the system stack as ASan knows it
	size_t asan_stack_size;
	void *tsan_fiber;
};

#endif
