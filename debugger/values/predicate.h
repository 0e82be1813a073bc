// SPDX-License-Identifier: MIT
// A condition as far as registers, memory and 64-bit integers tell it: what an expression of any
// language may be translated to, so that others than its evaluator can judge it. Pure.
#ifndef DEBUGGER_VALUES_PREDICATE_H
#define DEBUGGER_VALUES_PREDICATE_H

#include "debugger/base/arena.h"
#include "debugger/values/operator.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/user.h>

// Every part is a number of 64 bits: an object's value, extended by its type's size and sign.
enum predicate_kind {
	PREDICATE_CONSTANT, // number
	PREDICATE_REGISTER, // number: the offset in struct user_regs_struct
	PREDICATE_LOAD, // size bytes at left, the first one lowest, and zeros above
	PREDICATE_EXTEND, // left's lowest size bytes, by their sign or with zeros
	// op of left and right. Integers' own, which wrap; a shift's count is taken modulo its size;
	// comparisons give 0 or 1. is_signed, size: of the type that C computes in.
	PREDICATE_BINARY,
	PREDICATE_AND, // left and right are 0 or 1; right is looked at only where left does not tell
	PREDICATE_OR,
	PREDICATE_SELECT, // left, 0 or 1, says which of right and third is looked at
};
struct predicate {
	uint8_t kind; // enum predicate_kind
	uint8_t op; // enum operation
	uint8_t size;
	bool is_signed;
	uint16_t depth; // of the tree from here down
	uint64_t number;
	const struct predicate *left, *right, *third;
};
// Deeper ones are not made: whoever goes through them recurses.
enum { PREDICATE_DEPTH_MAX = 48 };

// All take the parts that they need, and give NULL where one of those is NULL, where the tree would
// be too deep, and without memory.
const struct predicate *predicate_constant(struct arena *arena, uint64_t number);
const struct predicate *predicate_register(struct arena *arena, size_t offset);
const struct predicate *predicate_load(struct arena *arena, const struct predicate *addr,
				       unsigned size);
const struct predicate *predicate_extend(struct arena *arena, const struct predicate *of,
					 unsigned size, bool is_signed);
const struct predicate *predicate_binary(struct arena *arena, enum operation op, unsigned size,
					 bool is_signed, const struct predicate *left,
					 const struct predicate *right);
// addr + offset.
const struct predicate *predicate_offset(struct arena *arena, const struct predicate *addr,
					 uint64_t offset);
const struct predicate *predicate_truth(struct arena *arena, const struct predicate *of);
// kind: AND, OR.
const struct predicate *predicate_both(struct arena *arena, enum predicate_kind kind,
				       const struct predicate *left, const struct predicate *right);
const struct predicate *predicate_select(struct arena *arena, const struct predicate *condition,
					 const struct predicate *yes, const struct predicate *no);

struct predicate_memory {
	bool (*read)(void *arg, uint64_t addr, void *buf, size_t n); // false: it cannot be read
	void *arg;
};
// False: there is no value, as where memory cannot be read, or nothing divides by zero.
bool predicate_value(const struct predicate *predicate, const struct user_regs_struct *regs,
		     const struct predicate_memory *memory, uint64_t *ret);

#endif
