// SPDX-License-Identifier: MIT
// A value of a C type: its bytes, and where it lives when it is an lvalue.
#ifndef DEBUGGER_VALUES_VALUE_H
#define DEBUGGER_VALUES_VALUE_H

#include "debugger/base/cleanup.h"
#include "debugger/symbols/type.h"

struct function;
struct keepsake;

// What kind of object a value was read from.
enum lvalue {
	LVALUE_NONE, // an rvalue
	LVALUE_MEMORY, // addr in the target
	LVALUE_REGISTER, // reg, a DWARF number, of the chosen frame
	LVALUE_FUNCTION, // a function designator: addr is its code
	LVALUE_LITERAL, // a string, array or struct literal: has no address until one is needed
};

struct value {
	const struct type *type;
	enum lvalue lvalue;
	uint64_t addr;
	int reg;
	uint32_t bit_offset, bit_size; // of a bit-field lvalue; bit_size 0: none
	unsigned char *bytes; // type->size of them, malloc'd; NULL for void and unread lvalues
	const char *name; // FUNCTION, MEMORY: its name, for messages; may be NULL
	const struct function *symbol; // FUNCTION: as symbols know it; lives as the expression
	bool no_debug; // FUNCTION, MEMORY: the symbol has no debug information, the type is not known
	bool is_temporary; // MEMORY: an object that ends with the expression, and is a value of it
	// MEMORY: the object has ended, and this is what was read with it; NULL: it is there. The
	// session's.
	const struct keepsake *keepsake;
};
void value_deinit(struct value *value);
// Gives the value bytes of its own: a copy, or zeros when bytes is NULL.
struct dc_error *value_set(struct value *value, const void *bytes, uint64_t size) DC_CHECK;
struct dc_error *value_copy(const struct value *value, struct value *ret) DC_CHECK;

// An error about types: format has one %s for each, filled with its spelling.
struct dc_error *type_error(const char *format, const struct type *a,
			    const struct type *b) DC_CHECK;

static inline void cleanup_value(struct value *value)
{
	value_deinit(value);
}
#define _cleanup_value_ _cleanup_(cleanup_value)
// The value, leaving an empty one behind.
static inline struct value value_take(struct value *value)
{
	struct value taken = *value;

	value->bytes = NULL;
	return taken;
}

#endif
