// SPDX-License-Identifier: MIT
// Lives as programs do: the process that prints "ready" and its id is the one to be called.
//
//   agent_life wait | busy        nothing more; or computes
//   agent_life fork | daemon      a child goes on; or a grandchild, with every descriptor closed
//   agent_life close              closes every descriptor but the first three
//   agent_life load LIBRARY       dlopen
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static volatile int interrupted; // waits that ended with EINTR
volatile int entered, rounds;
int value = 7;

int add(int a, int b)
{
	return a + b;
}

int sleeps(int seconds)
{
	entered++;
	return (int)sleep((unsigned)seconds);
}

static int *until_exit;

static void destroy(void)
{
	free(until_exit);
	until_exit = NULL;
}

// Long enough for an exit to begin meanwhile.
int reads_until_exit(void)
{
	int *from = until_exit;

	entered++;
	usleep(30000);
	return until_exit == from ? *from : -1;
}

static void become_child(void)
{
	pid_t child = fork();

	if (child < 0)
		exit(1);
	// Each ends with its parent.
	if (!child)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (child)
		pause();
}

int main(int argc, char *argv[])
{
	const char *mode = argc > 1 ? argv[1] : "wait";
	char c;

	if (!strcmp(mode, "fork") || !strcmp(mode, "daemon"))
		become_child();
	if (!strcmp(mode, "daemon")) {
		setsid();
		become_child();
	}
	if (!strcmp(mode, "daemon") || !strcmp(mode, "close"))
		closefrom(3);
	if (!strcmp(mode, "load") && !dlopen(argv[2], RTLD_NOW))
		return 1;
	until_exit = calloc(1, sizeof(*until_exit));
	*until_exit = 9;
	atexit(destroy);
	printf("%d\nready\n", getpid());
	fflush(stdout);
	while (!strcmp(mode, "busy"))
		rounds++;
	for (;;) {
		ssize_t n = read(STDIN_FILENO, &c, 1);

		if (n < 0 && errno == EINTR)
			interrupted++;
		else if (n <= 0)
			return 3;
		else if (c == 'q')
			exit(5);
	}
}
