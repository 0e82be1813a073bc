// SPDX-License-Identifier: MIT
// Signals as messages: every kind of element, storms, giving the former action back, what may not
// be had.
#include "tests/runtime/sync.h"

#include <pthread.h>
#include <signal.h>

static atomic_int handled;

static void handler(int sig)
{
	atomic_fetch_add(&handled, sig);
}

static void numbers_and_infos(void)
{
	gort_chan *c = gort_chan_make(sizeof(int), 4), *d = gort_chan_make(sizeof(siginfo_t), 4);
	union sigval value = { .sival_int = 4711 };
	siginfo_t info;
	int sig = 0;

	expect_eq(gort_notify(SIGUSR1, c), 0);
	expect_eq(gort_notify(SIGRTMIN + 15, d), 0);
	kill(getpid(), SIGUSR1);
	expect(gort_recv(c, &sig) == 0 && sig == SIGUSR1);
	expect_eq(sigqueue(getpid(), SIGRTMIN + 15, value), 0);
	expect_eq(gort_recv(d, &info), 0);
	expect(info.si_signo == SIGRTMIN + 15 && info.si_value.sival_int == 4711);
	expect_eq(info.si_pid, getpid());
	// Another channel takes over; the old one gets no more.
	expect_eq(gort_notify(SIGUSR1, d), 0);
	kill(getpid(), SIGUSR1);
	expect(gort_recv(d, &info) == 0 && info.si_signo == SIGUSR1);
	expect_eq(gort_tryrecv(c, &sig), -EAGAIN);
	expect_eq(gort_notify(SIGUSR1, NULL), 0);
	expect_eq(gort_notify(SIGUSR1, NULL), 0);
	expect_eq(gort_notify(SIGRTMIN + 15, NULL), 0);
	gort_chan_release(c);
	gort_chan_release(d);
}

static void the_former_action_comes_back(void)
{
	gort_chan *c = gort_chan_make(sizeof(int), 1);
	int sig;

	handled = 0;
	signal(SIGUSR2, handler);
	expect_eq(gort_notify(SIGUSR2, c), 0);
	kill(getpid(), SIGUSR2);
	expect_eq(gort_recv(c, &sig), 0);
	expect_eq(handled, 0);
	expect_eq(gort_notify(SIGUSR2, NULL), 0);
	kill(getpid(), SIGUSR2);
	until(handled == SIGUSR2);
	expect_eq(gort_tryrecv(c, &sig), -EAGAIN);
	signal(SIGUSR2, SIG_DFL);
	gort_chan_release(c);
}

static void what_may_not_be_had(void)
{
	static const int sigs[] = { SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGURG, 0,
				    -1,	     65,      32,      33,     40,     41 };
	gort_chan *c = gort_chan_make(sizeof(int), 1), *bad = gort_chan_make(2, 1);

	for (size_t i = 0; i < sizeof(sigs) / sizeof(*sigs); i++)
		expect_eq(gort_notify(sigs[i], c), -EINVAL);
	expect_eq(gort_notify(SIGUSR1, bad), -EINVAL);
	gort_chan_release(c);
	gort_chan_release(bad);
}

// It never waits for room: what does not fit is dropped, what fits arrives.
static void a_full_channel_drops(void)
{
	gort_chan *c = gort_chan_make(sizeof(int), 2), *done = gort_chan_make(sizeof(int), 1);
	int sig = 0;

	// The last ones may still be on their way to a thread when the former action is back.
	signal(SIGUSR1, SIG_IGN);
	expect_eq(gort_notify(SIGUSR1, c), 0);
	expect_eq(gort_notify(SIGUSR2, done), 0);
	for (int i = 0; i < 5; i++) {
		kill(getpid(), SIGUSR1);
		until(gort_len(c) >= (size_t)(i < 2 ? i + 1 : 2));
	}
	kill(getpid(), SIGUSR2);
	expect_eq(gort_recv(done, &sig), 0);
	expect_eq(gort_len(c), 2);
	gort_notify(SIGUSR1, NULL);
	gort_notify(SIGUSR2, NULL);
	gort_chan_release(c);
	gort_chan_release(done);
}

// Queued signals are all delivered, in order, whatever the threads are doing.
enum { STORM = 3000 };

static atomic_bool stop;
static gort_wg churners;

static void *storm(void *arg)
{
	(void)arg;
	for (int i = 0; i < STORM; i++) {
		union sigval value = { .sival_int = i };
		while (sigqueue(getpid(), SIGRTMIN + 10, value))
			sched_yield();
	}
	return NULL;
}

static void churn(void *arg)
{
	gort_chan *c = arg;

	while (!stop) {
		gort_trysend(c, NULL);
		gort_sleep(1000);
		gort_tryrecv(c, NULL);
	}
	gort_wg_done(&churners);
}

static void storms_pass(void)
{
	gort_chan *c = gort_chan_make(sizeof(siginfo_t), STORM), *busy = gort_chan_make(0, 100);
	static char seen[STORM];
	pthread_t t;
	siginfo_t info;

	memset(seen, 0, sizeof(seen));
	stop = false;
	gort_wg_add(&churners, 4);
	for (int i = 0; i < 4; i++)
		gort_go(churn, busy);
	expect_eq(gort_notify(SIGRTMIN + 10, c), 0);
	expect_eq(pthread_create(&t, NULL, storm, NULL), 0);
	for (int i = 0; i < STORM; i++) {
		expect_eq(gort_recv(c, &info), 0);
		expect(info.si_value.sival_int >= 0 && info.si_value.sival_int < STORM);
		expect(!seen[info.si_value.sival_int]++);
	}
	pthread_join(t, NULL);
	expect_eq(gort_tryrecv(c, &info), -EAGAIN);
	gort_notify(SIGRTMIN + 10, NULL);
	stop = true;
	gort_wg_wait(&churners);
	gort_chan_release(busy);
	gort_chan_release(c);
}

static void forked_children_keep_theirs(void)
{
	gort_chan *c = gort_chan_make(sizeof(int), 4);
	int status, sig;

	expect_eq(gort_notify(SIGTERM, c), 0);
	pid_t pid = fork();
	if (!pid) {
		raise(SIGTERM);
		_exit(0);
	}
	expect_eq(waitpid(pid, &status, 0), pid);
	expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	kill(getpid(), SIGTERM);
	expect_eq(gort_recv(c, &sig), 0);
	expect_eq(gort_tryrecv(c, &sig), -EAGAIN);
	gort_notify(SIGTERM, NULL);
	gort_chan_release(c);
}

// Awaiting signals is no deadlock; once nobody does it is one again.
static void deadlock_after(void)
{
	gort_chan *c = gort_chan_make(sizeof(int), 1);
	int sig;

	gort_notify(SIGUSR1, c);
	kill(getpid(), SIGUSR1);
	gort_recv(c, &sig);
	gort_notify(SIGUSR1, NULL);
	gort_recv(c, &sig);
}

static const struct test tests[] = {
	TEST("numbers and siginfos", numbers_and_infos),
#ifdef UNDER_TSAN
	SKIP("the former action comes back", the_former_action_comes_back,
	     "TSan holds a program's handler back while threads sleep in the runtime"),
#else
	TEST("the former action comes back", the_former_action_comes_back),
#endif
	TEST("what may not be had", what_may_not_be_had),
	TEST("a full channel drops", a_full_channel_drops),
	TEST("storms pass", storms_pass),
	TEST("forked children keep theirs", forked_children_keep_theirs),
#ifdef UNDER_TSAN
	SKIP("nobody notified: a deadlock is one again", deadlock_after,
	     "TSan's own thread might wake somebody"),
#else
	DEATH("nobody notified: a deadlock is one again", deadlock_after, "deadlock!"),
#endif
};

SYNC_MAIN(tests)
