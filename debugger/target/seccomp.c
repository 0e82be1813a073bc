// SPDX-License-Identifier: MIT
// Classic BPF over struct seccomp_data, as far as seccomp admits it.
#include "debugger/target/seccomp.h"

#include "debugger/base/cleanup.h"

#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>

#ifndef PTRACE_SECCOMP_GET_FILTER
#define PTRACE_SECCOMP_GET_FILTER 0x420c
#endif

struct dc_error *seccomp_fetch(pid_t tid, struct seccomp *ret)
{
	struct seccomp got = { 0 };

	for (;;) {
		long n = ptrace(PTRACE_SECCOMP_GET_FILTER, tid, got.n, NULL);

		if (n < 0 && errno == ENOENT)
			break; // there are no more
		if (n < 0) {
			int saved = errno;

			seccomp_deinit(&got);
			return error_make(DC_REFUSED,
					  "the seccomp filters of thread %d cannot be read: %s",
					  tid, strerror(saved));
		}

		struct seccomp_program program = { calloc((size_t)n, sizeof(*program.code)),
						   (size_t)n };
		struct seccomp_program *grown = realloc(got.programs,
							(got.n + 1) * sizeof(*got.programs));

		if (grown)
			got.programs = grown;
		if (!grown || !program.code ||
		    ptrace(PTRACE_SECCOMP_GET_FILTER, tid, got.n, program.code) != n) {
			free(program.code);
			seccomp_deinit(&got);
			return &dc_out_of_memory;
		}
		got.programs[got.n++] = program;
	}
	*ret = got;
	return NULL;
}

void seccomp_deinit(struct seccomp *seccomp)
{
	for (size_t i = 0; i < seccomp->n; i++)
		free(seccomp->programs[i].code);
	free(seccomp->programs);
	*seccomp = (struct seccomp){ 0 };
}

struct machine {
	uint32_t a, x, memory[BPF_MEMWORDS];
};

static bool arithmetic(struct machine *machine, const struct sock_filter *op)
{
	uint32_t operand = BPF_SRC(op->code) == BPF_X ? machine->x : op->k;
	uint32_t *a = &machine->a;

	switch (BPF_OP(op->code)) {
	case BPF_ADD: *a += operand; return true;
	case BPF_SUB: *a -= operand; return true;
	case BPF_MUL: *a *= operand; return true;
	case BPF_DIV: *a = operand ? *a / operand : 0; return true;
	case BPF_MOD: *a = operand ? *a % operand : *a; return true;
	case BPF_OR: *a |= operand; return true;
	case BPF_AND: *a &= operand; return true;
	case BPF_XOR: *a ^= operand; return true;
	case BPF_LSH: *a <<= operand & 31; return true;
	case BPF_RSH: *a >>= operand & 31; return true;
	case BPF_NEG: *a = -*a; return true;
	default: return false;
	}
}

static bool jumps(const struct machine *machine, const struct sock_filter *op)
{
	uint32_t operand = BPF_SRC(op->code) == BPF_X ? machine->x : op->k;

	switch (BPF_OP(op->code)) {
	case BPF_JEQ: return machine->a == operand;
	case BPF_JGT: return machine->a > operand;
	case BPF_JGE: return machine->a >= operand;
	case BPF_JSET: return machine->a & operand;
	default: return false;
	}
}

static bool load(struct machine *machine, const struct sock_filter *op,
		 const struct seccomp_data *data)
{
	uint32_t value;

	switch (BPF_MODE(op->code)) {
	case BPF_ABS:
		if (BPF_SIZE(op->code) != BPF_W || op->k > sizeof(*data) - sizeof(value) ||
		    op->k % sizeof(value))
			return false;
		memcpy(&value, (const char *)data + op->k, sizeof(value));
		break;
	case BPF_IMM: value = op->k; break;
	case BPF_LEN: value = sizeof(*data); break;
	case BPF_MEM:
		if (op->k >= BPF_MEMWORDS)
			return false;
		value = machine->memory[op->k];
		break;
	default: return false;
	}
	*(BPF_CLASS(op->code) == BPF_LD ? &machine->a : &machine->x) = value;
	return true;
}

uint32_t seccomp_run(const struct sock_filter *code, size_t n, const struct seccomp_data *data)
{
	struct machine machine = { 0 };

	for (size_t pc = 0; pc < n; pc++) {
		const struct sock_filter *op = &code[pc];
		bool valid = true;

		switch (BPF_CLASS(op->code)) {
		case BPF_LD:
		case BPF_LDX: valid = load(&machine, op, data); break;
		case BPF_ST:
		case BPF_STX:
			valid = op->k < BPF_MEMWORDS;
			if (valid)
				machine.memory[op->k] = BPF_CLASS(op->code) == BPF_ST ? machine.a
										      : machine.x;
			break;
		case BPF_ALU: valid = arithmetic(&machine, op); break;
		case BPF_JMP:
			if (BPF_OP(op->code) == BPF_JA)
				pc += op->k;
			else
				pc += jumps(&machine, op) ? op->jt : op->jf;
			break;
		case BPF_RET: return BPF_RVAL(op->code) == BPF_A ? machine.a : op->k;
		case BPF_MISC:
			if (BPF_MISCOP(op->code) == BPF_TAX)
				machine.x = machine.a;
			else
				machine.a = machine.x;
			break;
		}
		if (!valid)
			break;
	}
	return SECCOMP_RET_KILL_PROCESS;
}

uint32_t seccomp_decide(const struct seccomp *seccomp, const struct seccomp_data *data)
{
	uint32_t strictest = SECCOMP_RET_ALLOW;

	for (size_t i = 0; i < seccomp->n; i++) {
		uint32_t verdict = seccomp_run(seccomp->programs[i].code, seccomp->programs[i].n,
					       data);

		// The kernel compares actions as signed numbers: the lowest is the strictest.
		if ((int32_t)(verdict & SECCOMP_RET_ACTION_FULL) <
		    (int32_t)(strictest & SECCOMP_RET_ACTION_FULL))
			strictest = verdict;
	}
	return strictest;
}
