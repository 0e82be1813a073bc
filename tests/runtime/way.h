// SPDX-License-Identifier: MIT
// Stacks that differ: what many goroutines are in is told once for equal ones.
#ifndef TESTS_RUNTIME_WAY_H
#define TESTS_RUNTIME_WAY_H

// A stack of its own for every number: the bits of it are the functions in it.
static void way(void (*fn)(void *), void *arg, unsigned number, int bits);

__attribute__((noinline)) static void way0(void (*fn)(void *), void *arg, unsigned number, int bits)
{
	way(fn, arg, number, bits);
	__asm__ volatile("");
}

__attribute__((noinline)) static void way1(void (*fn)(void *), void *arg, unsigned number, int bits)
{
	way(fn, arg, number, bits);
	__asm__ volatile("");
}

__attribute__((noinline)) static void way(void (*fn)(void *), void *arg, unsigned number, int bits)
{
	if (!bits)
		fn(arg);
	else
		(number & 1 ? way1 : way0)(fn, arg, number / 2, bits - 1);
	__asm__ volatile("");
}

#endif
