// SPDX-License-Identifier: MIT
// A list of expressions under one attach, from the first stop to the detach on one thread of ours.
#include "debugger/session/session.h"

struct list {
	struct dc_session *session;
	const char *const *exprs;
	size_t n;
	const char *finally;
	struct dc_outcome *outcomes;
	struct evaluation *evaluations; // n + 1
	size_t nr;
	struct dc_departure *departure;
};

static struct dc_error *prepare(struct list *list, const char **culprit)
{
	for (size_t i = 0; i <= list->n; i++) {
		*culprit = i < list->n ? list->exprs[i] : list->finally;
		struct dc_error *err = *culprit ? dc_prepare(list->session, *culprit) : NULL;

		if (err)
			return err;
	}
	return NULL;
}

static bool evaluate(struct list *list, const char *expr)
{
	struct dc_outcome *outcome = &list->outcomes[list->nr];

	outcome->expr = expr;
	outcome->err = evaluation_run(list->session, expr, &list->evaluations[list->nr],
				      &outcome->result);
	list->nr++;
	return !outcome->err;
}

static struct dc_error *run(void *arg)
{
	struct list *list = arg;
	bool good = true;

	for (size_t i = 0; i < list->n && good; i++)
		good = evaluate(list, list->exprs[i]);
	if (list->finally)
		evaluate(list, list->finally);
	return dc_detach(list->session, list->departure);
}

// What could not be said while the thread was held.
static void finish(struct list *list)
{
	for (size_t i = 0; i < list->nr; i++) {
		struct dc_outcome *outcome = &list->outcomes[i];
		struct evaluation *evaluation = &list->evaluations[i];

		if (!outcome->err && evaluation->later) {
			outcome->err = evaluation_finish(list->session, evaluation,
							 &outcome->result);
			if (outcome->err)
				dc_result_deinit(&outcome->result);
		}
		if (outcome->result.thread)
			outcome->result.pause_ns = list->departure->pause_ns;
		if (outcome->err && outcome->err->state == DC_STATE_RUNNING &&
		    list->departure->state == DC_STATE_STOPPED)
			outcome->err = error_in_state(outcome->err, DC_STATE_STOPPED);
		value_deinit(&evaluation->value);
	}
}

struct dc_error *dc_evaluate_list(struct dc_session *session, const char *const *exprs, size_t n,
				  const char *finally, struct dc_outcome *ret, size_t *nr_ret,
				  struct dc_departure *departure)
{
	struct list list = { session, exprs, n, finally, ret, NULL, 0, departure };
	const char *culprit;

	*departure = (struct dc_departure){ 0 };
	*nr_ret = 0;
	struct dc_error *err = prepare(&list, &culprit);
	if (err) {
		*ret = (struct dc_outcome){ .expr = culprit, .err = err };
		*nr_ret = 1;
		return NULL;
	}
	list.evaluations = calloc(n + 1, sizeof(*list.evaluations));
	if (!list.evaluations)
		return &dc_out_of_memory;
	err = session_run(session, run, &list);
	finish(&list);
	free(list.evaluations);
	*nr_ret = list.nr;
	return err;
}
