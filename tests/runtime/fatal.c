// SPDX-License-Identifier: MIT
// valgrind: its faults on purpose are errors there
// timeout: 240 s
// The report of a dying process: complete, in stripped programs, with closed stderr, through
// further faults.
#include "runtime/gort.h"
#include "tests/runtime/fault_child.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { MANY = 2000 };

static atomic_int here;

static void waiter(void *chan)
{
	atomic_fetch_add(&here, 1);
	gort_recv(chan, NULL);
	atomic_fetch_sub(&here, 1);
}

static void waiter_too(void *chan)
{
	waiter(chan);
	atomic_load(&here);
}

static void third_waiter(void *chan)
{
	waiter_too(chan);
	atomic_load(&here);
}

static void gather(int n, const struct gort_attr *attr)
{
	gort_chan *c = gort_chan_make(0, 0);

	for (int i = 0; i < n; i++)
		gort_go_with(attr, waiter, c);
	while (atomic_load(&here) < n)
		gort_yield();
	gort_yield();
}

static void plain(void *arg)
{
	(void)arg;
	gather(3, NULL);
	gort_panic("plain");
}

static void many(void *arg)
{
	(void)arg;
	gather(MANY, NULL);
	gort_panic("many");
}

static void at_once(void *arg)
{
	(void)arg;
	gort_yield();
	gort_panic("at once");
}

static void all_at_once(void *arg)
{
	for (int i = 0; i < 100; i++)
		gort_go(at_once, arg);
	gort_recv(NULL, NULL);
}

// A label that cannot be read: printing it faults.
static void bad_label(void *arg)
{
	const char *gone = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct gort_attr attr = { .label = gone };
	int bad = (int)(long)arg;

	gather(2, NULL);
	// Each stands somewhere else, and is a group of its own.
	for (int i = 0; i < bad; i++)
		gort_go_with(&attr, i ? third_waiter : waiter_too, NULL);
	while (atomic_load(&here) < 2 + bad)
		gort_yield();
	gort_yield();
	gort_panic("bad label");
}

static void unlocked(void *arg)
{
	static gort_mutex m;

	(void)arg;
	gort_mutex_unlock(&m);
	sleep(0);
}

static void *outside(void *arg)
{
	(void)arg;
	gort_yield();
	return NULL;
}

static void labelled(void *arg)
{
	struct gort_attr attr = { .label = "the labelled one" };

	(void)arg;
	gather(1, &attr);
	gort_lock_os_thread();
	gort_panic("labelled");
}

// A library whose file has become a pipe that nobody writes: opening it never ends.
static void hanging(void *arg)
{
	const char *path = getenv("FATAL_LIBRARY");
	void *lib = dlopen(path, RTLD_NOW);
	void (*through)(void (*)(void *), void *) = lib ? dlsym(lib, "through") : NULL;

	if (!through || unlink(path) || mkfifo(path, 0600))
		_exit(99);
	through(plain, arg);
}

// ---- SIGQUIT ------------------------------------------------------------------------------------

static void quits(void *arg)
{
	(void)arg;
	gather(5, NULL);
	raise(SIGQUIT);
	_exit(98);
}

static void on_quit(int sig)
{
	_exit(90 + sig);
}

static void quits_itself(void *arg)
{
	signal(SIGQUIT, on_quit);
	quits(arg);
}

// What the program had set before the start stays.
__attribute__((constructor)) static void had_before(void)
{
	if (getenv("FATAL_QUIT"))
		signal(SIGQUIT, strcmp(getenv("FATAL_QUIT"), "ignore") ? on_quit : SIG_IGN);
}

static const struct mode {
	const char *name;
	void (*fn)(void *);
	long arg;
} modes[] = {
	{ "plain", plain, 0 },		{ "many", many, 0 },
	{ "at-once", all_at_once, 0 },	{ "bad-label", bad_label, 1 },
	{ "bad-labels", bad_label, 2 }, { "unlocked", unlocked, 0 },
	{ "quits", quits, 0 },		{ "quits-itself", quits_itself, 0 },
	{ "labelled", labelled, 0 },	{ "hanging", hanging, 0 },
};

// ---- the test -----------------------------------------------------------------------------------

static struct child run(const char *mode, const char *set, const char *debug)
{
	struct child c = child_start(mode, 2, set, debug, NULL);

	child_end(&c);
	return c;
}

// Every header is "goroutine ID [...]:" and followed by frames and by who made it.
static bool well_formed(const char *text, int expected)
{
	int n = 0;

	for (const char *at = text; (at = strstr(at, "\ngoroutine ")); at++) {
		char *block = block_of(at + 1, "goroutine ");
		char status[64] = "", end[4] = "";
		unsigned long id;
		n += sscanf(block, "goroutine %lu [%63[^]\n]%3[]:\n]", &id, status, end) == 3 &&
		     strstr(block, "]:\n\t") && strstr(block, "\ncreated by ");
		free(block);
	}
	return n == expected;
}

static void test_plain(const char *set)
{
	struct child c = run("plain", set, "GORTDEBUG=");

	report(exited(&c, 2) && strstr(c.text, "panic: plain\n") == c.text &&
		       well_formed(c.text, 2) &&
		       count(c.text, "\n3 goroutines stand here, one of them:\ngoroutine ") == 1 &&
		       count(c.text, "[waiting, chan receive, 0 s]:\n\t") == 1 &&
		       count(c.text, "created by gather+") == 1 && strstr(c.text, "\tplain+"),
	       c.text, "goroutines with state, frames and maker, equal ones once (%s)", set);
	report(strstr(c.text, "\nlines:\n") && strstr(c.text, "tests/runtime/fatal.c:") &&
		       strstr(strstr(c.text, "\nlines:\n"), " waiter tests/runtime/fatal.c:"),
	       c.text, "files and lines follow (%s)", set);
	free(c.text);
	c = run("plain", set, "GORTDEBUG=symbolise=0");
	report(exited(&c, 2) && well_formed(c.text, 2) && !strstr(c.text, "lines:"), c.text,
	       "or do not, when not wanted (%s)", set);
	free(c.text);
}

// How many goroutines a report is about, those that stand with others counted with them.
static unsigned long total(const char *text)
{
	unsigned long sum = 0;

	for (const char *at = text; (at = strstr(at, "\ngoroutine ")); at++) {
		const char *line = at;
		unsigned long n = 1;
		while (line > text && line[-1] != '\n')
			line--;
		if (sscanf(line, "%lu goroutines stand here", &n) != 1)
			n = 1;
		sum += n;
	}
	return sum;
}

static void test_many(const char *set)
{
	struct child c = run("many", set, "GORTDEBUG=");

	// One may not have come to its place yet.
	report(exited(&c, 2) && total(c.text) == MANY + 1 && count(c.text, "\ngoroutine ") <= 4,
	       NULL, "%d goroutines are all there (%s)", MANY, set);
	free(c.text);
	c = run("at-once", set, "GORTDEBUG=");
	report(exited(&c, 2) && strstr(c.text, "panic: at once\n") == c.text &&
		       count(c.text, "panic: ") == 1,
	       c.text, "of many who panic at once one reports (%s)", set);
	free(c.text);
}

static void test_again(const char *set)
{
	struct child c = run("bad-label", set, "GORTDEBUG=");

	report(exited(&c, 2) && strstr(c.text, "panic: bad label\n") == c.text &&
		       count(c.text, "\npanic during panic: ") == 1 &&
		       count(c.text, "\n2 goroutines stand here") == 1 &&
		       count(c.text, "\twaiter+") == 1,
	       c.text, "a panic during the panic: the others are still shown (%s)", set);
	free(c.text);
	c = run("bad-labels", set, "GORTDEBUG=");
	report(exited(&c, 2) && count(c.text, "\npanic during panic: ") == 1 &&
		       strstr(c.text, "\nstack trace unavailable\n"),
	       c.text, "a panic during that: the end (%s)", set);
	free(c.text);
}

static void test_stripped(const char *program)
{
	char path[] = "/tmp/gort-stripped-XXXXXX", cmd[1200];
	int fd = mkstemp(path);
	struct child c;

	close(fd);
	snprintf(cmd, sizeof(cmd), "strip -o %s %s && chmod +x %s", path, program, path);
	if (system(cmd)) {
		printf("ok - a stripped program # SKIP strip cannot be run\n");
		tests_run++;
		unlink(path);
		return;
	}
	c = child_start_program(path, "plain", 2, "GORTMAXPROCS=2", NULL);
	child_end(&c);
	report(exited(&c, 2) && strstr(c.text, "panic: plain\n") == c.text &&
		       well_formed(c.text, 2) && strstr(c.text, "]:\n\tgort-stripped-") &&
		       !strstr(c.text, "waiter"),
	       c.text, "a stripped program's places are module+offset");
	// Whoever has the file with symbols can tell them.
	snprintf(cmd, sizeof(cmd), "%s",
		 strstr(c.text, "chan receive") ? strstr(c.text, "chan receive") : "");
	bool found = false;
	for (char *at = cmd, *plus; (plus = strstr(at, path + 5)); at = plus + 1) {
		unsigned long off = 0;
		char tool[1500], name[256] = "";
		if (sscanf(plus + strlen(path + 5), "+0x%lx", &off) != 1)
			continue;
		snprintf(tool, sizeof(tool), "addr2line -f -e %s 0x%lx", program, off - 1);
		FILE *f = popen(tool, "r");
		if (f && fgets(name, sizeof(name), f))
			found |= !strcmp(name, "waiter\n");
		if (f)
			pclose(f);
	}
	report(found, c.text, "and addr2line finds them in the program before stripping");
	unlink(path);
	free(c.text);
}

static void test_hanging(void)
{
	char dir[] = "/tmp/gort-hanging-XXXXXX", path[64], set[96], cmd[256];
	struct child c;

	if (!mkdtemp(dir))
		abort();
	snprintf(path, sizeof(path), "%s/through.so", dir);
	snprintf(set, sizeof(set), "FATAL_LIBRARY=%s", path);
	snprintf(cmd, sizeof(cmd),
		 "echo 'void through(void (*f)(void *), void *a) { f(a); __asm__(\"\"); }' |"
		 " cc -shared -fPIC -O0 -x c -o %s -",
		 path);
	if (system(cmd)) {
		printf("ok - a symboliser that hangs # SKIP cc cannot be run\n");
		tests_run++;
	} else {
		c = child_start("hanging", 2, set, "GORTMAXPROCS=2", NULL);
		child_end(&c);
		report(exited(&c, 2) && well_formed(c.text, 2) && strstr(c.text, "\tthrough+") &&
			       strstr(c.text, "lines: not found in time\n"),
		       c.text, "a symboliser that hangs is given up");
		free(c.text);
		unlink(path);
	}
	rmdir(dir);
}

static void test_quit(const char *set)
{
	struct child c = run("quits", set, "GORTDEBUG=");

	report(exited(&c, 2) && strstr(c.text, "SIGQUIT: quit\n") == c.text &&
		       count(c.text, "\n5 goroutines stand here") == 1 &&
		       strstr(c.text, "\tquits+"),
	       c.text, "SIGQUIT tells where all goroutines are (%s)", set);
	free(c.text);
	c = run("quits-itself", set, "GORTDEBUG=");
	report(exited(&c, 90 + SIGQUIT), c.text, "unless the program takes it (%s)", set);
	free(c.text);
	c = run("quits", set, "FATAL_QUIT=handle");
	report(exited(&c, 90 + SIGQUIT), c.text, "or took it before the start (%s)", set);
	free(c.text);
	c = run("quits", set, "FATAL_QUIT=ignore");
	report(exited(&c, 98), c.text, "or ignores it (%s)", set);
	free(c.text);
}

static void test_closed(void)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		close(2);
		alarm(100);
		execl(self_path(), "fatal", "many", (char *)NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	report(WIFEXITED(status) && WEXITSTATUS(status) == 2, NULL,
	       "with stderr closed the status is 2");
}

static void test_misuse(const char *set)
{
	struct child c = run("unlocked", set, "GORTDEBUG=");

	report(exited(&c, 2) && strstr(c.text, "fatal error: ") == c.text &&
		       strstr(c.text, "gort_mutex_unlock") && strstr(c.text, "\tunlocked+"),
	       c.text, "a mistake of the program is named with its place (%s)", set);
	free(c.text);
	c = run("outside", set, "GORTDEBUG=");
	report(exited(&c, 2) &&
		       strstr(c.text, "fatal error: gort_yield: called on a thread that has no") ==
			       c.text,
	       c.text, "a call from a plain thread too (%s)", set);
	free(c.text);
	c = run("labelled", set, "GORTDEBUG=");
	report(exited(&c, 2) && strstr(c.text, "[running, locked to thread]:\n") &&
		       strstr(c.text, "chan receive, 0 s, \"the labelled one\"]:\n"),
	       c.text, "labels and locked threads are shown (%s)", set);
	free(c.text);
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		if (!strcmp(argv[1], "outside"))
			outside(NULL);
		for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
			if (!strcmp(argv[1], modes[i].name))
				return gort_main(modes[i].fn, (void *)modes[i].arg);
		return 127;
	}
	for (int p = 0; p < PROCS; p++) {
		char set[32];
		snprintf(set, sizeof(set), "GORTMAXPROCS=%s", procs[p]);
		test_plain(set);
		test_many(set);
		test_quit(set);
		test_again(set);
		test_misuse(set);
	}
	test_stripped(argv[0]);
	test_hanging();
	test_closed();
	return reported();
}
