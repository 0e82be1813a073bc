// SPDX-License-Identifier: MIT
// The frame of the tests of runtime/sync: each test of a table is run with 1, 2, 4 and 16 Ps, in
// one process per number; tests that must end the process run in one of their own. TAP on stdout.
#ifndef TESTS_RUNTIME_SYNC_H
#define TESTS_RUNTIME_SYNC_H

#include "runtime/gort.h"
#include "tests/runtime/self.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct test {
	const char *name;
	void (*run)(void);
	const char *skip; // NULL, or why it is not run
	const char *dies; // NULL, or what stderr must say when run has ended the process with 2
};

#define TEST(text, fn)                      \
	{                                   \
		.name = (text), .run = (fn) \
	}
#define SKIP(text, fn, why)                                \
	{                                                  \
		.name = (text), .run = (fn), .skip = (why) \
	}
#define DEATH(text, fn, says)                               \
	{                                                   \
		.name = (text), .run = (fn), .dies = (says) \
	}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNDER_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define UNDER_SANITIZER 1
#endif
#endif

#if defined(__SANITIZE_THREAD__)
#define UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#endif

static const char *sync_current;
static bool sync_failed;

#define MS INT64_C(1000000)

// A condition of the present test. All must hold.
#define expect(cond)                                                                         \
	do {                                                                                 \
		if (!(cond)) {                                                               \
			fprintf(stderr, "%s: line %d: %s\n", sync_current, __LINE__, #cond); \
			sync_failed = true;                                                  \
		}                                                                            \
	} while (0)

// As expect for two numbers, which are printed.
#define expect_eq(a, b)                                                                      \
	do {                                                                                 \
		long long got_ = (long long)(a), want_ = (long long)(b);                     \
		if (got_ != want_) {                                                         \
			fprintf(stderr, "%s: line %d: %s is %lld, not %lld\n", sync_current, \
				__LINE__, #a, got_, want_);                                  \
			sync_failed = true;                                                  \
		}                                                                            \
	} while (0)

#define until(cond)           \
	do {                  \
		gort_yield(); \
	} while (!(cond))

// The status of goroutine id as a traceback words it, like "waiting, chan receive".
static inline bool is_in(uint64_t id, const char *what)
{
	enum { SIZE = 1 << 20 };
	char *text = malloc(SIZE), start[64], *line, *end;
	bool found = false;

	gort_traceback(text, SIZE, true);
	snprintf(start, sizeof(start), "goroutine %llu [", (unsigned long long)id);
	line = strstr(text, start);
	if (line && (end = strchr(line, '\n'))) {
		*end = '\0';
		found = strstr(line, what) != NULL;
	}
	free(text);
	return found;
}

static inline void until_in(uint64_t id, const char *what)
{
	while (!is_in(id, what))
		gort_yield();
}

static const struct test *sync_tests;
static size_t sync_n;

static void sync_run_all(void *arg)
{
	(void)arg;
	for (size_t i = 0; i < sync_n; i++) {
		if (sync_tests[i].dies)
			continue;
		sync_current = sync_tests[i].name;
		sync_failed = false;
		if (sync_tests[i].skip) {
			printf("ok - %s # SKIP %s\n", sync_current, sync_tests[i].skip);
			continue;
		}
		sync_tests[i].run();
		printf("%s - %s (P=%s)\n", sync_failed ? "not ok" : "ok", sync_current,
		       getenv("GORTMAXPROCS"));
		fflush(stdout);
	}
}

static void sync_run_one(void *arg)
{
	((const struct test *)arg)->run();
}

// Runs this program again with arg and so many Ps. Its stdout or its stderr is read into text.
static inline int sync_again(const char *arg, const char *procs, int from_fd, char *text, size_t n)
{
	int fds[2], status;
	size_t at = 0;
	ssize_t got;
	pid_t pid;

	if (pipe(fds))
		exit(3);
	pid = fork();
	if (!pid) {
		dup2(fds[1], from_fd);
		close(fds[0]);
		close(fds[1]);
		setenv("GORTMAXPROCS", procs, 1);
		execl(self_path(), "test", arg, NULL);
		_exit(3);
	}
	close(fds[1]);
	while (at < n - 1 && (got = read(fds[0], text + at, n - 1 - at)) > 0) {
		if (from_fd == STDOUT_FILENO) {
			fwrite(text + at, 1, (size_t)got, stdout);
			fflush(stdout);
		}
		at += (size_t)got;
	}
	text[at] = '\0';
	close(fds[0]);
	while (waitpid(pid, &status, 0) < 0)
		;
	return status;
}

static inline int sync_main(int argc, char **argv, const struct test *tests, size_t n)
{
	static const char *const procs[] = { "1", "2", "4", "16" };
	static char text[1 << 20];
	const char *only = getenv("GORTMAXPROCS");
	bool failed = false;
	int planned = 0;

	sync_tests = tests;
	sync_n = n;
	if (argc > 1 && !strcmp(argv[1], "all"))
		return gort_main(sync_run_all, NULL);
	for (size_t i = 0; argc > 1 && i < n; i++)
		if (!strcmp(argv[1], tests[i].name))
			return gort_main(sync_run_one, (void *)&tests[i]);
	for (size_t i = 0; i < (only ? 1 : sizeof(procs) / sizeof(*procs)); i++) {
		const char *p = only ? only : procs[i];
		int here = 0, status = sync_again("all", p, STDOUT_FILENO, text, sizeof(text));
		for (char *line = text; (line = strstr(line, "ok - ")); line++)
			here++;
		failed |= strstr(text, "not ok") != NULL;
		for (size_t k = 0; k < n; k++)
			here -= !tests[k].dies;
		// The tests after a crash are reported as the crash.
		planned += here < 0 ? 0 : here;
		for (size_t k = 0; k < n; k++)
			planned += !tests[k].dies;
		if (WIFSIGNALED(status) || WEXITSTATUS(status) || here) {
			printf("not ok - P=%s: ended with status %#x, %d results missing\n", p,
			       status, -here);
			planned += 1 + here;
			failed = true;
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (!tests[i].dies)
			continue;
		int status = sync_again(tests[i].name, only ? only : "2", STDERR_FILENO, text,
					sizeof(text));
		bool good = WIFEXITED(status) && WEXITSTATUS(status) == 2 &&
			    strstr(text, tests[i].dies);
		printf("%s - %s\n", good ? "ok" : "not ok", tests[i].name);
		if (!good)
			fprintf(stderr, "status %#x, stderr:\n%s\n", status, text);
		failed |= !good;
		planned++;
	}
	printf("1..%d\n", planned);
	return failed;
}

#define SYNC_MAIN(tests)                                                               \
	int main(int argc, char **argv)                                                \
	{                                                                              \
		return sync_main(argc, argv, tests, sizeof(tests) / sizeof(*(tests))); \
	}

#endif
