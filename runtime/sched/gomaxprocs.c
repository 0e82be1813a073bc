// SPDX-License-Identifier: MIT
// How many Ps there are.
#include "runtime/gort.h"
#include "runtime/base/debug.h"
#include "runtime/sched/core.h"

#include <sched.h>
#include <stdlib.h>

int gort_num_cpu(void)
{
	cpu_set_t set;

	if (!sched.ncpu)
		sched.ncpu = sched_getaffinity(0, sizeof(set), &set) ? 1 : CPU_COUNT(&set);
	return sched.ncpu;
}

void gort__procs_init(void)
{
	const char *env = getenv("GORTMAXPROCS");
	int n = env ? atoi(env) : 0;

	if (n <= 0)
		n = gort_num_cpu();
	if (n > P_MAX)
		n = P_MAX;
	gort__lock(&sched.lock);
	gort__procresize((uint32_t)n);
	gort__unlock(&sched.lock);
}

int gort_gomaxprocs(int n)
{
	int old;

	gort__enter(__func__);
	old = (int)sched.nprocs;
	if (n > 0 && n != old) {
		gort__stop_world();
		gort__start_world_with((uint32_t)(n < P_MAX ? n : P_MAX));
	}
	gort__leave();
	return old;
}

void gort__started_up(void)
{
}
