// SPDX-License-Identifier: MIT
// A test program runs itself with an argument and looks at how that ended and what it wrote.
#ifndef TESTS_RUNTIME_FAULT_CHILD_H
#define TESTS_RUNTIME_FAULT_CHILD_H

#include "tests/runtime/self.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
static const char *const sanitized __attribute__((unused)) = "address sanitizer";
#elif defined(__SANITIZE_THREAD__)
static const char *const sanitized __attribute__((unused)) = "thread sanitizer";
#else
static const char *const sanitized __attribute__((unused)) = NULL;
#endif

struct child {
	pid_t pid;
	int fd; // reads what it writes
	int status;
	char *text;
	size_t len;
};

static int tests_run, tests_failed;

static const char *const procs[] = { "1", "2", "4", "16" };
enum { PROCS = sizeof(procs) / sizeof(procs[0]) };

__attribute__((format(printf, 3, 4), unused)) static void report(bool ok, const char *text,
								 const char *fmt, ...)
{
	va_list ap;

	printf(ok ? "ok - " : "not ok - ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	tests_run++;
	tests_failed += !ok;
	// What it wrote explains; one line of it is enough room for a grep.
	for (const char *s = ok ? NULL : text; s && *s;) {
		size_t n = strcspn(s, "\n");
		printf("# %.*s\n", (int)n, s);
		s += n + (s[n] != '\0');
	}
	fflush(stdout);
}

__attribute__((unused)) static int reported(void)
{
	printf("1..%d\n", tests_run);
	return tests_failed != 0;
}

// Starts "program mode" with NAME=VALUE settings, NULL at the end; catch is 1 or 2: the descriptor
// that is read.
__attribute__((unused)) static struct child child_start_program(const char *program,
								const char *mode, int catch, ...)
{
	struct child c = { .text = calloc(1, 1) };
	int fds[2];
	va_list ap;

	if (pipe2(fds, O_CLOEXEC))
		abort();
	// Small, so that a report which nobody reads holds its process.
	fcntl(fds[0], F_SETPIPE_SZ, 4096);
	fflush(stdout);
	c.pid = fork();
	if (c.pid == 0) {
		dup2(fds[1], catch);
		va_start(ap, catch);
		for (char *set; (set = va_arg(ap, char *));)
			putenv(set);
		va_end(ap);
		alarm(100);
		execl(program, program, mode, (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	c.fd = fds[0];
	return c;
}

#define child_start(mode, catch, ...) child_start_program(self_path(), mode, catch, __VA_ARGS__)

// Reads on until text holds what, or to the end (what == NULL). False: it ended before.
__attribute__((unused)) static bool child_read(struct child *c, const char *what)
{
	while (!what || !strstr(c->text, what)) {
		char buf[4096];
		ssize_t n = read(c->fd, buf, sizeof(buf));
		if (n <= 0)
			return false;
		c->text = realloc(c->text, c->len + (size_t)n + 1);
		memcpy(c->text + c->len, buf, (size_t)n);
		c->len += (size_t)n;
		c->text[c->len] = '\0';
	}
	return true;
}

__attribute__((unused)) static void child_end(struct child *c)
{
	child_read(c, NULL);
	close(c->fd);
	waitpid(c->pid, &c->status, 0);
}

__attribute__((unused)) static bool exited(const struct child *c, int status)
{
	return WIFEXITED(c->status) && WEXITSTATUS(c->status) == status;
}

// The part of a report that begins with this goroutine's header and ends before the next empty
// line.
__attribute__((unused)) static char *block_of(const char *text, const char *header)
{
	const char *at = text;
	const char *end;

	while ((at = strstr(at, header)) && at != text && at[-1] != '\n')
		at++;
	if (!at)
		return strdup("");
	end = strstr(at, "\n\n");
	return strndup(at, end ? (size_t)(end - at) : strlen(at));
}

__attribute__((unused)) static int count(const char *text, const char *what)
{
	int n = 0;

	for (const char *s = text; (s = strstr(s, what)); s++)
		n++;
	return n;
}

// The in-process tests of a program: once for every number of processors, as a child.
__attribute__((unused)) static void run_suites(void)
{
	for (int i = 0; i < PROCS; i++) {
		char set[32];
		struct child c;
		const char *line;
		snprintf(set, sizeof(set), "GORTMAXPROCS=%s", procs[i]);
		c = child_start("suite", 1, set, NULL);
		child_end(&c);
		line = c.text;
		while (*line) {
			size_t n = strcspn(line, "\n");
			bool ok = !strncmp(line, "ok - ", 5), bad = !strncmp(line, "not ok - ", 9);
			printf("%.*s%s%s%s\n", (int)n, line, ok || bad ? " (" : "",
			       ok || bad ? set : "", ok || bad ? ")" : "");
			tests_run += ok || bad;
			tests_failed += bad;
			line += n + (line[n] == '\n');
		}
		report(exited(&c, 0), NULL, "the suite ends well (%s)", set);
		free(c.text);
	}
}

// Frames are looked for by name: in what follows nothing is inlined, and calls stay calls.
#ifdef __clang__
#pragma clang optimize off
#else
#pragma GCC optimize("no-inline", "no-optimize-sibling-calls")
#endif

#endif
