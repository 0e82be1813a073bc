// SPDX-License-Identifier: MIT
// The one dialect of the tests in C; tests/harness in Python has the same words. A whole test:
//
//	// SPDX-License-Identifier: MIT
//	// What it proves.
//	#include "tests/harness/test.h"
//
//	TEST("a call gives its value")
//	{
//		struct target target = target_start("plain");
//		struct run run = debugcall("-p", target.name, "add(1, 2)");
//
//		equal(run.out, "3\n");
//	}
//
// Each test runs in a process of its own, in the order of the file, and ends at the first
// expectation that fails, on whichever thread, goroutine or stack that is. What it started dies
// with it. Arguments of the program choose tests by a part of their titles. TAP on stdout.
#ifndef TESTS_HARNESS_TEST_H
#define TESTS_HARNESS_TEST_H

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAYBE_UNUSED __attribute__((unused))

// ---- tests --------------------------------------------------------------------------------------

struct test {
	const char *title;
	void (*run)(void);
	struct test *next;
};
static struct test *test_first, **test_last = &test_first;
static char *test_skipped; // shared with the test's process: why, or empty

#define TEST(title) TEST_NUMBERED_(title, __COUNTER__)
#define TEST_NUMBERED_(title, number)                                                  \
	TEST_NAMED_(title, TEST_PASTE_(test_run_, number), TEST_PASTE_(test_, number), \
		    TEST_PASTE_(test_add_, number))
#define TEST_PASTE_(a, b)  TEST_PASTE2_(a, b)
#define TEST_PASTE2_(a, b) a##b
#define TEST_NAMED_(title_, run_, test_, add_)                     \
	static void run_(void);                                    \
	__attribute__((constructor)) static void add_(void)        \
	{                                                          \
		static struct test test_ = { title_, run_, NULL }; \
                                                                   \
		*test_last = &test_;                               \
		test_last = &test_.next;                           \
	}                                                          \
	static void run_(void)

enum { TEST_SKIPPED = 77, TEST_LIMIT = 60 /* seconds until a wait is a failure */ };

// Ends the test.
__attribute__((format(printf, 3, 4), noreturn)) MAYBE_UNUSED static void
test_fail(const char *file, int line, const char *format, ...)
{
	va_list args;

	printf("# %s:%d: ", file, line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	_exit(1);
}

#define fail(...) test_fail(__FILE__, __LINE__, __VA_ARGS__)

// Ends the test too; the reason is printed and counted.
__attribute__((format(printf, 1, 2), noreturn)) MAYBE_UNUSED static void skip(const char *format,
									      ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(test_skipped, 256, format, args);
	va_end(args);
	fflush(stdout);
	_exit(TEST_SKIPPED);
}

#define expect(condition)                               \
	do {                                            \
		if (!(condition))                       \
			fail("not so: %s", #condition); \
	} while (0)

// Two numbers, or two texts, of which either may be NULL.
#define equal(got, wanted) \
	_Generic((got), char *: equal_text, const char *: equal_text,      \
		 default: equal_number)(__FILE__, __LINE__, #got, (got), (wanted))

MAYBE_UNUSED static void equal_text(const char *file, int line, const char *what, const char *got,
				    const char *wanted)
{
	if (got == wanted || (got && wanted && !strcmp(got, wanted)))
		return;
	test_fail(file, line, "%s is \"%s\", not \"%s\"", what, got ? got : "(null)",
		  wanted ? wanted : "(null)");
}

MAYBE_UNUSED static void equal_number(const char *file, int line, const char *what, int64_t got,
				      int64_t wanted)
{
	if (got != wanted)
		test_fail(file, line, "%s is %jd (0x%jx), not %jd (0x%jx)", what, (intmax_t)got,
			  (uintmax_t)got, (intmax_t)wanted, (uintmax_t)wanted);
}

#define contains(text, part) contains_text(__FILE__, __LINE__, (text), (part))

MAYBE_UNUSED static void contains_text(const char *file, int line, const char *text,
				       const char *part)
{
	if (!text || !strstr(text, part))
		test_fail(file, line, "\"%s\" is not in \"%s\"", part, text ? text : "(null)");
}

// Waits for a condition; the limit only turns a hang into a failure.
#define until(condition)                                                            \
	do {                                                                        \
		const time_t end_ = time(NULL) + TEST_LIMIT;                        \
		while (!(condition)) {                                              \
			if (time(NULL) > end_)                                      \
				fail("not after %d s: %s", TEST_LIMIT, #condition); \
			usleep(500);                                                \
		}                                                                   \
	} while (0)

// ---- programs -----------------------------------------------------------------------------------

// A program that the test started, with both its ends of a pair of pipes.
struct target {
	pid_t pid;
	char name[16]; // the pid as a word
	int to, from; // its standard input and output
};

// The path of something that was built; good until the fourth call from now.
MAYBE_UNUSED static const char *built(const char *name)
{
	static char paths[4][4096];
	static unsigned int calls;
	char *path = paths[calls++ % 4];
	const char *root = getenv("B");

	snprintf(path, sizeof(*paths), "%s/%s", root ? root : "build/release", name);
	return path;
}

MAYBE_UNUSED static struct target target_spawn(const char *const *words)
{
	struct target target = { 0 };
	int in[2], out[2];

	expect(!pipe(in) && !pipe(out));
	fflush(stdout);
	target.pid = fork();
	expect(target.pid >= 0);
	if (!target.pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		close(in[0]);
		close(in[1]);
		close(out[0]);
		close(out[1]);
		execv(words[0], (char *const *)words);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	target.to = in[1];
	target.from = out[0];
	snprintf(target.name, sizeof(target.name), "%d", target.pid);
	return target;
}

// One of tests/targets with its arguments, once it has said "ready".
#define target_start(name_, ...)         \
	target_await_ready(target_spawn( \
		(const char *[]){ built("tests/targets/" name_), ##__VA_ARGS__, NULL }))

MAYBE_UNUSED static struct target target_await_ready(struct target target)
{
	char line[64];
	size_t n = 0;

	do {
		n = n < sizeof(line) - 1 ? n : 0;
		if (read(target.from, &line[n], 1) != 1)
			fail("the target ended before it was ready");
		n = line[n] == '\n' ? (line[n] = '\0', 0) : n + 1;
	} while (n || strcmp(line, "ready") != 0);
	return target;
}

// Kills it. It must have lived until now, and be still ours to wait for.
MAYBE_UNUSED static void target_end(struct target *target)
{
	int status;

	kill(target->pid, SIGKILL);
	close(target->to);
	close(target->from);
	equal(waitpid(target->pid, &status, 0), target->pid);
	expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

// A process that has ended.
struct run {
	int code; // the exit status, or minus the signal
	char *out, *err; // what it wrote
};

// Texts are kept until the test's process ends, so that a test need not free them.
struct run_kept {
	struct run_kept *next;
	char *text;
};
static struct run_kept *run_kept;

static inline char *run_text(FILE *file)
{
	struct run_kept *kept = calloc(1, sizeof(*kept));
	size_t size = 0;

	expect(kept);
	rewind(file);
	if (getdelim(&kept->text, &size, '\0', file) < 0) {
		free(kept->text);
		kept->text = calloc(1, 1);
	}
	fclose(file);
	kept->next = run_kept;
	run_kept = kept;
	return kept->text;
}

// words: the program and its arguments. environment: NAME=VALUE, further ones; NULL ends both.
MAYBE_UNUSED static struct run run_program(const char *const *words, const char *const *environment)
{
	FILE *out = tmpfile(), *err = tmpfile();
	int status;

	expect(out && err);
	fflush(stdout);
	pid_t pid = fork();
	expect(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (; environment && *environment; environment++)
			putenv((char *)*environment);
		dup2(fileno(out), STDOUT_FILENO);
		dup2(fileno(err), STDERR_FILENO);
		execv(words[0], (char *const *)words);
		_exit(127);
	}
	equal(waitpid(pid, &status, 0), pid);
	return (struct run){
		.code = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status),
		.out = run_text(out),
		.err = run_text(err),
	};
}

// One run of the debugger with these words.
#define debugcall(...) run_program((const char *[]){ built("debugcall"), __VA_ARGS__, NULL }, NULL)
// The same, killed by itself at its n-th ptrace, memory-write or wait call; code tells whether it
// came so far.
#define debugcall_killed_at(n, ...)                                            \
	run_program((const char *[]){ built("debugcall"), __VA_ARGS__, NULL }, \
		    killer_environment(n))

MAYBE_UNUSED static const char *const *killer_environment(int n)
{
	static char preload[4200], at[32];
	// A sanitizer wants to be the first library, and a preload is.
	static const char *const words[] = { preload, at, "ASAN_OPTIONS=verify_asan_link_order=0",
					     NULL };

	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", built("tests/call/killer.so"));
	snprintf(at, sizeof(at), "DC_KILL_AT=%d", n);
	return words;
}

// ---- the program --------------------------------------------------------------------------------

static inline bool test_chosen(const struct test *test, char *const *parts)
{
	bool chosen = !*parts;

	for (; *parts; parts++)
		chosen |= strstr(test->title, *parts) != NULL;
	return chosen;
}

// What has outlived its test, whoever started it, is a child of ours by then.
static inline void test_end_orphans(void)
{
	FILE *children;

	do {
		int pid;

		children = fopen("/proc/thread-self/children", "re");
		while (children && fscanf(children, "%d", &pid) == 1)
			kill(pid, SIGKILL);
		if (children)
			fclose(children);
	} while (waitpid(-1, NULL, children ? 0 : WNOHANG) > 0);
}

// True: it did not fail.
static inline bool test_run(const struct test *test, int number)
{
	int status = 0;

	*test_skipped = '\0';
	fflush(stdout);
	pid_t pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		test->run();
		exit(0);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	test_end_orphans();
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		printf("ok %d - %s\n", number, test->title);
	else if (WIFEXITED(status) && WEXITSTATUS(status) == TEST_SKIPPED)
		printf("ok %d - %s # SKIP %s\n", number, test->title, test_skipped);
	else if (WIFSIGNALED(status))
		printf("not ok %d - %s: %s\n", number, test->title, strsignal(WTERMSIG(status)));
	else
		printf("not ok %d - %s\n", number, test->title);
	return WIFEXITED(status) &&
	       (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == TEST_SKIPPED);
}

int main(int argc, char **argv)
{
	int n = 0, failed = 0;

	(void)argc;
	test_skipped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (test_skipped == MAP_FAILED)
		return 1;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (const struct test *test = test_first; test; test = test->next) {
		if (test_chosen(test, argv + 1))
			failed += !test_run(test, ++n);
	}
	printf("1..%d\n", n);
	return failed ? 1 : 0;
}

#endif
