// SPDX-License-Identifier: MIT
// A list of expressions under one attach, from the first stop to the detach on one thread of ours.
#include "debugger/session/session.h"

#include "debugger/base/trace.h"

struct list {
	struct dc_session *session;
	struct dc_expression *const *expressions;
	size_t n;
	struct dc_expression *finally;
	const struct dc_call_options *options;
	struct dc_outcome *outcomes;
	struct evaluation *evaluations; // n + 1, as many as begun
	size_t nr;
	struct dc_departure *departure;
};

static struct dc_expression *nth(const struct list *list, size_t i)
{
	return i < list->n ? list->expressions[i] : list->finally;
}

static struct dc_error *prepare(const struct list *list, struct dc_expression **culprit)
{
	for (size_t i = 0; i <= list->n; i++) {
		*culprit = nth(list, i);
		struct dc_error *err = *culprit ? expression_prepare(*culprit, list->options)
						: NULL;

		if (err)
			return session_conclude(list->session, err);
	}
	return NULL;
}

// One thread, borrowed once, serves all in a scope.
static void share_borrowing(const struct list *list, struct evaluation *evaluation)
{
	const struct scope *scope = &evaluation->expression->scope;

	for (size_t i = 0; i <= list->n; i++) {
		const struct dc_expression *other = nth(list, i);

		if (!other || !scope_equal(&other->scope, scope))
			continue;
		needs_add(&evaluation->needs, &other->needs);
		if (other->frame.known && !evaluation->sample)
			evaluation->sample = &other->frame;
	}
}

static bool evaluate(struct list *list, struct dc_expression *expression, bool is_last)
{
	struct dc_outcome *outcome = &list->outcomes[list->nr];
	struct evaluation *evaluation = &list->evaluations[list->nr++];

	*evaluation = (struct evaluation){ .session = list->session,
					   .expression = expression,
					   .options = list->options,
					   .is_last = is_last };
	share_borrowing(list, evaluation);
	outcome->expression = expression;
	outcome->err = evaluation_run(evaluation, &outcome->result);
	return !outcome->err;
}

static bool has_changed(const struct list *list)
{
	const struct dc_error *err = list->nr ? list->outcomes[0].err : NULL;

	return err && err->code == DC_CHANGED;
}

static struct dc_error *run(void *arg)
{
	struct list *list = arg;
	bool good = true;

	for (size_t i = 0; i < list->n && good; i++)
		good = evaluate(list, list->expressions[i], i == list->n - 1 && !list->finally);
	// Nothing was begun yet that finally would end.
	if (list->finally && !(list->nr == 1 && has_changed(list)))
		evaluate(list, list->finally, true);
	return session_depart(list->session, list->departure);
}

// What could not be said while the thread was held.
static void finish(struct list *list)
{
	for (size_t i = 0; i < list->nr; i++) {
		struct dc_outcome *outcome = &list->outcomes[i];
		struct evaluation *evaluation = &list->evaluations[i];

		if (!outcome->err && evaluation->later) {
			outcome->err = evaluation_finish(evaluation, &outcome->result);
			if (outcome->err)
				dc_result_deinit(&outcome->result);
		}
		if (outcome->result.thread)
			outcome->result.pause_ns = list->departure->pause_ns;
		outcome->err = session_last_word(list->session, outcome->err,
						 list->departure->state);
		evaluation_deinit(evaluation);
	}
}

// list->nr: how many outcomes there are.
static struct dc_error *run_once(struct list *list)
{
	struct dc_expression *culprit;
	struct dc_error *err = prepare(list, &culprit);

	*list->departure = (struct dc_departure){ 0 };
	list->nr = 0;
	if (err) {
		list->outcomes[list->nr++] = (struct dc_outcome){ .expression = culprit,
								  .err = err };
		return NULL;
	}
	list->evaluations = calloc(list->n + 1, sizeof(*list->evaluations));
	if (!list->evaluations)
		return &dc_out_of_memory;
	err = session_run(list->session, run, list);
	trace_write();
	finish(list);
	free(list->evaluations);
	return err;
}

struct dc_error *session_evaluate_list(struct dc_session *session,
				       struct dc_expression *const *expressions, size_t n,
				       struct dc_expression *finally,
				       const struct dc_call_options *options,
				       struct dc_outcome *ret, size_t *nr_ret,
				       struct dc_departure *departure)
{
	struct list list = { .session = session,
			     .expressions = expressions,
			     .n = n,
			     .finally = finally,
			     .options = options,
			     .outcomes = ret,
			     .departure = departure };
	struct dc_error *err;

	do
		err = run_once(&list);
	while (!err && list.nr == 1 && session_begins_again(session, ret[0].err));
	*nr_ret = list.nr;
	return err;
}

struct dc_error *dc_evaluate_list(struct dc_session *session,
				  struct dc_expression *const *expressions, size_t n,
				  struct dc_expression *finally,
				  const struct dc_call_options *options, struct dc_outcome *ret,
				  size_t *nr_ret, struct dc_departure *departure)
{
	_turn_(session);
	const struct dc_call_options usual = options_or_usual(options);

	return session_evaluate_list(session, expressions, n, finally, &usual, ret, nr_ret,
				     departure);
}
