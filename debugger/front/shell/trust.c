// SPDX-License-Identifier: MIT
// What is trusted is kept as lines of a digest and a path; a file that changes has another digest.
#include "debugger/front/shell/trust.h"

#include "debugger/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <sha2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// The file's SHA-256, as 64 letters; fd is left at its beginning.
static bool digest_file(int fd, char text[SHA256_DIGEST_STRING_LENGTH])
{
	unsigned char bytes[4096];
	SHA2_CTX digest;
	ssize_t n;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return false;
	SHA256Init(&digest);
	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		SHA256Update(&digest, bytes, (size_t)n);
	if (n < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return false;
	return SHA256End(&digest, text) != NULL;
}

// ---- files ----------------------------------------------------------------------------------------

bool trust_is_ours(int fd, const char **why)
{
	struct stat stat;

	if (fstat(fd, &stat) || !S_ISREG(stat.st_mode)) {
		*why = "is no file";
		return false;
	}
	if (stat.st_uid != geteuid() && stat.st_uid != 0) {
		*why = geteuid() ? "is somebody else's" : "is not root's";
		return false;
	}
	*why = "may be written by others";
	return !(stat.st_mode & (S_IWGRP | S_IWOTH));
}

bool trust_config_path(const char *name, char path[TRUST_PATH_MAX])
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int n;

	if (config && *config == '/')
		n = snprintf(path, TRUST_PATH_MAX, "%s/debugcall/%s", config, name);
	else if (home && *home == '/')
		n = snprintf(path, TRUST_PATH_MAX, "%s/.config/debugcall/%s", home, name);
	else
		return false;
	return n > 0 && n < TRUST_PATH_MAX;
}

static bool entry_of(int fd, const char *path, char *entry, size_t size)
{
	char whole[TRUST_PATH_MAX], digest[SHA256_DIGEST_STRING_LENGTH];

	// A path with a newline could pretend to be another entry.
	return realpath(path, whole) && !strchr(whole, '\n') && digest_file(fd, digest) &&
	       snprintf(entry, size, "%s %s\n", digest, whole) < (int)size;
}

bool trust_has(int fd, const char *path)
{
	char list[TRUST_PATH_MAX], entry[TRUST_PATH_MAX + 80];
	_cleanup_free_ char *line = NULL;
	const char *why;
	size_t room = 0;
	bool found = false;

	if (!trust_config_path("trusted", list) || !entry_of(fd, path, entry, sizeof(entry)))
		return false;

	_cleanup_fclose_ FILE *in = fopen(list, "re");

	if (!in || !trust_is_ours(fileno(in), &why))
		return false;
	while (!found && getline(&line, &room, in) >= 0)
		found = !strcmp(line, entry);
	return found;
}

bool trust_add(int fd, const char *path)
{
	char list[TRUST_PATH_MAX], entry[TRUST_PATH_MAX + 80];

	if (!trust_config_path("trusted", list) || !entry_of(fd, path, entry, sizeof(entry)))
		return false;
	for (char *slash = strchr(list + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		bool good = !mkdir(list, 0700) || errno == EEXIST;
		*slash = '/';
		if (!good)
			return false;
	}

	_cleanup_close_ int out = open(list, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
				       0600);

	return out >= 0 && write(out, entry, strlen(entry)) == (ssize_t)strlen(entry);
}
