// SPDX-License-Identifier: MIT
// Objects in the target: reading and writing them, in memory, in a register, bit by bit.
#ifndef DEBUGGER_VALUES_LVALUE_H
#define DEBUGGER_VALUES_LVALUE_H

#include "debugger/values/caller.h"

// The way to the target's state during one evaluation.
struct access {
	struct symbols *symbols;
	const struct caller *caller; // NULL: there is no target, as for a constant expression
	struct symbols_frame frame; // of the moment: asked for when first needed
	bool has_frame;
};
struct dc_error *access_frame(struct access *access) DC_CHECK;

// The bytes that the value has or would have. A struct that its unit only declares becomes the one
// that another unit defines. Code TYPE: incomplete; VALUE: too large to be read whole.
struct dc_error *lvalue_size(struct access *access, struct value *value, uint64_t *ret) DC_CHECK;
// Reads the object in memory or in a register: the value then has its bytes.
struct dc_error *lvalue_load(struct access *access, struct value *value) DC_CHECK;
// Writes new, of value's type, to the object; the value then has what the object is.
struct dc_error *lvalue_store(struct access *access, struct value *value,
			      const struct value *new) DC_CHECK;

// gdb's name of a register by its DWARF number; false: none that an object can be in.
bool lvalue_register_name(int number, char name[8]);

// Bytes from the value's address that hold its bit-field.
uint32_t lvalue_bit_span(const struct value *value);
// The field out of them, extended to the type's size as the type has it: ret has room for that.
void lvalue_extract_bits(const unsigned char *bytes, uint32_t bit_offset, uint32_t bit_size,
			 const struct type *type, unsigned char *ret);

#endif
