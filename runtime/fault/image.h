// SPDX-License-Identifier: MIT
// Names for addresses, from what is mapped: the program's own file and the symbol tables of loaded
// libraries.
#ifndef RUNTIME_FAULT_IMAGE_H
#define RUNTIME_FAULT_IMAGE_H

#include "runtime/base/base.h"

struct span {
	const uint8_t *p;
	size_t n;
};

// An ELF file mapped for reading. Sections that are absent, compressed or out of bounds are empty.
struct image {
	struct span file, symtab, strtab, line, line_str, str;
	uint64_t bias; // load address minus address in the file
	const void *map; // struct link_map it belongs to
};

struct place {
	const char *module; // NULL: in no module
	uint64_t module_off; // what addr2line takes
	const char *name; // NULL: not known
	uint64_t name_off;
};

// Maps the program's file and the library's: later lookups open nothing.
gort__hidden void gort__image_init(void);

// Where pc is; lookup is pc or, for a return address, within the call. Async-signal-safe.
gort__hidden void gort__place(struct place *place, uint64_t pc, uint64_t lookup);

// Opens and maps path as the file of link map map. False: it cannot be had.
gort__hidden bool gort__image_open(struct image *image, const char *path, const void *map);
// The function of the image that holds the address (in the file's terms), or NULL.
gort__hidden const char *gort__image_name(const struct image *image, uint64_t addr, uint64_t *off);
// The image mapped at the start for this link map, or NULL.
gort__hidden const struct image *gort__image_of(const void *map);
// The path of a module.
gort__hidden const char *gort__module_path(const void *map);

// Calls found(arg, i, dir, file, line) for each of the n addresses (in the file's terms, ascending)
// that the image's line table knows; dir may be NULL.
typedef void gort__line_found(void *arg, unsigned i, const char *dir, const char *file,
			      unsigned line);
gort__hidden void gort__image_lines(const struct image *image, const uint64_t *addr, unsigned n,
				    gort__line_found *found, void *arg);

#endif
