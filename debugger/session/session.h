// SPDX-License-Identifier: MIT
// What is behind a struct dc_session: the target, its names, the thread that is borrowed.
// Private to this room, which implements debugcall.h.
#ifndef DEBUGGER_SESSION_SESSION_H
#define DEBUGGER_SESSION_SESSION_H

#include "debugger/inject/injection.h"
#include "debugger/base/cleanup.h"
#include "debugger/lang/expression.h"

#include <stdatomic.h>

struct prepared {
	struct prepared *next;
	char *text;
	struct expression *expression;
	bool calls, needs_frame, avoids_stdio;
	const struct module *vm; // a language's runtime that is called into; NULL: none
};

// The frame whose locals are meant. Names are looked up there before the stop, so the frame is
// sampled first and must be in the same function at the stop.
struct scope {
	bool wanted;
	bool known; // enough to look names up
	bool settled; // the frame is the borrowed thread's, as it is held
	pid_t tid;
	unsigned index; // from the innermost
	struct symbols_frame frame;
};

struct dc_session {
	struct dc_options options;
	char *frame_name; // options.frame, ours
	struct process *process;
	struct dc_error *barrier; // why an attach would fail; NULL: nothing is known against it
	struct symbols *symbols;
	struct safepoints *safepoints; // with unwind and tracer: made when first needed
	struct unwind *unwind;
	struct tracer *_Atomic tracer;
	struct variables *variables;
	struct prepared *prepared; // newest first
	struct prepared *current; // being evaluated
	struct scope scope;

	struct borrowed *borrowed;
	bool callable; // borrowed at a place where calls are safe
	const struct module *vm; // what was known to be called when it was borrowed
	bool avoids_stdio; // borrowed at a place where only calls without stdio are
	bool lost; // the borrowed thread is not at its caller context any more
	bool touched; // a thread was stopped at some time
	bool stale; // the program has run on since its modules were read
	struct dc_departure departure; // summed over the borrowings that have ended

	atomic_bool cancelled;
	struct repetition *repetition; // not NULL: the outermost call is repeated
};

// One error for an operation that began after dc_cancel(); asked for before each slow step.
struct dc_error *session_cancelled(struct dc_session *session) DC_CHECK;
// A borrowed thread, for a call or only to look at; the scope is settled. Does nothing when there
// is.
struct dc_error *session_borrow(struct dc_session *session, bool to_call) DC_CHECK;
struct dc_error *session_release(struct dc_session *session) DC_CHECK;

// After a detach: the modules as they are now.
struct dc_error *session_refresh(struct dc_session *session) DC_CHECK;
// Any of the prepared expressions calls: then one thread, borrowed once, serves them all.
bool session_calls(const struct dc_session *session);

// Everything a borrowing needs and that takes time, so that it is done before the first stop;
// session_look(): what a look needs, no tracer; session_tables(): the same where attaching is
// barred.
struct dc_error *session_look(struct dc_session *session) DC_CHECK;
struct dc_error *session_tables(struct dc_session *session) DC_CHECK;
// The barrier as an error of its own.
struct dc_error *session_bar(const struct dc_session *session) DC_CHECK;
struct dc_error *session_ready(struct dc_session *session) DC_CHECK;

// scope.c: the chosen frame of a snapshot; sampling it, if need be by a short stop.
struct dc_error *scope_choose(struct dc_session *session, const struct snapshot *snapshot,
			      struct scope *ret) DC_CHECK;
struct dc_error *scope_sample(struct dc_session *session) DC_CHECK;
// The same only if it takes no stop; else the scope stays unknown.
struct dc_error *scope_glance(struct dc_session *session) DC_CHECK;
// At the stop: false when the frame is in another function now, so that its names are not loaded.
struct dc_error *scope_settle(struct dc_session *session, bool *same) DC_CHECK;

// One expression, evaluated; what the value prints as may be asked for after the thread is back.
struct evaluation {
	struct value value;
	pid_t thread; // 0: none was needed
	const char *host;
	char format; // gdb's letter before the expression, 0 without
	const struct language *language; // whose expression it was
	bool later; // evaluation_finish() is still to be called
};
struct dc_error *evaluation_run(struct dc_session *session, const char *expr,
				struct evaluation *evaluation, struct dc_result *ret) DC_CHECK;
struct dc_error *evaluation_finish(struct dc_session *session, struct evaluation *evaluation,
				   struct dc_result *ret) DC_CHECK;
// Runs job where tracees are held, so that between its steps nobody waits for another thread to
// wake.
struct dc_error *session_run(struct dc_session *session, struct dc_error *(*job)(void *),
			     void *arg) DC_CHECK;

// goroutines.c: dc_goroutines() after session_tables(); *found false: there are none.
struct dc_error *session_goroutines(struct dc_session *session, bool *found,
				    bool (*visit)(const struct dc_goroutine *, void *),
				    void *arg) DC_CHECK;

// The evaluator's view of a session.
struct caller evaluation_target(struct dc_session *session);

// $rax and its kin, of the borrowed thread's chosen frame.
struct dc_error *register_read(struct dc_session *session, const char *name, struct types *types,
			       struct value *ret) DC_CHECK;
const struct type *register_type_of(const char *name, struct types *types); // NULL: none, no memory
struct dc_error *register_write(struct dc_session *session, const char *name,
				const struct value *value) DC_CHECK;

// A call that is made many times; filled in by the evaluator's call.
struct repetition {
	uint64_t n;
	int64_t *nanoseconds; // of each call
	uint64_t done;
};

#endif
