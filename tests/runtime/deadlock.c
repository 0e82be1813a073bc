// SPDX-License-Identifier: MIT
// "all goroutines are asleep": reported when nobody can ever go on, and only then.
#include "runtime/gort.h"
#include "tests/runtime/fault_child.h"

#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>

static volatile int sink;

static void forever(void *arg)
{
	gort_recv(arg, NULL);
	sink = 1;
}

static void in_mutex(void *arg)
{
	gort_mutex_lock(arg);
	sink = 1;
}

static void in_park(void *arg)
{
	for (;;)
		gort_park();
	(void)arg;
}

static void alone(void *arg)
{
	forever(arg);
}

static void locked(void *arg)
{
	static gort_mutex m;

	(void)arg;
	gort_mutex_lock(&m);
	in_mutex(&m);
}

static void several(void *arg)
{
	static gort_mutex m;
	gort_chan *c = gort_chan_make(0, 0);

	(void)arg;
	gort_mutex_lock(&m);
	for (int i = 0; i < 10; i++) {
		gort_go(forever, c);
		gort_go(in_mutex, &m);
		gort_go(in_park, NULL);
	}
	forever(c);
}

static void main_exits(void *arg)
{
	gort_go(forever, arg);
	gort_exit();
}

static void nobody_left(void *arg)
{
	(void)arg;
	gort_exit();
}

static void locked_thread(void *arg)
{
	gort_lock_os_thread();
	forever(arg);
}

// ---- no deadlock --------------------------------------------------------------------------------

static void sleeper(void *c)
{
	gort_sleep(50000000);
	gort_send(c, NULL);
}

static void waits_for_timer(void *arg)
{
	gort_chan *c = gort_chan_make(0, 0);

	(void)arg;
	gort_go(sleeper, c);
	gort_recv(c, NULL);
}

static void computes(void *c)
{
	for (long i = 0; i < 100000000; i++)
		sink++;
	gort_send(c, NULL);
}

static void waits_for_loop(void *arg)
{
	gort_chan *c = gort_chan_make(0, 0);

	(void)arg;
	gort_go(computes, c);
	gort_recv(c, NULL);
}

static void reads(void *c)
{
	usleep(100000);
	gort_send(c, NULL);
}

static void waits_for_libc(void *arg)
{
	gort_chan *c = gort_chan_make(0, 0);

	(void)arg;
	gort_go(reads, c);
	gort_recv(c, NULL);
}

static void in_big(void *arg)
{
	(void)arg;
	usleep(100000);
}

static void blocks(void *c)
{
	gort_blocking(in_big, NULL);
	gort_send(c, NULL);
}

static void waits_for_blocking(void *arg)
{
	gort_chan *c = gort_chan_make(0, 0);

	(void)arg;
	gort_go(blocks, c);
	gort_recv(c, NULL);
}

// A thread that the runtime does not know may do anything: here it ends the process as well.
static void *plain_thread(void *arg)
{
	(void)arg;
	usleep(200000);
	_exit(0);
}

static void waits_for_thread(void *arg)
{
	pthread_t t;

	pthread_create(&t, NULL, plain_thread, NULL);
	forever(arg);
}

static const struct mode {
	const char *name;
	void (*fn)(void *);
	bool dead;
	const char *expect[4];
	int goroutines;
} modes[] = {
	{ "alone",
	  alone,
	  true,
	  { "goroutine 1 [waiting, chan null, 0 s]:\n", "\tforever+", "\talone+" },
	  1 },
	{ "locked", locked, true, { "goroutine 1 [waiting, mutex, 0 s]:\n", "\tin_mutex+" }, 1 },
	{ "several",
	  several,
	  true,
	  { "10 goroutines stand here", "waiting, mutex", "waiting, park", "\tin_park+" },
	  4 },
	{ "main-exits", main_exits, true, { "created by main_exits+" }, 1 },
	{ "nobody-left", nobody_left, true, { "" }, 0 },
	{ "locked-thread", locked_thread, true, { "locked to thread]:\n" }, 1 },
	{ "timer", waits_for_timer, false, { "" }, 0 },
	{ "loop", waits_for_loop, false, { "" }, 0 },
	{ "libc", waits_for_libc, false, { "" }, 0 },
	{ "blocking", waits_for_blocking, false, { "" }, 0 },
	{ "thread", waits_for_thread, false, { "" }, 0 },
};

int main(int argc, char **argv)
{
	static const char message[] = "fatal error: all goroutines are asleep - deadlock!\n";

	for (size_t i = 0; argc > 1 && i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(argv[1], modes[i].name))
			return gort_main(modes[i].fn, NULL);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		for (int p = 0; p < PROCS; p++) {
			const struct mode *mode = &modes[i];
			char set[32];
			struct child c;
			bool ok;
			snprintf(set, sizeof(set), "GORTMAXPROCS=%s", procs[p]);
#ifdef __SANITIZE_THREAD__
			if (mode->dead) {
				printf("ok - a deadlock: %s # SKIP thread sanitizer has a thread "
				       "that "
				       "might end any wait\n",
				       mode->name);
				tests_run++;
				continue;
			}
#endif
			c = child_start(mode->name, 2, set, NULL);
			child_end(&c);
			ok = exited(&c, mode->dead ? 2 : 0);
			ok = ok && (strstr(c.text, message) == c.text) == mode->dead;
			for (int j = 0; j < 4 && mode->expect[j]; j++)
				ok = ok && strstr(c.text, mode->expect[j]);
			ok = ok && count(c.text, "\ngoroutine ") == mode->goroutines;
			report(ok, c.text, "%s: %s (%s)", mode->dead ? "a deadlock" : "no deadlock",
			       mode->name, set);
			free(c.text);
		}
	return reported();
}
