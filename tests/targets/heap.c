// SPDX-License-Identifier: MIT
// A target whose threads do nothing but malloc and free, and which knows when its heap is damaged.
// usage: heap [always]: one thread, nearly all of whose time is spent inside the allocator.
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

volatile uint64_t rounds[2];
volatile uint64_t damaged;

static void *churn(void *arg)
{
	enum { BLOCKS = 64 };
	unsigned char *blocks[BLOCKS] = { NULL };
	size_t sizes[BLOCKS] = { 0 };
	uint32_t seed = 12345 + (uint32_t)(uintptr_t)arg;

	for (;;) {
		seed = seed * 1664525 + 1013904223;
		int i = seed >> 26;

		for (size_t k = 0; k < sizes[i]; k += 37)
			if (blocks[i][k] != (unsigned char)(i + 1))
				damaged++;
		free(blocks[i]);
		sizes[i] = (seed >> 8) % 3000 + 1;
		blocks[i] = malloc(sizes[i]);
		memset(blocks[i], i + 1, sizes[i]);
		rounds[(uintptr_t)arg]++;
	}
	return NULL;
}

// Blocks that cannot grow where they are, so that the allocator copies them while it holds its lock.
static void stay_inside(void)
{
	enum { SIZE = 110000, MORE = 8192 }; // below what is mapped for each
	unsigned char *block, *barrier;

	for (;; rounds[0]++) {
		block = malloc(SIZE);
		barrier = malloc(64);
		block[0] = 1;
		block[SIZE - 1] = 2;
		block = realloc(block, SIZE + MORE);
		damaged += block[0] != 1 || block[SIZE - 1] != 2;
		free(block);
		free(barrier);
	}
}

int add(int a, int b)
{
	return a + b;
}

int main(int argc, char *argv[])
{
	pthread_t thread;

	if (argc > 1 && !strcmp(argv[1], "always")) {
		puts("ready");
		fflush(stdout);
		stay_inside();
	}
	pthread_create(&thread, NULL, churn, (void *)1);
	printf("ready\n");
	fflush(stdout);
	churn(NULL);
}
