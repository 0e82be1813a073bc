// SPDX-License-Identifier: MIT
// Every call that parks: a cancel ends it, and the next one at once, until it is taken back.
#include "tests/runtime/sync.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { FULL = 1 << 16 };

static gort_chan *chan;
static gort_mutex mutex, condition_mutex;
static gort_rwmutex readers, writer;
static gort_cond cond;
static gort_wg wg;
static gort_sema sema;
static int empty[2], full[2], listener, backlog;
static struct sockaddr_in busy;
static char buf[FULL];

// ---- the calls ----------------------------------------------------------------------------------

static int sleeps(void)
{
	return gort_sleep(GORT_FOREVER);
}

static int parks(void)
{
	gort_park();
	return gort_canceled() ? -ECANCELED : 0;
}

static int sends(void)
{
	return gort_send(chan, NULL);
}

static int sends_until(void)
{
	return gort_send_until(chan, NULL, gort_now() + 3600000 * MS);
}

static int receives(void)
{
	return gort_recv(chan, NULL);
}

static int receives_until(void)
{
	return gort_recv_until(chan, NULL, gort_now() + 3600000 * MS);
}

static int receives_from_null(void)
{
	return gort_recv(NULL, NULL);
}

static int selects(void)
{
	struct gort_case cases[] = { { chan, GORT_SEND, NULL, 0 }, { chan, GORT_RECV, NULL, 0 } };

	return gort_select(cases + 1, 1, GORT_FOREVER);
}

static int selects_nothing(void)
{
	return gort_select(NULL, 0, GORT_FOREVER);
}

static int locks(void)
{
	return gort_mutex_lock_cancellable(&mutex);
}

static int locks_until(void)
{
	return gort_mutex_lock_until(&mutex, gort_now() + 3600000 * MS);
}

static int locks_to_read(void)
{
	return gort_rwmutex_rdlock_cancellable(&writer);
}

static int locks_to_write(void)
{
	return gort_rwmutex_lock_cancellable(&readers);
}

static int waits_for_condition(void)
{
	int ret;

	// It is still locked in the second round.
	if (!gort_canceled())
		gort_mutex_lock(&condition_mutex);
	ret = gort_cond_wait(&cond, &condition_mutex);
	if (gort_mutex_trylock(&condition_mutex) != -EBUSY)
		return 0;
	return ret;
}

static int waits_for_group(void)
{
	return gort_wg_wait(&wg);
}

static int acquires(void)
{
	return gort_sema_acquire_cancellable(&sema);
}

static int reads(void)
{
	return (int)gort_read(empty[0], buf, 1);
}

static int reads_vector(void)
{
	struct iovec iov = { buf, 1 };

	return (int)gort_readv(empty[0], &iov, 1);
}

static int receives_message(void)
{
	struct iovec iov = { buf, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	return (int)gort_recvmsg(empty[0], &msg, 0);
}

static int writes(void)
{
	return (int)gort_write(full[0], buf, 1);
}

static int writes_until(void)
{
	return (int)gort_write_until(full[0], buf, 1, gort_now() + 3600000 * MS);
}

static int writes_vector(void)
{
	struct iovec iov = { buf, 1 };

	return (int)gort_writev(full[0], &iov, 1);
}

static int sends_message(void)
{
	struct iovec iov = { buf, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	return (int)gort_sendmsg_until(full[0], &msg, 0, gort_now() + 3600000 * MS);
}

static int accepts(void)
{
	return gort_accept(listener, NULL, NULL);
}

static int connects(void)
{
	int fd = gort_socket(AF_INET, SOCK_STREAM, 0);
	int ret = gort_connect(fd, (void *)&busy, sizeof(busy));

	gort_fd_close(fd);
	return ret;
}

static int waits_for_descriptor(void)
{
	return gort_wait_fd(empty[0], POLLIN, GORT_FOREVER);
}

static const struct row {
	const char *name, *state;
	int (*call)(void);
} rows[] = {
	{ "sleep", "sleep", sleeps },
	{ "park", "park", parks },
	{ "send", "chan send", sends },
	{ "send_until", "chan send", sends_until },
	{ "recv", "chan receive", receives },
	{ "recv_until", "chan receive", receives_until },
	{ "recv from NULL", "chan null", receives_from_null },
	{ "select", "select", selects },
	{ "select of nothing", "select (no cases)", selects_nothing },
	{ "mutex_lock_cancellable", "mutex", locks },
	{ "mutex_lock_until", "mutex", locks_until },
	{ "rwmutex_rdlock_cancellable", "rwmutex read", locks_to_read },
	{ "rwmutex_lock_cancellable", "rwmutex write", locks_to_write },
	{ "cond_wait", "cond", waits_for_condition },
	{ "wg_wait", "wait group", waits_for_group },
	{ "sema_acquire_cancellable", "semaphore", acquires },
	{ "read", "IO wait", reads },
	{ "readv", "IO wait", reads_vector },
	{ "recvmsg", "IO wait", receives_message },
	{ "write", "IO wait", writes },
	{ "write_until", "IO wait", writes_until },
	{ "writev", "IO wait", writes_vector },
	{ "sendmsg_until", "IO wait", sends_message },
	{ "accept", "IO wait", accepts },
	{ "connect", "IO wait", connects },
	{ "wait_fd", "IO wait", waits_for_descriptor },
};

// ---- the test -----------------------------------------------------------------------------------

struct caller {
	const struct row *row;
	int first, second;
	bool sticks, cleared;
	atomic_bool done;
};

static void calls(void *arg)
{
	struct caller *c = arg;

	c->first = c->row->call();
	c->sticks = gort_canceled();
	c->second = c->row->call();
	gort_cancel_clear();
	c->cleared = !gort_canceled() && !gort_sleep(1);
	if (c->row->call == waits_for_condition)
		gort_mutex_unlock(&condition_mutex);
	atomic_store(&c->done, true);
}

static void set_up(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(busy);

	chan = gort_chan_make(0, 0);
	gort_mutex_lock(&mutex);
	gort_rwmutex_rdlock(&readers);
	gort_rwmutex_lock(&writer);
	gort_wg_add(&wg, 1);
	expect(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, empty));
	expect(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, full));
	while (send(full[0], buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
	struct iovec iov = { buf, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	expect_eq(gort_write_until(full[0], buf, 1, gort_now() + MS), -ETIMEDOUT);
	expect_eq(gort_sendmsg_until(full[0], &msg, 0, gort_now() + MS), -ETIMEDOUT);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	expect(!bind(listener, (void *)&any, sizeof(any)) && !listen(listener, 1));
	// One whose queue is full: who connects to it waits.
	backlog = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	expect(!bind(backlog, (void *)&any, sizeof(any)) && !listen(backlog, 0));
	expect(!getsockname(backlog, (void *)&busy, &len));
	do {
		int fd = gort_socket(AF_INET, SOCK_STREAM, 0);
		int ret = gort_connect_until(fd, (void *)&busy, sizeof(busy), gort_now() + 20 * MS);
		if (ret == -ETIMEDOUT) {
			gort_fd_close(fd);
			break;
		}
		expect_eq(ret, 0);
	} while (!sync_failed);
}

static void cancel_ends_every_call(void)
{
	set_up();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct caller c = { .row = &rows[i] };
		uint64_t id = gort_go(calls, &c);
		until_in(id, rows[i].state);
		expect_eq(gort_cancel(id), 0);
		until(atomic_load(&c.done));
		if (c.first != -ECANCELED || c.second != -ECANCELED || !c.sticks || !c.cleared) {
			fprintf(stderr, "%s: %d, then %d, %s, %s\n", rows[i].name, c.first,
				c.second, c.sticks ? "sticks" : "does not stick",
				c.cleared ? "taken back" : "not taken back");
			sync_failed = true;
		}
	}
	// Whoever gave up holds nothing.
	gort_mutex_unlock(&mutex);
	gort_rwmutex_rdunlock(&readers);
	gort_rwmutex_unlock(&writer);
	gort_wg_done(&wg);
	expect_eq(gort_mutex_trylock(&mutex), 0);
	expect_eq(gort_rwmutex_trylock(&readers), 0);
	expect_eq(gort_rwmutex_trylock(&writer), 0);
	expect_eq(gort_wg_wait(&wg), 0);
	expect_eq(gort_tryrecv(chan, NULL), -EAGAIN);
	expect_eq(gort_trysend(chan, NULL), -EAGAIN);
	gort_sema_release(&sema, 1);
	expect_eq(gort_sema_tryacquire(&sema), 0);
	gort_chan_release(chan);
}

static void runs_until_cancelled(void *arg)
{
	while (!gort_canceled())
		gort_yield();
	atomic_store((atomic_bool *)arg, true);
}

// It ends as soon as it sees the mark, which may be before its canceller looks at it again.
static void cancel_of_one_that_ends_by_it_succeeds(void)
{
	for (int i = 0; i < 2000; i++) {
		atomic_bool over = false;
		uint64_t id = gort_go(runs_until_cancelled, &over);

		expect_eq(gort_cancel(id), 0);
		until(atomic_load(&over));
	}
}

// ---- plain locking ------------------------------------------------------------------------------

static int locks_plainly(void)
{
	gort_mutex_lock(&mutex);
	return gort_mutex_trylock(&mutex);
}

static int locks_plainly_to_read(void)
{
	gort_rwmutex_rdlock(&writer);
	return gort_rwmutex_trylock(&writer);
}

static int locks_plainly_to_write(void)
{
	gort_rwmutex_lock(&readers);
	return gort_rwmutex_tryrdlock(&readers);
}

static int acquires_plainly(void)
{
	gort_sema_acquire(&sema);
	return gort_sema_tryacquire(&sema);
}

static void release_mutex(void)
{
	gort_mutex_unlock(&mutex);
}

static void release_writer(void)
{
	gort_rwmutex_unlock(&writer);
}

static void stop_reading(void)
{
	gort_rwmutex_rdunlock(&writer);
}

static void stop_reading_other(void)
{
	gort_rwmutex_rdunlock(&readers);
}

static void stop_writing(void)
{
	gort_rwmutex_unlock(&readers);
}

static void release_sema(void)
{
	gort_sema_release(&sema, 1);
}

static void nothing(void)
{
}

static const struct plain_row {
	const char *name, *state;
	int (*call)(void); // locks, and says that nobody else can
	void (*free)(void); // what it waits for
	void (*give_back)(void);
} plain_rows[] = {
	{ "mutex_lock", "mutex", locks_plainly, release_mutex, release_mutex },
	{ "rwmutex_rdlock", "rwmutex read", locks_plainly_to_read, release_writer, stop_reading },
	{ "rwmutex_lock", "rwmutex write", locks_plainly_to_write, stop_reading_other,
	  stop_writing },
	{ "sema_acquire", "semaphore", acquires_plainly, release_sema, nothing },
};

struct plain_caller {
	const struct plain_row *row;
	int first, second, third;
	atomic_int stage;
};

static void locks_cancelled(void *arg)
{
	struct plain_caller *c = arg;

	c->first = c->row->call();
	c->row->give_back();
	// And when it was cancelled before it came, whether it has to wait or not.
	atomic_store(&c->stage, 1);
	c->second = c->row->call();
	c->row->give_back();
	if (c->row->free == release_sema)
		gort_sema_release(&sema, 1);
	c->third = c->row->call();
	c->row->give_back();
	expect(gort_canceled());
	atomic_store(&c->stage, 2);
}

static void plain_locking_is_not_cancelled(void)
{
	memset(&mutex, 0, sizeof(mutex));
	memset(&readers, 0, sizeof(readers));
	memset(&writer, 0, sizeof(writer));
	memset(&sema, 0, sizeof(sema));
	for (size_t i = 0; i < sizeof(plain_rows) / sizeof(plain_rows[0]); i++) {
		struct plain_caller c = { .row = &plain_rows[i] };
		gort_mutex_lock(&mutex);
		gort_rwmutex_rdlock(&readers);
		gort_rwmutex_lock(&writer);
		uint64_t id = gort_go(locks_cancelled, &c);
		until_in(id, plain_rows[i].state);
		for (int k = 0; k < 3; k++) {
			expect_eq(gort_cancel(id), 0);
			gort_yield();
			expect(is_in(id, plain_rows[i].state));
		}
		c.row->free();
		until(atomic_load(&c.stage) >= 1);
		if (c.row->free == release_sema) {
			until_in(id, "semaphore");
			gort_sema_release(&sema, 1);
		}
		until(atomic_load(&c.stage) == 2);
		if (c.first != -EBUSY || c.second != -EBUSY || c.third != -EBUSY) {
			fprintf(stderr, "%s: %d, %d, %d\n", plain_rows[i].name, c.first, c.second,
				c.third);
			sync_failed = true;
		}
		if (c.row->free != release_mutex)
			gort_mutex_unlock(&mutex);
		if (c.row->free != stop_reading_other)
			gort_rwmutex_rdunlock(&readers);
		if (c.row->free != release_writer)
			gort_rwmutex_unlock(&writer);
	}
}

static const struct test tests[] = {
	TEST("a cancel ends every call that parks", cancel_ends_every_call),
	TEST("a cancel of one that ends by it succeeds", cancel_of_one_that_ends_by_it_succeeds),
	TEST("plain locking is not cancelled", plain_locking_is_not_cancelled),
};

SYNC_MAIN(tests)
