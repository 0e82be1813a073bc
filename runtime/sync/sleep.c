// SPDX-License-Identifier: MIT
// The clock and sleeping by it.
#include "runtime/gort.h"
#include "runtime/sync/waiter.h"

#include <time.h>

int64_t gort_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

int gort_sleep(int64_t ns)
{
	struct g *g = gort__enter(__func__);
	struct waiter w;
	int64_t deadline;
	int ret;

	if (ns <= 0) {
		gort__yield();
		ret = gort__cancelled(g) ? -ECANCELED : 0;
	} else {
		// The clock is read now, never a cached one: else a sleep could end early.
		if (__builtin_add_overflow(gort_now(), ns, &deadline))
			deadline = GORT_FOREVER;
		ret = gort__waiter_begin(&w, g, deadline);
		if (!ret)
			ret = gort__waiter_park(&w, NULL, deadline, WAIT_SLEEP);
		if (ret == -ETIMEDOUT)
			ret = 0;
	}
	gort__leave();
	return ret;
}
