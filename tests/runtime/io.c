// SPDX-License-Identifier: MIT
// Parking I/O: pipes, sockets, files, foreign descriptors, deadlines, cancels, closing under
// waiters, reused numbers.
#include "tests/runtime/sync.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

struct io {
	int fd, other;
	char buf[64];
	size_t n;
	ssize_t ret;
	int64_t deadline;
	atomic_bool done;
};

static void reader(void *arg)
{
	struct io *io = arg;

	io->ret = gort_read_until(io->fd, io->buf, sizeof(io->buf), io->deadline);
	atomic_store(&io->done, true);
}

static struct io *start_reader(struct io *io, int fd, uint64_t *id)
{
	*io = (struct io){ .fd = fd, .deadline = GORT_FOREVER };
	uint64_t it = gort_go(reader, io);
	if (id)
		*id = it;
	until_in(it, "IO wait");
	return io;
}

static void pair(int fds[2], int type)
{
	expect_eq(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds), 0);
}

// A connected TCP pair; the first end was accepted.
static void tcp_pair(int fds[2])
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int l = gort_socket(AF_INET, SOCK_STREAM, 0);

	expect(l >= 0 && !bind(l, (void *)&a, sizeof(a)) && !listen(l, 8));
	expect(!getsockname(l, (void *)&a, &len));
	fds[1] = gort_socket(AF_INET, SOCK_STREAM, 0);
	expect_eq(gort_connect(fds[1], (void *)&a, sizeof(a)), 0);
	fds[0] = gort_accept(l, NULL, NULL);
	expect(fds[0] >= 0);
	expect(fcntl(fds[0], F_GETFL) & O_NONBLOCK && fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
	expect_eq(gort_fd_close(l), 0);
}

static void close_pair(int fds[2])
{
	expect_eq(gort_fd_close(fds[0]), 0);
	expect_eq(gort_fd_close(fds[1]), 0);
}

static void pipes_park(void)
{
	struct io io;
	int fds[2];

	expect_eq(gort_pipe(fds), 0);
	start_reader(&io, fds[0], NULL);
	expect_eq(gort_write(fds[1], "hello", 5), 5);
	until(io.done);
	expect(io.ret == 5 && !memcmp(io.buf, "hello", 5));
	start_reader(&io, fds[0], NULL);
	expect_eq(gort_fd_close(fds[1]), 0);
	until(io.done);
	expect_eq(io.ret, 0);
	expect_eq(gort_fd_close(fds[0]), 0);
	expect_eq(gort_read(fds[0], io.buf, 1), -EBADF);
	expect_eq(gort_read(-1, io.buf, 1), -EBADF);
	expect_eq(gort_write(-1, io.buf, 1), -EBADF);
	expect_eq(gort_wait_fd(-1, POLLIN, 0), -EBADF);
	expect_eq(gort_fd_close(-1), -EBADF);
	expect_eq(gort_fd_forget(fds[0]), -ENOENT);
}

// The mode of descriptors that are not ours stays, and they park all the same.
static void foreign_descriptors_park(void)
{
	struct io io;
	int fds[2];

	for (int kind = 0; kind < 2; kind++) {
		if (kind)
			pair(fds, SOCK_STREAM);
		else
			expect_eq(pipe2(fds, O_CLOEXEC), 0);
		for (int i = 0; i < 3; i++) {
			start_reader(&io, fds[0], NULL);
			expect_eq(gort_write(fds[1], "x", 1), 1);
			until(io.done);
			expect_eq(io.ret, 1);
		}
		expect(!(fcntl(fds[0], F_GETFL) & O_NONBLOCK));
		expect(!(fcntl(fds[1], F_GETFL) & O_NONBLOCK));
		expect_eq(gort_read_until(fds[0], io.buf, 1, gort_now() + MS), -ETIMEDOUT);
		close_pair(fds);
	}
}

enum { BIG = 1 << 20 };

static void big_writer(void *arg)
{
	struct io *io = arg;
	char *data = malloc(BIG);

	for (int i = 0; i < BIG; i++)
		data[i] = (char)(i * 31 >> 3);
	if (io->n) {
		struct iovec iov[12];
		for (int i = 0; i < 12; i++)
			iov[i] = (struct iovec){ data + BIG / 12 * i, BIG / 12 };
		iov[11].iov_len = BIG - BIG / 12 * 11;
		io->ret = gort_writev(io->fd, iov, 12);
	} else {
		io->ret = gort_write(io->fd, data, BIG);
	}
	free(data);
	atomic_store(&io->done, true);
}

static void writes_are_whole(void)
{
	static char buf[10007];

	for (int kind = 0; kind < 6; kind++) {
		struct io io = { .n = kind % 2 };
		int fds[2];
		long at = 0, bad = 0;
		switch (kind / 2) {
		case 0: expect_eq(gort_pipe(fds), 0); break;
		case 1: expect_eq(pipe(fds), 0); break;
		default: tcp_pair(fds);
		}
		io.fd = fds[1];
		gort_go(big_writer, &io);
		while (at < BIG) {
			ssize_t n = gort_read(fds[0], buf, sizeof(buf));
			if (n <= 0) {
				expect_eq(n, 1);
				break;
			}
			for (ssize_t i = 0; i < n; i++, at++)
				bad += buf[i] != (char)(at * 31 >> 3);
		}
		until(io.done);
		expect_eq(io.ret, BIG);
		expect_eq(bad, 0);
		close_pair(fds);
	}
}

static void deadlines_and_cancels(void)
{
	struct io io;
	uint64_t id;
	int fds[2];
	int64_t t;

	tcp_pair(fds);
	t = gort_now() + 2 * MS;
	expect_eq(gort_read_until(fds[0], io.buf, 1, t), -ETIMEDOUT);
	expect(gort_now() >= t);
	expect_eq(gort_read_until(fds[0], io.buf, 1, 0), -ETIMEDOUT);
	expect_eq(gort_wait_fd(fds[0], POLLIN, gort_now() + MS), -ETIMEDOUT);
	expect_eq(gort_wait_fd(fds[0], POLLIN, 0), -ETIMEDOUT);
	expect_eq(gort_wait_fd(fds[0], POLLIN | POLLOUT, GORT_FOREVER), POLLOUT);
	start_reader(&io, fds[0], &id);
	expect_eq(gort_cancel(id), 0);
	until(io.done);
	expect_eq(io.ret, -ECANCELED);
	// The bytes that come later are for the next.
	expect_eq(gort_write(fds[1], "ab", 2), 2);
	expect_eq(gort_read(fds[0], io.buf, 1), 1);
	expect_eq(gort_wait_fd(fds[0], POLLIN, GORT_FOREVER), POLLIN);
	expect_eq(gort_read(fds[0], io.buf, 9), 1);
	gort_cancel(gort_id());
	expect_eq(gort_read(fds[0], io.buf, 1), -ECANCELED);
	expect_eq(gort_write(fds[1], "x", 1), -ECANCELED);
	expect_eq(gort_accept(fds[0], NULL, NULL), -ECANCELED);
	expect_eq(gort_wait_fd(fds[0], POLLIN, GORT_FOREVER), -ECANCELED);
	gort_cancel_clear();
	close_pair(fds);
}

static void close_wakes_waiters(void)
{
	struct io io[3];
	int fds[2];

	tcp_pair(fds);
	for (int i = 0; i < 3; i++)
		start_reader(&io[i], fds[0], NULL);
	expect_eq(gort_fd_close(fds[0]), 0);
	for (int i = 0; i < 3; i++) {
		until(io[i].done);
		expect_eq(io[i].ret, -EBADF);
	}
	expect_eq(gort_fd_close(fds[1]), 0);
}

// A number that was closed behind the library's back comes again as another file.
static void reused_numbers(void)
{
	struct io io;
	int fds[2], again[2];

	expect_eq(gort_pipe(fds), 0);
	start_reader(&io, fds[0], NULL);
	expect_eq(gort_write(fds[1], "x", 1), 1);
	until(io.done);
	close(fds[0]);
	expect_eq(gort_fd_forget(fds[0]), 0);
	expect_eq(gort_fd_forget(fds[0]), -ENOENT);
	expect_eq(pipe(again), 0);
	expect_eq(again[0], fds[0]);
	start_reader(&io, again[0], NULL);
	expect_eq(gort_write(again[1], "y", 1), 1);
	until(io.done);
	expect(io.ret == 1 && io.buf[0] == 'y');
	// Through the library no word is needed.
	close(again[0]);
	int s[2];
	expect_eq(gort_pipe(s), 0);
	expect_eq(s[0], fds[0]);
	start_reader(&io, s[0], NULL);
	expect_eq(gort_write(s[1], "z", 1), 1);
	until(io.done);
	expect(io.ret == 1 && io.buf[0] == 'z');
	gort_fd_close(again[1]);
	gort_fd_close(fds[1]);
	close_pair(s);
}

// A duplicate keeps the old file open: its events must not be taken for the new one's.
static void duplicates_do_not_confuse(void)
{
	struct io io;
	int fds[2], s[2], copy;

	expect_eq(gort_pipe(fds), 0);
	start_reader(&io, fds[0], NULL);
	expect_eq(gort_write(fds[1], "x", 1), 1);
	until(io.done);
	copy = dup(fds[0]);
	expect_eq(gort_fd_close(fds[0]), 0);
	expect_eq(gort_pipe(s), 0);
	expect_eq(s[0], fds[0]);
	start_reader(&io, s[0], NULL);
	expect_eq(gort_write(fds[1], "old", 3), 3);
	for (int i = 0; i < 100; i++)
		gort_yield();
	expect(!io.done);
	expect_eq(gort_write(s[1], "new", 3), 3);
	until(io.done);
	expect(io.ret == 3 && !memcmp(io.buf, "new", 3));
	close(copy);
	gort_fd_close(fds[1]);
	close_pair(s);
}

// Data and the end of the stream arrive together, and only one edge with them.
static void the_end_is_seen(void)
{
	for (int i = 0; i < 200; i++) {
		struct io io;
		int fds[2];

		tcp_pair(fds);
		if (i % 2)
			start_reader(&io, fds[0], NULL);
		else
			io = (struct io){ .done = true };
		expect_eq(gort_write(fds[1], "last", 4), 4);
		if (i % 3)
			shutdown(fds[1], SHUT_WR);
		else
			expect_eq(gort_fd_close(fds[1]), 0);
		until(io.done);
		if (i % 2)
			expect_eq(io.ret, 4);
		else
			expect_eq(gort_read(fds[0], io.buf, sizeof(io.buf)), 4);
		expect_eq(gort_read(fds[0], io.buf, sizeof(io.buf)), 0);
		expect_eq(gort_read(fds[0], io.buf, sizeof(io.buf)), 0);
		expect_eq(gort_fd_close(fds[0]), 0);
		if (i % 3)
			expect_eq(gort_fd_close(fds[1]), 0);
	}
}

static void datagrams_stay_apart(void)
{
	char buf[16];
	int fds[2];

	pair(fds, SOCK_DGRAM);
	expect_eq(gort_write(fds[1], "one", 3), 3);
	expect_eq(gort_write(fds[1], "three", 5), 5);
	expect_eq(gort_read(fds[0], buf, sizeof(buf)), 3);
	expect_eq(gort_read(fds[0], buf, sizeof(buf)), 5);
	expect_eq(gort_read_until(fds[0], buf, sizeof(buf), gort_now() + MS), -ETIMEDOUT);
	close_pair(fds);
}

static void messages_carry_descriptors(void)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char buf[8] = "";
	struct iovec iov = { "fd", 2 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	int fds[2], p[2], got;

	pair(fds, SOCK_STREAM);
	expect_eq(gort_pipe(p), 0);
	control.h = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
				      .cmsg_level = SOL_SOCKET,
				      .cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(&control.h), &p[1], sizeof(int));
	expect_eq(gort_sendmsg(fds[1], &msg, 0), 2);
	memset(&control, 0, sizeof(control));
	iov = (struct iovec){ buf, sizeof(buf) };
	expect_eq(gort_recvmsg(fds[0], &msg, 0), 2);
	memcpy(&got, CMSG_DATA(&control.h), sizeof(int));
	expect_eq(gort_write(got, "!", 1), 1);
	expect_eq(gort_read(p[0], buf, 1), 1);
	expect_eq(gort_recvmsg_until(fds[0], &msg, 0, gort_now() + MS), -ETIMEDOUT);
	expect_eq(gort_recvmsg(fds[0], &msg, MSG_DONTWAIT), -ETIMEDOUT);
	gort_fd_close(got);
	close_pair(p);
	close_pair(fds);
}

static void wait_all(void *arg)
{
	struct io *io = arg;
	struct iovec iov[2] = { { io->buf, 3 }, { io->buf + 3, 5 } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

	io->ret = gort_recvmsg(io->fd, &msg, MSG_WAITALL);
	atomic_store(&io->done, true);
}

static void wait_all_waits(void)
{
	int fds[2];

	tcp_pair(fds);
	struct io io = { .fd = fds[0] };
	uint64_t id = gort_go(wait_all, &io);
	for (int i = 0; i < 8; i++) {
		until_in(id, "IO wait");
		expect(!io.done);
		expect_eq(gort_write(fds[1], "12345678" + i, 1), 1);
	}
	until(io.done);
	expect(io.ret == 8 && !memcmp(io.buf, "12345678", 8));
	close_pair(fds);
}

static void files_are_direct(void)
{
	char name[] = "/tmp/gort-io-XXXXXX", buf[16];
	struct iovec iov[2] = { { buf, 2 }, { buf + 2, 14 } };
	int fd = mkstemp(name);

	expect_eq(gort_write(fd, "content", 7), 7);
	expect_eq(lseek(fd, 0, SEEK_SET), 0);
	expect_eq(gort_readv(fd, iov, 2), 7);
	expect(!memcmp(buf, "content", 7));
	expect_eq(gort_read(fd, buf, sizeof(buf)), 0);
	expect_eq(gort_wait_fd(fd, POLLIN, GORT_FOREVER), POLLIN);
	expect_eq(gort_fd_close(fd), 0);
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	expect_eq(gort_write(fd, "x", 1), 1);
	expect_eq(gort_read(fd, buf, 1), 0);
	expect_eq(gort_fd_close(fd), 0);
	unlink(name);
}

static void connects(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), c, s;
	struct timeval before = { 7, 0 }, after = { 0 };

	expect(!bind(l, (void *)&a, sizeof(a)) && !listen(l, 8));
	expect(!getsockname(l, (void *)&a, &len));
	// A listener and a socket in blocking mode: both stay in it.
	expect_eq(gort_accept_until(l, NULL, NULL, gort_now() + MS), -ETIMEDOUT);
	c = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	expect_eq(setsockopt(c, SOL_SOCKET, SO_SNDTIMEO, &before, sizeof(before)), 0);
	expect_eq(gort_connect(c, (void *)&a, sizeof(a)), 0);
	len = sizeof(after);
	expect_eq(getsockopt(c, SOL_SOCKET, SO_SNDTIMEO, &after, &len), 0);
	expect(after.tv_sec == 7 && !(fcntl(c, F_GETFL) & O_NONBLOCK));
	len = sizeof(a);
	struct sockaddr_in peer;
	s = gort_accept(l, (void *)&peer, &len);
	expect(s >= 0 && peer.sin_family == AF_INET && len == sizeof(peer));
	expect(!(fcntl(l, F_GETFL) & O_NONBLOCK));
	gort_fd_close(s);
	gort_fd_close(c);
	gort_fd_close(l);
	// Nobody listens there any more.
	c = gort_socket(AF_INET, SOCK_STREAM, 0);
	expect_eq(gort_connect(c, (void *)&a, sizeof(a)), -ECONNREFUSED);
	gort_fd_close(c);
	c = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	expect_eq(gort_connect(c, (void *)&a, sizeof(a)), -ECONNREFUSED);
	gort_fd_close(c);
}

static void names(void)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM },
			*res = NULL;

	expect_eq(gort_getaddrinfo("127.0.0.1", "80", &hints, &res), 0);
	expect(res && res->ai_family == AF_INET);
	freeaddrinfo(res);
	expect_eq(gort_getaddrinfo("not a number", NULL, &hints, &res), EAI_NONAME);
}

// Connections by the hundred, closed by either side at once with the last word.
static gort_wg wg;
static int listener;
static atomic_long echoed;

static void serve(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char buf[512];
	ssize_t n;

	while ((n = gort_read(fd, buf, sizeof(buf))) > 0)
		if (gort_write(fd, buf, (size_t)n) != n)
			break;
	expect_eq(n, 0);
	gort_fd_close(fd);
	gort_wg_done(&wg);
}

static void accept_loop(void *arg)
{
	int fd;

	(void)arg;
	while ((fd = gort_accept(listener, NULL, NULL)) >= 0)
		gort_go(serve, (void *)(intptr_t)fd);
	expect_eq(fd, -EBADF);
	gort_wg_done(&wg);
}

static void client(void *arg)
{
	struct sockaddr_in *a = arg;
	int fd = gort_socket(AF_INET, SOCK_STREAM, 0);
	char out[300], in[300];

	expect_eq(gort_connect(fd, (void *)a, sizeof(*a)), 0);
	for (int i = 0; i < 20; i++) {
		size_t n = (size_t)(1 + i * 15), got = 0;
		memset(out, 'a' + i, n);
		expect_eq(gort_write(fd, out, n), n);
		while (got < n) {
			ssize_t r = gort_read_until(fd, in + got, n - got, gort_now() + 60000 * MS);
			if (r <= 0) {
				expect_eq(r, 1);
				break;
			}
			got += (size_t)r;
		}
		expect(!memcmp(in, out, n));
		atomic_fetch_add(&echoed, 1);
	}
	gort_fd_close(fd);
	gort_wg_done(&wg);
}

static void many_connections(void)
{
	enum { N = 200 };
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);

	echoed = 0;
	listener = gort_socket(AF_INET, SOCK_STREAM, 0);
	expect(!bind(listener, (void *)&a, sizeof(a)) && !listen(listener, 512));
	expect(!getsockname(listener, (void *)&a, &len));
	gort_wg_add(&wg, 2 * N + 1);
	gort_go(accept_loop, NULL);
	for (int i = 0; i < N; i++)
		gort_go(client, &a);
	until(echoed == N * 20);
	gort_fd_close(listener);
	gort_wg_wait(&wg);
}

static const struct test tests[] = {
	TEST("pipes park and end", pipes_park),
	TEST("foreign descriptors park and keep their mode", foreign_descriptors_park),
	TEST("writes are whole", writes_are_whole),
	TEST("deadlines and cancels", deadlines_and_cancels),
	TEST("close wakes waiters", close_wakes_waiters),
	TEST("reused numbers", reused_numbers),
	TEST("duplicates do not confuse", duplicates_do_not_confuse),
	TEST("the end of a stream is seen", the_end_is_seen),
	TEST("datagrams stay apart", datagrams_stay_apart),
	TEST("messages carry descriptors", messages_carry_descriptors),
	TEST("MSG_WAITALL waits for all", wait_all_waits),
	TEST("files are read and written directly", files_are_direct),
	TEST("connects and is refused", connects),
	TEST("names are looked up", names),
	TEST("many connections", many_connections),
};

SYNC_MAIN(tests)
