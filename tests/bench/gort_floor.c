// SPDX-License-Identifier: MIT
// The floor of switching: the least that any scheduler does to go from one stack to another, which is a
// bare switch of the registers that a call keeps, and two atomic operations (who waits is put into a
// queue and taken out of one). Prints ns for one, the least of several rounds.
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

enum { SWITCHES = 2000000, ROUNDS = 7, STACK = 64 << 10 };

static void *here, *there;
static _Alignas(64) atomic_long in;
static _Alignas(64) atomic_long out;

void floor_switch(void **save, void *to);
__asm__(".pushsection .text\n"
	".globl floor_switch\n"
	".type floor_switch, @function\n"
	"floor_switch:\n"
	"	push %rbp; push %rbx; push %r12; push %r13; push %r14; push %r15\n"
	"	mov %rsp, (%rdi)\n"
	"	mov %rsi, %rsp\n"
	"	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbx; pop %rbp\n"
	"	ret\n"
	".size floor_switch, . - floor_switch\n"
	".popsection\n");

static void go(void **save, void *to)
{
	atomic_fetch_add(&in, 1);
	atomic_fetch_add(&out, 1);
	floor_switch(save, to);
}

static void other(void)
{
	for (;;)
		go(&there, here);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

int main(void)
{
	static _Alignas(16) char stack[STACK];
	void **top = (void **)(stack + STACK) - 2;
	double least = 1e9;

	*top = (void *)(uintptr_t)
		other; // where the first switch returns to; six registers below it
	there = top - 6;
	for (int round = 0; round < ROUNDS; round++) {
		double start = now();

		for (int i = 0; i < SWITCHES / 2; i++)
			go(&here, there);
		double took = (now() - start) / SWITCHES;
		least = took < least ? took : least;
	}
	printf("%.2f\n", least);
	return 0;
}
