// SPDX-License-Identifier: MIT
// Operands: objects in the target, bytes at hand, numbers in and out of them, what interfaces hold.
#include "debugger/lang/go/go.h"

#include <inttypes.h>
#include <string.h>

enum { OBJECT_MAX = 16 << 20, WORD = 8 };

void *go_alloc(struct context *context, uint64_t size)
{
	return size > OBJECT_MAX ? NULL : arena_alloc(&context->arena, size ?: 1);
}

struct dc_error *go_read_memory(struct context *context, uint64_t addr, uint64_t size,
				const unsigned char **ret)
{
	unsigned char *bytes;

	if (size > OBJECT_MAX)
		return error_make(DC_VALUE,
				  "an object of %" PRIu64 " bytes is too large to read whole",
				  size);
	bytes = go_alloc(context, size);
	if (!bytes)
		return &dc_out_of_memory;
	*ret = bytes;
	return size ? context->caller->read(context->caller->arg, addr, bytes, size) : NULL;
}

struct dc_error *go_read_word(struct context *context, uint64_t addr, uint64_t *ret)
{
	return context->caller->read(context->caller->arg, addr, ret, sizeof(*ret));
}

struct dc_error *go_load(struct context *context, struct operand *operand)
{
	if (operand->mode != OPERAND_VALUE || operand->bytes || !operand->is_object)
		return NULL;
	return go_read_memory(context, operand->addr, go_size(operand->type), &operand->bytes);
}

uint64_t go_word(const struct operand *operand, size_t i)
{
	uint64_t word;

	memcpy(&word, operand->bytes + i * WORD, sizeof(word));
	return word;
}

struct operand go_object(const struct type *type, uint64_t addr)
{
	return (struct operand){
		.mode = OPERAND_VALUE, .type = type, .is_object = true, .addr = addr
	};
}

struct operand go_bytes(const struct type *type, const unsigned char *bytes)
{
	return (struct operand){ .mode = OPERAND_VALUE, .type = type, .bytes = bytes };
}

struct operand go_part(const struct operand *whole, const struct type *type, uint64_t offset)
{
	struct operand part = go_bytes(type, NULL);

	part.on_stack = whole->on_stack;
	if (whole->is_object) {
		part.is_object = true;
		part.addr = whole->addr + offset;
	}
	if (whole->bytes && offset + go_size(type) <= go_size(whole->type))
		part.bytes = whole->bytes + offset;
	return part;
}

// ---- numbers --------------------------------------------------------------------------------------

bool go_number(const struct operand *operand, struct number *ret)
{
	const struct type *type;

	if (operand->mode == OPERAND_CONSTANT) {
		*ret = operand->number;
		return !operand->text;
	}
	if (operand->mode != OPERAND_VALUE || !operand->bytes)
		return false;
	type = type_strip(operand->type);

	struct dc_error *err = number_read(type, operand->bytes, ret);

	if (err) {
		dc_error_destroy(err);
		return false;
	}
	if (ret->kind == NUMBER_INT)
		ret->is_signed = true; // of 128 bits, in which all of them are
	return true;
}

struct dc_error *go_make_number(struct context *context, const struct number *number,
				const struct type *type, struct operand *ret)
{
	const struct type *under = type_strip(type);
	unsigned char *bytes = go_alloc(context, under->size);

	if (!bytes)
		return &dc_out_of_memory;
	*ret = go_bytes(type, bytes);
	if (under->kind == TYPE_BOOL) {
		bytes[0] = number->i != 0;
		return NULL;
	}
	if (number->kind == NUMBER_INT && under->kind == TYPE_INT) {
		memcpy(bytes, &number->i, under->size);
		return NULL;
	}
	return number_write(number, under, bytes);
}

struct dc_error *go_bool(struct context *context, bool value, struct operand *ret)
{
	const struct type *type;
	struct number number = { .kind = NUMBER_INT, .is_signed = true, .i = value };
	struct dc_error *err = go_basic(context, "bool", &type);

	return err ? err : go_make_number(context, &number, type, ret);
}

// ---- interfaces -----------------------------------------------------------------------------------

// As types have their names in the program: flags, a length as a varint, the text.
static const char *read_name(struct context *context, uint64_t addr)
{
	const unsigned char *head;
	uint64_t length = 0;
	size_t at = 1;
	char *text;
	struct dc_error *err = go_read_memory(context, addr, 4, &head);

	if (err) {
		dc_error_destroy(err);
		return NULL;
	}
	for (unsigned shift = 0; at < 4; shift += 7) {
		length |= (uint64_t)(head[at] & 0x7f) << shift;
		if (!(head[at++] & 0x80))
			break;
	}
	text = length < 4096 ? go_alloc(context, length + 1) : NULL;
	if (!text)
		return NULL;
	err = context->caller->read(context->caller->arg, addr + at, text, length);
	dc_error_destroy(err);
	return err ? NULL : text;
}

const char *go_runtime_text(struct context *context, uint64_t addr)
{
	enum { TFLAG = 20, NAME = 40, EXTRA_STAR = 2 };
	const unsigned char *type;
	uint64_t start, end;
	int32_t offset;
	const char *name;
	struct dc_error *err;

	if (!symbols_go_types(context->symbols, &start, &end) || addr < start || addr >= end)
		return NULL;
	err = go_read_memory(context, addr, 48, &type);
	if (err) {
		dc_error_destroy(err);
		return NULL;
	}
	memcpy(&offset, type + NAME, sizeof(offset));
	name = offset >= 0 && (uint64_t)offset < end - start
		       ? read_name(context, start + (uint64_t)offset)
		       : NULL;
	return name && *name == '*' && type[TFLAG] & EXTRA_STAR ? name + 1 : name;
}

static const struct type *described(struct context *context, uint64_t addr)
{
	uint64_t start, end;

	if (!symbols_go_types(context->symbols, &start, &end) || addr < start || addr >= end)
		return NULL;
	return symbols_go_described(context->symbols, addr - start);
}

struct dc_error *go_dynamic(struct context *context, struct operand *operand, bool *known,
			    struct operand *ret)
{
	enum { ITAB_TYPE = 8 };
	uint64_t type_addr, data;
	const struct type *type;
	struct dc_error *err = go_load(context, operand);

	*ret = (struct operand){ 0 };
	*known = !err && operand->bytes;
	if (err || !*known)
		return err;
	type_addr = go_word(operand, 0);
	data = go_word(operand, 1);
	if (!type_addr)
		return NULL;
	if (!go_is_eface(operand->type)) {
		const unsigned char *table;

		err = go_read_memory(context, type_addr + ITAB_TYPE, sizeof(type_addr), &table);
		if (err)
			return err;
		memcpy(&type_addr, table, sizeof(type_addr));
	}
	type = described(context, type_addr);
	if (!type) {
		const char *name = go_runtime_text(context, type_addr);

		return error_make(DC_VALUE, "the debug information does not describe its type, %s",
				  name ? name : "whose name is not known either");
	}
	if (!go_is_direct(type)) {
		*ret = go_object(type, data);
		return NULL;
	}

	unsigned char *bytes = go_alloc(context, WORD);

	if (!bytes)
		return &dc_out_of_memory;
	memcpy(bytes, &data, sizeof(data));
	*ret = go_bytes(type, bytes);
	return NULL;
}
