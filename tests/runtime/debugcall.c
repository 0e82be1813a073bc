// SPDX-License-Identifier: MIT
// Debug calls led from inside the process: values, outcomes, idle threads, orphans, and many beside goroutines that
// yield and block.    timeout: 300 s
// valgrind: it takes no vector registers from what a handler changed, by which these calls are led
#include "tests/runtime/inject.h"

static struct injection injection;
static struct worker worker;

static void prepare(void *callee)
{
	prepare_in(&injection, callee);
}

static void inject(void)
{
	struct injection wanted = injection;

	// What a sanitizer does between two instructions is no safe point.
	for (;;) {
		inject_into(&injection, (int)worker.tid);
		if (injection.client.outcome != CLIENT_GOT_REFUSED ||
		    strcmp(injection.text, debugcall_refusal_text(DEBUGCALL_NOT_SAFE)))
			break;
		injection = wanted;
	}
}

static const char *outcome(void)
{
	return client_outcome_name(injection.client.outcome);
}

static void check(const char *name, bool good)
{
	bool on = goes_on(&worker);

	report(good && on && !injection.wrong_threads, name,
	       "%s, rax %#lx, text \"%s\", %d handshakes, %d on the wrong thread, worker %s",
	       outcome(), injection.rax, injection.text, injection.handshakes,
	       injection.wrong_threads, on ? "fine" : "damaged");
}

// ---- the callees --------------------------------------------------------------------------------

static uint64_t six(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f;
}

static double scale(double x, double y)
{
	errno = EDOM;
	return x * y;
}

struct large {
	uint64_t word[128];
};

static struct large increment(struct large in)
{
	for (int i = 0; i < 128; i++)
		in.word[i]++;
	return in;
}

static uint64_t deep(uint64_t n)
{
	volatile char page[512];

	page[0] = (char)n;
	return n ? deep(n - 1) + 1 : (uint64_t)page[0];
}

static void panics(void)
{
	gort_panic("no %s", "good");
}

static void crashes(void)
{
	// In assembly: sanitizers would report what is meant to happen.
	__asm__ volatile("movl $1, 16");
}

static void exits(void)
{
	gort_exit();
}

static uint64_t stops_the_world(void)
{
	int n = gort_gomaxprocs(0);

	gort_gomaxprocs(n + 1);
	gort_gomaxprocs(n);
	return (uint64_t)n;
}

static gort_chan *ping, *pong;

static uint64_t channels(void)
{
	uint64_t value = 7, answer = 0;

	for (int i = 0; i < 10; i++) {
		gort_send(ping, &value);
		gort_recv(pong, &answer);
		value = answer;
	}
	gort_yield();
	return value;
}

static void echo(void *arg)
{
	uint64_t value;

	(void)arg;
	while (gort_recv(ping, &value) == 0) {
		value++;
		gort_send(pong, &value);
	}
}

static uint64_t unlocks(void)
{
	gort_unlock_os_thread();
	gort_unlock_os_thread();
	gort_yield();
	return 1;
}

static void blocks_and_panics(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	gort_panic("blocked");
}

static sigset_t mask_seen;
static uint32_t looked;

static void look_at_mask(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)info;
	mask_seen = ((ucontext_t *)context)->uc_sigmask;
	__atomic_store_n(&looked, 1, __ATOMIC_RELEASE);
}

// Whether it is on the same thread at every turn, after a tie of its own has begun and ended.
static uint64_t stays(void)
{
	long tid = syscall(SYS_gettid);
	uint64_t same = 1;

	gort_lock_os_thread();
	gort_unlock_os_thread();
	for (int i = 0; i < 20; i++) {
		gort_sleep(20 * 1000);
		same &= syscall(SYS_gettid) == tid;
	}
	return same;
}

// ---- the tests ----------------------------------------------------------------------------------

static void registers(void)
{
	prepare(six);
	for (uint64_t i = 0; i < 6; i++)
		injection.general[i] = i + 1;
	inject();

	check("registers in and out (TestDebugCall): integers",
	      injection.client.outcome == CLIENT_GOT_RETURNED && injection.rax == 91 &&
		      injection.handshakes == 3);
	prepare(scale);
	injection.vector[0] = 2.5;
	injection.vector[1] = 4;
	inject();
	check("registers in and out (TestDebugCall): floats",
	      injection.client.outcome == CLIENT_GOT_RETURNED && injection.xmm0 == 10);
}

static void large_frame(void)
{
	prepare(increment);
	injection.size = 2048 + 512;
	injection.stack_words = 128;
	injection.take_frame = true;
	for (uint64_t i = 0; i < 128; i++)
		injection.stack[i] = i * 3;

	// The result's address is known only at ready; a static place serves as well.
	static struct large result;
	injection.general[0] = (uint64_t)(uintptr_t)&result;
	bool equal = true;

	inject();

	for (uint64_t i = 0; i < 128; i++)
		equal &= result.word[i] == i * 3 + 1;
	check("a frame of 2,048 bytes (TestDebugCallLarge)",
	      equal && injection.rax == injection.general[0]);
}

static void outcomes(void)
{
	prepare(deep);
	injection.general[0] = 60;
	inject();
	check("a callee that uses much stack (TestDebugCallGrowStack)", injection.rax == 60);

	prepare(panics);
	inject();
	check("a panic (TestDebugCallPanic)", injection.client.outcome == CLIENT_GOT_PANICKED &&
						      !injection.exited &&
						      !strcmp(injection.text, "no good"));

	prepare(crashes);
	inject();
	check("a crash is a panic by a signal",
	      injection.client.outcome == CLIENT_GOT_PANICKED && !injection.exited);

	prepare(exits);
	inject();
	check("gort_exit", injection.client.outcome == CLIENT_GOT_PANICKED && injection.exited);

	struct sigaction look = { .sa_sigaction = look_at_mask,
				  .sa_flags = SA_SIGINFO | SA_ONSTACK };

	prepare(blocks_and_panics);
	inject();
	sigaction(SIGWINCH, &look, NULL);
	syscall(SYS_tgkill, getpid(), worker.tid, SIGWINCH);
	while (!__atomic_load_n(&looked, __ATOMIC_ACQUIRE))
		sched_yield();
	check("the mask of a callee that panics is not left to its caller",
	      injection.client.outcome == CLIENT_GOT_PANICKED && !sigismember(&mask_seen, SIGUSR2));

	prepare(stops_the_world);
	inject();
	check("a callee that stops the world (TestDebugCallGC)",
	      injection.client.outcome == CLIENT_GOT_RETURNED && injection.rax);

	prepare(channels);
	inject();
	check("channels and yields stay on the thread",
	      injection.client.outcome == CLIENT_GOT_RETURNED && injection.rax == 17);

	prepare(unlocks);
	inject();
	check("the callee cannot unlock the thread", injection.rax == 1);
}

static void refusals(void)
{
	prepare(six);
	injection.size = DEBUGCALL_FRAME_MAX + 1;
	inject();
	check("refused: call frame too large",
	      injection.client.outcome == CLIENT_GOT_REFUSED &&
		      !strcmp(injection.text, "call frame too large"));

	prepare(six);
	injection.size = DEBUGCALL_FRAME_MAX;
	inject();
	check("65,536 bytes are accepted", injection.client.outcome == CLIENT_GOT_RETURNED);

	// Declined: the time is up before the host is ready.
	prepare(six);
	client_step(&injection.client, CLIENT_ON_DEADLINE, 0);
	inject();
	check("declined",
	      injection.client.outcome == CLIENT_GOT_DECLINED && injection.handshakes == 2);
}

static void nap(void *arg)
{
	(void)arg;
	gort_sleep(1000000);
}

// Walks the list of threads as a debugger does, and calls on one that sleeps without work.
static void inject_idle(void)
{
	const struct debugcall_m *at = &debugcall_descriptor.m;

	injection.where = AT_IDLE;
	for (;;) {
		// Threads without work need goroutines that had some.
		for (int i = 0; i < 4; i++)
			gort_go(nap, NULL);
		gort_yield();
		for (char *m = *(char **)(uintptr_t)debugcall_descriptor.all_m; m;
		     m = *(char **)(m + at->next)) {
			int tid = *(volatile int *)(m + at->tid);

			if (!tid || *(void *volatile *)(m + at->current) ||
			    !send_to(&injection, tid))
				continue;
			if (await(&injection) == DONE &&
			    injection.client.outcome != CLIENT_GOT_REFUSED)
				return;
			memset(&injection.client, 0, sizeof(injection.client));
		}
	}
}

static void idle(void)
{
	int n = getenv("DC_CAMPAIGN") ? 2000 : 100, bad = 0, before = gort_gomaxprocs(4);

	for (int i = 0; i < n; i++) {
		bool use_channels = i % 4 == 0;

		prepare(use_channels ? (void *)channels : (void *)six);
		injection.general[0] = (uint64_t)i;
		inject_idle();
		if (injection.client.outcome != CLIENT_GOT_RETURNED ||
		    injection.rax != (use_channels ? 17 : (uint64_t)i))
			bad++;
	}
	check("an idle thread is a safe point", !bad);
	for (int i = bad = 0; i < n; i++) {
		prepare(stays);
		inject_idle();
		bad += injection.client.outcome != CLIENT_GOT_RETURNED || injection.rax != 1;
	}
	check("a callee on an idle thread cannot unlock it", !bad);
	prepare(panics);
	inject_idle();
	check("a panic on an idle thread", injection.client.outcome == CLIENT_GOT_PANICKED &&
						   !strcmp(injection.text, "no good"));
	gort_gomaxprocs(before);
}

// Nobody swallows the handshake: the host goes home without a word.
static void orphan(void)
{
	uint64_t client = debugcall_descriptor.client;
	struct sigaction now;

	__atomic_store_n(&debugcall_descriptor.client, 0, __ATOMIC_RELAXED);
	for (int i = 0; i < 100; i++) {
		prepare(six);
		send_to(&injection, (int)worker.tid);
		goes_on(&worker);
	}
	sigaction(SIGINT, NULL, &now);
	prepare(six);
	injection.tid = (int)worker.tid;
	check("an orphan goes home, and the disposition of SIGINT is what it was",
	      now.sa_handler == SIG_DFL);
	__atomic_store_n(&debugcall_descriptor.client, client, __ATOMIC_RELAXED);
}

static _Atomic bool churn_stop;

static void churn(void *arg)
{
	gort_chan *c = gort_chan_make(8, 1);
	uint64_t value = (uintptr_t)arg;

	while (!churn_stop) {
		gort_send(c, &value);
		gort_yield();
		gort_recv(c, &value);
		gort_sleep(1000);
	}
	gort_chan_release(c);
}

static void many(void)
{
	int n = getenv("DC_CAMPAIGN") ? 100000 : 1000, wrong = 0, bad = 0;

	for (uintptr_t i = 0; i < 8; i++)
		gort_go(churn, (void *)i);
	for (int i = 0; i < n; i++) {
		bool use_channels = i % 16 == 0;
		prepare(use_channels ? (void *)channels : (void *)six);
		injection.general[0] = (uint64_t)i;
		inject();
		if (injection.client.outcome != CLIENT_GOT_RETURNED ||
		    (!use_channels && injection.rax != (uint64_t)i))
			if (!bad++)
				printf("# the first that failed: %s, \"%s\"\n", outcome(),
				       injection.text);
		wrong += injection.wrong_threads;
	}
	churn_stop = true;
	injection.wrong_threads = wrong;
	printf("# %d injections\n", n);
	check("every status of many injections on the thread where the call began", !bad && !wrong);
}

static void main_goroutine(void *arg)
{
	(void)arg;
	ping = gort_chan_make(8, 0);
	pong = gort_chan_make(8, 0);
	gort_gomaxprocs(gort_gomaxprocs(0) < 2 ? 2 : 0);
	gort_go(echo, NULL);
	gort_go(spin, &worker);
	while (!worker.tid)
		gort_yield();
	registers();
	large_frame();
	outcomes();
	refusals();
	idle();
	orphan();
	many();
	worker.stop = 1;
}

int main(void)
{
#ifdef __SANITIZE_THREAD__
	printf("1..0 # SKIP TSan holds the signals back that lead these calls\n");
	return 0;
#endif
	inject_init();
	gort_main(main_goroutine, NULL);
	printf("1..%d\n", count);
	return failures ? 1 : 0;
}
