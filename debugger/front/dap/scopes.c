// SPDX-License-Identifier: MIT
// What a frame's names mean: arguments, locals, registers. Each is evaluated when it is asked for.
#include "debugger/front/dap/dap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	enum dc_names names;
	const char *title, *hint;
	bool is_expensive; // not shown until it is asked for
} kinds[] = {
	{ DC_NAMES_ARGUMENTS, "Arguments", "arguments", false },
	{ DC_NAMES_LOCALS, "Locals", "locals", false },
	{ DC_NAMES_REGISTERS, "Registers", "registers", true },
	{ DC_NAMES_VECTOR_REGISTERS, "Vector registers", "registers", true },
};

static void add_scope(struct request *request, const struct scope_reference *scope,
		      const char *title, const char *hint, bool is_expensive, json_t *scopes)
{
	const struct reference reference = { .kind = REFERENCE_SCOPE, .scope = *scope };

	json_array_append_new(scopes,
			      json_pack("{ss ss sb si}", "name", title, "presentationHint", hint,
					"expensive", is_expensive, "variablesReference",
					references_add(request->dap->references, &reference)));
}

struct dc_error *dap_scopes(struct dc_session *session, void *arg)
{
	struct request *request = arg;
	struct references *references = request->dap->references;
	int64_t id = argument_integer(request, request->arguments, "frameId", true, 0);
	const struct reference *frame = references_find(references, id, REFERENCE_FRAME);
	json_t *scopes;

	if (!frame)
		request_complain(request, "there is no frame %jd any more: the program has run on",
				 (intmax_t)id);
	if (request->complaint)
		return NULL;
	const struct frame_reference held = frame->frame;

	unsigned result = held.stands && !held.index ? dap_returned(session, held.thread) : 0;

	scopes = json_array();
	if (result)
		add_scope(request, &(struct scope_reference){ .result = result, .frame = held },
			  "Return value", "returnValue", false, scopes);
	// Of a goroutine that no thread runs nobody knows the registers, and with them the locals.
	for (size_t i = 0; held.thread && i < sizeof(kinds) / sizeof(*kinds); i++)
		add_scope(request,
			  &(struct scope_reference){ .names = kinds[i].names, .frame = held },
			  kinds[i].title, kinds[i].hint, kinds[i].is_expensive, scopes);
	request->body = json_pack("{so}", "scopes", scopes);
	return NULL;
}

// One that is hidden by another of an inner block would show that one's value.
static bool note_name(const char *name, void *arg)
{
	json_t *names = arg;

	for (size_t i = 0; i < json_array_size(names); i++) {
		if (!strcmp(json_string_value(json_array_get(names, i)), name))
			return true;
	}
	json_array_append_new(names, json_text(name));
	return true;
}

static bool is_register(enum dc_names names)
{
	return names == DC_NAMES_REGISTERS || names == DC_NAMES_VECTOR_REGISTERS;
}

char *dap_scope_expression(const struct scope_reference *scope, const char *name)
{
	char *text;

	bool has_sigil = !scope->result && is_register(scope->names);

	return asprintf(&text, "%s%s", has_sigil ? "$" : "", name) < 0 ? NULL : text;
}

static void add_variable(struct request *request, struct dc_session *session,
			 const struct scope_reference *scope, const char *name, json_t *variables)
{
	char *text = dap_scope_expression(scope, name);
	struct dc_error *err = text ? dap_look(request, session, text, &scope->frame) : NULL;
	json_t *body = err || !text ? json_pack("{so si}", "result",
						json_text(err ? err->message : "out of memory"),
						"variablesReference", 0)
				    : request->body;

	request->body = NULL;
	if (text)
		json_object_set_new(body, "evaluateName", json_text(text));
	json_array_append_new(variables, dap_as_variable(body, name));
	dc_error_destroy(err);
	free(text);
}

struct dc_error *dap_list_scope(struct request *request, struct dc_session *session,
				const struct scope_reference *reference, json_t *variables)
{
	// A stop between two of them would drop the reference.
	const struct scope_reference scope = *reference;
	json_t *names = json_array();
	struct dap_place place;
	struct dc_error *err = NULL;

	dap_place_init(&place, &scope.frame, false);
	if (scope.result)
		json_array_append_new(names, json_sprintf("$%u", scope.result));
	else
		err = dc_names(session, scope.names, &place.scope, note_name, names);

	for (size_t i = 0; !err && i < json_array_size(names); i++)
		add_variable(request, session, &scope, json_string_value(json_array_get(names, i)),
			     variables);
	json_decref(names);
	return err;
}
