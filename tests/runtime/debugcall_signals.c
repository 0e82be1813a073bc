// SPDX-License-Identifier: MIT
// SIGINT beside debug calls: the program's own way with it stays, whatever the moment, also where the kernel makes one
// signal of the handshake and another process's. A child that traces this process sees to such moments.
//    timeout: 120 s
#include "tests/runtime/inject.h"

#include <poll.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/user.h>
#include <sys/wait.h>

static struct injection injection, inner;
static struct worker worker;

static _Atomic uint32_t interrupts;

static void on_interrupt(int signo)
{
	(void)signo;
	interrupts++;
}

static uint64_t callee(void)
{
	return 42;
}

static void call(const char *name, bool good)
{
	report(good && injection.client.outcome == CLIENT_GOT_RETURNED && goes_on(&worker), name,
	       "%s, rax %lu, \"%s\", %u interrupts", client_outcome_name(injection.client.outcome),
	       injection.rax, injection.text, interrupts);
}

static void inject(void *function)
{
	prepare_in(&injection, function);
	inject_into(&injection, (int)worker.tid);
}

// ---- the program's own way --------------------------------------------------------------------------

static void own_handler(void)
{
	interrupts = 0;
	signal(SIGINT, on_interrupt);
	inject(callee);
	call("the program's handler sees no handshake", !interrupts);
	kill(getpid(), SIGINT);
	while (!interrupts)
		sched_yield();
	report(interrupts == 1, "and still gets a real one", "%u", interrupts);
	signal(SIGINT, SIG_DFL);
}

static uint64_t sets_handler(void)
{
	signal(SIGINT, on_interrupt);
	return (uint64_t)raise(SIGINT);
}

static void set_in_callee(void)
{
	struct sigaction now;

	interrupts = 0;
	inject(sets_handler);
	// The thread is home then.
	goes_on(&worker);
	sigaction(SIGINT, NULL, &now);
	call("a handler that the callee sets stays, and gets its signal",
	     interrupts == 1 && now.sa_handler == on_interrupt);
	// With nobody there, the handshake behind it is no SIGINT for it.
	uint64_t client = debugcall_descriptor.client;

	__atomic_store_n(&debugcall_descriptor.client, 0, __ATOMIC_RELAXED);
	prepare_in(&injection, sets_handler);
	send_to(&injection, (int)worker.tid);
	goes_on(&worker);
	report(interrupts == 1, "an orphan runs no callee", "%u", interrupts);
	__atomic_store_n(&debugcall_descriptor.client, client, __ATOMIC_RELAXED);
	signal(SIGINT, SIG_DFL);
}

// A SIGINT comes in the callee, and somebody else waits for it.
static _Atomic int target_tid; // 0: to the process

static uint64_t sends_one(void)
{
	if (target_tid)
		syscall(SYS_tgkill, getpid(), target_tid, SIGINT);
	else
		kill(getpid(), SIGINT);
	return 42;
}

static struct signalfd_siginfo read_one(int fd, int wait_ms)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	struct signalfd_siginfo info = { 0 };

	if (poll(&poll_fd, 1, wait_ms) == 1)
		(void)!read(fd, &info, sizeof(info));
	return info;
}

static void signal_fd(void)
{
	enum { LONG_MS = 20000 };
	sigset_t set;
	struct signalfd_siginfo info;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	int fd = signalfd(-1, &set, SFD_CLOEXEC);

	target_tid = 0;
	inject(sends_one);
	info = read_one(fd, LONG_MS);
	call("a SIGINT that comes in the callee is read from the signalfd",
	     info.ssi_signo == SIGINT && (int)info.ssi_pid == getpid());
	report(!read_one(fd, 0).ssi_signo, "once", "twice");
	// Pending already when the call begins.
	kill(getpid(), SIGINT);
	inject(callee);
	info = read_one(fd, LONG_MS);
	call("a SIGINT that is pending when a call begins is read from the signalfd",
	     info.ssi_signo == SIGINT);
	report(!read_one(fd, 0).ssi_signo, "once", "twice");
	close(fd);
}

static bool is_pending(int tid)
{
	char path[64], line[256];
	unsigned long pending = 0;

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", tid);
	FILE *file = fopen(path, "re");

	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "SigPnd: %lx", &pending);
	if (file)
		fclose(file);
	return pending >> (SIGINT - 1) & 1;
}

static void sig_wait(void)
{
	sigset_t set;
	siginfo_t info = { 0 };

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	target_tid = 0;
	inject(sends_one);
	int signo = sigtimedwait(&set, &info, &(struct timespec){ .tv_sec = 20 });

	call("a SIGINT that comes in the callee is taken by sigwait", signo == SIGINT);
	// For the worker's thread alone it stays pending there, also across further calls.
	target_tid = (int)worker.tid;
	inject(sends_one);
	inject(callee);
	call("one that was sent to the thread stays pending for it", is_pending(target_tid));
}

// ---- one for both -------------------------------------------------------------------------------------

// In a child: traces the worker's thread, and sends it a SIGINT right before it sends itself the
// n-th handshake.
_Noreturn static void trace(int pid, int tid, int n, int ready)
{
	int status;
	struct user_regs_struct regs;

	if (ptrace(PTRACE_SEIZE, tid, NULL, PTRACE_O_TRACESYSGOOD) ||
	    ptrace(PTRACE_INTERRUPT, tid, NULL, NULL))
		_exit(1);
	(void)!write(ready, "", 1);
	for (;;) {
		int signo = 0;

		if (waitpid(tid, &status, __WALL) != tid || !WIFSTOPPED(status))
			_exit(2);
		if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
			struct __ptrace_syscall_info info;

			ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof(info), &info);
			ptrace(PTRACE_GETREGS, tid, NULL, &regs);
			if (info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr == SYS_tgkill &&
			    regs.rdx == SIGINT && !--n) {
				if (syscall(SYS_tgkill, pid, tid, SIGINT))
					_exit(3);
				ptrace(PTRACE_DETACH, tid, NULL, NULL);
				_exit(0);
			}
		} else if (status >> 16 == 0) {
			signo = WSTOPSIG(status);
		}
		ptrace(PTRACE_SYSCALL, tid, NULL, (void *)(intptr_t)signo);
	}
}

static pid_t start_tracer(int n)
{
	int fds[2], pid = getpid(), tid = (int)worker.tid;
	char byte;

	if (pipe(fds))
		return -1;
	pid_t child = fork();

	if (!child)
		trace(pid, tid, n, fds[1]);
	close(fds[1]);
	(void)!read(fds[0], &byte, 1);
	close(fds[0]);
	return child;
}

static void one_for_both(void)
{
	static const char *const statuses[] = { "ready", "returned", "restored" };

	signal(SIGINT, on_interrupt);
	for (int n = 1; n <= 3; n++) {
		char name[96];
		int status = -1;

		snprintf(name, sizeof(name),
			 "another process's SIGINT becomes one with the handshake: %s",
			 statuses[n - 1]);
		interrupts = 0;
		pid_t child = start_tracer(n);

		if (child < 0)
			continue;
		inject(callee);
		waitpid(child, &status, 0);
		while (!interrupts && status == 0)
			sched_yield();
		call(name, status == 0 && interrupts == 1 && injection.handshakes == 3 &&
				   injection.rax == 42);
	}
	signal(SIGINT, SIG_DFL);
}

static void one_for_both_orphan(void)
{
	uint64_t client = debugcall_descriptor.client;

	signal(SIGINT, on_interrupt);
	__atomic_store_n(&debugcall_descriptor.client, 0, __ATOMIC_RELAXED);
	interrupts = 0;
	int status = -1;
	pid_t child = start_tracer(1);

	prepare_in(&injection, callee);
	send_to(&injection, (int)worker.tid);
	waitpid(child, &status, 0);
	while (!interrupts && status == 0)
		sched_yield();
	report(status == 0 && goes_on(&worker) && interrupts == 1,
	       "the same with no debugger there", "tracer %d, %u interrupts", status, interrupts);
	__atomic_store_n(&debugcall_descriptor.client, client, __ATOMIC_RELAXED);
	signal(SIGINT, SIG_DFL);
}

// ---- a storm --------------------------------------------------------------------------------------------

static uint32_t stormed, sent;

static void on_storm(int signo)
{
	(void)signo;
	__atomic_fetch_add(&stormed, 1, __ATOMIC_RELEASE);
}

// As many as the thread can take while the conversation is under way: the next when the last was
// handled.
static void inject_in_storm(void)
{
	static const int signals[] = { SIGHUP, SIGALRM, SIGUSR2, SIGTERM };

	do {
		// In a handler it is no caller.
		while (__atomic_load_n(&stormed, __ATOMIC_ACQUIRE) != sent)
			sched_yield();
		prepare_in(&injection, callee);
		send_to(&injection, (int)worker.tid);
		while (!__atomic_load_n(&injection.done, __ATOMIC_ACQUIRE)) {
			if (__atomic_load_n(&stormed, __ATOMIC_ACQUIRE) != sent) {
				sched_yield();
				continue;
			}
			syscall(SYS_tgkill, getpid(), worker.tid, signals[sent++ % 4]);
		}
	} while (injection.done != DONE);
}

static void through_storm(void)
{
	int n = getenv("DC_CAMPAIGN") ? 100000 : 500, bad = 0;
	struct sigaction action = { .sa_handler = on_storm, .sa_flags = SA_ONSTACK | SA_RESTART };

	sigaction(SIGHUP, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	sigaction(SIGUSR2, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	for (int i = 0; i < n; i++) {
		inject_in_storm();
		bad += injection.client.outcome != CLIENT_GOT_RETURNED || injection.rax != 42 ||
		       injection.wrong_threads || injection.handshakes != 3;
	}
	printf("# %d conversations, %u signals\n", n, sent);
	call("conversations in a storm of signals", !bad && sent >= (uint32_t)n / 2);
}

// ---- two at once ----------------------------------------------------------------------------------------

static struct worker other;

static void overlapping(void)
{
	int n = getenv("DC_CAMPAIGN") ? 20000 : 500, bad = 0;

	gort_go(spin, &other);
	while (!other.tid)
		gort_yield();
	for (int i = 0; i < n; i++) {
		prepare_in(&injection, callee);
		prepare_in(&inner, callee);
		while (!send_to(&injection, (int)worker.tid) || !send_to(&inner, (int)other.tid))
			sched_yield();
		enum done one = await(&injection), two = await(&inner);

		bad += one == DONE && (injection.rax != 42 || injection.wrong_threads);
		bad += two == DONE && (inner.rax != 42 || inner.wrong_threads);
	}
	struct sigaction now;

	sigaction(SIGINT, NULL, &now);
	report(!bad && goes_on(&worker) && goes_on(&other) && now.sa_handler == SIG_DFL,
	       "calls on two threads at once", "%d bad", bad);
	other.stop = 1;
}

static void main_goroutine(void *arg)
{
	(void)arg;
	gort_gomaxprocs(gort_gomaxprocs(0) < 4 ? 4 : 0);
	gort_lock_os_thread();
	gort_go(spin, &worker);
	while (!worker.tid)
		gort_yield();
	own_handler();
	set_in_callee();
	one_for_both();
	one_for_both_orphan();
	overlapping();
	through_storm();
	worker.stop = 1;
}

// The whole program blocks SIGINT, as one that reads it from a signalfd or by sigwait.
static void blocking_goroutine(void *arg)
{
	(void)arg;
	gort_gomaxprocs(gort_gomaxprocs(0) < 2 ? 2 : 0);
	gort_go(spin, &worker);
	while (!worker.tid)
		gort_yield();
	signal_fd();
	sig_wait();
	worker.stop = 1;
}

int main(int argc, char *argv[])
{
#ifdef __SANITIZE_THREAD__
	printf("1..0 # SKIP TSan puts the program's own handlers off\n");
	return 0;
#endif
	inject_init();
	if (argc > 2) {
		sigset_t set;

		count = atoi(argv[1]);
		failures = atoi(argv[2]);
		sigemptyset(&set);
		sigaddset(&set, SIGINT);
		sigprocmask(SIG_BLOCK, &set, NULL);
		gort_main(blocking_goroutine, NULL);
		printf("1..%d\n", count);
		return failures ? 1 : 0;
	}
	gort_main(main_goroutine, NULL);

	char so_far[16], bad[16];
	char *args[] = { argv[0], so_far, bad, NULL };

	snprintf(so_far, sizeof(so_far), "%d", count);
	snprintf(bad, sizeof(bad), "%d", failures);
	execv("/proc/self/exe", args);
	return 1;
}
