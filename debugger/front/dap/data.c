// SPDX-License-Identifier: MIT
// Data breakpoints: which objects can be watched, and by what name the client asks for that later.
#include "debugger/front/dap/dap.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- Names ----

// A data id is the number of a frame, 0: none, and an expression in it. Of a frame it serves for as
// long as that stands.
static json_t *data_id(struct request *request, const struct around *around, const char *expression)
{
	const struct reference reference = { .kind = REFERENCE_FRAME, .frame = around->frame };
	int number = around->is_known ? references_add(request->dap->references, &reference) : 0;

	return json_sprintf("%d %s", number, expression);
}

// What follows the number; NULL: there is a complaint.
static const char *parse_data_id(struct request *request, const char *id, struct around *around)
{
	char *end;
	long number = strtol(id, &end, 10);
	const struct reference *frame;

	*around = (struct around){ 0 };
	if (end == id || *end != ' ') {
		request_complain(request, "there is no data '%.100s'", id);
		return NULL;
	}
	if (!number)
		return end + 1;
	frame = references_find(request->dap->references, number, REFERENCE_FRAME);
	if (!frame) {
		request_complain(request, "the frame of '%.100s' has run on", end + 1);
		return NULL;
	}
	*around = dap_around(&frame->frame);
	return end + 1;
}

// ---- What can be watched ----

// NULL: it can be.
static const char *why_not(const struct dc_value *value)
{
	uint64_t size = value->type.size;

	if (value->lvalue == DC_LVALUE_REGISTER)
		return "it is in a register";
	if (value->lvalue == DC_LVALUE_BIT_FIELD)
		return "it is a bit-field";
	if (value->lvalue != DC_LVALUE_MEMORY)
		return "it is no object in memory";
	if (size != 1 && size != 2 && size != 4 && size != 8)
		return "the processor watches 1, 2, 4 or 8 bytes";
	return value->addr % size ? "it is not aligned" : NULL;
}

static struct dc_error *look(struct request *request, struct dc_session *session,
			     struct dc_expression *expression)
{
	const struct dc_effects effects = dc_expression_effects(expression);
	struct dc_call_options options = request->dap->call;
	struct dc_result result = { 0 };
	struct dc_error *err;

	options.no_number = true;
	if (effects.calls || effects.writes) {
		request_complain(request, "it %s", effects.calls ? "calls a function" : "assigns");
		return NULL;
	}
	err = dc_evaluate(session, expression, &options, &result);
	if (!err && why_not(result.value))
		request_complain(request, "%s", why_not(result.value));
	dc_result_deinit(&result);
	return err;
}

// A complaint, or an error, is why it cannot be watched.
static struct dc_error *try_to_look(struct request *request, struct dc_session *session,
				    const struct around *around, const char *text)
{
	struct dc_expression *expression;
	struct dap_place place;
	struct dc_error *err;

	dap_place_init(&place, dap_frame_of(around), true);
	err = dc_parse(session, text, &place.scope, &expression);
	if (err)
		return err;
	err = look(request, session, expression);
	dc_expression_destroy(expression);
	return err;
}

// So many bytes at an address, as an object.
static char *object_at(struct request *request, const char *address, int64_t bytes)
{
	const char *type = bytes == 1 ? "char" : bytes == 2 ? "short" : bytes == 4 ? "int" : "long";
	char *text;

	if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8) {
		request_complain(request, "the processor watches 1, 2, 4 or 8 bytes");
		return NULL;
	}
	return asprintf(&text, "*(unsigned %s *) (%s)", type, address) < 0 ? NULL : text;
}

// *ret NULL: a complaint, or an error.
static struct dc_error *name_data(struct request *request, struct around *around, char **ret)
{
	const json_t *arguments = request->arguments;
	const char *name = argument_text(request, arguments, "name", true);
	int64_t bytes = argument_integer(request, arguments, "bytes", false, 0);
	bool is_address = argument_flag(request, arguments, "asAddress", false);
	const struct frame_reference *frame = dap_frame(request);
	char *whole = NULL;
	struct dc_error *err = NULL;

	*ret = NULL;
	*around = dap_around(frame);
	if (request->complaint)
		return NULL;
	if (argument_integer(request, arguments, "variablesReference", false, 0))
		err = dap_name_variable(request, around, &whole);
	else
		whole = strdup(name);
	if (err || request->complaint || !whole || (!bytes && !is_address)) {
		*ret = whole;
		return err;
	}
	if (!is_address) {
		char *address;

		if (asprintf(&address, "&(%s)", whole) < 0)
			address = NULL;
		free(whole);
		whole = address;
	}
	*ret = whole ? object_at(request, whole, bytes ?: 8) : NULL;
	free(whole);
	return NULL;
}

struct dc_error *dap_data_breakpoint_info(struct dc_session *session, void *arg)
{
	struct request *request = arg;
	struct around around;
	char *text;
	struct dc_error *err = name_data(request, &around, &text);

	argument_text(request, request->arguments, "name", true);
	if (!json_is_string(json_object_get(request->arguments, "name"))) {
		free(text);
		return err;
	}
	if (!err && !request->complaint && text)
		err = try_to_look(request, session, &around, text);
	if (err || request->complaint || !text) {
		request->body = json_pack("{sn so*}", "dataId", "description",
					  json_text(request->complaint
							    ?: err ? err->message
								   : "out of memory"));
		free(request->complaint);
		request->complaint = NULL;
		dc_error_destroy(err);
		free(text);
		return NULL;
	}
	request->body = json_pack("{so so s[sss] sb}", "dataId", data_id(request, &around, text),
				  "description", json_text(text), "accessTypes", "write", "read",
				  "readWrite", "canPersist", !around.is_known);
	free(text);
	return NULL;
}

// ---- Watching ----

struct dc_error *dap_watch(struct request *request, struct dc_session *session,
			   struct breakpoint *breakpoint)
{
	const char *id = argument_text(request, breakpoint->asked, "dataId", true);
	const char *access = argument_text(request, breakpoint->asked, "accessType", false);
	struct dc_breakpoint_options options = { .kind = DC_WATCH };
	struct around around;
	struct dap_place place;

	if (access && !strcmp(access, "read"))
		options.kind = DC_WATCH_READ;
	else if (access && !strcmp(access, "readWrite"))
		options.kind = DC_WATCH_ACCESS;
	else if (access && strcmp(access, "write") != 0)
		request_complain(request, "there is no access '%.40s'", access);
	options.place = request->complaint ? NULL : parse_data_id(request, id, &around);
	if (!options.place)
		return NULL;
	dap_place_init(&place, dap_frame_of(&around), false);
	options.scope = around.is_known ? &place.scope : NULL;
	return breakpoint_set(session, breakpoint, &options);
}

struct dc_error *dap_set_data_breakpoints(struct dc_session *session, void *arg)
{
	struct request *request = arg;
	json_t *asked = argument_list(request, request->arguments, "breakpoints");

	return request->complaint ? NULL
				  : breakpoints_replace(request, session, SET_DATA, NULL, asked);
}
