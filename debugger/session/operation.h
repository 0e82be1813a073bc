// SPDX-License-Identifier: MIT
// Turns: one operation at a time has the session. A caller that waits runs its own on its own
// thread; what was begun and left runs on the session's worker.
#ifndef DEBUGGER_SESSION_OPERATION_H
#define DEBUGGER_SESSION_OPERATION_H

#include "debugger/base/error.h"

#include <pthread.h>
#include <stdatomic.h>

struct event_entry;

struct operations {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct dc_operation *first, **last; // wait for their turn
	struct dc_operation *running; // has it
	pthread_t owner; // of the turn
	pthread_t worker;
	bool has_worker, closing;

	int event_fd, poll_fd; // -1: nobody has asked for events
	struct event_entry *events, **last_event;
	struct event_entry *told; // the last one that was asked for: its texts are read
	bool told_end; // of the target
	int64_t ended_at; // when that was noticed; 0: it was not
};
void operations_init(struct operations *operations);
// Ends the worker, after what was begun.
void operations_stop(struct operations *operations);
void operations_deinit(struct dc_session *session);

// Public functions stand between these two; they may be nested. turn is the caller's, for as long.
struct dc_operation {
	struct dc_operation *next;
	struct dc_session *session;
	enum { OPERATION_WAITS, OPERATION_RUNS, OPERATION_ENDED } state;
	bool is_left; // the worker runs it; else its caller does
	bool is_quiet; // nobody has asked for it: it tells of no end, and is freed by the worker
	bool nested;
	atomic_bool cancelled;
	struct dc_error *(*job)(struct dc_session *, void *);
	void (*discard)(void *); // frees arg; NULL: nothing to free
	void *arg;
	struct dc_error *err;
	struct dc_result *result; // arg's, of an evaluation
};
void turn_begin(struct dc_session *session, struct dc_operation *turn);
// Without waiting: nobody has it, and nobody waits. Then turn_end() is due.
bool turn_try(struct dc_session *session, struct dc_operation *turn);
void turn_end(struct dc_operation *turn);
#define _turn_(session)                                               \
	__attribute__((cleanup(turn_end))) struct dc_operation turn_; \
	turn_begin(session, &turn_)

// A job of the session's own, for the worker; on any thread. What it fails with is told nobody.
// False: there is no memory for it.
bool operations_leave_quietly(struct dc_session *session,
			      struct dc_error *(*job)(struct dc_session *, void *));

// The thread may have run on, or ended, by the time that somebody reads them.
void stop_keep_texts(struct dc_stop *stop);
void stop_forget_texts(struct dc_stop *stop);

// From now on the session's process is this one, which is taken over; of the other's threads nothing
// more is told.
struct process;
void operations_become(struct dc_session *session, struct process *process);

// For whom dc_event_fd() was called.
void operations_tell(struct dc_session *session, const struct dc_event *event);

#endif
