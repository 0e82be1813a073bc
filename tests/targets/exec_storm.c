// SPDX-License-Identifier: MIT
// A program that becomes itself again and again, each time by a thread that is not its leader, at a
// random moment. Its addresses are the same each time. The first argument is a file of 8 bytes, in
// which it counts how often it began.
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 12, LIVES_US = 3000 };
static char **arguments;

int add(int a, int b)
{
	return a + b;
}

static void *waits(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void *executes(void *arg)
{
	usleep(LIVES_US + (useconds_t)rand() % LIVES_US);
	execv("/proc/self/exe", arguments);
	_exit(9);
	return arg;
}

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDWR) : -1;
	volatile uint64_t *begun = mmap(NULL, sizeof(*begun), PROT_READ | PROT_WRITE, MAP_SHARED,
					fd, 0);
	struct timespec now;
	pthread_t thread;

	if (begun == MAP_FAILED)
		return 1;
	arguments = argv;
	personality(ADDR_NO_RANDOMIZE);
	clock_gettime(CLOCK_MONOTONIC, &now);
	srand((unsigned)now.tv_nsec);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread, NULL, waits, NULL);
	pthread_create(&thread, NULL, executes, NULL);
	if (!(*begun)++) {
		puts("ready");
		fflush(stdout);
	}
	waits(NULL);
}
