// SPDX-License-Identifier: MIT
// Go's assignment of arguments and results to registers and stack, by the scalars that they are
// made of.
#include "debugger/arch/x86_64/go_abi.h"

#include <string.h>

enum { WORD = 8 };

struct sequence {
	unsigned general, floats; // registers taken
	uint64_t stack; // bytes taken
};

static uint64_t align_to(uint64_t offset, uint64_t align)
{
	return align ? (offset + align - 1) / align * align : offset;
}

static uint64_t take_stack(struct sequence *sequence, const struct go_abi_value *value)
{
	uint64_t at = align_to(sequence->stack, value->align);

	sequence->stack = at + value->size;
	return at;
}

// All of a value is in registers, or nothing.
static void assign(struct sequence *sequence, struct go_abi_value *value)
{
	unsigned general = 0, floats = 0;

	for (unsigned i = 0; i < value->nr_scalars; i++) {
		general += !value->scalar[i].is_float;
		floats += value->scalar[i].is_float;
	}
	value->in_registers = value->size && !value->in_memory &&
			      sequence->general + general <= GO_ABI_GENERAL &&
			      sequence->floats + floats <= GO_ABI_FLOATS;
	if (!value->in_registers) {
		value->stack = take_stack(sequence, value);
		return;
	}
	value->general = sequence->general;
	value->floats = sequence->floats;
	sequence->general += general;
	sequence->floats += floats;
}

size_t go_abi_assign(struct go_abi_value *args, size_t nr_args, struct go_abi_value *results,
		     size_t nr_results)
{
	struct sequence sequence = { 0 };

	for (size_t i = 0; i < nr_args; i++)
		assign(&sequence, &args[i]);
	sequence.stack = align_to(sequence.stack, WORD);
	sequence.general = sequence.floats = 0;
	for (size_t i = 0; i < nr_results; i++)
		assign(&sequence, &results[i]);
	sequence.stack = align_to(sequence.stack, WORD);
	// Where the callee spills the registers that it was passed.
	for (size_t i = 0; i < nr_args; i++)
		if (args[i].in_registers)
			args[i].stack = take_stack(&sequence, &args[i]);
	return align_to(sequence.stack, WORD);
}

uint64_t go_abi_registers(const struct go_abi_value *value)
{
	static const uint8_t general[GO_ABI_GENERAL] = { 0, 3, 2, 5, 4, 8, 9, 10, 11 };
	enum { XMM0 = 17 };
	unsigned nr_general = value->general, nr_floats = value->floats;
	uint64_t registers = 0;

	for (unsigned i = 0; value->in_registers && i < value->nr_scalars; i++)
		registers |= UINT64_C(1) << (value->scalar[i].is_float ? XMM0 + nr_floats++
								       : general[nr_general++]);
	return registers;
}

void go_abi_put(const struct go_abi_value *value, const unsigned char *bytes,
		struct go_abi_entry *entry)
{
	unsigned general = value->general, floats = value->floats;

	if (!value->in_registers) {
		if (value->size)
			memcpy(entry->stack + value->stack, bytes, value->size);
		return;
	}
	for (unsigned i = 0; i < value->nr_scalars; i++) {
		const struct go_abi_scalar *scalar = &value->scalar[i];
		uint64_t *to = scalar->is_float ? &entry->floats[floats++]
						: &entry->general[general++];

		*to = 0;
		memcpy(to, bytes + scalar->offset, scalar->size);
	}
}

void go_abi_get(const struct go_abi_value *value, const struct go_abi_exit *exit,
		unsigned char *bytes)
{
	unsigned general = value->general, floats = value->floats;

	if (!value->in_registers) {
		if (value->size && value->stack + value->size <= exit->stack_size)
			memcpy(bytes, exit->stack + value->stack, value->size);
		return;
	}
	for (unsigned i = 0; i < value->nr_scalars; i++) {
		const struct go_abi_scalar *scalar = &value->scalar[i];
		const uint64_t *from = scalar->is_float ? &exit->floats[floats++]
							: &exit->general[general++];

		memcpy(bytes + scalar->offset, from, scalar->size);
	}
}
