// SPDX-License-Identifier: MIT
// A program that becomes another when it is told to, with other functions at the same addresses.
// Built twice, NAME being add or wipe, and as two libraries that it exchanges (LIBRARY).
//
//   becomes-add exec PROGRAM        on SIGUSR1 it executes that program with the same arguments
//   becomes-add exchange ONE OTHER  on SIGUSR1 it unloads the library ONE and loads OTHER
//
// It prints "ready" when it begins and when it has exchanged.
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int CALLED; // how often the function was called that nobody else calls

__attribute__((noinline)) int NAME(int a, int b)
{
	CALLED++;
	return a + b;
}

#ifndef LIBRARY
static volatile sig_atomic_t told;

static void on_signal(int signo)
{
	(void)signo;
	told = 1;
}

int main(int argc, char *argv[])
{
	void *library = NULL;
	sigset_t usual, held;

	sigemptyset(&usual);
	sigemptyset(&held);
	sigaddset(&held, SIGUSR1);
	sigprocmask(SIG_SETMASK, &held, NULL);
	signal(SIGUSR1, on_signal);
	if (argc > 3)
		library = dlopen(argv[2], RTLD_NOW | RTLD_LOCAL);
	puts("ready");
	fflush(stdout);
	for (;;) {
		sigsuspend(&usual);
		if (!told || argc < 3)
			continue;
		told = 0;
		if (!strcmp(argv[1], "exec")) {
			execv(argv[2], argv);
			return 1;
		}
		dlclose(library);
		library = dlopen(argv[3], RTLD_NOW | RTLD_LOCAL);
		puts("ready");
		fflush(stdout);
	}
}
#endif
