// SPDX-License-Identifier: MIT
// The netpoller. What the scheduler and the table of descriptors need to know of it.
#ifndef RUNTIME_SYNC_NETPOLL_H
#define RUNTIME_SYNC_NETPOLL_H

#include "runtime/base/base.h"
#include "runtime/sched/g.h"

// True once a descriptor was registered; gort__netpoll is not called before.
extern gort__hidden uint32_t gort__netpoll_on;
// Goroutines that wait for a descriptor. The scheduler polls only when this is not 0, and a
// deadlock is not reported then.
extern gort__hidden uint32_t gort__netpoll_waiters;

// Appends goroutines whose descriptors became ready (claimed, still WAITING: the scheduler makes
// them runnable) and returns how many. delay in ns: 0 polls, < 0 waits for ever. On a system stack,
// perhaps without a P.
gort__hidden int gort__netpoll(int64_t delay, struct glist *ready);

// Makes a gort__netpoll that waits return soon. Any thread; async-signal-safe.
gort__hidden void gort__netpoll_break(void);

// Has every edge of fd reported from now on, and its present state at once. 0, -EPERM for what
// cannot be polled, or another error of epoll.
gort__hidden int gort__netpoll_add(int fd, uint32_t generation);
gort__hidden void gort__netpoll_remove(int fd);

#endif
