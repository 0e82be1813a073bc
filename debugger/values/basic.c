// SPDX-License-Identifier: MIT
// The basic types by index, and the families of types that C's rules speak of.
#include "debugger/values/basic.h"

#include <string.h>

struct dc_error *basics_init(struct basics *basics, struct types *types)
{
	static const char *const spellings[] = {
#define X(name, spelling) spelling,
		BASIC_TYPES(X)
#undef X
	};

	basics->types = types;
	for (size_t i = 0; i < BASIC_COUNT; i++) {
		basics->list[i] = types_basic(types, spellings[i]);
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

bool type_is_integer(const struct type *type)
{
	type = type_strip(type);
	return type->kind == TYPE_BOOL || type->kind == TYPE_INT || type->kind == TYPE_ENUM;
}

bool type_is_real(const struct type *type)
{
	return type_is_integer(type) || type_strip(type)->kind == TYPE_FLOAT;
}

bool type_is_arithmetic(const struct type *type)
{
	return type_is_real(type) || type_strip(type)->kind == TYPE_COMPLEX;
}

bool type_is_scalar(const struct type *type)
{
	return type_is_arithmetic(type) || type_strip(type)->kind == TYPE_POINTER;
}

bool type_is_record(const struct type *type)
{
	type = type_strip(type);
	return type->kind == TYPE_STRUCT || type->kind == TYPE_UNION;
}

// An incomplete type has size 0 in its struct, which is not the same as being empty.
bool type_size(const struct type *type, uint64_t *ret)
{
	type = type_strip(type);
	if (type->is_incomplete || type->kind == TYPE_FUNCTION)
		return false;
	if (type->kind == TYPE_ARRAY && type->count == UINT64_MAX)
		return false;
	*ret = type->size;
	return true;
}
