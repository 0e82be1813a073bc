// SPDX-License-Identifier: MIT
// One conversation with a client: what it can do, the target it debugs, the handlers of requests.
// The loop owns all of it but what is said to be the session's worker's.
#ifndef DEBUGGER_FRONT_DAP_DAP_H
#define DEBUGGER_FRONT_DAP_DAP_H

#include "debugger/front/dap/breakpoints.h"
#include "debugger/front/dap/launch.h"
#include "debugger/front/dap/opening.h"
#include "debugger/front/dap/references.h"
#include "debugger/front/dap/request.h"
#include "debugger/front/dap/wire.h"

// The scope of a frame that the client holds; none: wherever the library chooses.
struct dap_place {
	struct dc_scope scope;
	char frame[16];
};

enum { NEWBORN_MAX = 64 };
enum watch_calls { WATCH_NEVER, WATCH_ONCE_PER_STOP, WATCH_ALWAYS };

struct dap {
	struct wire *wire;
	int64_t seq; // of what was sent last
	bool initialized;
	int status; // of the program, in the end
	// Nothing more is taken; what is under way is undone, and then we go, at the latest then.
	bool ending;
	int64_t leave_ns; // 0: that is not begun
	struct request *farewell; // answered last; NULL: nobody asked
	enum { LEAVE_RUNNING, LEAVE_STOPPED, LEAVE_ENDED } leave; // the target
	const char *token; // that attach and launch have to name; NULL: none

	// The client.
	bool lines_from_0, columns_from_0;
	bool knows_progress, knows_invalidated, knows_memory, has_terminal;
	bool begins_sessions;

	// The target, from attach or launch on.
	struct dc_session *session; // NULL: none yet
	int event_fd; // the session's
	pid_t pid;
	char name[64];
	bool has_goroutines;
	bool has_ended;
	bool configured;
	struct dc_call_options call; // callTimeout, host
	enum watch_calls watch_calls;
	bool repl_calls;
	json_t *source_map; // [[from, to], …]; NULL: none

	char cwd[4096]; // where relative file names are looked for first; "": not told
	bool stop_on_entry; // or as soon as we are attached
	json_t *configuration; // the arguments of attach or launch; NULL: neither has come
	bool is_launch;
	bool no_patch; // no breakpoint is patched into the code
	bool follows_children; // the client is to begin a session for each
	json_t *children; // that it was asked one for and has not answered, by our request's number
	bool is_child; // the target is one, of another session
	struct launched launched; // no pid: we are attached
	bool outlives; // what we launched
	int64_t terminal_seq; // of what the client was asked; 0: nothing
	char *terminal_problem; // why it begins no terminal
	// All threads were asked to stand: told as one stop, of this thread, when the last one does;
	// or, when that takes too long, of each that does.
	enum { PAUSE_NONE, PAUSE_ASKED, PAUSE_TOLD } pause;
	pid_t pause_thread;
	const char *pause_reason;
	int64_t pause_until_ns;

	struct opening *opening; // the target is being opened, for the opener; NULL: it is not
	struct request *opener; // one of those under way
	struct request *restart; // begins when nothing is under way any more
	struct request *held; // that came meanwhile, in order
	struct request *under_way; // in the order they came
	// The worker's.
	struct references *references;
	struct breakpoints breakpoints;
	struct shell *shell; // of the console; NULL: not yet
	pid_t newborn[NEWBORN_MAX]; // threads that the client is told of then
	size_t nr_newborn;
	int64_t tell_newborn_ns;
	struct named *named; // its threads, in the order of their numbers
	size_t nr_named;
	json_t *modules; // that the client knows of, by their ids
	json_t *watched; // answers that are kept until the program runs on
	bool stops_at_faults;
	bool at_entry; // what we launched stands where it began
	// Where a step into one call of a line leads; 0: nowhere.
	unsigned step_target;
	pid_t step_thread;
};

// A conversation on two descriptors, to its end; gives the exit status.
int dap_serve(int in, int out, FILE *log, const char *token);

// answer.c
void dap_event(struct dap *dap, const char *event, json_t *body); // takes body over
void dap_output(struct dap *dap, const char *category, const char *text);
// What a failure says: message, notes, and the state of the target last. NULL: out of memory.
char *dap_failure_text(const struct dc_error *err);
// Answers, tells what follows from it, and frees the request and the error.
void dap_answer(struct request *request, struct dc_error *err);
// A message that is no request; NULL: one that is not even JSON.
void dap_refuse(struct dap *dap, json_t *message, const char *complaint);
// A request of ours. What is said of one is looked at when it was for a terminal.
void dap_ask_client(struct dap *dap, const char *command, json_t *arguments);
// children.c
// The same session for a child, that begins by attaching.
void dap_ask_for_session(struct dap *dap, pid_t child);
void dap_child_answered(struct dap *dap, const json_t *message);
// server.c
// Undoes calls under way; whole: all that is. Whoever asked for one is answered when it has ended.
void dap_undo(struct dap *dap, bool whole);
void dap_undo_one(struct request *request);
// The target of attach or launch, for whom the answer is left to the end of it.
void dap_open(struct request *request, const struct opening_steps *steps);
// A stop of all threads is asked for, by the job dap_pause that is begun next.
void dap_await_pause(struct dap *dap, pid_t thread, const char *reason);
// Work of our own, which nobody asked for. reason: of a stop that was asked for; NULL: none was.
void dap_begin(struct dap *dap, struct dc_error *(*job)(struct dc_session *, void *), pid_t thread,
	       const char *reason);
void dap_let_go(struct dap *dap); // of the target; nothing is under way
void dap_set_off(struct dap *dap); // the target runs, or stands, as was configured

// The handlers, by file. start.c:
struct dc_error *dap_initialize(struct request *request);
struct dc_error *dap_attach(struct request *request);
struct dc_error *dap_configuration_done(struct request *request);
// What attach and launch have in common.
void dap_take_settings(struct request *request);
int dap_choice(struct request *request, const char *name, const char *const *words, size_t n,
	       int otherwise);
struct dc_error *dap_look_around(struct request *request, struct dc_session *session);
json_t *dap_capabilities(bool launched); // those of a program that was launched, or the others
void dap_tell_process(struct request *request, const char *method);
// begin.c
struct dc_error *dap_launch(struct request *request);
struct dc_error *dap_restart(struct request *request);
void dap_begin_again(struct dap *dap);
// end.c
struct dc_error *dap_terminate(struct dc_session *session, void *request);
struct dc_error *dap_disconnect(struct request *request);
struct dc_error *dap_cancel(struct request *request);
void dap_leave(struct dap *dap); // the target, as was asked
// evaluate.c
struct dc_error *dap_evaluate(struct dc_session *session, void *request);
struct dc_error *dap_set_expression(struct dc_session *session, void *request);
void dap_place_init(struct dap_place *place, const struct frame_reference *frame, bool no_stop);
// Of the argument frameId; NULL: it has none, or there is a complaint.
const struct frame_reference *dap_frame(struct request *request);
struct around dap_around(const struct frame_reference *frame);
const struct frame_reference *dap_frame_of(const struct around *around); // NULL: none
// The value as the body, which becomes no $N.
struct dc_error *dap_look(struct request *request, struct dc_session *session, const char *text,
			  const struct frame_reference *frame);
// An expression that was shown as one that calls, now called for.
struct dc_error *dap_evaluate_lazy(struct request *request, struct dc_session *session,
				   const struct lazy *lazy);
// TARGET = (VALUE); the body's value is what it is then.
struct dc_error *dap_assign(struct request *request, struct dc_session *session, const char *target,
			    const char *value, const struct frame_reference *frame);
// variables.c
struct dc_error *dap_variables(struct dc_session *session, void *request);
struct dc_error *dap_set_variable(struct dc_session *session, void *request);
// What the arguments variablesReference and name mean, as an expression, freed by the caller. *ret
// NULL: a complaint, or an error.
struct dc_error *dap_name_variable(struct request *request, struct around *around, char **ret);
// A value as the members that evaluate and variables have in common; takes value over.
json_t *dap_describe(struct request *request, struct dc_value *value, struct dc_error **err);
json_t *dap_as_variable(json_t *body, const char *name);
char dap_format(struct request *request); // the letter of the argument "format"; 0: none
// threads.c
struct dc_error *dap_threads(struct request *request);
void dap_close_names(struct dap *dap); // of threads
// At tell_newborn_ns, while there are any.
void dap_tell_newborn(struct dap *dap);
void dap_thread_begins(struct dap *dap, pid_t thread, int64_t now_ns);
void dap_thread_ends(struct dap *dap, pid_t thread);
struct dc_error *dap_threads_and_goroutines(struct dc_session *session, void *request);
struct dc_error *dap_stack_trace(struct dc_session *session, void *request);
// sources.c
json_t *dap_source(const struct dap *dap, const char *file); // NULL: no file
// Where the client has a file, and as what the debug information may know one of the client's: freed
// by the caller; NULL: no memory.
char *dap_path(const struct dap *dap, const char *file);
char *dap_unmapped(const struct dap *dap, const char *path);
// Where a line of the client's file has code.
struct dc_error *dap_find_line(struct request *request, struct dc_session *session,
			       const char *path, int line,
			       bool (*visit)(const struct dc_line *, void *), void *arg);
struct dc_error *dap_source_text(struct dc_session *session, void *request);
struct dc_error *dap_loaded_sources(struct dc_session *session, void *request);
struct dc_error *dap_breakpoint_locations(struct dc_session *session, void *request);
// scopes.c
struct dc_error *dap_scopes(struct dc_session *session, void *request);
struct dc_error *dap_list_scope(struct request *request, struct dc_session *session,
				const struct scope_reference *scope, json_t *variables);
char *dap_scope_expression(const struct scope_reference *scope, const char *name);
// modules.c
// What there is, before anything is told of it; and then what has come and gone.
struct dc_error *dap_note_modules(struct dap *dap, struct dc_session *session);
struct dc_error *dap_modules_changed(struct dc_session *session, void *request);
// memory.c
struct dc_error *dap_read_memory(struct dc_session *session, void *request);
struct dc_error *dap_write_memory(struct dc_session *session, void *request);
struct dc_error *dap_disassemble(struct dc_session *session, void *request);
// modules.c
struct dc_error *dap_modules(struct dc_session *session, void *request);
// run.c
void dap_forget(struct dap *dap); // what was read before the program runs on
struct dc_error *dap_take_control(struct request *request, struct dc_session *session);
struct dc_error *dap_leave_control(struct request *request, struct dc_session *session);
bool dap_stands(struct dc_session *session, pid_t thread);
// What the function gave that it was stepped out of, as $N; 0: nothing, or nobody knows.
unsigned dap_returned(struct dc_session *session, pid_t thread);
struct dc_error *dap_stopped(struct dc_session *session, void *request); // of its thread
struct dc_error *dap_tell_standing(struct dc_session *session, void *request); // of each
struct dc_error *dap_ask_pause(struct request *request);
struct dc_error *dap_pause(struct dc_session *session, void *request);
struct dc_error *dap_go(struct dc_session *session, void *request); // all that stand
struct dc_error *dap_continue(struct dc_session *session, void *request);
struct dc_error *dap_next(struct dc_session *session, void *request);
struct dc_error *dap_step_in(struct dc_session *session, void *request);
struct dc_error *dap_step_out(struct dc_session *session, void *request);
struct dc_error *dap_exception_info(struct dc_session *session, void *request);
// breakpoints.c
struct dc_error *dap_set_breakpoints(struct dc_session *session, void *request);
struct dc_error *dap_set_function_breakpoints(struct dc_session *session, void *request);
struct dc_error *dap_set_instruction_breakpoints(struct dc_session *session, void *request);
// One that waited for its place has found it.
struct dc_error *dap_breakpoint_found(struct dc_session *session, void *request);
// exceptions.c
struct dc_error *dap_set_exception_breakpoints(struct dc_session *session, void *request);
struct dc_error *dap_set_exception(struct request *request, struct dc_session *session,
				   struct breakpoint *breakpoint);
json_t *dap_exception_filters(void);
// data.c
struct dc_error *dap_data_breakpoint_info(struct dc_session *session, void *request);
struct dc_error *dap_set_data_breakpoints(struct dc_session *session, void *request);
struct dc_error *dap_watch(struct request *request, struct dc_session *session,
			   struct breakpoint *breakpoint);
// targets.c
struct dc_error *dap_goto_targets(struct dc_session *session, void *request);
struct dc_error *dap_goto(struct dc_session *session, void *request);
struct dc_error *dap_step_in_targets(struct dc_session *session, void *request);
// Of the argument targetId: a step in goes there, by a breakpoint. False: there is a complaint.
bool dap_target(struct request *request, uint64_t *addr);
struct dc_error *dap_step_to(struct dc_session *session, pid_t thread, uint64_t addr,
			     unsigned *breakpoint);
// console.c
// False: the line is no command of the shell's. frame: NULL is none.
bool dap_console(struct request *request, struct dc_session *session,
		 const struct frame_reference *frame, const char *line);
const char *dap_plain_expression(const char *line); // without "call" or "print" before it
struct dc_error *dap_completions(struct dc_session *session, void *request);
void dap_forget_console(struct dap *dap);

#endif
