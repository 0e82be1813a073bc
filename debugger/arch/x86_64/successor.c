// SPDX-License-Identifier: MIT
// Successors by capstone: branches are judged by the flags, addresses computed from the operands.
#include "debugger/arch/x86_64/successor.h"

#include <capstone/capstone.h>
#include <stdlib.h>
#include <sys/syscall.h>

enum { INSTRUCTION_MAX = 15 };

struct decoder {
	size_t (*read)(void *arg, uint64_t addr, void *buf, size_t n);
	void *arg;
	csh handle;
	cs_insn *insn;
};

struct dc_error *decoder_create(size_t (*read)(void *arg, uint64_t addr, void *buf, size_t n),
				void *arg, struct decoder **ret)
{
	struct decoder *decoder = calloc(1, sizeof(*decoder));

	if (!decoder)
		return &dc_out_of_memory;
	decoder->read = read;
	decoder->arg = arg;
	if (cs_open(CS_ARCH_X86, CS_MODE_64, &decoder->handle)) {
		free(decoder);
		return error_make(DC_SYSTEM, "the disassembler cannot be used");
	}
	cs_option(decoder->handle, CS_OPT_DETAIL, CS_OPT_ON);
	decoder->insn = cs_malloc(decoder->handle);
	if (!decoder->insn) {
		decoder_destroy(decoder);
		return &dc_out_of_memory;
	}
	*ret = decoder;
	return NULL;
}

void decoder_destroy(struct decoder *decoder)
{
	if (!decoder)
		return;
	if (decoder->insn)
		cs_free(decoder->insn, 1);
	cs_close(&decoder->handle);
	free(decoder);
}

// ---- branches -------------------------------------------------------------------------------------

static bool flag(const struct user_regs_struct *regs, unsigned bit)
{
	return regs->eflags >> bit & 1;
}

// *known: it is a branch that is taken or not.
static bool is_taken(unsigned id, const struct user_regs_struct *regs, bool *known)
{
	bool carry = flag(regs, 0), parity = flag(regs, 2), zero = flag(regs, 6);
	bool sign = flag(regs, 7), overflow = flag(regs, 11);

	*known = true;
	switch (id) {
	case X86_INS_JO: return overflow;
	case X86_INS_JNO: return !overflow;
	case X86_INS_JB: return carry;
	case X86_INS_JAE: return !carry;
	case X86_INS_JE: return zero;
	case X86_INS_JNE: return !zero;
	case X86_INS_JBE: return carry || zero;
	case X86_INS_JA: return !carry && !zero;
	case X86_INS_JS: return sign;
	case X86_INS_JNS: return !sign;
	case X86_INS_JP: return parity;
	case X86_INS_JNP: return !parity;
	case X86_INS_JL: return sign != overflow;
	case X86_INS_JGE: return sign == overflow;
	case X86_INS_JLE: return zero || sign != overflow;
	case X86_INS_JG: return !zero && sign == overflow;
	case X86_INS_JRCXZ: return !regs->rcx;
	case X86_INS_JECXZ: return !(uint32_t)regs->rcx;
	case X86_INS_LOOP: return regs->rcx - 1 != 0;
	case X86_INS_LOOPE: return regs->rcx - 1 != 0 && zero;
	case X86_INS_LOOPNE: return regs->rcx - 1 != 0 && !zero;
	default: *known = false; return false;
	}
}

// ---- operands -------------------------------------------------------------------------------------

static bool register_value(x86_reg reg, const struct user_regs_struct *regs, uint64_t next,
			   uint64_t *ret)
{
	switch (reg) {
	case X86_REG_INVALID: *ret = 0; return true;
	case X86_REG_RIP: *ret = next; return true;
	case X86_REG_RAX: *ret = regs->rax; return true;
	case X86_REG_RBX: *ret = regs->rbx; return true;
	case X86_REG_RCX: *ret = regs->rcx; return true;
	case X86_REG_RDX: *ret = regs->rdx; return true;
	case X86_REG_RSI: *ret = regs->rsi; return true;
	case X86_REG_RDI: *ret = regs->rdi; return true;
	case X86_REG_RBP: *ret = regs->rbp; return true;
	case X86_REG_RSP: *ret = regs->rsp; return true;
	case X86_REG_R8: *ret = regs->r8; return true;
	case X86_REG_R9: *ret = regs->r9; return true;
	case X86_REG_R10: *ret = regs->r10; return true;
	case X86_REG_R11: *ret = regs->r11; return true;
	case X86_REG_R12: *ret = regs->r12; return true;
	case X86_REG_R13: *ret = regs->r13; return true;
	case X86_REG_R14: *ret = regs->r14; return true;
	case X86_REG_R15: *ret = regs->r15; return true;
	case X86_REG_RIZ: *ret = 0; return true;
	default: return false;
	}
}

static bool read_word(const struct decoder *decoder, uint64_t addr, uint64_t *ret)
{
	return decoder->read(decoder->arg, addr, ret, sizeof(*ret)) == sizeof(*ret);
}

static bool memory_operand(const struct decoder *decoder, const x86_op_mem *mem,
			   const struct user_regs_struct *regs, uint64_t next, uint64_t *ret)
{
	uint64_t base, index, segment = 0;

	if (!register_value(mem->base, regs, next, &base) ||
	    !register_value(mem->index, regs, next, &index))
		return false;
	if (mem->segment == X86_REG_FS)
		segment = regs->fs_base;
	else if (mem->segment == X86_REG_GS)
		segment = regs->gs_base;
	return read_word(decoder,
			 segment + base + index * (uint64_t)mem->scale + (uint64_t)mem->disp, ret);
}

static bool target_of(const struct decoder *decoder, const struct user_regs_struct *regs,
		      uint64_t next, uint64_t *ret)
{
	const cs_x86 *x86 = &decoder->insn->detail->x86;
	const cs_x86_op *op = &x86->operands[0];

	if (x86->op_count < 1)
		return false;
	switch (op->type) {
	case X86_OP_IMM: *ret = (uint64_t)op->imm; return true;
	case X86_OP_REG: return register_value(op->reg, regs, next, ret);
	case X86_OP_MEM: return memory_operand(decoder, &op->mem, regs, next, ret);
	default: return false;
	}
}

// ---- one instruction ------------------------------------------------------------------------------

// What a signal's handler returns to lies in its frame.
static bool leaves_handler(const struct decoder *decoder, const struct user_regs_struct *regs,
			   uint64_t *ret)
{
	enum { PC_IN_FRAME = 168 }; // uc_mcontext.gregs[REG_RIP]

	return regs->rax == SYS_rt_sigreturn && read_word(decoder, regs->rsp + PC_IN_FRAME, ret);
}

static bool find_successor(struct decoder *decoder, const struct user_regs_struct *regs,
			   struct successor *ret)
{
	bool is_branch, taken = is_taken(decoder->insn->id, regs, &is_branch);

	ret->addr = ret->behind;
	if (is_branch)
		return !taken || target_of(decoder, regs, ret->behind, &ret->addr);
	switch (decoder->insn->id) {
	case X86_INS_CALL: ret->is_call = true; // fallthrough
	case X86_INS_JMP: return target_of(decoder, regs, ret->behind, &ret->addr);
	case X86_INS_RET: ret->is_return = true; return read_word(decoder, regs->rsp, &ret->addr);
	case X86_INS_SYSCALL: leaves_handler(decoder, regs, &ret->addr); return true;
	case X86_INS_LJMP:
	case X86_INS_LCALL:
	case X86_INS_RETF:
	case X86_INS_RETFQ:
	case X86_INS_IRET:
	case X86_INS_IRETD:
	case X86_INS_IRETQ:
	case X86_INS_SYSENTER:
	case X86_INS_INT: return false;
	default: return true;
	}
}

struct dc_error *successor_of(struct decoder *decoder, const struct user_regs_struct *regs,
			      struct successor *ret)
{
	unsigned char bytes[INSTRUCTION_MAX];
	const uint8_t *code = bytes;
	size_t size = decoder->read(decoder->arg, regs->rip, bytes, sizeof(bytes));
	uint64_t addr = regs->rip;

	*ret = (struct successor){ 0 };
	if (!cs_disasm_iter(decoder->handle, &code, &size, &addr, decoder->insn))
		return error_make(DC_REFUSED, "the instruction at 0x%jx cannot be read",
				  (uintmax_t)regs->rip);
	ret->behind = regs->rip + decoder->insn->size;
	if (find_successor(decoder, regs, ret))
		return NULL;
	return error_make(DC_REFUSED, "nobody knows where %s at 0x%jx leads",
			  decoder->insn->mnemonic, (uintmax_t)regs->rip);
}

// ---- pieces of code -------------------------------------------------------------------------------

static bool add_exit(struct exits *exits, uint64_t addr)
{
	for (unsigned i = 0; i < exits->n; i++) {
		if (exits->at[i] == addr)
			return true;
	}
	if (exits->n == EXITS_MAX)
		return false;
	exits->at[exits->n++] = addr;
	return true;
}

static bool moves_sp(const cs_insn *insn)
{
	const cs_x86 *x86 = &insn->detail->x86;

	for (unsigned i = 0; i < insn->detail->regs_write_count; i++) {
		if (insn->detail->regs_write[i] == X86_REG_RSP)
			return true;
	}
	return x86->op_count && x86->operands[0].type == X86_OP_REG &&
	       x86->operands[0].reg == X86_REG_RSP && x86->operands[0].access & CS_AC_WRITE;
}

static bool add_jump(const cs_insn *insn, uint64_t start, uint64_t end, struct exits *ret)
{
	const cs_x86_op *op = &insn->detail->x86.operands[0];

	if (op->type != X86_OP_IMM)
		return add_exit(ret, insn->address);
	return (uint64_t)op->imm - start < end - start || add_exit(ret, (uint64_t)op->imm);
}

static bool add_instruction(csh handle, const cs_insn *insn, uint64_t start, uint64_t end,
			    bool into, struct exits *ret)
{
	if (cs_insn_group(handle, insn, CS_GRP_CALL)) {
		ret->has_calls = true;
		return !into || add_exit(ret, insn->address);
	}
	ret->moves_sp |= moves_sp(insn);
	if (cs_insn_group(handle, insn, CS_GRP_JUMP))
		return add_jump(insn, start, end, ret);
	return (!cs_insn_group(handle, insn, CS_GRP_RET) &&
		!cs_insn_group(handle, insn, CS_GRP_IRET) &&
		!cs_insn_group(handle, insn, CS_GRP_INT)) ||
	       add_exit(ret, insn->address);
}

bool exits_of(struct decoder *decoder, uint64_t start, uint64_t end, bool into, struct exits *ret)
{
	enum { PIECE_MAX = 1024 };
	unsigned char bytes[PIECE_MAX];
	size_t size = end - start;
	const uint8_t *code = bytes;
	uint64_t addr = start;
	bool falls_through = true;

	*ret = (struct exits){ 0 };
	if (end <= start || size > sizeof(bytes) ||
	    decoder->read(decoder->arg, start, bytes, size) != size)
		return false;
	while (addr < end) {
		if (!cs_disasm_iter(decoder->handle, &code, &size, &addr, decoder->insn) ||
		    !add_instruction(decoder->handle, decoder->insn, start, end, into, ret))
			return false;
		falls_through = decoder->insn->id != X86_INS_JMP &&
				!cs_insn_group(decoder->handle, decoder->insn, CS_GRP_RET);
	}
	return addr == end && (!falls_through || add_exit(ret, end)) && ret->n &&
	       !(ret->has_calls && ret->moves_sp);
}
