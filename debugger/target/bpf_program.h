// SPDX-License-Identifier: MIT
// A program for the kernel's BPF machine, put together instruction by instruction, so that no compiler
// for it is needed, neither at build time nor later.
#ifndef DEBUGGER_TARGET_BPF_PROGRAM_H
#define DEBUGGER_TARGET_BPF_PROGRAM_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BPF_PROGRAM_MAX = 2048 };
struct bpf_program {
	struct bpf_insn insns[BPF_PROGRAM_MAX];
	size_t n; // more than there is room for: it is not whole
};

bool bpf_program_is_whole(const struct bpf_program *program);

// The number of the instruction.
size_t bpf_put(struct bpf_program *program, uint8_t code, int to, int from, int off, int32_t imm);
void bpf_put_move(struct bpf_program *program, int to, int from);
void bpf_put_number(struct bpf_program *program, int to, uint64_t number);
void bpf_put_map(struct bpf_program *program, int to, int fd);
void bpf_put_call(struct bpf_program *program, int32_t helper);
void bpf_put_exit(struct bpf_program *program, int32_t verdict);
// The jump leads to what is put next.
void bpf_land(struct bpf_program *program, size_t jump);
void bpf_append(struct bpf_program *program, const struct bpf_program *more);

#endif
