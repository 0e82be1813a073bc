// SPDX-License-Identifier: MIT
// Threads that come by many places, each as often as it is told to: a line "N" on stdin has each
// thread make N rounds, "0" rounds without end, "fork" forks in between. It is answered when the
// rounds are over (at once when they have no end) by "rounds faults signals".
//
//   milestones [THREADS]
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS_MAX = 8 };
volatile unsigned long rounds, faults, signals;
volatile long global = 42;
static volatile long wanted[THREADS_MAX], done[THREADS_MAX];

#define PLACE(name, ...)                                         \
	__attribute__((naked, noinline, used)) long name(long a) \
	{                                                        \
		__asm__ volatile(__VA_ARGS__);                   \
	}
// What a uprobe may be on.
PLACE(by_mov, "mov %rdi, %rax\n ret")
PLACE(by_add, "add $5, %rdi\n lea -5(%rdi), %rax\n ret")
PLACE(by_push, "push %rbx\n mov %rdi, %rax\n pop %rbx\n ret")
PLACE(by_data, "mov global(%rip), %rax\n sub global(%rip), %rax\n add %rdi, %rax\n ret")
PLACE(by_lea, "lea (%rdi, %rdi), %rax\n sub %rdi, %rax\n ret")
PLACE(by_test, "test %rdi, %rdi\n mov %rdi, %rax\n ret")
PLACE(by_jump, "jmp by_mov")
PLACE(by_call, "call by_mov\n ret")
PLACE(by_endbr, "endbr64\n mov %rdi, %rax\n ret")
PLACE(by_branch, "jz 1f\n mov %rdi, %rax\n ret\n 1: mov %rdi, %rax\n ret")
PLACE(by_vector, "pxor %xmm0, %xmm0\n mov %rdi, %rax\n ret")
PLACE(by_push_data, "push global(%rip)\n pop %rax\n mov %rdi, %rax\n ret")
// What none may be on.
PLACE(by_store, "mov %rdi, -8(%rsp)\n mov -8(%rsp), %rax\n ret")
PLACE(by_lock, "lock incq -8(%rsp)\n mov %rdi, %rax\n ret")
PLACE(by_flags, "pushf\n pop %rax\n mov %rdi, %rax\n ret")
PLACE(by_syscall, "syscall\n mov %rdi, %rax\n ret")
PLACE(by_wide_nop, ".byte 0x0f, 0x1f, 0x44, 0, 0\n mov %rdi, %rax\n ret")

static long get_pid(long a)
{
	long nr = SYS_getpid;

	__asm__ volatile("call by_syscall" : "+a"(nr), "+D"(a) : : "rcx", "r11", "memory", "cc");
	return nr;
}

static void one_round(long number)
{
	static long (*const all[])(long) = {
		by_mov,	  by_add,  by_push,  by_data,	  by_lea,    by_test,
		by_jump,  by_call, by_endbr, by_branch,	  by_vector, by_push_data,
		by_store, by_lock, by_flags, by_wide_nop, get_pid,
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		if (all[i](number + (long)i) != number + (long)i)
			faults++;
	}
	__atomic_fetch_add(&rounds, 1, __ATOMIC_RELAXED);
}

static void *come(void *arg)
{
	intptr_t self = (intptr_t)arg;

	for (;;) {
		while (done[self] == wanted[self])
			usleep(1000);
		one_round(done[self] * 1000);
		done[self]++;
	}
	return NULL;
}

static void count(int signo)
{
	(void)signo;
	signals++;
}

// A child that comes by all the places, and is not told to stop there.
static void have_child(void)
{
	pid_t child = fork();
	int status;

	if (!child) {
		faults = 0;
		for (long i = 0; i < 100; i++)
			one_round(i);
		_exit(faults ? 1 : 0);
	}
	if (waitpid(child, &status, 0) != child || status)
		faults++;
}

int main(int argc, char *argv[])
{
	int threads = argc > 1 ? atoi(argv[1]) : 1;
	char line[64];

	signal(SIGUSR1, count);
	for (intptr_t i = 0; i < threads && i < THREADS_MAX; i++) {
		pthread_t thread;

		pthread_create(&thread, NULL, come, (void *)i);
	}
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		long n = atol(line);

		if (!strncmp(line, "fork", 4))
			have_child();
		for (int i = 0; *line != 'f' && *line != '\n' && i < threads; i++)
			wanted[i] = n ? wanted[i] + n : INT64_MAX;
		for (int i = 0; n && i < threads; i++) {
			while (done[i] != wanted[i])
				usleep(1000);
		}
		printf("%lu %lu %lu\n", rounds, faults, signals);
		fflush(stdout);
	}
	return 0;
}
