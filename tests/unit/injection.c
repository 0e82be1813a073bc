// SPDX-License-Identifier: MIT
// Promises 1, 2, 6, 7: what borrowing does to a child that waits or counts, one call at a time.
// The child is a fork of this program, so that functions have the same addresses in both.
#include "debugger/inject/injection.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct shared {
	volatile uint64_t beats, wrong, calls, release;
};
static struct shared *shared;
static int to_child[2], from_child[2];
static unsigned number, failures;
static jmp_buf jump;

static void ok(bool good, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void ok(bool good, const char *format, ...)
{
	va_list args;

	printf("%s %u - ", good ? "ok" : "not ok", ++number);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	failures += !good;
}

// What is called.
static long add(long a, long b)
{
	shared->calls++;
	return a + b;
}
static double half(double a)
{
	return a / 2;
}
static long crash(void)
{
	long *volatile nowhere = (long *)16;

	return *nowhere;
}
static long overflow(long n)
{
	volatile char room[4096];

	room[n % 4096] = 1;
	return n ? overflow(n + 1) + room[0] : 0;
}
static void spin(void)
{
	for (;;)
		;
}
static void leave(void)
{
	longjmp(jump, 1);
}
static long forks(void)
{
	pid_t pid = fork();
	int status = -1;

	if (pid > 0)
		waitpid(pid, &status, 0);
	return pid ? status : 7;
}
// A vfork parent sleeps where nothing stops it.
static long vforks(void)
{
	if (!vfork()) {
		while (!shared->release)
			usleep(1000);
		_exit(0);
	}
	return 5;
}
static void *newborn(void *arg)
{
	for (;;)
		shared->beats++;
	return arg;
}
static long creates(void)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, newborn, NULL);
}
// Its fault is part of how it works: the handler opens the page.
static char *guarded;
static void open_page(int signo)
{
	(void)signo;
	mprotect(guarded, 4096, PROT_READ | PROT_WRITE);
}
static long touches(void)
{
	*(volatile char *)guarded = 7;
	return *(volatile char *)guarded;
}
static void note(int signo)
{
	(void)signo;
	shared->calls++;
}
static void naps(void)
{
	nanosleep(&(struct timespec){ 30, 0 }, NULL);
}
static void execs(void)
{
	execl("/bin/sleep", "sleep", "100", NULL);
}
struct wide {
	long v[20];
};
static struct wide widen(struct wide in, long by)
{
	for (int i = 0; i < 20; i++)
		in.v[i] += by;
	return in;
}

// What the child does.
enum work { READS, COUNTS, SLEEPS, LEAVES, SUSPENDS, DISPATCHES };

static void child(enum work work)
{
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (write(from_child[1], "r", 1) != 1)
		_exit(9);
	switch (work) {
	case READS:
		for (;;) {
			ssize_t n = read(to_child[0], &byte, 1);

			if (n != 1)
				shared->wrong++;
			shared->beats++;
			if (write(from_child[1], "b", 1) != 1)
				_exit(9);
		}
	case COUNTS:
		for (;;)
			shared->beats++;
	case SLEEPS:
		for (;;) {
			if (nanosleep(&(struct timespec){ 0, 20000000 }, NULL))
				shared->wrong++;
			shared->beats++;
		}
	case SUSPENDS: {
		sigset_t blocked, none;

		signal(SIGUSR1, note);
		sigemptyset(&none);
		sigemptyset(&blocked);
		sigaddset(&blocked, SIGUSR1);
		for (;;) {
			sigset_t now;

			sigprocmask(SIG_SETMASK, &blocked, NULL);
			if (sigsuspend(&none) != -1 || errno != EINTR)
				shared->wrong++;
			sigprocmask(SIG_SETMASK, NULL, &now);
			if (!sigismember(&now, SIGUSR1) || sigismember(&now, SIGUSR2))
				shared->wrong++;
			shared->beats++;
		}
	}
	case DISPATCHES: {
		static volatile char selector; // SYSCALL_DISPATCH_FILTER_ALLOW

		prctl(59 /* PR_SET_SYSCALL_USER_DISPATCH */, 1, 0, 0, &selector);
		for (;;)
			shared->beats++;
	}
	case LEAVES:
		signal(SIGSEGV, open_page);
		if (setjmp(jump))
			shared->calls += 1000;
		for (;;) {
			if (read(to_child[0], &byte, 1) != 1)
				shared->wrong++;
			shared->beats++;
			if (write(from_child[1], "b", 1) != 1)
				_exit(9);
		}
	}
}

struct fixture {
	pid_t pid;
	struct process *process;
	struct tracer *tracer;
};

static void fail(struct dc_error *err, const char *what)
{
	if (!err)
		return;
	printf("Bail out! %s: %s\n", what, err->message);
	exit(1);
}

static void start(struct fixture *fixture, enum work work)
{
	char byte;

	memset(shared, 0, sizeof(*shared));
	if (pipe(to_child) || pipe(from_child))
		exit(1);
	fixture->pid = fork();
	if (!fixture->pid) {
		child(work);
		_exit(0);
	}
	if (read(from_child[0], &byte, 1) != 1)
		exit(1);
	if (work != COUNTS && work != DISPATCHES) {
		// Until it sleeps.
		char path[64], line[32];

		snprintf(path, sizeof(path), "/proc/%d/syscall", fixture->pid);
		do {
			FILE *file = fopen(path, "r");

			if (!file || !fgets(line, sizeof(line), file))
				exit(1);
			fclose(file);
		} while (!strncmp(line, "running", 7));
	}
	fail(process_open(fixture->pid, &fixture->process), "process_open");
	fail(tracer_create(fixture->process, &fixture->tracer), "tracer_create");
}

static bool works(struct fixture *fixture, enum work work)
{
	uint64_t before = shared->beats;

	if (work == READS || work == LEAVES) {
		char byte;

		if (write(to_child[1], "x", 1) != 1 || read(from_child[0], &byte, 1) != 1)
			return false;
	} else {
		while (shared->beats == before)
			if (waitpid(fixture->pid, NULL, WNOHANG) != 0)
				return false;
	}
	return !shared->wrong;
}

static void stop(struct fixture *fixture)
{
	tracer_destroy(fixture->tracer);
	process_close(fixture->process);
	kill(fixture->pid, SIGKILL);
	waitpid(fixture->pid, NULL, 0);
	close(to_child[0]);
	close(to_child[1]);
	close(from_child[0]);
	close(from_child[1]);
}

static struct injection *borrow(struct fixture *fixture, bool all_stop)
{
	struct borrow_options options = { .wait_ns = 2000000000, .all_stop = all_stop };
	struct injection *injection;

	fail(injection_begin(fixture->tracer, fixture->process, NULL, NULL, NULL, &options,
			     &injection),
	     "injection_begin");
	return injection;
}

static struct dc_error *call(struct injection *injection, void *function, const char *name, long a,
			     long b, struct abi_exit *ret)
{
	struct abi_entry entry = { .general = { (uint64_t)a, (uint64_t)b } };

	return injection_call(injection, (uint64_t)(uintptr_t)function, name, &entry, 300000000,
			      false, ret);
}

static void plain(enum work work, const char *doing)
{
	struct fixture fixture;
	struct abi_exit exit;
	struct dc_departure departure;

	start(&fixture, work);

	struct injection *injection = borrow(&fixture, false);
	struct dc_error *err = call(injection, add, "add", 1, 2, &exit);

	ok(!err && exit.rax == 3, "add(1, 2) on a thread that %s: %s", doing,
	   err ? err->message : "3");
	dc_error_destroy(err);

	double argument = 5, result;
	struct abi_entry entry = { .al = 1, .vector_width = 16 };

	memcpy(entry.vector[0], &argument, sizeof(argument));
	err = injection_call(injection, (uint64_t)(uintptr_t)half, "half", &entry, 1000000000,
			     false, &exit);
	memcpy(&result, exit.vector[0], sizeof(result));
	ok(!err && result == 2.5, "half(5.0)");
	dc_error_destroy(err);

	struct wide wide = { .v = { 1, 2, 3 } };
	struct abi_entry big = { .general = { 0, 10 },
				 .stack = (unsigned char *)&wide,
				 .stack_size = sizeof(wide),
				 .result_size = sizeof(wide),
				 .result_align = 8 };

	err = injection_call(injection, (uint64_t)(uintptr_t)widen, "widen", &big, 1000000000,
			     false, &exit);
	ok(!err && exit.memory && ((const struct wide *)exit.memory)->v[2] == 13 &&
		   ((const struct wide *)exit.memory)->v[19] == 10,
	   "a structure by value, there and back");
	if (!err)
		free((void *)(uintptr_t)exit.memory);
	dc_error_destroy(err);

	uint64_t literal;

	err = injection_literal(injection, "abcd", 5, &literal);
	if (!err)
		err = call(injection, strlen, "strlen", (long)literal, 0, &exit);
	ok(!err && exit.rax == 4, "strlen of a literal: %s", err ? err->message : "4");
	dc_error_destroy(err);
	err = injection_release(injection, &departure);
	ok(!err && works(&fixture, work), "it goes on: %s", err ? err->message : "yes");
	printf("# pause %" PRId64 " us, %" PRIu64 " bytes of literals stay\n",
	       departure.pause_ns / 1000, departure.literals_left);
	dc_error_destroy(err);
	stop(&fixture);
}

static void goes_wrong(void *function, const char *name, enum dc_code code, enum dc_state state,
		       enum work work)
{
	struct fixture fixture;
	struct abi_exit exit;
	struct dc_departure departure;

	start(&fixture, work);

	struct injection *injection = borrow(&fixture, false);
	struct dc_error *err = call(injection, function, name, 1, 0, &exit);

	ok(err && err->code == code && err->state == state, "%s: %s", name,
	   err ? err->message : "returned");
	if (err && err->notes)
		printf("# %s", err->notes);
	dc_error_destroy(err);
	if (state == DC_STATE_RUNNING && code != DC_THREAD_ENDED) {
		err = call(injection, add, "add", 20, 22, &exit);
		ok(!err && exit.rax == 42, "and a call afterwards");
		dc_error_destroy(err);
	}
	err = injection_release(injection, &departure);
	ok(!err, "released after %s: %s", name, err ? err->message : "yes");
	dc_error_destroy(err);
	if (state == DC_STATE_RUNNING || state == DC_STATE_AS_LEFT)
		ok(works(&fixture, work), "it goes on after %s", name);
	stop(&fixture);
}

static void repeats(void)
{
	enum { N = 20000 };
	static int64_t times[N];
	struct fixture fixture;
	struct abi_exit exit;
	struct dc_departure departure;
	struct abi_entry entry = { .general = { 1, 2 } };

	start(&fixture, COUNTS);

	struct injection *injection = borrow(&fixture, false);
	struct dc_error *err = injection_repeat(injection, (uint64_t)(uintptr_t)add, "add", &entry,
						1000000000, N, times, &exit);
	int64_t sum = 0;

	for (int i = 0; i < N; i++)
		sum += times[i];
	ok(!err && exit.rax == 3 && shared->calls == N, "repeated: %s, %" PRIu64 " calls",
	   err ? err->message : "3", shared->calls);
	printf("# %.1f us a call\n", (double)sum / N / 1000);
	dc_error_destroy(err);
	err = injection_release(injection, &departure);
	ok(!err && works(&fixture, COUNTS), "it goes on after them");
	dc_error_destroy(err);
	stop(&fixture);
}

static void asleep_for_good(void)
{
	struct fixture fixture;
	struct abi_exit exit;
	struct dc_departure departure;

	start(&fixture, READS);

	struct injection *injection = borrow(&fixture, false);
	struct dc_error *err = call(injection, vforks, "vforks", 0, 0, &exit);

	ok(err && err->code == DC_DEADLINE && err->state == DC_STATE_IN_CALLEE,
	   "a callee that cannot be stopped: %s", err ? err->message : "returned");
	dc_error_destroy(err);
	err = injection_release(injection, &departure);
	ok(!err && departure.state == DC_STATE_IN_CALLEE, "is left to go home by itself: %s",
	   err ? err->message : "yes");
	dc_error_destroy(err);
	shared->release = 1;
	ok(works(&fixture, READS), "and does");
	stop(&fixture);
}

static void suspended(void)
{
	struct fixture fixture;
	struct abi_exit exit;
	struct dc_departure departure;

	start(&fixture, SUSPENDS);

	struct injection *injection = borrow(&fixture, false);
	struct dc_error *err = call(injection, add, "add", 1, 2, &exit);

	ok(!err && exit.rax == 3, "add(1, 2) in sigsuspend: %s", err ? err->message : "3");
	dc_error_destroy(err);
	kill(fixture.pid, SIGUSR1);
	ok(shared->calls == 1, "its signal waits until the thread is back");
	err = injection_release(injection, &departure);
	while (shared->calls < 2)
		sched_yield();
	kill(fixture.pid, SIGUSR1);
	while (shared->calls < 3 || shared->beats < 2)
		sched_yield();
	ok(!err && !shared->wrong, "and arrives with the mask that it waits with");
	dc_error_destroy(err);
	stop(&fixture);
}

static void dispatching(void)
{
	struct borrow_options options = { .wait_ns = 100000000 };
	struct fixture fixture;
	struct injection *injection;

	start(&fixture, DISPATCHES);
	while (!shared->beats)
		sched_yield();

	struct dc_error *err = injection_begin(fixture.tracer, fixture.process, NULL, NULL, NULL,
					       &options, &injection);

	ok(err && err->code == DC_REFUSED, "system calls that are dispatched: %s",
	   err ? err->message : "borrowed");
	dc_error_destroy(err);
	ok(works(&fixture, DISPATCHES), "it goes on");
	stop(&fixture);
}

static void handled_fault(bool pass)
{
	struct borrow_options options = { .wait_ns = 1000000000,
					  .pass_signals = pass ? 1 << (SIGSEGV - 1) : 0 };
	struct fixture fixture;
	struct injection *injection;
	struct abi_exit exit;
	struct dc_departure departure;

	start(&fixture, LEAVES);
	fail(injection_begin(fixture.tracer, fixture.process, NULL, NULL, NULL, &options,
			     &injection),
	     "injection_begin");

	struct dc_error *err = call(injection, touches, "touches", 0, 0, &exit);

	if (pass)
		ok(!err && exit.rax == 7, "a fault that the program handles, passed: %s",
		   err ? err->message : "7");
	else
		ok(err && err->code == DC_CRASHED && err->signo == SIGSEGV,
		   "a fault that the program handles: %s", err ? err->message : "returned");
	dc_error_destroy(err);
	err = injection_release(injection, &departure);
	ok(!err && works(&fixture, LEAVES), "it goes on");
	dc_error_destroy(err);
	stop(&fixture);
}

static void newborns(void)
{
	struct fixture fixture;
	struct abi_exit exit;
	struct dc_departure departure;

	start(&fixture, READS);

	struct injection *injection = borrow(&fixture, true);
	struct dc_error *err = call(injection, creates, "creates", 0, 0, &exit);

	ok(!err && exit.rax == 0, "a callee creates a thread: %s", err ? err->message : "yes");
	dc_error_destroy(err);
	ok(shared->beats == 0, "which does not run while all are stopped");
	err = injection_release(injection, &departure);
	ok(!err, "released: %s", err ? err->message : "yes");
	dc_error_destroy(err);
	ok(works(&fixture, COUNTS), "and runs afterwards");
	stop(&fixture);
}

static void ends_thread(void)
{
	syscall(SYS_exit, 0);
}

int main(void)
{
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	guarded = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	plain(READS, "reads");
	plain(COUNTS, "counts");
	plain(SLEEPS, "sleeps");
	goes_wrong(crash, "crash", DC_CRASHED, DC_STATE_RUNNING, READS);
	goes_wrong(abort, "abort", DC_CRASHED, DC_STATE_RUNNING, COUNTS);
	goes_wrong(overflow, "overflow", DC_CRASHED, DC_STATE_RUNNING, READS);
	goes_wrong(spin, "spin", DC_DEADLINE, DC_STATE_RUNNING, READS);
	goes_wrong(naps, "naps", DC_DEADLINE, DC_STATE_RUNNING, READS);
	goes_wrong(leave, "leave", DC_LEFT, DC_STATE_AS_LEFT, LEAVES);
	goes_wrong(execs, "execs", DC_TARGET_EXECED, DC_STATE_EXECED, READS);
	goes_wrong(_exit, "_exit", DC_TARGET_ENDED, DC_STATE_ENDED, READS);
	goes_wrong(ends_thread, "ends_thread", DC_TARGET_ENDED, DC_STATE_ENDED, READS);
	repeats();

	struct fixture fixture;
	struct abi_exit exit;
	struct dc_departure departure;

	start(&fixture, READS);

	struct injection *injection = borrow(&fixture, false);
	struct dc_error *err = call(injection, forks, "forks", 0, 0, &exit);

	ok(!err && exit.rax == 0, "a child of fork ends in the landing pad: %s",
	   err ? err->message : "yes");
	dc_error_destroy(err);
	err = injection_release(injection, &departure);
	ok(!err && works(&fixture, READS), "and the parent goes on");
	dc_error_destroy(err);
	stop(&fixture);

	asleep_for_good();
	suspended();
	dispatching();
	handled_fault(true);
	handled_fault(false);
	newborns();

	printf("1..%u\n", number);
	return failures != 0;
}
