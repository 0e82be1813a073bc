// SPDX-License-Identifier: MIT
// A plain program for the tests of the command line: functions that behave and functions that do
// not, a thread that waits in read() and one that counts.
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum colour { RED, GREEN, BLUE };

struct pair {
	int a;
	double b;
};

struct parts {
	unsigned low : 3;
	int high : 5;
	union {
		int number;
		char letters[4];
	};
	struct pair *pair, *nowhere;
	int rows[2][3];
};

volatile unsigned long ticks; // goes up for as long as the second thread runs
volatile unsigned long spins; // goes up while spin() runs
int notes; // how often note() was called
static int hidden = 17;
char word[32] = "before";
struct pair pairs[2] = { { 1, 2.5 }, { 3, 4.5 } };
struct parts parts = { .low = 5,
		       .high = -2,
		       .number = 0x41424344,
		       .pair = &pairs[1],
		       .nowhere = (struct pair *)16,
		       .rows = { { 1, 2, 3 }, { 4, 5, 6 } } };
__thread int mine = 5;

int add(int a, int b)
{
	return a + b;
}

double half(double x)
{
	return x / 2;
}

struct pair make_pair(int a, double b)
{
	return (struct pair){ a, b };
}

enum colour next_colour(enum colour colour)
{
	return colour == BLUE ? RED : colour + 1;
}

bool is_even(int n)
{
	return n % 2 == 0;
}

char *set_word(const char *to)
{
	snprintf(word, sizeof(word), "%s", to);
	return word;
}

void nothing(void)
{
}

int note(void)
{
	return ++notes;
}

static void fault(volatile int *where)
{
	*where = 1;
}

int crash(void)
{
	fault((int *)16);
	return 0;
}

int divide(int a, int b)
{
	return a / b;
}

void give_up(void)
{
	abort();
}

int leave(int status)
{
	exit(status);
}

int spin(void)
{
	for (;;)
		spins++;
}

int nap(unsigned seconds)
{
	return (int)sleep(seconds);
}

static void *count(void *arg)
{
	for (;;)
		ticks++;
	return arg;
}

__attribute__((noinline)) int wait_here(int depth, const char *what)
{
	volatile int local = depth * 100;
	struct pair both = { depth, depth + 0.5 };
	char c;

	if (depth > 1)
		return wait_here(depth - 1, what) + local;
	while (read(STDIN_FILENO, &c, 1) == 1) {
		if (write(STDOUT_FILENO, &c, 1) != 1)
			return 1;
	}
	return local + both.a + (what != NULL);
}

int main(int argc, char *argv[])
{
	pthread_t thread;

	if (argc > 1 && !strcmp(argv[1], "threads"))
		pthread_create(&thread, NULL, count, NULL);
	puts("ready");
	fflush(stdout);
	return wait_here(3, argv[0]) + hidden + mine;
}
