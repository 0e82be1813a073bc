// SPDX-License-Identifier: MIT
// Throws and catches for each line on stdin, and says what it caught.
#include <cstdio>

static int thrown;

__attribute__((noinline)) static void throw_it(int value)
{
	thrown++;
	throw value;
}

int main()
{
	char line[64];

	std::puts("ready");
	std::fflush(stdout);
	while (std::fgets(line, sizeof(line), stdin)) {
		try {
			throw_it(thrown);
		} catch (int value) {
			std::printf("%d\n", value);
			std::fflush(stdout);
		}
	}
	return 0;
}
