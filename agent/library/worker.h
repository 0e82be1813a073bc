// SPDX-License-Identifier: MIT
// A thread that serves one slot: it waits for requests, and callees run on it.
#ifndef AGENT_LIBRARY_WORKER_H
#define AGENT_LIBRARY_WORKER_H

#include "agent/library/enter.h"
#include "protocol/mailbox.h"

#include <pthread.h>

struct worker {
	struct mailbox_slot *slot;
	uint32_t there; // a thread is, or is about to be
	uint32_t end; // it is to end when it has nothing to do
	uint32_t calling; // a request is under way
	uint32_t cancel_seen; // of the slot's count, when the request was begun
	uint32_t cancel_judged; // that was answered by letting the callee go on
	uint32_t asked_alone; // how often, since its client has gone
	bool contains; // it has taken the handlers
	bool is_orphan; // nobody will judge: the handler does, carefully
	int tid;
	int guest; // a thread of the program's that is to serve instead; 0: none
	uint32_t offer; // to it
	bool has_guest; // it serves; a child of its fork says the same
	pthread_t guest_self;
	uintptr_t guest_high; // callees are below, on its stack
	int64_t deadline_ns;
	size_t stack_size;
	uintptr_t stack_low, stack_high; // of the thread
	char *alternate; // its signal stack
	size_t alternate_size;
	enum mailbox_outcome outcome; // of the calls
	struct mailbox_call call; // that is under way: a copy
	struct entry entry;
};

// No more calls: the process ends.
extern bool workers_closed;
// All of them; slot n is served by worker n.
extern struct worker workers[MAILBOX_SLOTS];

// False: there can be no thread.
bool worker_start(struct worker *worker, struct mailbox_slot *slot);
// Makes the calls of the request, on the thread that it is called on.
void worker_serve_calls(struct worker *worker);
// On which callees run.
int worker_callee_tid(const struct worker *worker);
// The worker on whose stacks addr lies; NULL: it is a thread of the program.
struct worker *worker_on(uintptr_t addr);
// Another process than the one that the workers are in: a child of fork.
bool worker_in_child(void);
// In a child of fork: the parent's are none of ours, and their handlers have nothing to do here.
void worker_forget_all(void);
// Before any worker is started.
bool workers_init(void);

// Whoever ends has the attendant look whether another is wanted.
extern uint32_t *workers_bell;

// The callee is over, with that outcome. On its own thread only.
_Noreturn void worker_escape(struct worker *worker, enum mailbox_outcome outcome);
void worker_note(struct worker *worker, enum mailbox_outcome outcome);
// Hands the turn on and wakes the client.
void worker_turn(struct worker *worker, enum mailbox_turn turn);

#endif
