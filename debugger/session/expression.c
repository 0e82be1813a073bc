// SPDX-License-Identifier: MIT
// Expressions as a client holds them: parsed and typed once, in the scope that they were given.
#include "debugger/session/session.h"

#include "debugger/inject/host.h"

#include "debugger/inject/safepoint/language_runtime.h"

#include <string.h>

struct dc_expression *expression_share(struct dc_expression *expression)
{
	if (expression)
		__atomic_fetch_add(&expression->users, 1, __ATOMIC_RELAXED);
	return expression;
}

void dc_expression_destroy(struct dc_expression *expression)
{
	if (!expression || __atomic_sub_fetch(&expression->users, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	judged_deinit(&expression->judged);
	expression_destroy(expression->parsed);
	for (size_t i = 0; i < expression->nr_args; i++)
		value_deinit(&expression->args[i]);
	free(expression->args);
	scope_deinit(&expression->scope);
	free(expression->text);
	free(expression);
}

const char *dc_expression_text(const struct dc_expression *expression)
{
	return expression->text;
}

struct dc_effects dc_expression_effects(const struct dc_expression *expression)
{
	const struct effects *effects = expression_effects(expression->parsed);

	return (struct dc_effects){
		.calls = effects->calls,
		.is_call = effects->is_call,
		.loads = effects->loads,
		.writes = effects->writes,
		.stops = effects->calls || effects->needs_frame || effects->needs_thread ||
			 effects->reads_registers,
	};
}

static struct dc_error *parse_once(struct dc_expression *expression)
{
	struct dc_session *session = expression->session;
	struct evaluation evaluation = { .session = session, .expression = expression };
	struct caller caller = caller_of(&evaluation);
	struct environment environment = { session->symbols, &caller, session->variables };
	const struct symbols_frame *frame = expression->frame.known ? &expression->frame.frame
								    : NULL;
	struct dc_error *err;

	expression_destroy(take_ptr(expression->parsed));
	err = expression_parse(&environment, frame, expression->text, strlen(expression->text),
			       &expression->parsed);
	if (!err && expression->args)
		err = expression_call(expression->parsed, expression->args, expression->nr_args);
	if (!err && expression_effects(expression->parsed)->needs_frame)
		expression->needs.frame = true;
	if (!err && expression_effects(expression->parsed)->reads_registers)
		expression->needs.registers = true;
	return err;
}

// Names of a frame can only be looked up when it is known which frame it is. A sleeping thread
// tells without a stop, so whatever may be a local is looked up there; a running one is stopped
// shortly when nothing else explains a name. Then the names are loaded with nothing stopped.
static struct dc_error *find_frame(struct dc_expression *expression)
{
	struct dc_session *session = expression->session;
	const struct scope *scope = &expression->scope;

	if (!expression->needs.frame) {
		if (!expression_effects(expression->parsed)->names_plainly || session->barrier)
			return NULL;
		return frame_sample(session, scope, false, &expression->frame);
	}

	struct dc_error *err = frame_sample(session, scope, true, &expression->frame);

	// Without a frame a name can still be found wrong, and that is the better message.
	if (!err || err->code != DC_REFUSED || scope->frame)
		return err;
	dc_error_destroy(err);
	return NULL;
}

static struct dc_error *parse_in_frame(struct dc_expression *expression)
{
	struct dc_error *err = parse_once(expression);

	// typeof wants the type of a local at once, where other uses of a name can wait for it.
	if (err && err->code == DC_NAME && !expression->frame.known) {
		struct dc_error *none = frame_sample(expression->session, &expression->scope, true,
						     &expression->frame);

		if (!none && expression->frame.known) {
			dc_error_destroy(err);
			err = parse_once(expression);
		}
		dc_error_destroy(none);
	}
	if (!err && !expression->frame.known) {
		err = find_frame(expression);
		if (!err && expression->frame.known)
			err = parse_once(expression);
	}
	return err;
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

static struct dc_error *parse_and_check(struct dc_expression *expression)
{
	struct dc_session *session = expression->session;
	struct evaluation evaluation = { .session = session, .expression = expression };
	struct caller caller = caller_of(&evaluation);
	struct environment environment = { session->symbols, &caller, session->variables };

	judged_deinit(&expression->judged);
	expression->frame = (struct chosen_frame){
		.known = expression->scope.place != 0,
		.tid = expression->scope.thread,
		.frame.pc = expression->scope.place,
	};
	expression->needs = (struct needs){ .frame = expression->scope.frame != NULL };
	expression->is_followed = false;
	expression->generation = session->generation;

	struct dc_error *err = parse_in_frame(expression);

	if (!err)
		err = expression_check(&environment, expression->parsed, classify_check);
	if (err)
		return err;
	expression->needs.calls = expression_effects(expression->parsed)->calls;
	expression->needs.go = expression_effects(expression->parsed)->is_go;
	return NULL;
}

static struct dc_error *keep_arguments(struct dc_expression *expression, const struct value *args,
				       size_t n)
{
	struct dc_error *err = NULL;

	if (!args)
		return NULL;
	expression->args = calloc(n ?: 1, sizeof(*args));
	if (!expression->args)
		return &dc_out_of_memory;
	while (expression->nr_args < n && !err) {
		err = value_copy(&args[expression->nr_args],
				 &expression->args[expression->nr_args]);
		expression->nr_args += !err;
	}
	return err;
}

static struct dc_error *parse_new(struct dc_session *session, const char *text,
				  const struct value *args, size_t nr_args,
				  const struct dc_scope *scope, uint64_t place,
				  struct dc_expression **ret)
{
	struct dc_expression *expression;
	struct dc_error *err = session_cancelled(session);

	if (!err)
		err = session_refresh(session);
	if (err)
		return session_conclude(session, err);
	expression = calloc(1, sizeof(*expression));
	if (!expression)
		return &dc_out_of_memory;
	expression->users = 1;
	expression->session = session;
	expression->text = strdup(text);
	err = expression->text ? scope_init(session, scope, &expression->scope) : &dc_out_of_memory;
	expression->scope.place = place;
	if (!err)
		err = keep_arguments(expression, args, nr_args);
	if (!err)
		err = parse_and_check(expression);
	if (err) {
		dc_expression_destroy(expression);
		return session_conclude(session, err);
	}
	*ret = expression;
	return NULL;
}

// A name that is not known, or not enough: the program may have loaded more since it was opened, as
// one that has only just been started does. The error is then destroyed.
static bool has_grown(struct dc_session *session, uint64_t generation, struct dc_error *err)
{
	if (!err || (err->code != DC_NAME && err->code != DC_TYPE))
		return false;
	session->stale = true;

	_cleanup_error_ struct dc_error *not_read = session_refresh(session);

	if (not_read || session->generation == generation)
		return false;
	dc_error_destroy(err);
	return true;
}

struct dc_error *session_parse(struct dc_session *session, const char *text,
			       const struct value *args, size_t nr_args,
			       const struct dc_scope *scope, struct dc_expression **ret)
{
	enum { LOOKS_MAX = 5 }; // at a program that never ends to load
	struct dc_error *err;
	bool again;
	int looks = 0;

	do {
		uint64_t generation = session->generation;

		err = parse_new(session, text, args, nr_args, scope, 0, ret);
		again = session_begins_again(session, err) ||
			(++looks < LOOKS_MAX && has_grown(session, generation, err));
	} while (again);
	return err;
}

struct dc_error *session_parse_at(struct dc_session *session, const char *text, uint64_t place,
				  struct dc_expression **ret)
{
	return parse_new(session, text, NULL, 0, NULL, place, ret);
}

void expression_settle(struct dc_expression *expression, pid_t thread)
{
	expression->scope.thread = thread;
	expression->frame.tid = thread;
}

struct dc_error *dc_parse(struct dc_session *session, const char *text,
			  const struct dc_scope *scope, struct dc_expression **ret)
{
	_turn_(session);
	return session_parse(session, text, NULL, 0, scope, ret);
}

struct dc_error *expression_prepare(struct dc_expression *expression,
				    const struct dc_call_options *options)
{
	struct dc_session *session = expression->session;
	const struct host *host = host_by_id(options->host);
	struct dc_error *err = session_cancelled(session);

	if (!err)
		err = session_refresh(session);
	if (!err && expression->generation != session->generation)
		err = parse_and_check(expression);
	if (err)
		return err;
	if (expression->needs.calls && options->no_call)
		return error_make(DC_REFUSED, "--no-call: the expression calls a function");
	if (expression->scope.goroutine && host && !host->has_goroutines)
		return error_make(DC_USAGE, "--goroutine: the %s host knows none", host->name);
	// All that a call needs is made ready here, so that the thread is held for the call only.
	if (expression->needs.calls || expression->needs.frame || expression->needs.registers ||
	    options->all_stop)
		err = session_ready(session);
	if (err || !expression->needs.calls || expression->is_followed)
		return err;

	const struct effects *effects = expression_effects(expression->parsed);

	expression->is_followed = true;
	expression->needs.avoids_stdio = avoids_stdio(session, effects);
	expression->needs.vm = find_vm(effects);
	return NULL;
}
