// SPDX-License-Identifier: MIT
// The machine's floor: the fewest steps that borrow a thread and give it back, and one resume and wait.
//   floor TID [STOPS]  SEIZE INTERRUPT GETREGS SETREGS DETACH, once; prints the microseconds stopped.
//                      With more stops than one, CONT INTERRUPT GETREGS SETREGS for each of them
//   floor -r N         N times PTRACE_CONT to the thread's next signal stop; prints the median
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void await(pid_t tid)
{
	int status;

	while (waitpid(tid, &status, __WALL | WNOHANG) == 0)
		;
}

// A child that does nothing but signal itself stands for the shortest callee there can be.
static int resumes(int n)
{
	pid_t child = fork();

	if (child == 0)
		for (;;)
			syscall(SYS_tgkill, getpid(), getpid(), SIGURG);
	double *took = calloc((size_t)n, sizeof(*took));

	if (!took || ptrace(PTRACE_SEIZE, child, 0, 0) || ptrace(PTRACE_INTERRUPT, child, 0, 0))
		return 1;
	await(child);
	for (int i = 0; i < n; i++) {
		double start = now();

		ptrace(PTRACE_CONT, child, 0, 0);
		await(child);
		took[i] = now() - start;
	}
	kill(child, SIGKILL);
	qsort(took, (size_t)n, sizeof(*took), ascending);
	printf("%.3f\n", took[n / 2]);
	free(took);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "-r"))
		return resumes(atoi(argv[2]));
	if (argc != 2 && argc != 3)
		return 2;
	pid_t tid = atoi(argv[1]);
	struct user_regs_struct regs;

	if (ptrace(PTRACE_SEIZE, tid, 0, 0))
		return 1;
	double start = now();

	for (int i = argc == 3 ? atoi(argv[2]) : 1; i > 0; i--) {
		ptrace(PTRACE_INTERRUPT, tid, 0, 0);
		await(tid);
		ptrace(PTRACE_GETREGS, tid, 0, &regs);
		ptrace(PTRACE_SETREGS, tid, 0, &regs);
		if (i > 1)
			ptrace(PTRACE_CONT, tid, 0, 0);
	}
	ptrace(PTRACE_DETACH, tid, 0, 0);
	printf("%.3f\n", now() - start);
	return 0;
}
