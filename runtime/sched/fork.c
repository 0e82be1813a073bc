// SPDX-License-Identifier: MIT
// In a fork's child only the forking thread exists: until it calls exec nothing of the scheduler
// can work.
#include "runtime/sched/core.h"

#include <pthread.h>

static void in_child(void)
{
	struct m *m = gort__self();

	if (m)
		gort__store(&m->retake, RETAKE_FORKED);
	gort__store(&sched.forked, true);
}

void gort__fork_init(void)
{
	pthread_atfork(NULL, NULL, in_child);
}
