// SPDX-License-Identifier: MIT
// How objects are read from the target and written to it: whole, by bits, or from registers.
#include "debugger/values/lvalue.h"

#include "debugger/values/keepsake.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// An object that is copied out of the target whole; what is larger is shown piece by piece.
static const uint64_t SIZE_MAX_OBJECT = 16 << 20;

static void sign_extend(unsigned char *bytes, uint32_t bit_size, uint64_t size)
{
	if (bit_size == 0 || !(bytes[(bit_size - 1) / 8] >> (bit_size - 1) % 8 & 1))
		return;
	for (uint64_t bit = bit_size; bit < size * 8; bit++)
		bytes[bit / 8] |= 1 << bit % 8;
}

void lvalue_extract_bits(const unsigned char *bytes, uint32_t bit_offset, uint32_t bit_size,
			 const struct type *type, unsigned char *ret)
{
	const struct type *plain = type_strip(type);

	memset(ret, 0, plain->size);
	for (uint32_t i = 0; i < bit_size && i < plain->size * 8; i++) {
		uint32_t from = bit_offset + i;

		if (bytes[from / 8] >> from % 8 & 1)
			ret[i / 8] |= 1 << i % 8;
	}
	if (plain->is_signed)
		sign_extend(ret, bit_size, plain->size);
}

// The neighbours in the same bytes keep their values.
static void insert_bits(unsigned char *bytes, uint32_t bit_offset, uint32_t bit_size,
			const unsigned char *value)
{
	for (uint32_t i = 0; i < bit_size; i++) {
		uint32_t to = bit_offset + i;

		bytes[to / 8] &= ~(1 << to % 8);
		bytes[to / 8] |= (value[i / 8] >> i % 8 & 1) << to % 8;
	}
}

uint32_t lvalue_bit_span(const struct value *value)
{
	return (value->bit_offset + value->bit_size + 7) / 8;
}

struct dc_error *access_frame(struct access *access)
{
	struct dc_error *err = NULL;

	if (!access->has_frame)
		err = access->caller->frame(access->caller->arg, &access->frame);
	access->has_frame = !err;
	return err;
}

struct dc_error *lvalue_size(struct access *access, struct value *value, uint64_t *ret)
{
	if (type_strip(value->type)->is_incomplete)
		value->type = symbols_complete(access->symbols, type_strip(value->type));
	if (!type_size(value->type, ret))
		return type_error("'%s' is incomplete: its size is not known", value->type, NULL);
	if (*ret > SIZE_MAX_OBJECT)
		return error_make(DC_VALUE,
				  "an object of %" PRIu64 " bytes is too large to read whole",
				  *ret);
	return NULL;
}

// DWARF numbers to gdb's names.
bool lvalue_register_name(int number, char name[8])
{
	static const char general[17][4] = { "rax", "rdx", "rcx", "rbx", "rsi", "rdi",
					     "rbp", "rsp", "r8",  "r9",	 "r10", "r11",
					     "r12", "r13", "r14", "r15", "rip" };

	if (number >= 0 && number < 17)
		snprintf(name, 8, "%s", general[number]);
	else if (number >= 17 && number <= 32)
		snprintf(name, 8, "xmm%d", number - 17);
	else
		return false;
	return true;
}

// A caller's registers are known as far as the frames between saved them.
static struct dc_error *read_register_variable(struct access *access, struct value *value,
					       uint64_t size)
{
	struct dc_error *err = access_frame(access);
	_cleanup_value_ struct value whole = { 0 };
	char name[8];

	if (err)
		return err;
	if (value->reg >= 0 && value->reg < 17) {
		if (!(access->frame.valid >> value->reg & 1) || size > 8)
			return error_about(error_make(DC_VALUE, "the register that holds it was "
								"not saved in this frame"),
					   DC_VALUE_OPTIMISED_OUT);
		return value_set(value, &access->frame.regs[value->reg], size);
	}
	if (!lvalue_register_name(value->reg, name))
		return error_make(DC_VALUE, "it is in a register that cannot be read (%d)",
				  value->reg);
	err = access->caller->read_register(access->caller->arg, name,
					    symbols_types(access->symbols), &whole);
	if (err)
		return err;
	if (size > type_strip(whole.type)->size)
		return error_make(DC_VALUE, "it does not fit the register that holds it");
	return value_set(value, whole.bytes, size);
}

static struct dc_error *read_object(const struct access *access, const struct value *value,
				    void *buf, uint64_t n)
{
	const struct caller *caller = access->caller;

	return value->keepsake ? keepsake_read(value->keepsake, value->addr, buf, n)
			       : caller->read(caller->arg, value->addr, buf, n);
}

static struct dc_error *read_bits(struct access *access, struct value *value, uint64_t size)
{
	unsigned char unit[32];

	if (lvalue_bit_span(value) > sizeof(unit))
		return error_make(DC_VALUE, "the bit-field is too wide");

	struct dc_error *err = read_object(access, value, unit, lvalue_bit_span(value));

	if (!err)
		err = value_set(value, NULL, size);
	if (!err)
		lvalue_extract_bits(unit, value->bit_offset, value->bit_size, value->type,
				    value->bytes);
	return err;
}

struct dc_error *lvalue_load(struct access *access, struct value *value)
{
	uint64_t size;
	struct dc_error *err = lvalue_size(access, value, &size);

	if (err)
		return err;
	if (value->lvalue == LVALUE_REGISTER)
		return read_register_variable(access, value, size);
	if (value->bit_size > 0)
		return read_bits(access, value, size);
	err = value_set(value, NULL, size);
	if (!err && size > 0)
		err = read_object(access, value, value->bytes, size);
	if (err)
		value_deinit(value); // not read: no bytes
	return err;
}

static struct dc_error *store_register(struct access *access, const struct value *value,
				       const unsigned char *bytes, uint64_t size)
{
	const struct caller *caller = access->caller;
	_cleanup_value_ struct value whole = { 0 };
	char name[8];

	if (!lvalue_register_name(value->reg, name))
		return error_make(DC_VALUE, "it is in a register that cannot be written (%d)",
				  value->reg);

	struct dc_error *err = caller->read_register(caller->arg, name,
						     symbols_types(access->symbols), &whole);

	if (err)
		return err;
	if (size > type_strip(whole.type)->size)
		return error_make(DC_VALUE, "it does not fit the register that holds it");
	// The rest of the register may belong to another variable.
	memcpy(whole.bytes, bytes, size);
	err = caller->write_register(caller->arg, name, &whole);
	if (!err && value->reg >= 0 && value->reg < 17)
		memcpy(&access->frame.regs[value->reg], bytes, size);
	return err;
}

// The neighbours in the same bytes stay; the value becomes what the field then is.
static struct dc_error *store_bits(struct access *access, struct value *value,
				   const unsigned char *bytes, uint64_t size)
{
	const struct caller *caller = access->caller;
	uint32_t span = lvalue_bit_span(value);
	unsigned char unit[32];

	if (span > sizeof(unit))
		return error_make(DC_VALUE, "the bit-field is too wide");

	struct dc_error *err = caller->read(caller->arg, value->addr, unit, span);

	if (err)
		return err;
	insert_bits(unit, value->bit_offset, value->bit_size, bytes);
	err = caller->write(caller->arg, value->addr, unit, span);
	if (!err)
		err = value_set(value, NULL, size);
	if (!err)
		lvalue_extract_bits(unit, value->bit_offset, value->bit_size, value->type,
				    value->bytes);
	return err;
}

struct dc_error *lvalue_store(struct access *access, struct value *value, const struct value *new)
{
	const struct caller *caller = access->caller;
	uint64_t size;
	struct dc_error *err = lvalue_size(access, value, &size);

	if (err)
		return err;
	value_deinit(value);
	if (value->bit_size > 0 && value->lvalue == LVALUE_MEMORY)
		return store_bits(access, value, new->bytes, size);
	if (value->lvalue == LVALUE_REGISTER)
		err = store_register(access, value, new->bytes, size);
	else if (size > 0)
		err = caller->write(caller->arg, value->addr, new->bytes, size);
	return err ? err : value_set(value, new->bytes, size);
}
