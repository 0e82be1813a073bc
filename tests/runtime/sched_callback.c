// SPDX-License-Identifier: MIT
// Goroutines on threads that somebody else made.
#include "runtime/gort.h"
#include "tests/runtime/self.h"
#include "tests/runtime/tap.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

static atomic_long count;

static void add(void *arg)
{
	for (long i = 0; i < (long)arg; i++)
		gort_yield();
	atomic_fetch_add(&count, 1);
}

static void *caller(void *arg)
{
	for (int i = 0; i < 200; i++)
		if (gort_callback(add, arg))
			abort();
	return NULL;
}

static void join(void *arg)
{
	pthread_join(*(pthread_t *)arg, NULL);
}

static void run_threads(int n, void *(*fn)(void *), void *arg)
{
	pthread_t t[64];

	for (int i = 0; i < n; i++)
		if (pthread_create(&t[i], NULL, fn, arg))
			abort();
	for (int i = 0; i < n; i++)
		gort_blocking(join, &t[i]);
}

static void same_thread(void *arg)
{
	if (!pthread_equal(*(pthread_t *)arg, pthread_self()))
		abort();
	gort_yield();
	if (!pthread_equal(*(pthread_t *)arg, pthread_self()))
		abort();
}

static void nested_inner(void *arg)
{
	(void)arg;
	gort_yield();
	atomic_fetch_add(&count, 1);
}

static void nested_blocking(void *arg)
{
	if (gort_callback(nested_inner, arg))
		abort();
}

static void nested_outer(void *arg)
{
	if (gort_callback(nested_inner, arg) != -EDEADLK)
		abort();
	gort_blocking(nested_blocking, arg);
	gort_yield();
	gort_blocking(nested_blocking, arg);
}

static void *nested_caller(void *arg)
{
	pthread_t self = pthread_self();

	for (int i = 0; i < 50; i++)
		if (gort_callback(nested_outer, arg) || gort_callback(same_thread, &self))
			abort();
	return NULL;
}

// A thread that hops between stacks of its own, two of them overlapping in part.
static ucontext_t home, there;

static void on_other_stack(void)
{
	for (int i = 0; i < 10; i++)
		if (gort_callback(nested_outer, NULL))
			abort();
	swapcontext(&there, &home);
}

static void on_stack(char *stack, size_t size)
{
	getcontext(&there);
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = size;
	there.uc_link = &home;
	makecontext(&there, on_other_stack, 0);
	swapcontext(&home, &there);
}

static void *hopper(void *arg)
{
	char *room = mmap(NULL, 512 << 10, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			  0);

	(void)arg;
	if (gort_callback(add, NULL))
		abort();
	on_stack(room, 256 << 10);
	// Its top lies inside what was guessed of the former one.
	on_stack(room, (256 << 10) - (30 << 10));
	on_stack(room + (256 << 10), 256 << 10);
	if (gort_callback(add, NULL))
		abort();
	munmap(room, 512 << 10);
	return NULL;
}

// ---- bounds -------------------------------------------------------------------------------------
// What is known of the system stack shows in a report: a mistake made in gort_blocking is told with the frames of that
// stack, as far up as its bounds go.

enum { ROOM = 512 << 10, FRAME = 24 << 10, NEARLY_ALL = 28 << 10 };

__attribute__((noinline)) static void fatal_mistake(void)
{
	gort_yield();
	atomic_fetch_add(&count, 1);
}

// Its frame is large: it ends beyond what was known of the stack before.
__attribute__((noinline)) static void ends_beyond(void)
{
	volatile char frame[FRAME];

	frame[0] = frame[FRAME - 1] = 1;
	fatal_mistake();
	atomic_fetch_add(&count, frame[0]);
}

__attribute__((noinline)) static void stands_above(void *arg)
{
	(void)arg;
	ends_beyond();
	atomic_fetch_add(&count, 1);
}

static void blocks_wrongly(void *arg)
{
	gort_blocking(stands_above, arg);
}

static void on_stack_below(char *top, void (*fn)(void), ucontext_t *back)
{
	getcontext(&there);
	there.uc_stack.ss_sp = top - (128 << 10);
	there.uc_stack.ss_size = 128 << 10;
	there.uc_link = back;
	makecontext(&there, fn, 0);
	swapcontext(back, &there);
}

static char *room;
static ucontext_t first;

static void second_stack(void)
{
	if (gort_callback(blocks_wrongly, NULL))
		abort();
}

// On the first stack. The second lies below what the first has in use, but where the runtime takes
// the first to be: SP seems to be inside, with hardly any room left.
static void hops_on(void *arg)
{
	(void)arg;
	on_stack_below(room + ROOM / 2 - NEARLY_ALL, second_stack, &first);
}

static void goes_on(void *arg)
{
	gort_blocking(hops_on, arg);
}

static void first_stack(void)
{
	if (gort_callback(goes_on, NULL))
		abort();
}

static void *overlapper(void *arg)
{
	room = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	on_stack_below(room + ROOM / 2, first_stack, &home);
	return arg;
}

static void bounds_main(void *arg)
{
	(void)arg;
	run_threads(1, overlapper, NULL);
}

static bool dies_showing(const char *message, const char *frame, const char *bottom)
{
	static char text[1 << 16];
	size_t len = 0;
	ssize_t n;
	int fds[2], status;
	pid_t pid;

	fflush(stdout);
	if (pipe(fds))
		return false;
	pid = fork();
	if (!pid) {
		dup2(fds[1], STDERR_FILENO);
		close(fds[0]);
		close(fds[1]);
		execl(self_path(), "sched_callback", "bounds", NULL);
		_exit(1);
	}
	close(fds[1]);
	while (len < sizeof(text) - 1 && (n = read(fds[0], text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close(fds[0]);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 2 ||
	    !strstr(text, message) || !strstr(text, frame) || !strstr(text, bottom)) {
		fprintf(stderr, "%s\n", text);
		return false;
	}
	return true;
}

// ---- where it is refused ------------------------------------------------------------------------

static atomic_int refused;

static void calls_back_in_handler(int sig)
{
	(void)sig;
	if (gort_callback(add, NULL) == -EDEADLK)
		atomic_fetch_add(&refused, 1);
}

static void *on_a_signal_stack(void *arg)
{
	static char stack[256 << 10];
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) }, old;

	sigaltstack(&ss, &old);
	raise(SIGUSR1);
	if (gort_callback(add, arg))
		abort();
	raise(SIGUSR1);
	// A sanitizer takes its own down at the end.
	sigaltstack(&old, NULL);
	return NULL;
}

// Run when the program ends, after gort_main.
static bool ended;

__attribute__((destructor)) static void library_ends(void)
{
	if (ended && gort_callback(add, NULL) != -EAGAIN)
		_exit(9);
}

static pthread_key_t key;

static void late(void *arg)
{
	if (gort_callback(add, NULL))
		abort();
	(void)arg;
}

static void *with_destructor(void *arg)
{
	pthread_setspecific(key, &key);
	caller(arg);
	return NULL;
}

static void *parker(void *arg)
{
	caller(arg);
	return NULL;
}

static void exits(void *arg)
{
	(void)arg;
	atomic_fetch_add(&count, 1);
	gort_exit();
}

static void *exit_caller(void *arg)
{
	return gort_callback(exits, arg) ? (void *)1 : NULL;
}

static void on_signal(int sig)
{
	(void)sig;
}

static atomic_int signals_done;

static void *first_callback(void *arg)
{
	if (gort_callback(add, arg))
		abort();
	return NULL;
}

static void *signaller(void *arg)
{
	(void)arg;
	while (!atomic_load(&signals_done)) {
		kill(getpid(), SIGCHLD);
		usleep(50);
	}
	return NULL;
}

// ---- the room that gort_blocking promises -------------------------------------------------------

enum { PROMISED = 1 << 20, SPARE = 16 << 10, SMALL = 96 << 10 };

static void deep(void *arg)
{
	volatile char room[PROMISED - SPARE];

	room[0] = 1;
	room[sizeof(room) - 1] = 1;
	atomic_fetch_add((atomic_long *)arg, room[0]);
}

static void block_deep(void *arg)
{
	gort_blocking(deep, arg);
	gort_yield();
	gort_blocking(deep, arg);
}

static void call_back_deep(void *arg)
{
	if (gort_callback(block_deep, arg))
		abort();
}

static void block_callback_deep(void *arg)
{
	gort_blocking(call_back_deep, arg);
	block_deep(arg);
}

static void *on_small_stack(void *arg)
{
	if (gort_callback(block_callback_deep, arg) || gort_callback(block_deep, arg))
		abort();
	return NULL;
}

static void test_room(void)
{
	atomic_long runs = 0;
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, SMALL);
	if (pthread_create(&t, &attr, on_small_stack, &runs))
		abort();
	gort_blocking(join, &t);
	pthread_attr_destroy(&attr);
	// Here too a callback has what is left.
	gort_blocking(call_back_deep, &runs);
	check(atomic_load(&runs) == 8, "gort_blocking in a callback has a megabyte, on any thread");
}

static void main_fn(void *arg)
{
	pthread_t t[10];

	(void)arg;
	atomic_store(&count, 0);
	run_threads(10, caller, (void *)3);
	check(atomic_load(&count) == 2000, "ten threads call back");
	atomic_store(&count, 0);
	run_threads(10, nested_caller, NULL);
	check(atomic_load(&count) == 10 * 50 * 2,
	      "nested in gort_blocking, refused on a goroutine");
	test_room();
	run_threads(1, hopper, NULL);
	check(true, "a thread hops between stacks");
	struct sigaction usr1 = { .sa_handler = calls_back_in_handler, .sa_flags = SA_ONSTACK };
	sigaction(SIGUSR1, &usr1, NULL);
	run_threads(1, on_a_signal_stack, NULL);
	check(atomic_load(&refused) == 2, "on a signal stack: -EDEADLK, first or later");
	pthread_key_create(&key, late);
	atomic_store(&count, 0);
	run_threads(4, with_destructor, NULL);
	check(atomic_load(&count) == 804, "from a key's destructor");
	atomic_store(&count, 0);
	run_threads(2, exit_caller, NULL);
	check(atomic_load(&count) == 2, "gort_exit ends a callback");
	for (int i = 0; i < 40; i++)
		run_threads(5, parker, (void *)0);
	check(true, "threads come and go");
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK | SA_RESTART };
	sigaction(SIGCHLD, &sa, NULL);
	for (int i = 0; i < 10; i++)
		pthread_create(&t[i], NULL, signaller, NULL);
	for (int i = 0; i < 20; i++)
		run_threads(10, first_callback, (void *)1);
	atomic_store(&signals_done, 1);
	for (int i = 0; i < 10; i++)
		gort_blocking(join, &t[i]);
	check(true, "ten signallers during first callbacks");
	struct gort_stats s;
	gort_stats(&s);
	printf("# %lu callbacks, %lu threads now, %lu made\n", s.callbacks, s.threads,
	       s.threads_made);
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return gort_main(bounds_main, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	check(dies_showing("fatal error: gort_yield: called inside gort_blocking", "ends_beyond+",
			   "stands_above+"),
	      "bounds follow to a stack that overlaps the former one in part");
	check(gort_callback(add, NULL) == -EAGAIN, "before gort_main: -EAGAIN");
	if (gort_main(main_fn, NULL))
		return 1;
	check(gort_callback(add, NULL) == -EAGAIN, "after gort_main: -EAGAIN");
	ended = true;
	return finish();
}
