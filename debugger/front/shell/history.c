// SPDX-License-Identifier: MIT
// Lines are appended as they are given, so that nothing is lost when the program is killed and two
// shells at once lose none of each other's; what stands twice is dropped when the file is read.
#include "debugger/front/shell/history.h"

#include "debugger/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <readline/history.h>

static int file = -1;
static unsigned limit;

static bool make_directories(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		bool good = !mkdir(path, 0700) || errno == EEXIST;
		*slash = '/';
		if (!good)
			return false;
	}
	return true;
}

static bool find_path(char path[PATH_MAX])
{
	const char *own = getenv("DEBUGCALL_HISTFILE"), *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	int n;

	if (own)
		n = snprintf(path, PATH_MAX, "%s", own);
	else if (state && *state == '/')
		n = snprintf(path, PATH_MAX, "%s/debugcall/history", state);
	else if (home && *home == '/')
		n = snprintf(path, PATH_MAX, "%s/.local/state/debugcall/history", home);
	else
		return false;
	return n > 0 && n < PATH_MAX && *path == '/';
}

static void forget_equal(const char *line)
{
	for (int i = history_length; i-- > 0;) {
		const HIST_ENTRY *entry = history_get(history_base + i);

		if (!entry || strcmp(entry->line, line) != 0)
			continue;

		HIST_ENTRY *removed = remove_history(i);

		if (removed)
			free_history_entry(removed);
	}
}

// Whole, when most of it is out of date.
static void rewrite(const char *path)
{
	char other[PATH_MAX + 16];

	snprintf(other, sizeof(other), "%s.%d", path, getpid());

	_cleanup_close_ int fd = open(other, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	FILE *out = fd >= 0 ? fdopen(dup(fd), "w") : NULL;

	if (!out)
		return;
	for (int i = 0; i < history_length; i++)
		fprintf(out, "%s\n", history_get(history_base + i)->line);
	if (fclose(out) || rename(other, path))
		unlink(other);
}

static size_t read_lines(FILE *in)
{
	_cleanup_free_ char *line = NULL;
	size_t room = 0, n = 0;
	ssize_t length;

	while ((length = getline(&line, &room, in)) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		n++;
		if (!*line)
			continue;
		add_history(line);
	}
	return n;
}

// The last of each line stays; quadratic only in what is kept.
static void drop_equal(void)
{
	for (int i = history_length; i-- > 0;) {
		const HIST_ENTRY *last = history_get(history_base + i);

		for (int k = i; last && k-- > 0;) {
			const HIST_ENTRY *entry = history_get(history_base + k);

			if (!entry || strcmp(entry->line, last->line) != 0)
				continue;

			HIST_ENTRY *removed = remove_history(k);

			if (removed)
				free_history_entry(removed);
			i--;
		}
	}
}

void history_begin(unsigned max)
{
	char path[PATH_MAX];

	limit = max;
	using_history();
	stifle_history((int)max);
	if (!find_path(path) || !make_directories(path))
		return;
	file = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);

	struct stat stat;

	// Devices are no histories; a file of somebody else's is not ours to write.
	if (file < 0 || fstat(file, &stat) || !S_ISREG(stat.st_mode) || stat.st_uid != geteuid() ||
	    fchmod(file, 0600)) {
		history_end();
		return;
	}

	FILE *in = fdopen(dup(file), "r");

	if (!in)
		return;

	size_t n = read_lines(in);

	fclose(in);
	drop_equal();
	if (n <= 2 * (size_t)max + 100)
		return;
	rewrite(path);
	close(file);
	file = open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
}

void history_keep(const char *line)
{
	size_t n = strlen(line);

	forget_equal(line);
	add_history(line);
	if (file < 0 || !limit)
		return;

	_cleanup_free_ char *whole = malloc(n + 1);

	if (!whole)
		return;
	memcpy(whole, line, n);
	whole[n] = '\n';
	// A history that cannot be written is no reason to stop.
	if (write(file, whole, n + 1) < 0)
		limit = 0;
}

void history_end(void)
{
	if (file >= 0)
		close(file);
	file = -1;
	clear_history();
}
