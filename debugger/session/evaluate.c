// SPDX-License-Identifier: MIT
// Expressions of a session: prepared before any stop, evaluated, repeated.
#include "debugger/inject/safepoint/language_runtime.h"
#include "debugger/session/session.h"
#include "debugger/target/memory.h"

#include <string.h>

void dc_result_deinit(struct dc_result *result)
{
	free(result->value);
	free(result->type);
	free(result->notes);
	*result = (struct dc_result){ 0 };
}

// The frame to look names up in: known only once it has been sampled.
static const struct symbols_frame *place(const struct dc_session *session)
{
	return session->scope.known ? &session->scope.frame : NULL;
}

static struct dc_error *parse(struct dc_session *session, const char *text,
			      struct prepared *prepared)
{
	struct caller caller = evaluation_target(session);
	struct environment environment = { session->symbols, &caller, session->variables };
	struct dc_error *err = expression_parse(&environment, place(session), text, strlen(text),
						&prepared->expression);

	if (err)
		return err;
	prepared->calls = expression_effects(prepared->expression)->calls;
	prepared->needs_frame = expression_effects(prepared->expression)->needs_frame;
	if (prepared->calls && session->options.no_call)
		return error_make(DC_REFUSED, "--no-call: the expression calls a function");
	return NULL;
}

// Names of a frame can only be looked up when it is known which frame it is. A sleeping thread
// tells without a stop, so whatever may be a local is looked up there; a running one is stopped
// shortly when nothing else explains a name. Then the names are loaded with nothing stopped.
static struct dc_error *find_scope(struct dc_session *session, const struct prepared *prepared)
{
	if (session->scope.wanted || prepared->needs_frame) {
		struct dc_error *err = scope_sample(session);

		// Without a frame a name can still be found wrong, and that is the better message.
		if (!err || err->code != DC_REFUSED || session->options.frame)
			return err;
		dc_error_destroy(err);
		return NULL;
	}
	return expression_effects(prepared->expression)->names_plainly && !session->barrier
		       ? scope_glance(session)
		       : NULL;
}

static struct dc_error *parse_in_frame(struct dc_session *session, const char *text,
				       struct prepared *prepared)
{
	struct dc_error *err = parse(session, text, prepared);

	if (!err && !session->scope.known) {
		err = find_scope(session, prepared);
		if (!err && session->scope.known) {
			expression_destroy(take_ptr(prepared->expression));
			err = parse(session, text, prepared);
		}
	}
	if (!err && prepared->needs_frame)
		session->scope.wanted = true;
	return err;
}

static struct dc_error *prepare(struct dc_session *session, const char *text,
				struct prepared *prepared)
{
	struct caller caller = evaluation_target(session);
	struct environment environment = { session->symbols, &caller, session->variables };
	struct dc_error *err = parse_in_frame(session, text, prepared);

	if (err)
		return err;
	prepared->text = strdup(text);
	if (!prepared->text)
		return &dc_out_of_memory;
	session->current = prepared;
	err = expression_check(&environment, prepared->expression, classify_check);
	session->current = NULL;
	return err;
}

static struct prepared *find(const struct dc_session *session, const char *text)
{
	struct prepared *prepared = session->prepared;

	while (prepared && strcmp(prepared->text, text))
		prepared = prepared->next;
	return prepared;
}

static bool avoids_stdio(struct dc_session *session, const struct effects *effects)
{
	for (size_t i = 0; i < effects->nr_callees; i++) {
		if (!safepoints_callee_avoids_stdio(session->safepoints, effects->callees[i]->addr))
			return false;
	}
	return !effects->has_unknown_callee;
}

static const struct module *find_vm(const struct effects *effects)
{
	for (size_t i = 0; i < effects->nr_callees; i++) {
		const struct module *module = effects->callees[i]->module;

		if (module && language_runtime_is_module(module))
			return module;
	}
	return NULL;
}

// What an operation that failed says about the target when it could not know.
static struct dc_error *conclude(struct dc_session *session, struct dc_error *err)
{
	if (!err)
		return NULL;
	if (err->code == DC_ATTACH && session->barrier) {
		// The reason behind a failed read is the better message.
		dc_error_destroy(err);
		return session_bar(session);
	}
	if (err->state == DC_STATE_UNTOUCHED && session->touched)
		err = error_in_state(err, DC_STATE_RUNNING);
	if (err->code == DC_TARGET_ENDED)
		return error_in_state(err, DC_STATE_ENDED);
	if (err->code == DC_TARGET_EXECED || err->code == DC_MEMORY ||
	    (process_alive(session->process) && !memory_is_gone(session->process)))
		return err;
	// Whatever failed, it failed because nobody was there.
	struct dc_error *ended = error_make(DC_TARGET_ENDED, "process %d ended: %s",
					    session->process->pid, err->message);
	dc_error_destroy(err);
	return error_in_state(ended, DC_STATE_ENDED);
}

struct dc_error *dc_prepare(struct dc_session *session, const char *expr)
{
	if (find(session, expr))
		return NULL;
	struct dc_error *err = session_cancelled(session);
	if (!err)
		err = session_refresh(session);
	if (err)
		return conclude(session, err);

	struct prepared *prepared = calloc(1, sizeof(*prepared));
	if (!prepared)
		return &dc_out_of_memory;
	err = prepare(session, expr, prepared);
	// All that a call needs is made ready here too, so that the thread is held for the call
	// only.
	if (!err && (prepared->calls || prepared->needs_frame || session->options.all_stop))
		err = session_ready(session);
	if (!err) {
		const struct effects *effects = expression_effects(prepared->expression);

		prepared->avoids_stdio = avoids_stdio(session, effects);
		prepared->vm = find_vm(effects);
	}
	if (err) {
		expression_destroy(prepared->expression);
		free(prepared->text);
		free(prepared);
		return conclude(session, err);
	}
	prepared->next = session->prepared;
	session->prepared = prepared;
	return NULL;
}

struct dc_error *evaluation_finish(struct dc_session *session, struct evaluation *evaluation,
				   struct dc_result *ret)
{
	struct caller caller = evaluation_target(session);
	struct environment environment = { session->symbols, &caller, session->variables };
	const struct value *value = &evaluation->value;
	struct dc_error *err = value_print(evaluation->language, &environment, value,
					   evaluation->format, &ret->value);

	if (err)
		return err;
	ret->type = type_spell(value->type, NULL);
	if (!ret->type)
		return &dc_out_of_memory;
	ret->host = evaluation->host;
	ret->thread = evaluation->thread;
	ret->chosen = evaluation->thread && !session->options.thread;
	return NULL;
}

// Whether a value of the type is printed from its own bytes, whatever becomes of the target.
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

static struct dc_error *evaluate(struct dc_session *session, const char *expr,
				 struct evaluation *evaluation)
{
	struct caller caller = evaluation_target(session);
	struct environment environment = { session->symbols, &caller, session->variables };
	struct dc_error *err = dc_prepare(session, expr);
	unsigned number;

	if (!err)
		err = session_cancelled(session);
	if (!err && session->options.all_stop)
		err = dc_attach(session);
	if (err)
		return err;
	session->current = find(session, expr);
	if (session->repetition && !expression_effects(session->current->expression)->is_call)
		return error_make(DC_USAGE,
				  "the expression is not a call: there is nothing to repeat");
	evaluation->format = expression_format(session->current->expression);
	evaluation->language = expression_language(session->current->expression);
	err = expression_evaluate(&environment, session->current->expression, &evaluation->value);
	session->current = NULL;
	if (err)
		return err;
	evaluation->thread = session->borrowed ? borrowed_tid(session->borrowed) : 0;
	evaluation->host = session->borrowed ? borrowed_host(session->borrowed) : "none";
	if (type_strip(evaluation->value.type)->kind == TYPE_VOID)
		return NULL;
	return variables_remember(session->variables, &evaluation->value, &number);
}

struct dc_error *evaluation_run(struct dc_session *session, const char *expr,
				struct evaluation *evaluation, struct dc_result *ret)
{
	*evaluation = (struct evaluation){ 0 };
	*ret = (struct dc_result){ 0 };
	struct dc_error *err = evaluate(session, expr, evaluation);

	evaluation->later = !err && prints_alone(evaluation->value.type, 0);
	if (!err && !evaluation->later)
		err = evaluation_finish(session, evaluation, ret);
	err = conclude(session, err);
	if (err && err->code == DC_CANCELLED)
		dc_error_destroy(session_cancelled(session));
	if (err)
		dc_result_deinit(ret);
	return err;
}

struct single {
	struct dc_session *session;
	const char *expr;
	struct evaluation evaluation;
	struct dc_result *ret;
};

static struct dc_error *run_single(void *arg)
{
	struct single *single = arg;

	return evaluation_run(single->session, single->expr, &single->evaluation, single->ret);
}

struct dc_error *dc_evaluate(struct dc_session *session, const char *expr, struct dc_result *ret)
{
	struct single single = { .session = session, .expr = expr, .ret = ret };
	struct dc_error *err = session_run(session, run_single, &single);

	if (!err && single.evaluation.later)
		err = evaluation_finish(session, &single.evaluation, ret);
	value_deinit(&single.evaluation.value);
	if (err)
		dc_result_deinit(ret);
	return err;
}
