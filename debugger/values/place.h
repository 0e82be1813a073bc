// SPDX-License-Identifier: MIT
// Bit-fields out of the bytes that hold them; for the evaluator and the printer.
#ifndef DEBUGGER_VALUES_PLACE_H
#define DEBUGGER_VALUES_PLACE_H

#include "debugger/symbols/type.h"

// ret: type->size bytes; the field is extended to them as the type has it.
void place_extract_bits(const unsigned char *bytes, uint32_t bit_offset, uint32_t bit_size,
			const struct type *type, unsigned char *ret);

#endif
