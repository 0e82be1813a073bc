// SPDX-License-Identifier: MIT
// Many threads that sleep: a third each in epoll_wait, poll and a condition variable, below a few
// functions of different shapes. A thread whose epoll_wait gives EINTR ends, as those of carelessly
// written programs do. One waits for a mutex that the main thread holds. usage: sleepers NUMBER; a line on standard input asks how many are left.
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static int left, epoll;

static __attribute__((noinline)) void in_epoll(void)
{
	struct epoll_event event;

	while (epoll_wait(epoll, &event, 1, -1) >= 0 || errno != EINTR)
		;
}

static __attribute__((noinline)) void in_poll(volatile int *answer)
{
	for (;;)
		*answer = poll(NULL, 0, -1);
}

static __attribute__((noinline)) void in_condition(void)
{
	pthread_mutex_lock(&lock);
	for (;;)
		pthread_cond_wait(&never, &lock);
}

// Its frame's size is known only when it runs.
static __attribute__((noinline)) void variable(long kind)
{
	volatile char room[kind * 64 + 16];

	room[0] = 1;
	if (kind == 20)
		pthread_mutex_lock(&held);
	else if (kind % 3 == 0)
		in_epoll();
	else if (kind % 3 == 1)
		in_poll((volatile int *)room);
	else
		in_condition();
	room[1] = 2;
}

static __attribute__((noinline)) void deep(long kind, int n)
{
	if (n)
		deep(kind, n - 1);
	else
		variable(kind);
	__asm__ volatile("" ::: "memory");
}

static void *thread(void *arg)
{
	long kind = (long)arg;

	deep(kind, (int)(kind % 7));
	__atomic_sub_fetch(&left, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

int main(int argc, char *argv[])
{
	int n = argc > 1 ? atoi(argv[1]) : 100;
	pthread_attr_t attr;
	char line[16];

	epoll = epoll_create1(0);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 * 1024);
	left = n;
	pthread_mutex_lock(&held);
	for (long i = 0; i < n; i++) {
		pthread_t id;
		int err = pthread_create(&id, &attr, thread, (void *)(i == 20 ? 20 : i % 20));

		if (err) {
			fprintf(stderr, "pthread_create: %s\n", strerror(err));
			return 1;
		}
	}
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		printf("%d\n", __atomic_load_n(&left, __ATOMIC_SEQ_CST));
		fflush(stdout);
	}
	return 0;
}
