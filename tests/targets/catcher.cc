// SPDX-License-Identifier: MIT
// A program that computes below a handler for every exception. One that a called function throws is
// not for it to catch: it would go on where it never was.
#include <cstdio>

int throw_it(int value)
{
	if (value > 1)
		throw value;
	return value;
}

static volatile unsigned long rounds;

int main()
{
	try {
		std::puts("ready");
		std::fflush(stdout);
		for (;;)
			rounds = rounds + 1;
	} catch (...) {
		std::puts("caught");
		std::fflush(stdout);
	}
	return 3;
}
