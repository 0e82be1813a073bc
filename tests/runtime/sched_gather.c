// SPDX-License-Identifier: MIT
// valgrind: one thread runs at a time there, and nobody is paused
// timeout: 300 s
// What stands in the way of gathering all threads: paused ones, ended ones, signals that are the program's, no /proc,
// threads that are none. Each in a process of its own: what was wrong hung for ever.
#include "runtime/gort.h"
#include "tests/runtime/fault_child.h"

#include <linux/io_uring.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum { OWN_SIGNAL = 40, SKIPPED = 77 };

static atomic_int ready, stop, handled;
static atomic_int other_tid;

// The child's exit status: 0, SKIPPED, or the check that failed.
static int verdict;

static void expect(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "# %s\n", what);
	verdict = 1;
}

static bool call_works(void)
{
	return gort_all_threads_syscall(SYS_getpid, 0, 0, 0) == getpid();
}

static void *foreign(void *arg)
{
	if (arg)
		gort_thread_attach();
	other_tid = (int)syscall(SYS_gettid);
	ready = 1;
	while (!stop)
		usleep(1000);
	return NULL;
}

static void start_foreign(bool attach)
{
	pthread_t thread;

	ready = 0;
	if (pthread_create(&thread, NULL, foreign, attach ? &ready : NULL))
		abort();
	pthread_detach(thread);
	while (!ready)
		gort_yield();
}

// ---- paused -------------------------------------------------------------------------------------

static void compute(void *arg)
{
	(void)arg;
	while (!stop)
		;
}

static void paused(void *arg)
{
	struct gort_stats stats;
	int calls = 0;

	(void)arg;
	for (int i = 0; i < 4; i++)
		gort_go(compute, NULL);
	do {
		gort_sleep(1000 * 1000);
		gort_stats(&stats);
	} while (!stats.pauses);
	for (int i = 0; i < 50; i++) {
		calls += call_works();
		gort_sleep(1000 * 1000);
	}
	expect(calls == 50, "calls beside paused threads");
	stop = 1;
}

// ---- ended without a word -----------------------------------------------------------------------

static void *ends_raw(void *arg)
{
	(void)arg;
	gort_thread_attach();
	other_tid = (int)syscall(SYS_gettid);
	ready = 1;
	syscall(SYS_exit, 0);
	return NULL;
}

static void end_one(void)
{
	pthread_t thread;

	ready = 0;
	if (pthread_create(&thread, NULL, ends_raw, NULL))
		abort();
	while (!ready || !syscall(SYS_tgkill, getpid(), other_tid, 0))
		gort_yield();
}

static void gone(void *arg)
{
	(void)arg;
	end_one();
	expect(call_works(), "an attached thread that ended by a raw exit");
	expect(call_works(), "and again");
}

// Its id is given to a thread that the runtime does not know.
static void reused(void *arg)
{
	char id[16];
	int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY), old;

	(void)arg;
	end_one();
	old = other_tid;
	snprintf(id, sizeof(id), "%d", old - 1);
	for (int i = 0; i < 50; i++) {
		if (fd < 0 || write(fd, id, strlen(id)) < 0) {
			verdict = SKIPPED;
			return;
		}
		stop = 0;
		start_foreign(false);
		if (other_tid == old)
			break;
		stop = 1;
	}
	if (other_tid != old) {
		verdict = SKIPPED;
		return;
	}
	expect(gort_all_threads_syscall(SYS_getpid, 0, 0, 0) == -ENOTSUP,
	       "a stranger with the id of one that ended is a stranger");
	stop = 1;
	while (!syscall(SYS_tgkill, getpid(), old, 0))
		gort_yield();
	expect(call_works(), "and when it is gone all are known");
}

// ---- the program's own handler ------------------------------------------------------------------

static void handler(int sig)
{
	handled += sig == OWN_SIGNAL;
}

static void own_handler(void *arg)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_ONSTACK | SA_RESTART },
			 now;

	(void)arg;
	start_foreign(true);
	sigaction(OWN_SIGNAL, &action, NULL);
	for (int i = 0; i < 20; i++)
		expect(call_works(), "a call while the signal has another handler");
	expect(handled == 0, "which gets nothing that is not the program's");
	sigaction(OWN_SIGNAL, NULL, &now);
	expect(now.sa_handler == handler, "and is installed again");
	raise(OWN_SIGNAL);
	expect(handled == 1, "and works");
	action.sa_handler = SIG_DFL;
	sigaction(OWN_SIGNAL, &action, NULL);
	expect(call_works(), "a call while the signal has the default action");
	stop = 1;
}

// ---- nobody knows -------------------------------------------------------------------------------

static void unknown(bool sealed)
{
	if (!sealed) {
		verdict = SKIPPED;
		return;
	}
	expect(gort_all_threads_syscall(SYS_prctl, PR_SET_KEEPCAPS, 1, 0) == -ENOTSUP, "-ENOTSUP");
	expect(prctl(PR_GET_KEEPCAPS) == 0, "and nothing is done");
}

static void no_descriptors(void *arg)
{
	struct rlimit none = { 3, 3 };

	(void)arg;
	start_foreign(false);
	unknown(!setrlimit(RLIMIT_NOFILE, &none));
	stop = 1;
}

static void no_proc(void *arg)
{
	char dir[] = "/tmp/gort-gather-XXXXXX";
	bool sealed;

	(void)arg;
	start_foreign(false);
	// An empty directory, which is gone from where it was.
	sealed = mkdtemp(dir) && !chdir(dir) && !rmdir(dir) && !chroot(".");
	unknown(sealed);
	stop = 1;
}

// ---- no threads of the program's ----------------------------------------------------------------

static void io_threads(void *arg)
{
	struct io_uring_params params = { .flags = IORING_SETUP_SQPOLL };

	(void)arg;
	if (syscall(SYS_io_uring_setup, 8, &params) < 0) {
		verdict = SKIPPED;
		return;
	}
	expect(call_works(), "beside a thread of the kernel's for io_uring");
}

static void *run_second(void *arg)
{
	char path[64];
	FILE *status;

	// Until the leader is a zombie.
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", getpid());
	for (char state = 'R'; state != 'Z';) {
		status = fopen(path, "r");
		if (!status || fscanf(status, "%*d (%*[^)]) %c", &state) != 1)
			abort();
		fclose(status);
	}
	gort_main((void (*)(void *))(uintptr_t)arg, NULL);
	_exit(verdict);
}

static void without_leader(void *arg)
{
	(void)arg;
	expect(call_works(), "when the process's first thread has ended");
}

// ---- a thread in vfork --------------------------------------------------------------------------

static char fifo[] = "/tmp/gort-gather-XXXXXX/fifo";

// The child opens the fifo before it calls exec, and waits there.
static void *spawns(void *arg)
{
	posix_spawn_file_actions_t actions;
	char *const argv[] = { "true", NULL };
	pid_t pid;

	(void)arg;
	gort_thread_attach();
	other_tid = (int)syscall(SYS_gettid);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 9, fifo, O_RDONLY, 0);
	if (posix_spawnp(&pid, "true", &actions, NULL, argv, NULL))
		abort();
	posix_spawn_file_actions_destroy(&actions);
	waitpid(pid, NULL, 0);
	stop = 1;
	return NULL;
}

static char state_of(int pid, int tid, unsigned long *pending)
{
	char path[64], line[256], state = 0;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", pid, tid);
	status = fopen(path, "r");
	while (status && fgets(line, sizeof(line), status)) {
		sscanf(line, "State: %c", &state);
		if (pending)
			sscanf(line, "SigPnd: %lx", pending);
	}
	if (status)
		fclose(status);
	return state;
}

static int report_tid[2];

// Another process: lets the child go on once the signal was sent to the thread that waits for it, and was looked at.
static void let_go(void)
{
	int tid, fd;

	if (read(report_tid[0], &tid, sizeof(tid)) != sizeof(tid))
		_exit(1);
	for (unsigned long pending = 0; !(pending >> (OWN_SIGNAL - 1) & 1);)
		if (!state_of(getppid(), tid, &pending))
			_exit(1);
	usleep(200 * 1000);
	fd = open(fifo, O_WRONLY);
	_exit(fd < 0);
}

static void in_vfork(void *arg)
{
	pthread_t thread;
	int tid;

	(void)arg;
	if (pthread_create(&thread, NULL, spawns, NULL))
		abort();
	pthread_detach(thread);
	while (!other_tid || state_of(getpid(), other_tid, NULL) != 'D')
		gort_yield();
	tid = other_tid;
	if (write(report_tid[1], &tid, sizeof(tid)) != sizeof(tid))
		abort();
	expect(call_works(), "a thread in vfork is waited for");
	while (!stop)
		gort_yield();
}

static void prepare_vfork(void)
{
	char *slash = strrchr(fifo, '/');

	*slash = '\0';
	if (!mkdtemp(fifo))
		abort();
	*slash = '/';
	if (mkfifo(fifo, 0600) || pipe(report_tid))
		abort();
	if (!fork())
		let_go();
}

static void clean_vfork(void)
{
	unlink(fifo);
	*strrchr(fifo, '/') = '\0';
	rmdir(fifo);
}

// ---- half-changed -------------------------------------------------------------------------------

static _Atomic uint64_t seen; // how often the one looked, and what it saw last
static atomic_long looks, half;

enum { ID_BITS = 20, ID_MASK = (1 << ID_BITS) - 1, CHANGES = 60, SLEEPERS = 50 };

static void show(void *arg)
{
	uint64_t n = 0;

	(void)arg;
	while (!stop) {
		uint64_t id = (uint64_t)syscall(SYS_getegid);
		seen = ++n << ID_BITS | id;
	}
}

// Mine before and after what the other saw in between: every id is used once, so mine did not change.
static void compare(void *arg)
{
	(void)arg;
	while (!stop) {
		uint64_t mine = (uint64_t)syscall(SYS_getegid), before = seen, its;

		do
			its = seen;
		while (its >> ID_BITS < (before >> ID_BITS) + 2 && !stop);
		if (stop)
			break;
		looks++;
		half += mine == (uint64_t)syscall(SYS_getegid) && (its & ID_MASK) != mine;
	}
}

static void block(void *arg)
{
	char c;

	if (read(*(int *)arg, &c, 1) < 0)
		abort();
}

static void half_changed(void *arg)
{
	int fds[2];

	(void)arg;
	if (geteuid()) {
		verdict = SKIPPED;
		return;
	}
	if (pipe(fds))
		abort();
	gort_go(show, NULL);
	for (int i = 0; i < SLEEPERS; i++)
		gort_go(block, fds);
	gort_go(compare, NULL);
	while (!looks)
		gort_yield();
	for (int i = 1; i <= CHANGES; i++)
		expect(!gort_setegid((gid_t)i), "setegid");
	for (long more = looks + 10; looks < more;)
		gort_yield();
	stop = 1;
	close(fds[1]);
	expect(half == 0, "two threads never have different ids");
}

// -------------------------------------------------------------------------------------------------

static const struct mode {
	const char *name;
	void (*fn)(void *);
	const char *procs, *what, *needs;
} modes[] = {
	{ "paused", paused, "2", "beside threads that are paused", "" },
	{ "gone", gone, "2", "an attached thread that ended by a raw exit is no thread", "" },
	{ "reused", reused, "2", "a stranger that got its id is a stranger",
	  "no thread ids can be chosen" },
	{ "handler", own_handler, "2", "the program may have a handler on the signal", "" },
	{ "fds", no_descriptors, "2", "without a descriptor nobody knows: -ENOTSUP",
	  "no limit can be set" },
	{ "proc", no_proc, "2", "without /proc nobody knows: -ENOTSUP", "only root may chroot" },
	{ "uring", io_threads, "2", "a thread of the kernel's is none of the program's",
	  "no io_uring" },
	{ "leader", without_leader, "2", "nor is a first thread that has ended", "" },
	{ "vfork", in_vfork, "2", "one in vfork is waited for", "" },
	{ "half", half_changed, "3", "set*id shows no goroutine a half-changed process",
	  "only root changes ids" },
};
enum { MODES = sizeof(modes) / sizeof(modes[0]) };

static int run(const struct mode *mode)
{
	pthread_t thread;

	if (!strcmp(mode->name, "leader")) {
		if (pthread_create(&thread, NULL, run_second, (void *)(uintptr_t)mode->fn))
			abort();
		pthread_exit(NULL);
	}
	if (!strcmp(mode->name, "vfork"))
		prepare_vfork();
	gort_main(mode->fn, NULL);
	if (!strcmp(mode->name, "vfork"))
		clean_vfork();
	fflush(stderr);
	_exit(verdict);
}

int main(int argc, char **argv)
{
	for (int i = 0; argc > 1 && i < MODES; i++)
		if (!strcmp(argv[1], modes[i].name))
			return run(&modes[i]);
#ifdef __SANITIZE_THREAD__
	printf("1..0 # SKIP TSan has a thread of its own and defers signals\n");
	return 0;
#endif
	for (int i = 0; i < MODES; i++) {
		char procs_set[32];
		struct child c;

		snprintf(procs_set, sizeof(procs_set), "GORTMAXPROCS=%s", modes[i].procs);
		c = child_start(modes[i].name, 2, procs_set, NULL);
		child_end(&c);
		if (exited(&c, SKIPPED)) {
			printf("ok - %s # SKIP %s\n", modes[i].what, modes[i].needs);
			tests_run++;
		} else {
			report(exited(&c, 0), c.text, "%s", modes[i].what);
		}
		free(c.text);
	}
	return reported();
}
