// SPDX-License-Identifier: MIT
// For each byte that it reads it comes to a place under a hundred frames; a hundred and fifty threads sleep meanwhile.
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

enum { THREADS = 150, DEPTH = 100, ROWS = 10000 };

struct row {
	int number;
	double half;
};
struct row rows[ROWS];
int numbers[ROWS];
volatile int sink;

int add(int a, int b)
{
	return a + b;
}

__attribute__((noinline)) static int go_down(int depth)
{
	volatile int local = depth;
	int below = 0;

	if (depth > 1)
		below = go_down(depth - 1);
	else
		sink = add(local, 1); // here
	sink = below + local; // next
	return below + local;
}

static void *rest(void *arg)
{
	for (;;)
		pause();
	return arg;
}

int main(void)
{
	pthread_t thread;
	char c;

	for (int i = 0; i < ROWS; i++) {
		numbers[i] = i;
		rows[i] = (struct row){ i, i / 2.0 };
	}
	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread, NULL, rest, NULL);
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) == 1) {
		sink = go_down(DEPTH);
		if (write(STDOUT_FILENO, &c, 1) != 1)
			return 1;
	}
	return 0;
}
