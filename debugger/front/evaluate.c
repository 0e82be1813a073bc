// SPDX-License-Identifier: MIT
// Evaluates the expressions of the command line; prints once the thread is back.
#include "debugger/front/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct run {
	struct dc_outcome *outcomes;
	size_t n;
	struct dc_rate rate;
	bool has_rate; // of the first outcome
	struct dc_departure departure;
};

// One expression many times, then --finally; the list's own order, with the steps of the library.
static struct dc_error *repeat(struct dc_session *session, const struct options *options,
			       struct run *run)
{
	struct dc_outcome *outcome = run->outcomes;

	outcome->expr = options->finally;
	outcome->err = options->finally ? dc_prepare(session, options->finally) : NULL;
	run->n = 1;
	if (outcome->err)
		return NULL;
	outcome->expr = options->exprs[0];
	outcome->err = dc_repeat(session, outcome->expr, options->repeat, &outcome->result,
				 &run->rate);
	run->has_rate = !outcome->err;
	if (options->finally) {
		run->n = 2;
		outcome[1].expr = options->finally;
		outcome[1].err = dc_evaluate(session, options->finally, &outcome[1].result);
	}
	struct dc_error *err = dc_detach(session, &run->departure);
	for (size_t i = 0; i < run->n; i++)
		outcome[i].result.pause_ns = run->departure.pause_ns;
	return err;
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

// The first failure's status.
static int report(const struct sink *sink, struct run *run)
{
	int status = 0;

	// The notes first, so that the last line of a failure is the target's state.
	report_departure(sink, &run->departure);
	for (size_t i = 0; i < run->n; i++) {
		struct dc_outcome *outcome = &run->outcomes[i];

		if (outcome->err) {
			if (!status)
				status = dc_code_status(outcome->err->code);
			sink->error(sink, outcome->expr, outcome->err);
			dc_error_destroy(outcome->err);
		} else {
			sink->result(sink, outcome->expr, &outcome->result,
				     run->has_rate && !i ? &run->rate : NULL);
			dc_result_deinit(&outcome->result);
		}
	}
	return status;
}

int command_evaluate(struct dc_session *session, const struct options *options,
		     const struct sink *sink)
{
	struct run run = { .outcomes = calloc(options->nr_exprs + 1, sizeof(*run.outcomes)) };

	if (!run.outcomes) {
		fputs("error: out of memory\n", stderr);
		return dc_code_status(DC_MEMORY);
	}
	struct dc_error *err = options->repeat
				       ? repeat(session, options, &run)
				       : dc_evaluate_list(session,
							  (const char *const *)options->exprs,
							  options->nr_exprs, options->finally,
							  run.outcomes, &run.n, &run.departure);
	int status = report(sink, &run);

	free(run.outcomes);
	if (!err)
		return status;
	if (!status)
		status = dc_code_status(err->code);
	sink->error(sink, NULL, err);
	dc_error_destroy(err);
	return status;
}
