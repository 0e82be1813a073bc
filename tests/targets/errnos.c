// SPDX-License-Identifier: MIT
// A program that keeps a value in errno and looks whether it stays: a thread that computes, and one
// that reads from a pipe and finds errno as it was when the read succeeds. Built with more than one
// C library. A line on standard input asks how often errno was another.
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OWN = 77 };
volatile unsigned long rounds, reads, wrong;
volatile int entered, release;
char other[] = "other";
static int fds[2];
void *kept;

int add(int a, int b)
{
	return a + b;
}

int set_errno(int value)
{
	errno = value;
	return value;
}

int get_errno(void)
{
	return errno;
}

int look_for(const char *path)
{
	return access(path, F_OK);
}

// Leaves its errno behind once it is told to.
int slow_close(void)
{
	entered++;
	while (!release)
		;
	return close(9999);
}

int crash(void)
{
	errno = 5;
	*(volatile int *)16 = 1;
	return 0;
}

static void look(void)
{
	// As it is in memory now.
	__asm__ volatile("" ::: "memory");
	if (errno == OWN)
		return;
	__atomic_add_fetch(&wrong, 1, __ATOMIC_SEQ_CST);
	errno = OWN;
}

static void *reader(void *arg)
{
	char c;

	for (errno = OWN; read(fds[0], &c, 1) == 1; reads++)
		look();
	return arg;
}

static void *computer(void *arg)
{
	for (errno = OWN;; rounds++)
		look();
	return arg;
}

int main(void)
{
	pthread_t thread;
	char line[16];

	// A static program without an allocator is not called into where it runs.
	kept = malloc(1);
	if (!kept || pipe(fds) || pthread_create(&thread, NULL, computer, NULL) ||
	    pthread_create(&thread, NULL, reader, NULL))
		return 1;
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		unsigned long before = rounds, seen = reads;

		if (write(fds[1], "x", 1) != 1)
			return 1;
		while (rounds == before || reads == seen)
			;
		printf("%lu\n", wrong);
		fflush(stdout);
	}
	return 0;
}
