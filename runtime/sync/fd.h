// SPDX-License-Identifier: MIT
// What is known of each descriptor number: what it is, whether it is registered, who waits for it.
#ifndef RUNTIME_SYNC_FD_H
#define RUNTIME_SYNC_FD_H

#include "runtime/sync/waiter.h"

#include <poll.h>

enum fd_flag {
	FD_KNOWN = 1, // the other flags are right
	FD_REGISTERED = 2, // epoll reports its edges
	FD_DIRECT = 4, // epoll refuses it: used as is
	FD_SOCKET = 8, // MSG_DONTWAIT works
	FD_NONBLOCK = 16, // O_NONBLOCK is set
	FD_DRAINS = 32, // a short read means that nothing is left: a TCP socket
	FD_NO_NOWAIT = 64, // RWF_NOWAIT is refused: must be polled before each use
};

// A descriptor number. Readiness is a count of edges: who found a descriptor dry after edge n need
// not try again before edge n + 1.
struct fd {
	struct lock lock; // RANK_POLLFD; taken without a P too
	uint32_t edges; // changed with the lock
	uint32_t dry; // a read found nothing after this edge
	uint32_t flags; // enum fd_flag; changed with the lock
	uint32_t generation; // of the number's use; in what epoll reports
	struct waiter *queue; // tag: the poll events it waits for
};

// The entry of a number; NULL when it is negative or there is no memory.
gort__hidden struct fd *gort__fd(int fd);

// Outside of the runtime. Finds out what fd is: 0 or -EBADF. 0 also when the number was given up
// meanwhile: then it is unknown still, and the caller looks again.
gort__hidden int gort__fd_learn(struct fd *d, int fd);
// It refused RWF_NOWAIT, after this edge.
gort__hidden void gort__fd_no_nowait(struct fd *d, uint32_t edge);

// The number was just given to a new file: forgets what it was.
gort__hidden void gort__fd_fresh(int fd, uint32_t flags);

// Between enter and leave: parks until an edge with one of events comes, unless one came after the
// one given. 0 (look again), -EBADF (closed meanwhile), -EPERM (epoll refuses it), -ECANCELED, -ETIMEDOUT,
// another error of epoll.
gort__hidden int gort__fd_wait(struct fd *d, int fd, struct g *g, uint32_t events, uint32_t edge,
			       int64_t deadline);

#endif
