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

struct dc_error *dc_repeat(struct dc_session *session, const char *expr, uint64_t n,
			   struct dc_result *ret, struct dc_rate *rate)
{
	*ret = (struct dc_result){ 0 };
	if (!n)
		return error_make(DC_USAGE, "nothing to repeat");

	struct repetition repetition = { .n = n };
	struct dc_error *err = dc_prepare(session, expr);
	if (err)
		return err;
	repetition.nanoseconds = calloc(n, sizeof(*repetition.nanoseconds));
	if (!repetition.nanoseconds)
		return &dc_out_of_memory;
	session->repetition = &repetition;
	int64_t start = tracer_now();
	err = dc_evaluate(session, expr, ret);
	int64_t elapsed = tracer_now() - start;
	session->repetition = NULL;
	if (!err)
		*rate = rate_of(repetition.nanoseconds, n, elapsed);
	else
		dc_result_deinit(ret);
	free(repetition.nanoseconds);
	return err;
}
