// SPDX-License-Identifier: MIT
// Threads that never keep a stack for long: each goes down a random chain of functions way_0 to
// way_7, with frames of different sizes, and sleeps, yields or computes for a moment in that
// function leaf_0 to leaf_15 which the whole chain decides (movers.h). usage: movers THREADS
#include "tests/targets/movers.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct chain {
	unsigned char way[MOVERS_DEPTH];
	unsigned n, at;
	uint32_t random;
};

static uint32_t next(struct chain *chain)
{
	chain->random ^= chain->random << 13;
	chain->random ^= chain->random >> 17;
	chain->random ^= chain->random << 5;
	return chain->random;
}

static __attribute__((noinline)) void rest(struct chain *chain)
{
	const struct timespec moment = { .tv_nsec = 1000 };

	switch (next(chain) % 4) {
	case 0: nanosleep(&moment, NULL); break;
	case 1: sched_yield(); break;
	case 2: usleep(20); break;
	default:
		for (volatile int i = 0; i < 300; i++)
			;
	}
}

// Nothing may be done after the call in its place: a return, but not the frame's end.
#define KEEP __asm__ volatile("" ::: "memory")

#define LEAF(number)                                                                      \
	static __attribute__((noinline, noclone)) void leaf_##number(struct chain *chain) \
	{                                                                                 \
		rest(chain);                                                              \
		KEEP;                                                                     \
	}
#define LEAVES(X) \
	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
LEAVES(LEAF)

static void (*const leaves[MOVERS_LEAVES])(struct chain *) = {
#define NAME(number) leaf_##number,
	LEAVES(NAME)
};

static void (*const ways[MOVERS_WAYS])(struct chain *);

static void descend(struct chain *chain)
{
	if (chain->at < chain->n)
		ways[chain->way[chain->at++]](chain);
	else
		leaves[movers_leaf(chain->way, chain->n)](chain);
	KEEP;
}

// Every second one keeps a frame pointer.
#define WAY(number)                                                                               \
	static __attribute__((                                                                    \
		noinline, noclone,                                                                \
		optimize((number) % 2                                                             \
				 ? "no-omit-frame-pointer"                                        \
				 : "omit-frame-pointer"))) void way_##number(struct chain *chain) \
	{                                                                                         \
		volatile char room[16 + (number)*40];                                             \
                                                                                                  \
		room[0] = room[sizeof(room) - 1] = (number);                                      \
		descend(chain);                                                                   \
		room[0] = 1;                                                                      \
		KEEP;                                                                             \
	}
#define WAYS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
WAYS(WAY)

#undef NAME
#define NAME(number) way_##number,
static void (*const ways[MOVERS_WAYS])(struct chain *) = { WAYS(NAME) };

static void *mover(void *arg)
{
	struct chain chain = { .random = (uint32_t)(uintptr_t)arg * 2654435761u + 1 };

	for (;;) {
		chain.n = 1 + next(&chain) % MOVERS_DEPTH;
		for (unsigned i = 0; i < chain.n; i++)
			chain.way[i] = next(&chain) % MOVERS_WAYS;
		chain.at = 0;
		descend(&chain);
	}
	return NULL;
}

int main(int argc, char *argv[])
{
	int n = argc > 1 ? atoi(argv[1]) : 6;

	for (long i = 0; i < n; i++) {
		pthread_t id;

		if (pthread_create(&id, NULL, mover, (void *)(i + 1)))
			return 1;
	}
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
