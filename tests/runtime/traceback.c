// SPDX-License-Identifier: MIT
// gort_traceback of one's own stack and of all, while goroutines run, block, come and go.
#include "runtime/gort.h"
#include "tests/runtime/fault_child.h"

#include <poll.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#ifdef __SANITIZE_THREAD__
enum { TEXT = 4 << 20, MANY = 1000 }; // it knows 8,128 at most
#else
enum { TEXT = 4 << 20, MANY = 10000 };
#endif

static char *text;
static atomic_int here, quit;
static atomic_int sink;

static size_t all(void)
{
	return gort_traceback(text, TEXT, true);
}

// ---- shapes of stacks ---------------------------------------------------------------------------

static void in_recv(void *c)
{
	atomic_fetch_add(&here, 1);
	gort_recv(c, NULL);
	atomic_fetch_sub(&here, 1);
}

// Compiled to a jump, the call leaves no frame.
static void ends_in_recv(void *c)
{
	gort_recv(c, NULL);
}

static void in_send(void *c)
{
	gort_send(c, NULL);
	sink = 1;
}

static void in_mutex(void *m)
{
	gort_mutex_lock(m);
	gort_mutex_unlock(m);
}

static void in_select(void *c)
{
	struct gort_case cases[] = { { c, GORT_RECV, NULL, 0 } };

	gort_select(cases, 1, GORT_FOREVER);
	sink = 1;
}

static void in_sleep(void *arg)
{
	(void)arg;
	while (!atomic_load(&quit))
		gort_sleep(10000000);
}

static void in_spin(void *arg)
{
	(void)arg;
	atomic_fetch_add(&here, 1);
	while (!atomic_load(&quit))
		sink++;
	atomic_fetch_sub(&here, 1);
}

static atomic_int woken = -1;

static void in_poll(void *fds)
{
	struct pollfd p = { ((int *)fds)[0], POLLIN, 0 };

	atomic_store(&here, (int)syscall(SYS_gettid));
	woken = poll(&p, 1, 60000);
	atomic_store(&here, 0);
}

static void big_frame(void *fds)
{
	in_poll(fds);
	sink = 1;
}

static void in_blocking(void *fds)
{
	gort_blocking(big_frame, fds);
	sink = 1;
}

static void recurse(int n)
{
	volatile char frame[64];

	frame[0] = (char)n;
	if (n)
		recurse(n - 1);
	else
		gort_traceback(text, TEXT, false);
	sink = frame[0];
}

static uint64_t start(void (*fn)(void *), void *arg)
{
	return gort_go(fn, arg);
}

static bool has(uint64_t id, const char *state, const char *frame)
{
	char header[64], *block;
	bool ok;

	snprintf(header, sizeof(header), "goroutine %lu [", id);
	block = block_of(text, header);
	ok = strstr(block, state) && strstr(block, frame) && strstr(block, "\ncreated by start+") &&
	     strstr(block, " in goroutine 1");
	free(block);
	return ok;
}

static bool asleep(int tid)
{
	char path[64], line[512] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	f = fopen(path, "r");
	if (f && !fgets(line, sizeof(line), f))
		line[0] = '\0';
	if (f)
		fclose(f);
	return strrchr(line, ')') && strrchr(line, ')')[2] == 'S';
}

static void ended(uint64_t id)
{
	while (gort_ready(id) != -ESRCH)
		gort_yield();
}

static gort_wg churn_wg;
static atomic_int bad;

// Everybody looks at everybody while all of them park and end.
static void churn(void *arg)
{
	char *buf = malloc(1 << 16);

	for (int i = 0; i < 10; i++) {
		size_t n = gort_traceback(buf, 1 << 16, (i + (long)arg) % 3 == 0);
		if (strlen(buf) != n || strncmp(buf, "goroutine ", 10) || !strstr(buf, "\tchurn+"))
			atomic_fetch_add(&bad, 1);
		start(in_recv, NULL);
		gort_yield();
	}
	free(buf);
	gort_wg_done(&churn_wg);
}

static void test_states(void)
{
	gort_chan *c = gort_chan_make(0, 0), *full = gort_chan_make(0, 0);
	static gort_mutex m;
	uint64_t recv = start(in_recv, c), send = start(in_send, full), sel = start(in_select, c);
	uint64_t nap = start(in_sleep, NULL), lock, never = start(in_recv, NULL);
	uint64_t last = start(ends_in_recv, c);

	gort_mutex_lock(&m);
	lock = start(in_mutex, &m);
	// Each has run when it waits: the last of them in every queue says so by its state.
	do {
		gort_yield();
		all();
	} while (!has(recv, "[waiting, chan receive, ", "\tin_recv+") ||
		 !has(last, "[waiting, chan receive, ", "\tends_in_recv+") ||
		 !has(send, "[waiting, chan send, ", "\tin_send+") ||
		 !has(sel, "[waiting, select, ", "\tin_select+") ||
		 !has(nap, "[waiting, sleep, ", "\tin_sleep+") ||
		 !has(lock, "[waiting, mutex, ", "\tin_mutex+") ||
		 !has(never, "[waiting, chan null, ", "\tin_recv+"));
	report(true, NULL, "every goroutine is shown with what it waits for");
	report(!strncmp(text, "goroutine 1 [running]:\n\tgort_traceback+", 39), text,
	       "the caller comes first");
	atomic_store(&quit, 1);
	gort_mutex_unlock(&m);
	gort_close(c);
	gort_recv(full, NULL);
	ended(recv);
	ended(last);
	ended(send);
	ended(sel);
	ended(lock);
	ended(nap);
	atomic_store(&quit, 0);
	all();
	char header[64];
	snprintf(header, sizeof(header), "goroutine %lu [", recv);
	report(!strstr(text, header), text, "ended ones are not");
	gort_chan_release(c);
	gort_chan_release(full);
}

static void test_running(void)
{
	int fds[2], base = atomic_load(&here);
	uint64_t spin, block;

	spin = start(in_spin, NULL);
	while (atomic_load(&here) != base + 1)
		gort_yield();
	all();
	// Off its CPU it may not answer in time, and says so.
	while (has(spin, "[running]:\n",
		   "\tgoroutine running on other thread; stack unavailable\n"))
		all();
	// With one P it may wait in SIGURG's handler for its turn.
	report(has(spin, "[running]:\n", "\tin_spin+") ||
		       has(spin, "[runnable, paused]:\n", "\tin_spin+"),
	       text, "a loop without calls is shown");
	atomic_store(&quit, 1);
	ended(spin);
	atomic_store(&quit, 0);

	if (pipe(fds))
		abort();
	atomic_store(&here, 0);
	block = start(in_poll, fds);
	while (!atomic_load(&here) || !asleep(atomic_load(&here)))
		gort_yield();
	all();
	report(has(block, "[running]:\n", "stack unavailable\n"), text,
	       "a goroutine in a system call is left alone");
	if (write(fds[1], "x", 1) != 1)
		abort();
	ended(block);
	report(woken == 1, NULL, "and its poll is not interrupted");
	block = start(in_blocking, fds);
	ended(block);
	if (read(fds[0], &base, 1) != 1)
		abort();
	block = start(in_blocking, fds);
	while (!atomic_load(&here) || !asleep(atomic_load(&here)))
		gort_yield();
	all();
	report(has(block, "[blocking]:\n\tgort_blocking+", "\tin_blocking+"), text,
	       "one in gort_blocking is shown up to there");
	if (write(fds[1], "x", 1) != 1)
		abort();
	ended(block);
	atomic_store(&here, 0);
	close(fds[0]);
	close(fds[1]);
}

static void test_sizes(void)
{
	char small[32];
	size_t n;

	memset(small, 'x', sizeof(small));
	n = gort_traceback(small, 10, false);
	report(n == 9 && !memcmp(small, "goroutine", 10) && small[10] == 'x', small,
	       "a small buffer is filled and terminated");
	report(gort_traceback(small, 1, true) == 0 && !small[0], small, "one byte is for the end");
	small[0] = 'x';
	report(gort_traceback(small, 0, true) == 0 && small[0] == 'x', small, "no byte: nothing");
	report(gort_traceback(NULL, 0, false) == 0, NULL, "not even a buffer");
	recurse(30);
	report(count(text, "\trecurse+") == 31, text, "thirty frames are all shown");
	recurse(200);
	report(count(text, "\trecurse+") > 90 && count(text, "\trecurse+") < 100 &&
		       strstr(text, " frames not shown ...\n") && strstr(text, "\tsuite+"),
	       text, "of two hundred the ends");
}

static void suite(void *arg)
{
	gort_chan *c = gort_chan_make(0, 0);

	(void)arg;
	text = malloc(TEXT);
	test_sizes();
	test_states();
	test_running();
	for (int i = 0; i < MANY; i++)
		start(in_recv, c);
	while (atomic_load(&here) != MANY)
		gort_yield();
	gort_yield();
	all();
	report(count(text, "\tin_recv+") >= MANY && count(text, "\ncreated by start+") >= MANY,
	       NULL, "%d goroutines", MANY);
	gort_close(c);
	while (atomic_load(&here))
		gort_yield();
	gort_wg_add(&churn_wg, 40);
	for (long i = 0; i < 40; i++)
		gort_go(churn, (void *)i);
	gort_wg_wait(&churn_wg);
	report(bad == 0, NULL, "forty look at all while all change");
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "suite")) {
		gort_main(suite, NULL);
		return tests_failed != 0;
	}
	run_suites();
	return reported();
}
