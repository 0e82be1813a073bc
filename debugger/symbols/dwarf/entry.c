// SPDX-License-Identifier: MIT
// A parameter's location at the entry, reduced to what can be compared with the calling convention.
#include "debugger/symbols/dwarf/entry.h"

#include <dwarf.h>
#include <string.h>

enum { REG_RBP = 6, REG_RSP = 7, REGS = 64 };

// rdi, rsi, rdx, rcx, r8, r9, xmm0 to xmm7, by DWARF's numbers.
static const uint64_t ARGUMENT_REGISTERS = 1u << 5 | 1u << 4 | 1u << 1 | 1u << 2 | 1u << 8 |
					   1u << 9 | UINT64_C(0xff) << 17;

// What belongs to the value in a register, and not to a new one that is computed from it: narrowing
// it, and taking a part of it.
static bool is_cut(int atom)
{
	return (atom >= DW_OP_lit0 && atom <= DW_OP_lit31) ||
	       (atom >= DW_OP_const1u && atom <= DW_OP_consts) || atom == DW_OP_and ||
	       atom == DW_OP_shl || atom == DW_OP_shr || atom == DW_OP_shra ||
	       atom == DW_OP_convert || atom == DW_OP_GNU_convert || atom == DW_OP_reinterpret ||
	       atom == DW_OP_GNU_reinterpret || atom == DW_OP_stack_value || atom == DW_OP_piece ||
	       atom == DW_OP_nop;
}

// Relative to the CFA, where arguments on the stack begin; false: what it is relative to differs
// from instruction to instruction.
static bool frame_offset(Dwarf_Die *function, int64_t offset, int64_t *ret)
{
	Dwarf_Attribute attr;
	Dwarf_Op *ops;
	size_t n;

	if (!dwarf_attr_integrate(function, DW_AT_frame_base, &attr) ||
	    dwarf_getlocation(&attr, &ops, &n) || n != 1)
		return false;
	if (ops[0].atom == DW_OP_call_frame_cfa)
		*ret = offset;
	else if (ops[0].atom == DW_OP_reg0 + REG_RBP)
		*ret = offset - 16;
	else
		return false;
	return true;
}

static void take_register(struct param_entry *ret, uint64_t number)
{
	ret->place = PARAM_REGISTERS;
	if (number < REGS)
		ret->registers |= UINT64_C(1) << number;
}

// The register whose value at the entry it is; false: it is something else.
static bool entry_register(Dwarf_Attribute *attr, const Dwarf_Op *op, uint64_t *ret)
{
	Dwarf_Attribute inner;
	Dwarf_Op *ops;
	size_t n;

	if (dwarf_getlocation_attr(attr, op, &inner) || dwarf_getlocation(&inner, &ops, &n) ||
	    n != 1)
		return false;
	if (ops[0].atom >= DW_OP_reg0 && ops[0].atom <= DW_OP_reg31)
		*ret = ops[0].atom - DW_OP_reg0;
	else if (ops[0].atom == DW_OP_regx)
		*ret = ops[0].number;
	else
		return false;
	return true;
}

static void read_ops(Dwarf_Die *function, Dwarf_Attribute *attr, const Dwarf_Op *ops, size_t n,
		     bool is_list, struct param_entry *ret)
{
	bool replaced = false;

	ret->place = PARAM_REPLACED;
	for (size_t i = 0; i < n; i++) {
		int atom = ops[i].atom;
		uint64_t number;

		if (atom >= DW_OP_reg0 && atom <= DW_OP_reg31) {
			take_register(ret, atom - DW_OP_reg0);
		} else if (atom == DW_OP_regx) {
			take_register(ret, ops[i].number);
		} else if (atom == DW_OP_fbreg || (is_list && atom == DW_OP_breg0 + REG_RSP)) {
			int64_t offset = (int64_t)ops[i].number - 8;

			// Below the CFA is the function's own frame, to which it copies what it was
			// passed.
			if ((atom == DW_OP_fbreg &&
			     !frame_offset(function, (int64_t)ops[i].number, &offset)) ||
			    offset < 0 || n > 1)
				ret->place = PARAM_UNTOLD;
			else
				ret->place = PARAM_STACK;
			ret->offset = offset;
			return;
		} else if (atom >= DW_OP_breg0 && atom <= DW_OP_breg31) {
			// Memory, unless a value is made of it.
			if (ops[n - 1].atom != DW_OP_stack_value &&
			    ops[n - 1].atom != DW_OP_piece) {
				ret->place = PARAM_UNTOLD;
				return;
			}
			replaced |= ops[i].number != 0;
			take_register(ret, atom - DW_OP_breg0);
		} else if (atom == DW_OP_entry_value || atom == DW_OP_GNU_entry_value) {
			if (entry_register(attr, &ops[i], &number))
				take_register(ret, number);
			else
				replaced = true;
		} else if (!is_cut(atom)) {
			replaced = true;
		}
	}
	if (replaced)
		ret->place = PARAM_REPLACED;
	// One place for the whole function in which nothing is passed: where it is kept, not where
	// it came.
	if (!is_list && ret->place == PARAM_REGISTERS && ret->registers & ~ARGUMENT_REGISTERS)
		ret->place = PARAM_UNTOLD;
}

// The function's own parameter, where it is an instance of an abstract one. false: it has none.
static bool own_param(Dwarf_Die *parent, Dwarf_Die *param, Dwarf_Die *ret)
{
	struct die_walk walk = { 0 };
	Dwarf_Die child, origin;
	Dwarf_Attribute attr;

	for (bool more = die_walk_first(&walk, parent, &child); more;
	     more = die_walk_next(&walk, &child)) {
		int tag = dwarf_tag(&child);

		if (tag == DW_TAG_GNU_formal_parameter_pack &&
		    dwarf_tag(parent) != DW_TAG_GNU_formal_parameter_pack &&
		    own_param(&child, param, ret))
			return true;
		if (tag != DW_TAG_formal_parameter)
			continue;
		if (child.addr == param->addr ||
		    (dwarf_attr(&child, DW_AT_abstract_origin, &attr) &&
		     dwarf_formref_die(&attr, &origin) && origin.addr == param->addr)) {
			*ret = child;
			return true;
		}
	}
	return false;
}

void entry_find(Dwarf_Die *function, Dwarf_Die *param, struct param_entry *ret)
{
	Dwarf_Attribute attr;
	Dwarf_Die own;
	Dwarf_Op *ops;
	uint64_t entry;
	size_t n;

	*ret = (struct param_entry){ .place = PARAM_UNTOLD };
	if (dwarf_tag(function) != DW_TAG_subprogram || die_is_declaration(function) ||
	    !die_entry(function, &entry))
		return;
	ret->place = PARAM_NOWHERE;
	if (!own_param(function, param, &own))
		return;
	if (dwarf_attr(&own, DW_AT_const_value, &attr)) {
		ret->place = PARAM_REPLACED;
		return;
	}
	if (!dwarf_attr(&own, DW_AT_location, &attr) ||
	    dwarf_getlocation_addr(&attr, entry, &ops, &n, 1) != 1 || !n)
		return;

	unsigned int form = dwarf_whatform(&attr);
	bool is_list = form == DW_FORM_sec_offset || form == DW_FORM_loclistx ||
		       form == DW_FORM_data4 || form == DW_FORM_data8;

	read_ops(function, &attr, ops, n, is_list, ret);
}

static const char *producer_of(Dwarf_Die *function)
{
	Dwarf_Attribute attr;
	Dwarf_Die unit;
	const char *producer = dwarf_cu_die(function->cu, &unit, NULL, NULL, NULL, NULL, NULL,
					    NULL) &&
					       dwarf_attr_integrate(&unit, DW_AT_producer, &attr)
				       ? dwarf_formstring(&attr)
				       : NULL;

	return producer ? producer : "";
}

bool entry_is_optimized(Dwarf_Die *function)
{
	const char *producer = producer_of(function), *level = NULL;

	// GCC tells its options, of which the last one counts.
	if (!strncmp(producer, "GNU ", 4)) {
		for (const char *at = producer; (at = strstr(at, " -O")); at += 3)
			level = at + 3;
		return level && *level != '0';
	}
	// Others that optimize say of a function that they have described its calls.
	return dwarf_hasattr(function, DW_AT_call_all_calls) ||
	       dwarf_hasattr(function, DW_AT_call_all_tail_calls) ||
	       dwarf_hasattr(function, DW_AT_call_all_source_calls) ||
	       dwarf_hasattr(function, DW_AT_GNU_all_call_sites) ||
	       dwarf_hasattr(function, DW_AT_GNU_all_tail_call_sites);
}

bool entry_is_local(Dwarf_Die *function, bool is_exported)
{
	const char *producer = producer_of(function);

	if (!dwarf_hasattr_integrate(function, DW_AT_external))
		return true;
	if (is_exported)
		return false;
	// clang does not tell whether it saw the whole program.
	return strstr(producer, "GIMPLE") || strstr(producer, "-flto") ||
	       strstr(producer, "clang version");
}
