// SPDX-License-Identifier: MIT
// Eightbytes to registers and stack bytes, and back (psABI 3.2.3).
#include "debugger/arch/x86_64/abi.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static enum abi_class merge(enum abi_class a, enum abi_class b)
{
	if (a == b || b == ABI_NO_CLASS)
		return a;
	if (a == ABI_NO_CLASS)
		return b;
	if (a == ABI_MEMORY || b == ABI_MEMORY)
		return ABI_MEMORY;
	if (a == ABI_INTEGER || b == ABI_INTEGER)
		return ABI_INTEGER;
	if (a >= ABI_X87 || b >= ABI_X87)
		return ABI_MEMORY;
	return ABI_SSE;
}

// One scalar at offset: first class in its first eightbyte, rest in those that follow.
void abi_put(struct abi_value *value, uint64_t offset, uint64_t size, uint64_t align,
	     enum abi_class first, enum abi_class rest)
{
	if (offset % align || offset + size > ABI_WORDS * 8) {
		value->in_memory = true;
		return;
	}
	for (uint64_t word = offset / 8; word * 8 < offset + size; word++)
		value->word[word] = merge(value->word[word], word == offset / 8 ? first : rest);
}

void abi_settle(struct abi_value *value, uint64_t size, bool is_aggregate)
{
	uint64_t words = (size + 7) / 8;

	for (uint64_t i = 0; i < words && !value->in_memory; i++) {
		enum abi_class previous = i ? value->word[i - 1] : ABI_NO_CLASS;

		if (value->word[i] == ABI_MEMORY ||
		    (value->word[i] == ABI_X87UP && previous != ABI_X87))
			value->in_memory = true;
		// More than two eightbytes stay together only in one vector register.
		if (words > 2 && is_aggregate &&
		    (i ? value->word[i] != ABI_SSEUP : value->word[i] != ABI_SSE))
			value->in_memory = true;
		if (value->word[i] == ABI_SSEUP && previous != ABI_SSE && previous != ABI_SSEUP)
			value->word[i] = ABI_SSE;
	}
}

// Registers an argument asks for; false: it goes to the stack, whatever is free.
bool abi_count(const struct abi_value *value, uint64_t words, unsigned *general, unsigned *vector)
{
	*general = *vector = 0;
	if (value->in_memory)
		return false;
	for (uint64_t i = 0; i < words; i++) {
		switch (value->word[i]) {
		case ABI_INTEGER: ++*general; break;
		case ABI_SSE: ++*vector; break;
		case ABI_NO_CLASS:
		case ABI_SSEUP: break;
		default: return false; // x87 values are passed in memory
		}
	}
	return true;
}

static void use_width(struct abi_entry *entry, unsigned width)
{
	unsigned whole = width <= 16 ? 16 : width <= 32 ? 32 : 64;

	if (entry->vector_width < whole)
		entry->vector_width = whole;
}

static void fill_registers(struct abi_placer *placer, const struct abi_value *value,
			   const unsigned char *bytes, uint64_t size)
{
	unsigned width = 0; // bytes of the vector register being filled

	for (uint64_t i = 0; i * 8 < size; i++) {
		size_t part = size - i * 8 < 8 ? size - i * 8 : 8;
		const unsigned char *from = bytes + i * 8;

		switch (value->word[i]) {
		case ABI_INTEGER:
			memcpy(&placer->entry->general[placer->general++], from, part);
			break;
		case ABI_SSE:
			memcpy(placer->entry->vector[placer->vector++], from, part);
			use_width(placer->entry, width = 8);
			break;
		case ABI_SSEUP:
			memcpy(placer->entry->vector[placer->vector - 1] + width, from, part);
			use_width(placer->entry, width += 8);
			break;
		default: break;
		}
	}
}

bool abi_place_in_registers(struct abi_placer *placer, const struct abi_value *value,
			    const unsigned char *bytes, uint64_t size)
{
	unsigned general, vector;

	// All of a value is in registers, or none of it; what it leaves serves later arguments.
	if (!abi_count(value, (size + 7) / 8, &general, &vector) ||
	    placer->general + general > ABI_GENERAL || placer->vector + vector > ABI_VECTOR)
		return false;
	fill_registers(placer, value, bytes, size);
	return true;
}

struct dc_error *abi_place_on_stack(struct abi_entry *entry, const unsigned char *bytes,
				    uint64_t size, uint64_t align)
{
	if (align < 8)
		align = 8;
	if (align > entry->stack_align)
		entry->stack_align = (unsigned)align;
	if (size > SIZE_MAX / 4 || align > 4096)
		return error_make(DC_REFUSED, "an argument of %" PRIu64 " bytes is too large",
				  size);

	size_t at = (entry->stack_size + align - 1) & ~(align - 1);
	size_t end = at + ((size + 7) & ~(size_t)7);
	unsigned char *grown = realloc(entry->stack, end ? end : 1);

	if (!grown)
		return &dc_out_of_memory;
	memset(grown + entry->stack_size, 0, end - entry->stack_size);
	memcpy(grown + at, bytes, size);
	entry->stack = grown;
	entry->stack_size = end;
	return NULL;
}

void abi_expect_result(struct abi_entry *entry, const struct abi_value *value, uint64_t size,
		       uint64_t align)
{
	if (value->in_memory) {
		entry->result_size = size;
		entry->result_align = align > 16 ? align : 16;
		return;
	}
	entry->leaves_x87 = value->word[0] == ABI_X87 || value->word[0] == ABI_COMPLEX_X87;
	unsigned general = 0, vector = 0;

	for (uint64_t i = 0, width = 0; i * 8 < size; i++) {
		general += value->word[i] == ABI_INTEGER;
		vector += value->word[i] == ABI_SSE;
		if (value->word[i] == ABI_SSE || value->word[i] == ABI_SSEUP)
			use_width(entry, width = value->word[i] == ABI_SSE ? 8 : width + 8);
		entry->leaves_more |= width > 16;
	}
	entry->leaves_vector = vector > 0;
	entry->leaves_more |= general > 1 || vector > 1;
}

void abi_take_result(const struct abi_value *value, const struct abi_exit *exit, uint64_t size,
		     unsigned char *result)
{
	unsigned general = 0, vector = 0, width = 0, x87 = 0;

	if (value->in_memory) {
		memcpy(result, exit->memory, size);
		return;
	}
	for (uint64_t i = 0; i * 8 < size; i++) {
		size_t part = size - i * 8 < 8 ? size - i * 8 : 8;
		unsigned char *to = result + i * 8;

		switch (value->word[i]) {
		case ABI_INTEGER: memcpy(to, general++ ? &exit->rdx : &exit->rax, part); break;
		case ABI_SSE:
			memcpy(to, exit->vector[vector++], part);
			width = 8;
			break;
		case ABI_SSEUP:
			memcpy(to, exit->vector[vector - 1] + width, part);
			width += 8;
			break;
		// The value is ten bytes; the six that fill it up stay zero.
		case ABI_X87: memcpy(to, exit->st[0], 10); break;
		case ABI_COMPLEX_X87:
			if (i % 2 == 0)
				memcpy(to, exit->st[x87++], 10);
			break;
		default: break;
		}
	}
}

uint64_t abi_first_integer(const struct abi_exit *exit)
{
	return exit->rax;
}

void abi_entry_deinit(struct abi_entry *entry)
{
	free(entry->stack);
	*entry = (struct abi_entry){ 0 };
}
