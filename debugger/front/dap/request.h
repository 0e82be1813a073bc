// SPDX-License-Identifier: MIT
// One request of the client: its arguments, what is answered, and who handles which.
#ifndef DEBUGGER_FRONT_DAP_REQUEST_H
#define DEBUGGER_FRONT_DAP_REQUEST_H

#include "debugger/debugcall.h"
#include "debugger/front/dap/references.h"
#include "debugger/front/json.h"

struct dap;

struct request {
	struct dap *dap;
	json_t *message; // owns the rest of it
	json_t *arguments; // an empty object when there are none
	const char *command;
	int64_t seq; // the client's
	const struct handler *handler;
	// The answer.
	json_t *body; // NULL: none
	char *complaint; // ours: it fails for this; NULL: no complaint
	const char *message_id; // what clients know a failure by: "notStopped"; NULL: the text
	json_t *events; // that follow the answer, [name, body] each; NULL: none
	// While the session works on it.
	struct dc_operation *operation; // NULL: it opens the target
	struct dc_error *(*job)(struct dc_session *session, void *request);
	int64_t begun_ns;
	bool progress_told;
	bool is_taken; // by who answers it in the end
	bool is_ours; // nobody asked, and nobody is answered
	pid_t thread; // of ours: whom it is about
	const char *reason; // of ours: what a stop was asked for
	bool all_stood; // before all were asked to
	struct around around; // of what is evaluated now
	struct request *next;
};

// How a request is handled: by the loop at once, or by the session's worker in its turn, or by both
// in this order unless the first has an answer. An error that is returned, or a complaint, is a
// failure; else it is a success with the body.
struct handler {
	const char *command;
	// Words, each announced as a capability because this row is there; NULL: none.
	const char *capabilities;
	const char *launched_capabilities; // of a program that was launched alone
	enum { WANTS_NOTHING, WANTS_INITIALIZED, WANTS_TARGET } wants;
	bool calls; // it may run the target's functions, for as long as those take
	bool undoes; // calls under way are undone first
	bool is_urgent; // it does not wait until the target is open
	struct dc_error *(*now)(struct request *request);
	struct dc_error *(*job)(struct dc_session *session, void *request); // a struct request
};
extern const struct handler handlers[];
extern const size_t nr_handlers;

// An argument, of the wrong type or missing where it is required: a complaint, and NULL or the
// default. The object is the arguments or one within them.
const char *argument_text(struct request *request, const json_t *object, const char *name,
			  bool required);
int64_t argument_integer(struct request *request, const json_t *object, const char *name,
			 bool required, int64_t otherwise);
bool argument_flag(struct request *request, const json_t *object, const char *name, bool otherwise);
// NULL: it is not there.
json_t *argument_list(struct request *request, const json_t *object, const char *name);
json_t *argument_object(struct request *request, const json_t *object, const char *name);
// A length of time in seconds, as a number or as "500ms".
int64_t argument_duration(struct request *request, const json_t *object, const char *name,
			  int64_t otherwise);
// An address as "0x…", or decimal.
uint64_t argument_address(struct request *request, const json_t *object, const char *name);

// The first complaint counts.
void request_complain(struct request *request, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
// An event that follows the answer; takes body over.
void request_tell(struct request *request, const char *event, json_t *body);
void request_destroy(struct request *request);

#endif
