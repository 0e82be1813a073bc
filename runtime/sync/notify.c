// SPDX-License-Identifier: MIT
// Signals as messages. The handler writes what it got into a pipe; a goroutine of the runtime reads
// it there and sends it on, so nothing of the scheduler runs in a handler.
#include "runtime/gort.h"
#include "runtime/base/raw.h"
#include "runtime/base/signal.h"
#include "runtime/sync/chan.h"
#include "runtime/sync/fd.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum {
	SIGNALS = 64,
	PIPE_SIZE = 1 << 20, // eight thousand signals may wait for the reader
};

static struct {
	struct lock lock; // RANK_NOTIFY
	bool started;
	gort_chan *chans[SIGNALS + 1]; // who gets it; NULL: nobody
	struct gort__sigaction former[SIGNALS + 1];
	int active; // signals that somebody gets
	uint64_t reader; // goroutine
	pid_t pid; // whose signals these are: a fork's child has the pipe too
} table = { .lock = GORT__LOCK_INIT(NOTIFY) };

static int pipe_read = -1, pipe_write = -1;
// Signals for which the pipe had no room: delivered once, as the kernel merges those that are
// pending already.
static uint64_t merged;

// ---- in the handler -----------------------------------------------------------------------------

static bool comes_from_the_code(int sig, int code)
{
	return (sig == SIGILL || sig == SIGTRAP || sig == SIGSYS) && code > 0;
}

__attribute__((no_sanitize("address", "thread"))) static void handler(int sig, siginfo_t *info,
								      void *ucontext)
{
	(void)ucontext;
	if (comes_from_the_code(sig, info->si_code)) {
		// Returning would only bring it again: let the former action have it.
		gort__sigaction_restore(sig, &table.former[sig]);
		return;
	}
	if (getpid() != table.pid) {
		gort__sigaction_restore(sig, &table.former[sig]);
		gort__tgkill(getpid(), sig);
		return;
	}
	// Raw, for errno must stay. Shorter than PIPE_BUF: all of it or nothing.
	if (gort__raw(SYS_write, pipe_write, (long)info, sizeof(*info), 0, 0, 0) < 0)
		__atomic_or_fetch(&merged, UINT64_C(1) << (sig - 1), __ATOMIC_RELEASE);
}

// ---- the reader ---------------------------------------------------------------------------------

static void deliver(const siginfo_t *info)
{
	gort_chan *c;
	int sig = info->si_signo;

	if (!sig)
		return;
	gort__enter("gort_notify");
	gort__lock(&table.lock);
	c = gort_chan_retain(table.chans[sig]);
	gort__unlock(&table.lock);
	if (c)
		gort__chan_trysend(c, c->elem == sizeof(int) ? (const void *)&sig : info);
	gort__leave();
	gort_chan_release(c);
}

static void read_signals(void *arg)
{
	siginfo_t info[16];

	(void)arg;
	// Two callers may have been the first.
	if (gort_id() != table.reader)
		return;
	for (;;) {
		// Waiting in the netpoller counts as being waited for, which would hide a deadlock.
		while (!gort__load_acquire(&table.active))
			gort_park();
		ssize_t n = gort_read(pipe_read, info, sizeof(info));
		if (n < 0)
			gort__fatal("the pipe of gort_notify fails with %d", (int)-n);
		for (size_t i = 0; i < (size_t)n / sizeof(*info); i++)
			deliver(&info[i]);
		uint64_t set = __atomic_exchange_n(&merged, 0, __ATOMIC_ACQUIRE);
		for (int sig = 1; set; sig++, set >>= 1) {
			siginfo_t one = { .si_signo = sig };
			if (set & 1)
				deliver(&one);
		}
	}
}

static int start(void)
{
	int fds[2], ret = gort_pipe(fds);
	struct g *g;
	bool mine;

	if (ret)
		return ret;
	fcntl(fds[1], F_SETPIPE_SZ, PIPE_SIZE);
	gort__enter("gort_notify");
	g = gort__g_make(read_signals, NULL, NULL, (void *)gort_notify, G_SYSTEM);
	if (!g)
		gort__fatal("gort_notify: no memory for a goroutine");
	gort__lock(&table.lock);
	mine = !table.started;
	if (mine) {
		pipe_read = fds[0];
		pipe_write = fds[1];
		table.reader = g->id;
		table.pid = getpid();
		gort__store_release(&table.started, true);
	}
	gort__unlock(&table.lock);
	// Not under the lock: a thread may have to be made for it.
	gort__ready(g, false);
	gort__leave();
	if (!mine) {
		gort_fd_close(fds[0]);
		gort_fd_close(fds[1]);
	}
	return 0;
}

// ---- public -------------------------------------------------------------------------------------

static bool may_notify(int sig)
{
	switch (sig) {
	case SIGKILL:
	case SIGSTOP:
	case SIGSEGV:
	case SIGBUS:
	case SIGFPE:
	case 32: // glibc
	case 33:
	case GORT__SIG_PAUSE:
	case GORT__SIG_THREADS:
	case GORT__SIG_FREEZE: return false;
	default: return sig >= 1 && sig <= SIGNALS;
	}
}

int gort_notify(int sig, gort_chan *c)
{
	const siginfo_t nothing = { 0 };
	gort_chan *old;
	int ret = 0, active;

	if (!may_notify(sig))
		return -EINVAL;
	if (c && gort__load_acquire(&c->elem) != sizeof(int) && c->elem != sizeof(siginfo_t))
		return -EINVAL;
	if (c && !gort__load_acquire(&table.started)) {
		ret = start();
		if (ret)
			return ret;
	}
	gort_chan_retain(c);
	gort__enter(__func__);
	gort__lock(&table.lock);
	old = table.chans[sig];
	table.chans[sig] = c;
	if (c && !old) {
		// While signals are awaited, all goroutines asleep is no deadlock.
		gort__add(&sched.nodeadlock, 1u);
		gort__store_release(&table.active, table.active + 1);
		gort__sigaction(sig, handler, 0, 0, &table.former[sig]);
	} else if (!c && old) {
		gort__sigaction_restore(sig, &table.former[sig]);
		gort__store_release(&table.active, table.active - 1);
		gort__add(&sched.nodeadlock, -1u);
	}
	active = table.active;
	gort__unlock(&table.lock);
	gort__leave();
	if (c && !old && active == 1) {
		gort_ready(table.reader);
	} else if (!c && old && !active) {
		// The reader is to wait for a reason to read. A full pipe wakes it as well.
		ssize_t n = write(pipe_write, &nothing, sizeof(nothing));
		(void)n;
	}
	gort_chan_release(old);
	return ret;
}
