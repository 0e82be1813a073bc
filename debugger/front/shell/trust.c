// SPDX-License-Identifier: MIT
// What is trusted is kept as lines of a digest and a path; a file that changes has another digest.
#include "debugger/front/shell/trust.h"

#include "debugger/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

// ---- SHA-256 (FIPS 180-4): for one file in a session no library is worth a dependency --------------

struct digest {
	uint32_t state[8];
	unsigned char block[64];
	uint64_t length;
};

static const uint32_t rounds[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static uint32_t turned(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

static void digest_block(struct digest *digest)
{
	uint32_t w[64], v[8];

	for (int i = 0; i < 16; i++)
		w[i] = (uint32_t)digest->block[4 * i] << 24 |
		       (uint32_t)digest->block[4 * i + 1] << 16 |
		       (uint32_t)digest->block[4 * i + 2] << 8 | digest->block[4 * i + 3];
	for (int i = 16; i < 64; i++) {
		uint32_t a = w[i - 15], b = w[i - 2];

		w[i] = w[i - 16] + (turned(a, 7) ^ turned(a, 18) ^ a >> 3) + w[i - 7] +
		       (turned(b, 17) ^ turned(b, 19) ^ b >> 10);
	}
	memcpy(v, digest->state, sizeof(v));
	for (int i = 0; i < 64; i++) {
		uint32_t t1 = v[7] + (turned(v[4], 6) ^ turned(v[4], 11) ^ turned(v[4], 25)) +
			      ((v[4] & v[5]) ^ (~v[4] & v[6])) + rounds[i] + w[i];
		uint32_t t2 = (turned(v[0], 2) ^ turned(v[0], 13) ^ turned(v[0], 22)) +
			      ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));

		memmove(v + 1, v, 7 * sizeof(*v));
		v[4] += t1;
		v[0] = t1 + t2;
	}
	for (int i = 0; i < 8; i++)
		digest->state[i] += v[i];
}

static void digest_add(struct digest *digest, const unsigned char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		digest->block[digest->length++ % 64] = bytes[i];
		if (digest->length % 64 == 0)
			digest_block(digest);
	}
}

// The file's, as 64 letters; fd is left at its beginning.
static bool digest_file(int fd, char text[65])
{
	struct digest digest = { .state = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
					    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 } };
	unsigned char bytes[4096], length[8];
	ssize_t n;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return false;
	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		digest_add(&digest, bytes, (size_t)n);
	if (n < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return false;
	for (int i = 0; i < 8; i++)
		length[i] = (unsigned char)(digest.length * 8 >> (56 - 8 * i));
	digest_add(&digest, (const unsigned char *)"\x80", 1);
	while (digest.length % 64 != 56)
		digest_add(&digest, (const unsigned char *)"", 1);
	digest_add(&digest, length, sizeof(length));
	for (int i = 0; i < 8; i++)
		sprintf(text + 8 * i, "%08x", digest.state[i]);
	return true;
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
	char whole[TRUST_PATH_MAX], digest[65];

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
