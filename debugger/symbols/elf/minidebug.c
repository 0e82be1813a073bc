// SPDX-License-Identifier: MIT
// Unpacking .gnu_debugdata, an xz stream with an ELF file of symbols alone.
#include "debugger/symbols/elf/minidebug.h"

#include "debugger/base/cleanup.h"

#include <lzma.h>

// Real ones unpack to some hundred kilobytes; a file that is made to explode gets no further.
enum { MEMORY_MAX = 64 << 20, SIZE_MAX_UNPACKED = 64 << 20 };

static char *unpack(const unsigned char *packed, size_t n, size_t *size)
{
	for (size_t room = n * 4; room <= SIZE_MAX_UNPACKED; room *= 2) {
		_cleanup_free_ char *bytes = malloc(room);
		uint64_t memory = MEMORY_MAX;
		size_t in = 0, out = 0;
		lzma_ret result;

		if (!bytes)
			return NULL;
		result = lzma_stream_buffer_decode(&memory, 0, NULL, packed, &in, n,
						   (uint8_t *)bytes, &out, room);
		if (result == LZMA_OK) {
			*size = out;
			return take_ptr(bytes);
		}
		if (result != LZMA_BUF_ERROR)
			return NULL;
	}
	return NULL;
}

struct image *minidebug_open(const struct image *image)
{
	Elf_Data *data = image_section_data(image, ".gnu_debugdata");
	size_t size;
	char *bytes = data ? unpack(data->d_buf, data->d_size, &size) : NULL;
	struct image *inner = NULL;
	struct dc_error *err = bytes ? image_from_bytes(bytes, size, &inner) : NULL;

	dc_error_destroy(err);
	return err ? NULL : inner;
}
