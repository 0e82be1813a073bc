// SPDX-License-Identifier: MIT
// No thread, or no memory, for the runtime: gort_main says so, and later nothing ends for it.
// The program's own pthread_create takes the place of libc's and fails when it is told to.
#include "runtime/gort.h"
#include "tests/runtime/fault_child.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>

static atomic_int allowed = 1000;

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
	static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

	if (atomic_fetch_sub(&allowed, 1) <= 0)
		return EAGAIN;
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
	return real(thread, attr, fn, arg);
}

static atomic_int begun, ended;
static int fds[2];

static void nothing(void *arg)
{
	*(int *)arg = 1;
}

// The exit status of gort_main as it is documented; and nothing of it has run.
static int starts(void)
{
	int ran = 0, err = gort_main(nothing, &ran);

	if (ran)
		return 3;
	if (gort_main(nothing, &ran) != -EALREADY)
		return 4;
	return err == -EAGAIN ? 10 : err == -ENOMEM ? 11 : 5;
}

static void blocks(void *arg)
{
	char c;

	(void)arg;
	begun++;
	if (read(fds[0], &c, 1) == 1)
		ended++;
}

static void yields(void *arg)
{
	(void)arg;
	for (int i = 0; i < 1000; i++)
		gort_yield();
	ended++;
}

enum { BLOCKED = 8, YIELDING = 20 };

// Outside of the runtime: lets one go on after the other has blocked for a while.
static void *let_go(void *arg)
{
	(void)arg;
	for (int done = 0; done < 2 * BLOCKED;) {
		usleep(10 * 1000);
		if (begun == done)
			continue;
		if (write(fds[1], "x", 1) != 1)
			abort();
		done++;
	}
	return NULL;
}

static void many(int done)
{
	for (int i = 0; i < BLOCKED; i++)
		gort_go(blocks, NULL);
	for (int i = 0; i < YIELDING; i++)
		gort_go(yields, NULL);
	while (ended < done)
		gort_sleep(1000 * 1000);
}

static void goes_on(void *arg)
{
	int *status = arg;
	pthread_t thread;

	if (pthread_create(&thread, NULL, let_go, NULL))
		abort();
	pthread_detach(thread);
	allowed = 0;
	// More block than there are threads: whoever comes back does what the others left.
	many(BLOCKED + YIELDING);
	// And when there are threads again they are made.
	allowed = 1000;
	gort_lock_os_thread();
	many(2 * (BLOCKED + YIELDING));
	*status = 0;
}

static int run(const char *mode)
{
	struct rlimit limit;
	int status = 6;

	if (!strncmp(mode, "start", 5)) {
		allowed = atoi(mode + 5);
		return starts();
	}
	if (!strcmp(mode, "memory")) {
		// Nothing more than what is there already, and a little.
		limit.rlim_cur = limit.rlim_max = 8 << 20;
		if (setrlimit(RLIMIT_AS, &limit))
			return 7;
		return starts();
	}
	if (pipe(fds))
		return 7;
	gort_main(goes_on, &status);
	return status;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *mode;
		int status;
		const char *what;
	} cases[] = {
		{ "start0", 10, "not one thread: gort_main returns -EAGAIN" },
		{ "start1", 10, "only one" },
		{ "start2", 10, "two, and none for the main goroutine" },
		{ "memory", 11, "no memory: gort_main returns -ENOMEM" },
		{ "later", 0, "no more threads once it runs: those that there are go on" },
	};

	if (argc > 1)
		_exit(run(argv[1]));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct child c;

		if (sanitized && !strcmp(cases[i].mode, "memory")) {
			printf("ok - %s # SKIP %s\n", cases[i].what, sanitized);
			tests_run++;
			continue;
		}
		c = child_start(cases[i].mode, 2, "GORTMAXPROCS=4", NULL);
		child_end(&c);
		if (!exited(&c, cases[i].status))
			printf("# status %x\n", c.status);
		report(exited(&c, cases[i].status), c.text, "%s", cases[i].what);
		free(c.text);
	}
	return reported();
}
