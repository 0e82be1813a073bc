// SPDX-License-Identifier: MIT
// What is sent to the client: answers, events, and requests of ours.
#include "debugger/front/dap/dap.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void send_message(struct dap *dap, json_t *message)
{
	json_object_set_new(message, "seq", json_integer(++dap->seq));
	// A client that is gone says so by the end of input, too.
	if (!message || !wire_send(dap->wire, message))
		dap->ending = true;
	json_decref(message);
}

void dap_event(struct dap *dap, const char *event, json_t *body)
{
	send_message(dap, json_pack("{ss ss so*}", "type", "event", "event", event, "body", body));
}

void dap_output(struct dap *dap, const char *category, const char *text)
{
	dap_event(dap, "output",
		  json_pack("{ss so*}", "category", category, "output", json_text(text)));
}

char *dap_failure_text(const struct dc_error *err)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		return NULL;
	fputs(err->message, file);
	for (size_t i = 0; i < err->nr_frames; i++) {
		const struct dc_frame *frame = &err->frames[i];

		fprintf(file, "\n  #%zu  0x%016" PRIx64, i, frame->pc);
		if (frame->function)
			fprintf(file, " in %s+%" PRIu64, frame->function, frame->offset);
		if (frame->file)
			fprintf(file, " at %s:%d", frame->file, frame->line);
	}
	fprintf(file, "\n%s%s", err->notes ?: "", dc_state_text(err->state));
	if (!fclose(file))
		return text;
	free(text);
	return NULL;
}

// Clients show the body's text, programs read the message. Takes text over.
static json_t *failure_body(int id, json_t *text)
{
	return json_pack("{s{si ss s{so*} sb}}", "error", "id", id, "format", "{text}", "variables",
			 "text", text, "showUser", 0);
}

static json_t *failure_text(const struct request *request, const struct dc_error *err)
{
	char *text = request->complaint ? NULL : dap_failure_text(err);
	json_t *json = json_text(text ?: request->complaint ?: "out of memory");

	free(text);
	return json;
}

static const char *failure_message(const struct request *request, const struct dc_error *err)
{
	if (request->message_id)
		return request->message_id;
	if (request->complaint)
		return request->complaint;
	return err->code == DC_CANCELLED ? "cancelled" : err->message;
}

static void send_answer(struct request *request, const struct dc_error *err)
{
	bool good = !err && !request->complaint;
	json_t *message = json_pack("{ss sI ss sb}", "type", "response", "request_seq",
				    (json_int_t)request->seq, "command", request->command,
				    "success", good);

	if (!good) {
		json_object_set_new(message, "message", json_text(failure_message(request, err)));
		json_object_set_new(message, "body",
				    failure_body(request->complaint ? 1 : 100 + (int)err->code,
						 failure_text(request, err)));
	} else if (request->body) {
		json_object_set(message, "body", request->body);
	}
	send_message(request->dap, message);
}

// Answers, tells what follows from it, and frees the request and the error.
void dap_answer(struct request *request, struct dc_error *err)
{
	struct dap *dap = request->dap;

	if (!request->is_ours)
		send_answer(request, err);
	for (size_t i = 0; i < json_array_size(request->events); i++) {
		const json_t *event = json_array_get(request->events, i);

		dap_event(dap, json_string_value(json_array_get(event, 0)),
			  json_incref(json_array_get(event, 1)));
	}
	dc_error_destroy(err);
	request_destroy(request);
}

// An answer to a message that is no request in a client's sense: a programming error of theirs,
// told where they look.
void dap_refuse(struct dap *dap, json_t *message, const char *complaint)
{
	const char *command = json_string_value(json_object_get(message, "command"));

	send_message(dap, json_pack("{ss sI so* sb ss so*}", "type", "response", "request_seq",
				    json_integer_value(json_object_get(message, "seq")), "command",
				    json_text(command ?: ""), "success", 0, "message", complaint,
				    "body", failure_body(2, json_text(complaint))));
}

// ---- Requests of ours ----

// A request of ours. What is said of one is looked at when it was for a terminal.
void dap_ask_client(struct dap *dap, const char *command, json_t *arguments)
{
	send_message(dap, json_pack("{ss ss so}", "type", "request", "command", command,
				    "arguments", arguments));
	if (!strcmp(command, "runInTerminal"))
		dap->terminal_seq = dap->seq;
}
