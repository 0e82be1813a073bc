// SPDX-License-Identifier: MIT
// A program that waits in fgets, so that its only thread holds stdin's lock.
#include <stdio.h>

int add(int a, int b)
{
	return a + b;
}

int main(void)
{
	char line[64];

	printf("ready\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		printf("got %s", line);
		fflush(stdout);
	}
	return 0;
}
