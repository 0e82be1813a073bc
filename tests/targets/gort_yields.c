// SPDX-License-Identifier: MIT
// Goroutines that do nothing but yield: they are nearly always met inside the runtime.
// argv[1]: how many. Prints "ready".
#include "runtime/gort.h"

#include <stdio.h>
#include <stdlib.h>

static long counter;

__attribute__((noinline)) int add(int a, int b)
{
	counter++;
	return a + b;
}

static void yields(void *arg)
{
	(void)arg;
	for (;;)
		gort_yield();
}

static void begin(void *arg)
{
	for (int i = 0; i < atoi(arg); i++)
		gort_go(yields, NULL);
	printf("ready\n");
	fflush(stdout);
	gort_park();
}

int main(int argc, char *argv[])
{
	return argc < 2 || add(1, 2) != 3 ? 1 : gort_main(begin, argv[1]);
}
