// SPDX-License-Identifier: MIT
// Memory that is given back all at once: for graphs whose parts live equally long.
#ifndef DEBUGGER_BASE_ARENA_H
#define DEBUGGER_BASE_ARENA_H

#include <stddef.h>

// All-zero is empty.
struct arena {
	struct arena_chunk *chunks;
};

// Zeroed, 16-aligned; NULL: out of memory.
void *arena_alloc(struct arena *arena, size_t size);
void arena_deinit(struct arena *arena);

#endif
