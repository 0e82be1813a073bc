// SPDX-License-Identifier: MIT
// Locations of one operation: a register, or so many bytes from one, be it by way of the frame base
// and the unwind table's canonical frame address.
#include "debugger/symbols/dwarf/root.h"

#include <dwarf.h>
#include <stdlib.h>

// The address that the unwind table calls the frame's, as it is at the place.
static bool from_cfi(Dwarf_CFI *cfi, uint64_t pc, struct variable_root *ret)
{
	Dwarf_Frame *frame;
	Dwarf_Op *ops;
	size_t n;
	bool found = false;

	if (!cfi || dwarf_cfi_addrframe(cfi, pc, &frame))
		return false;
	if (!dwarf_frame_cfa(frame, &ops, &n) && n == 1) {
		found = true;
		ret->kind = ROOT_MEMORY;
		if (ops[0].atom == DW_OP_bregx) {
			ret->reg = ops[0].number < 1000 ? (int)ops[0].number : 1000;
			ret->offset = (int64_t)ops[0].number2;
		} else if (ops[0].atom >= DW_OP_breg0 && ops[0].atom <= DW_OP_breg31) {
			ret->reg = ops[0].atom - DW_OP_breg0;
			ret->offset = (int64_t)ops[0].number;
		} else {
			found = false;
		}
	}
	free(frame);
	return found;
}

static bool frame_address(const struct location_frame *where, uint64_t pc,
			  struct variable_root *ret)
{
	const struct image *image = where->loaded->image;
	Dwarf_CFI *cfi = image ? dwarf_getcfi_elf(image->elf) : NULL;
	bool found = from_cfi(cfi, pc, ret);

	if (cfi)
		dwarf_cfi_end(cfi);
	return found ||
	       (where->loaded->dwarf && from_cfi(dwarf_getcfi(where->loaded->dwarf), pc, ret));
}

static bool root(const struct location_frame *where, uint64_t pc, const Dwarf_Op *op,
		 struct variable_root *ret);

// A register there is meant for what is in it.
static bool frame_base(const struct location_frame *where, uint64_t pc, struct variable_root *ret)
{
	Dwarf_Attribute attr;
	Dwarf_Op *ops;
	size_t n;

	if (!where->function || !dwarf_attr_integrate(where->function, DW_AT_frame_base, &attr) ||
	    dwarf_getlocation_addr(&attr, pc, &ops, &n, 1) != 1 || n != 1 ||
	    ops[0].atom == DW_OP_fbreg || !root(where, pc, &ops[0], ret))
		return false;
	ret->kind = ROOT_MEMORY;
	return true;
}

static bool root(const struct location_frame *where, uint64_t pc, const Dwarf_Op *op,
		 struct variable_root *ret)
{
	if (op->atom >= DW_OP_reg0 && op->atom <= DW_OP_reg31) {
		*ret = (struct variable_root){ ROOT_REGISTER, op->atom - DW_OP_reg0, 0 };
		return true;
	}
	if (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31) {
		*ret = (struct variable_root){ ROOT_MEMORY, op->atom - DW_OP_breg0,
					       (int64_t)op->number };
		return true;
	}
	if (op->atom == DW_OP_call_frame_cfa)
		return frame_address(where, pc, ret);
	if (op->atom != DW_OP_fbreg || !frame_base(where, pc, ret))
		return false;
	ret->offset += (int64_t)op->number;
	return true;
}

void root_of(const struct location_frame *where, const Dwarf_Op *ops, size_t n,
	     struct variable *ret)
{
	enum { REGISTERS = 17 }; // those that a frame has numbers for
	struct variable_root found = { ROOT_NONE, 0, 0 };
	uint64_t pc = where->frame->pc - where->loaded->module.bias;

	if (n == 1 && root(where, pc, &ops[0], &found) && found.reg < REGISTERS)
		ret->root = found;
}
