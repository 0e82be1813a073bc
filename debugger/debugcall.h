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
#define DC_CODES(X)                                                                       \
	X(USAGE, "usage", 2) /* a request that makes no sense */                          \
	X(SYNTAX, "syntax", 1) /* the expression does not parse */                        \
	X(NAME, "unknown-name", 1) /* no such symbol, member or type */                   \
	X(TYPE, "type", 1) /* the operation is not defined for these types */             \
	X(VALUE, "value", 1) /* division by zero, unreadable memory, out of range */      \
	X(MEMORY, "out-of-memory", 1) /* ours, not the target's */                        \
	X(SYSTEM, "system", 1) /* a system call of ours failed; the message says which */ \
	X(CRASHED, "crashed", 1) /* a fatal signal in the callee; undone */               \
	X(PANICKED, "panicked", 1) /* an uncaught panic in the callee; undone */          \
	X(EXITED, "goroutine-exited", 1) /* the callee ended its goroutine */             \
	X(THREAD_ENDED, "thread-ended", 1) /* the callee ended its thread */              \
	X(LEFT, "left", 1) /* the callee was left by longjmp; nothing restored */         \
	X(ATTACH, "attach", 3) /* the process cannot be attached to */                    \
	X(TARGET_ENDED, "target-ended", 4) /* the process ended */                        \
	X(TARGET_EXECED, "target-execed", 4) /* the process became another program */     \
	X(DEADLINE, "deadline", 5) /* the call did not end in time */                     \
	X(REFUSED, "refused", 6) /* not safe, or not exactly possible; nothing was run */ \
	X(CANCELLED, "cancelled", 130) /* dc_cancel() */

enum dc_code {
#define X(name, text, status) DC_##name,
	DC_CODES(X)
#undef X
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
	struct dc_frame *frames;
	size_t nr_frames;
	char *notes; // further lines for the user, each ended by '\n'; NULL for none
};

DC_API void dc_error_destroy(struct dc_error *err); // NULL is fine
DC_API const char *dc_code_name(enum dc_code code);
DC_API int dc_code_status(enum dc_code code);
DC_API const char *dc_state_text(enum dc_state state); // "the target runs on, restored"

struct dc_session;

// Who runs a call in the target: its own host where it has one that can take the call, else the
// landing pad; or only the one named.
enum dc_host { DC_HOST_AUTO, DC_HOST_BARE, DC_HOST_GORT };
// The word for --host; NULL: AUTO, and what is none.
DC_API const char *dc_host_name(enum dc_host host);
enum dc_signals { DC_SIGNALS_HOLD, DC_SIGNALS_PASS };

struct dc_options {
	pid_t pid; // a process, or one of its threads, which is then the borrowed one
	pid_t thread; // 0: chosen for the user
	// The goroutine that calls begin on, when it is next in user code; 0: any, or a fresh one.
	// Only with a host of the program's own, and without thread.
	uint64_t goroutine;
	int64_t timeout_ns; // of each call; 0: none
	int64_t wait_ns; // how long to look for a safe point
	const char *frame; // N|FUNC: whose locals; NULL: the innermost that is not a C library's
	enum dc_host host;
	bool all_stop;
	bool no_call; // an expression that calls is refused
	bool force; // borrow at a place that is not a safe point
	bool drop_literals; // unmap the literals at detach
	bool assume_seccomp_ok;
	enum dc_signals signals;
	uint64_t pass_signals; // bit signo-1: handled faults that go to the program first
};
DC_API void dc_options_init(struct dc_options *options); // 5 s, 1 s, hold

// dc_open() reads all that is needed to call (maps, symbols); nothing is stopped.
// dc_close() lets go of the target, restored, and frees the session; NULL is fine.
DC_API DC_CHECK struct dc_error *dc_open(const struct dc_options *options, struct dc_session **ret);
DC_API void dc_close(struct dc_session *session);

struct dc_result {
	char *value; // printed; NULL for void
	char *type;
	const char *host;
	pid_t thread;
	bool chosen; // the thread was chosen for the user
	int64_t pause_ns; // how long the borrowed thread was away from its own work so far
	char *notes; // lines for the user, NULL for none
};
DC_API void dc_result_deinit(struct dc_result *result);

// Frames and libraries are as they were when an expression was first prepared, until dc_detach().
// dc_prepare() parses and types the expressions, so that unknown names and refusals are found
// before a thread is stopped. Preparing and attaching happen by themselves in dc_evaluate().
DC_API DC_CHECK struct dc_error *dc_prepare(struct dc_session *session, const char *expr);
// Borrow a thread at a safe point; stays borrowed until dc_detach().
DC_API DC_CHECK struct dc_error *dc_attach(struct dc_session *session);
DC_API DC_CHECK struct dc_error *dc_evaluate(struct dc_session *session, const char *expr,
					     struct dc_result *ret);
// One call with arguments that a program has at hand. They are converted to the parameters' types
// as an assignment would; a string is put into the target as a literal.
struct dc_argument {
	enum { DC_INTEGER, DC_UNSIGNED, DC_DOUBLE, DC_STRING } kind;
	union {
		int64_t integer;
		uint64_t number; // UNSIGNED: also addresses
		double real;
		const char *string;
	};
};
DC_API DC_CHECK struct dc_error *dc_call(struct dc_session *session, const char *function,
					 const struct dc_argument *args, size_t nr_args,
					 struct dc_result *ret);
// What is known only after the thread is back: the pause, mappings left in the target.
struct dc_departure {
	pid_t thread; // 0: none was borrowed
	bool chosen; // for the user
	int64_t pause_ns;
	uint64_t
		literals_left; // bytes that stay mapped because the program may hold pointers into them
	enum dc_state state;
};
DC_API DC_CHECK struct dc_error *dc_detach(struct dc_session *session, struct dc_departure *ret);
// A whole list under one attach: prepares all, evaluates in order until one fails, then finally
// (may be NULL), and detaches. Holds the thread for less time than the single steps do. ret has
// room for n + 1; a list that the preparation refuses is not begun and has one outcome, the
// refusal.
struct dc_outcome {
	const char *expr; // the caller's
	struct dc_error *err; // the caller's to destroy; NULL: result is valid
	struct dc_result result;
};
DC_API DC_CHECK struct dc_error *dc_evaluate_list(struct dc_session *session,
						  const char *const *exprs, size_t n,
						  const char *finally, struct dc_outcome *ret,
						  size_t *nr_ret, struct dc_departure *departure);
// May be called from any thread and from a signal handler; the running operation ends with
// CANCELLED.
DC_API void dc_cancel(struct dc_session *session);

struct dc_rate {
	uint64_t calls;
	double per_second;
	double median_us, p99_us;
};
DC_API DC_CHECK struct dc_error *dc_repeat(struct dc_session *session, const char *expr, uint64_t n,
					   struct dc_result *ret, struct dc_rate *rate);

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
	const char *hosts[4]; // NULL-terminated
	struct dc_check_thread *threads;
	size_t nr_threads;
	char *notes; // pads left by a debugger that died, seccomp, …; NULL for none
};
DC_API DC_CHECK struct dc_error *dc_check(struct dc_session *session, struct dc_check *ret);
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
	int64_t waited_ns; // -1: it does not wait
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
	pid_t thread;
	char name[16];
	const char *how; // it was read: "bpf", "proc", …; NULL: it was not
	char *wait; // what the thread sleeps in, most often a system call; NULL: it does not
	bool is_ready; // it only waits for a CPU
	char *detail; // of that wait: the lock and who holds it; NULL: none
	bool complete; // up to the thread's first frame
	const char *why; // it is not
	struct dc_stack_frame *frames; // the innermost first
	size_t nr_frames;
};
struct dc_stacks {
	pid_t pid;
	char *program;
	struct dc_stack *stacks; // by thread id
	size_t nr_stacks;
	size_t nr_stopped; // how many threads were stopped for it
	char *notes; // lines for the user, NULL for none
};
struct dc_stacks_options {
	const char *regex; // only threads of such a name (POSIX extended); NULL: all
};
DC_API DC_CHECK struct dc_error *dc_stacks(struct dc_session *session,
					   const struct dc_stacks_options *options,
					   struct dc_stacks *ret);
DC_API void dc_stacks_deinit(struct dc_stacks *stacks);

// The process that has the name, or a decimal process or thread id.
DC_API DC_CHECK struct dc_error *dc_find_process(const char *what, pid_t *ret);

#ifdef __cplusplus
}
#endif
#endif
