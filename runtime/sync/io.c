// SPDX-License-Identifier: MIT
// Reading and writing that parks instead of blocking. System calls are made outside the runtime, so
// that sysmon can take the P if one blocks after all; the usual read and write touch nothing else.
#include "runtime/gort.h"
#include "runtime/base/sigpipe.h"
#include "runtime/sched/heap.h"
#include "runtime/sync/fd.h"

#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef RWF_NOSIGNAL
#define RWF_NOSIGNAL 0x100
#endif

enum {
	FEW = 8, // pieces of a vector that are copied to the stack
	RETRY = 1000 * 1000, // ns until what gives no event is tried again
};

// ---- one attempt --------------------------------------------------------------------------------

// What is to be done to a descriptor, once and again until it is done.
struct io {
	int fd;
	uint32_t events; // POLLIN or POLLOUT
	int64_t deadline;
	const char *who;
	// Tries. nowait: it must not block; else it may. -1 and errno on failure.
	ssize_t (*call)(struct io *io, uint32_t flags, bool nowait);
	union {
		struct {
			struct iovec *iov;
			int n;
		};
		struct msghdr *msg;
		struct {
			struct sockaddr *addr;
			unsigned *len;
		};
	};
	int flags; // of the message
	size_t size; // of a read's buffer; 0 when a short one says nothing
};

static ssize_t call_readv(struct io *io, uint32_t flags, bool nowait)
{
	if (flags & FD_SOCKET && io->n == 1)
		return recv(io->fd, io->iov->iov_base, io->iov->iov_len, nowait ? MSG_DONTWAIT : 0);
	if (!nowait || flags & FD_NONBLOCK)
		return io->n == 1 ? read(io->fd, io->iov->iov_base, io->iov->iov_len)
				  : readv(io->fd, io->iov, io->n);
	return preadv2(io->fd, io->iov, io->n, -1, RWF_NOWAIT);
}

// A write that raises no SIGPIPE: the kernel is told so, or the signal is taken away again.
static ssize_t write_quietly(const struct io *io, int how)
{
	static bool refused; // RWF_NOSIGNAL, by a kernel before 6.18
	struct gort__sigpipe held;
	ssize_t n;
	int err;

// TSan knows what write(2) orders, and not that pwritev2(2) does.
#ifndef GORT__TSAN
	if (!gort__load(&refused)) {
		n = pwritev2(io->fd, io->iov, io->n, -1, how | RWF_NOSIGNAL);
		if (n >= 0 || errno != EOPNOTSUPP)
			return n;
	}
#endif
	gort__sigpipe_hold(&held);
	n = how ? pwritev2(io->fd, io->iov, io->n, -1, how) : writev(io->fd, io->iov, io->n);
	err = errno;
	gort__sigpipe_release(&held);
	// Else it is the other flag that is refused.
	if (n >= 0 || err != EOPNOTSUPP)
		gort__store(&refused, true);
	errno = err;
	return n;
}

static ssize_t call_writev(struct io *io, uint32_t flags, bool nowait)
{
	int how = MSG_NOSIGNAL | (nowait ? MSG_DONTWAIT : 0);
	struct msghdr msg = { .msg_iov = io->iov, .msg_iovlen = (size_t)io->n };

	if (flags & FD_SOCKET)
		return io->n == 1 ? send(io->fd, io->iov->iov_base, io->iov->iov_len, how)
				  : sendmsg(io->fd, &msg, how);
	// What epoll refuses is neither a pipe nor a socket.
	if (flags & FD_DIRECT)
		return writev(io->fd, io->iov, io->n);
	return write_quietly(io, nowait && !(flags & FD_NONBLOCK) ? RWF_NOWAIT : 0);
}

static ssize_t call_recvmsg(struct io *io, uint32_t flags, bool nowait)
{
	(void)flags;
	return recvmsg(io->fd, io->msg, io->flags | (nowait ? MSG_DONTWAIT : 0));
}

static ssize_t call_sendmsg(struct io *io, uint32_t flags, bool nowait)
{
	(void)flags;
	return sendmsg(io->fd, io->msg, io->flags | MSG_NOSIGNAL | (nowait ? MSG_DONTWAIT : 0));
}

static ssize_t call_accept(struct io *io, uint32_t flags, bool nowait)
{
	int fd = accept4(io->fd, io->addr, io->len, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)nowait;
	if (fd >= 0)
		gort__fd_fresh(fd, FD_NONBLOCK | (flags & (FD_SOCKET | FD_DRAINS)));
	return fd;
}

// ---- until it is done ---------------------------------------------------------------------------

// What every call begins with. 0 or -ECANCELED; does not return where there is no goroutine.
static int begin(const char *who)
{
	struct g *g = gort__quick();

	if (gort__unlikely(!g)) {
		g = gort__enter(who);
		gort__leave();
	}
	return gort__unlikely(gort__cancelled(g)) ? -ECANCELED : 0;
}

static int wait_for(struct fd *d, int fd, uint32_t events, uint32_t edge, int64_t deadline,
		    const char *who)
{
	struct g *g = gort__enter(who);
	int ret = gort__fd_wait(d, fd, g, events, edge, deadline);

	gort__leave();
	return ret;
}

static bool ready_now(int fd, uint32_t events)
{
	struct pollfd p = { .fd = fd, .events = (short)events };
	int n;

	do {
		n = poll(&p, 1, 0);
	} while (n < 0 && errno == EINTR);
	return n > 0;
}

// What epoll refuses, and numbers beyond the table.
static ssize_t run_direct(struct io *io, uint32_t flags)
{
	ssize_t n;

	do {
		n = io->call(io, flags, false);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

// One use of fd: what one blocking system call would have given.
static ssize_t run(struct io *io)
{
	struct fd *d = gort__fd(io->fd);
	int ret = begin(io->who);
	uint32_t flags, edge;
	ssize_t n;

	if (ret)
		return ret;
	if (gort__unlikely(!d))
		return io->fd < 0 ? -EBADF : run_direct(io, 0);
	for (;;) {
		// In this order: an edge that takes a flag away is counted after it did.
		edge = gort__load_acquire(&d->edges);
		flags = gort__load_acquire(&d->flags);
		if (gort__unlikely(!(flags & FD_KNOWN))) {
			ret = gort__fd_learn(d, io->fd);
			if (ret)
				return ret;
			continue;
		}
		if (flags & FD_DIRECT)
			return run_direct(io, flags);
		// Who asks without waiting is told what is now, not what the poller saw last.
		if (io->events & POLLIN && gort__load(&d->dry) == edge && io->deadline)
			goto wait;
		// What cannot be told not to block is asked first. It may block all the same, if
		// another was faster.
		bool nowait = !(flags & FD_NO_NOWAIT);
		if (io->call == call_accept && !(flags & FD_NONBLOCK))
			nowait = false;
		if (!nowait && !ready_now(io->fd, io->events))
			goto wait;
		n = io->call(io, flags, nowait);
		if (gort__likely(n >= 0)) {
			if (flags & FD_DRAINS && (size_t)n < io->size && n > 0)
				gort__store(&d->dry, edge);
			return n;
		}
		switch (errno) {
		case EINTR:
		case ECONNABORTED: // of an accept: that connection is gone, not the listener
			if (errno == EINTR || io->call == call_accept)
				continue;
			return -ECONNABORTED;
		case EAGAIN: break;
		case EOPNOTSUPP:
			if (nowait && !(flags & (FD_SOCKET | FD_NONBLOCK))) {
				gort__fd_no_nowait(d, edge);
				continue;
			}
			// Fall through.
		default: return -errno;
		}
		if (io->events & POLLIN)
			gort__store(&d->dry, edge);
	wait:
		ret = wait_for(d, io->fd, io->events, edge, io->deadline, io->who);
		// -EPERM: from now on it is direct.
		if (ret && ret != -EPERM)
			return ret;
	}
}

// ---- reading and writing ------------------------------------------------------------------------

static ssize_t do_readv(int fd, struct iovec *iov, int n, int64_t deadline, const char *who)
{
	struct io io = {
		.fd = fd,
		.events = POLLIN,
		.deadline = deadline,
		.who = who,
		.call = call_readv,
		.iov = iov,
		.n = n,
		.size = n == 1 ? iov->iov_len : 0,
	};

	return run(&io);
}

ssize_t gort_read(int fd, void *buf, size_t n)
{
	return do_readv(fd, &(struct iovec){ buf, n }, 1, GORT_FOREVER, __func__);
}

ssize_t gort_read_until(int fd, void *buf, size_t n, int64_t deadline)
{
	return do_readv(fd, &(struct iovec){ buf, n }, 1, deadline, __func__);
}

ssize_t gort_readv(int fd, const struct iovec *iov, int n)
{
	return do_readv(fd, (struct iovec *)iov, n, GORT_FOREVER, __func__);
}

// Moves past n bytes that were written. False when that was all.
static bool advance(struct iovec **iov, int *left, size_t n)
{
	while (*left && n >= (*iov)->iov_len) {
		n -= (*iov)->iov_len;
		(*iov)++;
		(*left)--;
	}
	if (!*left)
		return false;
	(*iov)->iov_base = (char *)(*iov)->iov_base + n;
	(*iov)->iov_len -= n;
	return true;
}

// Everything, as a blocking write would: the count, which is short only when an error followed.
static ssize_t write_all(struct io *io)
{
	size_t done = 0;
	ssize_t n;

	for (;;) {
		n = run(io);
		if (n < 0)
			return done ? (ssize_t)done : n;
		done += (size_t)n;
		if (!advance(&io->iov, &io->n, (size_t)n) || n == 0)
			return (ssize_t)done;
	}
}

static ssize_t do_write(int fd, const void *buf, size_t n, int64_t deadline, const char *who)
{
	struct iovec iov = { (void *)buf, n };
	struct io io = {
		.fd = fd,
		.events = POLLOUT,
		.deadline = deadline,
		.who = who,
		.call = call_writev,
		.iov = &iov,
		.n = 1,
	};

	return write_all(&io);
}

ssize_t gort_write(int fd, const void *buf, size_t n)
{
	return do_write(fd, buf, n, GORT_FOREVER, __func__);
}

ssize_t gort_write_until(int fd, const void *buf, size_t n, int64_t deadline)
{
	return do_write(fd, buf, n, deadline, __func__);
}

// A copy that may be advanced; few fit in the caller's.
static struct iovec *copy_iov(const struct iovec *iov, size_t n, struct iovec *few)
{
	struct iovec *copy = n <= FEW ? few : gort__malloc(n * sizeof(*copy));

	if (copy)
		memcpy(copy, iov, n * sizeof(*copy));
	return copy;
}

ssize_t gort_writev(int fd, const struct iovec *iov, int n)
{
	struct iovec few[FEW], *copy;
	struct io io = {
		.fd = fd,
		.events = POLLOUT,
		.deadline = GORT_FOREVER,
		.who = __func__,
		.call = call_writev,
		.n = n,
	};
	ssize_t ret;

	if (n < 0 || n > IOV_MAX)
		return -EINVAL;
	copy = io.iov = copy_iov(iov, (size_t)n, few);
	if (!copy)
		return -ENOMEM;
	ret = write_all(&io);
	if (copy != few)
		gort__free(copy);
	return ret;
}

// ---- messages -----------------------------------------------------------------------------------

static uint32_t recv_events(int flags)
{
	if (flags & MSG_ERRQUEUE)
		return POLLERR;
	return flags & MSG_OOB ? POLLPRI : POLLIN;
}

// The rest of a MSG_WAITALL: as much more as the buffers hold, unless the stream ends or fails.
static ssize_t recv_rest(int fd, const struct msghdr *msg, size_t done, int64_t deadline)
{
	struct iovec few[FEW], *iov, *copy;
	int n = (int)msg->msg_iovlen;
	size_t got = done;

	copy = iov = copy_iov(msg->msg_iov, msg->msg_iovlen, few);
	if (!copy)
		return (ssize_t)done;
	while (advance(&iov, &n, got)) {
		ssize_t ret = do_readv(fd, iov, n, deadline, "gort_recvmsg");
		if (ret <= 0)
			break;
		got = (size_t)ret;
		done += got;
	}
	if (copy != few)
		gort__free(copy);
	return (ssize_t)done;
}

ssize_t gort_recvmsg_until(int fd, struct msghdr *msg, int flags, int64_t deadline)
{
	struct io io = {
		.fd = fd,
		.events = recv_events(flags),
		.deadline = flags & MSG_DONTWAIT ? 0 : deadline,
		.who = __func__,
		.call = call_recvmsg,
		.msg = msg,
		.flags = flags,
	};
	ssize_t n = run(&io);
	int type;
	socklen_t len = sizeof(type);

	if (n > 0 && (flags & (MSG_WAITALL | MSG_PEEK | MSG_DONTWAIT)) == MSG_WAITALL &&
	    !getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) && type == SOCK_STREAM)
		n = recv_rest(fd, msg, (size_t)n, deadline);
	return n;
}

ssize_t gort_recvmsg(int fd, struct msghdr *msg, int flags)
{
	return gort_recvmsg_until(fd, msg, flags, GORT_FOREVER);
}

ssize_t gort_sendmsg_until(int fd, const struct msghdr *msg, int flags, int64_t deadline)
{
	struct iovec few[FEW], *copy;
	struct msghdr rest = *msg;
	struct io io = {
		.fd = fd,
		.events = POLLOUT,
		.deadline = flags & MSG_DONTWAIT ? 0 : deadline,
		.who = __func__,
		.call = call_sendmsg,
		.msg = &rest,
		.flags = flags,
	};
	size_t done = 0;
	ssize_t n;

	if (msg->msg_iovlen > IOV_MAX)
		return -EMSGSIZE;
	copy = rest.msg_iov = copy_iov(msg->msg_iov, msg->msg_iovlen, few);
	if (!copy)
		return -ENOMEM;
	for (;;) {
		int left = (int)rest.msg_iovlen;
		n = run(&io);
		if (n < 0)
			break;
		done += (size_t)n;
		bool more = advance(&rest.msg_iov, &left, (size_t)n);
		rest.msg_iovlen = (size_t)left;
		// What went along with the first byte goes once.
		rest.msg_control = NULL;
		rest.msg_controllen = 0;
		if (!more || n == 0)
			break;
	}
	if (copy != few)
		gort__free(copy);
	return done || n >= 0 ? (ssize_t)done : n;
}

ssize_t gort_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	return gort_sendmsg_until(fd, msg, flags, GORT_FOREVER);
}

// ---- connections --------------------------------------------------------------------------------

int gort_accept_until(int fd, struct sockaddr *addr, unsigned *len, int64_t deadline)
{
	struct io io = {
		.fd = fd,
		.events = POLLIN,
		.deadline = deadline,
		.who = __func__,
		.call = call_accept,
		.addr = addr,
		.len = len,
	};

	return (int)run(&io);
}

int gort_accept(int fd, struct sockaddr *addr, unsigned *len)
{
	return gort_accept_until(fd, addr, len, GORT_FOREVER);
}

static int pending_error(int fd)
{
	int err = 0;
	socklen_t len = sizeof(err);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) ? -errno : -err;
}

// A socket in blocking mode, which is not ours to change: but how long it blocks can be put back.
static int connect_briefly(int fd, const struct sockaddr *addr, unsigned len)
{
	struct timeval old, brief = { .tv_usec = 1 };
	socklen_t size = sizeof(old);
	int ret;

	if (getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &old, &size) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &brief, sizeof(brief)))
		return -errno;
	ret = connect(fd, addr, len) ? -errno : 0;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &old, sizeof(old));
	return ret;
}

int gort_connect_until(int fd, const struct sockaddr *addr, unsigned len, int64_t deadline)
{
	struct fd *d = gort__fd(fd);
	int ret = begin(__func__);
	uint32_t edge;

	if (ret)
		return ret;
	if (!d)
		return -EBADF;
	if (!(gort__load_acquire(&d->flags) & FD_KNOWN)) {
		ret = gort__fd_learn(d, fd);
		if (ret)
			return ret;
	}
	for (;;) {
		edge = gort__load_acquire(&d->edges);
		if (gort__load(&d->flags) & FD_NONBLOCK)
			ret = connect(fd, addr, len) ? -errno : 0;
		else
			ret = connect_briefly(fd, addr, len);
		if (ret != -EAGAIN)
			break;
		// A local listener's queue is full, and no event will say when it no longer is.
		int64_t now = gort_now();
		if (now >= deadline)
			return -ETIMEDOUT;
		ret = gort_sleep(deadline - now < RETRY ? deadline - now : RETRY);
		if (ret)
			return ret;
	}
	if (ret != -EINPROGRESS && ret != -EINTR)
		return ret;
	for (;;) {
		ret = wait_for(d, fd, POLLOUT, edge, deadline, __func__);
		if (ret)
			return ret;
		edge = gort__load_acquire(&d->edges);
		ret = pending_error(fd);
		if (ret || ready_now(fd, POLLOUT))
			return ret;
	}
}

int gort_connect(int fd, const struct sockaddr *addr, unsigned len)
{
	return gort_connect_until(fd, addr, len, GORT_FOREVER);
}

int gort_socket(int domain, int type, int protocol)
{
	bool drains = (type & 0xf) == SOCK_STREAM && (domain == AF_INET || domain == AF_INET6);
	int fd = socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		return -errno;
	gort__fd_fresh(fd, FD_NONBLOCK | FD_SOCKET | (drains ? FD_DRAINS : 0));
	return fd;
}

int gort_pipe(int fds[2])
{
	if (pipe2(fds, O_NONBLOCK | O_CLOEXEC))
		return -errno;
	gort__fd_fresh(fds[0], FD_NONBLOCK);
	gort__fd_fresh(fds[1], FD_NONBLOCK);
	return 0;
}

// ---- waiting only -------------------------------------------------------------------------------

int gort_wait_fd(int fd, short events, int64_t deadline)
{
	struct fd *d = gort__fd(fd);
	int ret = deadline ? begin(__func__) : 0;

	if (ret)
		return ret;
	if (!d)
		return -EBADF;
	for (;;) {
		struct pollfd p = { .fd = fd, .events = events };
		uint32_t edge;

		if (!(gort__load_acquire(&d->flags) & FD_KNOWN)) {
			ret = gort__fd_learn(d, fd);
			if (ret)
				return ret;
		}
		edge = gort__load_acquire(&d->edges);
		int n = poll(&p, 1, 0);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			return p.revents & POLLNVAL ? -EBADF : p.revents;
		if (n < 0)
			continue;
		// Any edge: the events asked for may have several names.
		ret = wait_for(d, fd, ~0u, edge, deadline, __func__);
		if (ret)
			return ret;
	}
}

// ---- names --------------------------------------------------------------------------------------

struct lookup {
	const char *node, *service;
	const struct addrinfo *hints;
	struct addrinfo **res;
	int ret, err;
};

static void look_up(void *arg)
{
	struct lookup *l = arg;

	l->ret = getaddrinfo(l->node, l->service, l->hints, l->res);
	l->err = errno;
}

int gort_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		     struct addrinfo **res)
{
	struct lookup l = { node, service, hints, res, 0, 0 };

	gort_blocking(look_up, &l);
	errno = l.err;
	return l.ret;
}
