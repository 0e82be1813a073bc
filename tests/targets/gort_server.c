// SPDX-License-Identifier: MIT
// A program on libgort that notices every trace a debug call leaves: goroutines that compute with every
// register live, and goroutines that pass a token on through channels.
//
//   gort_server PAGE [SPINNERS [handle|ignore|signalfd|sigwait]]
//
// PAGE is mapped shared (struct server_page); the last word is the program's way with SIGINT.
// Prints "ready".
#include "protocol/descriptor.h"
#include "runtime/gort.h"
#include "tests/targets/callees.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/signalfd.h>

struct server_page {
	volatile uint64_t ready;
	volatile uint64_t beats; // rounds of spinners that ended as they should
	volatile uint64_t faults; // fault says how the first one went wrong
	volatile uint64_t passed; // tokens
	volatile uint64_t interrupts; // SIGINT handlers run
	volatile uint64_t entered; // slow() and its kin were entered this often
	volatile uint64_t release; // they return when set
	volatile uint64_t left; // they returned this often
	char fault[200];
};

struct spinner {
	uint64_t general_in[16];
	unsigned char vector_in[32][64];
	uint64_t mask_in[8];
	uint64_t general_out[16];
	unsigned char vector_out[32][64];
	uint64_t mask_out[8];
	uint64_t redzone_ok, wide, rounds, saved;
};
_Static_assert(offsetof(struct spinner, redzone_ok) == 4480, "victim_regs.S");

void victim_run(struct spinner *state);

static struct server_page *page;
static gort_chan *ring, *never;
static gort_mutex taken;

__attribute__((format(printf, 1, 2))) static void fault(const char *format, ...)
{
	if (!page->faults) {
		va_list args;

		va_start(args, format);
		vsnprintf(page->fault, sizeof(page->fault), format, args);
		va_end(args);
	}
	__atomic_fetch_add(&page->faults, 1, __ATOMIC_RELAXED);
}

// ---- callees ------------------------------------------------------------------------------------

struct large {
	long a[10];
};
struct mixed {
	double x;
	long n;
};

struct large make_large(long first)
{
	struct large large;

	for (int i = 0; i < 10; i++)
		large.a[i] = first + i;
	return large;
}

long sum_large(struct large large, int i)
{
	return large.a[0] + large.a[9] + i;
}

struct mixed make_mixed(double x, long n)
{
	return (struct mixed){ x * 2, n + 1 };
}

double sum_many(int a, int b, int c, int d, int e, int f, int g, long h, double x, float y)
{
	return a + b + c + d + e + f + g + (double)h + x + y;
}

long double twice(long double x)
{
	return 2 * x;
}

size_t length(const char *text)
{
	return strlen(text);
}

// Spoils every register that a callee may change.
int spoil(int a)
{
	if (__builtin_cpu_supports("avx512bw"))
		__asm__ volatile(
			".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,"
			"23,24,25,26,27,28,29,30,31\n vpternlogd $0xff, %%zmm\\n, %%zmm\\n, "
			"%%zmm\\n\n .endr\n kxnorq %%k1, %%k1, %%k1\n kxnorq %%k7, %%k7, %%k7" ::
				: "memory");
	errno = EDOM;
	return a + 1;
}

int deep(int n)
{
	volatile char frame[256];

	frame[0] = (char)n;
	return n ? deep(n - 1) + frame[0] - (char)n + 1 : 0;
}

int slow(int a)
{
	page->entered++;
	while (!page->release)
		;
	page->left++;
	return a;
}

int slow_parked(int a)
{
	page->entered++;
	while (!page->release)
		gort_sleep(1000 * 1000);
	page->left++;
	return a;
}

int park_forever(void)
{
	int token;

	page->entered++;
	gort_recv(never, &token);
	page->left++;
	return 1;
}

// Waits for a lock, as plain locking does: whatever happens.
int lock_forever(void)
{
	page->entered++;
	gort_mutex_lock(&taken);
	gort_mutex_unlock(&taken);
	page->left++;
	return 1;
}

int free_lock(void)
{
	gort_mutex_unlock(&taken);
	return 0;
}

// Parks until released, and ends in one of several ways.
int parks_then(int how)
{
	page->entered++;
	while (!page->release)
		gort_sleep(1000 * 1000);
	page->left++;
	if (how == 1)
		gort_panic("late");
	if (how == 2)
		gort_exit();
	if (how == 3 && fork())
		wait(NULL);
	return how;
}

int parks_tied(int a)
{
	gort_lock_os_thread();
	slow_parked(a);
	gort_unlock_os_thread();
	return a;
}

int naps(int ms)
{
	page->entered++;
	gort_sleep(ms * 1000L * 1000);
	page->left++;
	return ms;
}

extern struct debugcall_descriptor debugcall_descriptor;

// The goroutine that the call began on: it made the callee's.
uint64_t caller(void)
{
	const struct debugcall_descriptor *d = &debugcall_descriptor;
	uint64_t id = gort_id();

	for (char *g = *(char **)(uintptr_t)d->all_g; g; g = *(char **)(g + d->g.next))
		if (*(uint64_t *)(g + d->g.id) == id)
			return *(uint64_t *)(g + d->g.creator_id);
	return 0;
}

static void answer(void *arg)
{
	int value = 42;

	gort_send(arg, &value);
}

// Parks in the callee, until another goroutine ran.
int ask(void)
{
	gort_chan *c = gort_chan_make(sizeof(int), 0);
	int value = 0;

	gort_go(answer, c);
	gort_recv(c, &value);
	gort_chan_release(c);
	return value;
}

int yields(int n)
{
	for (int i = 0; i < n; i++)
		gort_yield();
	return n;
}

int panics(int a)
{
	gort_panic("no room for %d", a);
}

int exits(void)
{
	gort_exit();
}

int unlocks(void)
{
	gort_unlock_os_thread();
	gort_lock_os_thread();
	gort_lock_os_thread();
	gort_yield();
	return 7;
}

int procs(void)
{
	int n = gort_gomaxprocs(0);

	gort_gomaxprocs(n + 1);
	gort_gomaxprocs(n);
	return n;
}

// ---- its own work -------------------------------------------------------------------------------

static void prepare(struct spinner *state)
{
	static __thread uint64_t seed = 88172645463325252ULL;
	uint64_t *words = (uint64_t *)state;

	for (size_t i = 0; i < offsetof(struct spinner, general_out) / 8; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		words[i] = seed;
	}
	memset(state->general_out, 0, sizeof(state->general_out));
	state->wide = __builtin_cpu_supports("avx512bw") != 0;
	state->rounds = 300 * 1000;
}

static uint64_t check(const struct spinner *state)
{
	uint64_t before = page->faults;

	for (int i = 0; i < 15; i++)
		if (i != 2 && i != 10 && state->general_in[i] != state->general_out[i])
			fault("general register %d: %#lx instead of %#lx", i, state->general_out[i],
			      state->general_in[i]);
	for (int i = 0; i < (state->wide ? 32 : 16); i++)
		if (memcmp(state->vector_in[i], state->vector_out[i], state->wide ? 64 : 16))
			fault("vector register %d differs", i);
	for (int i = 1; state->wide && i < 8; i++)
		if (state->mask_in[i] != state->mask_out[i])
			fault("mask register %d differs", i);
	if (!state->redzone_ok)
		fault("the red zone was written");
	return page->faults - before;
}

static void spin(void *arg)
{
	struct spinner *state = arg;

	for (;;) {
		uint64_t id = gort_id();

		prepare(state);
		errno = ERANGE;
		victim_run(state);
		if (errno != ERANGE)
			fault("errno became %d", errno);
		if (gort_id() != id)
			fault("goroutine %lu became %lu", id, gort_id());
		if (!check(state))
			__atomic_fetch_add(&page->beats, 1, __ATOMIC_RELAXED);
		gort_yield();
	}
}

static void pass(void *arg)
{
	long token;

	(void)arg;
	for (;;) {
		if (gort_recv(ring, &token))
			fault("the ring ended");
		token++;
		page->passed++;
		gort_sleep(500 * 1000);
		gort_send(ring, &token);
	}
}

static void on_interrupt(int signo)
{
	(void)signo;
	page->interrupts++;
}

// SIGINT is blocked everywhere, and read here.
static void *read_interrupts(void *arg)
{
	struct signalfd_siginfo info;
	sigset_t *set = arg;
	int fd = signalfd(-1, set, SFD_CLOEXEC);

	while (read(fd, &info, sizeof(info)) == sizeof(info))
		page->interrupts++;
	return NULL;
}

static void *wait_for_interrupts(void *arg)
{
	int signo;

	while (!sigwait(arg, &signo))
		page->interrupts++;
	return NULL;
}

static void block_interrupts(void *(*reader)(void *))
{
	static sigset_t set;
	pthread_t thread;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	pthread_create(&thread, NULL, reader, &set);
}

static void serve(void *arg)
{
	static const struct gort_attr passer = { .label = "passer" },
				      spinner = { .label = "spinner" };
	int spinners = *(int *)arg;
	long token = 0;

	ring = gort_chan_make(sizeof(token), 1);
	never = gort_chan_make(sizeof(int), 0);
	gort_mutex_lock(&taken);
	for (int i = 0; i < 4; i++)
		gort_go_with(&passer, pass, NULL);
	for (int i = 0; i < spinners; i++)
		gort_go_with(&spinner, spin,
			     aligned_alloc(64, (sizeof(struct spinner) + 63) & ~63ul));
	gort_send(ring, &token);
	page->ready = 1;
	puts("ready");
	fflush(stdout);
	for (;;)
		gort_sleep(GORT_FOREVER);
}

int main(int argc, char *argv[])
{
	int fd = argc > 1 ? open(argv[1], O_RDWR) : -1;
	int spinners = argc > 2 ? atoi(argv[2]) : 1;
	const char *interrupt = argc > 3 ? argv[3] : "";

	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd < 0 || page == MAP_FAILED)
		return 2;
	if (!strcmp(interrupt, "handle"))
		signal(SIGINT, on_interrupt);
	else if (!strcmp(interrupt, "ignore"))
		signal(SIGINT, SIG_IGN);
	else if (!strcmp(interrupt, "signalfd"))
		block_interrupts(read_interrupts);
	else if (!strcmp(interrupt, "sigwait"))
		block_interrupts(wait_for_interrupts);
	return gort_main(serve, &spinners);
}
