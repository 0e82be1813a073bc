// SPDX-License-Identifier: MIT
// Threads that come by the same places without end, for breakpoints; each checks that nothing of it
// was changed. A line on stdin is answered by how often, how many faults, how many signals.
//
//   comers [THREADS [MODE]]   MODE: "blocked" blocks all signals, "caught" handles those that are
//                             ignored by default, "short" makes a new thread for each round
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct order {
	int thread;
	long number;
	const char *customer;
};

volatile unsigned long beats, faults, signals;
volatile long watched;
volatile int verbosity = 3;

static inline __attribute__((always_inline)) long price(const struct order *order)
{
	long base = order->number * 3; // inlined twice

	__asm__ volatile("" : "+r"(base));
	return base + order->thread;
}

__attribute__((noinline)) long quote(const struct order *order)
{
	return price(order);
}

__attribute__((noinline)) long serve(const struct order *order, long weight)
{
	long total = price(order);

	for (int i = 0; i < 3; i++)
		total += weight; // comes back thrice
	__asm__ volatile("" : "+r"(total));
	return total;
}

__attribute__((noinline)) void note(long value)
{
	watched = value;
}

int triple(int n)
{
	return 3 * n;
}

int endless(int n)
{
	while (verbosity)
		n++;
	return n;
}

volatile int blocks, blocked; // asked to, done

static void block_all(void)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	blocked = 1;
}

static void one_round(int thread, long number)
{
	struct order order = { thread, number, thread & 1 ? "odd" : "even" };
	register uint64_t kept __asm__("r12") = 0x1212121212121212 ^ (uint64_t)number;

	__asm__ volatile("" : "+r"(kept));

	long expected = number * 3 + thread + 3 * 7;
	long got = serve(&order, 7);
	long quoted = quote(&order);

	__asm__ volatile("" : "+r"(kept));
	if (blocks && !blocked)
		block_all();
	if (thread == 0 && verbosity)
		note(number);
	if (got != expected || quoted != expected - 21 ||
	    kept != (0x1212121212121212 ^ (uint64_t)number))
		faults++;
	__atomic_fetch_add(&beats, 1, __ATOMIC_RELAXED);
}

static bool is_short;

static void *come(void *arg)
{
	int thread = (int)(intptr_t)arg;

	for (long number = 0; number < (is_short ? 5 : INT64_MAX); number++)
		one_round(thread, number);
	return NULL;
}

static void *make_threads(void *arg)
{
	(void)arg;
	for (intptr_t n = 0;; n++) {
		pthread_t thread;

		if (!pthread_create(&thread, NULL, come, (void *)(n % 4)))
			pthread_join(thread, NULL);
	}
	return NULL;
}

static void count(int signo)
{
	(void)signo;
	signals++;
}

int main(int argc, char *argv[])
{
	int threads = argc > 1 ? atoi(argv[1]) : 1;
	const char *mode = argc > 2 ? argv[2] : "";
	char line[64];
	sigset_t all;

	is_short = !strcmp(mode, "short");
	if (!strcmp(mode, "caught")) {
		signal(SIGURG, count);
		signal(SIGWINCH, count);
		signal(SIGCHLD, count);
	}
	if (!strcmp(mode, "blocked")) {
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, NULL);
	}
	for (intptr_t i = 0; i < threads; i++) {
		pthread_t thread;

		pthread_create(&thread, NULL, is_short ? make_threads : come, (void *)i);
	}
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		if (!strncmp(line, "exec", 4))
			execl("/proc/self/exe", argv[0], "1", NULL);
		blocks |= !strncmp(line, "block", 5);
		if (!strncmp(line, "load", 4)) {
			void *library = dlopen("libm.so.6", RTLD_NOW);
			double (*function)(double) = library ? (double (*)(double))dlsym(library,
											 "lgamma")
							     : NULL;

			if (!function || function(3) <= 0)
				faults++;
		}
		if (!strncmp(line, "exit", 4))
			exit(7);
		printf("%lu %lu %lu\n", beats, faults, signals);
		fflush(stdout);
	}
	return 0;
}
