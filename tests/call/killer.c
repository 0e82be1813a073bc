// SPDX-License-Identifier: MIT
// A preload that ends its own process by SIGKILL at its n-th step: a ptrace request, a write to a
// target's memory, a signal that is queued for a thread, a wait that brought an event, or the first look for one after something else.
//
//   DC_KILL_AT=n               before the n-th step (behind it when it is a wait's event)
//   DC_KILL_LATER=ns           so long after that
//   DC_KILL_TARGET=pid         not itself: that process, once it has detached from a thread
//   DC_KILL_COUNT_FILE=path    without DC_KILL_AT: the number of steps, written at exit
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static unsigned long steps, kill_at;
static int looked; // the last step was a look for an event
static timer_t timer; // armed at the step; there is none unless it is to be later
static struct itimerspec later;

static void step(void)
{
	if (__atomic_add_fetch(&steps, 1, __ATOMIC_RELAXED) != kill_at)
		return;
	if (!later.it_value.tv_nsec || timer_settime(timer, 0, &later, NULL))
		syscall(SYS_kill, getpid(), SIGKILL);
}

static void *next(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);

	if (!found)
		abort();
	return found;
}

// Ended, as far as anybody sees it: somebody else reaps it.
static void end_target(pid_t pid)
{
	char path[32], text[512] = "";
	ssize_t n = 1;

	kill(pid, SIGKILL);
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	while (n > 0 && !strstr(text, ") Z") && !strstr(text, ") X")) {
		int fd = open(path, O_RDONLY);

		n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
		if (fd >= 0)
			close(fd);
	}
}

#define NEXT(name)                     \
	static __typeof__(name) *real; \
	if (!real)                     \
	real = next(#name)

long ptrace(enum __ptrace_request request, ...)
{
	static long (*real)(enum __ptrace_request, pid_t, void *, void *);
	va_list args;

	va_start(args, request);
	pid_t pid = va_arg(args, pid_t);
	void *addr = va_arg(args, void *);
	void *data = va_arg(args, void *);
	va_end(args);
	if (!real)
		real = (long (*)(enum __ptrace_request, pid_t, void *, void *))next("ptrace");
	looked = 0;
	step();

	long result = real(request, pid, addr, data);

	if (request == PTRACE_DETACH && getenv("DC_KILL_TARGET"))
		end_target(atoi(getenv("DC_KILL_TARGET")));
	return result;
}

ssize_t process_vm_writev(pid_t pid, const struct iovec *local, unsigned long nr_local,
			  const struct iovec *remote, unsigned long nr_remote, unsigned long flags)
{
	NEXT(process_vm_writev);
	looked = 0;
	step();
	return real(pid, local, nr_local, remote, nr_remote, flags);
}

ssize_t pwrite(int fd, const void *buf, size_t n, off_t offset)
{
	NEXT(pwrite);
	looked = 0;
	step();
	return real(fd, buf, n, offset);
}

ssize_t pwrite64(int fd, const void *buf, size_t n, off64_t offset)
{
	NEXT(pwrite64);
	looked = 0;
	step();
	return real(fd, buf, n, offset);
}

// By which a real Go program's own host is asked to begin; other system calls are no steps.
long syscall(long number, ...)
{
	static long (*real)(long, ...);
	long argument[6];
	va_list args;

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		argument[i] = va_arg(args, long);
	va_end(args);
	if (!real)
		real = (long (*)(long, ...))next("syscall");
	if (number == SYS_rt_tgsigqueueinfo) {
		looked = 0;
		step();
	}
	return real(number, argument[0], argument[1], argument[2], argument[3], argument[4],
		    argument[5]);
}

pid_t waitpid(pid_t pid, int *status, int options)
{
	NEXT(waitpid);
	// How often it looks before an event comes is chance; only the first time counts.
	if (!looked)
		step();
	looked = 1;

	pid_t got = real(pid, status, options);

	if (got > 0)
		step();
	return got;
}

// Looks at what stops at signals, which it leaves there.
int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	NEXT(waitid);
	if (type == P_ALL) {
		if (!looked)
			step();
		looked = 1;
	}

	int failed = real(type, id, info, options);

	if (type == P_ALL && !failed && info->si_pid)
		step();
	return failed;
}

__attribute__((constructor)) static void begin(void)
{
	const char *at = getenv("DC_KILL_AT");

	const char *ns = getenv("DC_KILL_LATER");
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL };

	kill_at = at ? strtoul(at, NULL, 10) : 0;
	if (kill_at && ns && !timer_create(CLOCK_MONOTONIC, &event, &timer))
		later.it_value.tv_nsec = strtol(ns, NULL, 10);
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("DC_KILL_COUNT_FILE");
	FILE *file = path && !kill_at ? fopen(path, "w") : NULL;

	if (!file)
		return;
	fprintf(file, "%lu\n", steps);
	fclose(file);
}
