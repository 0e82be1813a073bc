// SPDX-License-Identifier: MIT
// Around a write that may find no reader: the signal it raises is held back and then taken away,
// unless one was pending before.
#ifndef RUNTIME_BASE_SIGPIPE_H
#define RUNTIME_BASE_SIGPIPE_H

#include "runtime/base/base.h"

struct gort__sigpipe {
	uint64_t mask;
	bool pending;
};

// Both on one thread, with no call between that may leave it. errno is not touched.
gort__hidden void gort__sigpipe_hold(struct gort__sigpipe *held);
gort__hidden void gort__sigpipe_release(const struct gort__sigpipe *held);

#endif
