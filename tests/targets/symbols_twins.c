// SPDX-License-Identifier: MIT
// Two files with the same static names, an IFUNC and a function that is inlined
// everywhere: this one is the program, and the second one includes it.
#include <unistd.h>

static volatile int twin_variable = sizeof(__BASE_FILE__);

__attribute__((noinline)) static int twin(int a)
{
	__asm__ volatile("");
	return a + twin_variable;
}

int call_other(int a);

#if __INCLUDE_LEVEL__ == 1
int call_other(int a)
{
	return twin(a);
}
#else
static inline __attribute__((always_inline)) int inlined(int a)
{
	return a * 3;
}

static int wide(int a)
{
	return a + 200;
}

static int (*resolve(void))(int)
{
	return wide;
}

int chosen(int a) __attribute__((ifunc("resolve")));

int main(void)
{
	if (twin(1) + call_other(2) + inlined(3) + chosen(4) < 0)
		return 1;
	if (write(STDOUT_FILENO, "ready\n", 6) != 6)
		return 1;
	for (;;)
		pause();
}
#endif
