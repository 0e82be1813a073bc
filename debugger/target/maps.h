// SPDX-License-Identifier: MIT
// The mappings of a target, from /proc/PID/maps.
#ifndef DEBUGGER_TARGET_MAPS_H
#define DEBUGGER_TARGET_MAPS_H

#include "debugger/target/process.h"

struct mapping {
	uint64_t start, end;
	uint64_t offset;
	uint64_t inode;
	uint32_t dev_major, dev_minor;
	bool readable, writable, executable, shared;
	const char
		*path; // "" when anonymous; "[stack]", "[vdso]", "[anon:…]"; without " (deleted)"
	bool deleted;
};

struct maps {
	struct mapping *map; // sorted by address
	size_t n;
	char *text; // what the paths point into
};
struct dc_error *maps_read(const struct process *process, struct maps *ret) DC_CHECK;
// The same from text of that form, malloc'd, which the maps then own, also on error.
struct dc_error *maps_parse(char *text, struct maps *ret) DC_CHECK;
void maps_deinit(struct maps *maps);
const struct mapping *maps_find(const struct maps *maps, uint64_t addr); // NULL: unmapped

#endif
