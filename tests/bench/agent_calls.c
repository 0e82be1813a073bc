// SPDX-License-Identifier: MIT
// Single calls by the library, one after the other, each timed from the request to the value. Prints
// the median and the 99th percentile in ns, and the host.
//   agent_calls PID EXPRESSION CALLS
#include "debugger/debugcall.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int64_t now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void well(struct dc_error *err)
{
	if (!err)
		return;
	fprintf(stderr, "agent_calls: %s\n", err->message);
	exit(1);
}

int main(int argc, char *argv[])
{
	size_t n = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
	int64_t *times = calloc(n ?: 1, sizeof(*times));
	struct dc_options options;
	struct dc_call_options call;
	struct dc_session *session;
	struct dc_expression *expression;
	struct dc_departure departure;
	const char *host = "none";

	if (!n || !times)
		return 2;
	dc_options_init(&options);
	dc_call_options_init(&call);
	call.no_number = true;
	options.pid = atoi(argv[1]);
	well(dc_open(&options, &session));
	well(dc_parse(session, argv[2], NULL, &expression));
	well(dc_attach(session, NULL, &call));
	for (size_t i = 0; i < n; i++) {
		struct dc_result result;
		int64_t begun = now();

		well(dc_evaluate(session, expression, &call, &result));
		times[i] = now() - begun;
		host = result.host;
		dc_result_deinit(&result);
	}
	well(dc_detach(session, &departure));
	qsort(times, n, sizeof(*times), compare);
	printf("%jd %jd %s\n", (intmax_t)times[n / 2], (intmax_t)times[n * 99 / 100], host);
	dc_expression_destroy(expression);
	dc_close(session);
	return 0;
}
