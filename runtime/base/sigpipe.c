// SPDX-License-Identifier: MIT
// Writing without being told by SIGPIPE that nobody reads.
#include "runtime/base/sigpipe.h"
#include "runtime/base/raw.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

static const uint64_t BIT = UINT64_C(1) << (SIGPIPE - 1);

void gort__sigpipe_hold(struct gort__sigpipe *held)
{
	uint64_t pending = 0;

	gort__raw(SYS_rt_sigprocmask, SIG_BLOCK, (long)&BIT, (long)&held->mask, 8, 0, 0);
	// Only what was blocked already can be pending.
	if (held->mask & BIT)
		gort__raw(SYS_rt_sigpending, (long)&pending, 8, 0, 0, 0, 0);
	held->pending = pending & BIT;
}

void gort__sigpipe_release(const struct gort__sigpipe *held)
{
	const struct timespec now = { 0 };
	long ret = held->pending ? 0 : -EINTR;

	while (ret == -EINTR)
		ret = gort__raw(SYS_rt_sigtimedwait, (long)&BIT, 0, (long)&now, 8, 0, 0);
	gort__raw(SYS_rt_sigprocmask, SIG_SETMASK, (long)&held->mask, 0, 8, 0, 0);
}
