// SPDX-License-Identifier: MIT
// Was this callee compiled for wide vectors? One AVX instruction shows that it was, since no
// compiler mixes them with code for processors that have none.
#include "debugger/arch/x86_64/wide.h"

#include <capstone/capstone.h>

// VEX and EVEX encodings begin with bytes that are nothing else in 64-bit code.
static bool is_avx(const cs_insn *insn)
{
	uint16_t i = 0;

	while (i < insn->size &&
	       (insn->bytes[i] == 0x64 || insn->bytes[i] == 0x65 || insn->bytes[i] == 0x67))
		i++;
	return i < insn->size &&
	       (insn->bytes[i] == 0xc4 || insn->bytes[i] == 0xc5 || insn->bytes[i] == 0x62);
}

static bool uses_zmm(const cs_insn *insn)
{
	const cs_x86 *x86 = &insn->detail->x86;

	for (uint8_t i = 0; i < x86->op_count; i++)
		if (x86->operands[i].type == X86_OP_REG && x86->operands[i].reg >= X86_REG_ZMM0 &&
		    x86->operands[i].reg <= X86_REG_ZMM31)
			return true;
	return false;
}

static bool shows_width(csh handle, cs_insn *insn, const unsigned char *code, size_t n,
			unsigned width)
{
	uint64_t at = 0, reach = 0; // the furthest place that a jump goes to

	while (cs_disasm_iter(handle, &code, &n, &at, insn)) {
		const cs_x86_op *to = insn->detail->x86.operands;

		if (is_avx(insn) && (width <= 32 || uses_zmm(insn)))
			return true;
		if (cs_insn_group(handle, insn, CS_GRP_JUMP) && to->type == X86_OP_IMM &&
		    (uint64_t)to->imm > reach && (uint64_t)to->imm < at + n)
			reach = (uint64_t)to->imm;
		// Behind the last return lies another function.
		if ((insn->id == X86_INS_JMP || cs_insn_group(handle, insn, CS_GRP_RET)) &&
		    at > reach)
			return false;
	}
	return false;
}

struct dc_error *wide_check(const struct abi_entry *entry, const unsigned char *code, size_t n,
			    const char *name)
{
	csh handle;

	if (entry->vector_width <= 16)
		return NULL;
	if (cs_open(CS_ARCH_X86, CS_MODE_64, &handle) != CS_ERR_OK)
		return &dc_out_of_memory;
	cs_option(handle, CS_OPT_DETAIL, CS_OPT_ON);

	cs_insn *insn = cs_malloc(handle);
	bool shown = insn && shows_width(handle, insn, code, n, entry->vector_width);

	if (insn)
		cs_free(insn, 1);
	cs_close(&handle);
	if (shown)
		return NULL;
	return error_make(DC_REFUSED,
			  "%s does not show that it was compiled for vectors of %u bytes in "
			  "registers (-mavx%s); without, it takes them in memory",
			  name ? name : "the function", entry->vector_width,
			  entry->vector_width > 32 ? "512f" : "");
}
