// SPDX-License-Identifier: MIT
// Making predicates, and what they are for a thread's registers and memory.
#include "debugger/values/predicate.h"

#include <string.h>

static const struct predicate *make(struct arena *arena, const struct predicate *part)
{
	struct predicate *made;
	const struct predicate *parts[] = { part->left, part->right, part->third };
	unsigned depth = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		if (parts[i] && parts[i]->depth > depth)
			depth = parts[i]->depth;
	}
	made = depth < PREDICATE_DEPTH_MAX ? arena_alloc(arena, sizeof(*made)) : NULL;
	if (!made)
		return NULL;
	*made = *part;
	made->depth = (uint16_t)(depth + 1);
	return made;
}

const struct predicate *predicate_constant(struct arena *arena, uint64_t number)
{
	return make(arena, &(struct predicate){ .kind = PREDICATE_CONSTANT, .number = number });
}

const struct predicate *predicate_register(struct arena *arena, size_t offset)
{
	return make(arena, &(struct predicate){ .kind = PREDICATE_REGISTER, .number = offset });
}

const struct predicate *predicate_load(struct arena *arena, const struct predicate *addr,
				       unsigned size)
{
	if (!addr || !size || size > sizeof(uint64_t))
		return NULL;
	return make(arena, &(struct predicate){
				   .kind = PREDICATE_LOAD, .size = (uint8_t)size, .left = addr });
}

const struct predicate *predicate_extend(struct arena *arena, const struct predicate *of,
					 unsigned size, bool is_signed)
{
	if (!of || size >= sizeof(uint64_t))
		return of;
	// It is so already.
	if (of->kind == PREDICATE_EXTEND && of->size == size && of->is_signed == is_signed)
		return of;
	return make(arena, &(struct predicate){ .kind = PREDICATE_EXTEND,
						.size = (uint8_t)size,
						.is_signed = is_signed,
						.left = of });
}

const struct predicate *predicate_binary(struct arena *arena, enum operation op, unsigned size,
					 bool is_signed, const struct predicate *left,
					 const struct predicate *right)
{
	if (!left || !right)
		return NULL;
	return make(arena, &(struct predicate){ .kind = PREDICATE_BINARY,
						.op = (uint8_t)op,
						.size = (uint8_t)size,
						.is_signed = is_signed,
						.left = left,
						.right = right });
}

const struct predicate *predicate_offset(struct arena *arena, const struct predicate *addr,
					 uint64_t offset)
{
	if (!addr || !offset)
		return addr;
	if (addr->kind == PREDICATE_CONSTANT)
		return predicate_constant(arena, addr->number + offset);
	return predicate_binary(arena, OP_ADD, sizeof(uint64_t), false, addr,
				predicate_constant(arena, offset));
}

static bool is_truth(const struct predicate *predicate)
{
	return predicate->kind == PREDICATE_AND || predicate->kind == PREDICATE_OR ||
	       (predicate->kind == PREDICATE_BINARY && predicate->op >= OP_EQ &&
		predicate->op <= OP_GE);
}

const struct predicate *predicate_truth(struct arena *arena, const struct predicate *of)
{
	if (!of || is_truth(of))
		return of;
	return predicate_binary(arena, OP_NE, sizeof(uint64_t), false, of,
				predicate_constant(arena, 0));
}

const struct predicate *predicate_both(struct arena *arena, enum predicate_kind kind,
				       const struct predicate *left, const struct predicate *right)
{
	if (!left || !right)
		return NULL;
	return make(arena, &(struct predicate){ .kind = kind, .left = left, .right = right });
}

const struct predicate *predicate_select(struct arena *arena, const struct predicate *condition,
					 const struct predicate *yes, const struct predicate *no)
{
	if (!condition || !yes || !no)
		return NULL;
	return make(arena, &(struct predicate){ .kind = PREDICATE_SELECT,
						.left = condition,
						.right = yes,
						.third = no });
}

// ---- what it is -----------------------------------------------------------------------------------

static uint64_t extend(uint64_t value, unsigned size, bool is_signed)
{
	unsigned above = 64 - 8 * size;

	return is_signed ? (uint64_t)((int64_t)(value << above) >> above) : value << above >> above;
}

// False: the processor would trap, and the evaluator tells an error.
static bool divide(const struct predicate *predicate, uint64_t a, uint64_t b, uint64_t *ret)
{
	bool is_quotient = predicate->op == OP_DIV;
	int64_t x = (int64_t)a, y = (int64_t)b;

	if (!b)
		return false;
	if (!predicate->is_signed) {
		*ret = is_quotient ? a / b : a % b;
		return true;
	}
	if (y == -1 && x == INT64_MIN >> (64 - 8 * predicate->size))
		return false;
	*ret = (uint64_t)(is_quotient ? x / y : x % y);
	return true;
}

static bool compute(const struct predicate *predicate, uint64_t a, uint64_t b, uint64_t *ret)
{
	unsigned count = (unsigned)b & (8u * predicate->size - 1);
	bool is_signed = predicate->is_signed;
	bool less = is_signed ? (int64_t)a < (int64_t)b : a < b;

	switch ((enum operation)predicate->op) {
	case OP_ADD: *ret = a + b; return true;
	case OP_SUB: *ret = a - b; return true;
	case OP_MUL: *ret = a * b; return true;
	case OP_DIV:
	case OP_MOD: return divide(predicate, a, b, ret);
	case OP_AND: *ret = a & b; return true;
	case OP_XOR: *ret = a ^ b; return true;
	case OP_OR: *ret = a | b; return true;
	case OP_SHL: *ret = a << count; return true;
	case OP_SHR: *ret = is_signed ? (uint64_t)((int64_t)a >> count) : a >> count; return true;
	case OP_EQ: *ret = a == b; return true;
	case OP_NE: *ret = a != b; return true;
	case OP_LT: *ret = less; return true;
	case OP_GE: *ret = !less; return true;
	case OP_LE: *ret = less || a == b; return true;
	case OP_GT: *ret = !less && a != b; return true;
	default: return false;
	}
}

bool predicate_value(const struct predicate *predicate, const struct user_regs_struct *regs,
		     const struct predicate_memory *memory, uint64_t *ret)
{
	uint64_t left = 0, right;

	if (predicate->left && !predicate_value(predicate->left, regs, memory, &left))
		return false;
	switch ((enum predicate_kind)predicate->kind) {
	case PREDICATE_CONSTANT: *ret = predicate->number; return true;
	case PREDICATE_REGISTER:
		memcpy(ret, (const char *)regs + predicate->number, sizeof(*ret));
		return true;
	case PREDICATE_LOAD: *ret = 0; return memory->read(memory->arg, left, ret, predicate->size);
	case PREDICATE_EXTEND:
		*ret = extend(left, predicate->size, predicate->is_signed);
		return true;
	case PREDICATE_BINARY:
		return predicate_value(predicate->right, regs, memory, &right) &&
		       compute(predicate, left, right, ret);
	case PREDICATE_AND:
	case PREDICATE_OR:
		*ret = left;
		if (left == (predicate->kind == PREDICATE_OR))
			return true;
		return predicate_value(predicate->right, regs, memory, ret);
	case PREDICATE_SELECT:
		return predicate_value(left ? predicate->right : predicate->third, regs, memory,
				       ret);
	}
	return false;
}
