// SPDX-License-Identifier: MIT
// Disassembly by capstone, written as the GNU assembler reads it.
#include "debugger/control/disassemble.h"

#include <capstone/capstone.h>
#include <stdio.h>
#include <string.h>

// What an instruction refers to by a fixed address: a call's or jump's target, or data beside the
// program counter.
static uint64_t target_of(csh handle, const cs_insn *insn)
{
	const cs_x86 *x86 = &insn->detail->x86;

	for (unsigned i = 0; i < x86->op_count; i++) {
		const cs_x86_op *op = &x86->operands[i];

		if (op->type == X86_OP_IMM && (cs_insn_group(handle, insn, CS_GRP_JUMP) ||
					       cs_insn_group(handle, insn, CS_GRP_CALL)))
			return (uint64_t)op->imm;
		if (op->type == X86_OP_MEM && op->mem.base == X86_REG_RIP)
			return insn->address + insn->size + (uint64_t)op->mem.disp;
	}
	return 0;
}

static bool show(struct symbols *symbols, struct dc_instruction *instruction, const char *text,
		 bool (*visit)(const struct dc_instruction *, void *), void *arg)
{
	instruction->text = text;
	if (instruction->target)
		symbols_name_of(symbols, instruction->target, &instruction->target_name,
				&instruction->target_offset);
	return visit(instruction, arg);
}

struct dc_error *disassemble(struct symbols *symbols, const unsigned char *code, size_t n,
			     uint64_t addr, bool (*visit)(const struct dc_instruction *, void *),
			     void *arg)
{
	char text[sizeof(((cs_insn *)0)->mnemonic) + sizeof(((cs_insn *)0)->op_str) + 2];
	csh handle;

	if (cs_open(CS_ARCH_X86, CS_MODE_64, &handle) != CS_ERR_OK)
		return error_make(DC_SYSTEM, "capstone cannot read this machine's code");
	cs_option(handle, CS_OPT_DETAIL, CS_OPT_ON);
	cs_option(handle, CS_OPT_SYNTAX, CS_OPT_SYNTAX_ATT);

	cs_insn *insn = cs_malloc(handle);
	bool go_on = insn;

	while (go_on && n) {
		struct dc_instruction instruction = { .addr = addr, .bytes = code };

		if (!cs_disasm_iter(handle, &code, &n, &addr, insn)) {
			instruction.size = 1;
			go_on = show(symbols, &instruction, "(bad)", visit, arg);
			code++;
			addr++;
			n--;
			continue;
		}
		instruction.size = insn->size;
		instruction.target = target_of(handle, insn);
		snprintf(text, sizeof(text), *insn->op_str ? "%-6s %s" : "%s", insn->mnemonic,
			 insn->op_str);
		go_on = show(symbols, &instruction, text, visit, arg);
	}
	if (insn)
		cs_free(insn, 1);
	cs_close(&handle);
	return insn ? NULL : &dc_out_of_memory;
}
