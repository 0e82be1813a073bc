// SPDX-License-Identifier: MIT
// How far a function has moved its stack pointer, read off its instructions.
// One pass from the start to the pc; forward jumps carry the depth over what lies between.
#include "debugger/arch/x86_64/prologue.h"

#include "debugger/base/cleanup.h"

#include <capstone/capstone.h>
#include <string.h>

struct depth {
	bool known; // the path here is known
	bool rsp_known, rbp_known;
	int64_t rsp, rbp; // CFA minus the register
	int64_t saved[17];
};

// Depths at the targets of forward jumps, by their distance from the start.
struct pending {
	uint32_t at;
	struct depth depth;
};
enum { MAX_PENDING = 512, MAX_INSNS = 16384 };

static int dwarf_number(x86_reg reg)
{
	switch (reg) {
	case X86_REG_RBX: return 3;
	case X86_REG_RBP: return 6;
	case X86_REG_R12: return 12;
	case X86_REG_R13: return 13;
	case X86_REG_R14: return 14;
	case X86_REG_R15: return 15;
	default: return -1;
	}
}

static void save(struct depth *depth, x86_reg reg, int64_t place)
{
	int number = dwarf_number(reg);

	// Only the first store holds the caller's value.
	if (number >= 0 && !depth->saved[number])
		depth->saved[number] = place;
}

static void lose_register(struct depth *depth, x86_reg reg)
{
	if (reg == X86_REG_RSP)
		depth->rsp_known = false;
	else if (reg == X86_REG_RBP)
		depth->rbp_known = false;
}

static void apply_pop(struct depth *depth, x86_reg reg)
{
	int number = dwarf_number(reg);

	if (number >= 0 && depth->rsp_known && depth->saved[number] == depth->rsp)
		depth->saved[number] = 0;
	lose_register(depth, reg);
	depth->rsp -= 8;
}

// The CFA minus the value of base + displacement.
static bool address_depth(const struct depth *depth, const x86_op_mem *mem, int64_t *ret)
{
	if (mem->index != X86_REG_INVALID)
		return false;
	if (mem->base == X86_REG_RSP && depth->rsp_known)
		*ret = depth->rsp - mem->disp;
	else if (mem->base == X86_REG_RBP && depth->rbp_known)
		*ret = depth->rbp - mem->disp;
	else
		return false;
	return true;
}

static void apply_move(struct depth *depth, const cs_x86_op *to, const cs_x86_op *from)
{
	int64_t place;

	if (to->type == X86_OP_MEM) {
		if (from->type == X86_OP_REG && address_depth(depth, &to->mem, &place) && place > 0)
			save(depth, from->reg, place);
		return;
	}
	if (to->type != X86_OP_REG)
		return;
	if (to->reg == X86_REG_RBP && from->type == X86_OP_REG && from->reg == X86_REG_RSP) {
		depth->rbp = depth->rsp;
		depth->rbp_known = depth->rsp_known;
	} else if (to->reg == X86_REG_RSP && from->type == X86_OP_REG && from->reg == X86_REG_RBP) {
		depth->rsp = depth->rbp;
		depth->rsp_known = depth->rbp_known;
	} else {
		lose_register(depth, to->reg);
	}
}

static void apply_arithmetic(struct depth *depth, const cs_x86 *x86, int sign)
{
	const cs_x86_op *to = &x86->operands[0], *by = &x86->operands[1];

	if (to->type != X86_OP_REG)
		return;
	if (to->reg == X86_REG_RSP && by->type == X86_OP_IMM)
		depth->rsp -= sign * by->imm;
	else
		lose_register(depth, to->reg);
}

static void apply(struct depth *depth, csh handle, const cs_insn *insn)
{
	const cs_x86 *x86 = &insn->detail->x86;
	const cs_x86_op *op = x86->operands;
	int64_t place;

	switch (insn->id) {
	case X86_INS_PUSH:
		depth->rsp += 8;
		if (op[0].type == X86_OP_REG && depth->rsp_known)
			save(depth, op[0].reg, depth->rsp);
		return;
	case X86_INS_PUSHFQ: depth->rsp += 8; return;
	case X86_INS_POPFQ: depth->rsp -= 8; return;
	case X86_INS_POP: apply_pop(depth, op[0].type == X86_OP_REG ? op[0].reg : 0); return;
	case X86_INS_SUB: apply_arithmetic(depth, x86, -1); return;
	case X86_INS_ADD: apply_arithmetic(depth, x86, 1); return;
	case X86_INS_MOV: apply_move(depth, &op[0], &op[1]); return;
	case X86_INS_LEA:
		if (op[0].reg == X86_REG_RSP || op[0].reg == X86_REG_RBP) {
			bool known = address_depth(depth, &op[1].mem, &place);

			if (op[0].reg == X86_REG_RSP) {
				depth->rsp_known = known;
				depth->rsp = known ? place : 0;
			} else {
				depth->rbp_known = known;
				depth->rbp = known ? place : 0;
			}
		}
		return;
	case X86_INS_LEAVE:
		depth->rsp_known = depth->rbp_known;
		depth->rsp = depth->rbp;
		apply_pop(depth, X86_REG_RBP);
		return;
	case X86_INS_CALL: return; // comes back at the same depth
	default: break;
	}

	cs_regs read, written;
	uint8_t nr_read, nr_written;

	if (cs_regs_access(handle, insn, read, &nr_read, written, &nr_written) != CS_ERR_OK)
		return;
	for (uint8_t i = 0; i < nr_written; i++) {
		x86_reg reg = written[i];

		if (reg == X86_REG_ESP || reg == X86_REG_SP)
			reg = X86_REG_RSP;
		if (reg == X86_REG_EBP || reg == X86_REG_BP)
			reg = X86_REG_RBP;
		lose_register(depth, reg);
	}
}

static void remember(struct pending *pending, size_t *n, uint64_t at, const struct depth *depth)
{
	if (at > UINT32_MAX || *n == MAX_PENDING)
		return;
	for (size_t i = 0; i < *n; i++)
		if (pending[i].at == at)
			return;
	pending[*n].at = (uint32_t)at;
	pending[*n].depth = *depth;
	++*n;
}

static const struct depth *brought(const struct pending *pending, size_t n, uint64_t at)
{
	for (size_t i = 0; i < n; i++) {
		if (pending[i].at == at)
			return &pending[i].depth;
	}
	return NULL;
}

// The depth that the instruction before leaves, if the path went through it, and the one that a
// jump brought here. false: they contradict each other.
static bool meet(struct depth *depth, const struct depth *jumped, bool after_call)
{
	if (!jumped)
		return true;
	bool differ = (depth->rsp_known && jumped->rsp_known && depth->rsp != jumped->rsp) ||
		      (depth->rbp_known && jumped->rbp_known && depth->rbp != jumped->rbp);

	// A call that never returns may stand at any depth.
	if (!depth->known || (differ && after_call))
		*depth = *jumped;
	else if (differ)
		return false;
	depth->rsp_known &= jumped->rsp_known;
	depth->rbp_known &= jumped->rbp_known;
	return true;
}

static bool finish(const struct depth *depth, struct prologue *ret)
{
	if (!depth->known || (!depth->rsp_known && !depth->rbp_known))
		return false;
	ret->by_rbp = !depth->rsp_known;
	ret->offset = depth->rsp_known ? depth->rsp : depth->rbp;
	ret->has_frame_pointer = depth->rbp_known;
	ret->frame_pointer = depth->rbp;
	memcpy(ret->saved, depth->saved, sizeof(ret->saved));
	// No code runs with its return address popped.
	return ret->offset >= 8;
}

static bool follow(csh handle, cs_insn *insn, const unsigned char *code, size_t n, uint64_t start,
		   uint64_t pc, struct prologue *ret)
{
	_cleanup_free_ struct pending *pending = malloc(MAX_PENDING * sizeof(*pending));
	struct depth depth = { .known = true, .rsp_known = true, .rsp = 8 };
	size_t nr_pending = 0;
	uint64_t at = start;
	bool after_call = false;

	if (!pending)
		return false;
	for (int i = 0; i < MAX_INSNS; i++) {
		// A return address belongs to the call before it, whatever jumps to it.
		if ((at < pc || !depth.known) &&
		    !meet(&depth, brought(pending, nr_pending, at - start), after_call))
			return false;
		if (at >= pc)
			return at == pc && finish(&depth, ret);
		if (!cs_disasm_iter(handle, &code, &n, &at, insn))
			return false;
		after_call = insn->id == X86_INS_CALL;
		if (!depth.known)
			continue;

		const cs_x86 *x86 = &insn->detail->x86;
		bool is_jump = cs_insn_group(handle, insn, CS_GRP_JUMP);

		if (is_jump && x86->operands[0].type == X86_OP_IMM &&
		    (uint64_t)x86->operands[0].imm >= at)
			remember(pending, &nr_pending, (uint64_t)x86->operands[0].imm - start,
				 &depth);
		if (insn->id == X86_INS_JMP || insn->id == X86_INS_UD2 || insn->id == X86_INS_HLT ||
		    cs_insn_group(handle, insn, CS_GRP_RET))
			depth.known = false;
		else if (!is_jump)
			apply(&depth, handle, insn);
	}
	return false;
}

bool prologue_follow(const unsigned char *code, size_t n, uint64_t start, uint64_t pc,
		     struct prologue *ret)
{
	csh handle;

	*ret = (struct prologue){ .by_rbp = false };
	if (pc < start || pc - start > n || pc - start > PROLOGUE_REACH)
		return false;
	if (cs_open(CS_ARCH_X86, CS_MODE_64, &handle) != CS_ERR_OK)
		return false;
	cs_option(handle, CS_OPT_DETAIL, CS_OPT_ON);

	cs_insn *insn = cs_malloc(handle);
	bool found = insn && follow(handle, insn, code, n, start, pc, ret);

	if (insn)
		cs_free(insn, 1);
	cs_close(&handle);
	return found;
}
