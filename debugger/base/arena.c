// SPDX-License-Identifier: MIT
// Chunks that are filled from the bottom; what is larger than one gets its own.
#include "debugger/base/arena.h"

#include <stdlib.h>

enum { ALIGNMENT = 16, CHUNK_SIZE = 16384 };

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, size;
	_Alignas(ALIGNMENT) unsigned char bytes[];
};

void *arena_alloc(struct arena *arena, size_t size)
{
	struct arena_chunk *chunk = arena->chunks;

	size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	if (!chunk || chunk->size - chunk->used < size) {
		size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;

		chunk = calloc(1, sizeof(*chunk) + room);
		if (!chunk)
			return NULL;
		chunk->size = room;
		chunk->next = arena->chunks;
		arena->chunks = chunk;
	}
	chunk->used += size;
	return chunk->bytes + chunk->used - size;
}

void arena_deinit(struct arena *arena)
{
	while (arena->chunks) {
		struct arena_chunk *chunk = arena->chunks;

		arena->chunks = chunk->next;
		free(chunk);
	}
}
