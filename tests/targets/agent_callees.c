// SPDX-License-Identifier: MIT
// What ends in every way, or does not end, for calls on an agent's thread. The main thread obeys lines:
// "unlock" and "release" let go of what a callee waits for; any line is answered.
#include "tests/targets/callees.h"

#include <errno.h>

static volatile int signals; // SIGUSR1 handlers that ran on the main thread
static volatile int waits_ended; // that the main thread saw end with EINTR
static volatile int jumped; // the main thread came out of way_out
volatile int entered; // callees that are about to wait
static volatile int children; // that came back from fork() in a callee
static pthread_mutex_t guarded = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static FILE *piped;
static int pipe_in;

int lock_guarded(void)
{
	entered++;
	pthread_mutex_lock(&guarded);
	pthread_mutex_unlock(&guarded);
	return 7;
}

int wait_in_cond(void)
{
	pthread_mutex_lock(&plain);
	entered++;
	pthread_cond_wait(&never, &plain);
	pthread_mutex_unlock(&plain);
	return 8;
}

int wait_in_stdio(void)
{
	entered++;
	return getc(piped);
}

void free_nonsense(void)
{
	free((void *)0x10);
}

int print_nonsense(void)
{
	char text[64];

	return snprintf(text, sizeof(text), "%s", (const char *)0x10);
}

int have_daemon(void)
{
	pid_t child = (pid_t)syscall(SYS_fork);

	if (!child)
		children++;
	return child;
}

// Its own way out, which is as good on one stack as on another.
int jump_inside(int n)
{
	sigjmp_buf here;

	if (sigsetjmp(here, 1))
		return n;
	siglongjmp(here, 1);
}

static int inner(sigjmp_buf *out)
{
	siglongjmp(*out, 5);
}

int jump_out_of_a_call(void)
{
	sigjmp_buf here;
	int value = sigsetjmp(here, 0);

	return value ? value : inner(&here);
}

static void on_usr1(int signo)
{
	(void)signo;
	signals++;
}

int main(void)
{
	int fds[2];

	if (pipe(fds))
		return 1;
	piped = fdopen(fds[0], "r");
	pipe_in = fds[1];
	signal(SIGUSR1, on_usr1);
	pthread_mutex_lock(&guarded);
	if (sigsetjmp(way_out, 1))
		jumped++;
	puts("ready");
	fflush(stdout);
	for (;;) {
		char line[64];
		ssize_t n = read(STDIN_FILENO, line, sizeof(line));

		if (n < 0 && errno == EINTR) {
			waits_ended++;
			continue;
		}
		if (n <= 0)
			return 0;
		if (!strncmp(line, "unlock", 6))
			pthread_mutex_unlock(&guarded);
		if (!strncmp(line, "release", 7) && write(pipe_in, "A", 1) != 1)
			return 1;
		if (write(STDOUT_FILENO, line, (size_t)n) != n)
			return 1;
	}
}
