// SPDX-License-Identifier: MIT
// Compiling predicates for BPF. Each part leaves its number in R0; what waits for another part waits on
// the program's stack, one place for each level of the tree.
#include "debugger/control/judge.h"

#include <stddef.h>

enum { TELLS_MAX = 512, SCRATCH = -8, PLACE = -16 };

struct compilation {
	struct bpf_program *program;
	size_t tells[TELLS_MAX], nr_tells; // jumps to the end, where there is no value
	size_t waiting; // places that are taken
};

static void compile(struct compilation *c, const struct predicate *predicate);

static uint8_t alu(enum operation op, bool is_signed)
{
	switch (op) {
	case OP_ADD: return BPF_ADD;
	case OP_SUB: return BPF_SUB;
	case OP_MUL: return BPF_MUL;
	case OP_DIV: return BPF_DIV;
	case OP_MOD: return BPF_MOD;
	case OP_AND: return BPF_AND;
	case OP_XOR: return BPF_XOR;
	case OP_OR: return BPF_OR;
	case OP_SHL: return BPF_LSH;
	default: return is_signed ? BPF_ARSH : BPF_RSH;
	}
}

static uint8_t comparison(enum operation op, bool is_signed)
{
	switch (op) {
	case OP_EQ: return BPF_JEQ;
	case OP_NE: return BPF_JNE;
	case OP_LT: return is_signed ? BPF_JSLT : BPF_JLT;
	case OP_LE: return is_signed ? BPF_JSLE : BPF_JLE;
	case OP_GT: return is_signed ? BPF_JSGT : BPF_JGT;
	default: return is_signed ? BPF_JSGE : BPF_JGE;
	}
}

static void put_tell(struct compilation *c, uint8_t code, int left, int right, int32_t imm)
{
	size_t jump = bpf_put(c->program, code, left, right, 0, imm);

	if (c->nr_tells < TELLS_MAX)
		c->tells[c->nr_tells] = jump;
	c->nr_tells++;
}

static void put_load(struct compilation *c, unsigned size)
{
	struct bpf_program *p = c->program;

	bpf_put_move(p, BPF_REG_3, BPF_REG_0);
	bpf_put(p, BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, SCRATCH, 0);
	bpf_put_move(p, BPF_REG_1, BPF_REG_10);
	bpf_put(p, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_1, 0, 0, SCRATCH);
	bpf_put_number(p, BPF_REG_2, size);
	bpf_put_call(p, BPF_FUNC_probe_read_user);
	put_tell(c, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_0, 0, 0);
	bpf_put(p, BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_0, BPF_REG_10, SCRATCH, 0);
}

static void put_extend(struct compilation *c, unsigned size, bool is_signed)
{
	const int32_t above = 64 - 8 * (int32_t)size;

	bpf_put(c->program, BPF_ALU64 | BPF_LSH | BPF_K, BPF_REG_0, 0, 0, above);
	bpf_put(c->program, BPF_ALU64 | (is_signed ? BPF_ARSH : BPF_RSH) | BPF_K, BPF_REG_0, 0, 0,
		above);
}

// R0 by R2, where the processor would trap there is no value.
static void put_division(struct compilation *c, const struct predicate *predicate)
{
	struct bpf_program *p = c->program;
	const uint64_t lowest = (uint64_t)(INT64_MIN >> (64 - 8 * predicate->size));
	size_t fits;

	put_tell(c, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_2, 0, 0);
	if (predicate->is_signed) {
		fits = bpf_put(p, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_2, 0, 0, -1);
		bpf_put_number(p, BPF_REG_3, lowest);
		put_tell(c, BPF_JMP | BPF_JEQ | BPF_X, BPF_REG_0, BPF_REG_3, 0);
		bpf_land(p, fits);
	}
	bpf_put(p, BPF_ALU64 | BPF_X | alu(predicate->op, false), BPF_REG_0, BPF_REG_2,
		predicate->is_signed, 0);
}

// R0 and R2.
static void put_operation(struct compilation *c, const struct predicate *predicate)
{
	struct bpf_program *p = c->program;
	enum operation op = predicate->op;
	size_t holds;

	switch (op) {
	case OP_DIV:
	case OP_MOD: put_division(c, predicate); return;
	case OP_SHL:
	case OP_SHR:
		bpf_put(p, BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_2, 0, 0, 8 * predicate->size - 1);
		break;
	case OP_EQ:
	case OP_NE:
	case OP_LT:
	case OP_GT:
	case OP_LE:
	case OP_GE:
		bpf_put_number(p, BPF_REG_1, 1);
		holds = bpf_put(p, BPF_JMP | BPF_X | comparison(op, predicate->is_signed),
				BPF_REG_0, BPF_REG_2, 0, 0);
		bpf_put_number(p, BPF_REG_1, 0);
		bpf_land(p, holds);
		bpf_put_move(p, BPF_REG_0, BPF_REG_1);
		return;
	default: break;
	}
	bpf_put(p, BPF_ALU64 | BPF_X | alu(op, predicate->is_signed), BPF_REG_0, BPF_REG_2, 0, 0);
}

static void compile_binary(struct compilation *c, const struct predicate *predicate)
{
	int place = PLACE - 8 * (int)c->waiting;

	compile(c, predicate->left);
	// A constant needs no other register than the one it is wanted in.
	if (predicate->right->kind == PREDICATE_CONSTANT) {
		bpf_put_number(c->program, BPF_REG_2, predicate->right->number);
		put_operation(c, predicate);
		return;
	}
	bpf_put(c->program, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_10, BPF_REG_0, place, 0);
	c->waiting++;
	compile(c, predicate->right);
	c->waiting--;
	bpf_put_move(c->program, BPF_REG_2, BPF_REG_0);
	bpf_put(c->program, BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_0, BPF_REG_10, place, 0);
	put_operation(c, predicate);
}

static void compile_select(struct compilation *c, const struct predicate *predicate)
{
	size_t no, end;

	compile(c, predicate->left);
	no = bpf_put(c->program, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 0, 0);
	compile(c, predicate->right);
	end = bpf_put(c->program, BPF_JMP | BPF_JA, 0, 0, 0, 0);
	bpf_land(c->program, no);
	compile(c, predicate->third);
	bpf_land(c->program, end);
}

static void compile(struct compilation *c, const struct predicate *predicate)
{
	struct bpf_program *p = c->program;
	size_t decided;

	switch ((enum predicate_kind)predicate->kind) {
	case PREDICATE_CONSTANT: bpf_put_number(p, BPF_REG_0, predicate->number); return;
	// The kernel has them in the order of struct user_regs_struct, as far as there are both.
	case PREDICATE_REGISTER:
		bpf_put(p, BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_0, BPF_REG_6, (int)predicate->number,
			0);
		return;
	case PREDICATE_LOAD:
		compile(c, predicate->left);
		put_load(c, predicate->size);
		return;
	case PREDICATE_EXTEND:
		compile(c, predicate->left);
		put_extend(c, predicate->size, predicate->is_signed);
		return;
	case PREDICATE_BINARY: compile_binary(c, predicate); return;
	case PREDICATE_AND:
	case PREDICATE_OR:
		compile(c, predicate->left);
		decided = bpf_put(
			p, BPF_JMP | BPF_K | (predicate->kind == PREDICATE_AND ? BPF_JEQ : BPF_JNE),
			BPF_REG_0, 0, 0, 0);
		compile(c, predicate->right);
		bpf_land(p, decided);
		return;
	case PREDICATE_SELECT: compile_select(c, predicate); return;
	}
}

struct dc_error *judge_compile(const struct predicate *predicate, struct bpf_program *ret)
{
	struct compilation c = { .program = ret };
	size_t has_value;

	ret->n = 0;
	compile(&c, predicate);
	if (c.nr_tells && c.nr_tells <= TELLS_MAX) {
		has_value = bpf_put(ret, BPF_JMP | BPF_JA, 0, 0, 0, 0);
		for (size_t i = 0; i < c.nr_tells; i++)
			bpf_land(ret, c.tells[i]);
		bpf_put_number(ret, BPF_REG_0, 1);
		bpf_land(ret, has_value);
	}
	return c.nr_tells <= TELLS_MAX && bpf_program_is_whole(ret)
		       ? NULL
		       : error_make(DC_REFUSED, "it is too long");
}
