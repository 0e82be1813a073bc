// SPDX-License-Identifier: MIT
// Values own their bytes; these are the few ways in which bytes come and go.
#include "debugger/values/value.h"

#include <stdlib.h>
#include <string.h>

void value_deinit(struct value *value)
{
	free(value->bytes);
	value->bytes = NULL;
}

struct dc_error *value_set(struct value *value, const void *bytes, uint64_t size)
{
	// One byte for an empty struct, so that known bytes are never NULL.
	unsigned char *copy = calloc(1, size ? size : 1);

	if (!copy)
		return &dc_out_of_memory;
	if (bytes)
		memcpy(copy, bytes, size);
	free(value->bytes);
	value->bytes = copy;
	return NULL;
}

struct dc_error *value_copy(const struct value *value, struct value *ret)
{
	*ret = *value;
	ret->bytes = NULL;
	return value->bytes ? value_set(ret, value->bytes, value->type->size) : NULL;
}

struct dc_error *type_error(const char *format, const struct type *a, const struct type *b)
{
	const struct type *types[2] = { a, b };
	char message[512] = "";
	size_t used = 0, n = 0;

	while (*format && used < sizeof(message) - 1) {
		if (strncmp(format, "%s", 2) != 0 || n == 2 || !types[n]) {
			message[used++] = *format++;
			continue;
		}

		_cleanup_free_ char *name = type_spell(types[n++], NULL);

		snprintf(message + used, sizeof(message) - used, "%s", name ? name : "?");
		used += strlen(message + used);
		format += 2;
	}
	return error_make(DC_TYPE, "%s", message);
}
