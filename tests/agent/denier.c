// SPDX-License-Identifier: MIT
// A preload for debugcall: what Yama forbids fails, and what it leaves alone does not.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>

static int is_denied(const char *path)
{
	size_t n = strlen(path);

	return (n >= 4 && !strcmp(path + n - 4, "/mem")) || !strcmp(path, "mem") ||
	       (n >= 7 && !strcmp(path + n - 7, "syscall"));
}

static int deny(const char *path)
{
	if (is_denied(path))
		errno = EACCES;
	return is_denied(path);
}

int openat(int dir, const char *path, int flags, ...)
{
	static int (*next)(int, const char *, int, mode_t);
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = va_arg(args, mode_t);
	va_end(args);
	if (!next)
		next = (int (*)(int, const char *, int, mode_t))dlsym(RTLD_NEXT, "openat");
	return deny(path) ? -1 : next(dir, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
	static int (*next)(const char *, int, mode_t);
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = va_arg(args, mode_t);
	va_end(args);
	if (!next)
		next = (int (*)(const char *, int, mode_t))dlsym(RTLD_NEXT, "open");
	return deny(path) ? -1 : next(path, flags, mode);
}

long ptrace(enum __ptrace_request request, ...)
{
	(void)request;
	errno = EPERM;
	return -1;
}
