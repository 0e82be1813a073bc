// SPDX-License-Identifier: MIT
// A target whose threads do nothing but malloc and free, and which knows when its heap is damaged.
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

int main(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, churn, (void *)1);
	printf("ready\n");
	fflush(stdout);
	churn(NULL);
}
