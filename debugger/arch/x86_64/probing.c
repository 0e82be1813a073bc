// SPDX-License-Identifier: MIT
// Instructions that are known to be harmless, and what they must not do; all others are refused.
#include "debugger/arch/x86_64/probing.h"

#include <capstone/capstone.h>
#include <stdbool.h>
#include <string.h>

static bool is_general(x86_reg reg)
{
	switch (reg) {
	case X86_REG_AH ... X86_REG_CL:
	case X86_REG_CX ... X86_REG_DL:
	case X86_REG_DX ... X86_REG_EDX:
	case X86_REG_ESI ... X86_REG_ESP:
	case X86_REG_RAX ... X86_REG_RDX:
	case X86_REG_RSI ... X86_REG_SPL:
	case X86_REG_R8 ... X86_REG_R15:
	case X86_REG_R8B ... X86_REG_R15W: return true;
	default: return false;
	}
}

static bool is_vector(x86_reg reg)
{
	return reg >= X86_REG_XMM0 && reg <= X86_REG_XMM15;
}

// They change general registers and flags, and the first of their operands.
static bool computes(unsigned id)
{
	switch (id) {
	case X86_INS_ADC:
	case X86_INS_ADD:
	case X86_INS_AND:
	case X86_INS_BSF:
	case X86_INS_BSR:
	case X86_INS_BSWAP:
	case X86_INS_BTC:
	case X86_INS_BTR:
	case X86_INS_BTS:
	case X86_INS_CBW:
	case X86_INS_CDQ:
	case X86_INS_CDQE:
	case X86_INS_CMOVA ... X86_INS_CMOVS:
	case X86_INS_CQO:
	case X86_INS_CWD:
	case X86_INS_CWDE:
	case X86_INS_DEC:
	case X86_INS_INC:
	case X86_INS_LEA:
	case X86_INS_LEAVE:
	case X86_INS_LZCNT:
	case X86_INS_MOV:
	case X86_INS_MOVABS:
	case X86_INS_MOVSX:
	case X86_INS_MOVSXD:
	case X86_INS_MOVZX:
	case X86_INS_NEG:
	case X86_INS_NOT:
	case X86_INS_OR:
	case X86_INS_POP:
	case X86_INS_POPCNT:
	case X86_INS_ROL:
	case X86_INS_ROR:
	case X86_INS_SAL:
	case X86_INS_SAR:
	case X86_INS_SBB:
	case X86_INS_SETAE ... X86_INS_SETS:
	case X86_INS_SHL:
	case X86_INS_SHLD:
	case X86_INS_SHR:
	case X86_INS_SHRD:
	case X86_INS_SUB:
	case X86_INS_TZCNT:
	case X86_INS_XOR: return true;
	default: return false;
	}
}

// They only read operands in memory, the first one too. What calls and pushes write lies below the
// stack that the thread had before, and is written again.
static bool reads_only(unsigned id)
{
	switch (id) {
	case X86_INS_BT:
	case X86_INS_CALL:
	case X86_INS_CMP:
	case X86_INS_DIV:
	case X86_INS_ENDBR64:
	case X86_INS_IDIV:
	case X86_INS_IMUL:
	case X86_INS_JAE:
	case X86_INS_JA:
	case X86_INS_JBE:
	case X86_INS_JB:
	case X86_INS_JE:
	case X86_INS_JGE:
	case X86_INS_JG:
	case X86_INS_JLE:
	case X86_INS_JL:
	case X86_INS_JMP:
	case X86_INS_JNE:
	case X86_INS_JNO:
	case X86_INS_JNP:
	case X86_INS_JNS:
	case X86_INS_JO:
	case X86_INS_JP:
	case X86_INS_JS:
	case X86_INS_MUL:
	case X86_INS_NOP:
	case X86_INS_PUSH:
	case X86_INS_RET:
	case X86_INS_TEST: return true;
	default: return false;
	}
}

// To a vector, or to nothing of it when it is from one: alike, however often.
static bool moves_vector(const cs_insn *insn)
{
	const cs_x86 *x86 = &insn->detail->x86;

	switch (insn->id) {
	case X86_INS_MOVAPD:
	case X86_INS_MOVAPS:
	case X86_INS_MOVD:
	case X86_INS_MOVDQA:
	case X86_INS_MOVDQU:
	case X86_INS_MOVQ:
	case X86_INS_MOVSD: // not the string's, which has two operands in memory
	case X86_INS_MOVSS:
	case X86_INS_MOVUPD:
	case X86_INS_MOVUPS: return x86->op_count == 2 && x86->operands[0].type == X86_OP_REG;
	case X86_INS_PXOR:
	case X86_INS_XORPD:
	case X86_INS_XORPS:
		return x86->op_count == 2 && x86->operands[1].type == X86_OP_REG &&
		       x86->operands[0].reg == x86->operands[1].reg; // to zero
	default: return false;
	}
}

static const char *judge(const cs_insn *insn)
{
	static const unsigned char wide_nop[] = { 0x0f, 0x1f, 0x44, 0x00, 0x00 };
	const cs_x86 *x86 = &insn->detail->x86;
	bool vector = moves_vector(insn), reads = reads_only(insn->id);

	if (x86->prefix[0] == X86_PREFIX_LOCK)
		return "the instruction is locked";
	// Kernels since 6.18 put a call there, and make a mapping for it that stays.
	if (insn->size == sizeof(wide_nop) && !memcmp(insn->bytes, wide_nop, sizeof(wide_nop)))
		return "the kernel would put another instruction there";
	if (!vector && !reads && !computes(insn->id))
		return "the instruction may not run elsewhere, or not twice";
	for (unsigned i = 0; i < x86->op_count; i++) {
		const cs_x86_op *op = &x86->operands[i];

		if (op->type == X86_OP_MEM && !i && !reads)
			return "the instruction writes to memory";
		if (op->type == X86_OP_REG && !is_general(op->reg) &&
		    !(vector && is_vector(op->reg)))
			return "what the instruction changes cannot be undone";
	}
	return NULL;
}

// It shows the flag to the program, or goes to the kernel, which does more than one step.
static const char *judge_step(const cs_insn *insn)
{
	switch (insn->id) {
	case X86_INS_INT:
	case X86_INS_INT1:
	case X86_INS_INT3:
	case X86_INS_INTO:
	case X86_INS_IRET:
	case X86_INS_IRETD:
	case X86_INS_IRETQ:
	case X86_INS_POPF:
	case X86_INS_POPFD:
	case X86_INS_POPFQ:
	case X86_INS_PUSHF:
	case X86_INS_PUSHFD:
	case X86_INS_PUSHFQ:
	case X86_INS_SYSCALL:
	case X86_INS_SYSENTER: return "no thread can be led over the instruction";
	default: return NULL;
	}
}

static const char *decide(const char *(*judge_one)(const cs_insn *), const unsigned char *code,
			  size_t n, uint64_t addr)
{
	const char *why = "it is no instruction";
	csh handle;

	if (cs_open(CS_ARCH_X86, CS_MODE_64, &handle) != CS_ERR_OK)
		return "the disassembler cannot be used";
	cs_option(handle, CS_OPT_DETAIL, CS_OPT_ON);

	cs_insn *insn = cs_malloc(handle);
	const uint8_t *at = code;

	if (insn && cs_disasm_iter(handle, &at, &n, &addr, insn))
		why = judge_one(insn);
	if (insn)
		cs_free(insn, 1);
	cs_close(&handle);
	return why;
}

const char *probing_refuses(const unsigned char *code, size_t n, uint64_t addr)
{
	return decide(judge, code, n, addr);
}

const char *stepping_refuses(const unsigned char *code, size_t n, uint64_t addr)
{
	return decide(judge_step, code, n, addr);
}
