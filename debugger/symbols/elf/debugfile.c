// SPDX-License-Identifier: MIT
// Separate debug files: by build id below .build-id/, by the name in .gnu_debuglink beside the file
// or below the debug directory. The target's own root first, then ours.
#include "debugger/symbols/elf/module.h"
#include "debugger/base/cleanup.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char debug_directory[] = "/usr/lib/debug";

// A regular file only: opening a fifo would block, a device do worse.
static struct image *try_open(const struct process *process, bool in_target, const char *path)
{
	struct image *image;
	struct stat st;
	int fd;

	if (in_target)
		fd = process_open_file(process, path, 0, 0);
	else
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return NULL;
	}

	struct dc_error *err = image_open(fd, &image);

	dc_error_destroy(err);
	return err ? NULL : image;
}

static bool same_build_id(const struct image *image, const unsigned char *id, size_t n)
{
	const unsigned char *own;

	return n && image_build_id(image, &own) == n && !memcmp(own, id, n);
}

static bool build_id_path(const unsigned char *id, size_t n, char *path, size_t room)
{
	if (n < 2 || n > 64)
		return false;

	int at = snprintf(path, room, "%s/.build-id/%02x/", debug_directory, id[0]);

	for (size_t i = 1; i < n; i++)
		at += snprintf(path + at, room - at, "%02x", id[i]);
	snprintf(path + at, room - at, ".debug");
	return true;
}

static struct image *by_build_id(const struct loaded *loaded, const unsigned char *id, size_t n)
{
	char path[256];

	if (!build_id_path(id, n, path, sizeof(path)))
		return NULL;
	for (int in_target = 1; in_target >= 0; in_target--) {
		struct image *image = try_open(loaded->process, in_target, path);

		if (image && same_build_id(image, id, n))
			return image;
		image_close(image);
	}
	return NULL;
}

// The checksum of .gnu_debuglink: CRC-32 of the whole file.
static bool has_checksum(const struct image *image, uint32_t want)
{
	uint64_t size = image->size;
	const unsigned char *bytes = image_bytes(image, 0, size);
	uint32_t crc = ~UINT32_C(0), table[256];

	if (!bytes)
		return false;
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int bit = 0; bit < 8; bit++)
			c = c & 1 ? 0xedb88320u ^ c >> 1 : c >> 1;
		table[i] = c;
	}
	for (size_t i = 0; i < size; i++)
		crc = table[(crc ^ bytes[i]) & 0xff] ^ crc >> 8;
	return ~crc == want;
}

static struct image *try_link(const struct loaded *loaded, bool in_target, const char *path,
			      uint32_t crc)
{
	struct image *image = try_open(loaded->process, in_target, path);
	const unsigned char *id;
	size_t n = image_build_id(loaded->image, &id);

	// The build id says the same as the checksum, for a thousandth of the price.
	if (image && image->inode != loaded->image->inode &&
	    (n ? same_build_id(image, id, n) : has_checksum(image, crc)))
		return image;
	image_close(image);
	return NULL;
}

static struct image *by_link(const struct loaded *loaded)
{
	const unsigned char *rest;
	size_t nr_rest;
	const char *name = image_link(loaded->image, ".gnu_debuglink", &rest, &nr_rest);
	const char *slash = strrchr(loaded->module.path, '/');
	uint32_t crc;

	if (!name || strchr(name, '/') || nr_rest < sizeof(crc) || !slash)
		return NULL;
	// The checksum is the section's last four bytes, after padding.
	memcpy(&crc, rest + nr_rest - sizeof(crc), sizeof(crc));

	int length = (int)(slash - loaded->module.path);

	for (int in_target = 1; in_target >= 0; in_target--) {
		for (int place = 0; place < 3; place++) {
			static const char *const before[] = { "", "", debug_directory };
			_cleanup_free_ char *path = NULL;

			if (asprintf(&path, "%s%.*s/%s%s", before[place], length,
				     loaded->module.path, place == 1 ? ".debug/" : "", name) < 0)
				return NULL;

			struct image *image = try_link(loaded, in_target, path, crc);

			if (image)
				return image;
		}
	}
	return NULL;
}

struct image *debugfile_find(const struct loaded *loaded)
{
	const unsigned char *id;
	size_t n = image_build_id(loaded->image, &id);
	struct image *image = n ? by_build_id(loaded, id, n) : NULL;

	return image ? image : by_link(loaded);
}

struct image *debugfile_find_alt(const struct loaded *loaded, const struct image *image,
				 const char *image_path)
{
	const unsigned char *id;
	size_t n;
	const char *name = image_link(image, ".gnu_debugaltlink", &id, &n);
	_cleanup_free_ char *path = NULL;

	if (!name || !n)
		return NULL;

	const char *slash = strrchr(image_path, '/');

	// A relative name counts from the directory of the file that refers to it, which for a
	// debug file found by build id is not the module's: dwz writes absolute names there or
	// ../../.dwz/.
	if (name[0] == '/')
		path = strdup(name);
	else if (!strncmp(name, "../../.dwz/", 11)) {
		if (asprintf(&path, "%s/.dwz/%s", debug_directory, name + 11) < 0)
			path = NULL;
	} else if (slash &&
		   asprintf(&path, "%.*s/%s", (int)(slash - image_path), image_path, name) < 0) {
		path = NULL;
	}
	for (int in_target = 1; path && in_target >= 0; in_target--) {
		struct image *alt = try_open(loaded->process, in_target, path);

		if (alt && same_build_id(alt, id, n))
			return alt;
		image_close(alt);
	}
	return by_build_id(loaded, id, n);
}
