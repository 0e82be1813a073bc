// SPDX-License-Identifier: MIT
// Evaluates the expressions of the command line: prepare all, run, give the thread back, then print.
#include "debugger/front/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct outcome {
	const char *expr;
	struct dc_error *err;
	struct dc_result result; // when err is NULL
	bool has_rate;
	struct dc_rate rate;
};

static struct dc_error *prepare(struct dc_session *session, const struct options *options,
				const char **culprit)
{
	for (size_t i = 0; i <= options->nr_exprs; i++) {
		*culprit = i < options->nr_exprs ? options->exprs[i] : options->finally;
		struct dc_error *err = *culprit ? dc_prepare(session, *culprit) : NULL;

		if (err)
			return err;
	}
	return NULL;
}

static struct outcome evaluate(struct dc_session *session, const char *expr, uint64_t repeat)
{
	struct outcome outcome = { .expr = expr };

	if (repeat) {
		outcome.has_rate = true;
		outcome.err = dc_repeat(session, expr, repeat, &outcome.result, &outcome.rate);
	} else {
		outcome.err = dc_evaluate(session, expr, &outcome.result);
	}
	return outcome;
}

static void report(const struct sink *sink, struct outcome *outcome,
		   const struct dc_departure *departure)
{
	if (outcome->err) {
		if (outcome->err->state == DC_STATE_RUNNING && departure->state == DC_STATE_STOPPED)
			outcome->err->state = DC_STATE_STOPPED;
		sink->error(sink, outcome->expr, outcome->err);
	} else {
		// Only now is it known how long the thread was away.
		if (outcome->result.thread)
			outcome->result.pause_ns = departure->pause_ns;
		sink->result(sink, outcome->expr, &outcome->result,
			     outcome->has_rate ? &outcome->rate : NULL);
		dc_result_deinit(&outcome->result);
	}
	dc_error_destroy(outcome->err);
}

static void report_departure(const struct sink *sink, const struct dc_departure *departure)
{
	char line[128];

	if (departure->chosen) {
		snprintf(line, sizeof(line), "thread %d was borrowed", departure->thread);
		sink->note(sink, line);
	}
	if (departure->literals_left) {
		snprintf(line, sizeof(line),
			 "%" PRIu64
			 " bytes of literals stay mapped in the target (--drop-literals)",
			 departure->literals_left);
		sink->note(sink, line);
	}
}

int command_evaluate(struct dc_session *session, const struct options *options,
		     const struct sink *sink)
{
	struct dc_departure departure = { 0 };
	const char *culprit;
	int status = 0;
	size_t n = 0;

	// A list with a fault that can be seen beforehand is not begun, so --finally has nothing to
	// end.
	struct dc_error *err = prepare(session, options, &culprit);
	if (err) {
		status = dc_code_status(err->code);
		sink->error(sink, culprit, err);
		dc_error_destroy(err);
		return status;
	}

	struct outcome *outcomes = calloc(options->nr_exprs + 1, sizeof(*outcomes));
	if (!outcomes) {
		fputs("error: out of memory\n", stderr);
		return dc_code_status(DC_MEMORY);
	}
	while (n < options->nr_exprs && !status) {
		outcomes[n] = evaluate(session, options->exprs[n], options->repeat);
		if (outcomes[n].err)
			status = dc_code_status(outcomes[n].err->code);
		n++;
	}
	if (options->finally) {
		outcomes[n] = evaluate(session, options->finally, 0);
		if (outcomes[n].err && !status)
			status = dc_code_status(outcomes[n].err->code);
		n++;
	}
	err = dc_detach(session, &departure);

	// The notes first, so that the last line of a failure is the target's state.
	report_departure(sink, &departure);
	for (size_t i = 0; i < n; i++)
		report(sink, &outcomes[i], &departure);
	free(outcomes);
	if (err) {
		if (!status)
			status = dc_code_status(err->code);
		sink->error(sink, NULL, err);
		dc_error_destroy(err);
	}
	return status;
}
