// SPDX-License-Identifier: MIT
// A loop that offers its thread for calls, when there is an agent; and one that does not.
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static __thread int own = 1;
static volatile unsigned long rounds;
volatile int polls = 1;

int who(void)
{
	return gettid();
}

int get_own(void)
{
	return own;
}

int crash(void)
{
	return *(volatile int *)16;
}

int overflow(int a)
{
	volatile char page[4096];

	page[0] = (char)a;
	return overflow(a + 1) + page[0];
}

int have_child(void)
{
	return fork();
}

void spin(void)
{
	for (;;)
		__asm__ volatile("");
}

static void *run(void *arg)
{
	void (*poll)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "debugcall_poll");

	own = 42;
	for (;;) {
		if (poll && polls)
			poll();
		if (!rounds++) {
			printf("%d\nready\n", gettid());
			fflush(stdout);
		}
		usleep(100);
	}
	return arg;
}

int main(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, run, NULL);
	for (;;)
		pause();
}
