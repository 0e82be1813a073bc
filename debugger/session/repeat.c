// SPDX-License-Identifier: MIT
// The same call many times, and what one of them costs.
#include "debugger/session/session.h"

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static struct dc_rate rate_of(int64_t *nanoseconds, uint64_t n, int64_t elapsed)
{
	qsort(nanoseconds, n, sizeof(*nanoseconds), compare);
	return (struct dc_rate){
		.calls = n,
		.per_second = (double)n / ((double)(elapsed > 0 ? elapsed : 1) / 1e9),
		.median_us = (double)nanoseconds[n / 2] / 1e3,
		// The nearest rank: of 100 calls the 99th, of one call that one.
		.p99_us = (double)nanoseconds[(n * 99 + 99) / 100 - 1] / 1e3,
	};
}

struct dc_error *dc_repeat(struct dc_session *session, struct dc_expression *expression, uint64_t n,
			   const struct dc_call_options *options, struct dc_result *ret,
			   struct dc_rate *rate)
{
	_turn_(session);
	const struct dc_call_options usual = options_or_usual(options);
	struct repetition repetition = { .n = n };
	struct evaluation evaluation = { .session = session,
					 .expression = expression,
					 .options = &usual,
					 .repetition = &repetition };

	*ret = (struct dc_result){ 0 };
	if (!n)
		return error_make(DC_USAGE, "nothing to repeat");
	repetition.nanoseconds = calloc(n, sizeof(*repetition.nanoseconds));
	if (!repetition.nanoseconds)
		return &dc_out_of_memory;

	// What takes long is not a part of the rate.
	struct dc_error *err = expression_prepare(expression, &usual);
	int64_t start = tracer_now();

	if (err)
		err = session_conclude(session, err);
	else
		err = evaluation_whole(&evaluation, ret);
	if (!err)
		*rate = rate_of(repetition.nanoseconds, n, tracer_now() - start);
	free(repetition.nanoseconds);
	return err;
}
