// SPDX-License-Identifier: MIT
// Where this program is, to run it again. Not the link itself: under Valgrind that leads to
// Valgrind.
#ifndef TESTS_RUNTIME_SELF_H
#define TESTS_RUNTIME_SELF_H

#include <unistd.h>

static inline const char *self_path(void)
{
	static char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	path[n < 0 ? 0 : n] = '\0';
	return path;
}

#endif
