// SPDX-License-Identifier: MIT
// Descriptor numbers that are closed, and perhaps used again, while others are about to use them;
// and writes that nobody reads. close, fcntl and pwritev2 are this program's, so that each window
// can be held open until the other one stands in it.
#include "tests/runtime/sync.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

// TSan knows of descriptors by the calls that this program has for itself.
#ifdef UNDER_TSAN
#define CASE(text, fn) SKIP(text, fn, "close is the test's own, and TSan must see it")
#else
#define CASE(text, fn) TEST(text, fn)
#endif

// ---- the windows --------------------------------------------------------------------------------

struct window {
	atomic_int fd; // whose close is held open; -1: none
	atomic_int stage;
	int next; // what gets the number when it is free; -1: nothing
};

enum { CLOSED = 0, ENTERED, LEAVE };

static struct window closing = { .fd = -1, .next = -1 }, learning = { .fd = -1 };
static atomic_bool old_kernel;

#ifndef UNDER_TSAN
static void hold(struct window *w)
{
	atomic_store(&w->fd, -1);
	atomic_store(&w->stage, ENTERED);
	while (atomic_load(&w->stage) != LEAVE)
		poll(NULL, 0, 1);
}

int close(int fd)
{
	bool held = fd >= 0 && fd == atomic_load(&closing.fd);
	long ret;

	if (held)
		hold(&closing);
	ret = syscall(SYS_close, fd);
	if (held && closing.next >= 0)
		syscall(SYS_dup3, closing.next, fd, O_CLOEXEC);
	return (int)ret;
}

int fcntl(int fd, int cmd, ...)
{
	va_list ap;
	long arg, ret;

	va_start(ap, cmd);
	arg = va_arg(ap, long);
	va_end(ap);
	ret = syscall(SYS_fcntl, fd, cmd, arg);
	if (cmd == F_GETFL && fd >= 0 && fd == atomic_load(&learning.fd))
		hold(&learning);
	return (int)ret;
}

ssize_t pwritev2(int fd, const struct iovec *iov, int n, off_t at, int flags)
{
	if (atomic_load(&old_kernel) && flags & ~RWF_NOWAIT) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return syscall(SYS_pwritev2, fd, iov, (long)n, (long)at, 0L, (long)flags);
}

#endif

static void open_window(struct window *w, int fd, int next)
{
	atomic_store(&w->stage, CLOSED);
	w->next = next;
	atomic_store(&w->fd, fd);
}

// ---- closing ------------------------------------------------------------------------------------

struct io {
	int fd;
	ssize_t ret;
	char buf[8];
	atomic_bool done;
};

static void closer(void *arg)
{
	struct io *io = arg;

	io->ret = gort_fd_close(io->fd);
	atomic_store(&io->done, true);
}

static void reader(void *arg)
{
	struct io *io = arg;

	io->ret = gort_read_until(io->fd, io->buf, sizeof(io->buf), gort_now() + 60000 * MS);
	atomic_store(&io->done, true);
}

static void waiter(void *arg)
{
	struct io *io = arg;

	io->ret = gort_wait_fd(io->fd, POLLIN, gort_now() + 60000 * MS);
	atomic_store(&io->done, true);
}

static void socket_pair(int fds[2])
{
	expect_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
}

// Somebody comes to wait between gort_fd_close's forgetting and its closing. known: it was used
// before.
static void comes_in_between(void (*use)(void *), bool known)
{
	struct io c = { 0 }, r = { 0 };
	int fds[2];
	uint64_t id;

	socket_pair(fds);
	if (known)
		expect_eq(gort_read_until(fds[0], r.buf, 1, gort_now() + 1), -ETIMEDOUT);
	c.fd = r.fd = fds[0];
	open_window(&closing, fds[0], -1);
	gort_go(closer, &c);
	until(atomic_load(&closing.stage) == ENTERED);
	id = gort_go(use, &r);
	until_in(id, "IO wait");
	atomic_store(&closing.stage, LEAVE);
	until(atomic_load(&c.done) && atomic_load(&r.done));
	expect_eq(c.ret, 0);
	expect_eq(r.ret, -EBADF);
	gort_fd_close(fds[1]);
}

static void who_comes_in_between_is_woken(void)
{
	for (int known = 0; known < 2; known++) {
		comes_in_between(reader, known);
		comes_in_between(waiter, known);
	}
}

// The same, and the number goes to another file before gort_fd_close has returned: whoever uses it
// then is told of that one's data.
static void a_reused_number_is_polled(void)
{
	struct io c = { 0 }, r = { 0 }, later = { 0 };
	int old[2], new[2];
	uint64_t id;

	socket_pair(old);
	socket_pair(new);
	c.fd = r.fd = later.fd = old[0];
	open_window(&closing, old[0], new[0]);
	gort_go(closer, &c);
	until(atomic_load(&closing.stage) == ENTERED);
	id = gort_go(reader, &r);
	until_in(id, "IO wait");
	atomic_store(&closing.stage, LEAVE);
	until(atomic_load(&c.done));
	// It asked for a number that is the new file's by now, as a read(2) that was late would.
	expect_eq(gort_write(new[1], "1", 1), 1);
	until(atomic_load(&r.done));
	expect_eq(r.ret, 1);
	id = gort_go(reader, &later);
	until_in(id, "IO wait");
	expect_eq(gort_write(new[1], "22", 2), 2);
	until(atomic_load(&later.done));
	expect_eq(later.ret, 2);
	gort_fd_close(old[0]);
	gort_fd_close(old[1]);
	gort_fd_close(new[0]);
	gort_fd_close(new[1]);
}

// Whoever looked at the old file does not say what the new one is: here a file, which never waits,
// and a socket that does not block.
static void what_was_learned_late_is_not_believed(void)
{
	struct io r = { 0 }, later = { 0 };
	enum { HIGH = 500 }; // which nobody is given who opens something meanwhile
	int fds[2], low = open(self_path(), O_RDONLY | O_CLOEXEC);
	int file = fcntl(low, F_DUPFD_CLOEXEC, HIGH);
	uint64_t id;

	expect_eq(close(low), 0);
	socket_pair(fds);
	expect_eq(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	r.fd = later.fd = file;
	open_window(&learning, file, -1);
	id = gort_go(reader, &r);
	until(atomic_load(&learning.stage) == ENTERED);
	expect_eq(gort_fd_close(file), 0);
	expect_eq(syscall(SYS_dup3, fds[0], file, O_CLOEXEC), file);
	atomic_store(&learning.stage, LEAVE);
	until_in(id, "IO wait");
	expect_eq(gort_write(fds[1], "1", 1), 1);
	until(atomic_load(&r.done));
	expect_eq(r.ret, 1);
	id = gort_go(reader, &later);
	until_in(id, "IO wait");
	expect_eq(gort_write(fds[1], "22", 2), 2);
	until(atomic_load(&later.done));
	expect_eq(later.ret, 2);
	gort_fd_close(file);
	gort_fd_close(fds[0]);
	gort_fd_close(fds[1]);
}

// ---- writes that nobody reads -------------------------------------------------------------------

static atomic_int raised;

static void on_sigpipe(int sig)
{
	(void)sig;
	atomic_fetch_add(&raised, 1);
}

static void every_write(int fd, bool socket, int want)
{
	struct iovec two[2] = { { "ab", 2 }, { "c", 1 } }, many[20];
	struct msghdr msg = { .msg_iov = two, .msg_iovlen = 2 };

	for (int i = 0; i < 20; i++)
		many[i] = two[i % 2];
	expect_eq(gort_write(fd, "x", 1), want);
	expect_eq(gort_write_until(fd, "x", 1, gort_now() + 1000 * MS), want);
	expect_eq(gort_writev(fd, two, 1), want);
	expect_eq(gort_writev(fd, two, 2), want);
	expect_eq(gort_writev(fd, many, 20), want);
	if (socket) {
		expect_eq(gort_sendmsg(fd, &msg, 0), want);
		expect_eq(gort_sendmsg_until(fd, &msg, MSG_DONTWAIT, gort_now() + MS), want);
	}
}

static void no_reader(void)
{
	int fds[2];

	for (int kind = 0; kind < 5; kind++) {
		switch (kind) {
		case 0: expect_eq(gort_pipe(fds), 0); break;
		case 1: expect_eq(pipe2(fds, O_CLOEXEC), 0); break;
		case 2: socket_pair(fds); break;
		case 3: expect_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0); break;
		case 4:
			socket_pair(fds);
			expect_eq(shutdown(fds[1], SHUT_WR), 0);
			break;
		}
		expect_eq(gort_fd_close(fds[0]), 0);
		every_write(fds[1], kind >= 2, -EPIPE);
		expect_eq(gort_fd_close(fds[1]), 0);
	}
}

static bool is_pending(void)
{
	sigset_t set;

	sigpending(&set);
	return sigismember(&set, SIGPIPE);
}

static void set_blocked(bool yes)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	pthread_sigmask(yes ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

static void writes_raise_no_sigpipe(void)
{
	struct sigaction counts = { .sa_handler = on_sigpipe, .sa_flags = SA_ONSTACK }, old;

	sigaction(SIGPIPE, &counts, &old);
	for (int i = 0; i < 2; i++) {
		atomic_store(&old_kernel, i);
		no_reader();
		expect_eq(atomic_load(&raised), 0);
		// Nor does one stay behind where it is blocked; and the program's own does.
		gort_lock_os_thread();
		set_blocked(true);
		no_reader();
		expect(!is_pending());
		raise(SIGPIPE);
		no_reader();
		expect(is_pending());
		set_blocked(false);
		gort_unlock_os_thread();
		expect_eq(atomic_exchange(&raised, 0), 1);
	}
	atomic_store(&old_kernel, false);
	sigaction(SIGPIPE, &old, NULL);
}

static void panics_unread(void)
{
	int fds[2];

	// What reads stderr has gone: the status is still that of a panic.
	if (pipe(fds) || write(STDERR_FILENO, "here\n", 5) != 5)
		_exit(1);
	close(fds[0]);
	dup2(fds[1], STDERR_FILENO);
	gort_panic("unread");
}

static const struct test tests[] = {
	CASE("who comes to wait while a number is closed is woken", who_comes_in_between_is_woken),
	CASE("a number that is used again meanwhile is polled", a_reused_number_is_polled),
	CASE("what was learned of its former file is not believed",
	     what_was_learned_late_is_not_believed),
	CASE("writes raise no SIGPIPE", writes_raise_no_sigpipe),
	DEATH("a report that nobody reads ends as any other", panics_unread, "here"),
};

SYNC_MAIN(tests)
