// SPDX-License-Identifier: MIT
// Instructions as they are appended; what there is no room for is only counted.
#include "debugger/target/bpf_program.h"

bool bpf_program_is_whole(const struct bpf_program *program)
{
	return program->n <= BPF_PROGRAM_MAX;
}

size_t bpf_put(struct bpf_program *program, uint8_t code, int to, int from, int off, int32_t imm)
{
	if (program->n < BPF_PROGRAM_MAX)
		program->insns[program->n] = (struct bpf_insn){ .code = code,
								.dst_reg = (uint8_t)to & 0xf,
								.src_reg = (uint8_t)from & 0xf,
								.off = (int16_t)off,
								.imm = imm };
	return program->n++;
}

void bpf_put_move(struct bpf_program *program, int to, int from)
{
	bpf_put(program, BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0);
}

void bpf_put_number(struct bpf_program *program, int to, uint64_t number)
{
	if ((int64_t)number == (int32_t)number) {
		bpf_put(program, BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, (int32_t)number);
		return;
	}
	bpf_put(program, BPF_LD | BPF_DW | BPF_IMM, to, 0, 0, (int32_t)number);
	bpf_put(program, 0, 0, 0, 0, (int32_t)(number >> 32));
}

void bpf_put_map(struct bpf_program *program, int to, int fd)
{
	bpf_put(program, BPF_LD | BPF_DW | BPF_IMM, to, BPF_PSEUDO_MAP_FD, 0, fd);
	bpf_put(program, 0, 0, 0, 0, 0);
}

void bpf_put_call(struct bpf_program *program, int32_t helper)
{
	bpf_put(program, BPF_JMP | BPF_CALL, 0, 0, 0, helper);
}

void bpf_put_exit(struct bpf_program *program, int32_t verdict)
{
	bpf_put(program, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, verdict);
	bpf_put(program, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

void bpf_land(struct bpf_program *program, size_t jump)
{
	if (jump < BPF_PROGRAM_MAX)
		program->insns[jump].off = (int16_t)(program->n - jump - 1);
}

void bpf_append(struct bpf_program *program, const struct bpf_program *more)
{
	for (size_t i = 0; i < more->n && i < BPF_PROGRAM_MAX; i++) {
		const struct bpf_insn *insn = &more->insns[i];

		bpf_put(program, insn->code, insn->dst_reg, insn->src_reg, insn->off, insn->imm);
	}
	if (!bpf_program_is_whole(more))
		program->n = more->n;
}
