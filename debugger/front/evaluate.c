// SPDX-License-Identifier: MIT
// The command that evaluates expressions: a list of them, or one many times.
#include "debugger/front/report.h"
#include "debugger/front/commands.h"

#include <inttypes.h>
#include <stdlib.h>

struct run {
	struct dc_outcome *outcomes;
	size_t n;
	struct dc_rate rate;
	bool has_rate; // of the first outcome
	struct dc_departure departure;
};

// One expression many times, then --finally; the list's own order, with the steps of the library.
static struct dc_error *repeat(struct dc_session *session, const struct words *words,
			       struct run *run)
{
	struct dc_outcome *outcome = run->outcomes;

	outcome->expr = words->finally;
	outcome->err = words->finally ? dc_prepare(session, words->finally) : NULL;
	run->n = 1;
	if (outcome->err)
		return NULL;
	outcome->expr = words->operands[0];
	outcome->err = dc_repeat(session, outcome->expr, words->repeat, &outcome->result,
				 &run->rate);
	run->has_rate = !outcome->err;
	if (words->finally) {
		run->n = 2;
		outcome[1].expr = words->finally;
		outcome[1].err = dc_evaluate(session, words->finally, &outcome[1].result);
	}
	struct dc_error *err = dc_detach(session, &run->departure);
	for (size_t i = 0; i < run->n; i++)
		outcome[i].result.pause_ns = run->departure.pause_ns;
	return err;
}

static void report_departure(struct records *out, const struct dc_departure *departure)
{
	if (departure->chosen)
		report_note(out, "thread %d was borrowed", departure->thread);
	if (departure->literals_left)
		report_note(out,
			    "%" PRIu64
			    " bytes of literals stay mapped in the target (--drop-literals)",
			    departure->literals_left);
}

static void report_result(struct records *out, const char *expr, const struct dc_result *result,
			  const struct dc_rate *rate)
{
	record_begin(out, "result");
	record_text(out, "expr", expr);
	record_flag(out, "ok", true);
	record_text(out, "value", result->value);
	record_text(out, "type", result->type);
	record_text(out, "host", result->host);
	if (result->thread)
		record_integer(out, "thread", result->thread);
	else
		record_none(out, "thread");
	record_real(out, "pause_us", (double)result->pause_ns / 1000);
	if (rate) {
		record_count(out, "calls", rate->calls);
		record_real(out, "calls_per_second", rate->per_second);
		record_real(out, "median_us", rate->median_us);
		record_real(out, "p99_us", rate->p99_us);
	}
	report_notes(out, result->notes);
	record_end(out);
}

// The first failure's status.
static int report(struct records *out, struct run *run)
{
	int status = 0;

	// The notes first, so that the last line of a failure is the target's state.
	report_departure(out, &run->departure);
	for (size_t i = 0; i < run->n; i++) {
		struct dc_outcome *outcome = &run->outcomes[i];

		if (outcome->err) {
			int failure = report_failure(out, outcome->expr, outcome->err);

			status = status ? status : failure;
		} else {
			report_result(out, outcome->expr, &outcome->result,
				      run->has_rate && !i ? &run->rate : NULL);
			dc_result_deinit(&outcome->result);
		}
	}
	return status;
}

int command_evaluate(struct dc_session *session, const struct words *words, struct records *out)
{
	struct run run = { .outcomes = calloc(words->nr + 1, sizeof(*run.outcomes)) };

	if (!run.outcomes)
		return report_memory(out);
	struct dc_error *err = words->repeat ? repeat(session, words, &run)
					     : dc_evaluate_list(session, words->operands, words->nr,
								words->finally, run.outcomes,
								&run.n, &run.departure);
	int status = report(out, &run);

	free(run.outcomes);
	if (err) {
		int failure = report_failure(out, NULL, err);

		status = status ? status : failure;
	}
	return status;
}
