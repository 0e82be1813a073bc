// SPDX-License-Identifier: MIT
// A target that changes nothing of its memory by itself: its one thread waits, or spins, in registers
// alone. Whatever differs later was changed by who called into it.
//
//   still MODE      prints where its stack pointer is and where the kernel writes for it, then "ready"
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int add(int a, int b)
{
	return a + b;
}

double scale(double x, float y)
{
	return x * y;
}

int sum_many(int a, int b, int c, int d, int e, int f, int g, int h, double x, double y)
{
	return a + b + c + d + e + f + g + h + (int)(x + y);
}

int length(const char *text)
{
	int n = 0;

	while (text[n])
		n++;
	return n;
}

struct large {
	long a[10];
} make_large(long first)
{
	struct large large;

	for (int i = 0; i < 10; i++)
		large.a[i] = first + i;
	return large;
}

static int fds[2];
static unsigned word;
static const struct timespec years = { .tv_sec = 1 << 28 };
static struct epoll_event event;
static struct pollfd polled;
static const unsigned long usr2 = 1 << (SIGUSR2 - 1);

struct wait {
	const char *name;
	long nr;
	unsigned long args[5];
};

// In one function, so that the stack pointer that it prints is the one it waits with.
static void wait_for_ever(const struct wait *wait)
{
	register unsigned long r10 __asm__("r10"), r8 __asm__("r8");
	unsigned long sp;

	__asm__ volatile("mov %%rsp, %0" : "=r"(sp));
	printf("%lu %lu %d\n", sp,
	       (unsigned long)__builtin_thread_pointer() + (unsigned long)__rseq_offset,
	       __rseq_size ? 32 : 0);
	fflush(stdout);
	// Nothing of its memory changes after this word.
	long result = SYS_write;

	__asm__ volatile("syscall"
			 : "+a"(result)
			 : "D"(1), "S"("ready\n"), "d"(6)
			 : "rcx", "r11", "memory");
	r10 = wait->args[3];
	r8 = wait->args[4];
	// Whatever ends the call, it is made again: nothing is taken of the registers that it keeps.
	__asm__ volatile("1: mov %%rbx, %%rax; test %%rax, %%rax; js 1b; syscall; jmp 1b"
			 :
			 : "b"(wait->nr), "D"(wait->args[0]), "S"(wait->args[1]),
			   "d"(wait->args[2]), "r"(r10), "r"(r8)
			 : "rax", "rcx", "r11", "memory");
	__builtin_unreachable();
}

#define ADDRESS(x) (unsigned long)(x)

int main(int argc, char **argv)
{
	if (argc != 2 || pipe(fds))
		return 2;
	polled = (struct pollfd){ .fd = fds[0], .events = POLLIN };
	const struct wait waits[] = {
		{ "spin", -1, { 0 } },
		{ "read", SYS_read, { (unsigned long)fds[0], ADDRESS(&word), 1 } },
		{ "futex", SYS_futex, { ADDRESS(&word), FUTEX_WAIT_PRIVATE } },
		{ "poll", SYS_poll, { ADDRESS(&polled), 1, 1 << 30 } },
		{ "nanosleep", SYS_nanosleep, { ADDRESS(&years) } },
		{ "epoll_wait",
		  SYS_epoll_wait,
		  { (unsigned long)epoll_create1(0), ADDRESS(&event), 1, (unsigned long)-1 } },
		{ "sigtimedwait", SYS_rt_sigtimedwait, { ADDRESS(&usr2), 0, 0, sizeof(usr2) } },
	};

	for (size_t i = 0; i < sizeof(waits) / sizeof(*waits); i++)
		if (!strcmp(argv[1], waits[i].name))
			wait_for_ever(&waits[i]);
	return 2;
}
