// SPDX-License-Identifier: MIT
// The netpoller, as the table of descriptors uses it. The scheduler's view is in sched/given.h.
#ifndef RUNTIME_SYNC_NETPOLL_H
#define RUNTIME_SYNC_NETPOLL_H

#include "runtime/base/base.h"

// Has every edge of fd reported from now on, and its present state at once. 0, -EPERM for what
// cannot be polled, or another error of epoll.
gort__hidden int gort__netpoll_add(int fd, uint32_t generation);
gort__hidden void gort__netpoll_remove(int fd);

#endif
