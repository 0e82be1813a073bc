// SPDX-License-Identifier: MIT
// The command that evaluates expressions: a list of them, or one many times.
#include "debugger/front/each.h"
#include "debugger/front/at.h"
#include "debugger/front/report.h"
#include "debugger/front/commands.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct run {
	struct dc_expression **expressions; // of the operands, then of --finally; NULL: not parsed
	size_t nr_expressions; // so many there are
	size_t nr_parsed, nr_done; // of the operands
	struct dc_outcome *outcomes;
	size_t n;
	struct dc_rate rate;
	bool has_rate; // of the first outcome
	struct dc_departure departure;
	// What could not be parsed once what was to load its names had run.
	const char *unparsed;
	struct dc_error *err;
};

static void run_deinit(struct run *run)
{
	for (size_t i = 0; run->expressions && i < run->nr_expressions; i++)
		dc_expression_destroy(run->expressions[i]);
	free(run->expressions);
	free(run->outcomes);
}

// One expression many times, then --finally; the list's own order, with the steps of the library.
static struct dc_error *repeat(struct dc_session *session, const struct words *words,
			       struct dc_expression *finally, struct run *run)
{
	struct dc_outcome *outcome = run->outcomes;
	struct dc_error *err;

	outcome->expression = run->expressions[0];
	outcome->err = dc_repeat(session, outcome->expression, words->repeat, &words->call,
				 &outcome->result, &run->rate);
	run->has_rate = !outcome->err;
	run->n = 1;
	if (finally) {
		run->n = 2;
		outcome[1].expression = finally;
		outcome[1].err = dc_evaluate(session, finally, &words->call, &outcome[1].result);
	}
	err = dc_detach(session, &run->departure);
	// Each gave its thread back; what is said is said of the whole list.
	for (size_t i = 0; i < run->n; i++) {
		run->departure.pause_ns += outcome[i].result.pause_ns;
		run->departure.literals_left += outcome[i].result.literals_left;
	}
	for (size_t i = 0; i < run->n; i++)
		outcome[i].result.pause_ns = run->departure.pause_ns;
	return err;
}

// What is yet to run may load what this one names, which is then looked up.
static bool may_be_late(const struct run *run, const struct dc_error *err)
{
	bool loads = false;

	for (size_t before = run->nr_done; before < run->nr_parsed; before++)
		loads |= dc_expression_effects(run->expressions[before]).loads;
	return loads && (err->code == DC_NAME || err->code == DC_TYPE);
}

// Of the operands, and of --finally, all that can be, so that nothing is run before it is known that
// it can. On error *culprit is what it is about.
static struct dc_error *parse(struct dc_session *session, const struct words *words,
			      struct run *run, const char **culprit)
{
	for (size_t i = run->nr_parsed; i <= words->nr; i++) {
		const char *text = i < words->nr ? words->operands[i] : words->finally;
		struct dc_error *err = text && !run->expressions[i]
					       ? dc_parse(session, text, &words->scope,
							  &run->expressions[i])
					       : NULL;

		if (err && may_be_late(run, err)) {
			dc_error_destroy(err);
			i = words->nr - (i < words->nr); // --finally is next, or the end
			continue;
		}
		*culprit = text;
		if (err)
			return err;
		run->nr_parsed += i < words->nr;
	}
	return NULL;
}

// What is parsed and has not run, and then --finally, under one attach.
static struct dc_error *run_part(struct dc_session *session, const struct words *words,
				 struct run *run, struct dc_expression *finally)
{
	struct dc_departure departure = { 0 };
	size_t n = 0;
	struct dc_error *err = dc_evaluate_list(
		session, run->expressions + run->nr_done, run->nr_parsed - run->nr_done, finally,
		&words->call, run->outcomes + run->n, &n, &departure);

	run->n += n;
	run->nr_done = run->nr_parsed;
	departure.pause_ns += run->departure.pause_ns;
	departure.literals_left += run->departure.literals_left;
	run->departure = departure;
	return err;
}

static bool has_failed(const struct run *run)
{
	return run->n && run->outcomes[run->n - 1].err;
}

// Most lists have but one part.
static struct dc_error *run_list(struct dc_session *session, const struct words *words,
				 struct run *run)
{
	struct dc_expression **finally = &run->expressions[words->nr];

	while (!run->err && !has_failed(run)) {
		bool is_last = run->nr_parsed == words->nr;
		struct dc_error *err = run_part(session, words, run, is_last ? *finally : NULL);

		if (err || is_last)
			return err;
		if (!has_failed(run))
			run->err = parse(session, words, run, &run->unparsed);
	}
	if (!words->finally)
		return NULL;
	if (!*finally)
		dc_error_destroy(dc_parse(session, words->finally, &words->scope, finally));
	return *finally ? run_part(session, words, run, *finally) : NULL;
}

// By itself, so that it may be left pending.
static struct dc_error *run_alone(struct dc_session *session, const struct words *words,
				  struct run *run)
{
	struct dc_outcome *outcome = run->outcomes;

	outcome->expression = run->expressions[0];
	outcome->err = dc_evaluate(session, outcome->expression, &words->call, &outcome->result);
	run->n = 1;
	return NULL;
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

static void report_result_notes(struct records *out, const char *notes)
{
	while (notes && *notes) {
		int length = (int)strcspn(notes, "\n");

		report_note(out, "%.*s", length, notes);
		notes += length + (notes[length] != '\0');
	}
}

int report_result(struct records *out, const char *expr, const struct dc_result *result,
		  const struct dc_rate *rate)
{
	char *text;
	struct dc_error *err = dc_value_text(result->value, out->raw ? 'r' : '\0', &text);

	if (err)
		return report_failure(out, expr, err);
	record_begin(out, "result");
	record_text(out, "expr", expr);
	record_flag(out, "ok", true);
	if (out->numbered && result->value->number)
		record_count(out, "number", result->value->number);
	record_text(out, "value", text);
	record_text(out, "type", result->value->type.name);
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
	record_end(out);
	free(text);
	return 0;
}

// The first failure's status.
static int report(struct records *out, const struct words *words, struct run *run)
{
	int status = 0;

	// The notes first, so that the last line of a failure is the target's state.
	if (!words->shell)
		report_departure(out, &run->departure);
	for (size_t i = 0; i < run->n; i++)
		report_result_notes(out, run->outcomes[i].result.notes);
	for (size_t i = 0; i < run->n; i++) {
		struct dc_outcome *outcome = &run->outcomes[i];
		const char *expr = dc_expression_text(outcome->expression);
		int failure;

		if (outcome->err)
			failure = report_failure(out, expr, outcome->err);
		else if (words->is_quiet)
			failure = 0;
		else
			failure = report_result(out, expr, &outcome->result,
						run->has_rate && !i ? &run->rate : NULL);
		status = status ? status : failure;
		dc_result_deinit(&outcome->result);
	}
	return status;
}

int command_evaluate(struct dc_session *session, const struct words *words, struct records *out)
{
	static const char *const last[] = { "$" };
	struct words with_last = *words;
	__attribute__((cleanup(run_deinit))) struct run run = {
		.expressions = calloc(words->nr + 2, sizeof(*run.expressions)),
		.outcomes = calloc(words->nr + 2, sizeof(*run.outcomes)),
	};
	int status;

	if (words->at.place)
		return evaluate_at(session, words, out);
	if (words->each == EACH_THREAD)
		return each_thread(session, words, out);
	if (words->each == EACH_GOROUTINE)
		return each_goroutine(session, words, out);
	// print alone shows the last value again.
	if (words->shell && !words->nr) {
		with_last.operands = last;
		with_last.nr = 1;
		words = &with_last;
	}
	// A person can look at where the callee stands, and go on from there.
	if (words->shell && dc_is_controlled(session)) {
		with_last.operands = words->operands;
		with_last.nr = words->nr;
		with_last.call.may_pend = true;
		words = &with_last;
	}
	if (!run.outcomes || !run.expressions)
		return report_memory(out);
	run.nr_expressions = words->nr + 1;

	const char *culprit;
	struct dc_error *err = parse(session, words, &run, &culprit);

	if (err)
		return report_failure(out, culprit, err);
	if (words->repeat)
		err = repeat(session, words, run.expressions[words->nr], &run);
	else if (words->call.may_pend && words->nr == 1 && !words->finally)
		err = run_alone(session, words, &run);
	else
		err = run_list(session, words, &run);
	status = report(out, words, &run);
	if (run.err) {
		int failure = report_failure(out, run.unparsed, run.err);

		status = status ? status : failure;
	}
	if (err) {
		int failure = report_failure(out, NULL, err);

		status = status ? status : failure;
	}
	return status;
}
