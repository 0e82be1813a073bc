// SPDX-License-Identifier: MIT
// Lines to be stepped through, again and again: calls, recursion, loops, a jump home by longjmp.
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

volatile int sink;
static jmp_buf home;

static int leaf(int n)
{
	int twice = 2 * n; // leaf 1
	return twice; // leaf 2
}

int fib(int n)
{
	if (n < 2) // fib 1
		return n; // fib 2
	return fib(n - 1) + fib(n - 2); // fib 3
}

struct pair {
	int a;
	double b;
};
struct large {
	long numbers[8];
};

__attribute__((noinline)) double half(int n)
{
	return n / 2.0;
}

__attribute__((noinline)) struct pair both(int n)
{
	return (struct pair){ n, n + 0.5 };
}

__attribute__((noinline)) struct large many(long n)
{
	return (struct large){ { n, n + 1, n + 2, n + 3 } };
}

__attribute__((noinline)) void nothing(void)
{
	sink = 1;
}

__attribute__((noinline)) int bottom(int n)
{
	return n;
}

int deep(int n)
{
	return n ? deep(n - 1) + 1 : bottom(n);
}

static void jump(void)
{
	longjmp(home, 1);
}

int walk(int n)
{
	int total = leaf(n); // walk 1
	total += fib(7); // walk 2
	for (int i = 0; i < 2; i++) // walk 3
		total += i; // walk 4
	sink = (int)strlen("library"); // walk 5
	// clang-format off
	for (int i = 0; i < 3000; i++) total += i & 1; // walk 6
	// clang-format on
	sink = total; // walk 7
	return total; // walk 8
}

int main(void)
{
	puts("ready");
	fflush(stdout);
	for (;;) {
		sink = walk(3); // main 1
		if (!setjmp(home))
			jump();
		sink = (int)(half(sink) + both(sink).b) + (int)many(sink).numbers[3];
		sink = deep(100);
		nothing();
		usleep(100);
	}
}
