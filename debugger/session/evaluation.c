// SPDX-License-Identifier: MIT
// One evaluation: the expression is made ready, run where the thread is held, and its value kept.
#include "debugger/session/session.h"

#include "debugger/base/trace.h"
#include "debugger/control/control.h"
#include "debugger/session/pending.h"

#include <stdlib.h>
#include <string.h>

void dc_result_deinit(struct dc_result *result)
{
	dc_value_destroy(result->value);
	free(result->notes);
	*result = (struct dc_result){ 0 };
}

void evaluation_deinit(struct evaluation *evaluation)
{
	value_deinit(&evaluation->value);
	free(evaluation->objects);
}

void needs_add(struct needs *to, const struct needs *more)
{
	to->avoids_stdio = (!to->calls || to->avoids_stdio) && (!more->calls || more->avoids_stdio);
	to->calls |= more->calls;
	to->go |= more->go;
	to->frame |= more->frame;
	to->registers |= more->registers;
	to->thread |= more->thread;
	to->vm = to->vm ?: more->vm;
}

static bool prints_alone(const struct type *type, unsigned depth)
{
	// Deeper types are rare; for them it is merely not known.
	enum { DEPTH_MAX = 8 };
	const struct type_member *members;
	size_t n;

	type = type_strip(type);
	switch (type->kind) {
	case TYPE_VOID:
	case TYPE_BOOL:
	case TYPE_INT:
	case TYPE_FLOAT:
	case TYPE_COMPLEX:
	case TYPE_ENUM: return true;
	case TYPE_ARRAY:
	case TYPE_VECTOR: return depth < DEPTH_MAX && prints_alone(type->target, depth + 1);
	case TYPE_STRUCT:
	case TYPE_UNION: break;
	default: return false;
	}
	// Go's strings, slices and the like are more than their members.
	if (type->go_kind && type->go_kind != GO_STRUCT)
		return false;
	struct dc_error *err = depth < DEPTH_MAX ? type_members(type, &members, &n) : NULL;
	if (err || depth == DEPTH_MAX) {
		dc_error_destroy(err);
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (!prints_alone(members[i].type, depth + 1))
			return false;
	}
	return true;
}

bool evaluation_prints_alone(const struct type *type)
{
	return prints_alone(type, 0);
}

struct dc_error *evaluation_compute(struct evaluation *evaluation)
{
	struct dc_session *session = evaluation->session;
	struct dc_expression *expression = evaluation->expression;
	struct caller caller = caller_of(evaluation);
	struct environment environment = { session->symbols, &caller, session->variables };
	struct holding *holding = &session->holding;
	struct dc_error *err = expression_prepare(expression, evaluation->options);

	if (err)
		return err;
	needs_add(&evaluation->needs, &expression->needs);
	if (evaluation->repetition && !expression_effects(expression->parsed)->is_call)
		return error_make(DC_USAGE,
				  "the expression is not a call: there is nothing to repeat");
	if (evaluation->options->all_stop)
		err = session_borrow(session, &expression->scope, evaluation->options,
				     &evaluation->needs, evaluation_sample(evaluation));
	if (!err)
		err = expression_evaluate(&environment, expression->parsed, &evaluation->value);
	if (err)
		return err;
	evaluation->had_objects = holding->has_objects;
	if (evaluation->had_objects) {
		// From here on what is read with it is all there will be of it.
		struct keepsake *keepsake = variables_keepsake(session->variables);

		if (!keepsake)
			return &dc_out_of_memory;
		session->recording = keepsake;
	}
	evaluation->thread = holding->injection ? injection_tid(holding->injection) : 0;
	evaluation->host = holding->injection ? injection_host(holding->injection) : "none";
	if (evaluation->options->no_number || type_strip(evaluation->value.type)->kind == TYPE_VOID)
		return NULL;
	return variables_remember(session->variables, &evaluation->value, &evaluation->number);
}

// Of a function that only its own unit calls an optimizer keeps no more than that unit needs.
static void note_callees(const struct evaluation *evaluation, FILE *out)
{
	const struct effects *effects = expression_effects(evaluation->expression->parsed);

	for (size_t i = 0; i < effects->nr_callees; i++) {
		const struct function *callee = effects->callees[i];

		if (!callee->is_local || !callee->is_optimized)
			continue;
		fprintf(out,
			"'%s' is a local function of optimized code: checks of arguments, or a "
			"result, that its own callers do not need may be gone\n",
			callee->name);
	}
}

// Once: who has set them and goes on calling knows by then.
static void note_breakpoints(const struct evaluation *evaluation, FILE *out)
{
	struct control *control = evaluation->session->control;

	if (!evaluation->met_breakpoint || !control || control->told_in_callees)
		return;
	control->told_in_callees = true;
	fputs("breakpoints within what is called are passed over\n", out);
}

static struct dc_error *note(const struct evaluation *evaluation, char **ret)
{
	char *notes = NULL;
	size_t size;
	FILE *out = open_memstream(&notes, &size);

	if (!out)
		return &dc_out_of_memory;
	note_callees(evaluation, out);
	note_breakpoints(evaluation, out);
	if (fclose(out)) {
		free(notes);
		return &dc_out_of_memory;
	}
	if (size)
		*ret = notes;
	else
		free(notes);
	return NULL;
}

struct dc_error *evaluation_finish(struct evaluation *evaluation, struct dc_result *ret)
{
	struct dc_error *err = value_snapshot(evaluation, &ret->value);

	if (!err)
		err = note(evaluation, &ret->notes);
	if (err)
		return err;
	ret->host = evaluation->host;
	ret->thread = evaluation->thread;
	ret->chosen = evaluation->thread && !evaluation->expression->scope.thread;
	return NULL;
}

static uint64_t hits_in_callees(const struct dc_session *session)
{
	return session->control ? control_hits_in_callees(session->control) : 0;
}

struct dc_error *evaluation_run(struct evaluation *evaluation, struct dc_result *ret)
{
	struct dc_session *session = evaluation->session;

	*ret = (struct dc_result){ 0 };
	uint64_t hits = hits_in_callees(session);
	struct dc_error *err = evaluation_compute(evaluation);

	evaluation->met_breakpoint = hits_in_callees(session) != hits;
	evaluation->later = !err && !evaluation->had_objects &&
			    evaluation_prints_alone(evaluation->value.type);
	if (!err && !evaluation->later)
		err = evaluation_finish(evaluation, ret);
	err = evaluation_end_objects(evaluation, err);
	err = session_conclude(session, err);
	if (err && err->code == DC_CANCELLED)
		dc_error_destroy(session_cancelled(session));
	if (err)
		dc_result_deinit(ret);
	return err;
}

struct whole {
	struct evaluation *evaluation;
	struct dc_result *ret;
};

struct dc_error *evaluation_run_whole(struct evaluation *evaluation, struct dc_result *ret)
{
	struct dc_session *session = evaluation->session;
	struct dc_error *err = evaluation_run(evaluation, ret), *release;
	struct dc_departure departure;

	if (session->attached)
		return err;
	release = session_release(session);
	departure = session->departure;
	session->departure = (struct dc_departure){ 0 };
	session->called = false;
	ret->pause_ns = departure.pause_ns;
	ret->literals_left = departure.literals_left;
	if (!err)
		return session_conclude(session, release);
	dc_error_destroy(release);
	return session_last_word(session, err, departure.state);
}

static struct dc_error *run_whole(void *arg)
{
	struct whole *whole = arg;

	return evaluation_run_whole(whole->evaluation, whole->ret);
}

// There is something that its callees may come to stand at.
static bool may_pend(const struct evaluation *evaluation)
{
	const struct dc_session *session = evaluation->session;
	const struct control *control = session->control;

	return evaluation->options->may_pend && control &&
	       (control->locations || control_callee_signals(control)) && !session->attached &&
	       !session->pending_enters && !evaluation->repetition && !evaluation->many &&
	       !evaluation->options->all_stop &&
	       expression_effects(evaluation->expression->parsed)->calls;
}

static struct dc_error *run_once(struct evaluation *evaluation, struct dc_result *ret)
{
	struct whole whole = { .evaluation = evaluation, .ret = ret };
	struct dc_session *session = evaluation->session;
	// Parsing anew, which takes long, is not for the tracer's thread.
	struct dc_error *err = expression_prepare(evaluation->expression, evaluation->options);

	*ret = (struct dc_result){ 0 };
	if (err)
		return session_conclude(session, err);
	evaluation->is_last = !session->attached;
	err = may_pend(evaluation) ? pending_run(evaluation, ret)
				   : session_run(session, run_whole, &whole);
	if (!err && evaluation->later)
		err = evaluation_finish(evaluation, ret);
	if (!session->attached)
		trace_write();
	evaluation_deinit(evaluation);
	if (err)
		dc_result_deinit(ret);
	return err;
}

struct dc_error *evaluation_whole(struct evaluation *evaluation, struct dc_result *ret)
{
	const struct evaluation fresh = *evaluation;
	struct dc_error *err;

	do {
		*evaluation = fresh;
		err = run_once(evaluation, ret);
	} while (session_begins_again(evaluation->session, err));
	return err;
}

struct dc_error *dc_evaluate(struct dc_session *session, struct dc_expression *expression,
			     const struct dc_call_options *options, struct dc_result *ret)
{
	_turn_(session);
	const struct dc_call_options usual = options_or_usual(options);
	struct evaluation evaluation = { .session = session,
					 .expression = expression,
					 .options = &usual };

	return evaluation_whole(&evaluation, ret);
}

static struct dc_error *print(struct dc_session *session, const char *text,
			      const struct dc_call_options *options, char **ret)
{
	struct dc_expression *expression;
	struct dc_result result;
	struct dc_error *err = dc_parse(session, text, NULL, &expression);

	*ret = NULL;
	if (err)
		return err;
	err = dc_evaluate(session, expression, options, &result);
	if (!err)
		err = dc_value_text(result.value, 0, ret);
	dc_result_deinit(&result);
	dc_expression_destroy(expression);
	return err;
}

struct dc_error *dc_print(struct dc_session *session, const char *text, char **ret)
{
	_turn_(session);

	return print(session, text, NULL, ret);
}

struct dc_error *dc_print_result(struct dc_session *session, unsigned number, char **ret)
{
	_turn_(session);
	struct dc_call_options options = options_or_usual(NULL);
	char name[16];

	options.no_number = true;
	snprintf(name, sizeof(name), "$%u", number);
	return print(session, name, &options, ret);
}
