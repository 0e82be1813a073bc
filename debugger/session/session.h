// SPDX-License-Identifier: MIT
// What is behind a struct dc_session: the target, its names, the thread that is borrowed.
// Private to this room, which implements debugcall.h.
#ifndef DEBUGGER_SESSION_SESSION_H
#define DEBUGGER_SESSION_SESSION_H

#include "debugger/base/cleanup.h"
#include "debugger/inject/injection.h"
#include "debugger/lang/expression.h"
#include "debugger/session/operation.h"

#include <stdatomic.h>

// The frame whose locals are meant. Names are looked up there before the stop, so the frame is
// sampled first and must be in the same function at the stop.
struct chosen_frame {
	bool known; // enough to look names up
	pid_t tid;
	unsigned index; // from the innermost, of frames that there are
	unsigned number; // as users count, with inlined functions; where the scope asked for it
	struct symbols_frame frame;
};

// A scope of our own: the frame's name is a copy.
struct scope {
	pid_t thread; // 0: none was named
	uint64_t goroutine;
	char *frame;
	bool no_stop;
	bool numbers; // the frame's number is wanted, too
	uint64_t
		place; // the thread stands, or will stand, exactly there: its frame is meant; 0: no
};
// NULL is a scope that says nothing. Code USAGE: it contradicts itself.
struct dc_error *scope_init(struct dc_session *session, const struct dc_scope *from,
			    struct scope *ret) DC_CHECK;
void scope_deinit(struct scope *scope);
bool scope_equal(const struct scope *a, const struct scope *b);

// What the calls of one or more expressions ask of the thread that is borrowed for them.
struct needs {
	bool calls;
	bool avoids_stdio; // nothing that is called reaches stdio
	bool go; // what is called are Go's functions
	bool frame; // the chosen frame's locals, and registers where one was named
	bool registers; // of the innermost frame
	bool thread; // registers, or what is a thread's own: one of the program's
	const struct module *vm; // a language's runtime that is called into; NULL: none
};

// A thread that is borrowed, and as what.
struct holding {
	struct injection *injection; // NULL: none is
	struct scope scope;
	struct dc_call_options options;
	struct needs needs; // that it was chosen for
	struct chosen_frame frame; // known: as the thread is held
	bool lost; // it is not at its caller context any more
	bool has_objects; // of an evaluation under way: they end with what is held
};

struct dc_session {
	struct process *process;
	pid_t thread; // that the session was opened by; 0: by the process
	struct dc_error *barrier; // why an attach would fail; NULL: nothing is known against it
	struct agent_memory *memory; // how it is reached all the same; NULL: not, or as usual
	bool barrier_lasts; // else another debugger holds threads, which are waited for one by one
	struct symbols *symbols;
	struct safepoints *safepoints; // with unwind and tracer: made when first needed
	struct unwind *unwind;
	struct tracer *_Atomic tracer;
	struct variables *variables;
	struct control *control; // NULL: its threads are not followed
	struct breakpoints {
		struct breakpoint *first; // by number
		unsigned last; // number that was given
	} breakpoints;
	struct pending *pending; // calls whose callees stand, the last one first
	struct pending *pending_enters; // that the tracer's thread is in; NULL: none
	unsigned last_pending; // number that was given
	struct described *described; // DESCRIBED_ROOM, by place; NULL: none yet
	const struct location *loads; // the dynamic linker's notice; NULL: nobody needs it
	bool may_patch; // dc_allow_patches()
	bool stop_all;
	uint64_t stop_signals; // that threads stop at, whatever is caught
	uint64_t *modules_seen; // where they begin, when somebody last looked for others
	size_t nr_modules_seen;
	_Atomic int status; // of the process that ended, as wait() tells it; -1: not known
	atomic_bool is_followed; // whoever follows it will know
	atomic_bool is_deciding; // somebody will look at the threads that stand

	struct holding holding;
	struct keepsake *recording; // not NULL: what is read is kept there
	bool attached; // dc_attach(): evaluations leave the thread borrowed
	bool called; // something was, since the last departure
	bool execed; // it became another program, which was told
	bool stale; // the program has run on since its modules were read
	bool renewed; // they were read again, and nobody has looked whether they are others
	uint64_t generation; // of the modules: expressions of an older one are parsed again
	uint64_t epoch; // grows whenever a thread that was held runs
	struct dc_expression *called_last; // by dc_call(), for the next; NULL: nothing was
	struct dc_departure departure; // summed over the borrowings that have ended

	unsigned renewals; // of the operation under way
	atomic_bool cancelled; // by dc_cancel()
	struct operations operations;
};

// session.c

// An operation that ended with err begins again from the names on, because the target became
// another program, or its libraries others, before anything was run: err is then destroyed. Not
// without end.
bool session_begins_again(struct dc_session *session, struct dc_error *err);

// One error for an operation that was cancelled; asked for before each slow step.
struct dc_error *session_cancelled(struct dc_session *session) DC_CHECK;
// The modules as they are now, when the program has run.
struct dc_error *session_refresh(struct dc_session *session) DC_CHECK;
// Everything a borrowing needs and that takes time, so that it is done before the first stop.
// session_look(): what a look needs, no tracer; session_tables(): the same where attaching is
// barred.
struct dc_error *session_look(struct dc_session *session) DC_CHECK;
struct dc_error *session_tables(struct dc_session *session) DC_CHECK;
struct dc_error *session_ready(struct dc_session *session) DC_CHECK;
// The barrier as an error of its own.
struct dc_error *session_bar(const struct dc_session *session) DC_CHECK;
// Runs job where tracees are held, so that between its steps nobody waits for another thread to
// wake.
struct dc_error *session_run(struct dc_session *session, struct dc_error *(*job)(void *),
			     void *arg) DC_CHECK;
// What an operation that failed says about the target when it could not know.
struct dc_error *session_conclude(struct dc_session *session, struct dc_error *err) DC_CHECK;
// The thread was given back since then, in that state: what the error says of the target now.
struct dc_error *session_last_word(const struct dc_session *session, struct dc_error *err,
				   enum dc_state state) DC_CHECK;

// expression.c

// What others than the evaluator can tell of a condition.
struct judged {
	bool is_tried;
	const struct predicate *predicate; // NULL: nothing, and why_not
	char *why_not;
	struct arena arena;
};
void judged_deinit(struct judged *judged); // condition.c

struct dc_expression {
	unsigned users; // atomic: its owner, operations and values
	struct dc_session *session;
	char *text;
	struct scope scope;
	struct value *args; // NULL: it is the expression as it stands, not the call with them
	size_t nr_args;
	struct expression *parsed;
	uint64_t generation; // of the modules it was parsed with
	struct needs needs;
	bool is_followed; // what its callees may come to is known, and in needs
	struct chosen_frame frame; // the sample whose names were used
	struct judged judged;
};
struct dc_expression *expression_share(struct dc_expression *expression);
// Parsed and typed again if the program has other libraries now; all that its evaluation needs
// before the first stop is ready. Code REFUSED: options do not allow it.
struct dc_error *expression_prepare(struct dc_expression *expression,
				    const struct dc_call_options *options) DC_CHECK;
// As dc_parse(), in a turn of the caller's. args: the text names a function, and the expression is
// the call of it with these values, which are copied.
struct dc_error *session_parse(struct dc_session *session, const char *text,
			       const struct value *args, size_t nr_args,
			       const struct dc_scope *scope, struct dc_expression **ret) DC_CHECK;
// For threads that come to the place; which one, expression_settle() says when it stands there.
struct dc_error *session_parse_at(struct dc_session *session, const char *text, uint64_t place,
				  struct dc_expression **ret) DC_CHECK;
void expression_settle(struct dc_expression *expression, pid_t thread);

// control.c: what threads that stand have stood for is decided, in session_run().
struct dc_error *session_decide(struct dc_session *session) DC_CHECK;
// dc_uncontrol(), in a turn of the caller's.
void session_uncontrol(struct dc_session *session);

// list.c: dc_evaluate_list(), in a turn of the caller's.
struct dc_error *session_evaluate_list(struct dc_session *session,
				       struct dc_expression *const *expressions, size_t n,
				       struct dc_expression *finally,
				       const struct dc_call_options *options,
				       struct dc_outcome *ret, size_t *nr_ret,
				       struct dc_departure *departure) DC_CHECK;

// frames.c

// The thread computes, or waits for a CPU.
bool frame_runs(const struct dc_session *session, pid_t tid);
// The chosen frame of a sleeping or held thread; if need be and may_stop by a short stop. It stays
// unknown where that is not enough.
struct dc_error *frame_sample(struct dc_session *session, const struct scope *scope, bool may_stop,
			      struct chosen_frame *ret) DC_CHECK;
// The frame of that number, as users count: functions that are inlined into one another have one
// each. *inlined: so many of those that are in the frame are passed over, from the innermost on.
struct dc_error *frame_find_number(struct symbols *symbols, unsigned wanted,
				   const struct unwound *frames, size_t n, unsigned *index,
				   unsigned *inlined) DC_CHECK;
// What is there, the function that is meant of those inlined.
struct dc_frame frame_describe(const struct dc_session *session, const struct chosen_frame *frame);
// What is at an address, the innermost of inlined functions first, until modules are others: stacks are
// shown again and again. *n 0: no memory.
const struct dc_frame *session_describe(struct dc_session *session, uint64_t pc, size_t *n);
void session_forget_described(struct dc_session *session);
// At the stop: *same is false when the frame is in another function now than it was in sample, so
// that its names are not those that were looked up.
struct dc_error *frame_settle(struct dc_session *session, const struct chosen_frame *sample,
			      bool *same) DC_CHECK;

// holding.c

// A borrowed thread for needs, as scope and options say. Does nothing when there is; moves on to
// another when what is held does not serve. sample: the frame that names were looked up in.
struct dc_error *session_borrow(struct dc_session *session, const struct scope *scope,
				const struct dc_call_options *options, const struct needs *needs,
				const struct chosen_frame *sample) DC_CHECK;
struct dc_error *session_release(struct dc_session *session) DC_CHECK;
// session_release() at the end of what was attached for.
struct dc_error *session_depart(struct dc_session *session, struct dc_departure *ret) DC_CHECK;

// evaluation.c

// A call that is made many times; filled in by the caller.
struct repetition {
	uint64_t n;
	int64_t *nanoseconds; // of each call
	uint64_t done;
};

// One evaluation, from the expression to the value; what the value prints as may be asked for after
// the thread is back.
// An object that was made for an expression.
struct object {
	uint64_t addr;
	struct function destructor;
	const struct type *type;
};
struct evaluation {
	struct dc_session *session;
	struct dc_expression *expression;
	const struct dc_call_options *options;
	struct needs needs; // of all that is evaluated under the same borrowing
	const struct chosen_frame *sample; // of that borrowing; NULL: the expression's
	struct repetition *repetition; // not NULL: the outermost call is repeated
	struct many *many; // not NULL: it is made once for each of its rows
	bool is_last; // under its borrowing: the thread may go once it is not needed any more
	bool later; // evaluation_finish() is still to be called
	bool met_breakpoint; // within what was called
	struct object *objects; // in the order in which they were made
	size_t nr_objects;
	bool had_objects; // the value may be of, or lead to, what has ended
	const struct keepsake *keepsake; // not NULL: this is read, and not the target
	struct value value;
	unsigned number; // of the result
	pid_t thread; // 0: none was needed
	const char *host;
};
// Whether a value of the type is printed from its own bytes, whatever becomes of the target.
bool evaluation_prints_alone(const struct type *type);
// The value alone, in evaluation->value.
struct dc_error *evaluation_compute(struct evaluation *evaluation) DC_CHECK;
// In order: the expression is evaluated, in session_run(); the thread may go; the result is made.
struct dc_error *evaluation_run(struct evaluation *evaluation, struct dc_result *ret) DC_CHECK;
struct dc_error *evaluation_finish(struct evaluation *evaluation, struct dc_result *ret) DC_CHECK;
void evaluation_deinit(struct evaluation *evaluation);
// On the tracer's thread: all but what is asked for after the thread is back.
struct dc_error *evaluation_run_whole(struct evaluation *evaluation,
				      struct dc_result *ret) DC_CHECK;
// All of it, and the thread is given back unless it is attached.
struct dc_error *evaluation_whole(struct evaluation *evaluation, struct dc_result *ret) DC_CHECK;
static inline const struct chosen_frame *evaluation_sample(const struct evaluation *evaluation)
{
	return evaluation->sample ?: &evaluation->expression->frame;
}
void needs_add(struct needs *to, const struct needs *more);
// options: NULL is what dc_call_options_init() says.
struct dc_call_options options_or_usual(const struct dc_call_options *options);

// many.c: the calls of all rows; entry is how the first one is entered.
struct dc_error *many_run(struct many *many, struct dc_session *session,
			  const struct typed_call *call, const struct abi_entry *entry,
			  int64_t timeout_ns) DC_CHECK;

// caller.c: the evaluator's view of an evaluation. evaluation_end_objects(): whatever became of it;
// returns err, or that of a destructor.
struct dc_error *evaluation_end_objects(struct evaluation *evaluation,
					struct dc_error *err) DC_CHECK;
struct caller caller_of(struct evaluation *evaluation);

// registers.c: $rax and its kin, of the held thread's chosen frame.
struct dc_error *register_read(const struct dc_session *session, const char *name,
			       struct types *types, struct value *ret) DC_CHECK;
const struct type *register_type_of(const char *name, struct types *types); // NULL: none, no memory
struct dc_error *register_write(const struct dc_session *session, const char *name,
				const struct value *value) DC_CHECK;

// value.c: takes value over, and shares the expression that it came from.
struct dc_error *value_snapshot(struct evaluation *evaluation, struct dc_value **ret) DC_CHECK;

// goroutines.c: dc_goroutines() after session_tables(); *found false: there are none.
struct dc_error *session_goroutines(struct dc_session *session, bool *found,
				    bool (*visit)(const struct dc_goroutine *, void *),
				    void *arg) DC_CHECK;

#endif
