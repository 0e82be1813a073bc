// SPDX-License-Identifier: MIT
// Pieces in the order in which they were read; the later ones count.
#include "debugger/values/keepsake.h"

#include "debugger/values/caller.h"

#include <stdlib.h>
#include <string.h>

struct piece {
	uint64_t addr;
	size_t n;
	unsigned char *bytes;
};

struct keepsake {
	struct piece *list;
	size_t n, room;
};

struct keepsake *keepsake_create(void)
{
	return calloc(1, sizeof(struct keepsake));
}

void keepsake_destroy(struct keepsake *keepsake)
{
	if (!keepsake)
		return;
	for (size_t i = 0; i < keepsake->n; i++)
		free(keepsake->list[i].bytes);
	free(keepsake->list);
	free(keepsake);
}

struct dc_error *keepsake_record(struct keepsake *keepsake, uint64_t addr, const void *bytes,
				 size_t n)
{
	unsigned char *copy;

	if (!n)
		return NULL;
	if (keepsake->n == keepsake->room) {
		size_t room = keepsake->room ? keepsake->room * 2 : 16;
		struct piece *grown = reallocarray(keepsake->list, room, sizeof(*grown));

		if (!grown)
			return &dc_out_of_memory;
		keepsake->list = grown;
		keepsake->room = room;
	}
	copy = malloc(n);
	if (!copy)
		return &dc_out_of_memory;
	memcpy(copy, bytes, n);
	keepsake->list[keepsake->n++] = (struct piece){ addr, n, copy };
	return NULL;
}

struct dc_error *keepsake_read(const struct keepsake *keepsake, uint64_t addr, void *buf, size_t n)
{
	unsigned char *to = buf;

	while (n) {
		const struct piece *piece = NULL;

		for (size_t i = keepsake->n; i-- > 0 && !piece;)
			if (addr - keepsake->list[i].addr < keepsake->list[i].n)
				piece = &keepsake->list[i];
		if (!piece)
			return error_make(DC_VALUE, "the object is gone, and this of it was not "
						    "read with the value");

		size_t skip = (size_t)(addr - piece->addr);
		size_t part = piece->n - skip < n ? piece->n - skip : n;

		memcpy(to, piece->bytes + skip, part);
		to += part;
		addr += part;
		n -= part;
	}
	return NULL;
}

static struct dc_error *read_kept(void *arg, uint64_t addr, void *buf, size_t n)
{
	return keepsake_read(arg, addr, buf, n);
}

struct caller keepsake_caller(const struct keepsake *keepsake)
{
	return (struct caller){ .arg = (void *)keepsake, .read = read_kept };
}
