// SPDX-License-Identifier: MIT
// Two threads: the second reads, where it may be cancelled at any instant; the first does what it is
// told on its standard input, a letter each, and says so when it is done: c cancels the second thread
// and joins it, i changes an id of all threads.
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

volatile int entered, released, handled;
static int never[2];

// Sleeps without being a place where threads are cancelled.
int slow(int value)
{
	entered = 1;
	while (!released)
		syscall(SYS_nanosleep, &(struct timespec){ .tv_nsec = 1000000 }, NULL);
	return value;
}

static void on_signal(int signo)
{
	handled = signo;
}

// What no handler was there for when the call began.
int raise_handled(void)
{
	signal(SIGUSR2, on_signal);
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	raise(SIGUSR2);
	return handled == SIGUSR2;
}

static void *reader(void *arg)
{
	char byte;

	printf("%ld\n", (long)syscall(SYS_gettid));
	fflush(stdout);
	while (read(never[0], &byte, 1) >= 0)
		;
	return arg;
}

int main(void)
{
	pthread_t thread;
	void *result;
	char order;

	puts("ready");
	fflush(stdout);
	if (pipe(never) || pthread_create(&thread, NULL, reader, NULL))
		return 1;
	while (read(0, &order, 1) == 1) {
		if (order == 'c') {
			pthread_cancel(thread);
			pthread_join(thread, &result);
			puts(result == PTHREAD_CANCELED ? "cancelled" : "not cancelled");
		} else if (order == 'i') {
			puts(setgid(getgid()) ? "failed" : "changed");
		}
		fflush(stdout);
	}
	return 0;
}
