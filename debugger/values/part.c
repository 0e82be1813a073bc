// SPDX-License-Identifier: MIT
// Cutting values into their parts, never beyond what was read of the whole.
#include "debugger/values/part.h"

#include <string.h>

struct dc_error *part_at(const struct value *whole, const struct type *type, uint64_t offset,
			 struct value *ret)
{
	uint64_t size, room;

	*ret = (struct value){ .type = type };
	if (whole->lvalue == LVALUE_MEMORY) {
		ret->lvalue = LVALUE_MEMORY;
		ret->addr = whole->addr + offset;
		ret->is_temporary = whole->is_temporary;
		ret->keepsake = whole->keepsake;
	}
	// Of an object what has no known size is just where it is.
	if (!whole->bytes || (!type_size(type, &size) && whole->lvalue == LVALUE_MEMORY))
		return NULL;
	if (!type_size(type, &size) || !type_size(whole->type, &room) || offset > room ||
	    size > room - offset)
		return error_make(DC_VALUE, "out of the bounds of the value");
	return value_set(ret, whole->bytes + offset, size);
}

static struct dc_error *bits_at(const struct value *whole, const struct type_member *member,
				uint64_t offset, struct value *ret)
{
	uint64_t room;

	*ret = (struct value){ .type = member->type,
			       .bit_offset = member->bit_offset,
			       .bit_size = member->bit_size };
	if (whole->lvalue == LVALUE_MEMORY) {
		ret->lvalue = LVALUE_MEMORY;
		ret->addr = whole->addr + offset;
		ret->is_temporary = whole->is_temporary;
		ret->keepsake = whole->keepsake;
	}
	if (!whole->bytes)
		return NULL;
	if (!type_size(whole->type, &room) || offset > room || lvalue_bit_span(ret) > room - offset)
		return error_make(DC_VALUE, "out of the bounds of the value");

	struct dc_error *err = value_set(ret, NULL, type_strip(member->type)->size);

	if (!err)
		lvalue_extract_bits(whole->bytes + offset, member->bit_offset, member->bit_size,
				    member->type, ret->bytes);
	return err;
}

struct dc_error *part_base_offset(const struct caller *caller, const struct type_member *base,
				  uint64_t addr, const void *bytes, uint64_t *ret)
{
	struct dc_error *err = NULL;
	uint64_t table;

	*ret = base->offset;
	if (!base->is_virtual)
		return NULL;
	if (bytes)
		memcpy(&table, bytes, sizeof(table));
	else
		err = caller->read(caller->arg, addr, &table, sizeof(table));
	return err ? err : caller->read(caller->arg, table - base->table_offset, ret, sizeof(*ret));
}

struct dc_error *part_member(struct access *access, const struct value *whole, uint64_t offset,
			     const struct type_member *member, struct value *ret)
{
	uint64_t inside;

	*ret = (struct value){ .type = member->type };
	if (member->bit_size > 0)
		return bits_at(whole, member, offset + member->offset, ret);

	const unsigned char *bytes = whole->bytes ? whole->bytes + offset : NULL;
	struct dc_error *err = part_base_offset(access->caller, member, whole->addr + offset, bytes,
						&inside);

	if (err)
		return err;
	// A virtual base of a part lies wherever the whole object has it, which may be outside.
	if (member->is_virtual && whole->lvalue == LVALUE_MEMORY) {
		*ret = (struct value){ .type = member->type,
				       .lvalue = LVALUE_MEMORY,
				       .addr = whole->addr + offset + inside,
				       .is_temporary = whole->is_temporary,
				       .keepsake = whole->keepsake };
		return NULL;
	}
	return part_at(whole, member->type, offset + inside, ret);
}
