// SPDX-License-Identifier: MIT
// Expressions: what each context may do is decided by what the expression does, not by its looks.
#include "debugger/front/dap/dap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum context { CONTEXT_REPL, CONTEXT_WATCH, CONTEXT_HOVER, CONTEXT_CLIPBOARD };

// Who names none is a program, and means what is written.
static enum context context_of(struct request *request)
{
	const char *text = argument_text(request, request->arguments, "context", false);

	if (!text || !strcmp(text, "repl"))
		return CONTEXT_REPL;
	if (!strcmp(text, "watch"))
		return CONTEXT_WATCH;
	if (!strcmp(text, "clipboard") || !strcmp(text, "variables"))
		return CONTEXT_CLIPBOARD;
	return CONTEXT_HOVER;
}

void dap_place_init(struct dap_place *place, const struct frame_reference *frame, bool no_stop)
{
	*place = (struct dap_place){ .scope.no_stop = no_stop };
	if (!frame)
		return;
	place->scope.thread = frame->thread;
	if (!frame->thread) {
		place->scope.goroutine = frame->goroutine;
		return;
	}
	snprintf(place->frame, sizeof(place->frame), "%u", frame->index);
	place->scope.frame = place->frame;
}

struct around dap_around(const struct frame_reference *frame)
{
	struct around around = { .is_known = frame != NULL };

	if (frame)
		around.frame = *frame;
	return around;
}

const struct frame_reference *dap_frame_of(const struct around *around)
{
	return around->is_known ? &around->frame : NULL;
}

const struct frame_reference *dap_frame(struct request *request)
{
	int64_t id = argument_integer(request, request->arguments, "frameId", false, 0);
	const struct reference *reference;

	// 0 is what some clients send for none.
	if (!id)
		return NULL;
	reference = references_find(request->dap->references, id, REFERENCE_FRAME);
	if (!reference)
		request_complain(request, "there is no frame %jd any more: the program has run on",
				 (intmax_t)id);
	return reference ? &reference->frame : NULL;
}

// The value as the answer's body.
static struct dc_error *run(struct request *request, struct dc_session *session,
			    struct dc_expression *expression, bool number)
{
	struct dc_call_options options = request->dap->call;
	struct dc_result result = { 0 };
	struct dc_error *err;

	options.no_number = !number;
	err = dc_evaluate(session, expression, &options, &result);
	if (err)
		return err;
	json_t *body = dap_describe(request, result.value, &err);

	if (number && result.notes)
		request_tell(request, "output",
			     json_pack("{ss so*}", "category", "console", "output",
				       json_text(result.notes)));
	result.value = NULL;
	dc_result_deinit(&result);
	request->body = body;
	return err;
}

// Clients ask for what they show again when the target may be another: after what they do not know
// to change it.
static void tell_change(struct request *request)
{
	if (request->dap->knows_invalidated)
		request_tell(request, "invalidated", json_pack("{s[s]}", "areas", "variables"));
}

// A call in a watch would run at each look: it is shown as one, and run when it is opened. (Clients
// fetch by themselves what is called lazy.)
static void show_closed(struct request *request, const char *text,
			const struct frame_reference *frame)
{
	struct reference reference = {
		.kind = REFERENCE_LAZY,
		.lazy = { .expression = strdup(text), .around = dap_around(frame) },
	};
	int number = reference.lazy.expression
			     ? references_add(request->dap->references, &reference)
			     : 0;

	request->body = json_pack("{ss si si s{s[s]}}", "result", "a call; open it to run it",
				  "variablesReference", number, "namedVariables", 1,
				  "presentationHint", "attributes", "hasSideEffects");
}

// The name that an answer is kept by while the thread stands; NULL: it is not kept.
static json_t *kept_name(const char *text, const struct frame_reference *frame)
{
	return frame && frame->stands ? json_sprintf("%d %u %s", frame->thread, frame->index, text)
				      : NULL;
}

static struct dc_error *run_once(struct request *request, struct dc_session *session,
				 struct dc_expression *expression, const char *text,
				 const struct frame_reference *frame)
{
	json_t *name = kept_name(text, frame), *kept = NULL;
	struct dc_error *err = NULL;

	if (name)
		kept = json_object_get(request->dap->watched, json_string_value(name));
	request->body = json_incref(kept);
	if (!kept)
		err = run(request, session, expression, false);
	if (!err && name && !kept)
		json_object_set(request->dap->watched, json_string_value(name), request->body);
	json_decref(name);
	return err;
}

static struct dc_error *watch(struct request *request, struct dc_session *session,
			      struct dc_expression *expression, const char *text,
			      const struct frame_reference *frame)
{
	enum watch_calls calls = request->dap->watch_calls;

	if (calls == WATCH_ALWAYS)
		return run(request, session, expression, false);
	if (calls == WATCH_ONCE_PER_STOP && frame && frame->stands)
		return run_once(request, session, expression, text, frame);
	show_closed(request, text, frame);
	return NULL;
}

static bool may_run(struct request *request, enum context context,
		    const struct frame_reference *frame, const struct dc_effects *effects)
{
	bool acts = effects->calls || effects->writes;

	if (acts && (context == CONTEXT_HOVER || context == CONTEXT_CLIPBOARD))
		request_complain(request, "the expression %s, and looking at it changes nothing",
				 effects->calls ? "calls a function" : "assigns");
	else if (effects->stops && context == CONTEXT_HOVER && !(frame && frame->stands))
		request_complain(request, "that takes a stop of a thread that runs, and looking "
					  "stops none");
	else if (acts && context == CONTEXT_REPL && !request->dap->repl_calls)
		request_complain(request, "the expression %s, and replCalls is 'never'",
				 effects->calls ? "calls a function" : "assigns");
	return !request->complaint;
}

static struct dc_error *evaluate(struct request *request, struct dc_session *session,
				 const char *text, enum context context,
				 const struct frame_reference *frame)
{
	struct dc_expression *expression;
	struct dc_error *err;
	struct dap_place place;

	request->around = dap_around(frame);
	dap_place_init(&place, frame, context == CONTEXT_HOVER && !(frame && frame->stands));
	err = dc_parse(session, dap_plain_expression(text), &place.scope, &expression);
	// A line of the console that is no expression may be a command.
	if (err && context == CONTEXT_REPL && (err->code == DC_SYNTAX || err->code == DC_NAME) &&
	    dap_console(request, session, frame, text)) {
		dc_error_destroy(err);
		return NULL;
	}
	if (err)
		return err;

	const struct dc_effects effects = dc_expression_effects(expression);
	bool acts = effects.calls || effects.writes;

	if (may_run(request, context, frame, &effects)) {
		if (acts && context == CONTEXT_WATCH)
			err = watch(request, session, expression, text, frame);
		else
			err = run(request, session, expression, context == CONTEXT_REPL);
		if (acts && context == CONTEXT_REPL)
			tell_change(request);
	}
	dc_expression_destroy(expression);
	return err;
}

struct dc_error *dap_evaluate(struct dc_session *session, void *arg)
{
	struct request *request = arg;
	const char *text = argument_text(request, request->arguments, "expression", true);
	enum context context = context_of(request);
	const struct frame_reference *frame = dap_frame(request);

	if (request->complaint)
		return NULL;
	text += strspn(text, " \t\n");
	if (!*text) {
		request_complain(request, "there is no expression");
		return NULL;
	}
	return evaluate(request, session, text, context, frame);
}

struct dc_error *dap_look(struct request *request, struct dc_session *session, const char *text,
			  const struct frame_reference *frame)
{
	struct dc_expression *expression;
	struct dc_error *err;
	struct dap_place place;

	request->around = dap_around(frame);
	dap_place_init(&place, frame, false);
	err = dc_parse(session, text, &place.scope, &expression);
	if (err)
		return err;
	err = run(request, session, expression, false);
	dc_expression_destroy(expression);
	return err;
}

// What is left open is asked for at each look, too: it runs once while the thread stands.
struct dc_error *dap_evaluate_lazy(struct request *request, struct dc_session *session,
				   const struct lazy *lazy)
{
	// The call may have the reference dropped.
	const struct around around = lazy->around;
	char *text = strdup(lazy->expression);
	struct dc_expression *expression;
	struct dap_place place;
	struct dc_error *err;

	if (!text) {
		request_complain(request, "out of memory");
		return NULL;
	}
	request->around = around;
	dap_place_init(&place, dap_frame_of(&around), false);
	err = dc_parse(session, text, &place.scope, &expression);
	if (!err) {
		err = run_once(request, session, expression, text, dap_frame_of(&around));
		dc_expression_destroy(expression);
	}
	free(text);
	return err;
}

struct dc_error *dap_assign(struct request *request, struct dc_session *session, const char *target,
			    const char *value, const struct frame_reference *frame)
{
	struct dc_error *err;
	char *text;

	if (asprintf(&text, "%s = (%s)", target, value) < 0) {
		request_complain(request, "out of memory");
		return NULL;
	}
	err = dap_look(request, session, text, frame);
	free(text);
	if (err)
		return err;
	// What the value is called by here.
	json_t *result = json_incref(json_object_get(request->body, "result"));

	json_object_del(request->body, "result");
	json_object_del(request->body, "presentationHint");
	json_object_set_new(request->body, "value", result);
	tell_change(request);
	return NULL;
}

struct dc_error *dap_set_expression(struct dc_session *session, void *arg)
{
	struct request *request = arg;
	const json_t *arguments = request->arguments;
	const char *text = argument_text(request, arguments, "expression", true);
	const char *value = argument_text(request, arguments, "value", true);
	const struct frame_reference *frame = dap_frame(request);

	if (request->complaint)
		return NULL;
	return dap_assign(request, session, text, value, frame);
}
