// SPDX-License-Identifier: MIT
// A preload for debugcall that makes its target another program, or exchange a library, before the
// n-th time that its mappings are opened.
//
//   DC_CHANGE_AT=n, DC_CHANGE_PID=pid   SIGUSR1 is sent to the target, and its change waited for
//   DC_CHANGE_COUNT_FILE=path           how often they were opened, written at exit
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static long opened;

static size_t mappings(long pid, char *text, size_t size)
{
	char path[64];
	FILE *file;
	size_t n = 0;

	snprintf(path, sizeof(path), "/proc/%ld/maps", pid);
	file = fopen(path, "r");
	if (file) {
		n = fread(text, 1, size, file);
		fclose(file);
	}
	return n;
}

// The change is over when the mappings are others, and have stayed so since they were looked at.
static void change(long pid)
{
	static char before[65536], last[65536], now[65536];
	size_t n = mappings(pid, before, sizeof(before)), nr_last = 0, nr_now = n;

	kill((pid_t)pid, SIGUSR1);
	do {
		memcpy(last, now, nr_last = nr_now);
		usleep(20000);
		nr_now = mappings(pid, now, sizeof(now));
	} while ((nr_now == n && !memcmp(now, before, n)) || nr_now != nr_last ||
		 memcmp(now, last, nr_now) != 0);
}

static void see(const char *path)
{
	const char *at = getenv("DC_CHANGE_AT"), *pid = getenv("DC_CHANGE_PID");

	if (strcmp(path, "maps") != 0)
		return;
	opened++;
	if (at && pid && opened == atol(at))
		change(atol(pid));
}

#define OPENAT(name)                                                                          \
	int name(int dir, const char *path, int flags, ...)                                   \
	{                                                                                     \
		static int (*real)(int, const char *, int, ...);                              \
		va_list args;                                                                 \
                                                                                              \
		va_start(args, flags);                                                        \
		int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, int) : 0;             \
		va_end(args);                                                                 \
		if (!real)                                                                    \
			real = (int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, #name); \
		see(path);                                                                    \
		return real(dir, path, flags, mode);                                          \
	}
OPENAT(openat)
OPENAT(openat64)

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("DC_CHANGE_COUNT_FILE");
	FILE *file = path ? fopen(path, "w") : NULL;

	if (!file)
		return;
	fprintf(file, "%ld\n", opened);
	fclose(file);
}
