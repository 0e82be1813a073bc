// SPDX-License-Identifier: MIT
// One conversation with a client: what it can do, the target it debugs, the handlers of requests.
// The loop owns all of it but the references, which the session's worker owns.
#ifndef DEBUGGER_FRONT_DAP_DAP_H
#define DEBUGGER_FRONT_DAP_DAP_H

#include "debugger/front/dap/references.h"
#include "debugger/front/dap/request.h"
#include "debugger/front/dap/wire.h"

enum watch_calls { WATCH_NEVER, WATCH_ONCE_PER_STOP, WATCH_ALWAYS };

struct dap {
	struct wire *wire;
	int64_t seq; // of what was sent last
	bool initialized, ending, closed_by_client;
	int status; // of the program, in the end
	const char *token; // that attach and launch have to name; NULL: none

	// The client.
	bool lines_from_0, columns_from_0;
	bool knows_progress, knows_invalidated, knows_memory;

	// The target, from attach or launch on.
	struct dc_session *session; // NULL: none yet
	int event_fd; // the session's
	pid_t pid;
	char name[64];
	bool has_goroutines;
	bool configured;
	struct dc_call_options call; // callTimeout, host
	enum watch_calls watch_calls;
	bool repl_calls;
	json_t *source_map; // [[from, to], …]; NULL: none

	struct request *under_way; // in the order they came
	struct references *references;
};

// A conversation on two descriptors, to its end; gives the exit status.
int dap_serve(int in, int out, FILE *log, const char *token);

// server.c
void dap_event(struct dap *dap, const char *event, json_t *body); // takes body over
void dap_output(struct dap *dap, const char *category, const char *text);
void dap_undo(struct dap *dap); // calls under way, and waits until they are undone
void dap_forget_target(struct dap *dap); // lets go of it
// What a failure says: message, notes, and the state of the target last. NULL: out of memory.
char *dap_failure_text(const struct dc_error *err);

// The handlers, by file. start.c:
struct dc_error *dap_initialize(struct request *request);
struct dc_error *dap_attach(struct request *request);
struct dc_error *dap_configuration_done(struct request *request);
struct dc_error *dap_disconnect(struct request *request);
struct dc_error *dap_cancel(struct request *request);
// evaluate.c
struct dc_error *dap_evaluate(struct dc_session *session, void *request);
struct dc_error *dap_set_expression(struct dc_session *session, void *request);
// An expression that was shown as one that calls, now called for.
struct dc_error *dap_evaluate_lazy(struct request *request, struct dc_session *session,
				   const struct lazy *lazy);
// TARGET = (VALUE); the body's value is what it is then.
struct dc_error *dap_assign(struct request *request, struct dc_session *session, const char *target,
			    const char *value, const struct frame_reference *frame);
// variables.c
struct dc_error *dap_variables(struct dc_session *session, void *request);
struct dc_error *dap_set_variable(struct dc_session *session, void *request);
// A value as the members that evaluate and variables have in common; takes value over.
json_t *dap_describe(struct request *request, struct dc_value *value, struct dc_error **err);
char dap_format(struct request *request); // the letter of the argument "format"; 0: none
// threads.c
struct dc_error *dap_threads(struct request *request);
struct dc_error *dap_threads_and_goroutines(struct dc_session *session, void *request);
struct dc_error *dap_stack_trace(struct dc_session *session, void *request);
json_t *dap_source(const struct dap *dap, const char *file); // NULL: no file
// console.c

// False: the line, or what is left of it, is an expression.
bool dap_console(struct request *request, struct dc_session *session, const char **line);

#endif
