// SPDX-License-Identifier: MIT
// Expressions of a session: prepared before any stop, evaluated, repeated.
#include "debugger/session.h"
#include "debugger/values/print.h"

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
	struct dc_error *err = expression_parse(text, strlen(text), session->symbols,
						place(session), &prepared->expression);

	if (err)
		return err;
	prepared->calls = expression_calls(prepared->expression);
	prepared->needs_frame = expression_needs_frame(prepared->expression);
	if (prepared->calls && session->options.no_call)
		return error_make(DC_REFUSED, "--no-call: the expression calls a function");
	return NULL;
}

// Names of a frame can only be looked up when it is known which frame it is. A sleeping thread tells
// without a stop, so whatever may be a local is looked up there; a running one is stopped shortly when
// nothing else explains a name. Then the names are loaded with nothing stopped.
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
	return expression_names_plainly(prepared->expression) && !session->barrier
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
	struct eval_target target = evaluation_target(session);
	struct eval eval = { session->symbols, &target, session->variables };
	struct dc_error *err = parse_in_frame(session, text, prepared);

	if (err)
		return err;
	prepared->text = strdup(text);
	if (!prepared->text)
		return &dc_out_of_memory;
	session->current = prepared;
	err = eval_check(&eval, prepared->expression, abi_check);
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

struct dc_error *dc_prepare(struct dc_session *session, const char *expr)
{
	if (find(session, expr))
		return NULL;
	struct dc_error *err = session_cancelled(session);
	if (err)
		return err;

	struct prepared *prepared = calloc(1, sizeof(*prepared));
	if (!prepared)
		return &dc_out_of_memory;
	err = prepare(session, expr, prepared);
	// All that a call needs is made ready here too, so that the thread is held for the call only.
	if (!err && (prepared->calls || prepared->needs_frame || session->options.all_stop))
		err = session_ready(session);
	if (err) {
		expression_destroy(prepared->expression);
		free(prepared->text);
		free(prepared);
		return err;
	}
	prepared->next = session->prepared;
	session->prepared = prepared;
	return NULL;
}

// What an operation that failed says about the target when it could not know.
static struct dc_error *conclude(struct dc_session *session, struct dc_error *err)
{
	if (!err)
		return NULL;
	if (err->state == DC_STATE_UNTOUCHED && session->touched)
		err = error_in_state(err, DC_STATE_RUNNING);
	if (err->code == DC_TARGET_ENDED)
		return error_in_state(err, DC_STATE_ENDED);
	if (err->code == DC_TARGET_EXECED || err->code == DC_MEMORY ||
	    process_alive(session->process))
		return err;
	// Whatever failed, it failed because nobody was there.
	struct dc_error *ended = error_make(DC_TARGET_ENDED, "process %d ended: %s",
					    session->process->pid, err->message);
	dc_error_destroy(err);
	return error_in_state(ended, DC_STATE_ENDED);
}

static struct dc_error *describe(struct dc_session *session, struct eval *eval, struct value *value,
				 struct dc_result *ret)
{
	unsigned number;
	struct dc_error *err = value_print(value, session->symbols, eval->target, &ret->value);

	if (err)
		return err;
	ret->type = type_spell(value->type, NULL);
	if (!ret->type)
		return &dc_out_of_memory;
	ret->host = session->borrowed ? "bare" : "none";
	ret->thread = session->borrowed ? borrowed_tid(session->borrowed) : 0;
	ret->chosen = session->borrowed && !session->options.thread;
	return ret->value ? eval_remember(eval, value, &number) : NULL;
}

static struct dc_error *evaluate(struct dc_session *session, const char *expr,
				 struct dc_result *ret)
{
	struct eval_target target = evaluation_target(session);
	struct eval eval = { session->symbols, &target, session->variables };
	struct value value = { 0 };
	struct dc_error *err = dc_prepare(session, expr);

	if (!err)
		err = session_cancelled(session);
	if (!err && session->options.all_stop)
		err = dc_attach(session);
	if (err)
		return err;
	session->current = find(session, expr);
	err = eval_expression(&eval, session->current->expression, &value);
	if (!err)
		err = describe(session, &eval, &value, ret);
	session->current = NULL;
	value_deinit(&value);
	return err;
}

struct dc_error *dc_evaluate(struct dc_session *session, const char *expr, struct dc_result *ret)
{
	*ret = (struct dc_result){ 0 };
	struct dc_error *err = conclude(session, evaluate(session, expr, ret));

	if (err && err->code == DC_CANCELLED)
		dc_error_destroy(session_cancelled(session));
	if (err)
		dc_result_deinit(ret);
	return err;
}
