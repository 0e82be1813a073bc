// SPDX-License-Identifier: MIT
// One ELF image: a file of the target's, a debug file, or the bytes of the vdso.
// Everything read from it is bounded by its size; a damaged file gives errors, never wild pointers.
#ifndef DEBUGGER_SYMBOLS_IMAGE_H
#define DEBUGGER_SYMBOLS_IMAGE_H

#include "debugger/base/error.h"

#include <gelf.h>

struct image {
	Elf *elf;
	int fd; // -1 for bytes in memory
	char *bytes; // of the vdso, malloc'd
	GElf_Ehdr header;
	uint64_t size;
	uint64_t inode, device; // of the file
};

// Takes fd, also on failure.
struct dc_error *image_open(int fd, struct image **ret) DC_CHECK;
// Takes the malloc'd bytes, also on failure.
struct dc_error *image_from_bytes(char *bytes, size_t size, struct image **ret) DC_CHECK;
void image_close(struct image *image); // NULL is fine

size_t image_nr_segments(const struct image *image);
bool image_segment(const struct image *image, size_t i, GElf_Phdr *ret);
// The first segment of the type.
// So many bytes of the file, which live as long as the image; NULL: it has not so many. elf_rawfile()
// would leak what was read before.
const unsigned char *image_bytes(const struct image *image, uint64_t offset, uint64_t size);
bool image_segment_of(const struct image *image, uint32_t type, GElf_Phdr *ret);
// The address, as in the file, lies in code.
bool image_has_code(const struct image *image, uint64_t value);
// A section by name; NULL when there is none or it has no bytes in the file.
Elf_Scn *image_section(const struct image *image, const char *name, GElf_Shdr *ret);
// A section's bytes as they are in the file. NULL: none or damaged.
Elf_Data *image_section_data(const struct image *image, const char *name);
// The GNU build id; 0 without one.
size_t image_build_id(const struct image *image, const unsigned char **ret);
// The name that a .gnu_debuglink or .gnu_debugaltlink section gives, NULL without; *rest is what
// follows the name (checksum, build id).
const char *image_link(const struct image *image, const char *section, const unsigned char **rest,
		       size_t *nr_rest);
bool image_has_dwarf(const struct image *image);

static inline void cleanup_image(struct image **image)
{
	image_close(*image);
}
#define _cleanup_image_ _cleanup_(cleanup_image)

#endif
