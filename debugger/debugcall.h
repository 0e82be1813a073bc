// SPDX-License-Identifier: MIT
// libdebugcall: call functions inside running processes.
// The one public header of debugger/; the debugcall program uses nothing else.
#ifndef DEBUGGER_DEBUGCALL_H
#define DEBUGGER_DEBUGCALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DC_VERSION "0.1.0"

#define DC_API	 __attribute__((visibility("default")))
#define DC_CHECK __attribute__((warn_unused_result))

// Every way an operation can end, its name in JSON, and the exit status the program gives it.
#define DC_CODES(X)                                                                             \
	X(USAGE, "usage", 2) /* a request that makes no sense */                                \
	X(SYNTAX, "syntax", 1) /* the expression does not parse */                              \
	X(NAME, "unknown-name", 1) /* no such symbol, member or type */                         \
	X(TYPE, "type", 1) /* the operation is not defined for these types */                   \
	X(VALUE, "value", 1) /* division by zero, unreadable memory, out of range */            \
	X(MEMORY, "out-of-memory", 1) /* ours, not the target's */                              \
	X(SYSTEM, "system", 1) /* a system call of ours failed; the message says which */       \
	X(CRASHED, "crashed", 1) /* a fatal signal in the callee; undone */                     \
	X(PANICKED, "panicked", 1) /* an uncaught panic in the callee; undone */                \
	X(EXITED, "goroutine-exited", 1) /* the callee ended its goroutine */                   \
	X(THREAD_ENDED, "thread-ended", 1) /* the callee ended its thread */                    \
	X(LEFT, "left", 1) /* the callee was left by longjmp; nothing restored */               \
	X(ATTACH, "attach", 3) /* the process cannot be attached to */                          \
	X(TARGET_ENDED, "target-ended", 4) /* the process ended */                              \
	X(TARGET_EXECED, "target-execed", 4) /* the process became another program */           \
	X(DEADLINE, "deadline", 5) /* the call did not end in time */                           \
	X(CHANGED, "target-changed",                                                            \
	  6) /* its program or a library is another one; nothing was run */                     \
	X(REFUSED, "refused", 6) /* not safe, or not exactly possible; nothing was run */       \
	X(PENDING, "pending", 1) /* the callee stands at a breakpoint: dc_continue() goes on */ \
	X(CANCELLED, "cancelled", 130) /* dc_cancel() */                                        \
	X(THREW, "threw", 1) /* an exception left the callee, which it unwound */

enum dc_code {
#define DC_CODE_ENUMERATOR(name, text, status) DC_##name,
	DC_CODES(DC_CODE_ENUMERATOR)
#undef DC_CODE_ENUMERATOR
};

// What a failure left behind in the target; said in the last line of every report.
enum dc_state {
	DC_STATE_UNTOUCHED, // no thread was stopped
	DC_STATE_RUNNING, // restored and running as before
	DC_STATE_IN_CALLEE, // the thread still runs the callee and goes home by itself
	DC_STATE_AS_LEFT, // the thread runs where the callee left it; nothing was restored
	DC_STATE_STOPPED, // restored, and stopped by job control as it was or was asked to be
	DC_STATE_ENDED, // the process is gone
	DC_STATE_EXECED, // the process runs another program
	DC_STATE_STANDS, // under control: threads stand where they stood
};

// Why an object has no value.
enum dc_value_state {
	DC_VALUE_OK,
	DC_VALUE_NONE, // void
	DC_VALUE_OPTIMISED_OUT,
	DC_VALUE_UNREADABLE,
};

struct dc_frame {
	uint64_t pc;
	const char *function; // NULL when unknown
	uint64_t offset; // of pc in function, or in module
	const char *module; // base name, NULL when unknown
	const char *file; // NULL without line information
	int line;
};

// An error owns all it points to; free it with dc_error_destroy().
struct dc_error {
	enum dc_code code;
	enum dc_state state;
	char *message; // one line, no newline, no trailing stop
	ssize_t column; // of the expression, from 0, where a caret belongs; -1 for none
	int signo; // CRASHED: the signal
	uint64_t addr; // CRASHED: si_addr
	uint64_t goroutine; // DEADLINE: the callee's, where it was left parked on it; 0: it was not
	enum dc_value_state value; // VALUE: what is the matter with an object that has none
	struct dc_frame *frames;
	size_t nr_frames;
	char *notes; // further lines for the user, each ended by '\n'; NULL for none
	bool wants_patch; // REFUSED: a breakpoint that dc_allow_patches() would make possible
};

DC_API void dc_error_destroy(struct dc_error *err); // NULL is fine
DC_API const char *dc_code_name(enum dc_code code);
DC_API int dc_code_status(enum dc_code code);
DC_API const char *dc_state_text(enum dc_state state); // "the target runs on, restored"

// ---- Sessions ----

// One process: its names, its variables $x and results $1 $2 ... A session serves any frames and
// threads of it, one operation at a time; it may be used from any thread.
// The library installs no signal handler. Each stop of a thread that it holds makes the kernel send
// SIGCHLD to the embedding program: one that sets SA_NOCLDSTOP for it holds threads for less time.
struct dc_session;

struct dc_options {
	pid_t pid; // a process, or one of its threads, which scopes without a thread then mean
	// What is written to stderr about the work in the target, "target,inject,symbols" or "all";
	// NULL: as the environment's DC_TRACE says.
	const char *trace;
};
DC_API void dc_options_init(struct dc_options *options);

// dc_open() reads what is needed to look names up; nothing is stopped.
// dc_close() lets go of the target, restored, and frees the session; NULL is fine. What came from
// the session (expressions, values, operations) is destroyed before.
DC_API DC_CHECK struct dc_error *dc_open(const struct dc_options *options, struct dc_session **ret);
DC_API void dc_close(struct dc_session *session);
// May be called from any thread and from a signal handler: what the session does at the moment, or
// else does next, ends with CANCELLED.
DC_API void dc_cancel(struct dc_session *session);

// Where: whose names and registers an expression means, and who makes its calls.
struct dc_scope {
	pid_t thread; // 0: the one that the session was opened by; else one is chosen
	// The goroutine that calls begin on, when it is next in user code; 0: any, or a fresh one.
	// Only with a host of the program's own, and without a thread.
	uint64_t goroutine;
	// N|FUNC: whose locals; NULL: the innermost that is not a C library's. Functions that are
	// inlined into one another have a number each, as dc_stack_frame's are listed.
	const char *frame;
	// A thread that runs is not stopped: its locals are not even found where the kernel's
	// profiler may not look, and not read. For hover and completion, which must not disturb.
	bool no_stop;
};

// How: who runs a call in the target (its own host where it has one that can take the call, else
// the landing pad; or only the one named), how long it may take, what it may do.
enum dc_host { DC_HOST_AUTO, DC_HOST_BARE, DC_HOST_GORT, DC_HOST_AGENT, DC_HOST_GO };
// The word for --host; NULL: AUTO, and what is none.
DC_API const char *dc_host_name(enum dc_host host);
enum dc_signals { DC_SIGNALS_HOLD, DC_SIGNALS_PASS };

struct dc_call_options {
	enum dc_host host;
	int64_t timeout_ns; // of each call; 0: none
	int64_t wait_ns; // how long to look for a safe point
	bool all_stop; // every thread is stopped from the first need of one to the end
	bool no_call; // an expression that calls is refused
	// Under control: a callee that comes to a breakpoint, or to a signal that threads stop at and
	// that is no fault, stops there, and the evaluation ends with code PENDING. Its end is told by DC_EVENT_RETURNED. Else breakpoints in callees are passed
	// over, as they are by other hosts than bare.
	bool may_pend;
	bool no_number; // the result does not become the next $N
	bool force; // borrow at a place that is not a safe point
	bool drop_literals; // unmap the literals at the end
	bool assume_seccomp_ok;
	enum dc_signals signals;
	uint64_t pass_signals; // bit signo-1: handled faults that go to the program first
};
DC_API void dc_call_options_init(struct dc_call_options *options); // 5 s, 1 s, hold

// ---- Expressions ----

// Parsed and typed once, evaluated any number of times. Names mean what they did when it was
// parsed; a local is the one of the same function's frame at each evaluation.
struct dc_expression;

// scope: NULL is one that says nothing. Finds unknown names, wrong types and what cannot be passed.
// Stops no thread, but that a local's name in a thread that runs takes a stop to copy its stack.
DC_API DC_CHECK struct dc_error *dc_parse(struct dc_session *session, const char *text,
					  const struct dc_scope *scope, struct dc_expression **ret);
DC_API void dc_expression_destroy(struct dc_expression *expression); // NULL is fine
DC_API const char *dc_expression_text(const struct dc_expression *expression);

// What an evaluation may do. More than happens where a condition decides, never less.
struct dc_effects {
	bool calls; // functions of the target
	bool is_call; // it is one call as a whole, but for casts
	bool loads; // it may load libraries: names that are not known yet may be then
	bool writes; // to an object or a register of the target
	bool stops; // a thread is stopped for it: it calls, or needs a frame or registers
};
DC_API struct dc_effects dc_expression_effects(const struct dc_expression *expression);

// ---- Values ----

enum dc_type_kind {
	DC_TYPE_VOID,
	DC_TYPE_BOOL,
	DC_TYPE_INTEGER, // characters too
	DC_TYPE_FLOAT,
	DC_TYPE_COMPLEX,
	DC_TYPE_ENUM,
	DC_TYPE_POINTER,
	DC_TYPE_REFERENCE,
	DC_TYPE_ARRAY,
	DC_TYPE_VECTOR,
	DC_TYPE_STRUCT, // classes too
	DC_TYPE_UNION,
	DC_TYPE_FUNCTION,
	DC_TYPE_OTHER,
};
struct dc_type {
	const char *name; // as the language writes it, "struct point *"
	uint64_t size; // bytes; 0: not known, or none
	enum dc_type_kind kind; // under typedefs
	bool is_signed; // INTEGER, ENUM
};

enum dc_lvalue { DC_LVALUE_NONE, DC_LVALUE_MEMORY, DC_LVALUE_REGISTER, DC_LVALUE_BIT_FIELD };

// A snapshot: what was read is kept, whatever becomes of the target. Only read by its owner.
struct dc_value {
	enum dc_value_state state;
	const char *reason; // why there is no value; NULL when OK
	struct dc_type type;
	enum dc_lvalue lvalue; // what kind of object it was read from
	uint64_t addr; // MEMORY; BIT_FIELD: of the lowest bit's storage
	uint32_t bit_offset, bit_size; // BIT_FIELD
	const char *register_name; // REGISTER
	const void *bytes; // type.size of them, in the target's order; NULL: none were read
	const char *name; // of a child: "x", "[3]", "*"; NULL for a result
	const char *expression; // that names it, evaluated in the same scope; NULL: none can
	unsigned number; // of $N; 0: it is none
	uint64_t nr_children; // members, elements, what a pointer points to
	// Of a child: the thread was given back, or called on, after what it is part of had been
	// read, so that the two may not fit. (Threads that nobody stopped may always write.)
	bool has_run;
};
DC_API void dc_value_destroy(struct dc_value *value); // NULL is fine
// One line as gdb prints it, freed by the caller; *ret is NULL for void. format: one of gdb's
// letters x d u o t z a c f s r; 0: the expression's own ("/x flags"), or as the type says.
DC_API DC_CHECK struct dc_error *dc_value_text(const struct dc_value *value, char format,
					       char **ret);
// The children from start on, at most count; ret has room for so many. What is behind a pointer is
// read now. One that cannot be read says so in its state.
DC_API DC_CHECK struct dc_error *dc_value_children(const struct dc_value *value, uint64_t start,
						   size_t count, struct dc_value **ret,
						   size_t *nr_ret);

// ---- Evaluations ----

struct dc_result {
	struct dc_value *value;
	const char *host; // "bare", "gort", "agent"; "none": no thread was needed
	pid_t thread; // 0: none was needed
	bool chosen; // the thread was chosen for the user
	char *notes; // what to know before the value is believed, a line each; NULL: nothing
	// Known when the thread is back, so 0 while dc_attach() keeps it: how long it was away from
	// its own work, and how many bytes stay mapped because the program may hold pointers into
	// them.
	int64_t pause_ns;
	uint64_t literals_left;
};
DC_API void dc_result_deinit(struct dc_result *result);

// Borrows a thread at a safe point when one is needed, and gives it back in the end, unless
// dc_attach() borrowed it. options: NULL is dc_call_options_init()'s.
DC_API DC_CHECK struct dc_error *dc_evaluate(struct dc_session *session,
					     struct dc_expression *expression,
					     const struct dc_call_options *options,
					     struct dc_result *ret);

// dc_parse(), dc_evaluate() and dc_value_text() in one, with nothing said about where and how.
DC_API DC_CHECK struct dc_error *dc_print(struct dc_session *session, const char *text, char **ret);

// What $N is, as text; the result gets no number. *ret is NULL on error.
DC_API DC_CHECK struct dc_error *dc_print_result(struct dc_session *session, unsigned number,
						 char **ret);

// One call with values that a program has at hand, converted to the parameters' types as an
// assignment would; a string is put into the target as a literal.
enum dc_argument_kind { DC_INTEGER, DC_UNSIGNED, DC_DOUBLE, DC_STRING };
struct dc_argument {
	enum dc_argument_kind kind;
	union {
		int64_t integer;
		uint64_t number; // UNSIGNED: also addresses
		double real;
		const char *string;
	};
};
// function: its name, or an expression for it.
DC_API DC_CHECK struct dc_error *dc_call(struct dc_session *session, const char *function,
					 const struct dc_argument *args, size_t nr_args,
					 const struct dc_scope *scope,
					 const struct dc_call_options *options,
					 struct dc_result *ret);

// The same function n times, each time with a row of nr_args numbers of its own, which are converted
// as dc_call()'s; args has the rows one after the other. Arguments and result are integers, addresses or
// floating-point numbers that travel in registers. The first call that fails ends the batch: *done
// have returned by then. Through an agent a batch costs no system call for each of them.
struct dc_answer {
	enum dc_argument_kind kind; // never a string; a function without a result gives 0
	union {
		int64_t integer;
		uint64_t number;
		double real;
	};
	int64_t nanoseconds; // that the call took
};
DC_API DC_CHECK struct dc_error *dc_call_many(struct dc_session *session, const char *function,
					      const struct dc_argument *args, size_t nr_args,
					      uint64_t n, const struct dc_scope *scope,
					      const struct dc_call_options *options,
					      struct dc_answer *ret, uint64_t *done);

// Borrows a thread that evaluations in the scope then share, until dc_detach(). One that needs
// another thread, or a safer place, borrows that instead.
DC_API DC_CHECK struct dc_error *dc_attach(struct dc_session *session, const struct dc_scope *scope,
					   const struct dc_call_options *options);
// What is known only after the thread is back: the pause, mappings left in the target.
struct dc_departure {
	pid_t thread; // 0: none was borrowed
	bool chosen; // for the user
	int64_t pause_ns;
	uint64_t literals_left;
	enum dc_state state;
};
DC_API DC_CHECK struct dc_error *dc_detach(struct dc_session *session, struct dc_departure *ret);

// A whole list under one attach: evaluates in order until one fails, then finally (may be NULL).
// Holds the thread for less time than the single steps do. ret has room for n + 1. A list of which
// options refuse one is not begun and has one outcome, the refusal.
struct dc_outcome {
	struct dc_expression *expression; // the caller's
	struct dc_error *err; // the caller's to destroy; NULL: result is valid
	struct dc_result result;
};
DC_API DC_CHECK struct dc_error *
dc_evaluate_list(struct dc_session *session, struct dc_expression *const *expressions, size_t n,
		 struct dc_expression *finally, const struct dc_call_options *options,
		 struct dc_outcome *ret, size_t *nr_ret, struct dc_departure *departure);

struct dc_rate {
	uint64_t calls;
	double per_second;
	double median_us, p99_us;
};
// The same call n times; the thread is given back between slices of at most 10 ms.
DC_API DC_CHECK struct dc_error *dc_repeat(struct dc_session *session,
					   struct dc_expression *expression, uint64_t n,
					   const struct dc_call_options *options,
					   struct dc_result *ret, struct dc_rate *rate);

// ---- Control ----

// A process under control: each of its threads, and those to come, is followed, and runs on until
// something stops it: a breakpoint, a signal, dc_interrupt(). That is told by DC_EVENT_STOPPED, and
// the thread stands until dc_continue(), dc_step() or dc_uncontrol(). What is evaluated in the scope
// of a thread that stands happens there and leaves it standing.
// Breakpoints, watchpoints and steps are the kernel's: they are gone when we are, and all run on.
// Processes that it makes are none of it, unless they are wanted: each then sleeps, followed by nobody,
// where it would begin to run (one that has its parent's memory at first, as by vfork, where the
// program begins that it becomes), DC_EVENT_CHILD tells of it, and whoever controls it as a child
// finds it there. Where nobody does it goes on by itself after ten seconds.
enum dc_children {
	DC_CHILDREN_LEFT, // they run on
	DC_CHILDREN_FIRST, // the next one is wanted
	DC_CHILDREN_ALL,
};
struct dc_control_options {
	bool stop_all; // what stops one thread stops all; else the others run on
	enum dc_children children;
	bool is_child; // that was told of: its thread stands where it slept
	// Bit signo-1: threads stop before they receive these; others are passed on without a word.
	uint64_t stop_signals;
};
// Faults, SIGTRAP and SIGABRT stop; what stops one thread stops it alone.
DC_API void dc_control_options_init(struct dc_control_options *options);
// options: NULL is the usual. May be called again, to change them.
DC_API DC_CHECK struct dc_error *dc_control(struct dc_session *session,
					    const struct dc_control_options *options);
// No breakpoint is left, every thread runs on, with the signal that it stood at. Does nothing when
// there is no control. dc_close() does this too.
DC_API DC_CHECK struct dc_error *dc_uncontrol(struct dc_session *session);
DC_API bool dc_is_controlled(struct dc_session *session);
// The session leaves its process for a child that was told of, which stands from here on: what ran
// and stood there runs on, breakpoints are those of the child. Of its children none is wanted.
DC_API DC_CHECK struct dc_error *dc_follow(struct dc_session *session, pid_t child);
// From now on breakpoints that the kernel gives no other way for are patched into the program's code:
// as long as one is there the process does not survive our being killed, which whoever allows it has
// said to the user. While a thread is called on they stop nobody. At first they are refused.
DC_API void dc_allow_patches(struct dc_session *session, bool allowed);

// A program of our own, under control from before its first instruction on: its only thread stands
// there, for DC_STOP_EXEC. It is a child of ours; when we die it runs on like any other.
struct dc_launch {
	const char *const *argv; // up to NULL; the first is looked for in PATH
	const char *const *environment; // up to NULL; NULL: ours
	const char *directory; // to run in; NULL: ours
	int fds[3]; // its standard input, output and error; -1: ours
	// Of a session that it leads, and of what fds leaves out; NULL: it stays in our session.
	const char *terminal;
	bool own_group; // it is the leader of a process group of its own
	bool randomize; // addresses differ from run to run, as they do elsewhere
};
DC_API void dc_launch_init(struct dc_launch *launch);
// options: pid is not looked at. ATTACH: it cannot be run.
DC_API DC_CHECK struct dc_error *dc_launch(const struct dc_launch *launch,
					   const struct dc_options *options,
					   const struct dc_control_options *control,
					   struct dc_session **ret);
// SIGKILL, to any target; DC_EVENT_TARGET_ENDED comes.
DC_API DC_CHECK struct dc_error *dc_kill(struct dc_session *session);

enum dc_breakpoint_kind {
	DC_BREAK, // place: FUNCTION (behind its prologue), FILE:LINE, *ADDRESS
	// place: an expression that is an object in memory of 1, 2, 4 or 8 bytes, aligned. Where it is
	// is settled when it is set. What the kernel reads and writes for the program is not seen.
	DC_WATCH, // a thread has written another value
	DC_WATCH_READ, // accessed it, and it is as it was
	DC_WATCH_ACCESS, // accessed it
	// What has no place. place: names or numbers with spaces or commas between; NULL: all there are.
	DC_CATCH_SYSCALL, // before it is made, and behind it; while caught, each system call stops twice
	DC_CATCH_SIGNAL, // before a thread receives it
	DC_CATCH_FORK, // the thread has made a process, which runs on by itself and is not followed
	DC_CATCH_VFORK, // likewise, with memory shared until it became another program or ended
	DC_CATCH_EXEC, // it became another program (which stops it always)
	DC_CATCH_LOAD, // libraries have come; place: a part of the name of one
	// C++, at the runtime library's own functions: place is not looked at.
	DC_CATCH_THROW,
	DC_CATCH_RETHROW,
	DC_CATCH_CATCH,
};
struct dc_breakpoint_options {
	enum dc_breakpoint_kind kind;
	const char *place;
	const char *condition; // an expression of the place's frame; NULL: none
	const struct dc_scope *scope; // whose names a watched expression means; NULL: nobody's
	pid_t thread; // only this one stops; 0: any
	uint64_t ignore; // so many hits go on
	bool temporary; // gone when it has stopped a thread
	bool disabled;
	bool pending; // a place that is not there yet is waited for: a library may bring it
};
// Numbers begin with 1 and are not used again. NAME: no such place. REFUSED: the kernel allows no
// breakpoint, or none more. While control lasts.
DC_API DC_CHECK struct dc_error *dc_breakpoint_set(struct dc_session *session,
						   const struct dc_breakpoint_options *options,
						   unsigned *number);
// NAME: there is none of that number.
DC_API DC_CHECK struct dc_error *dc_breakpoint_delete(struct dc_session *session, unsigned number);
DC_API DC_CHECK struct dc_error *dc_breakpoint_enable(struct dc_session *session, unsigned number,
						      bool enabled);
DC_API DC_CHECK struct dc_error *dc_breakpoint_ignore(struct dc_session *session, unsigned number,
						      uint64_t hits);
// NULL: none any more.
DC_API DC_CHECK struct dc_error *dc_breakpoint_condition(struct dc_session *session,
							 unsigned number, const char *condition);

struct dc_location {
	struct dc_frame at;
	bool is_inlined; // a copy in another function
};
// What stands at its locations; where they differ, the last of these.
enum dc_armed_by {
	DC_ARMED_BY_NOTHING, // it is disabled, pending, or catches what has no place
	DC_ARMED_BY_HARDWARE, // the processor, of whose breakpoints there are few
	// An event of the kernel's at the instruction, for as long as we live. It may be at most of them.
	DC_ARMED_BY_UPROBE,
	DC_ARMED_BY_PATCH, // int3 in the program's code, which kills it when we are killed
};
struct dc_breakpoint {
	unsigned number;
	enum dc_breakpoint_kind kind;
	const char *place, *condition; // as they were given
	pid_t thread;
	bool enabled, temporary;
	uint64_t hits; // for which the condition was true
	uint64_t ignore; // that are still to go on
	// The kernel judges the condition in the thread that hits: for those hits that it is false for
	// no thread stops. Otherwise each hit is a stop, for a reason that is given (NULL: there is no
	// condition, or nothing is armed). All else is the same.
	bool in_kernel;
	const char *why_not_kernel;
	// Hits that it let by without judging them: it runs no BPF program where it has interrupted
	// another one, or somebody's call that reads the maps of one. None, as a rule.
	uint64_t unjudged;
	const struct dc_location *locations;
	size_t nr_locations; // 0: it is pending, or catches what has no place
	enum dc_armed_by armed_by;
};
// By number; a visit that returns false ends the listing. Texts live during the visit.
DC_API DC_CHECK struct dc_error *dc_breakpoints(struct dc_session *session,
						bool (*visit)(const struct dc_breakpoint *, void *),
						void *arg);

// Calls whose callees stand, the last one first. On one thread they end in that order.
struct dc_pending_call {
	unsigned number;
	pid_t thread;
	const char *text; // of the expression
};
DC_API DC_CHECK struct dc_error *
dc_pending_calls(struct dc_session *session, bool (*visit)(const struct dc_pending_call *, void *),
		 void *arg);
// Undoes the call: its thread stands or runs as before it. NAME: none of that number is pending.
DC_API DC_CHECK struct dc_error *dc_abandon(struct dc_session *session, unsigned number);

// thread: 0 is all that stand. A thread that stands at a signal receives it, unless dropped.
DC_API DC_CHECK struct dc_error *dc_continue(struct dc_session *session, pid_t thread);
enum dc_step {
	DC_STEP_INTO, // to another line, in whichever function that has lines
	DC_STEP_OVER, // to another line of this frame, or out of it
	DC_STEP_UNTIL, // likewise, and not back in a loop
	DC_STEP_OUT, // until the frame has returned
	DC_STEP_INSTRUCTION,
	DC_STEP_INSTRUCTION_OVER, // calls are one instruction
};
struct dc_step_options {
	pid_t thread; // that stands
	enum dc_step how;
	uint64_t count; // of steps; 0: one
	bool alone; // where what stops one thread stops all: the others stand meanwhile
	unsigned frame; // OUT: of this one, numbered as a scope's; an inlined one goes with its own
};
// The thread goes on, by breakpoints at where it leads; DC_EVENT_STOPPED tells of the end. Whatever
// else stops it meanwhile ends the step.
DC_API DC_CHECK struct dc_error *dc_step(struct dc_session *session,
					 const struct dc_step_options *options);
// The signal that a standing thread would receive when it goes on: another one, or 0.
DC_API DC_CHECK struct dc_error *dc_set_signal(struct dc_session *session, pid_t thread, int signo);
// Stops the thread, 0: all that run. Waits for nothing, neither for the stop nor for what the
// session does at the moment; DC_EVENT_STOPPED comes. May be called from any thread.
DC_API DC_CHECK struct dc_error *dc_interrupt(struct dc_session *session, pid_t thread);

// ---- Where threads come by ----

// Waits until a thread comes by a place, evaluates there, with the locals of that frame, and lets it
// go. The breakpoint is the kernel's: no code is changed, and it is gone when we are.
struct dc_at {
	const char *place; // FUNCTION (behind its prologue), FILE:LINE, *ADDRESS
	const char *condition; // hits that it is false for go on; NULL: every one counts
	uint64_t count; // ends after so many hits; 0: never
	int64_t wait_ns; // for each; 0: for ever. DEADLINE when nobody came
	pid_t thread; // only this one; 0: any
};
struct dc_hit {
	uint64_t number; // from 1
	pid_t thread;
	struct dc_frame where;
	struct dc_outcome *outcomes; // destroyed after the visit
	size_t nr_outcomes; // up to the first failure
	int64_t pause_ns; // how long the thread stood
	// Hits so far that were let go by while nobody waited: no thread stands while a visit lasts.
	uint64_t missed;
	bool in_kernel; // the condition is judged there, as a breakpoint's
	uint64_t unjudged; // so far, as a breakpoint's
};
// Each hit is visited once its thread is on its way again; a visit that returns false ends it.
DC_API DC_CHECK struct dc_error *dc_at(struct dc_session *session, const struct dc_at *at,
				       const char *const *texts, size_t n,
				       const struct dc_call_options *options,
				       bool (*visit)(const struct dc_hit *hit, void *arg),
				       void *arg);

// ---- Agents ----

struct dc_injection {
	bool is_from_memory; // the process sees no such file, and was given a copy in memory
	int64_t pause_ns; // how long a thread was away from its own work
	uint64_t literals_left;
};
// Has the process load libdebugcall-agent.so, by calls of dlopen() on a thread that is borrowed; from
// then on calls stop no thread. library: NULL is the one beside this program. REFUSED: the process
// has an agent, is statically linked, set-uid, under a sanitizer or on another libc than glibc.
DC_API DC_CHECK struct dc_error *dc_inject(struct dc_session *session, const char *library,
					   const struct dc_call_options *options,
					   struct dc_injection *ret);
// Puts an agent to sleep, for good: its threads end, and its memory goes; its code stays mapped.
// REFUSED while others are served.
DC_API DC_CHECK struct dc_error *dc_eject(struct dc_session *session);

// ---- Looking ----

// Pre-flight: runs nothing and stops nothing.
struct dc_check_thread {
	pid_t tid;
	char name[16];
	char *state; // "read (system call 0)", "running: decided at the stop", …
	bool borrowable;
	char *reason; // why not; NULL when borrowable
};
struct dc_check {
	pid_t pid;
	char *program;
	const char *hosts[8]; // by which it can be called, the preferred first; NULL-terminated
	struct dc_check_thread *threads;
	size_t nr_threads;
	char *notes; // pads left by a debugger that died, seccomp, …; NULL for none
};
// scope: of its thread alone, when it has one; NULL: of all.
DC_API DC_CHECK struct dc_error *dc_check(struct dc_session *session, const struct dc_scope *scope,
					  const struct dc_call_options *options,
					  struct dc_check *ret);
DC_API void dc_check_deinit(struct dc_check *check);

struct dc_function {
	const char *name, *module;
	const char *prototype; // NULL when there is no debug information and no known prototype
	uint64_t addr;
};
// Calls visit for each function whose name matches the POSIX extended regular expression (NULL:
// all), sorted by name; strings live during the visit. A visit that returns false ends the listing.
DC_API DC_CHECK struct dc_error *dc_functions(struct dc_session *session, const char *regex,
					      bool (*visit)(const struct dc_function *, void *),
					      void *arg);

// A goroutine of a program whose runtime has a debug call host. Text lives during the visit.
struct dc_goroutine {
	uint64_t id;
	const char *status; // the runtime's words: "running", "waiting"
	const char *wait_reason; // NULL: it does not wait
	int64_t waited_ns; // -1: it does not wait, or nobody knows since when
	const char *label; // NULL: none
	bool is_system; // the runtime's own
	pid_t thread; // that runs it; 0: none
	struct dc_frame where; // outside of the runtime; pc 0: not known without a stop
	uint64_t creator; // the goroutine that started it
	struct dc_frame created; // where
	const char *reason; // why no call can begin on it now; NULL: it may
};
// The oldest first; a visit that returns false ends the listing. Stops nothing. REFUSED: the target
// has no goroutines, or its descriptor cannot be used.
DC_API DC_CHECK struct dc_error *dc_goroutines(struct dc_session *session,
					       bool (*visit)(const struct dc_goroutine *, void *),
					       void *arg);

// The stacks of all threads, while all of them run on. Each is one that its thread had at one
// instant, or there is none. Texts of frames live as long as the session.
struct dc_stack_frame {
	struct dc_frame at;
	bool is_inlined; // into the next one
	bool is_signal; // the kernel came here for a signal
	bool is_guess; // the next one was found by the frame pointer alone
};
struct dc_stack {
	pid_t thread; // 0: of a goroutine that no thread runs
	uint64_t goroutine; // that the thread runs; 0: none
	char name[16]; // of a goroutine, its label
	const char *how; // it was read: "bpf", "proc", "perf", "stop", "memory"; NULL: it was not
	char *wait; // what the thread sleeps in, most often a system call; NULL: it does not
	bool is_ready; // it only waits for a CPU
	char *detail; // of that wait: the lock and who holds it; NULL: none
	bool complete; // up to the thread's first frame
	char *why; // it is not; NULL: it is
	struct dc_stack_frame *frames; // the innermost first
	size_t nr_frames;
};
struct dc_stacks {
	pid_t pid;
	char *program;
	struct dc_stack *stacks; // by thread id, then goroutines, the oldest first
	size_t nr_stacks;
	size_t nr_stopped; // how many threads were stopped for it
	char *notes; // lines for the user, NULL for none
};
struct dc_stacks_options {
	pid_t thread; // this one alone; 0: the one that the session was opened by, or all
	uint64_t goroutine; // this one alone; 0: all. Code NAME: there is none of that id
	const char *regex; // only threads of such a name (POSIX extended); NULL: all
	// Stop threads whose stacks need it even where that ends their wait with EINTR. Without it
	// only those are stopped that wait in what a stop never ends.
	bool stop;
};
DC_API DC_CHECK struct dc_error *dc_stacks(struct dc_session *session,
					   const struct dc_stacks_options *options,
					   struct dc_stacks *ret);
DC_API void dc_stacks_deinit(struct dc_stacks *stacks);

// Memory, as it is at this moment. Stops nothing. *got: how many bytes could be read, from addr on;
// code VALUE when that is none.
DC_API DC_CHECK struct dc_error *dc_read_memory(struct dc_session *session, uint64_t addr,
						void *buf, size_t n, size_t *got);
// All of it or none; read-only memory too, where the kernel lets a debugger.
DC_API DC_CHECK struct dc_error *dc_write_memory(struct dc_session *session, uint64_t addr,
						 const void *buf, size_t n);

struct dc_mapping {
	uint64_t start, end, offset;
	bool readable, writable, executable, shared;
	const char *path; // "": anonymous; "[stack]" …
	bool deleted;
};
DC_API DC_CHECK struct dc_error *dc_mappings(struct dc_session *session,
					     bool (*visit)(const struct dc_mapping *, void *),
					     void *arg);

// The program and its libraries, in load order.
struct dc_module {
	const char *name, *path;
	uint64_t start, end;
	bool has_debug; // information on types and lines
	const char *problem; // why a part of it cannot be read; NULL: none is known
};
DC_API DC_CHECK struct dc_error *
dc_modules(struct dc_session *session, bool (*visit)(const struct dc_module *, void *), void *arg);

// What is at an address, the innermost inlined function first; at most max, at least one. Texts
// live as long as the session.
DC_API DC_CHECK struct dc_error *dc_describe(struct dc_session *session, uint64_t addr,
					     struct dc_frame *ret, size_t max, size_t *n);
// The same of a symbol, data too: name NULL when none covers it.
struct dc_symbol {
	const char *name, *module;
	uint64_t offset;
	uint64_t size; // of a function's code; 0: not known
};
DC_API DC_CHECK struct dc_error *dc_symbol_at(struct dc_session *session, uint64_t addr,
					      struct dc_symbol *ret);

// A place in the source and the code that begins there.
struct dc_line {
	uint64_t addr;
	uint64_t end; // of the line's code there; 0: not known
	const char *function; // NULL: not known
	const char *file; // as the debug information names it; NULL: there is none
	int line;
};
// text: as a breakpoint's place, and LINE of the scope's file. entry: of a function its first
// instruction, where else it is where the body begins. By address; code NAME: there is none.
DC_API DC_CHECK struct dc_error *dc_find_lines(struct dc_session *session, const char *text,
					       const struct dc_scope *scope, bool entry,
					       bool (*visit)(const struct dc_line *, void *),
					       void *arg);
// Where the lines of [start, end) begin in the code, by address.
DC_API DC_CHECK struct dc_error *dc_lines(struct dc_session *session, uint64_t start, uint64_t end,
					  bool (*visit)(const struct dc_line *, void *), void *arg);

struct dc_instruction {
	uint64_t addr;
	const void *bytes;
	size_t size;
	const char *text; // "call   0x5555555551a9"
	uint64_t target; // of a call or jump, or what it refers to; 0: nothing fixed
	const char *target_name; // the symbol there, NULL
	uint64_t target_offset;
};
// Instructions from start on, up to end. Bytes that are no instruction are one of a byte, "(bad)".
DC_API DC_CHECK struct dc_error *
dc_disassemble(struct dc_session *session, uint64_t start, uint64_t end,
	       bool (*visit)(const struct dc_instruction *, void *), void *arg);

// Which frame a scope means at this moment; may stop a thread that runs to copy its stack, unless
// the scope says otherwise.
struct dc_place {
	pid_t thread;
	unsigned index; // from the innermost
	struct dc_frame frame; // texts live as long as the session
};
DC_API DC_CHECK struct dc_error *dc_place(struct dc_session *session, const struct dc_scope *scope,
					  struct dc_place *ret);

// Names, for listings and completion. Each may be evaluated as an expression in the same scope.
// Nothing is run, and nothing but a running thread's frame takes a stop.
enum dc_names {
	DC_NAMES_ARGUMENTS, // of the scope's frame
	DC_NAMES_LOCALS, // of the blocks around its place, the innermost first; no arguments
	DC_NAMES_REGISTERS, // that every frame has: "rax"
	DC_NAMES_VECTOR_REGISTERS, // and x87 ones
};
DC_API DC_CHECK struct dc_error *dc_names(struct dc_session *session, enum dc_names which,
					  const struct dc_scope *scope,
					  bool (*visit)(const char *name, void *), void *arg);
// The same of arguments and locals at an address, whatever thread is there.
DC_API DC_CHECK struct dc_error *dc_names_at(struct dc_session *session, enum dc_names which,
					     uint64_t addr, bool (*visit)(const char *name, void *),
					     void *arg);
// The members that "TEXT." or "TEXT->" may go on with. Code NAME: it has none.
DC_API DC_CHECK struct dc_error *dc_members(struct dc_session *session, const char *text,
					    const struct dc_scope *scope,
					    bool (*visit)(const char *name, void *), void *arg);
// Functions, variables and types whose names begin so, each once, in no order.
DC_API DC_CHECK struct dc_error *dc_complete(struct dc_session *session, const char *prefix,
					     bool (*visit)(const char *name, void *), void *arg);

// Global and static variables whose name matches (NULL: all), by name.
struct dc_variable {
	const char *name, *module;
	const char *declaration; // "int limit", NULL without debug information
	const char *file; // NULL: not known
	int line;
	uint64_t addr; // 0: it has none of its own (thread-local, optimised out)
};
DC_API DC_CHECK struct dc_error *dc_variables(struct dc_session *session, const char *regex,
					      bool (*visit)(const struct dc_variable *, void *),
					      void *arg);
// Types with names, by name: "struct cache", "cache_t".
DC_API DC_CHECK struct dc_error *dc_types(struct dc_session *session, const char *regex,
					  bool (*visit)(const char *name, void *), void *arg);

// A type as the language writes it, of an expression or of a type's name; freed by the caller. Runs
// nothing.
enum dc_type_text {
	DC_TYPE_NAME, // "cache_t *"
	DC_TYPE_DEFINITION, // members, enumerators: lines
	DC_TYPE_LAYOUT, // with offsets, sizes and holes
};
DC_API DC_CHECK struct dc_error *dc_type_text(struct dc_session *session, const char *text,
					      const struct dc_scope *scope, enum dc_type_text how,
					      char **ret);

// The process that has the name, or a decimal process or thread id.
DC_API DC_CHECK struct dc_error *dc_find_process(const char *what, pid_t *ret);

// ---- Operations ----

// What takes time may be begun and left: it then runs on a thread of the session's own, after what
// was begun before. All functions above are this, waited for.
struct dc_operation;

DC_API DC_CHECK struct dc_error *dc_start_evaluate(struct dc_session *session,
						   struct dc_expression *expression,
						   const struct dc_call_options *options,
						   struct dc_operation **ret);
DC_API DC_CHECK struct dc_error *dc_start_call(struct dc_session *session, const char *function,
					       const struct dc_argument *args, size_t nr_args,
					       const struct dc_scope *scope,
					       const struct dc_call_options *options,
					       struct dc_operation **ret);
// Any work on the session, as one operation: job calls the functions above, on the other thread.
DC_API DC_CHECK struct dc_error *dc_start(struct dc_session *session,
					  struct dc_error *(*job)(struct dc_session *, void *),
					  void *arg, struct dc_operation **ret);
// True: it has ended. timeout_ns: 0 only looks, a negative one waits for as long as it takes.
DC_API bool dc_operation_wait(struct dc_operation *operation, int64_t timeout_ns);
// This one alone ends with CANCELLED, unless it has ended. Not from a signal handler.
DC_API void dc_operation_cancel(struct dc_operation *operation);
// Waits for the end and frees the operation. ret: of an evaluation or a call, else NULL.
DC_API DC_CHECK struct dc_error *dc_operation_finish(struct dc_operation *operation,
						     struct dc_result *ret);

// ---- Events ----

enum dc_stop_reason {
	DC_STOP_ATTACHED, // dc_attach() borrowed the thread
	DC_STOP_BREAKPOINT, // breakpoint
	DC_STOP_WATCHPOINT, // breakpoint, was, is; behind the instruction
	DC_STOP_SCOPE, // the frame of what was watched has returned; the watchpoint is gone
	DC_STOP_SIGNAL, // signo, addr: before the thread receives it
	DC_STOP_INTERRUPTED, // dc_interrupt(), or another thread's stop that stops all
	DC_STOP_STEP, // a step is at its end
	// It became another program, and stands before its first instruction. Breakpoints are where
	// their places are in this one; watchpoints are gone.
	DC_STOP_EXEC,
	DC_STOP_SYSCALL, // breakpoint, syscall, syscall_name, is_return, result
	DC_STOP_FORK, // breakpoint, child
	DC_STOP_VFORK,
	DC_STOP_LOADED, // breakpoint
};
// A thread that stands still, and where.
struct dc_stop {
	pid_t thread;
	enum dc_stop_reason reason;
	struct dc_frame frame; // strings live as long as the session
	unsigned breakpoint; // its number
	// Texts of an event live until the next one is asked for.
	const char *was, *is; // WATCHPOINT: the value before and now
	unsigned
		returned; // STEP out of a function: $N is what it gave; 0: nothing, or nobody knows
	// Why it stands here and not elsewhere: a condition that could not be evaluated, a step that
	// could not be led on. NULL: nothing.
	const char *problem;
	int signo;
	uint64_t addr; // of a fault
	long syscall; // SYSCALL
	const char *syscall_name; // NULL: none is known
	bool is_return; // it was made, and result is what it gave; else it is still to be made
	int64_t result;
	pid_t child; // FORK, VFORK: as the process sees it
	bool all_stand; // so do all others
};
enum dc_event_kind {
	DC_EVENT_ENDED, // an operation: dc_operation_finish() will not wait
	DC_EVENT_STOPPED,
	DC_EVENT_RAN_ON, // a thread was given back: values read before may be out of date
	DC_EVENT_TARGET_ENDED,
	DC_EVENT_TARGET_EXECED,
	DC_EVENT_BREAKPOINT, // a pending one has found its place
	DC_EVENT_RETURNED, // a pending call is over: call, thread, result, failure
	DC_EVENT_THREAD_BEGAN, // under control
	DC_EVENT_THREAD_ENDED, // likewise
	DC_EVENT_MODULES, // libraries have come or gone since somebody last looked
	DC_EVENT_CHILD, // child, is_exec, failure
};
struct dc_event {
	enum dc_event_kind kind;
	struct dc_operation *operation; // ENDED
	struct dc_stop stop; // STOPPED
	unsigned breakpoint; // BREAKPOINT
	int status; // TARGET_ENDED: as wait() tells it; -1: not known
	pid_t thread; // THREAD_BEGAN, THREAD_ENDED, RAN_ON; RETURNED: it stands, or runs, as before
	unsigned call; // RETURNED: its number
	unsigned result; // RETURNED: $N is the value; 0: it has none
	// RETURNED: why it has none; NULL: it is void. CHILD: why it has run on; NULL: it sleeps.
	const char *failure;
	pid_t child; // CHILD
	bool is_exec; // CHILD: it has become another program already
	int64_t pause_ns; // RAN_ON: how long it was away from its own work
};
// Threads, the process's ones, that are under control.
struct dc_thread {
	pid_t tid;
	char name[16];
	bool stands;
	struct dc_stop stop; // why, when it stands
};
DC_API DC_CHECK struct dc_error *
dc_threads(struct dc_session *session, bool (*visit)(const struct dc_thread *, void *), void *arg);
// Those of them that stand, without their names; thread: this one alone, 0: all. What they stand for
// is known without a look at any other.
DC_API DC_CHECK struct dc_error *dc_standing(struct dc_session *session, pid_t thread,
					     bool (*visit)(const struct dc_thread *, void *),
					     void *arg);
// The stack of one thread that stands, as it is; dc_stacks() is for all, wherever they are.
DC_API DC_CHECK struct dc_error *dc_frames(struct dc_session *session, pid_t thread,
					   struct dc_stack *ret);
DC_API void dc_stack_deinit(struct dc_stack *stack);

// A descriptor that is readable when there may be an event, for poll(); the session's. Events are
// kept from the first of these calls on. -1 and errno: there is none.
DC_API int dc_event_fd(struct dc_session *session);
// The next event; false: there is none.
DC_API bool dc_next_event(struct dc_session *session, struct dc_event *ret);
// The same, waited for; timeout_ns: a negative one waits for as long as it takes. False also when
// dc_cancel() was called.
DC_API bool dc_wait_event(struct dc_session *session, int64_t timeout_ns, struct dc_event *ret);

#ifdef __cplusplus
}
#endif
#endif
