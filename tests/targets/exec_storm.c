// SPDX-License-Identifier: MIT
// A program that becomes itself again and again, each time by a thread that is not its leader, at a
// random moment. Its addresses are the same each time. The first argument is a file of 16 bytes, in
// which it counts how often it began and is told to rest as what it is.
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
static volatile struct {
	uint64_t begun, rests;
} * page;

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
	do
		usleep(LIVES_US + (useconds_t)rand() % LIVES_US);
	while (page->rests);
	execv("/proc/self/exe", arguments);
	_exit(9);
	return arg;
}

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDWR | O_CLOEXEC) : -1;
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	struct timespec now;
	pthread_t thread;

	if (page == MAP_FAILED)
		return 1;
	arguments = argv;
	personality(ADDR_NO_RANDOMIZE);
	clock_gettime(CLOCK_MONOTONIC, &now);
	srand((unsigned)now.tv_nsec);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread, NULL, waits, NULL);
	pthread_create(&thread, NULL, executes, NULL);
	if (!page->begun++) {
		puts("ready");
		fflush(stdout);
	}
	waits(NULL);
}
