// SPDX-License-Identifier: MIT
// --at PLACE: each hit as a record, then the values.
#include "debugger/front/at.h"

#include "debugger/front/report.h"

#include <inttypes.h>
#include <stdio.h>

struct report {
	struct records *out;
	int status; // the first failure's
	uint64_t missed, unjudged;
	bool has_condition;
};

static void report_hit(struct records *out, const struct dc_hit *hit, bool has_condition)
{
	record_begin(out, "hit");
	record_count(out, "number", hit->number);
	record_integer(out, "thread", hit->thread);
	report_frame(out, "where", &hit->where);
	record_real(out, "pause_us", (double)hit->pause_ns / 1000);
	if (has_condition)
		record_text(out, "judged_by", hit->in_kernel ? "kernel" : "debugger");
	record_end(out);
}

// The thread is on its way again, so that a full pipe holds nobody.
static bool visit(const struct dc_hit *hit, void *arg)
{
	struct report *report = arg;

	records_release(report->out);
	report_hit(report->out, hit, report->has_condition);
	for (size_t i = 0; i < hit->nr_outcomes && !report->status; i++) {
		struct dc_outcome *outcome = &hit->outcomes[i];
		const char *expr = dc_expression_text(outcome->expression);

		report->status = outcome->err
					 ? report_error(report->out, expr, outcome->err)
					 : report_result(report->out, expr, &outcome->result, NULL);
	}
	fflush(stdout);
	report->missed = hit->missed;
	report->unjudged = hit->unjudged;
	return !report->status && !report->out->unwanted;
}

int evaluate_at(struct dc_session *session, const struct words *words, struct records *out)
{
	struct report report = { .out = out, .has_condition = words->at.condition };
	struct dc_error *err = dc_at(session, &words->at, words->operands, words->nr, &words->call,
				     visit, &report);

	if (err && err->wants_patch && !words->no_patch) {
		dc_error_destroy(err);
		report_patch(out, words->at.place);
		dc_allow_patches(session, true);
		err = dc_at(session, &words->at, words->operands, words->nr, &words->call, visit,
			    &report);
	}
	if (report.missed)
		report_note(out, "%" PRIu64 " more came by while this was written, and were let go",
			    report.missed);
	if (report.unjudged)
		report_note(out,
			    "%" PRIu64 " more came by while the kernel was at another BPF program, "
			    "and were let go unjudged",
			    report.unjudged);
	if (!err)
		return report.status;

	int failure = report_failure(out, NULL, err);

	return report.status ?: failure;
}
