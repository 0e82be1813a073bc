// SPDX-License-Identifier: MIT
// One figure of libgort per run: "gort_micro NAME" prints numbers, in the unit that gort.py says.
#include "runtime/gort.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	YIELDS = 3000000,
	BATCH = 1000,
	BATCHES = 300,
	TRIPS = 1000000,
	ITEMS = 2000000,
	PRODUCERS = 4,
	SLEEPERS = 100000,
	SAMPLES = 1001,
};

static gort_wg wg;
static long parameter;

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void print_percentiles(int64_t *samples, int n)
{
	qsort(samples, (size_t)n, sizeof(*samples), by_size);
	printf("%ld %ld\n", samples[n / 2], samples[(long)n * 99 / 100]);
}

// ---- switching ----------------------------------------------------------------------------------

static void yielder(void *arg)
{
	for (long n = (long)arg; n; n--)
		gort_yield();
	gort_wg_done(&wg);
}

static void yields(void)
{
	long n = parameter ? parameter : YIELDS;
	int64_t start;

	for (int round = 0; round < 2; round++) {
		start = gort_now();
		gort_wg_add(&wg, 2);
		gort_go(yielder, (void *)n);
		gort_go(yielder, (void *)n);
		gort_wg_wait(&wg);
	}
	printf("%.2f\n", (double)(gort_now() - start) / (2.0 * (double)n));
}

static void child(void *arg)
{
	(void)arg;
	gort_wg_done(&wg);
}

static void spawn(void)
{
	int64_t start = 0;

	for (int batch = -BATCHES / 3; batch < BATCHES; batch++) {
		if (batch == 0)
			start = gort_now();
		gort_wg_add(&wg, BATCH);
		for (int i = 0; i < BATCH; i++)
			gort_go(child, NULL);
		gort_wg_wait(&wg);
	}
	printf("%.1f\n", (double)(gort_now() - start) / ((double)BATCHES * BATCH));
}

static gort_chan *ping, *pong;

static void answer(void *arg)
{
	long v;

	(void)arg;
	while (!gort_recv(ping, &v))
		gort_send(pong, &v);
	gort_wg_done(&wg);
}

static void trips(void)
{
	long n = parameter ? parameter : TRIPS;
	int64_t start = 0;

	ping = gort_chan_make(sizeof(long), 0);
	pong = gort_chan_make(sizeof(long), 0);
	gort_wg_add(&wg, 1);
	gort_go(answer, NULL);
	for (long i = -n / 10, v; i < n; i++) {
		if (i == 0)
			start = gort_now();
		gort_send(ping, &i);
		gort_recv(pong, &v);
	}
	printf("%.1f\n", (double)(gort_now() - start) / (double)n);
	gort_close(ping);
	gort_wg_wait(&wg);
}

static gort_chan *items;

static void produce(void *arg)
{
	for (long i = (long)arg; i; i--)
		gort_send(items, &i);
	gort_wg_done(&wg);
}

static gort_wg consumers;

static void consume(void *arg)
{
	long v;

	(void)arg;
	while (!gort_recv(items, &v))
		;
	gort_wg_done(&consumers);
}

static void mpmc(void)
{
	int64_t start = 0;

	for (int round = 0; round < 2; round++) {
		start = gort_now();
		items = gort_chan_make(sizeof(long), 128);
		gort_wg_add(&wg, PRODUCERS);
		gort_wg_add(&consumers, PRODUCERS);
		for (int i = 0; i < PRODUCERS; i++) {
			gort_go(consume, NULL);
			gort_go(produce, (void *)(long)(ITEMS / PRODUCERS));
		}
		gort_wg_wait(&wg);
		gort_close(items);
		gort_wg_wait(&consumers);
		gort_chan_release(items);
	}
	printf("%.1f\n", (double)(gort_now() - start) / ITEMS);
}

// ---- many ---------------------------------------------------------------------------------------

static long status_kib(const char *name)
{
	char line[256];
	long kib = 0;
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)))
			kib = atol(line + strlen(name));
	if (f)
		fclose(f);
	return kib;
}

static atomic_long here;
static gort_chan *gate;

static void parked(void *arg)
{
	(void)arg;
	atomic_fetch_add(&here, 1);
	gort_recv(gate, NULL);
}

static void park(long n)
{
	gate = gort_chan_make(0, 0);
	for (long i = 0; i < n; i++)
		if (!gort_go(parked, NULL))
			abort();
	while (atomic_load(&here) < n)
		gort_yield();
	gort_yield();
}

static void memory(void)
{
	long n = parameter ? parameter : 1000000;
	long before = status_kib("VmRSS:") + status_kib("VmPTE:");

	park(n);
	printf("%.0f\n",
	       (double)(status_kib("VmRSS:") + status_kib("VmPTE:") - before) * 1024 / (double)n);
}

static int64_t lateness[SLEEPERS];
static int64_t base;

static void sleeper(void *arg)
{
	long i = (long)arg;
	int64_t due = base + 500000000 + (int64_t)(i * 7919 % SLEEPERS) * (1000000000 / SLEEPERS);

	gort_sleep(due - gort_now());
	lateness[i] = gort_now() - due;
	gort_wg_done(&wg);
}

static void sleepers(void)
{
	gort_wg_add(&wg, SLEEPERS);
	base = gort_now();
	for (long i = 0; i < SLEEPERS; i++)
		gort_go(sleeper, (void *)i);
	gort_wg_wait(&wg);
	print_percentiles(lateness, SLEEPERS);
}

// ---- taking Ps ----------------------------------------------------------------------------------

static atomic_int quit;

static void loop(void *arg)
{
	(void)arg;
	while (!atomic_load_explicit(&quit, memory_order_relaxed))
		;
	gort_wg_done(&wg);
}

// A loop gets the only P; the time until the yielder has it again.
static void preempt(void)
{
	static int64_t samples[101];
	enum { N = sizeof(samples) / sizeof(samples[0]) };

	for (int i = 0; i < N; i++) {
		int64_t start = gort_now();
		atomic_store(&quit, 0);
		gort_wg_add(&wg, 1);
		gort_go(loop, NULL);
		gort_yield();
		samples[i] = gort_now() - start;
		atomic_store(&quit, 1);
		gort_wg_wait(&wg);
	}
	print_percentiles(samples, N);
}

static int pipe_fds[2];
static _Atomic int64_t blocked_at;

static void reader(void *arg)
{
	char c;

	(void)arg;
	atomic_store(&blocked_at, gort_now());
	if (read(pipe_fds[0], &c, 1) != 1)
		abort();
	gort_wg_done(&wg);
}

static void handoff(void)
{
	static int64_t samples[201];
	enum { N = sizeof(samples) / sizeof(samples[0]) };

	if (pipe(pipe_fds))
		abort();
	for (int i = 0; i < N; i++) {
		gort_wg_add(&wg, 1);
		gort_go(reader, NULL);
		gort_yield();
		samples[i] = gort_now() - atomic_load(&blocked_at);
		if (write(pipe_fds[1], "x", 1) != 1)
			abort();
		gort_wg_wait(&wg);
	}
	print_percentiles(samples, N);
}

// ---- the world ----------------------------------------------------------------------------------

static void stops(void)
{
	static int64_t samples[SAMPLES];

	for (int i = 0; i < SAMPLES; i++) {
		int64_t start = gort_now();
		gort_gomaxprocs(2 + (i & 1));
		samples[i] = gort_now() - start;
	}
	print_percentiles(samples, SAMPLES);
}

static void stops_busy(void)
{
	gort_wg_add(&wg, 2);
	gort_go(loop, NULL);
	gort_go(loop, NULL);
	gort_sleep(20000000);
	stops();
	atomic_store(&quit, 1);
	gort_wg_wait(&wg);
}

static void locked(void *arg)
{
	(void)arg;
	gort_lock_os_thread();
	atomic_fetch_add(&here, 1);
	gort_recv(gate, NULL);
}

static void all_threads(void)
{
	static int64_t samples[SAMPLES];

	gate = gort_chan_make(0, 0);
	for (int i = 0; i < 9; i++)
		gort_go(locked, NULL);
	while (atomic_load(&here) < 9)
		gort_yield();
	for (int i = 0; i < SAMPLES; i++) {
		int64_t start = gort_now();
		long ret = gort_all_threads_syscall(SYS_getpid, 0, 0, 0);
		samples[i] = gort_now() - start;
		if (ret != getpid()) {
			printf("-\n");
			return;
		}
	}
	print_percentiles(samples, SAMPLES);
}

static void nothing(void *arg)
{
	(void)arg;
}

static int64_t callback_first[51], callback_later[51];
static atomic_int callback_error;

static void *foreign(void *arg)
{
	int i = (int)(long)arg;
	int64_t start = gort_now();

	if (gort_callback(nothing, NULL))
		atomic_store(&callback_error, 1);
	callback_first[i] = gort_now() - start;
	start = gort_now();
	for (int k = 0; k < 1000; k++)
		gort_callback(nothing, NULL);
	callback_later[i] = (gort_now() - start) / 1000;
	return NULL;
}

static void run_threads(void *arg)
{
	(void)arg;
	for (long i = 0; i < 51; i++) {
		pthread_t t;
		pthread_create(&t, NULL, foreign, (void *)i);
		pthread_join(t, NULL);
	}
}

static void callbacks(void)
{
	gort_blocking(run_threads, NULL);
	if (callback_error) {
		printf("-\n");
		return;
	}
	qsort(callback_first, 51, sizeof(int64_t), by_size);
	qsort(callback_later, 51, sizeof(int64_t), by_size);
	printf("%ld %ld\n", callback_first[25], callback_later[25]);
}

static void traces(void)
{
	static int64_t samples[11];
	const size_t size = 64 << 20;
	char *text = malloc(size);
	size_t len = 0;

	park(100000);
	for (int i = 0; i < 11; i++) {
		int64_t start = gort_now();
		len = gort_traceback(text, size, true);
		samples[i] = gort_now() - start;
	}
	if (len < 100000 * 40)
		abort();
	print_percentiles(samples, 11);
}

static void profile(void)
{
	static int64_t samples[11];
	static struct gort_stack stacks[16];
	uint64_t sum = 0;

	park(100000);
	for (int i = 0; i < 11; i++) {
		int64_t start = gort_now();
		ssize_t n = gort_profile(stacks, 16);
		samples[i] = gort_now() - start;
		sum = 0;
		for (ssize_t k = 0; k < n && k < 16; k++)
			sum += stacks[k].count;
	}
	if (sum < 100000)
		abort();
	print_percentiles(samples, 11);
}

static void panics(void *arg)
{
	(void)arg;
	gort_panic("x");
}

static void catches(void)
{
	int64_t start = gort_now();

	for (int i = 0; i < 300000; i++)
		gort_try(panics, NULL, NULL);
	printf("%.1f\n", (double)(gort_now() - start) / 300000);
}

static const struct {
	const char *name;
	void (*fn)(void);
} benches[] = {
	{ "yield", yields },
	{ "spawn", spawn },
	{ "trip", trips },
	{ "mpmc", mpmc },
	{ "memory", memory },
	{ "sleepers", sleepers },
	{ "preempt", preempt },
	{ "handoff", handoff },
	{ "stops", stops },
	{ "stops-busy", stops_busy },
	{ "all-threads", all_threads },
	{ "callback", callbacks },
	{ "traces", traces },
	{ "profile", profile },
	{ "panic", catches },
};

static void run(void *name)
{
	for (size_t i = 0; i < sizeof(benches) / sizeof(benches[0]); i++)
		if (!strcmp(name, benches[i].name))
			benches[i].fn();
	fflush(stdout);
	// What is parked ends here: a million stacks need not be unmapped for the figure.
	_exit(0);
}

int main(int argc, char **argv)
{
	parameter = argc > 2 ? atol(argv[2]) : 0;
	return argc > 1 ? gort_main(run, argv[1]) : 2;
}
