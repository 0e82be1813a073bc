// SPDX-License-Identifier: MIT
// The basic types by index.
#include "debugger/lang/c/basic.h"

#include <string.h>

struct dc_error *basics_init(struct basics *basics, struct types *types, bool is_cxx)
{
	static const char *const spellings[] = {
#define X(name, spelling) spelling,
		BASIC_TYPES(X)
#undef X
	};

	basics->types = types;
	for (size_t i = 0; i < BASIC_COUNT; i++) {
		basics->list[i] = types_basic(types,
					      is_cxx && i == BASIC_BOOL ? "bool" : spellings[i]);
		if (!basics->list[i])
			return &dc_out_of_memory;
	}
	return NULL;
}

// For bit-fields, enums and wide characters, which C turns into plain integers of their size.
const struct type *basic_signed(const struct basics *basics, uint64_t size, bool is_signed)
{
	enum basic basic = size > 8 ? BASIC_INT128 : size > 4 ? BASIC_LONG : BASIC_INT;

	return basics->list[basic + !is_signed];
}
